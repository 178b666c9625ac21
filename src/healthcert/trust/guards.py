"""What a new list is held against before it replaces the one in use: an attacker may own the network, not the past.

Each guard is one function that raises :class:`TrustError`. What they need to know of the past is the list in use and
the :class:`Memory` of its source; :func:`after` is what is remembered next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from healthcert.errors import Code, Step, TrustError
from healthcert.lists.anchors import Environment
from healthcert.trust.database import Memory, State
from healthcert.trust.generation import Generation
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import TrustList

CLOCK_SKEW = timedelta(seconds=300)
_REMEMBERED = 64  # lists that a source replaced; an older one is caught by its time


def check_environment(state: State, environment: Environment) -> None:
    """Certificate governance §3.4: test and production have keys of their own, and neither reach the other."""
    if state.environment not in (None, environment):
        detail = f"the store is for {state.environment}, and the source for {environment}: keep another store for it"
        raise _refuse(Code.ENVIRONMENT_MIXED, detail)


def check_format(current: Generation | None, format_: str) -> None:
    """A name is one source's: another list under it would end the one in use, and what is remembered of it."""
    if current is not None and current.head.format != format_:
        detail = f"the list in use under this name is of the format {current.head.format}: give the new one another"
        raise _refuse(Code.TRUST_CONFIG_INVALID, detail)


def check_clock(state: State, now: datetime) -> None:
    """A clock that is behind would take old lists for fresh ones: no list that is in use can be from the future."""
    signed = (g.head.issued_at for g in state.lists.values() if g.head.assurance is not Assurance.TLS_ONLY)
    newest = max((moment for moment in signed if moment is not None), default=None)
    if newest is not None and now + CLOCK_SKEW < newest:
        detail = f"this machine's clock is before {newest:%Y-%m-%d %H:%M} UTC, when a list in use was signed"
        raise _refuse(Code.CLOCK_BEHIND, detail)


def check_time(new: TrustList, now: datetime) -> None:
    """A list that has ended is none, and one from the future means that this machine's clock is behind."""
    if new.expires_at is not None and now - CLOCK_SKEW > new.expires_at:
        raise _refuse(Code.TRUST_LIST_EXPIRED, f"the list ended {new.expires_at:%Y-%m-%d %H:%M} UTC")
    if new.issued_at is not None and now + CLOCK_SKEW < new.issued_at:
        detail = f"the list is of {new.issued_at:%Y-%m-%d %H:%M} UTC, which is still to come: is this clock right?"
        raise _refuse(Code.CLOCK_BEHIND, detail)


def check_order(memory: Memory, new: TrustList, signed: bytes) -> None:
    """No list older than one that was seen, no second list under the same number, and none that was replaced."""
    if new.counter is not None and memory.highest is not None:
        if new.counter < memory.highest:
            raise _refuse(Code.TRUST_LIST_ROLLED_BACK, "older than a list that was accepted before")
        if new.counter == memory.highest and signed != memory.at_highest:
            detail = "another list under the number of one that was accepted before: its publisher, or somebody, lies"
            raise _refuse(Code.TRUST_LIST_EQUIVOCATES, detail)
    if new.counter is None and memory.highest is not None:
        raise _refuse(Code.TRUST_LIST_ROLLED_BACK, "it has no number, and lists of this source had one")
    if signed in memory.superseded:
        raise _refuse(Code.TRUST_LIST_ROLLED_BACK, "a list that was replaced before")
    if any(counter < memory.documents.get(name, counter) for name, counter in new.documents.items()):
        raise _refuse(Code.TRUST_LIST_ROLLED_BACK, "one of its documents is older than it was")


def check_newest(memory: Memory, new: TrustList) -> None:
    """Where a list has no number, its newest entry tells its order as well as it can.

    It may be wrong: an entry that was the newest one may have been withdrawn. So an operator can insist.
    """
    if new.counter is None and memory.newest is not None and (_seconds(new) or 0) < memory.newest:
        raise _refuse(Code.TRUST_LIST_ROLLED_BACK, "its newest entry is older than that of a list accepted before")


def check_entries(new: TrustList) -> None:
    """A list without a single usable entry is a mistake."""
    if not new.keys and not new.authorities:
        why = "".join(f": {first.source}: {first.error.detail}" for first in new.skipped[:1])
        raise _refuse(Code.TRUST_LIST_UNREADABLE, f"the list has no entry that can be used{why}")


def check_loss(current: Generation | None, new: TrustList, most: float) -> None:
    """A list that lost many keys, or all of a country, is more often an accident or an attack than the truth."""
    if current is None:
        return
    before = {(row.kid, row.spki): row.country for row in current.rows}
    after = {(key.kid, key.spki) for key in new.keys}
    lost = len(before.keys() - after)
    if lost > most * len(before):
        raise _refuse(Code.TRUST_LIST_SHRANK, f"{lost} of {len(before)} keys are gone")
    gone = _countries(before.values()).keys() - _countries(key.country for key in new.keys).keys()
    if gone:
        named = ", ".join(sorted(gone)[:10])
        raise _refuse(Code.TRUST_LIST_SHRANK, f"all keys are gone of: {named}")


def after(memory: Memory, current: Generation | None, new: TrustList, signed: bytes) -> Memory:
    """What is remembered once the list is accepted."""
    superseded = memory.superseded
    # Only of a list that is signed as a whole: of any other the bytes are nobody's word, and may honestly come again.
    if current is not None and current.head.assurance is Assurance.SIGNED_LIST:
        superseded = (*superseded, current.head.signed)[-_REMEMBERED:]
    return Memory(
        highest=new.counter if new.counter is not None else memory.highest,
        at_highest=signed if new.counter is not None else memory.at_highest,
        newest=_seconds(new) if new.counter is None else memory.newest,
        superseded=tuple(one for one in superseded if one != signed),
        documents={**memory.documents, **new.documents},
        anchors=memory.anchors,
        options=memory.options,
        validators=memory.validators,
    )


def _seconds(new: TrustList) -> int | None:
    return int(new.issued_at.timestamp()) if new.issued_at is not None else None


def _countries(given: Iterable[str | None]) -> Counter[str]:
    return Counter(country for country in given if country is not None)


def _refuse(code: Code, detail: str) -> TrustError:
    return TrustError(code, detail, Step.TRUST)
