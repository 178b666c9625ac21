"""What is wrong with a rule: each check at its bounds, and that whatever is given, it is told of and not raised."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import RuleError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules import certlogic
from healthcert.rules.lint.authoring import member, paths_of, read_document
from healthcert.rules.lint.checks import check_rule, moment_of
from healthcert.rules.lint.findings import Finding, Problem, Severity
from healthcert.rules.lint.gateway_schema import schema_problems
from healthcert.rules.lint.logic_checks import EXTERNAL, VALUE_SETS
from healthcert.rules.lint.upload_checks import check_upload
from tests.unit.rules.lint.authored import GONE, RULE, logic, rule

ROOT = Path(__file__).resolve().parents[4]
DESCRIPTION = RULE["Description"]
ENGLISH = DESCRIPTION[0]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def names(problems: tuple[Problem, ...] | list[Problem]) -> list[str]:
    return [problem.name for problem in problems]


def test_a_rule_without_fault() -> None:
    assert check_rule(RULE) == check_rule(json.dumps(RULE).encode()) == ()
    assert check_rule(rule(Region="TYR")) == check_rule(rule(Region="")) == ()
    assert check_rule(rule(Type="Invalidation", Identifier="IR-XX-0001")) == ()


# --- The gateway's schema, identifier, country ---


@pytest.mark.parametrize(
    ("change", "where"),
    [
        *(({name: GONE}, f"$.{name}") for name in RULE),
        *(({name: 5}, f"$.{name}") for name in RULE),
        ({"Extra": 1}, "$.Extra"),
        ({"x y": 1}, '$["x y"]'),
        ({"Identifier": "VR-XX-00011"}, "$.Identifier"),
        ({"Identifier": "VR-XX-0001\n"}, "$.Identifier"),
        ({"Identifier": "VR-XX-٠٠٠١"}, "$.Identifier"),
        ({"Identifier": "BNR-DE-0400"}, "$.Identifier"),
        ({"Type": "BoosterNotification"}, "$.Type"),
        ({"Country": "xx"}, "$.Country"),
        ({"Region": "TOOBIG"}, "$.Region"),
        ({"Region": None}, "$.Region"),
        ({"Version": "1.0"}, "$.Version"),
        ({"CertificateType": "vaccination"}, "$.CertificateType"),
        ({"Description": []}, "$.Description"),
        ({"Description": [{"lang": "fr", "desc": "x" * 20}]}, "$.Description"),
        ({"Description": [ENGLISH, 5]}, "$.Description[1]"),
        ({"Description": [ENGLISH, {"lang": "FR", "desc": "x" * 20}]}, "$.Description[1].lang"),
        ({"Description": [ENGLISH, {"lang": "fr", "desc": "x" * 19}]}, "$.Description[1].desc"),
        ({"Description": [ENGLISH, {"lang": "fr"}]}, "$.Description[1].desc"),
        ({"ValidFrom": "2022-01-15"}, "$.ValidFrom"),
        ({"ValidFrom": "2022-01-15T00:00:00.000Z"}, "$.ValidFrom"),
        ({"ValidTo": "2030-01-15T00:00:00"}, "$.ValidTo"),
        ({"AffectedFields": []}, "$.AffectedFields"),
        ({"AffectedFields": ["v.0", 1]}, "$.AffectedFields[1]"),
        ({"Logic": True}, "$.Logic"),
        ({"Logic": {}}, "$.Logic"),
    ],
)
def test_schema(change: dict[str, Any], where: str) -> None:
    found = check_rule(rule(**change))
    assert (Severity.ERROR, Finding.SCHEMA, where) in [(one.severity, one.name, one.where) for one in found]


@pytest.mark.parametrize("value", [None, True, 5, "rule", [], [RULE]])
def test_what_is_no_object_is_no_rule(value: Any) -> None:
    assert [(one.name, one.where) for one in schema_problems(value, "$[3]")] == [(Finding.SCHEMA, "$[3]")]
    assert names(check_rule(json.dumps(value).encode())) == [Finding.SCHEMA]


def test_so_many_faults_are_not_all_told() -> None:
    assert len(schema_problems({str(number): 1 for number in range(1000)})) == 50


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"Type": "Invalidation"}, Finding.IDENTIFIER_TYPE),
        ({"Identifier": "IR-XX-0001"}, Finding.IDENTIFIER_TYPE),
        ({"Identifier": "GR-XX-0001"}, Finding.IDENTIFIER_TYPE),
        ({"CertificateType": "General"}, Finding.IDENTIFIER_TYPE),
        ({"Identifier": "VR-YY-0001"}, Finding.IDENTIFIER_COUNTRY),
        ({"Country": "YY"}, Finding.IDENTIFIER_COUNTRY),
        ({"Engine": "CertLogic"}, Finding.ENGINE),
        ({"EngineVersion": "0.7.4"}, Finding.ENGINE_VERSION),
        ({"EngineVersion": "1.3.4"}, Finding.ENGINE_VERSION),
        ({"EngineVersion": "2.0.1"}, Finding.ENGINE_VERSION),
        ({"ValidFrom": "2022-02-30T00:00:00Z"}, Finding.MOMENT),
        ({"ValidFrom": "2022-01-15T24:00:00Z"}, Finding.MOMENT),
        ({"ValidTo": "2030-01-15T00:00:00+19:00"}, Finding.MOMENT),
        ({"ValidTo": "0000-01-15T00:00:00Z"}, Finding.MOMENT),
        ({"ValidTo": "2022-01-15T00:00:00Z"}, Finding.PERIOD),
        ({"ValidTo": "2022-01-17T23:59:59Z"}, Finding.PERIOD),
        ({"ValidTo": "2022-01-18T01:59:59+02:00"}, Finding.PERIOD),
        ({"Version": "1.0.1234567890"}, Finding.RULE_INVALID),
    ],
)
def test_errors(change: dict[str, Any], name: Finding) -> None:
    assert [(one.severity, one.name) for one in check_rule(rule(**change))] == [(Severity.ERROR, name)]


@pytest.mark.parametrize(
    "change",
    [
        {"EngineVersion": "1.3.3"},
        {"ValidTo": "2022-01-18T00:00:00Z"},
        {"ValidTo": "2022-01-18T18:00:00+18:00"},
    ],
)
def test_bounds_that_just_hold(change: dict[str, Any]) -> None:
    assert check_rule(rule(**change)) == ()


@pytest.mark.parametrize(
    ("change", "name", "where"),
    [
        ({"Region": "XX"}, Finding.REGION, "$.Region"),
        ({"Description": [ENGLISH, ENGLISH]}, Finding.LANGUAGE_TWICE, "$.Description[1].lang"),
        ({"Description": [ENGLISH, ENGLISH | {"lang": "si"}]}, Finding.LANGUAGE_COUNTRY, "$.Description[1].lang"),
        ({"Description": [ENGLISH, ENGLISH | {"lang": "ua-ua"}]}, Finding.LANGUAGE_COUNTRY, "$.Description[1].lang"),
    ],
)
def test_warnings(change: dict[str, Any], name: Finding, where: str) -> None:
    [problem] = check_rule(rule(**change))
    assert (problem.severity, problem.name, problem.where) == (Severity.WARNING, name, where)


def test_the_gravest_come_first_and_paths_begin_where_the_rule_stands() -> None:
    found = check_rule(rule(Region="XX", Engine="X"), path="$[2]")
    assert [one.where for one in found] == ["$[2].Engine", "$[2].Region"]


def test_moments() -> None:
    assert moment_of("2022-01-15T01:00:00+01:00") == datetime(2022, 1, 15, tzinfo=UTC)
    for wrong in (
        None,
        5,
        "",
        "2022-01-15",
        "2022-13-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "٢٠٢٢-01-15T00:00:00Z",
    ):
        assert moment_of(wrong) is None, wrong


# --- The logic ---


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (rule(AffectedFields=["v.0"]), "not listed, though the logic reads: v.0.dt, v.0.ma"),
        (rule(AffectedFields=[*RULE["AffectedFields"], "v.0.mp"]), "listed, though the logic does not read: v.0.mp"),
        (rule(AffectedFields=[*RULE["AffectedFields"], "v.0"]), "listed more than once: v.0"),
        (rule(AffectedFields=["payload." + field for field in RULE["AffectedFields"]]), "not listed"),
    ],
)
def test_affected_fields(made: dict[str, Any], expected: str) -> None:
    problem = check_rule(made)[0]
    assert (problem.name, problem.where) == (Finding.AFFECTED_FIELDS, "$.AffectedFields")
    assert problem.message.startswith(expected)


def test_what_a_reduce_reads_of_its_own_is_no_field() -> None:
    count = {"reduce": [{"var": "payload.v"}, {"+": [{"var": "accumulator"}, {"var": "current.dn"}]}, 0]}
    assert check_rule(logic({"===": [count, 1]}, "v")) == ()
    wrong = {"reduce": [{"var": "payload.v"}, {"+": [{"var": "accumulator"}, {"var": "payload.v.0.dn"}]}, 0]}
    [problem] = check_rule(logic({"===": [wrong, 1]}, "v"))
    assert (problem.name, problem.where) == (Finding.ACCESS_UNKNOWN, '$.Logic["==="][0].reduce[1]')


@pytest.mark.parametrize(
    ("access", "name"),
    [
        *((f"external.{known}", None) for known in sorted(EXTERNAL)),
        *((f"external.valueSets.{known}", None) for known in sorted(VALUE_SETS)),
        ("external.valueSets.vaccines-covid-19", Finding.VALUE_SET_UNKNOWN),
        ("external.valueSets", Finding.ACCESS_UNKNOWN),
        ("external.validationClock.x", Finding.ACCESS_UNKNOWN),
        ("external.validationClockAtStartOfDay", Finding.ACCESS_UNKNOWN),
        ("external", Finding.ACCESS_UNKNOWN),
        ("payload", Finding.ACCESS_UNKNOWN),
        ("payloads.v", Finding.ACCESS_UNKNOWN),
        ("", Finding.ACCESS_UNKNOWN),
    ],
)
def test_what_may_be_read(access: str, name: Finding | None) -> None:
    found = check_rule(logic({"if": [{"var": "payload.v"}, {"!": [{"var": access}]}, True]}, "v"))
    assert names(found) == ([name] if name else [])
    assert [one.where for one in found] == (['$.Logic.if[1]["!"][0]'] if name else [])


@pytest.mark.parametrize(
    ("certificate_type", "identifier", "field", "right"),
    [
        ("Vaccination", "VR-XX-0001", "v.0.dt", True),
        ("Vaccination", "VR-XX-0001", "v", True),
        ("Vaccination", "VR-XX-0001", "dob", True),
        ("Vaccination", "VR-XX-0001", "ver", False),
        ("Test", "TR-XX-0001", "t.0.tt", True),
        ("Test", "TR-XX-0001", "v.0", False),
        ("Recovery", "RR-XX-0001", "r.0", True),
        ("Recovery", "RR-XX-0001", "nam.fn", False),
        ("General", "GR-XX-0001", "nam.fn", True),
    ],
)
def test_a_rule_reads_its_own_group(certificate_type: str, identifier: str, field: str, right: bool) -> None:
    expression = {"if": [{"var": f"payload.{field}"}, True, True]}
    found = check_rule(logic(expression, field, Identifier=identifier, CertificateType=certificate_type))
    assert names(found) == ([] if right else [Finding.ACCESS_OTHER_GROUP])


@pytest.mark.parametrize(
    ("part", "since"),
    [
        ({"plusTime": [{"var": "payload.v.0.dt"}, 1, "month"]}, "1.1.0"),
        ({"plusTime": [{"var": "payload.v.0.dt"}, 1, "year"]}, "1.1.0"),
        ({"extractFromUVCI": [{"var": "payload.v.0.dt"}, 1]}, "1.2.0"),
        ({"dccDateOfBirth": [{"var": "payload.v.0.dt"}]}, "1.3.0"),
        ({"if": [{"var": "payload.v.0.dt"}, {"plusTime": ["2022-01", 1, "day"]}, False]}, "1.3.2"),
    ],
)
def test_operators_newer_than_the_rule_says(part: dict[str, Any], since: str) -> None:
    expression = {"if": [{"===": [part, part]}, True, False]}
    major, minor, patch = map(int, since.split("."))
    before = f"{major}.{minor - 1}.9" if patch == 0 else f"{major}.{minor}.{patch - 1}"
    assert check_rule(logic(expression, "v.0.dt", EngineVersion=since)) == ()
    [problem] = check_rule(logic(expression, "v.0.dt", EngineVersion=before))  # once, however often
    assert (problem.severity, problem.name) == (Severity.WARNING, Finding.OPERATOR_NEWER)
    assert since in problem.message
    assert problem.where.startswith('$.Logic.if[0]["==="][0]')


@pytest.mark.parametrize(
    ("expression", "where", "message"),
    [
        ({"if": [True, {"or": [True, False]}, True]}, "$.Logic.if[1]", 'unrecognised operator: "or"'),
        ({"if": [True, True]}, "$.Logic", "must have exactly 3 values/operands, but it has 2"),
        ({"if": [True, None, True]}, "$.Logic.if[1]", "invalid CertLogic expression"),
        ({"+": [1, 1.5]}, '$.Logic["+"][1]', "1.5 is a non-integer number"),
        ({"!": [{"var": "x."}]}, '$.Logic["!"][0]', "data access path doesn't have a valid format: x."),
        ({"+": [2**53 + 1, 1]}, "$.Logic", "an integer beyond 2^53"),
    ],
)
def test_logic_that_is_none(expression: Any, where: str, message: str) -> None:
    [problem] = check_rule(rule(Logic=expression))
    assert (problem.name, problem.where) == (Finding.LOGIC, where)
    assert message in problem.message


def test_each_null_of_several_is_found_in_its_place() -> None:
    found = check_rule(rule(Logic={"if": [None, None, None]}))
    assert [one.where for one in found] == ["$.Logic.if[0]", "$.Logic.if[1]", "$.Logic.if[2]"]


def test_hostile_logic() -> None:
    deep: Any = True
    for _ in range(400):
        deep = {"!": [deep]}
    assert names(check_rule(rule(Logic=deep))) == [Finding.LOGIC]
    wide: Any = {"and": [{"bad": []}] * 3000}
    found = check_rule(rule(Logic=wide))
    assert len(found) == 11
    assert found[-1].message == "and 2990 more issues"
    reads: Any = {"and": [{"var": f"x{number}"} for number in range(4000)]}
    assert names(check_rule(logic(reads, "v")))[1:] == [Finding.ACCESS_UNKNOWN] * 49
    long = check_rule(rule(Logic={"if": [{"var": "payload." + "x" * 5000}, True, True]}))
    assert all(len(problem.message) < 1200 for problem in long)


# --- JSON ---


def test_json_that_is_none() -> None:
    for data in (b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b"9" * 5000, b"[" * 50_000, b'{"a":1,}'):
        assert names(check_rule(data)) == [Finding.NOT_JSON], data[:10]


def test_members_that_are_there_twice_are_named() -> None:
    data = json.dumps(RULE).replace('"Country": "XX"', '"Country": "YY", "Country": "XX"')
    data = data.replace('"lang": "fr"', '"lang": "fr", "lang": "fr"')
    problems = check_rule(data.encode())
    assert names(problems) == [Finding.DUPLICATE_MEMBER] * 2
    assert [one.where for one in problems] == ["$.Country", "$.Description[1].lang"]


def test_a_member_repeated_without_end_is_not_told_of_without_end() -> None:
    document = read_document(b"[[{" + b'"a":1,' * 100_000 + b'"a":1}]]')
    assert len(document.problems) == 50
    assert document.problems[0].where == "$[0][0].a"


def test_a_rule_that_is_too_long() -> None:
    data = json.dumps(RULE).encode()
    assert check_rule(data, limits=replace(DEFAULT_LIMITS, rule_bytes=len(data))) == ()
    assert names(check_rule(data, limits=replace(DEFAULT_LIMITS, rule_bytes=len(data) - 1))) == [Finding.TOO_LONG]


def test_paths() -> None:
    assert member("$", "valid_from1") == "$.valid_from1"
    assert member("$", "not-after") == '$["not-after"]'
    assert member("$", 'a"b') == '$["a\\"b"]'
    assert len(member("$", "x y" * 1000)) < 100
    assert [where for where, _ in paths_of({"b": [1, {"===": 2}], "a": 3}, "$")] == [
        "$", "$.b", "$.b[0]", "$.b[1]", '$.b[1]["==="]', "$.a",
    ]  # fmt: skip


# --- The upload ---

NOW = datetime(2022, 1, 10, tzinfo=UTC)
INVALIDATION = {"Type": "Invalidation", "Identifier": "IR-XX-0001"}


@pytest.mark.parametrize(
    ("start", "change", "expected"),
    [
        ("2022-01-24T00:00:00Z", {}, []),
        ("2022-01-24T00:00:01Z", {}, [Finding.VALID_FROM_LATE]),
        ("2022-01-12T00:00:00Z", {}, []),
        ("2022-01-12T00:59:59+01:00", {}, [Finding.VALID_FROM_SOON]),
        ("2022-01-11T23:59:59Z", {}, [Finding.VALID_FROM_SOON]),
        ("2022-01-10T00:00:00Z", INVALIDATION, []),
        ("2022-01-09T23:59:59Z", INVALIDATION, [Finding.VALID_FROM_SOON]),
        ("2022-01-25T00:00:00Z", INVALIDATION, [Finding.VALID_FROM_LATE]),
        ("soon", {}, []),  # which the schema tells of
    ],
)
def test_notice(start: str, change: dict[str, Any], expected: list[Finding]) -> None:
    assert names(check_upload(rule(ValidFrom=start, **change), now=NOW)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Version": "0.9.10"}, []),
        ({"Version": "1.0.0"}, [Finding.VERSION_NOT_GREATER]),
        ({"Version": "1.0.10"}, [Finding.VERSION_NOT_GREATER]),
        ({"Version": "0.9.0", "ValidFrom": "2022-01-15T00:00:00Z"}, []),
        ({"Version": "0.9.0", "ValidFrom": "2022-01-15T00:00:01Z"}, [Finding.VALID_FROM_BEFORE_PREVIOUS]),
        ({"Identifier": "VR-XX-0002"}, [Finding.PREVIOUS]),
        ({"Version": "0.9"}, [Finding.PREVIOUS]),
        ({"Version": "0.9.0", "ValidFrom": GONE}, [Finding.PREVIOUS]),
    ],
)
def test_previous_version(change: dict[str, Any], expected: list[Finding]) -> None:
    assert names(check_upload(RULE, now=NOW, previous=rule(**change))) == expected


# --- All of them ---


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*RULE, "Region", "Extra"), JSON)))
def test_whatever_is_given_is_told_of(values: dict[str, Any]) -> None:
    found = check_rule(RULE | values, path="$")
    assert all(one.where.startswith("$") and one.message for one in found)
    assert check_rule(json.dumps(RULE | values).encode()) == found
    check_upload(RULE | values, now=NOW, previous=values)


@given(JSON)
def test_a_valid_logic_is_read_as_the_engine_reads_it(value: Any) -> None:
    expression = {"if": [value, {"var": "payload.v"}, True]}
    try:
        certlogic.compile(expression)
        valid = True
    except RuleError:
        valid = False
    assert (Finding.LOGIC not in names(check_rule(logic(expression, "v")))) is valid


@given(st.binary(max_size=60))
def test_whatever_bytes_are_no_rule(data: bytes) -> None:
    assert check_rule(data)


def test_every_finding_is_in_the_guide() -> None:
    page = (ROOT / "docs/how-to/write-rules.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) == {*Finding}
