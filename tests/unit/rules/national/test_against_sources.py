"""National settings against what the apps compute, written down once more from their sources and asked day by day.

Sources: ministero-salute/it-dgc-verificac19-sdk-android (VaccineValidationStrategy, RecoveryValidationStrategy,
TestValidationStrategy, RuleSet), lovasoa/sanipasse (src/lib/tac_verif_rules.ts). Days are asked about at noon, so that
the time zone of a telephone does not matter; the hours have tests of their own.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.rules.national.french import French
from healthcert.rules.ruling import RulingOutcome
from tests.unit.rules.national.cases import (
    BIONTECH,
    JANSSEN,
    MODERNA,
    NEGATIVE,
    NOVAVAX,
    PCR,
    POSITIVE,
    RAPID,
    asked,
    of,
    subject,
    window,
)
from tests.unit.rules.national.test_french import HEALTH, SETTINGS, french
from tests.unit.rules.national.test_french import asked_on as in_france
from tests.unit.rules.national.test_italian import NEWER, OLDER, at_noon, italian

PASSED, FAIL, OPEN = RulingOutcome.PASSED, RulingOutcome.FAIL, RulingOutcome.OPEN
DAY = timedelta(days=1)
MODES = ("3G", "2G", "BOOSTER")


# --- Italy: the newer generation of the settings, by the last version of the SDK ---


def number(name: str, type_: str = "GENERIC") -> int:
    return int(NEWER.get((name, type_), "0"))


def italian_vaccination(entry: dict[str, Any], mode: str, today: date) -> str:
    """The status that the app shows, by its name."""
    product, dose, series = entry["mp"], entry["dn"], entry["sd"]
    ema = product in NEWER["EMA_vaccines", "GENERIC"].split(";") or (product == "Sputnik-V" and entry["co"] == "SM")
    complete = dose >= series
    booster = dose >= 2 if product == JANSSEN else dose >= 3 or dose > series
    if not complete and not ema:
        return "NOT_VALID"
    if not complete:
        first, last = (number(f"vaccine_{end}_day_not_complete", product) for end in ("start", "end"))
    elif booster:
        first, last = number("vaccine_start_day_booster_IT"), number("vaccine_end_day_booster_IT")
    else:
        own = number("vaccine_start_day_complete", JANSSEN) if product == JANSSEN else 0
        first, last = number("vaccine_start_day_complete_IT") + own, number("vaccine_end_day_complete_IT")
    given_on = date.fromisoformat(entry["dt"])
    if mode == "2G" and entry["co"] != "IT" and complete and not booster:
        if today < given_on + first * DAY:
            return "NOT_VALID_YET"
        if ema and today <= given_on + last * DAY:
            return "VALID"
        extended = number("vaccine_end_day_complete_extended_EMA")
        return "TEST_NEEDED" if today <= given_on + extended * DAY else "EXPIRED"
    if today < given_on + first * DAY:
        return "NOT_VALID_YET"
    if today > given_on + last * DAY:
        return "EXPIRED"
    if mode == "BOOSTER":
        return "NOT_VALID" if not complete else "VALID" if booster and ema else "TEST_NEEDED"
    if mode == "2G" and entry["co"] != "IT" and booster:
        return "VALID" if ema else "TEST_NEEDED"
    return "VALID" if ema else "NOT_VALID"


VACCINATIONS = st.fixed_dictionaries({
    "mp": st.sampled_from([BIONTECH, JANSSEN, MODERNA, "Sputnik-V"]),
    "dn": st.integers(1, 4),
    "sd": st.integers(1, 4),
    "co": st.sampled_from(["IT", "DE", "SM"]),
    "dt": st.sampled_from(["2022-01-10", "2020-02-29", "2021-12-31", "2022-03-27", "2022-10-30"]),
})  # fmt: skip
EDGES = st.one_of(st.integers(-2, 330), st.sampled_from([-1, 0, 1, 14, 15, 16, 42, 43, 180, 181, 185, 186, 240, 241]))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VACCINATIONS, st.sampled_from(MODES), EDGES)
def test_an_italian_vaccination_is_what_the_app_shows(entry: dict[str, Any], mode: str, days: int) -> None:
    rules = italian(NEWER | {("vaccine_start_day_not_complete", JANSSEN): "15"})
    today = date.fromisoformat(entry["dt"]) + days * DAY
    expected = italian_vaccination(entry, mode, today)
    found = at_noon(today.isoformat(), of("v", **entry), rules=rules, mode=mode)
    if entry["dn"] < entry["sd"] and entry["mp"] != BIONTECH and expected != "NOT_VALID":
        # These tests have no number for it, which the app takes for 0.
        assert found.outcome is not PASSED
        return
    assert (found.outcome, found.status) == {
        "VALID": (PASSED, None),
        "TEST_NEEDED": (OPEN, "TEST_NEEDED"),
    }.get(expected, (FAIL, None)), expected


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["2022-01-21", "2024-02-29", "2021-11-30"]),
    st.sampled_from(["IT", "FR"]),
    st.sampled_from(MODES),
    st.one_of(st.integers(-3, 120), st.sampled_from([-1, 0, 100, 101, 110, 111])),
)
def test_an_italian_recovery_counts_from_its_own_first_day(first: str, co: str, mode: str, days: int) -> None:
    start = date.fromisoformat(first)
    entry = of("r", df=first, du=(start + 400 * DAY).isoformat(), co=co)
    found = at_noon((start + days * DAY).isoformat(), entry, rules=italian(NEWER), mode=mode)
    inside = 0 <= days <= 100
    assert found.outcome is ((OPEN if mode == "BOOSTER" else PASSED) if inside else FAIL)


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("2022-01-10T07:59:59", FAIL),
        ("2022-01-10T08:00:00", PASSED),
        ("2022-01-13T08:00:00", PASSED),  # the app refuses what is after the end, and this is not
        ("2022-01-13T08:00:01", FAIL),
    ],
)
def test_the_last_moment_of_an_italian_test_counts(at: str, outcome: RulingOutcome) -> None:
    assert asked(italian(), at, subject(of("t"))).outcome is outcome
    fraction = subject(of("t", sc="2022-01-10T08:00:00.000Z"))
    assert asked(italian(), at, fraction).outcome is outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"sc": "2022-01-10T08:00:00"}, OPEN),  # which zone?
        ({"sc": "2022-01-10T08:00:00+14:00"}, PASSED),
        ({"sc": "2022-01-10T08:00:00.123456789-0330"}, PASSED),
        ({"sc": "2022-01-10T08:00Z"}, OPEN),
        ({"sc": "2022-01-10 08:00:00Z"}, OPEN),
        ({"sc": 1641801600}, OPEN),
        ({"tt": PCR.lower()}, FAIL),
        ({"tr": [NEGATIVE]}, OPEN),
        ({"tg": "COVID-19"}, FAIL),
    ],
)
def test_odd_tests_are_no_pass_in_italy(changes: dict[str, Any], outcome: RulingOutcome) -> None:
    assert at_noon("2022-01-11", of("t", **changes)).outcome is outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"mp": f" {BIONTECH}"}, FAIL),
        ({"mp": BIONTECH.lower()}, FAIL),
        ({"mp": "sputnik-v", "co": "SM"}, FAIL),
        ({"co": "it"}, PASSED),
        ({"dt": "2022-W02-1"}, OPEN),  # a Monday of ISO 8601, and no date of a certificate
        ({"dt": "20220110"}, OPEN),
        ({"dt": "2022-01-10T00:00:00Z"}, PASSED),
        ({"dn": 2.5}, OPEN),
        ({"dn": -1, "sd": -2}, FAIL),
    ],
)
def test_odd_vaccinations_are_no_pass_in_italy(changes: dict[str, Any], outcome: RulingOutcome) -> None:
    assert at_noon("2022-01-30", of("v", **changes)).outcome is outcome


def test_a_recovery_whose_numbers_the_signing_key_decides_is_open_in_every_mode() -> None:
    rules = italian(OLDER | {("recovery_pv_cert_end_day", "GENERIC"): "540"})
    for mode in MODES:
        # For the app it has expired, or counts without a test, by the key that signed it.
        assert at_noon("2022-08-30", of("r"), rules=rules, mode=mode).outcome is OPEN


# --- France: the last version of sanipasse, but for the numbers that it does not look at ---


def french_vaccination(entry: dict[str, Any], born: date) -> tuple[date, date] | None:
    """The first day, and the day after the last."""
    dose, series, given_on = entry["dn"], entry["sd"], date.fromisoformat(entry["dt"])
    if dose < series:
        return None
    of_age = month_later(born.replace(year=born.year + 18) if born != date(2004, 2, 29) else date(2022, 3, 1))
    young = given_on + HEALTH["vaccineBoosterDelayUnderAge"] * DAY < of_age
    new = given_on >= date.fromisoformat(HEALTH["vaccineBoosterToggleDate"])
    delay = HEALTH[f"vaccineBoosterDelay{'UnderAge' if young else ''}{'New' if new else ''}"]
    first = HEALTH["vaccineDelay"] if series <= 2 else delay
    last = HEALTH["vaccineDelayMax"] if series <= 2 and dose == series else HEALTH["vaccineBoosterDelayMax"]
    return given_on + first * DAY, max(given_on + last * DAY, of_age)


def month_later(day: date) -> date:
    """As JavaScript has it: 31 January and a month is 3 March."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, 1) + (day.day - 1) * DAY


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["2022-01-10", "2021-12-20", "2021-12-21", "2021-03-28", "2022-10-30"]),
    st.sampled_from(["1950-01-01", "2004-02-29", "2003-12-31", "2004-01-31", "2010-08-30"]),
    st.one_of(st.integers(-1, 240), st.sampled_from([0, 1, 2, 6, 7, 219, 220, 221, 222, 6000])),
)
def test_a_french_vaccination_is_what_sanipasse_computes(
    dose: int, series: int, given_on: str, born: str, days: int
) -> None:
    # Sanipasse has one number for both: what is complete with one dose and with two.
    rules = french(vaccineDelayMaxRecovery=HEALTH["vaccineDelayMax"])
    entry, today = of("v", dn=dose, sd=series, dt=given_on), date.fromisoformat(given_on) + days * DAY
    period = french_vaccination(entry, date.fromisoformat(born))
    expected = PASSED if period is not None and period[0] <= today < period[1] else FAIL
    assert in_france(today.isoformat(), entry, rules=rules, born=born).outcome is expected


