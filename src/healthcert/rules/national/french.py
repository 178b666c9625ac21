"""France: numbers of days and hours, and ages, as the app TousAntiCovid Verif was configured with.

Source: lovasoa/sanipasse, src/lib/tac_verif_rules.ts, which computes with a copy of that configuration; how the app
itself did is not published. Of the numbers that sanipasse does not look at, those count here whose name says what for
(Novavax, the second dose of Janssen, a single dose after a recovery). Not looked at are those for a first vaccination
("Primo"), and those that depend on what else the holder has (``recoveryDelayMaxNV``, ``PV``, ``TV``). A positive test
counts as the proof of a recovery does. Days begin at midnight by France's clocks.

The configuration names no products. One with another marketing authorisation than the EU's is OPEN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from healthcert.codings import DETECTED, NAAT, NOT_DETECTED, RAPID_ANTIGEN
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.french_settings import FrenchSettings, read_settings
from healthcert.rules.national.payload import JANSSEN, Entry, birth_days, only_entry
from healthcert.rules.national.segments import (
    FAIL,
    OPEN,
    Segment,
    Timeline,
    always,
    assess_each,
    between,
    spliced,
    together,
    tried,
    undetermined,
)
from healthcert.rules.national.settings import AT_ONCE, Span, chosen, first_moment, later, past
from healthcert.rules.subject import RuleSubject

_EU_AUTHORISED = re.compile("EU/1/[0-9]{2}/[0-9]{3,4}")
_NOVAVAX = ("EU/1/21/1618", "NVX-COV2373")
_SINCE = "vaccinePassStartDate"

# A kind of test and its result, and the settings of the first and of the last moment; a negative one counts at once.
_TEST = MappingProxyType({
    (NAAT.code, NOT_DETECTED.code): ("", "testNegativePcrEndHour", "hours"),
    (RAPID_ANTIGEN.code, NOT_DETECTED.code): ("", "testNegativeAntigenicEndHour", "hours"),
    (NAAT.code, DETECTED.code): ("testPositivePcrStartDay", "testPositivePcrEndDay", "days"),
    (RAPID_ANTIGEN.code, DETECTED.code): ("testPositiveAntigenicStartDay", "testPositiveAntigenicEndDay", "days"),
})  # fmt: skip
# A dose of Janssen, and the settings of its first and its last day: the first that there is counts.
_JANSSEN_DOSE = MappingProxyType({
    1: (("vaccineDelayJanssen1", "vaccineDelayJanssen"), ("vaccineDelayMaxJanssen1", "vaccineDelayMaxJanssen")),
    2: (("vaccineDelayJanssen2", "vaccineDelayJanssen"), ("vaccineDelayMaxJanssen2", "vaccineDelayMaxJanssen")),
    3: (("vaccineDelayJanssen2", "vaccineDelayJanssen"), ("vaccineBoosterDelayMaxJanssen", "vaccineDelayMaxJanssen")),
})  # fmt: skip
# What other vaccinations are, and the settings of their last day; a product may have some of its own.
_LAST_DAY = MappingProxyType({
    "complete": ("vaccineDelayMax{product}", "vaccineDelayMax"),
    "complete after a recovery": ("vaccineDelayMaxRecovery{product}", "vaccineDelayMaxRecovery", "vaccineDelayMax"),
    "booster": ("vaccineBoosterDelayMax{product}", "vaccineBoosterDelayMax"),
})  # fmt: skip


class French:
    """The rules of France. ``mode`` is the pass: health (sanitaire), vaccine (vaccinal), plus, or the current one."""

    name = "fr"
    title = "France: TousAntiCovid Verif's settings"
    options: Mapping[str, tuple[str, ...]] = MappingProxyType({"mode": ("current", "health", "vaccine", "plus")})

    def __init__(self, document: bytes) -> None:
        """Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
        self._settings = read_settings(document)

    def assess(self, subjects: Sequence[RuleSubject], at: datetime, *, options: Mapping[str, str]) -> Assessment:
        mode = chosen(options, self.options)["mode"]
        return assess_each(subjects, at, lambda subject: self._judge(subject, mode, at))

    def _judge(self, subject: RuleSubject, mode: str, at: datetime) -> Timeline:
        if mode != "current":
            return _judged(subject, self._settings.of(mode), at)
        since = first_moment(self._settings.day(_SINCE), AT_ONCE)
        health = tried(lambda: _judged(subject, self._settings.of("health"), at))
        return spliced(health, since, tried(lambda: _judged(subject, self._settings.of("vaccine"), at)))


