"""Booster notifications: which certificates they are about, and which rule is the notification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.assessment import NationalRules
from healthcert.rules.national.registry import national_rules
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.valuesets import shipped
from tests.unit.rules.national.cases import (
    ALWAYS,
    NEVER,
    UNDEFINED,
    asked,
    moment,
    of,
    rule,
    since,
    subject,
    var,
    window,
)

PASSED, FAIL, OPEN, NO_RULES = (RulingOutcome(name) for name in ("PASSED", "FAIL", "OPEN", "NO_RULES"))
AT = "2022-06-01T12:00"


def booster(*logics: Any, **members: Any) -> NationalRules:
    """Rules of these expressions, the last of them with the lowest number."""
    given = [
        rule(f"BNR-DE-{100 - number:04}", logic, Type="BoosterNotification", **members)
        for number, logic in enumerate(logics)
    ]
    return national_rules("booster", json.dumps(given).encode(), shipped())


def test_passed_means_that_the_holder_is_to_be_notified() -> None:
    found = asked(booster(ALWAYS), AT, subject(of("v")))
    assert (found.outcome, found.status) == (PASSED, "BNR-DE-0100")
    assert found.reasons[0] == "notify: BNR-DE-0100 is met; nothing is accepted or refused by it"
    assert found.reasons[1] == "what BNR-DE-0100 asks"


def test_the_first_rule_by_identifier_that_is_met_is_named() -> None:
    assert asked(booster(ALWAYS, ALWAYS, NEVER), AT, subject(of("v"))).status == "BNR-DE-0099"
    assert asked(booster(ALWAYS, UNDEFINED), AT, subject(of("v"))).status == "BNR-DE-0100"


def test_where_no_rule_is_met_there_is_nothing_to_tell() -> None:
    found = asked(booster(NEVER), AT, subject(of("v")))
    assert (found.outcome, found.status) == (FAIL, None)
    assert found.reasons[0].startswith("do not notify")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (booster(NEVER, UNDEFINED), "BNR-DE-0099 could not be evaluated (CERTLOGIC_UNDEFINED)"),
        (booster(NEVER, ALWAYS, Engine="JsonFunctions"), "(RULE_NOT_SUPPORTED)"),
        (booster(ALWAYS, EngineVersion="2.0.0"), "newer version"),
        (booster(ALWAYS, SchemaVersion="2.0.0"), "another version"),
        (booster({"+": [1, 1]}), "neither true nor false"),
        (booster(NEVER, {"nonsense": [1]}), "(CERTLOGIC_INVALID)"),
        (booster(NEVER, NEVER, Country="D"), "2 rules could not be read"),
    ],
)
def test_what_could_not_be_evaluated_is_open(rules: NationalRules, reason: str) -> None:
    found = asked(rules, AT, subject(of("v")))
    assert found.outcome is OPEN
    assert any(reason in one for one in found.reasons)


def test_the_latest_vaccination_and_the_latest_recovery_are_asked_about_together() -> None:
    logic = {
        "and": [
            {"===": [var("payload.v.0.dn"), 3]},
            {"===": [var("payload.r.0.fr"), "2022-02-10"]},
            {"!": [var("payload.v.1")]},
            {"!": [var("payload.t")]},
            {"===": [var("payload.dob"), "1984-02-29"]},
        ]
    }
    certificates = (
        subject(of("v")),
        subject(of("r", fr="2022-02-10")),
        subject(of("v", dn=3, dt="2022-03-10")),
        subject(of("r")),
        subject(of("t")),
    )
    assert asked(booster(logic), AT, *certificates).outcome is PASSED
    assert asked(booster(logic), AT, *certificates[:2]).outcome is FAIL


def test_of_one_day_the_certificate_that_was_issued_last_counts() -> None:
    logic = {"===": [var("payload.v.0.ci"), "new"]}
    old = subject(of("v", ci="old"), issued_at=moment("2022-02-01"))
    new = subject(of("v", ci="new"), issued_at=moment("2022-03-01"))
    assert asked(booster(logic), AT, old, new).outcome is PASSED
    assert asked(booster(logic), AT, new, old).outcome is PASSED
    assert asked(booster(logic), "2022-02-15T00:00", new, old).outcome is FAIL


def test_without_a_vaccination_there_is_nothing_to_tell() -> None:
    found = asked(booster(ALWAYS), AT, subject(of("r")))
    assert found.outcome is FAIL
    assert "no vaccination" in found.reasons[0]


def test_a_certificate_without_its_date_and_certificates_of_two_holders_are_open() -> None:
    assert asked(booster(ALWAYS), AT, subject(of("v", dt="soon"))).outcome is OPEN
    assert asked(booster(ALWAYS), AT, subject(of("v")), subject(of("r"), born="1990-01-01")).outcome is OPEN
    assert asked(booster(ALWAYS), AT).outcome is OPEN


def test_value_sets_are_empty_and_the_country_is_germany() -> None:
    logic = {
        "and": [
            {"!": [var("external.valueSets")]},
            {"===": [var("external.countryCode"), "DE"]},
            {"===": [var("external.issuerCountryCode"), "DE"]},
            {"===": [var("external.kid"), ""]},
            {"===": [var("external.region"), ""]},
        ]
    }
    assert asked(booster(logic), AT, subject(of("v"), issuer="FR", kid=b"12345678")).outcome is PASSED


def test_the_time_in_which_it_is_to_be_told_is_known_to_the_second() -> None:
    rules = booster(since("payload.v.0.dt", 90))
    found = asked(rules, "2022-02-01T00:00", subject(of("v")))
    assert (found.outcome, window(found)) == (FAIL, ("2022-04-10T00:00", "2024-01-01T00:00"))
    assert asked(rules, "2022-04-09T23:59:59", subject(of("v"))).outcome is FAIL
    assert asked(rules, "2022-04-10T00:00:00", subject(of("v"))).outcome is PASSED


def test_only_rules_for_boosters_that_are_valid_count_and_of_versions_the_highest() -> None:
    assert asked(booster(ALWAYS), "2021-06-01", subject(of("v"))).outcome is NO_RULES
    assert asked(booster(ALWAYS, CertificateType="Test"), AT, subject(of("v"))).outcome is NO_RULES
    assert asked(booster(ALWAYS, Country="AT"), AT, subject(of("v"))).outcome is NO_RULES
    named = {"Type": "BoosterNotification"}
    versions = [
        rule("BNR-DE-0001", NEVER, Version="1.0.10", **named),
        rule("BNR-DE-0001", ALWAYS, Version="1.0.9", **named),
        rule("BNR-DE-0001", ALWAYS, Version="1.1.0", ValidFrom="2023-01-01T00:00:00Z", **named),
        rule("GR-DE-0001", ALWAYS),
    ]
    rules = national_rules("booster", json.dumps(versions).encode(), shipped())
    found = asked(rules, AT, subject(of("v")))
    assert (found.outcome, window(found)) == (FAIL, ("2023-01-01T00:00", "2024-01-01T00:00"))


def test_the_notification_is_in_the_language_that_is_asked_for() -> None:
    texts = [
        {"lang": "en", "desc": "A  booster\n\nis advised"},
        {"lang": "de", "desc": "Eine Auffrischung wird geraten"},
    ]
    rules = booster(ALWAYS, Description=texts)
    assert rules.options == {"language": ("en", "de")}
    assert asked(rules, AT, subject(of("v"))).reasons[1] == "A booster is advised"
    assert asked(rules, AT, subject(of("v")), language="de").reasons[1] == "Eine Auffrischung wird geraten"
    with pytest.raises(RuleError) as caught:
        asked(rules, AT, subject(of("v")), language="fr")
    assert caught.value.code is Code.RULE_CONFIG_INVALID
