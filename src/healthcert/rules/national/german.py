"""Germany's domestic rules: the status of a holder by all certificates together.

Source: Digitaler-Impfnachweis/covpass-android, GStatusAndMaskValidator and CovPassRulesValidator. A status is a Type of
rules: the four of vaccination, and Mask, that no mask need be worn. It holds if all of its rules are met, and there is
one: CovPass itself takes a status without rules for one that holds, which is not copied. Asked about are the ten latest
vaccinations, the latest recovery and the latest test that have not expired, together.

The rules of Mask are those of the region that is asked about, or those of no region, and never both: a region's rules
stand in the place of the country's, and a region without rules is not told of.

A CCL configuration is another language, of which nothing is evaluated here; that one is there is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec.structs import replace

from healthcert.errors import Code
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.course import Said, applied, course, valid_at
from healthcert.rules.national.merging import all_dates, in_force, merged
from healthcert.rules.national.payload import one_holder
from healthcert.rules.national.segments import FAIL, NO_RULES, OPEN, PASSED, Segment, always, our_times, told, tried
from healthcert.rules.national.settings import chosen
from healthcert.rules.rule import GENERAL, Rule
from healthcert.rules.ruling import RuleState, RulingOutcome
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import ValueSets

MASK = "Mask"
STATUSES = ("ImpfstatusBZwei", "ImpfstatusCZwei", "ImpfstatusEZwei", "ImpfstatusEEins", MASK)
"""The statuses, in the order in which CovPass asks for them."""
CCL_ENGINE = "JsonFunctions"
_COUNTRY = "DE"
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
        given = [rule for rule in rules if rule.country == _COUNTRY]
        self._rules = sorted((rule for rule in given if rule.type in STATUSES), key=lambda rule: rule.identifier)
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
            found = merged(in_force(subjects, at, expired=False), _MOST)
            if found is None:
                return Segment(None, FAIL, ("no certificate with an entry is issued by then and has not expired",))
            payload, base = found
            external = base.external(at, _COUNTRY, region, self._codes)
            types = {GENERAL, *RuleSubject(payload=payload).types}
            rules = [rule for rule in valid_at(asked, at) if rule.certificate_type in types]
            return self._answer(statuses, [applied(rule, payload, external) for rule in rules])

        found = told(tried(lambda: course(asked, all_dates(subjects), at, judge)), at)
        return replace(found, reasons=(*found.reasons, *(_SUPPORTS_NO.format(name) for name in self._unsupported)))

    def _answer(self, statuses: Sequence[str], results: Sequence[Said]) -> Segment:
        by_status = {name: [one for one in results if one.rule.type == name] for name in statuses}
        states = {name: self._state(found) for name, found in by_status.items()}
        reasons = tuple(_reason(name, states[name], found) for name, found in by_status.items())
        held = ", ".join(name for name, state in states.items() if state is PASSED)
        outcome = next((state for state in (PASSED, OPEN, FAIL) if state in states.values()), NO_RULES)
        return Segment(None, outcome, reasons, held or None, {name: state.value for name, state in states.items()})

    def _state(self, results: Sequence[Said]) -> RulingOutcome:
        """All rules of a status have to be met, and there has to be one."""
        states = {result.state for result in results}
        if RuleState.FAIL in states:
            return FAIL
        if RuleState.OPEN in states or self._unreadable or (self._unsupported and not self._rules):
            return OPEN
        return PASSED if states else NO_RULES


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
