"""Germany's statuses: all rules of one, at least one, and the rules of the region that is asked about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.assessment import NationalRules
from healthcert.rules.national.german import MASK, STATUSES
from healthcert.rules.national.registry import national_rules
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.valuesets import shipped
from tests.unit.rules.national.cases import (
    ALWAYS,
    BIONTECH,
    NEGATIVE,
    NEVER,
    POSITIVE,
    UNDEFINED,
    asked,
    moment,
    of,
    plus,
    rule,
    subject,
    up_to,
    var,
    window,
)

PASSED, FAIL, OPEN, NO_RULES = (RulingOutcome(name) for name in ("PASSED", "FAIL", "OPEN", "NO_RULES"))
AT = "2022-06-01T12:00"
B_TWO, C_TWO = "ImpfstatusBZwei", "ImpfstatusCZwei"


def domestic(*given: tuple[str, Any] | dict[str, Any]) -> NationalRules:
    """Rules, or expressions with the status that they are of."""
    rules = [
        one if isinstance(one, dict) else rule(f"R-DE-{number:04}", one[1], Type=one[0])
        for number, one in enumerate(given, 1)
    ]
    return national_rules("de-domestic", json.dumps(rules).encode(), shipped())


def test_a_status_holds_if_all_of_its_rules_are_met_and_those_that_hold_are_the_answer() -> None:
    rules = domestic((B_TWO, ALWAYS), (B_TWO, ALWAYS), (C_TWO, ALWAYS), (C_TWO, NEVER), (MASK, ALWAYS))
    found = asked(rules, AT, subject(of("v")))
    assert (found.outcome, found.status) == (PASSED, f"{B_TWO}, {MASK}")
    assert found.details == {
        B_TWO: "PASSED",
        C_TWO: "FAIL",
        "ImpfstatusEZwei": "NO_RULES",
        "ImpfstatusEEins": "NO_RULES",
        MASK: "PASSED",
    }
    assert found.reasons[0] == f"{B_TWO} holds: R-DE-0001, R-DE-0002 met"
    assert found.reasons[1] == f"{C_TWO} does not hold: R-DE-0004 not met"
    assert found.reasons[2] == "ImpfstatusEZwei: there are no rules for it then"


def test_a_status_without_rules_does_not_hold() -> None:
    assert asked(domestic(), AT, subject(of("v"))).outcome is NO_RULES
    found = asked(domestic((B_TWO, NEVER)), AT, subject(of("v")))
    assert (found.outcome, found.status) == (FAIL, None)


def test_what_could_not_be_evaluated_is_open() -> None:
    found = asked(domestic((B_TWO, ALWAYS), (B_TWO, UNDEFINED)), AT, subject(of("v")))
    assert (found.outcome, found.status, found.details[B_TWO]) == (OPEN, None, "OPEN")
    assert "R-DE-0002 could not be evaluated (CERTLOGIC_UNDEFINED)" in found.reasons[0]
    found = asked(domestic((B_TWO, NEVER), (B_TWO, UNDEFINED)), AT, subject(of("v")))
    assert found.details[B_TWO] == "FAIL"


def test_a_rule_that_could_not_be_read_may_be_one_of_any_status() -> None:
    found = asked(domestic((B_TWO, ALWAYS), (C_TWO, NEVER), {"Identifier": "?"}), AT, subject(of("v")))
    assert found.outcome is OPEN
    assert (found.details[B_TWO], found.details[C_TWO], found.details[MASK]) == ("OPEN", "FAIL", "OPEN")


def test_one_status_can_be_asked_for_alone() -> None:
    rules = domestic((B_TWO, ALWAYS), (MASK, NEVER))
    assert asked(rules, AT, subject(of("v")), status=MASK).outcome is FAIL
    assert asked(rules, AT, subject(of("v")), status=B_TWO).status == B_TWO
    assert rules.options["status"] == ("any", *STATUSES)
    with pytest.raises(RuleError) as caught:
        asked(rules, AT, subject(of("v")), status="ImpfstatusXZwei")
    assert caught.value.code is Code.RULE_CONFIG_INVALID


def test_a_region_has_rules_for_masks_of_its_own_and_no_others() -> None:
    rules = domestic(
        (B_TWO, ALWAYS),
        rule("MA-DE-0100", NEVER, Type=MASK),
        rule("MA-DE-0101", ALWAYS, Type=MASK, Region="sh"),
    )
    assert rules.options["region"] == ("none", "SH")
    assert asked(rules, AT, subject(of("v")), status=MASK).outcome is FAIL
    assert asked(rules, AT, subject(of("v")), status=MASK, region="SH").outcome is PASSED
    # The vaccination statuses are the same everywhere.
    assert asked(rules, AT, subject(of("v")), region="SH").status == f"{B_TWO}, {MASK}"
    with pytest.raises(RuleError):
        asked(rules, AT, subject(of("v")), region="BY")


def test_the_latest_of_all_certificates_are_asked_about_together() -> None:
    logic = {
        "and": [
            {"===": [var("payload.v.0.dt"), "2022-03-12"]},
            {"===": [var("payload.v.9.dt"), "2022-03-03"]},
            {"!": [var("payload.v.10")]},
            {"===": [var("payload.r.0.fr"), "2022-02-10"]},
            {"!": [var("payload.r.1")]},
            {"===": [var("payload.t.0.sc"), "2022-05-31T08:00:00Z"]},
            {"!": [var("payload.t.1")]},
        ]
    }
    certificates = [subject(of("v", dt=f"2022-03-{day:02}")) for day in range(1, 13)]
    certificates += [subject(of("r")), subject(of("r", fr="2022-02-10"))]
    certificates += [subject(of("t", sc="2022-05-31T08:00:00Z")), subject(of("t"))]
    assert asked(domestic((B_TWO, logic)), AT, *certificates).outcome is PASSED


def test_a_certificate_counts_while_it_is_valid() -> None:
    one = subject(of("v", dn=3), issued_at=moment("2022-02-01"), expires_at=moment("2022-08-01"))
    other = subject(of("v", dt="2022-01-01"))
    rules = domestic((B_TWO, {"===": [var("payload.v.0.dn"), 3]}))
    found = asked(rules, AT, one, other)
    assert (found.status, window(found)) == (B_TWO, ("2022-02-01T00:00", "2022-08-01T00:00"))
    assert asked(rules, "2022-08-01T00:00:01", one, other).outcome is FAIL
    assert asked(rules, "2022-08-01T00:00:01", one).reasons[0].startswith("no certificate with an entry")


def test_the_time_is_that_in_which_the_same_statuses_hold() -> None:
    rules = domestic((B_TWO, ALWAYS), (MASK, up_to("payload.v.0.dt", 90)))
    found = asked(rules, "2022-02-01", subject(of("v")))
    assert (found.status, window(found)) == (f"{B_TWO}, {MASK}", ("2022-01-01T00:00", "2022-04-10T00:00"))
    later = asked(rules, "2022-04-10", subject(of("v")))
    assert (later.status, window(later)) == (B_TWO, ("2022-04-10T00:00", "2024-01-01T00:00"))


def test_months_and_years_are_followed_as_the_language_counts_them() -> None:
    logic = {"not-before": [plus(var("external.validationClock"), -1, "month"), plus("2022-01-31", 0, "day")]}
    found = asked(domestic((B_TWO, logic)), "2022-02-01", subject(of("v")))
    # A month before 1 March 2022 is 1 February, as a month before 28 February is 28 January.
    assert (found.outcome, window(found)[0]) == (FAIL, "2022-03-01T00:00")


def test_a_ccl_configuration_is_said_not_to_be_supported() -> None:
    functions = {"JfnDescriptors": [{"name": "getDccWalletInfo"}]}
    configuration = rule("CCL-DE-0001", functions, Type="CCLConfiguration", Engine="JsonFunctions")
    del configuration["CertificateType"]
    alone = asked(domestic(configuration), AT, subject(of("v")))
    assert alone.outcome is OPEN
    assert "CCL-DE-0001 is in JsonFunctions, which is not supported (RULE_NOT_SUPPORTED)" in alone.reasons[-1]
    beside = asked(domestic((B_TWO, ALWAYS), configuration), AT, subject(of("v")))
    assert (beside.outcome, beside.status) == (PASSED, B_TWO)
    assert "JsonFunctions" in beside.reasons[-1]


def test_a_status_in_another_language_is_open() -> None:
    rules = domestic(rule("MA-DE-0100", ALWAYS, Type=MASK, Engine="JsonFunctions"))
    found = asked(rules, AT, subject(of("v")), status=MASK)
    assert found.outcome is OPEN
    assert "RULE_NOT_SUPPORTED" in found.reasons[0]


def test_certificates_that_are_not_of_one_holder_or_without_dates_are_open() -> None:
    rules = domestic((B_TWO, ALWAYS))
    assert asked(rules, AT, subject(of("v")), subject(of("t"), born="1990-01-01")).outcome is OPEN
    assert asked(rules, AT, subject(of("v", dt=None))).outcome is OPEN
    assert asked(rules, AT, subject()).outcome is FAIL


# --- What a certificate must be to count ---

FRAUD = rule("IR-DE-0001", {"!": [{"===": [var("payload.v.0.ci"), "FRAUD"]}]}, Type="Invalidation")
NEGATIVE_ONLY = rule(
    "TR-DE-0004", {"===": [var("payload.t.0.tr"), NEGATIVE]}, Type="Acceptance", CertificateType="Test"
)
PRODUCT = rule("VR-DE-5002", {"===": [var("payload.v.0.mp"), BIONTECH]}, CertificateType="Vaccination")
BY_HOURS = (
    MASK,
    {
        "if": [
            var("payload.t.0"),
            {"not-before": [plus(var("payload.t.0.sc"), 24, "hour"), plus(var("external.validationClock"), 0, "day")]},
            {"if": [var("payload.v.0"), True, False]},
        ]
    },
)
LATE, EARLY = "2022-06-01T10:00:00Z", "2022-06-01T02:00:00Z"


@pytest.mark.parametrize(
    ("entries", "outcome", "reason"),
    [
        ([of("t", sc=LATE)], PASSED, "Mask holds"),
        ([of("t", sc=LATE, tr=POSITIVE)], FAIL, "Mask does not hold: TR-DE-0004 not met"),
        # The latest test counts: a negative one before it does not make up for it, and a positive one does not matter.
        ([of("t", sc=LATE, tr=POSITIVE), of("t", sc=EARLY)], FAIL, "TR-DE-0004"),
        ([of("t", sc=EARLY, tr=POSITIVE), of("t", sc=LATE)], PASSED, "Mask holds"),
        ([of("v"), of("t", sc=LATE, tr=POSITIVE)], FAIL, "TR-DE-0004"),
        ([of("v")], PASSED, "Mask holds"),
        ([of("v", mp="Covishield")], FAIL, "VR-DE-5002"),
        # A vaccination that does not count does not take from a test either.
        ([of("v", mp="Covishield"), of("t", sc=LATE)], PASSED, "Mask holds"),
        ([of("v", mp="Covishield"), of("v", dt="2021-12-01")], PASSED, "Mask holds"),
        ([of("t", sc=LATE, tr=None)], FAIL, "TR-DE-0004"),
        ([of("v", ci="FRAUD")], FAIL, "does not count: IR-DE-0001 not met"),
        ([of("v", ci="FRAUD"), of("t", sc=LATE)], PASSED, "Mask holds"),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_what_counts_for_a_mask(
    entries: list[dict[str, Any]], outcome: RulingOutcome, reason: str, reverse: bool
) -> None:
    rules = domestic(FRAUD, NEGATIVE_ONLY, PRODUCT, BY_HOURS)
    given = [subject(entry, issuer="DE") for entry in entries]
    found = asked(rules, AT, *(reversed(given) if reverse else given), status=MASK)
    assert found.outcome is outcome
    assert any(reason in one for one in found.reasons)


def test_a_vaccination_that_its_issuer_declared_invalid_gives_no_status() -> None:
    rules = domestic(FRAUD, (B_TWO, {"===": [var("payload.v.0.dn"), 3]}))
    bad, good = subject(of("v", ci="FRAUD", dn=3), issuer="DE"), subject(of("v", dn=3, dt="2021-12-01"), issuer="DE")
    found = asked(rules, AT, bad)
    assert (found.outcome, found.status) == (FAIL, None)
    assert found.reasons == (
        "no certificate with an entry is issued by then and has not expired",
        "a certificate does not count: IR-DE-0001 not met",
    )
    assert asked(rules, AT, bad, good).status == B_TWO
    # Rules of invalidation are those of the issuer's country.
    assert asked(rules, AT, subject(of("v", ci="FRAUD", dn=3), issuer="FR")).status == B_TWO
    # The rules of acceptance are about entry and masks, and not about these.
    assert asked(domestic(PRODUCT, (B_TWO, ALWAYS)), AT, subject(of("v", mp="Covishield"))).status == B_TWO


@pytest.mark.parametrize("type_", ["Acceptance", "Invalidation"])
def test_a_condition_that_could_not_be_evaluated_is_open(type_: str) -> None:
    rules = domestic(rule("GR-DE-0009", UNDEFINED, Type=type_), (MASK, ALWAYS), (B_TWO, ALWAYS))
    found = asked(rules, AT, subject(of("v"), issuer="DE"))
    assert found.details[MASK] == "OPEN"
    assert found.details[B_TWO] == ("OPEN" if type_ == "Invalidation" else "PASSED")


def test_a_condition_of_a_region_counts_there() -> None:
    rules = domestic(
        rule("GR-DE-0009", NEVER, Region="SH"), rule("MA-DE-0101", ALWAYS, Type=MASK, Region="SH"), (MASK, ALWAYS)
    )
    assert asked(rules, AT, subject(of("v")), status=MASK).outcome is PASSED
    assert asked(rules, AT, subject(of("v")), status=MASK, region="SH").outcome is FAIL


def test_conditions_of_other_countries_are_not_asked() -> None:
    others = [rule(f"GR-FR-{number:04}", NEVER, Country="FR") for number in range(3)]
    others.append(rule("IR-FR-0001", NEVER, Country="FR", Type="Invalidation"))
    assert asked(domestic(*others, (MASK, ALWAYS)), AT, subject(of("v"), issuer="DE")).status == MASK
    assert asked(domestic(*others), AT, subject(of("v"), issuer="DE")).outcome is NO_RULES
