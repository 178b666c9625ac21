"""Germany's domestic rules: the status of a holder by all certificates together.

Source: Digitaler-Impfnachweis/covpass-android, GStatusAndMaskValidator and CovPassRulesValidator. A status is a Type of
rules: the four of vaccination, and Mask, that no mask need be worn. It holds if all of its rules are met, and there is
one: CovPass itself takes a status without rules for one that holds, which is not copied. Asked about are the ten latest
vaccinations, the latest recovery and the latest test that have not expired, together.

What a certificate must be to count at all is asked of each by itself, as CovPass Check asks it before: it must not be
refused by its issuer's rules of Invalidation and, for Mask, not by Germany's of Acceptance, which is where a test is
asked to be negative; the rules of Mask ask for no more than its hour. A vaccination or recovery that is refused is left
out, and a test that is refused ends it: an older negative one does not make up for the latest one, which is positive.

The rules of Mask are those of the region that is asked about, or those of no region, and never both: a region's rules
stand in the place of the country's, and a region without rules is not told of.

A CCL configuration is another language, of which nothing is evaluated here; that one is there is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from healthcert.errors import Code
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.course import Said, applied, course, valid_at
from healthcert.rules.national.merging import all_dates, in_force, merged
from healthcert.rules.national.payload import one_holder
from healthcert.rules.national.segments import FAIL, NO_RULES, OPEN, PASSED, Segment, always, our_times, told, tried
from healthcert.rules.national.settings import chosen
from healthcert.rules.rule import ACCEPTANCE, GENERAL, INVALIDATION, Rule
from healthcert.rules.ruling import RuleState, RulingOutcome
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import ValueSets

MASK = "Mask"
STATUSES = ("ImpfstatusBZwei", "ImpfstatusCZwei", "ImpfstatusEZwei", "ImpfstatusEEins", MASK)
"""The statuses, in the order in which CovPass asks for them."""
CCL_ENGINE = "JsonFunctions"
_COUNTRY = "DE"
_NOTHING = "no certificate with an entry is issued by then and has not expired"
_NONE, _ANY = "none", "any"
_SUPPORTS_NO = f"{{}} is in {CCL_ENGINE}, which is not supported ({Code.RULE_NOT_SUPPORTED}): what it says is not known"
_MOST = MappingProxyType({"v": 10, "r": 1, "t": 1})


class GermanDomestic:
    """The rules for statuses in Germany. ``status`` of an answer are those that hold; it is PASSED where one does.

    ``details`` has what each status comes to. With the option ``status`` only that one is asked for. ``unreadable`` is
    how many further rules could not be read: what they ask for a status is not known.
    """

    name = "de-domestic"
    title = "Germany: vaccination and mask status"

    def __init__(self, rules: Iterable[Rule], value_sets: ValueSets, unreadable: int = 0) -> None:
        every = sorted(rules, key=lambda rule: rule.identifier)
        given = [rule for rule in every if rule.country == _COUNTRY]
        self._rules = [rule for rule in given if rule.type in STATUSES]
        self._conditions = [
            rule for rule in every if rule.type == INVALIDATION or (rule.type, rule.country) == (ACCEPTANCE, _COUNTRY)
        ]
        self._unsupported = sorted({rule.identifier for rule in given if rule.engine == CCL_ENGINE})
        self._codes = value_sets.codes
        self._unreadable = unreadable
        regions = {rule.region for rule in self._rules if rule.type == MASK and rule.region is not None}
        self.options: Mapping[str, tuple[str, ...]] = {
            "region": (_NONE, *sorted(regions)),
            "status": (_ANY, *STATUSES),
        }

    def assess(self, subjects: Sequence[RuleSubject], at: datetime, *, options: Mapping[str, str]) -> Assessment:
        wanted = chosen(options, self.options)
        at = our_times(at)
        if (problem := one_holder(subjects)) is not None:
            return told(always(OPEN, problem), at)
        region = None if wanted["region"] == _NONE else wanted["region"]
        statuses = STATUSES if wanted["status"] == _ANY else (wanted["status"],)
        asked = [rule for rule in self._rules if rule.type in statuses and rule.region == _region(rule.type, region)]

        def judge(at: datetime) -> Segment:
            valid = in_force(subjects, at, expired=False)
            counted, said = self._sifted(valid, INVALIDATION, at, region)
            refused = [
                f"a certificate does not count: {one.rule.identifier} not met" for one in _of(said, RuleState.FAIL)
            ]
            if merged(counted, _MOST) is None:
                return Segment(None, FAIL, (_NOTHING, *refused))
            unclear = _of(said, RuleState.OPEN)
            found = {name: unclear + self._asked(asked, name, counted, at, region) for name in statuses if name != MASK}
            if MASK in statuses:
                accepted, said = self._sifted(counted, ACCEPTANCE, at, region)
                if merged(accepted, _MOST) is not None and _latest_test(accepted) == _latest_test(counted):
                    said = _of(said, RuleState.OPEN)
                found[MASK] = unclear + said + self._asked(asked, MASK, accepted, at, region)
            return self._answer(found, refused)

        owners = {_COUNTRY, *map(_issuer, subjects)}
        read = [*asked, *(rule for rule in self._conditions if rule.country in owners)]
        found = told(tried(lambda: course(read, all_dates(subjects), at, judge)), at)
        return replace(found, reasons=(*found.reasons, *(_SUPPORTS_NO.format(name) for name in self._unsupported)))

    def _sifted(
        self, subjects: Sequence[RuleSubject], type_: str, at: datetime, region: str | None
    ) -> tuple[list[RuleSubject], list[Said]]:
        """The certificates that no condition of this type refuses, and what said otherwise than that it is met."""
        kept, unmet = [], []
        for subject in subjects:
            owner = _COUNTRY if type_ == ACCEPTANCE else _issuer(subject)
            rules = [
                rule
                for rule in self._conditions
                if (rule.type, rule.country) == (type_, owner) and rule.region in (None, region)
            ]
            said = self._said(rules, dict(subject.payload), subject, at, region)
            if not _of(said, RuleState.FAIL):
                kept.append(subject)
            unmet += [one for one in said if one.state is not RuleState.PASSED]
        return kept, unmet

    def _asked(
        self, rules: Sequence[Rule], status: str, subjects: Sequence[RuleSubject], at: datetime, region: str | None
    ) -> list[Said]:
        """What the rules of a status say of certificates together."""
        found = merged(subjects, _MOST)
        if found is None:
            return []
        return self._said([rule for rule in rules if rule.type == status], *found, at, region)

    def _said(
        self, rules: Sequence[Rule], payload: dict[str, Any], base: RuleSubject, at: datetime, region: str | None
    ) -> list[Said]:
        external = base.external(at, _COUNTRY, region, self._codes)
        types = {GENERAL, *RuleSubject(payload=payload).types}
        return [applied(rule, payload, external) for rule in valid_at(rules, at) if rule.certificate_type in types]

    def _answer(self, by_status: Mapping[str, Sequence[Said]], refused: Sequence[str]) -> Segment:
        states = {name: self._state(name, found) for name, found in by_status.items()}
        reasons = (*(_reason(name, states[name], found) for name, found in by_status.items()), *refused)
        held = ", ".join(name for name, state in states.items() if state is PASSED)
        outcome = next((state for state in (PASSED, OPEN, FAIL) if state in states.values()), NO_RULES)
        return Segment(None, outcome, reasons, held or None, {name: state.value for name, state in states.items()})

    def _state(self, status: str, results: Sequence[Said]) -> RulingOutcome:
        """All rules of a status have to be met, and there has to be one."""
        states = {result.state for result in results}
        if RuleState.FAIL in states:
            return FAIL
        if RuleState.OPEN in states or self._unreadable or (self._unsupported and not self._rules):
            return OPEN
        return PASSED if any(result.rule.type == status for result in results) else NO_RULES


def _of(said: Sequence[Said], state: RuleState) -> list[Said]:
    return [one for one in said if one.state is state]


def _issuer(subject: RuleSubject) -> str:
    return subject.issuing_country or ""


def _latest_test(subjects: Sequence[RuleSubject]) -> Any:
    found = merged(subjects, {"t": 1})
    return None if found is None else found[0]["t"]


def _region(type_: str, region: str | None) -> str | None:
    """The vaccination statuses are the same everywhere."""
    return region if type_ == MASK else None


def _reason(status: str, state: RulingOutcome, results: Sequence[Said]) -> str:
    names = {
        one: ", ".join(result.rule.identifier for result in results if result.state.value == one)
        for one in ("PASSED", "FAIL")
    }
    match state:
        case RulingOutcome.PASSED:
            return f"{status} holds: {names['PASSED']} met"
        case RulingOutcome.FAIL:
            return f"{status} does not hold: {names['FAIL']} not met"
        case RulingOutcome.NO_RULES:
            return f"{status}: there are no rules for it then"
    unclear = [result.why_open for result in results if result.state is RuleState.OPEN]
    return f"{status} is open: {'; '.join(unclear) or 'not all of its rules could be read'}"
