"""Germany's booster notifications: rules that tell a wallet when to point its owner to a recommendation.

Source: corona-warn-app/cwa-app-android, DccBoosterRulesValidator, and Digitaler-Impfnachweis/covpass-android,
BoosterRulesValidator. The rules, of Type BoosterNotification, are asked about the latest vaccination of the holder
together with the latest recovery, without value sets; the first that is met, by identifier, is the notification. Its
holder's date of birth is among what they read, as in CovPass: the Corona-Warn-App left it out, and with it all of the
recommendations by age. Nothing is accepted or refused by these rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from healthcert.rules.assessment import Assessment
from healthcert.rules.national.course import applied, course, valid_at
from healthcert.rules.national.merging import all_dates, in_force, merged
from healthcert.rules.national.payload import one_holder
from healthcert.rules.national.segments import FAIL, NO_RULES, OPEN, PASSED, Segment, always, our_times, told, tried
from healthcert.rules.national.settings import chosen
from healthcert.rules.rule import GENERAL, Rule
from healthcert.rules.ruling import RuleState
from healthcert.rules.subject import RuleSubject

TYPE = "BoosterNotification"
_COUNTRY = "DE"
_MOST = {"v": 1, "r": 1}


class Booster:
    """The rules for booster notifications. PASSED means: notify. ``status`` is then the rule that is met.

    ``unreadable`` is how many further rules could not be read: without them nobody knows that there is nothing to tell.
    """

    name = "booster"
    title = "Germany: booster notifications"

    def __init__(self, rules: Iterable[Rule], unreadable: int = 0) -> None:
        self._rules = sorted(filter(_is_booster, rules), key=lambda rule: rule.identifier)
        self._unreadable = unreadable
        languages = {lang.lower() for rule in self._rules for lang, _ in rule.descriptions}
        self.options: Mapping[str, tuple[str, ...]] = {"language": ("en", *sorted(languages - {"en"}))}

    def assess(self, subjects: Sequence[RuleSubject], at: datetime, *, options: Mapping[str, str]) -> Assessment:
        language = chosen(options, self.options)["language"]
        at = our_times(at)
        if (problem := one_holder(subjects)) is not None:
            return told(always(OPEN, problem), at)

        def judge(at: datetime) -> Segment:
            found = merged(in_force(subjects, at, expired=True), _MOST)
            if found is None or "v" not in found[0]:
                return Segment(None, FAIL, ("do not notify: there is no vaccination, and the rules need one",))
            return self._judge(*found, at, language)

        return told(tried(lambda: course(self._rules, all_dates(subjects), at, judge)), at)

    def _judge(self, payload: dict[str, Any], base: RuleSubject, at: datetime, language: str) -> Segment:
        rules = valid_at(self._rules, at)
        external = base.external(at, _COUNTRY, None, {}) | {"issuerCountryCode": _COUNTRY, "kid": ""}
        results = [applied(rule, payload, external) for rule in rules]
        met = next((one.rule for one in results if one.state is RuleState.PASSED), None)
        if met is not None:
            reason = f"notify: {met.identifier} is met; nothing is accepted or refused by it"
            return Segment(None, PASSED, (reason, " ".join(met.description(language).split())), met.identifier)
        unclear = [one.why_open for one in results if one.state is RuleState.OPEN]
        if self._unreadable:
            unclear.append(f"{self._unreadable} rules could not be read")
        if unclear:
            return Segment(None, OPEN, tuple(unclear))
        if not rules:
            return Segment(None, NO_RULES, ("there are no rules for booster notifications then",))
        return Segment(None, FAIL, ("do not notify: no rule for booster notifications is met",))


def _is_booster(rule: Rule) -> bool:
    return (
        rule.type == TYPE
        and rule.country == _COUNTRY
        and rule.region is None
        and rule.certificate_type in (GENERAL, "Vaccination")
    )
