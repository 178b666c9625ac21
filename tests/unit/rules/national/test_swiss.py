"""Switzerland's national rules: their order, what the app shows, and modes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.swiss import Swiss
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.valuesets import shipped
from tests.unit.rules.national.cases import (
    ALWAYS,
    NEVER,
    POSITIVE,
    RAPID,
    UNDEFINED,
    asked,
    moment,
    of,
    plus,
    rule,
    since,
    subject,
    up_to,
    var,
    window,
)

PASSED, FAIL, OPEN, NO_RULES = (RulingOutcome(name) for name in ("PASSED", "FAIL", "OPEN", "NO_RULES"))
AT = "2022-06-01T12:00"
START_OF_DAY = var("external.validationClockAtStartOfDay")
DISPLAY = {
    "display-from-date": plus(var("payload.v.0.dt"), 0, "day"),
    "display-until-date": plus(var("payload.v.0.dt"), 269, "day"),
}


def small(given: dict[str, Any]) -> dict[str, Any]:
    """A rule with the names of its members as Switzerland writes them."""
    return {name[0].lower() + name[1:]: value for name, value in given.items()} | {
        "country": "CH",
        "engine": "CertLogic",
    }


def document(*logics: Any, **members: Any) -> bytes:
    rules = [
        one if isinstance(one, dict) and "identifier" in one else small(rule(f"VR-CH-{number:04}", one))
        for number, one in enumerate(logics)
    ]
    display = [{"id": name, "logic": logic} for name, logic in DISPLAY.items()]
    return json.dumps({"rules": rules, "displayRules": display, "valueSets": {}} | members).encode()


def swiss(*logics: Any, **members: Any) -> Swiss:
    return Swiss(document(*logics, **members), shipped())


def on(rules: Swiss, *entries: dict[str, Any], at: str = AT, mode: str = "none", **claims: Any) -> Assessment:
    return asked(rules, at, subject(*(entries or (of("v"),)), **claims), mode=mode)


def test_the_first_rule_that_is_not_met_decides() -> None:
    assert on(swiss(ALWAYS, ALWAYS)).outcome is PASSED
    found = on(swiss(ALWAYS, NEVER, NEVER))
    assert found.outcome is FAIL
    assert found.reasons == ("VR-CH-0001 is not met: what VR-CH-0001 asks",)


@pytest.mark.parametrize("logic", [var("payload.v.0.ci"), {"+": [1, 1]}, var("payload.v"), var("payload.v.0")])
def test_every_truthy_result_is_one_that_is_met(logic: Any) -> None:
    assert on(swiss(logic)).outcome is PASSED


@pytest.mark.parametrize("logic", [var("payload.t"), {"+": [1, -1]}, var("payload.nothing")])
def test_every_falsy_result_is_one_that_is_not_met(logic: Any) -> None:
    assert on(swiss(logic)).outcome is FAIL


@pytest.mark.parametrize(
    ("logic", "code"),
    [
        (UNDEFINED, "CERTLOGIC_UNDEFINED"),
        (plus(var("payload.v.0.dt"), 0, "day"), "CERTLOGIC_UNDEFINED"),  # a date-time is neither
        ({"nonsense": [1]}, "CERTLOGIC_INVALID"),
        (small(rule("VR-CH-0000", ALWAYS)) | {"engine": "JsonFunctions"}, "RULE_NOT_SUPPORTED"),
        (small(rule("VR-CH-0000", ALWAYS)) | {"engineVersion": "2.0.0"}, "RULE_NOT_SUPPORTED"),
    ],
)
def test_what_could_not_be_evaluated_is_open_unless_another_rule_refuses(logic: Any, code: str) -> None:
    found = on(swiss(logic, ALWAYS))
    assert found.outcome is OPEN
    assert f"VR-CH-0000 could not be evaluated ({code})" in found.reasons[0]
    assert on(swiss(logic, NEVER)).outcome is FAIL


def test_a_rule_that_could_not_be_read_leaves_it_open() -> None:
    found = on(swiss(ALWAYS, rules=[small(rule("VR-CH-0000", ALWAYS)), {"identifier": "VR-CH-0001"}, 5]))
    assert (found.outcome, found.reasons) == (OPEN, ("2 rules could not be read",))


def test_rules_that_are_not_valid_then_are_not_asked() -> None:
    assert on(swiss(ALWAYS), at="2021-06-01").outcome is NO_RULES
    versions = [
        small(rule("VR-CH-0001", NEVER, Version="1.0.9")),
        small(rule("VR-CH-0001", ALWAYS, Version="1.0.10")),
        small(rule("VR-CH-0001", NEVER, Version="1.1.0", ValidFrom="2022-07-01T00:00:00Z")),
    ]
    found = on(swiss(rules=versions))
    assert (found.outcome, window(found)) == (PASSED, ("2022-01-01T00:00", "2022-07-01T00:00"))


def test_the_time_is_known_to_the_second() -> None:
    rules = swiss(since("payload.v.0.dt", 10), up_to("payload.v.0.dt", 100))
    assert window(on(rules, at="2022-01-12")) == ("2022-01-20T00:00", "2022-04-20T00:00")
    assert on(rules, at="2022-04-19T23:59:59").outcome is PASSED
    assert on(rules, at="2022-04-20T00:00:00").outcome is FAIL
    after = swiss({"after": [plus(var("external.validationClock"), 0, "day"), plus(var("payload.v.0.dt"), 10, "day")]})
    assert on(after, at="2022-01-20T00:00:00").outcome is FAIL
    assert on(after, at="2022-01-20T00:00:01").outcome is PASSED


def test_the_day_begins_at_midnight_utc() -> None:
    rules = swiss({"not-before": [plus(START_OF_DAY, 0, "day"), plus("2022-06-01T10:00:00Z", 0, "day")]})
    assert on(rules, at="2022-06-01T23:59:59").outcome is FAIL
    assert window(on(rules, at="2022-06-01T23:59:59"))[0] == "2022-06-02T00:00"
    moved = swiss({"not-after": [plus(START_OF_DAY, 3, "day"), plus(var("payload.v.0.dt"), 20, "day")]})
    assert window(on(moved, at="2022-01-15")) == ("2022-01-01T00:00", "2022-01-28T00:00")


def test_the_envelope_is_told_as_days_of_swiss_clocks() -> None:
    logic = {
        "and": [
            {"===": [var("payload.h.iat"), "2022-01-12"]},
            {"===": [var("payload.h.exp"), "2023-06-01"]},
            {"===": [var("payload.h.iss"), "CH BAG"]},
            {"===": [var("payload.h.kid"), "MTIzNDU2Nzg="]},
            {"===": [var("payload.h.isLight"), False]},
            {"!": [var("payload.h.mode")]},
            {"===": [var("payload.dob"), "1984-02-29"]},
        ]
    }
    claims: dict[str, Any] = {
        "issued_at": moment("2022-01-11T23:30"),
        "expires_at": moment("2023-05-31T22:30"),
        "issuer": "CH BAG",
        "kid": b"12345678",
    }
    assert on(swiss(logic), **claims).outcome is PASSED
    none = {"and": [{"!": [var(f"payload.h.{name}")]} for name in ("iat", "exp", "iss", "kid")]}
    assert on(swiss(none)).outcome is PASSED


def test_a_positive_rapid_test_counts_from_the_midnight_before() -> None:
    rules = swiss(since("payload.t.0.sc", 10))
    positive = of("t", tt=RAPID, tr=POSITIVE, sc="2022-02-10T00:30:00+02:00")
    assert window(on(rules, positive, at="2022-02-12"))[0] == "2022-02-19T23:00"
    assert window(on(rules, of("t", sc="2022-02-10T00:30:00+02:00"), at="2022-02-12"))[0] == "2022-02-19T22:30"


def test_the_value_sets_of_the_document_are_used_or_those_that_are_given() -> None:
    logic = {"in": [var("payload.v.0.mp"), var("external.valueSets.vaccines-covid-19-names")]}
    assert on(swiss(logic, valueSets={"vaccines-covid-19-names": ["EU/1/20/1528"]})).outcome is PASSED
    assert on(swiss(logic, valueSets={"vaccines-covid-19-names": []})).outcome is FAIL
    assert on(swiss(logic)).outcome is OPEN
    assert on(swiss(logic, valueSets=None)).outcome is PASSED


def test_what_the_app_shows_is_told_beside() -> None:
    display = DISPLAY | {
        "is-only-valid-in-ch": ALWAYS,
        "renew-banner": {"if": [var("payload.h.exp"), "showRenewBanner", var("nothing")]},
        "eol-banner": var("nothing"),
        "broken": UNDEFINED,
        "long": {"if": [True, "x" * 100, "y"]},
    }
    rules = swiss(ALWAYS, displayRules=[{"id": name, "logic": logic} for name, logic in display.items()])
    found = on(rules, expires_at=moment("2023-01-01"))
    assert found.details == {
        "display-from-date": "2022-01-10",
        "display-until-date": "2022-10-06",
        "is-only-valid-in-ch": "true",
        "renew-banner": "showRenewBanner",
    }
    assert "2022" not in " ".join(found.reasons)


def test_of_tests_the_hour_is_shown() -> None:
    rules = swiss(
        ALWAYS,
        displayRules=[
            {"id": "display-from-date", "logic": plus(var("payload.t.0.sc"), 0, "day")},
            {"id": "display-until-date", "logic": plus(var("payload.t.0.sc"), 72, "hour")},
        ],
    )
    assert on(rules, of("t")).details["display-until-date"] == "2022-01-13T08:00:00+00:00"


def test_without_rules_for_display_a_certificate_that_meets_all_rules_is_open() -> None:
    assert on(swiss(ALWAYS, displayRules=[])).outcome is OPEN
    assert on(swiss(NEVER, displayRules=None)).outcome is FAIL
    assert on(
        swiss(ALWAYS, displayRules=[{"id": 5}, "x", *({"id": n, "logic": x} for n, x in DISPLAY.items())])
    ).outcome is (PASSED)


MODES = {
    "activeModes": [{"id": "THREE_G", "displayName": "3G"}],
    "verifierActiveModes": [{"id": "THREE_G"}, {"id": "TWO_G_PLUS"}, {"id": 5}, None],
    "logic": {
        "if": [
            {"===": [var("payload.h.mode"), "THREE_G"]},
            "success",
            {
                "if": [
                    var("payload.t"),
                    "SUCCESS_2G_PLUS",
                    {"if": [up_to("payload.v.0.dt", 120), "SUCCESS", "SUCCESS_2G"]},
                ]
            },
        ]
    },
}


def word(text: Any) -> Swiss:
    return swiss(ALWAYS, modeRules={"logic": {"if": [True, text, 1]}})


def test_a_mode_is_asked_for_beside_the_rules() -> None:
    rules = swiss(ALWAYS, modeRules=MODES)
    assert rules.options == {"mode": ("none", "THREE_G", "TWO_G_PLUS")}
    three = on(rules, mode="THREE_G")
    assert (three.outcome, three.status) == (PASSED, "SUCCESS")
    assert on(swiss(NEVER, modeRules=MODES), mode="THREE_G").status is None
    plus_ = on(rules, at="2022-02-01", mode="TWO_G_PLUS")
    assert (plus_.outcome, window(plus_)) == (PASSED, ("2022-01-01T00:00", "2022-05-10T00:00"))
    late = on(rules, mode="TWO_G_PLUS")
    assert (late.outcome, late.status) == (OPEN, "SUCCESS_2G")
    assert "a test certificate is needed" in late.reasons[0]


def test_two_certificates_make_up_for_each_other() -> None:
    rules = swiss(ALWAYS, modeRules=MODES)
    both = asked(rules, AT, subject(of("v")), subject(of("t")), mode="TWO_G_PLUS")
    assert (both.outcome, both.status) == (PASSED, "SUCCESS")
    assert asked(rules, AT, subject(of("t")), subject(of("t")), mode="TWO_G_PLUS").outcome is OPEN


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("SUCCESS", PASSED), ("SUCCESS_2G", OPEN), ("SUCCESS_2G_PLUS", OPEN), ("IS_LIGHT", FAIL), ("INVALID", FAIL),
        ("UNKNOWN_MODE", OPEN), ("", OPEN), (True, OPEN), (1, OPEN), (UNDEFINED, OPEN), ({"nonsense": [1]}, OPEN),
    ],
)  # fmt: skip
def test_what_the_rules_for_modes_say(text: Any, outcome: RulingOutcome) -> None:
    found = on(word(text), mode="TWO_G")
    assert found.outcome is outcome


def test_without_rules_for_modes_a_mode_is_open() -> None:
    for rules in (swiss(ALWAYS), swiss(ALWAYS, modeRules=5), swiss(ALWAYS, modeRules={"logic": True})):
        assert rules.options["mode"] == ("none", "THREE_G", "TWO_G", "TWO_G_PLUS", "TEST_CERT")
        assert on(rules, mode="TWO_G").outcome is OPEN
    with pytest.raises(RuleError) as caught:
        on(swiss(ALWAYS), mode="FOUR_G")
    assert caught.value.code is Code.RULE_CONFIG_INVALID


@pytest.mark.parametrize(
    "given",
    [
        b"", b"[]", b"{}", b'{"rules": {}}', b'{"rules": [], "rules": []}', b"\xff", b'{"rules": [NaN]}',
        b'{"rules": [], "valueSets": []}', b'{"rules": [], "valueSets": {"a": {}}}',
        b'{"rules": [], "valueSets": {"a": [1]}}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_such_document_is_refused(given: bytes) -> None:
    with pytest.raises(RuleError) as caught:
        Swiss(given, shipped())
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


def test_dates_at_the_ends_of_the_calendar_are_left_as_they_are() -> None:
    early = of("t", tt=RAPID, tr=POSITIVE, sc="0001-01-01T00:00:00Z")
    assert on(swiss({"===": [var("payload.t.0.sc"), "0001-01-01T00:00:00Z"]}), early).outcome is PASSED
    last = datetime.max.replace(tzinfo=UTC)
    assert on(swiss({"!": [var("payload.h.exp")]}), expires_at=last).outcome is PASSED


def test_rules_that_change_their_mind_too_often_are_open() -> None:
    many = [{"and": [since("payload.v.0.dt", 700 * number + days) for days in range(700)]} for number in range(5)]
    found = on(swiss(*many))
    assert found.outcome is OPEN
    assert "too often to follow" in found.reasons[0]


def test_a_rule_that_is_too_large_or_too_deep_is_open() -> None:
    large = {"and": [since("payload.v.0.dt", days) for days in range(3000)]}
    assert "(CERTLOGIC_LIMIT)" in on(swiss(large)).reasons[0]
    deep: dict[str, Any] = dict(ALWAYS)
    for _ in range(300):
        deep = {"!": [deep]}
    assert "(CERTLOGIC_LIMIT)" in on(swiss(deep)).reasons[0]
