"""What the rules of a country say of a certificate at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, NoReturn

from msgspec import Struct

from healthcert.errors import Code, RuleError, Step
from healthcert.model import NoTruth, Private
from healthcert.rules.certlogic.nodes import NO_ARRAY, Node
from healthcert.rules.certlogic.program import too_deep
from healthcert.rules.certlogic.trace import Comparison, explain
from healthcert.rules.certlogic.values import reader
from healthcert.rules.rule import CERTLOGIC, Rule, Version

_LONGEST_NAME = 64  # characters of the name of a value set


@unique
class RuleState(StrEnum):
    """What one rule says. ``OPEN`` is that it could not be told: it is neither."""

    PASSED = "PASSED"
    FAIL = "FAIL"
    OPEN = "OPEN"

    __hash__ = str.__hash__  # Enum's own is a function in Python, and states are looked up for every rule


@unique
class RulingOutcome(StrEnum):
    """What a country's rules say together. ``NO_RULES`` is that there is none about such a certificate: no answer."""

    PASSED = "PASSED"
    FAIL = "FAIL"
    OPEN = "OPEN"
    NO_RULES = "NO_RULES"


class Coverage(Struct, frozen=True):
    """A list that speaks for a country: how its rules are known, and until when they can be relied on.

    ``types`` are those of the country's rules on it (``Acceptance`` ...), none where it merely names the country.
    ``fetched_at`` is None for rules that the operator gave without a source, ``fresh_until`` for a list without an end.
    """

    source: str
    format: str
    signed: bool
    fetched_at: datetime | None
    fresh_until: datetime | None
    types: tuple[str, ...]

    def is_overdue(self, now: datetime) -> bool:
        """Whether the list should have been replaced before this moment."""
        return self.fresh_until is not None and now > self.fresh_until


class RuleResult(Private, frozen=True, gc=False):
    """What one rule says of a certificate.

    ``code`` and ``detail`` tell why it is OPEN; they name no data. What the rule looked at is personal, and told only
    when it is asked for: ``values`` and ``comparisons``.
    """

    rule: Rule
    state: RuleState
    code: Code | None
    detail: str
    data: Mapping[str, Any]

    @property
    def values(self) -> tuple[tuple[str, Any], ...]:
        """The fields that the rule says it goes by, and what they are in this certificate."""
        payload = self.data["payload"]
        return tuple((path, reader(path)(payload)) for path in self.rule.affected_fields)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons that decided; none where the rule could not be evaluated."""
        if self.state is RuleState.OPEN:
            return ()
        try:
            return explain(self.rule.logic, self.data)
        except RuleError:
            return ()


class Ruling(NoTruth, Private, frozen=True, kw_only=True, gc=False):
    """What the rules of ``country``, and those of the issuer, say at the moment ``at``.

    ``results`` are those of the rules that apply, by their identifiers. ``unreadable`` is how many rules of the lists
    could not be read: what they ask is not known. ``value_sets`` are the dates of the value sets that were used,
    ``lists`` the lists of rules that speak for the country, ``issuer_lists`` those for the issuer's.
    """

    country: str
    region: str | None
    at: datetime
    outcome: RulingOutcome
    results: tuple[RuleResult, ...]
    unreadable: int
    value_sets: Mapping[str, str]
    lists: tuple[Coverage, ...] = ()
    issuer_lists: tuple[Coverage, ...] = ()

    def of(self, state: RuleState) -> tuple[RuleResult, ...]:
        """The results of this state."""
        return tuple(result for result in self.results if result.state is state)


# Looked up once: an Enum's members are attributes that Python computes.
_PASSED, _FAIL, _OPEN = RuleState
_ALL_PASSED, _ONE_FAILS, _UNDECIDED, _NO_RULES = RulingOutcome

Asked = tuple[Rule, Node]
"""A rule, and what evaluates it."""


def asked(rule: Rule) -> Asked:
    """A rule with its program; one that has none raises why, anew each time that it is evaluated."""
    try:
        return rule, rule.program.evaluate
    except (RuleError, RecursionError):

        def why(data: Any) -> Any:
            return rule.program.evaluate(data)

        return rule, why


def closed(rule: Rule, code: Code, detail: str) -> Asked:
    """A rule that is not asked, and OPEN for this reason."""

    def why(_data: Any) -> NoReturn:
        raise RuleError(code, detail, Step.RULES)

    return rule, why


def apply_rule(rule: Rule, data: Mapping[str, Any]) -> RuleResult:
    """What a rule says of ``data``, the payload and the external parameters: as :func:`apply_rules`."""
    (result,) = apply_rules([asked(rule)], data)
    return result


def apply_rules(rules: Iterable[Asked], data: Mapping[str, Any]) -> tuple[RuleResult, ...]:
    """What each rule says of ``data``, the payload and the external parameters.

    They take their steps from those that :func:`healthcert.rules.certlogic.budget.start_counting` gave: all rules of a
    ruling have them together. Never raises: what cannot be evaluated is OPEN.
    """
    results: list[RuleResult] = []
    for rule, evaluate in rules:
        state, code, detail = _OPEN, None, ""
        try:
            value = evaluate(data)
            if value is True:
                state = _PASSED
            elif value is False:
                state = _FAIL
            else:
                code, detail = Code.CERTLOGIC_UNDEFINED, "it says neither true nor false"
        except RuleError as error:
            code, detail = error.code, _why(rule, error, data)
        except RecursionError:
            code, detail = Code.CERTLOGIC_LIMIT, too_deep().detail
        results.append(RuleResult(rule, state, code, detail, data))
    return tuple(results)


def _why(rule: Rule, error: RuleError, data: Mapping[str, Any]) -> str:
    """Why a rule could not be evaluated; most often a value set is missing, and that can be mended."""
    if error.detail != NO_ARRAY:
        return error.detail
    known = data.get("external", {}).get("valueSets", {})
    # Their names are what the rule makes them, and this is written to be logged.
    short = (name for name in rule.value_sets if name.isprintable() and len(name) <= _LONGEST_NAME)
    missing = ", ".join(name for name in short if name not in known)
    return f"it asks for a value set that is not known: {missing}" if missing else error.detail


def gate(rule: Rule, version: Version | None, cap: Version) -> str | None:
    """Why a rule is not for this engine, or not for certificates of the schema's ``version``; None where it is.

    These are the gates of the reference verifiers, but that ``cap`` is the version of CertLogic that is understood,
    where theirs was never raised.
    """
    if rule.engine.upper() != CERTLOGIC:
        return f"it is written for another engine than {CERTLOGIC}"
    if rule.engine_key is None or rule.engine_key > cap:
        return "it is written for a newer version of CertLogic"
    schema = rule.schema_key
    if schema is None or version is None or schema[0] != version[0] or schema > version:
        return "it is written for another version of the certificate's schema"
    return None


def combined(results: Iterable[RuleResult], *, accepts: bool, unreadable: int) -> RulingOutcome:
    """What the results come to; ``accepts`` is whether one of them is of a rule of acceptance."""
    states = [result.state for result in results if result.state is not _PASSED]
    if _FAIL in states:
        return _ONE_FAILS
    if states or unreadable:
        return _UNDECIDED
    return _ALL_PASSED if accepts else _NO_RULES
