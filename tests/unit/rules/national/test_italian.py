"""Italy's settings: products, doses and modes, and days that are Italian ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.italian import Italian
from healthcert.rules.ruling import RulingOutcome
from tests.unit.rules.national.cases import (
    BIONTECH,
    JANSSEN,
    MODERNA,
    PCR,
    POSITIVE,
    RAPID,
    asked,
    of,
    subject,
    window,
)  # fmt: skip

PASSED, FAIL, OPEN = RulingOutcome.PASSED, RulingOutcome.FAIL, RulingOutcome.OPEN

OLDER = {
    ("vaccine_start_day_not_complete", BIONTECH): "15",
    ("vaccine_end_day_not_complete", BIONTECH): "42",
    ("vaccine_start_day_complete", BIONTECH): "0",
    ("vaccine_end_day_complete", BIONTECH): "200",
    ("vaccine_start_day_complete", JANSSEN): "15",
    ("vaccine_end_day_complete", JANSSEN): "200",
    ("vaccine_end_day_complete", "Sputnik-V"): "200",
    ("vaccine_start_day_complete_IT", "GENERIC"): "0",
    ("vaccine_end_day_complete_IT", "GENERIC"): "180",
    ("vaccine_start_day_complete_NOT_IT", "GENERIC"): "1",
    ("vaccine_end_day_complete_NOT_IT", "GENERIC"): "270",
    ("vaccine_start_day_booster_IT", "GENERIC"): "0",
    ("vaccine_end_day_booster_IT", "GENERIC"): "185",
    ("vaccine_start_day_booster_NOT_IT", "GENERIC"): "0",
    ("vaccine_end_day_booster_NOT_IT", "GENERIC"): "275",
    ("recovery_cert_start_day_IT", "GENERIC"): "0",
    ("recovery_cert_end_day_IT", "GENERIC"): "100",
    ("recovery_cert_start_day_NOT_IT", "GENERIC"): "0",
    ("recovery_cert_end_day_NOT_IT", "GENERIC"): "110",
    ("recovery_pv_cert_start_day", "GENERIC"): "0",
    ("recovery_pv_cert_end_day", "GENERIC"): "100",
    ("molecular_test_start_hours", "GENERIC"): "0",
    ("molecular_test_end_hours", "GENERIC"): "72",
    ("rapid_test_start_hours", "GENERIC"): "1",
    ("rapid_test_end_hours", "GENERIC"): "48",
    ("black_list_uvci", "black_list_uvci"): "URN:UVCI:01:FR:BLOCKED#1;;URN:UVCI:01:FR:BLOCKED#2",
}
NEWER = OLDER | {
    ("EMA_vaccines", "GENERIC"): f"{BIONTECH};{JANSSEN}",
    ("vaccine_end_day_complete_extended_EMA", "GENERIC"): "240",
}


def italian(settings: dict[tuple[str, str], str] = OLDER, *without: str) -> Italian:
    given = [
        {"name": name, "type": type_, "value": value}
        for (name, type_), value in settings.items()
        if name not in without
    ]
    return Italian(json.dumps(given).encode())


def at_noon(day: str, *entries: dict[str, Any], rules: Italian | None = None, **options: str) -> Assessment:
    return asked(rules or italian(), f"{day}T12:00", subject(*entries), **options)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2022-01-09T23:00", "2022-07-09T22:00")),  # 180 days, of which the last one counts
        ({"co": "DE"}, ("2022-01-10T23:00", "2022-10-07T22:00")),
        ({"dn": 3, "sd": 3}, ("2022-01-09T23:00", "2022-07-14T22:00")),
        ({"dn": 2, "sd": 1}, ("2022-01-09T23:00", "2022-07-14T22:00")),
        ({"dn": 3, "sd": 3, "co": "DE"}, ("2022-01-09T23:00", "2022-10-12T22:00")),
        ({"dn": 1, "sd": 2}, ("2022-01-24T23:00", "2022-02-21T23:00")),
        ({"mp": JANSSEN, "dn": 1, "sd": 1}, ("2022-01-24T23:00", "2022-07-09T22:00")),
        ({"mp": JANSSEN, "dn": 2, "sd": 2}, ("2022-01-09T23:00", "2022-07-14T22:00")),
        ({"dn": 2.0}, ("2022-01-09T23:00", "2022-07-09T22:00")),
        ({"dt": "2022-01-10T23:30:00-05:00"}, ("2022-01-09T23:00", "2022-07-09T22:00")),
        ({"mp": "Sputnik-V", "co": "SM"}, ("2022-01-10T23:00", "2022-10-07T22:00")),
    ],
)
def test_a_vaccination_counts_by_its_dose_its_product_and_its_country(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert window(at_noon("2022-01-30", of("v", **changes))) == expected


def test_the_first_and_the_last_day_count_and_the_reasons_name_the_settings() -> None:
    rules, one = italian(), subject(of("v"))
    early = asked(rules, "2022-01-09T22:59", one)
    first, last = asked(rules, "2022-01-09T23:00", one), asked(rules, "2022-07-09T21:59", one)
    late = asked(rules, "2022-07-09T22:00", one)
    assert [found.outcome for found in (early, first, last, late)] == [FAIL, PASSED, PASSED, FAIL]
    assert "vaccine_start_day_complete_IT (0 days)" in early.reasons[0]
    assert "vaccine_end_day_complete_IT (180 days)" in late.reasons[0]
    assert window(late) == (None, None)


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"mp": MODERNA}, FAIL, "the product is none"),
        ({"mp": "Sputnik-V"}, FAIL, "the product is none"),
        ({"tg": "38907003"}, FAIL, "not about COVID-19"),
        ({"tg": None}, OPEN, "no tg"),
        ({"ci": "URN:UVCI:01:FR:BLOCKED#1"}, FAIL, "black_list_uvci"),
        ({"ci": "01:fr:blocked#2"}, FAIL, "black_list_uvci"),
        ({"ci": None}, OPEN, "no ci"),
        ({"dn": 0}, FAIL, "number of doses"),
        ({"dn": "2"}, OPEN, "no dn"),
        ({"dn": True}, OPEN, "no dn"),
        ({"sd": None}, OPEN, "no sd"),
        ({"dt": "2022-01"}, OPEN, "no dt"),
        ({"dt": "2022-02-30"}, OPEN, "no dt"),
        ({"dt": "9999-12-31"}, OPEN, "end of the calendar"),
        ({"dt": "0001-01-01"}, OPEN, "end of the calendar"),
        ({"mp": 5}, OPEN, "no mp"),
    ],
)
def test_what_is_wrong_or_missing_is_told(changes: dict[str, Any], outcome: RulingOutcome, reason: str) -> None:
    found = at_noon("2022-01-30", of("v", **changes))
    assert found.outcome is outcome
    assert reason in found.reasons[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2022-01-10T08:00", "2022-01-13T08:00")),
        ({"tt": RAPID}, ("2022-01-10T09:00", "2022-01-12T08:00")),
        ({"sc": "2022-01-10T09:00:00+01:00"}, ("2022-01-10T08:00", "2022-01-13T08:00")),
    ],
)
def test_a_test_counts_by_hours(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert window(at_noon("2022-01-11", of("t", **changes))) == expected


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"tr": POSITIVE}, FAIL, "found the virus"),
        ({"tr": "419984006"}, OPEN, "result of the test is not known"),
        ({"tt": "94504-8"}, FAIL, "another kind"),
        ({"sc": "2022-01-10"}, OPEN, "no sc"),
        ({"sc": "2022-13-10T00:00:00Z"}, OPEN, "no sc"),
        ({"tr": None}, OPEN, "no tr"),
    ],
)
def test_a_test_that_is_positive_or_unclear_is_no_pass(
    changes: dict[str, Any], outcome: RulingOutcome, reason: str
) -> None:
    found = at_noon("2022-01-11", of("t", **changes))
    assert found.outcome is outcome
    assert reason in found.reasons[0]


def test_a_recovery_counts_from_its_own_first_day() -> None:
    assert window(at_noon("2022-01-30", of("r"))) == ("2022-01-20T23:00", "2022-05-01T22:00")
    assert window(at_noon("2022-01-30", of("r", co="DE"))) == ("2022-01-20T23:00", "2022-05-11T22:00")


def test_beyond_its_own_last_day_a_recovery_is_open() -> None:
    short = of("r", du="2022-03-01")
    assert window(at_noon("2022-01-30", short)) == ("2022-01-20T23:00", "2022-03-01T23:00")
    assert at_noon("2022-03-02", short).outcome is OPEN
    assert at_noon("2022-05-02", short).outcome is FAIL


def test_where_the_signing_key_would_decide_a_recovery_is_open() -> None:
    rules = italian(OLDER | {("recovery_pv_cert_end_day", "GENERIC"): "540"})
    assert at_noon("2022-01-30", of("r"), rules=rules).outcome is OPEN
    assert at_noon("2022-01-30", of("r", co="DE"), rules=rules).outcome is PASSED


@pytest.mark.parametrize(
    ("mode", "entry", "outcome"),
    [
        ("2G", of("v"), PASSED),
        ("2G", of("v", dn=1), PASSED),
        ("2G", of("t", sc="2022-01-29T20:00:00Z"), FAIL),
        ("2G", of("r"), PASSED),
        ("BOOSTER", of("v"), OPEN),
        ("BOOSTER", of("v", dn=3, sd=3), PASSED),
        ("BOOSTER", of("v", dn=1), FAIL),
        ("BOOSTER", of("t", sc="2022-01-29T20:00:00Z"), FAIL),
        ("BOOSTER", of("r"), OPEN),
    ],
)
def test_modes_ask_for_more(mode: str, entry: dict[str, Any], outcome: RulingOutcome) -> None:
    found = at_noon("2022-01-30", entry, mode=mode)
    assert found.outcome is outcome
    assert found.status == ("TEST_NEEDED" if outcome is OPEN else None)


def test_in_other_modes_than_3g_the_numbers_of_italy_count_for_all() -> None:
    assert window(at_noon("2022-01-30", of("v", co="DE"), mode="2G")) == ("2022-01-09T23:00", "2022-07-09T22:00")


@pytest.mark.parametrize(
    ("day", "mode", "entry", "outcome"),
    [
        ("2022-01-30", "3G", of("v"), PASSED),
        ("2022-01-30", "3G", of("v", mp=MODERNA), FAIL),
        ("2022-08-01", "3G", of("v", co="DE"), FAIL),  # 180 days, wherever it was
        ("2022-01-30", "2G", of("v", co="DE"), PASSED),
        ("2022-08-01", "2G", of("v", co="DE"), OPEN),  # up to 240 days together with a test
        ("2022-09-08", "2G", of("v", co="DE"), FAIL),
        ("2022-08-01", "2G", of("v", co="IT"), FAIL),
        ("2022-01-30", "2G", of("v", co="DE", mp=MODERNA), OPEN),
        ("2022-01-30", "2G", of("v", co="IT", mp=MODERNA), FAIL),
        ("2022-01-30", "2G", of("v", co="DE", mp=MODERNA, dn=1), FAIL),
        ("2022-01-30", "2G", of("v", co="DE", mp=MODERNA, dn=3, sd=3), OPEN),
        ("2022-01-30", "2G", of("v", co="SM", mp="Sputnik-V"), PASSED),
        ("2022-01-30", "BOOSTER", of("v", dn=3, sd=3), PASSED),
        ("2022-01-30", "BOOSTER", of("v", dn=3, sd=3, mp=MODERNA), OPEN),
        ("2022-01-30", "BOOSTER", of("v", mp=MODERNA), OPEN),
    ],
)
def test_settings_that_list_authorised_products_leave_more_to_a_test(
    day: str, mode: str, entry: dict[str, Any], outcome: RulingOutcome
) -> None:
    assert at_noon(day, entry, rules=italian(NEWER), mode=mode).outcome is outcome


def test_without_the_setting_of_the_extension_only_what_it_is_about_is_open() -> None:
    rules, abroad = italian(NEWER, "vaccine_end_day_complete_extended_EMA"), of("v", co="DE")
    assert at_noon("2022-01-30", abroad, rules=rules, mode="2G").outcome is PASSED
    late = at_noon("2022-08-01", abroad, rules=rules, mode="2G")
    assert (late.outcome, late.status) == (OPEN, None)
    assert "vaccine_end_day_complete_extended_EMA" in late.reasons[0]


@pytest.mark.parametrize(
    ("missing", "entry"),
    [
        ("vaccine_start_day_not_complete", of("v", dn=1)),
        ("vaccine_end_day_not_complete", of("v", dn=1)),
        ("molecular_test_end_hours", of("t")),
        ("rapid_test_start_hours", of("t", tt=RAPID)),
        ("recovery_cert_end_day_IT", of("r")),
        ("recovery_pv_cert_end_day", of("r")),
        ("black_list_uvci", of("v")),
        ("vaccine_end_day_complete", of("v")),
    ],
)
def test_a_setting_that_is_missing_is_open_and_named(missing: str, entry: dict[str, Any]) -> None:
    found = at_noon("2022-01-11", entry, rules=italian(OLDER, missing))
    assert found.outcome is OPEN
    assert missing in found.reasons[0]


def test_the_settings_of_a_product_stand_in_for_generic_ones() -> None:
    rules = italian(OLDER, "vaccine_start_day_complete_IT", "vaccine_end_day_complete_IT")
    assert window(at_noon("2022-01-30", of("v"), rules=rules)) == ("2022-01-09T23:00", "2022-07-29T22:00")
    # The days of a single dose are in the settings of its product, and are not counted twice.
    single = of("v", mp=JANSSEN, dn=1, sd=1)
    assert window(at_noon("2022-01-30", single, rules=rules)) == ("2022-01-24T23:00", "2022-07-29T22:00")


@pytest.mark.parametrize("value", ["", "-1", "1.5", "180 days", "99999", "NaN", "१८०", "1" * 5000])
def test_a_value_that_is_no_number_of_days_is_one_that_is_missing(value: str) -> None:
    rules = italian(OLDER | {("molecular_test_end_hours", "GENERIC"): value})
    assert at_noon("2022-01-11", of("t"), rules=rules).outcome is OPEN


def test_a_setting_that_contradicts_another_is_one_that_is_missing() -> None:
    given = [{"name": name, "type": type_, "value": value} for (name, type_), value in OLDER.items()]
    again = [*given, {"name": "molecular_test_end_hours", "type": "GENERIC", "value": "72"}]
    other = [*again, {"name": "molecular_test_end_hours", "type": "GENERIC", "value": "96"}]
    same, different = (Italian(json.dumps(one).encode()) for one in (again, other))
    assert at_noon("2022-01-11", of("t"), rules=same).outcome is PASSED
    assert at_noon("2022-01-11", of("t"), rules=different).outcome is OPEN


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"nonsense",
        b"[NaN]",
        b"[1]",
        b'[{"name": "a", "type": "b"}]',
        b'[{"name": "a", "type": "b", "value": 1}]',
        b'[{"name": null, "type": "b", "value": "1"}]',
        b'[{"name": "a", "type": "b", "value": "1", "value": "2"}]',
    ],
)
def test_what_are_no_settings_is_refused(document: bytes) -> None:
    with pytest.raises(RuleError) as caught:
        Italian(document)
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


def test_of_several_vaccinations_the_last_entry_counts_and_other_certificates_have_one_entry() -> None:
    assert at_noon("2022-01-30", of("v", dn=1, mp=MODERNA), of("v")).outcome is PASSED
    assert at_noon("2022-01-11", of("t"), of("t")).outcome is OPEN
    assert at_noon("2022-01-11", of("t"), of("v")).outcome is OPEN
    assert asked(italian(), "2022-01-11", subject()).outcome is OPEN


def test_of_several_certificates_of_a_holder_the_best_counts() -> None:
    found = asked(italian(), "2022-01-11T12:00", subject(of("v", dn=1)), subject(of("t")))
    assert found.outcome is PASSED
    assert window(found) == ("2022-01-10T08:00", "2022-01-13T08:00")


def test_options_that_there_are_not_are_refused() -> None:
    assert italian().options == {"mode": ("3G", "2G", "BOOSTER")}
    for options in ({"mode": "4G"}, {"region": "RM"}):
        with pytest.raises(RuleError) as caught:
            asked(italian(), "2022-01-11", subject(of("t")), **options)
        assert caught.value.code is Code.RULE_CONFIG_INVALID


def test_reasons_and_reprs_hold_nothing_of_the_certificate() -> None:
    found = at_noon("2022-01-30", of("v", ci="URN:UVCI:01:FR:BLOCKED#1"))
    assert not any(secret in " ".join(found.reasons) for secret in ("BLOCKED", "2022", "Exemplaire", BIONTECH))
    assert repr(found) == "Assessment(...)"
    assert PCR not in " ".join(at_noon("2022-01-11", of("t")).reasons)
