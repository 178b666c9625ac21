"""What a new revocation list is held against before it is taken into use; as for trust lists, with the same reasons."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.anchors import Environment
from healthcert.revocation.ledger import Head, Memory, State
from healthcert.revocation.sources.protocol import Listed

CLOCK_SKEW = timedelta(seconds=300)
_REMEMBERED = 64  # lists that a source replaced
_A_BATCH = 1000  # entries; so many the EU gateway takes as one


def check_environment(state: State, environment: Environment) -> None:
    """Test and production have certificates of their own, and a list of one says nothing of the other."""
    if state.environment not in (None, environment):
        detail = f"the store is for {state.environment}, and the source for {environment}: keep another store for it"
        raise _refuse(Code.ENVIRONMENT_MIXED, detail)


def check_format(current: Head | None, format_: str) -> None:
    """A name is one source's: another list under it would end the one in use."""
    if current is not None and current.format != format_:
        detail = f"the list in use under this name is of the format {current.format}: give the new one another"
        raise _refuse(Code.REVOCATION_CONFIG_INVALID, detail)


def check_clock(state: State, now: datetime) -> None:
    """A clock that is behind would take old lists for fresh ones: no list in use can be from the future."""
    newest = max((h.issued_at for h in state.lists.values() if h.signer and h.issued_at is not None), default=None)
    if newest is not None and now + CLOCK_SKEW < newest:
        detail = f"this machine's clock is before {newest:%Y-%m-%d %H:%M} UTC, when a list in use was signed"
        raise _refuse(Code.CLOCK_BEHIND, detail)


def check_time(new: Listed, now: datetime) -> None:
    """A list that has ended is none, and one from the future means that this machine's clock is behind."""
    if new.expires_at is not None and now - CLOCK_SKEW > new.expires_at:
        raise _refuse(Code.REVOCATION_LIST_EXPIRED, f"the list ended {new.expires_at:%Y-%m-%d %H:%M} UTC")
    if new.issued_at is not None and now + CLOCK_SKEW < new.issued_at:
        detail = f"the list is of {new.issued_at:%Y-%m-%d %H:%M} UTC, which is still to come: is this clock right?"
        raise _refuse(Code.CLOCK_BEHIND, detail)


def check_order(memory: Memory, new: Listed) -> None:
    """No list older than one that was seen, no second list under the same number, and none that was replaced."""
    if new.counter is not None and memory.highest is not None:
        if new.counter < memory.highest:
            raise _refuse(Code.REVOCATION_LIST_ROLLED_BACK, "older than a list that was accepted before")
        if new.counter == memory.highest and new.signed is not None and memory.at_highest not in (b"", new.signed):
            detail = "another list under the number of one that was accepted before: its publisher, or somebody, lies"
            raise _refuse(Code.REVOCATION_LIST_EQUIVOCATES, detail)
    if new.counter is None and memory.highest is not None:
        raise _refuse(Code.REVOCATION_LIST_ROLLED_BACK, "it has no number, and lists of this source had one")
    if new.signed is not None and new.signed in memory.superseded:
        raise _refuse(Code.REVOCATION_LIST_ROLLED_BACK, "a list that was replaced before")


def check_loss(before: int, after: int, most: float) -> None:
    """A list that lost many entries which had not expired is more often an accident or an attack than the truth.

    Of a small list a single batch may be much of it, and its country may take it back.
    """
    if before - after > max(most * before, _A_BATCH):
        raise _refuse(Code.REVOCATION_LIST_SHRANK, f"{before - after} of {before} entries are gone")


def after(memory: Memory, current: Head | None, new: Listed) -> Memory:
    """What is remembered once the list is accepted."""
    if new.problem is not None:
        # It is not all there, so none of its documents is known; what is signed may come again, whole.
        return replace(memory, validators={}, state=dict(new.state))
    superseded = memory.superseded
    # Only of a list that is signed: of any other the bytes are nobody's word, and may honestly come again.
    if current is not None and current.signer is not None and current.signed and new.signer is not None:
        superseded = (*superseded, current.signed)[-_REMEMBERED:]
    return replace(
        memory,
        highest=new.counter if new.counter is not None else memory.highest,
        at_highest=(new.signed or b"") if new.counter is not None else memory.at_highest,
        superseded=tuple(one for one in superseded if one != new.signed),
        # An address with a query may have a secret in it, and what is remembered is kept.
        validators={url: mark for url, mark in new.validators.items() if "?" not in url},
        state=dict(new.state),
        error=None,
    )


def _refuse(code: Code, detail: str) -> RevocationError:
    return RevocationError(code, detail, Step.REVOCATION)
