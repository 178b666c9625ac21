"""What a new list is held against before it replaces the one in use: an attacker may own the network, not the past.

Each guard is one function that raises :class:`RuleError`. What they need to know of the past is the list in use and
the :class:`Memory` of its source; :func:`after` is what is remembered next.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from healthcert.errors import Code, RuleError, Step
from healthcert.lists.anchors import Environment
from healthcert.rules.database import Memory, State, rule_name
from healthcert.rules.generation import Generation
from healthcert.rules.rule import Version
from healthcert.rules.sources.protocol import Assurance, RuleList

CLOCK_SKEW = timedelta(seconds=300)
_REMEMBERED = 64  # signed lists that a source replaced; an older one is caught by its time
_VERSIONS = 50_000  # rules whose version is remembered, those that were seen last
_NAMED = 10  # countries or rules that a message names


def check_environment(state: State, environment: Environment) -> None:
    """Rules of a test environment decide nothing at a border, and the other way round."""
    if state.environment not in (None, environment):
        detail = f"the store is for {state.environment}, and the source for {environment}: keep another store for it"
        raise _refuse(Code.ENVIRONMENT_MIXED, detail)


def check_format(current: Generation | None, format_: str) -> None:
    """A name is one source's: another list under it would end the one in use, and what is remembered of it."""
    if current is not None and current.head.format != format_:
        detail = f"the list in use under this name is of the format {current.head.format}: give the new one another"
        raise _refuse(Code.RULE_CONFIG_INVALID, detail)


def check_clock(state: State, now: datetime) -> None:
    """A clock that is behind would take old lists for fresh ones: no list that is in use can be from the future."""
    signed = (g.head.issued_at for g in state.lists.values() if g.head.assurance.signed)
    newest = max((moment for moment in signed if moment is not None), default=None)
    if newest is not None and now + CLOCK_SKEW < newest:
        detail = f"this machine's clock is before {newest:%Y-%m-%d %H:%M} UTC, when a list in use was signed"
        raise _refuse(Code.CLOCK_BEHIND, detail)


def check_time(new: RuleList, now: datetime) -> None:
    """A list that has ended is none, and one from the future means that this machine's clock is behind."""
    if new.expires_at is not None and now - CLOCK_SKEW > new.expires_at:
        raise _refuse(Code.RULE_LIST_EXPIRED, f"the list ended {new.expires_at:%Y-%m-%d %H:%M} UTC")
    if new.issued_at is not None and now + CLOCK_SKEW < new.issued_at:
        detail = f"the list is of {new.issued_at:%Y-%m-%d %H:%M} UTC, which is still to come: is this clock right?"
        raise _refuse(Code.CLOCK_BEHIND, detail)


def check_entries(new: RuleList) -> None:
    """A list without a single usable document is a mistake.

    But where its signature covers all of it: that a country has no rules of a kind is then its signer's word.
    """
    if new.rules or new.value_sets or new.national:
        return
    if new.skipped or new.assurance is not Assurance.SIGNED_LIST:
        why = "".join(f": {first.source}: {first.error.detail}" for first in new.skipped[:1])
        raise _refuse(Code.RULE_LIST_UNREADABLE, f"the list has nothing that can be used{why}")


def check_order(memory: Memory, new: RuleList, signed: tuple[bytes, ...]) -> None:
    """No list older than one that was seen, and no second list under the same number."""
    if new.counter is not None and memory.highest is not None:
        if new.counter < memory.highest:
            raise _refuse(Code.RULE_LIST_ROLLED_BACK, "older than a list that was accepted before")
        if new.counter == memory.highest and signed != memory.at_highest:
            detail = "another list under the number of one that was accepted before: its publisher, or somebody, lies"
            raise _refuse(Code.RULE_LIST_EQUIVOCATES, detail)
    if new.counter is None and memory.highest is not None:
        raise _refuse(Code.RULE_LIST_ROLLED_BACK, "it has no number, and lists of this source had one")