def _judged(subject: RuleSubject, settings: FrenchSettings, at: datetime) -> Timeline:
    entry = only_entry(subject.payload)
    if not entry.is_about_covid:
        return always(FAIL, "the certificate is not about COVID-19")
    if entry.group == "r":
        return _recovery(entry, settings)
    if entry.group == "t" and not settings.has("testAcceptanceAgePeriod"):
        return _test(entry, settings, None)
    if entry.group == "v" and _product(entry) == JANSSEN:
        return _janssen(entry, settings)
    # Of a date of birth that is known in part, the answer is certain where the first and the last such day agree.
    judge = _test if entry.group == "t" else _vaccination
    return together([judge(entry, settings, born) for born in birth_days(subject.payload, at)], _certain)


def _certain(segments: Sequence[Segment]) -> Segment:
    first = segments[0]
    if all(segment.outcome is first.outcome for segment in segments):
        return first
    return Segment(None, OPEN, ("it depends on the age, and the date of birth is not known in full",))


def _recovery(entry: Entry, settings: FrenchSettings) -> Timeline:
    end = settings.days("recoveryEndDay")
    if settings.has("recoveryDelayMax") and settings.days("recoveryDelayMax").count != end.count:
        raise undetermined("recoveryEndDay and recoveryDelayMax differ, and which of them counts is not told")
    what = "the first positive test"
    return _days(entry.day("fr"), settings.days("recoveryStartDay"), end, what)


def _test(entry: Entry, settings: FrenchSettings, born: date | None) -> Timeline:
    kind, result, sampled = entry.text("tt"), entry.text("tr"), entry.moment("sc")
    if (kind, result) not in _TEST:
        raise undetermined("the kind of the test, or its result, is not one that the settings have numbers for")
    first, last, unit = _TEST[kind, result]
    start = settings.span(first, unit=unit) if first else AT_ONCE
    end = settings.span(last, unit=unit)
    until, after = past(sampled, end), f"more than {end} after the sample was taken"
    if born is not None and not first:
        age_ends = first_moment(settings.age("testAcceptanceAgePeriod", born), AT_ONCE)
        if age_ends < until:
            until, after = age_ends, "negative tests count up to the age of testAcceptanceAgePeriod only"
    return between(
        later(sampled, start),
        until,
        before=f"not before {start} after the sample was taken" if first else "the sample is not taken yet",
        during=f"up to {end} after the sample was taken",
        after=after,
    )


def _janssen(entry: Entry, settings: FrenchSettings) -> Timeline:
    dose = _dose(entry)
    if dose is None:
        return _incomplete()
    starts, ends = _JANSSEN_DOSE[min(dose, 3)]
    return _days(entry.day("dt"), settings.days(*starts), settings.days(*ends), f"dose {dose} of Janssen")


def _vaccination(entry: Entry, settings: FrenchSettings, born: date) -> Timeline:
    dose, series, product, day = _dose(entry), entry.number("sd"), _product(entry), entry.day("dt")
    if dose is None:
        return _incomplete()
    if not _EU_AUTHORISED.fullmatch(product) and product not in _NOVAVAX:
        raise undetermined("the settings do not tell whether a product without the EU's authorisation counts")
    own = "Novavax" if product in _NOVAVAX else ""
    of_age = settings.age("vaccineBoosterAgePeriod", born)
    if series > 2:
        start = settings.days(_booster_delay(settings, day, of_age))
    else:
        start = settings.days(f"vaccineDelay{own}", "vaccineDelay")
    kind = "booster" if series > 2 or dose != series else "complete" if series == 2 else "complete after a recovery"
    end = settings.days(*(name.format(product=own) for name in _LAST_DAY[kind]))
    timeline = _days(day, start, end, f"the vaccination ({kind})")
    grown_up = first_moment(of_age, AT_ONCE)
    if grown_up <= first_moment(day, end):
        return timeline
    during = "up to the age of vaccineBoosterAgePeriod a vaccination does not end"
    return between(first_moment(day, start), grown_up, before=timeline[0].reasons[0], during=during, after=during)


def _booster_delay(settings: FrenchSettings, day: date, of_age: date) -> str:
    """The setting of a booster's first day: there are four, by the age and by when it was given."""
    young = "UnderAge" if later(day, settings.days("vaccineBoosterDelayUnderAge")) < of_age else ""
    new = "" if day < settings.day("vaccineBoosterToggleDate") else "New"
    return f"vaccineBoosterDelay{young}{new}"


def _product(entry: Entry) -> str:
    """The product as it is compared, in capitals: one of Janssen that is spelt oddly is no other vaccine."""
    return entry.text("mp").upper().strip()


def _dose(entry: Entry) -> int | None:
    """The number of the dose; None for one before the last of its series, and for a series of none."""
    dose = entry.number("dn")
    return dose if dose >= entry.number("sd") >= 1 else None


def _incomplete() -> Timeline:
    return always(FAIL, "the vaccination is not complete")


def _days(day: date, start: Span, end: Span, what: str) -> Timeline:
    return between(
        first_moment(day, start),
        first_moment(day, end),
        before=f"not before {start} after {what}",
        during=f"from {start} to {end} after {what}",
        after=f"{end} or more after {what}",
    )
