"""France's settings: passes, doses and ages, and days that are French ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.french import French
from healthcert.rules.ruling import RulingOutcome
from tests.unit.rules.national.cases import JANSSEN, NOVAVAX, POSITIVE, RAPID, asked, of, subject, window

PASSED, FAIL, OPEN = RulingOutcome.PASSED, RulingOutcome.FAIL, RulingOutcome.OPEN

HEALTH: dict[str, Any] = {
    "testNegativePcrEndHour": 24,
    "testNegativeAntigenicEndHour": 20,
    "testPositivePcrStartDay": 11,
    "testPositivePcrEndDay": 183,
    "testPositiveAntigenicStartDay": 12,
    "testPositiveAntigenicEndDay": 182,
    "recoveryStartDay": 11,
    "recoveryEndDay": 183,
    "recoveryDelayMax": 183,
    "vaccineDelay": 7,
    "vaccineDelayMax": 221,
    "vaccineDelayMaxRecovery": 220,
    "vaccineDelayMaxRecoveryNovavax": 128,
    "vaccineDelayNovavax": 8,
    "vaccineDelayMaxNovavax": 129,
    "vaccineDelayJanssen": 28,
    "vaccineDelayMaxJanssen": 68,
    "vaccineBoosterDelay": 1,
    "vaccineBoosterDelayNew": 7,
    "vaccineBoosterDelayUnderAge": 2,
    "vaccineBoosterDelayUnderAgeNew": 6,
    "vaccineBoosterDelayMax": 6000,
    "vaccineBoosterDelayMaxNovavax": 130,
    "vaccineBoosterAgePeriod": "P18Y1M",
    "vaccineBoosterToggleDate": "2021-12-21",
}
VACCINE = HEALTH | {"testAcceptanceAgePeriod": "P16Y", "vaccineDelayMax": 200}
PLUS = {"recoveryStartDay": 11, "recoveryEndDay": 6000}
SETTINGS: dict[str, Any] = {"health": HEALTH, "vaccine": VACCINE, "plus": PLUS, "vaccinePassStartDate": "2022-01-24"}


def french(**changes: Any) -> French:
    """Settings of which some of the pass for health are other ones, or, if None, missing."""
    health = {name: value for name, value in (HEALTH | changes).items() if value is not None}
    return French(json.dumps(SETTINGS | {"health": health}).encode())


def asked_on(
    day: str, *entries: dict[str, Any], rules: French | None = None, born: Any = "1984-02-29", mode: str = "health"
) -> Assessment:
    return asked(rules or french(), f"{day}T12:00", subject(*entries, born=born), mode=mode)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2022-01-16T23:00", "2022-08-18T22:00")),
        ({"dn": 1, "sd": 1}, ("2022-01-16T23:00", "2022-08-17T22:00")),
        ({"dn": 3, "sd": 3}, ("2022-01-16T23:00", "2038-06-14T22:00")),
        ({"dn": 3, "sd": 3, "dt": "2021-12-20"}, ("2021-12-20T23:00", "2038-05-24T22:00")),
        ({"dn": 2, "sd": 1}, ("2022-01-16T23:00", "2038-06-14T22:00")),
        ({"mp": NOVAVAX}, ("2022-01-17T23:00", "2022-05-18T22:00")),
        ({"mp": NOVAVAX, "dn": 1, "sd": 1}, ("2022-01-17T23:00", "2022-05-17T22:00")),
        ({"mp": NOVAVAX, "dn": 3, "sd": 3}, ("2022-01-16T23:00", "2022-05-19T22:00")),
        ({"mp": JANSSEN, "dn": 1, "sd": 1}, ("2022-02-06T23:00", "2022-03-18T23:00")),
    ],
)
def test_a_vaccination_counts_by_its_dose_and_its_product(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert window(asked_on("2022-01-20", of("v", **changes))) == expected


@pytest.mark.parametrize(
    ("dose", "expected"),
    [
        (1, ("2022-02-07T23:00", "2022-03-20T23:00")),
        (2, ("2022-01-17T23:00", "2022-05-19T22:00")),
        (3, ("2022-01-17T23:00", "2038-06-14T22:00")),
        (4, ("2022-01-17T23:00", "2038-06-14T22:00")),
    ],
)
def test_doses_of_janssen_may_have_numbers_of_their_own(dose: int, expected: tuple[str, str]) -> None:
    rules = french(
        vaccineDelayJanssen1=29,
        vaccineDelayMaxJanssen1=70,
        vaccineDelayJanssen2=8,
        vaccineDelayMaxJanssen2=130,
        vaccineBoosterDelayMaxJanssen=6000,
    )
    entry = of("v", mp=JANSSEN, dn=dose, sd=min(dose, 3))
    assert window(asked_on("2022-02-20", entry, rules=rules)) == expected


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2006-05-20", ("2022-01-16T23:00", "2024-06-19T22:00")),  # 18 years and a month
        ("2004-07-20", ("2022-01-16T23:00", "2022-08-19T22:00")),
        ("2004-07-19", ("2022-01-16T23:00", "2022-08-18T22:00")),
        ("2008-02-29", ("2022-01-16T23:00", "2026-03-31T22:00")),  # 1 March 2026 is 18 years later
    ],
)
def test_a_vaccination_of_the_young_does_not_end_before_they_are_of_age(born: str, expected: tuple[str, str]) -> None:
    assert window(asked_on("2022-01-20", of("v"), born=born)) == expected


def test_a_date_of_birth_at_the_end_of_the_calendar_is_open() -> None:
    assert "end of the calendar" in asked_on("2022-01-20", of("v"), born="9999-01-01").reasons[0]


def test_boosters_of_the_young_have_their_own_first_day() -> None:
    booster = of("v", dn=3, sd=3)
    assert window(asked_on("2022-01-20", booster, born="2008-01-01"))[0] == "2022-01-15T23:00"
    before = of("v", dn=3, sd=3, dt="2021-12-20")
    assert window(asked_on("2022-01-20", before, born="2008-01-01"))[0] == "2021-12-21T23:00"


@pytest.mark.parametrize(
    ("born", "day", "outcome"),
    [
        ("2004", "2022-08-25", OPEN),  # of age on a day between 1 February 2022 and 31 January 2023
        ("2004-12", "2022-08-25", PASSED),
        ("2004-06", "2022-08-25", FAIL),
        ("2004", "2022-05-01", PASSED),
        ("1984", "2022-08-25", FAIL),
        ("", "2022-08-25", OPEN),
        (None, "2022-08-25", OPEN),
        ("1963-00", "2022-08-25", OPEN),
        (5, "2022-05-01", PASSED),  # at which it counts at any age
    ],
)
def test_of_a_date_of_birth_that_is_not_known_in_full_what_is_certain_counts(
    born: Any, day: str, outcome: RulingOutcome
) -> None:
    assert asked_on(day, of("v"), born=born).outcome is outcome


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2022-01-10T08:00", "2022-01-11T08:00")),
        ({"tt": RAPID}, ("2022-01-10T08:00", "2022-01-11T04:00")),
        ({"tr": POSITIVE}, ("2022-01-21T08:00", "2022-07-12T08:00")),
        ({"tr": POSITIVE, "tt": RAPID}, ("2022-01-22T08:00", "2022-07-11T08:00")),
    ],
)
def test_a_negative_test_counts_by_hours_and_a_positive_one_as_a_recovery(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert window(asked_on("2022-01-10", of("t", **changes))) == expected


def test_negative_tests_count_for_the_vaccine_pass_up_to_an_age() -> None:
    entry = of("t")
    assert asked_on("2022-01-10", entry, mode="vaccine").outcome is FAIL
    assert asked_on("2022-01-10", entry, mode="vaccine", born="2010-01-01").outcome is PASSED
    assert asked_on("2022-01-10", entry, mode="vaccine", born="2006").outcome is OPEN
    birthday = asked_on("2022-01-10", entry, mode="vaccine", born="2006-01-11")
    assert window(birthday) == ("2022-01-10T08:00", "2022-01-10T23:00")


def test_a_recovery_counts_by_the_first_positive_test() -> None:
    assert window(asked_on("2022-01-30", of("r"))) == ("2022-01-20T23:00", "2022-07-11T22:00")
    assert window(asked_on("2022-01-30", of("r"), mode="plus")) == ("2022-01-20T23:00", "2038-06-14T22:00")
    assert asked_on("2022-01-30", of("r"), rules=french(recoveryDelayMax=122)).outcome is OPEN
    assert asked_on("2022-01-30", of("r"), rules=french(recoveryDelayMax=None)).outcome is PASSED


def test_the_current_pass_is_that_of_health_up_to_the_day_on_which_the_other_began() -> None:
    test = of("t", sc="2022-01-23T12:00:00Z")
    assert window(asked_on("2022-01-23", test, mode="current")) == ("2022-01-23T12:00", "2022-01-23T23:00")
    assert asked_on("2022-01-24", test, mode="current").outcome is FAIL
    assert window(asked_on("2022-01-20", of("v"), mode="current")) == ("2022-01-16T23:00", "2022-07-28T22:00")
    no_date = French(json.dumps({"health": HEALTH, "vaccine": VACCINE}).encode())
    assert asked_on("2022-01-20", of("v"), rules=no_date, mode="current").outcome is OPEN
    # What the pass of the past does not tell does not make the one of the day an open question.
    no_health = French(json.dumps({"vaccine": VACCINE, "vaccinePassStartDate": "2022-01-24"}).encode())
    assert asked_on("2022-01-20", of("v"), rules=no_health, mode="current").outcome is OPEN
    assert asked_on("2022-02-20", of("v"), rules=no_health, mode="current").outcome is PASSED


@pytest.mark.parametrize(
    ("entry", "outcome", "reason"),
    [
        (of("v", dn=1), FAIL, "not complete"),
        (of("v", dn=0, sd=0), FAIL, "not complete"),
        (of("v", mp=JANSSEN, dn=1), FAIL, "not complete"),
        (of("v", mp="Sputnik-V"), OPEN, "without the EU's authorisation"),
        (of("v", tg="38907003"), FAIL, "not about COVID-19"),
        (of("v", dt="2022-01"), OPEN, "no dt"),
        (of("v", dt="9999-12-01"), OPEN, "end of the calendar"),
        (of("t", tr="419984006"), OPEN, "or its result"),
        (of("t", tt="94504-8"), OPEN, "kind of the test"),
        (of("t", sc=None), OPEN, "no sc"),
        (of("r", fr=None), OPEN, "no fr"),
    ],
)
def test_what_is_wrong_or_missing_is_told(entry: dict[str, Any], outcome: RulingOutcome, reason: str) -> None:
    found = asked_on("2022-01-30", entry)
    assert found.outcome is outcome
    assert reason in found.reasons[0]
    assert window(found) == (None, None)


def test_several_entries_are_open() -> None:
    assert asked_on("2022-01-20", of("v"), of("v")).outcome is OPEN
    assert asked_on("2022-01-20", of("v"), of("t")).outcome is OPEN


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("testNegativePcrEndHour", of("t")),
        ("testPositivePcrStartDay", of("t", tr=POSITIVE)),
        ("recoveryStartDay", of("r")),
        ("recoveryEndDay", of("r")),
        ("vaccineDelay", of("v")),
        ("vaccineDelayMax", of("v")),
        ("vaccineBoosterAgePeriod", of("v")),
        ("vaccineBoosterToggleDate", of("v", dn=3, sd=3)),
        ("vaccineBoosterDelayNew", of("v", dn=3, sd=3)),
        ("vaccineBoosterDelayMax", of("v", dn=3, sd=3)),
        ("vaccineDelayJanssen", of("v", mp=JANSSEN)),
    ],
)
@pytest.mark.parametrize("value", [None, "7", True, -1, 1.5, 10**9, [], "P1Y1", "2021-02-30", "P", "P١Y"])
def test_a_setting_that_is_missing_or_no_such_setting_is_open_and_named(
    name: str, entry: dict[str, Any], value: Any
) -> None:
    found = asked_on("2022-01-20", entry, rules=french(**{name: value}))
    assert found.outcome is OPEN
    assert name in found.reasons[0]


def test_a_number_of_its_own_may_be_missing_for_a_product() -> None:
    rules = french(vaccineDelayMaxNovavax=None, vaccineDelayNovavax=None)
    assert window(asked_on("2022-01-20", of("v", mp=NOVAVAX), rules=rules)) == ("2022-01-16T23:00", "2022-08-18T22:00")


@pytest.mark.parametrize("document", [b"", b"[]", b"nonsense", b'{"health": NaN}', b'{"a": 1, "a": 2}', b"\xff"])
def test_what_are_no_settings_is_refused(document: bytes) -> None:
    with pytest.raises(RuleError) as caught:
        French(document)
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


def test_a_pass_without_settings_is_open() -> None:
    rules = French(b'{"health": 5}')
    for mode in ("health", "vaccine", "plus", "current"):
        assert asked_on("2022-01-20", of("v"), rules=rules, mode=mode).outcome is OPEN


def test_options_that_there_are_not_are_refused() -> None:
    with pytest.raises(RuleError) as caught:
        asked_on("2022-01-20", of("v"), mode="sanitaire")
    assert caught.value.code is Code.RULE_CONFIG_INVALID
    assert asked(french(), "2022-01-20T12:00", subject(of("v"))).outcome is PASSED
