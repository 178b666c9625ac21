"""When a vaccination, a test or a recovery counts in Italy, by the settings and the mode.

Source: ministero-salute/it-dgc-verificac19-sdk-android, VaccineValidationStrategy, TestValidationStrategy and
RecoveryValidationStrategy, and the VerificationViewModel before them.
"""

from __future__ import annotations

from types import MappingProxyType

from healthcert.codings import DETECTED, NAAT, NOT_DETECTED, RAPID_ANTIGEN
from healthcert.rules.national.italian_settings import ItalianSettings
from healthcert.rules.national.payload import JANSSEN, SPUTNIK, Entry
from healthcert.rules.national.segments import (
    FAIL,
    OPEN,
    Segment,
    Timeline,
    always,
    between,
    changed,
    spliced,
    tried,
    undetermined,
)
from healthcert.rules.national.settings import AT_ONCE, Span, first_moment, later, past

_OF_PRODUCT = ("vaccine_start_day_complete",)
_NEEDS_TEST = "not enough alone: a negative test is needed as well"

# What a vaccination is, and its settings of the first and of the last day: the first that there is counts.
_VACCINATION = MappingProxyType({
    "partial": (("vaccine_start_day_not_complete",), ("vaccine_end_day_not_complete",)),
    "complete": (
        ("vaccine_start_day_complete_{C}", "vaccine_start_day_complete"),
        ("vaccine_end_day_complete_{C}", "vaccine_end_day_complete"),
    ),
    "booster": (
        ("vaccine_start_day_booster_{C}", "vaccine_start_day_complete"),
        ("vaccine_end_day_booster_{C}", "vaccine_end_day_complete"),
    ),
})  # fmt: skip
_RECOVERY = (
    ("recovery_cert_start_day_{C}", "recovery_cert_start_day"),
    ("recovery_cert_end_day_{C}", "recovery_cert_end_day"),
)
_RECOVERY_OF_VACCINATED = (("recovery_pv_cert_start_day",), ("recovery_pv_cert_end_day",))
_TEST = MappingProxyType({
    NAAT.code: ("molecular_test_start_hours", "molecular_test_end_hours"),
    RAPID_ANTIGEN.code: ("rapid_test_start_hours", "rapid_test_end_hours"),
})  # fmt: skip


def judge_vaccination(entry: Entry, settings: ItalianSettings, mode: str) -> Timeline:
    """When a vaccination counts. Raises :class:`RuleError` (``RULES_OPEN``)."""
    kind, product, where = _kind_of(entry), entry.text("mp"), entry.text("co").upper()
    if kind is None:
        return always(FAIL, "the number of doses is none that can be")
    if mode == "BOOSTER" and kind == "partial":
        return always(FAIL, "a vaccination that is not complete does not count in this mode")
    counts = _counts(settings, product, where)
    if not counts and not _counts_with_test(settings, kind, where, mode):
        return always(FAIL, "the product is none of those that the settings accept")
    country = _country(settings, where, mode)
    starts, ends = _VACCINATION[kind]
    start = settings.days(starts, product=product, country=country)
    if kind == "complete" and product == JANSSEN and start.names != _OF_PRODUCT:
        # A single dose takes its time: the days of the product come on top.
        start += settings.days(_OF_PRODUCT, product=product)
    end = settings.days(ends, product=product, country=country)
    timeline = _days(entry, "dt", start, end, f"the vaccination ({kind})")
    if not counts or (mode == "BOOSTER" and kind == "complete"):
        timeline = _only_with_test(timeline)
    if settings.authorised is not None and mode == "2G" and kind == "complete" and where != "IT":
        return _extended(entry, settings, timeline, start, end)
    return timeline


def _counts(settings: ItalianSettings, product: str, where: str) -> bool:
    """Whether the settings accept the product; Sputnik V only from San Marino."""
    if product == SPUTNIK and where != "SM":
        return False
    if settings.authorised is not None:
        return product in settings.authorised or product == SPUTNIK
    if not settings.products:
        raise undetermined("the settings name no products: neither EMA_vaccines nor vaccine_end_day_complete")
    return product in settings.products


