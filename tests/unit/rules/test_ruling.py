"""What one rule says, what stands in its way, and what the rules come to together."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from healthcert.errors import Code
from healthcert.rules.ruling import RuleState, RulingOutcome, combined
from tests.unit.rules.judging import AT, PAYLOAD, judge, rule, subject
from tests.unit.rules.lists import FAILS, PASSES

PASSED, FAIL, OPEN, NO_RULES = RulingOutcome
SAYS: dict[RuleState, Any] = {
    RuleState.PASSED: PASSES,
    RuleState.FAIL: FAILS,
    RuleState.OPEN: {"if": [True, "text", True]},
}
SECRETS = ("MUSTERMANN", "1964", "5CWLU12RNOB9RXSEOP6FG8", "2022-01-20")


def only(*rules: Any, **options: Any) -> Any:
    (result,) = judge(*rules, **options).results
    return result


# --- One rule ---


@pytest.mark.parametrize(
    ("logic", "state"),
    [
        (PASSES, RuleState.PASSED), (FAILS, RuleState.FAIL),
        ({"===": [{"var": "payload.v.0.dn"}, 2]}, RuleState.PASSED),
        ({"===": [{"var": "payload.v.0.dn"}, 1]}, RuleState.FAIL),
    ],
)  # fmt: skip
def test_states(logic: Any, state: RuleState) -> None:
    result = only(rule(logic=logic))
    assert (result.state, result.code, result.detail) == (state, None, "")


@pytest.mark.parametrize(
    "logic",
    [
        {"var": "payload.v"}, {"var": "payload.v.0.dn"}, {"var": "payload.none"}, {"var": "payload.dob"},
        {"+": [0, 0]}, {"+": [0, 1]},
        {"and": [True, "x"]}, {"and": [{"var": "none"}, True]}, {"if": [True, [], True]}, {"if": [True, 0, True]},
        {"if": [True, 1.0, True]},
        {"plusTime": ["2021-05-04", 0, "day"]}, {"dccDateOfBirth": ["1964"]}, {"extractFromUVCI": ["a", 0]},
        {"reduce": [[], 1, 0]},
    ],
)  # fmt: skip
def test_what_is_neither_true_nor_false_is_open(logic: Any) -> None:
    """Truthy is not true: a rule that says anything else says nothing."""
    result = only(rule(logic=logic))
    assert (result.state, result.code) == (RuleState.OPEN, Code.CERTLOGIC_UNDEFINED)
    assert judge(rule(logic=logic)).outcome is OPEN


@pytest.mark.parametrize(
    ("logic", "code"),
    [
        ({"<": [{"var": "payload.none"}, 1]}, Code.CERTLOGIC_UNDEFINED),
        ({"before": [{"plusTime": ["1963-00", 0, "day"]}, {"plusTime": ["2021", 0, "day"]}]}, Code.CERTLOGIC_UNDEFINED),
        ({"or": [True, True]}, Code.CERTLOGIC_INVALID),
        ({"!": [None]}, Code.CERTLOGIC_INVALID),
        ({"===": [1], "!": [1]}, Code.CERTLOGIC_INVALID),
        ({"!": [[[[[[0] * 200] * 10] * 10]]]}, Code.CERTLOGIC_LIMIT),
        ({"===": [2**60, 1]}, Code.CERTLOGIC_LIMIT),
    ],
)
def test_what_cannot_be_evaluated_is_open(logic: Any, code: Code) -> None:
    result = only(rule(logic=logic))
    assert (result.state, result.code) == (RuleState.OPEN, code)
    assert result.detail
    assert result.comparisons == ()


def test_a_date_of_birth_that_is_none_is_open() -> None:
    """``1963-00`` is in real certificates; others take it for 1962, or for nothing that is before anything."""
    adult = {
        "not-after": [
            {"plusTime": [{"var": "payload.dob"}, 18, "year"]},
            {"plusTime": [{"var": "external.validationClock"}, 0, "day"]},
        ]
    }
    states = {
        dob: only(rule(logic=adult), about=subject(payload=PAYLOAD | {"dob": dob})).state
        for dob in ("1963-00", "1963", "2020", "", None)
    }
    assert states == {"1963-00": "OPEN", "1963": "PASSED", "2020": "FAIL", "": "OPEN", None: "OPEN"}


# --- Gates ---


@pytest.mark.parametrize(
    ("engine", "meets"),
    [
        ("CERTLOGIC", True),
        ("CertLogic", True),
        ("certlogic", True),
        ("JsonFunctions", False),
        ("CQL", False),
        ("CERTLOGIC2", False),
    ],
)
def test_engine(engine: str, meets: bool) -> None:
    gated(meets, Engine=engine)


@pytest.mark.parametrize(
    ("version", "meets"),
    [("0.1.0", True), ("0.7.5", True), ("1.0.0", True), ("1.3.3", True), ("1.3.4", False), ("1.4.0", False),
    ("2.0.1", False), ("1.3.33", False),
     ("1", False), ("latest", False), ("1.3.3 ", False)],
)  # fmt: skip
def test_engine_version(version: str, meets: bool) -> None:
    gated(meets, EngineVersion=version)


def test_engine_version_is_a_choice() -> None:
    for version, cap, state in (
        ("1.0.0", "1.0.0", "PASSED"),
        ("1.0.1", "1.0.0", "OPEN"),
        ("2.0.1", "2.0.1", "PASSED"),
        ("0.7.5", "0.7.4", "OPEN"),
    ):
        assert only(rule(EngineVersion=version), engine_version=cap).state == state
    # One book is asked by policies of both kinds.
    asked = rule(EngineVersion="1.2.0")
    assert [only(asked, engine_version=cap).state for cap in ("1.3.3", "1.0.0", "1.3.3")] == [
        "PASSED",
        "OPEN",
        "PASSED",
    ]


@pytest.mark.parametrize(
    ("schema", "version", "meets"),
    [
        ("1.0.0", "1.0.0", True), ("1.0.0", "1.3.0", True), ("1.3.0", "1.3.0", True), ("1.3.0", "1.3.2", True),
        ("1.3.1", "1.3.0", False),
        ("1.3.0", "1.2.9", False), ("1.3.0", "1.10.0", True), ("2.0.0", "1.3.0", False), ("1.0.0", "2.0.0", False),
        ("0.9.0", "1.0.0", False),
        ("1.0.0", None, False), ("1.0.0", "", False), ("1.0.0", "1.3", False), ("1.0.0", "1.3.0\n", False),
        ("1.0.0", 1, False),
        ("1.0.0", ["1.3.0"], False), ("1.0.0", "1.3.0-beta", False), ("x", "1.3.0", False), ("1.0", "1.0.0", False),
    ],
)  # fmt: skip
def test_schema_version(schema: str, version: Any, meets: bool) -> None:
    gated(meets, about=subject(payload=PAYLOAD | {"ver": version}), SchemaVersion=schema)


def test_schema_version_that_is_missing() -> None:
    payload = {name: value for name, value in PAYLOAD.items() if name != "ver"}
    gated(False, about=subject(payload=payload))


def gated(meets: bool, about: Any = None, **changes: Any) -> None:
    """A rule that is not for this engine is not even a refusal."""
    for logic, state in ((PASSES, RuleState.PASSED), (FAILS, RuleState.FAIL)):
        result = only(rule(logic=logic, **changes), about=about)
        if meets:
            assert (result.state, result.code) == (state, None)
        else:
            assert (result.state, result.code) == (RuleState.OPEN, Code.RULE_NOT_SUPPORTED)
            assert result.comparisons == ()


# --- Together ---


def test_how_results_combine() -> None:
    """A refusal counts before what is open, and that before what is passed."""
    for length in range(1, 4):
        for states in product(RuleState, repeat=length):
            rules = [rule(f"GR-FR-{number:04}", SAYS[state]) for number, state in enumerate(states)]
            ruling = judge(*rules)
            expected = FAIL if "FAIL" in states else OPEN if "OPEN" in states else PASSED
            assert ruling.outcome is expected
            assert tuple(one.state for one in ruling.results) == states
            for state in RuleState:
                assert len(ruling.of(state)) == states.count(state)
                assert all(one.state is state for one in ruling.of(state))
            assert combined(ruling.results, accepts=False, unreadable=0) is (
                NO_RULES if expected is PASSED else expected
            )
            assert combined(ruling.results, accepts=True, unreadable=1) is (OPEN if expected is PASSED else expected)


def test_nothing_at_all_is_no_rules() -> None:
    assert combined((), accepts=False, unreadable=0) is NO_RULES
    assert combined((), accepts=False, unreadable=1) is OPEN


# --- What a rule looked at ---


def test_values_of_the_affected_fields() -> None:
    fields = ["v.0", "v.0.dn", "v.0.none", "dob", "t.0.sc", "", "v.0.dn.x"]
    result = only(rule(logic=FAILS, AffectedFields=fields))
    dose = PAYLOAD["v"][0]
    assert result.values == (
        ("v.0", dose), ("v.0.dn", 2), ("v.0.none", None), ("dob", "1964-08-12"), ("t.0.sc", None), ("", PAYLOAD),
        ("v.0.dn.x", None),
    )  # fmt: skip


def test_comparisons_that_decided() -> None:
    result = only(rule(logic={"and": [{"===": [{"var": "payload.v.0.sd"}, 2]}, {">": [{"var": "payload.v.0.dn"}, 2]}]}))
    (comparison,) = result.comparisons
    assert (comparison.operator, comparison.held) == (">", False)
    assert [(one.path, one.value) for one in comparison.operands] == [("payload.v.0.dn", 2), (None, 2)]


def test_nothing_personal_in_what_may_be_logged() -> None:
    asks: list[Any] = [
        PASSES, FAILS, {"var": "payload"}, {"<": [{"var": "payload.dob"}, 1]},
        {"plusTime": [{"var": "payload.nam.fnt"}, 0, "day"]},
        {"in": [1, {"var": "payload.v.0.ci"}]}, {"if": [{"var": "payload.v.0.dt"},
        {"dccDateOfBirth": [{"var": "payload.v.0.ci"}]}, 1]},
    ]  # fmt: skip
    ruling = judge(*(rule(f"GR-FR-{number:04}", logic) for number, logic in enumerate(asks)))
    said = (
        repr(ruling)
        + repr(ruling.results)
        + "".join(f"{one.detail} {one!r} {one.rule!r} {one.comparisons!r}" for one in ruling.results)
    )
    assert not [secret for secret in SECRETS if secret in said]
    assert ruling.at == AT


def test_names_of_value_sets_in_the_detail_may_be_logged() -> None:
    hostile = "external.valueSets.\x1b[31m\nroot"
    result = only(rule(logic={"in": [1, {"var": hostile}]}))
    assert result.detail.isprintable()
    result = only(rule(logic={"in": [1, {"var": "external.valueSets." + "x" * 5000}]}))
    assert len(result.detail) < 200


def test_a_value_set_that_is_not_known_is_named_only_where_it_is_the_reason() -> None:
    asked = {"in": ["x", {"var": "external.valueSets.nobody-has-it"}]}
    (unknown,) = judge(rule(logic=asked)).results
    assert (unknown.state, unknown.code) == (RuleState.OPEN, Code.CERTLOGIC_UNDEFINED)
    assert unknown.detail == "it asks for a value set that is not known: nobody-has-it"
    (other,) = judge(rule(logic={"and": [{"<": [{"var": "payload.dob"}, 1]}, asked]})).results
    assert (other.state, other.detail) == (RuleState.OPEN, "not an integer")