def check_newest(memory: Memory, new: RuleList, signed: tuple[bytes, ...]) -> None:
    """Where a list has no number, the past and the versions of its rules tell its order as well as they can.

    They may be wrong: a rule that was deleted may be made anew with a lower version, or come back as it was, and with
    it the whole list. So an operator can insist.
    """
    if new.counter is not None:
        return
    # Of two lists that are signed each for itself, an old one may stand beside a new one.
    if not set(memory.superseded).isdisjoint(signed):
        raise _refuse(Code.RULE_LIST_ROLLED_BACK, "a list that was replaced before")
    if memory.newest is not None and (_seconds(new) or 0) < memory.newest:
        raise _refuse(Code.RULE_LIST_ROLLED_BACK, "it is of an earlier moment than a list accepted before")
    # Gateway, Validation Rules §upload: the version of a rule rises with each upload. A rule that was held back for a
    # while may not come in an older one either.
    versions = _versions(new)
    fallen = [name for name, version in versions.items() if version < memory.versions.get(name, version)]
    if fallen:
        detail = f"an older version than before of: {_some(fallen)}"
        raise _refuse(Code.RULE_LIST_ROLLED_BACK, detail)


def check_loss(current: Generation | None, new: RuleList, most: float, now: datetime) -> None:
    """A list that lost many rules, or a country's only ones of a type, is rather an accident or an attack than true.

    One rule of invalidation may be all that a country has against a forger. So is a list whose value sets lost many
    codes: whoever has one of these would be refused. Rules that have ended may go.
    """
    if current is None:
        return
    before = {rule_name(rule) for rule in current.rules if rule.valid_to > now}
    after = {rule_name(document.rule) for document in new.rules}
    lost = before - after
    if len(lost) > most * len(before):
        raise _refuse(Code.RULE_LIST_SHRANK, f"{len(lost)} of {len(before)} rules are gone")
    kinds = {f"{rule.country} ({rule.type})" for rule in current.rules if rule.valid_to > now}
    if gone := kinds - {f"{document.rule.country} ({document.rule.type})" for document in new.rules}:
        raise _refuse(Code.RULE_LIST_SHRANK, f"all rules are gone of: {_some(gone)}")
    if gone := current.documents.national.keys() - new.national.keys():
        raise _refuse(Code.RULE_LIST_SHRANK, f"national rules are gone: {_some(gone)}")
    left = {document.value_set.id: document.value_set.codes.keys() for document in new.value_sets}
    for value_set in current.value_sets:
        missing = len(value_set.codes.keys() - left.get(value_set.id, ()))
        if value_set.id not in left or missing > most * len(value_set.codes):
            detail = f"{missing} of {len(value_set.codes)} codes are gone of the value set {value_set.id}"
            raise _refuse(Code.RULE_LIST_SHRANK, detail)


def after(memory: Memory, current: Generation | None, new: RuleList, signed: tuple[bytes, ...]) -> Memory:
    """What is remembered once the list is accepted."""
    superseded = memory.superseded
    # Only of a list that is signed as a whole: of any other the bytes are nobody's word, and may honestly come again.
    if current is not None and current.head.assurance is Assurance.SIGNED_LIST:
        superseded = (*superseded, *current.head.signed)[-_REMEMBERED:]
    versions = _versions(new)
    older = [(name, version) for name, version in memory.versions.items() if name not in versions]
    return replace(
        memory,
        highest=new.counter if new.counter is not None else memory.highest,
        at_highest=signed if new.counter is not None else memory.at_highest,
        versions=dict([*older, *versions.items()][-_VERSIONS:]),
        newest=_seconds(new) if new.counter is None else memory.newest,
        superseded=tuple(one for one in superseded if one not in signed),
        error=None,
    )


def _versions(new: RuleList) -> dict[str, Version]:
    """The highest version of each rule."""
    found: dict[str, Version] = {}
    for rule in (document.rule for document in new.rules):
        name = rule_name(rule)
        found[name] = max(rule.version_key, found.get(name, rule.version_key))
    return found


def _seconds(new: RuleList) -> int | None:
    return int(new.issued_at.timestamp()) if new.issued_at is not None else None


def _some(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:_NAMED])


def _refuse(code: Code, detail: str) -> RuleError:
    return RuleError(code, detail, Step.RULES)