def _counts_with_test(settings: ItalianSettings, kind: str, where: str, mode: str) -> bool:
    """Whether a product that is not authorised is still worth something, together with a test."""
    if settings.authorised is None or kind == "partial":
        return False
    return mode == "BOOSTER" or (mode == "2G" and where != "IT")


def _country(settings: ItalianSettings, where: str, mode: str) -> str:
    """Whose numbers count. In the newer generation those of NOT_IT are for entering the country only."""
    return "NOT_IT" if settings.authorised is None and mode == "3G" and where != "IT" else "IT"


def _kind_of(entry: Entry) -> str | None:
    dose, series = entry.number("dn"), entry.number("sd")
    if dose <= 0 or series <= 0:
        return None
    if dose < series:
        return "partial"
    booster = dose >= 2 if entry.text("mp") == JANSSEN else dose >= 3 or dose > series
    return "booster" if booster else "complete"


def _extended(entry: Entry, settings: ItalianSettings, timeline: Timeline, start: Span, end: Span) -> Timeline:
    """Beyond its last day a vaccination that was completed abroad counts for some time together with a test."""

    def extended() -> Timeline:
        last = settings.days(("vaccine_end_day_complete_extended_EMA",))
        return _only_with_test(_days(entry, "dt", start, last, "the vaccination (complete)"))

    return spliced(timeline, first_moment(entry.day("dt"), end, also=1), tried(extended))


def _only_with_test(timeline: Timeline) -> Timeline:
    return tuple(
        one if one.outcome is FAIL else Segment(one.start, OPEN, (_NEEDS_TEST, *one.reasons), "TEST_NEEDED")
        for one in timeline
    )


def judge_recovery(entry: Entry, settings: ItalianSettings, mode: str) -> Timeline:
    """When a recovery certificate counts. Raises :class:`RuleError` (``RULES_OPEN``)."""
    where = entry.text("co").upper()
    country = _country(settings, where, mode)
    timeline = _recovered(entry, settings, _RECOVERY, country)
    if where == "IT":
        own = _recovered(entry, settings, _RECOVERY_OF_VACCINATED, country)
        if [(one.start, one.outcome) for one in own] != [(one.start, one.outcome) for one in timeline]:
            raise undetermined("recovery_cert and recovery_pv_cert differ, and only the signing key tells which counts")
    if mode == "BOOSTER":
        return _only_with_test(timeline)
    own_end = first_moment(entry.day("du"), AT_ONCE, also=1)
    if all(one.start is None or one.start <= own_end for one in timeline):
        return timeline
    reason = "the certificate's own last day (du) is over, which the settings alone do not look at"
    after = tuple(one for one in timeline if one.outcome is FAIL and one.start is not None)
    return (*changed(timeline, own_end, Segment(None, OPEN, (reason,))), *after)


def _recovered(
    entry: Entry, settings: ItalianSettings, names: tuple[tuple[str, ...], tuple[str, ...]], country: str
) -> Timeline:
    start, end = (settings.days(one, country=country) for one in names)
    return _days(entry, "df", start, end, "the first day of the recovery certificate (df)")


def _days(entry: Entry, name: str, start: Span, end: Span, what: str) -> Timeline:
    """From midnight of the first day to the one that ends the last day."""
    day = entry.day(name)
    return between(
        first_moment(day, start),
        first_moment(day, end, also=1),
        before=f"not before {start} after {what}",
        during=f"from {start} to {end} after {what}",
        after=f"more than {end} after {what}",
    )


def judge_test(entry: Entry, settings: ItalianSettings, mode: str) -> Timeline:
    """When a test counts. Raises :class:`RuleError` (``RULES_OPEN``)."""
    if mode != "3G":
        return always(FAIL, "tests do not count in this mode")
    result, kind = entry.text("tr"), entry.text("tt")
    if result == DETECTED.code:
        return always(FAIL, "the test found the virus")
    if result != NOT_DETECTED.code:
        raise undetermined("the result of the test is not known")
    if kind not in _TEST:
        return always(FAIL, "the test is of another kind than the settings name")
    start, end = map(settings.hours, _TEST[kind])
    sampled = entry.moment("sc")
    return between(
        later(sampled, start),
        past(sampled, end),
        before=f"not before {start} after the sample was taken",
        during=f"from {start} to {end} after the sample was taken",
        after=f"more than {end} after the sample was taken",
    )