@pytest.mark.parametrize(
    ("tt", "tr", "after", "until"),
    [
        (PCR, NEGATIVE, timedelta(0), timedelta(hours=24)),
        (RAPID, NEGATIVE, timedelta(0), timedelta(hours=20)),
        (PCR, POSITIVE, timedelta(days=11), timedelta(days=183)),
        (RAPID, POSITIVE, timedelta(days=12), timedelta(days=182)),
    ],
)
def test_the_last_moment_of_a_french_test_counts(tt: str, tr: str, after: timedelta, until: timedelta) -> None:
    sampled = datetime.combine(date(2022, 1, 10), time(8), UTC)
    for moment, outcome in (
        (sampled + after - timedelta(seconds=1), FAIL),
        (sampled + after, PASSED),
        (sampled + until, PASSED),
        (sampled + until + timedelta(seconds=1), FAIL),
    ):
        text = moment.isoformat().removesuffix("+00:00")
        assert asked(french(), text, subject(of("t", tt=tt, tr=tr)), mode="health").outcome is outcome


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # However Janssen is spelt, its own numbers count: 28 days, and 68.
        ({"mp": f"{JANSSEN} ", "dn": 1, "sd": 1}, ("2022-02-06T23:00", "2022-03-18T23:00")),
        ({"mp": f"\t{JANSSEN.lower()}", "dn": 1, "sd": 1}, ("2022-02-06T23:00", "2022-03-18T23:00")),
        ({"mp": f"{JANSSEN}/001", "dn": 1, "sd": 1}, (None, None)),
        ({"mp": f"{BIONTECH}/INVALID"}, (None, None)),
        ({"mp": "EU/1/"}, (None, None)),
        ({"mp": f" {BIONTECH}"}, ("2022-01-16T23:00", "2022-08-18T22:00")),
        ({"mp": f"{NOVAVAX}\n"}, ("2022-01-17T23:00", "2022-05-18T22:00")),
        ({"mp": "NVX-CoV2373"}, ("2022-01-17T23:00", "2022-05-18T22:00")),
        ({"dt": "2022-W02-1"}, (None, None)),
    ],
)
def test_odd_vaccinations_in_france(changes: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    found = in_france("2022-01-20", of("v", **changes))
    assert window(found) == expected
    assert (found.outcome is OPEN) == (expected == (None, None))


@pytest.mark.parametrize("dose", [1, 2, 3])
def test_a_series_of_no_doses_is_none(dose: int) -> None:
    for found in (in_france("2022-01-20", of("v", dn=dose, sd=0)), at_noon("2022-01-20", of("v", dn=dose, sd=0))):
        assert (found.outcome, window(found)) == (FAIL, (None, None))


@pytest.mark.parametrize("born", ["2004-02-29", "2004-02", "2004"])
def test_of_age_on_a_leap_day(born: str) -> None:
    """Born on 29 February 2004: 18 years and a month later is 1 April 2022, since 29 February 2022 is 1 March."""
    rules = french(vaccineDelayMax=10, vaccineDelayMaxRecovery=10)
    outcomes = [
        in_france(day, of("v"), rules=rules, born=born).outcome for day in ("2022-01-25", "2022-03-31", "2022-04-01")
    ]
    expected = {"2004-02-29": [PASSED, PASSED, FAIL], "2004-02": [PASSED, OPEN, FAIL], "2004": [PASSED, OPEN, OPEN]}
    assert outcomes == expected[born]


def test_a_french_test_without_a_zone_is_open() -> None:
    assert in_france("2022-01-10", of("t", sc="2022-01-10T08:00:00")).outcome is OPEN


def test_the_current_pass_begins_at_midnight_in_france() -> None:
    rules = French(json.dumps(SETTINGS).encode())
    test = subject(of("t", sc="2022-01-23T20:00:00Z"))
    assert asked(rules, "2022-01-23T22:59:59", test).outcome is PASSED
    assert asked(rules, "2022-01-23T23:00:00", test).outcome is FAIL


# --- Two persons ---


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1)])
def test_a_certificate_with_both_names_does_not_make_two_persons_one(order: tuple[int, ...]) -> None:
    def named(given_name: str, entry: dict[str, Any]) -> Any:
        names = {"fnt": "EXEMPLAIRE", "gnt": given_name}
        one = subject(entry)
        return type(one)(payload={**one.payload, "nam": names})

    three = [named("ANNA", of("v", dn=1)), named("ANNA<MARIA", of("r")), named("MARIA", of("v"))]
    for rules in (italian(), french()):
        found = asked(rules, "2022-01-30T12:00", *(three[place] for place in order))
        assert found.outcome is OPEN
        assert "not of one holder" in found.reasons[0]
    assert asked(italian(), "2022-01-30T12:00", three[0], three[1]).outcome is PASSED
