"""Real rules and their tests: every set of dgc-business-rules-testdata, and rules as they were in use.

Sets are found where they lie, so one that is added is tested as well. What cannot be used is listed here, exactly: a
file that is not on the list and cannot be used fails, as does one that is on it and can be used.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from healthcert.rules import certlogic
from healthcert.rules.lint.checks import check_rule
from healthcert.rules.lint.findings import UNUSABLE, Finding, Severity
from healthcert.rules.lint.gateway_schema import TYPES, schema_problems
from healthcert.rules.lint.report import LintReport, excused
from healthcert.rules.lint.run import lint_stray, lint_tested
from healthcert.rules.lint.suite import CaseStatus
from healthcert.rules.lint.suite_files import open_suite
from healthcert_cli.root import group
from tests.conftest import interop_folder
from tests.unit.rules.lint.authored import RULE

ROOT = interop_folder() / "business-rules"
SUITE = ROOT / "testdata"
NO_SETS = {"schemas", "valuesets", "tests", "html", "tooling", "out"}
SETS = sorted(path.name for path in SUITE.glob("*") if path.is_dir() and path.name not in NO_SETS)
pytestmark = pytest.mark.usefixtures("interop")

# Malta's rules are in files named after them, and without tests; one is for a day of the year 22022, and no JSON.
MALTA = ("GR-MT-0000", "RR-MT-0001", "TR-MT-0002", "VR-MT-0002", "VR-MT-0003", "VR-MT-0004", "VR-MT-0005")
UNUSABLE_FILES = {
    "MT": {f"MT/{name}/{name}.json": Finding.LAYOUT for name in MALTA}
    | {"MT/RR-MT-0001/TR-MT-0001.json": Finding.NOT_JSON}
}


@cache
def load(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


# --- The sets with their tests ---


@cache
def report_of(name: str) -> LintReport:
    suite = open_suite(SUITE / name)
    items = [item for folder in suite.rules for item in lint_tested(folder)]
    return LintReport((*items, *(item for stray in suite.strays for item in lint_stray(stray))), tested=True)


@pytest.mark.parametrize("name", SETS)
def test_set(name: str) -> None:
    report = report_of(name)
    found = [(item.name, problem.name) for item, problem in report.problems(Severity.ERROR) if problem.name in UNUSABLE]
    assert sorted(found) == sorted(UNUSABLE_FILES.get(name, {}).items())
    assert [case for case in report.cases if case.status is not CaseStatus.PASSED] == []
    if name in UNUSABLE_FILES:
        assert (report.cases, report.clean()) == ([], False)
        # One rule has an error beside: an if of four operands.
        assert not LintReport(tuple(excused(report.items, [name]))).problems(Severity.ERROR)
    else:
        assert report.clean(), report.problems(Severity.ERROR)
        assert len(report.cases) > len(report.rules) > 0
        # No test file is left out: the tests are all that is beside the rules.
        files = {path for path in (SUITE / name).rglob("*") if path.is_file()}
        assert len(report.cases) + len(report.rules) == len(files)


def test_the_peculiarities_that_are_to_be_tolerated_are_there() -> None:
    tests = [json.loads(path.read_bytes()) for path in SUITE.glob("*/*/tests/test*.json")]
    assert any("payload" not in test for test in tests)
    assert any("name" not in test for test in tests)
    assert sum("validationClock" not in test["external"] for test in tests) > len(tests) // 2
    assert any("valueSets" not in test["external"] and len(test["external"]) > 1 for test in tests)
    assert any(re.search(r":[0-9]{2}$", test["external"].get("validationClock", "")) for test in tests)


def test_the_whole_suite_by_command() -> None:
    result = CliRunner().invoke(group, ["rules", "lint", "--tests", "--json", str(SUITE)])
    values = json.loads(result.output)
    assert result.exit_code == 1
    assert (values["tests"]["failed"], values["tests"]["error"], values["not_passed"]) == (0, 0, [])
    assert {one["file"].split("/")[0] for one in values["problems"] if one["severity"] == "error"} == {*UNUSABLE_FILES}
    assert {name.split("/")[0] for name in values["passed_over"]} <= NO_SETS
    allowed = [part for name in UNUSABLE_FILES for part in ("--allow-unusable", name)]
    result = CliRunner().invoke(group, ["rules", "lint", "--tests", *allowed, str(SUITE)])
    assert result.exit_code == 0, result.output
    passed = values["tests"]["passed"]
    assert f"{passed} of {passed} tests passed" in result.output


# --- Rules as they were in use ---


def test_rules_of_the_eu_in_use() -> None:
    """The figures of April 2023; ``hash`` is a member that the app's bundle adds."""
    rules = [{name: value for name, value in rule.items() if name != "hash"} for rule in load("covpass/eu-rules.json")]
    found = [{problem.name for problem in check_rule(rule)} for rule in rules]
    counts = Counter(name for names in found for name in names)
    assert len(rules) == 271
    assert counts == {
        Finding.AFFECTED_FIELDS: 14,
        Finding.ENGINE_VERSION: 16,  # 0.1.0 and 2.0.1
        Finding.OPERATOR_NEWER: counts[Finding.OPERATOR_NEWER],
        Finding.LANGUAGE_COUNTRY: counts[Finding.LANGUAGE_COUNTRY],
        Finding.LANGUAGE_TWICE: 1,
        Finding.REGION: 1,
    }
    assert counts[Finding.OPERATOR_NEWER] >= 20
    told = {
        problem.message.split()[-1] for rule in rules for problem in check_rule(rule) if "country;" in problem.message
    }
    assert told == {"sl", "uk"}


@pytest.mark.parametrize(
    "path", ["covpass/domestic-rules.json", "covpass/eu-booster-rules.json", "cwa/dcc_booster_rules.json"]
)
def test_national_rules_are_outside_the_schema(path: str) -> None:
    national = [rule for rule in load(path) if rule["Type"] not in TYPES]
    assert national
    for rule in national:
        assert {"$.Type", "$.Identifier"} <= {one.where for one in check_rule(rule) if one.name is Finding.SCHEMA}


# --- The schema, against the published one ---


def _pattern(_: Any, pattern: str, instance: object, __: Any) -> Iterator[ValidationError]:
    """``$`` and ``\\d`` as ECMA-262 has them, not as Python does."""
    ecma = re.sub(r"\$\Z", r"\\Z", pattern.replace("$)", r"\Z)")).replace(r"\d", "[0-9]")
    if isinstance(instance, str) and not re.search(ecma, instance):
        yield ValidationError("does not match")


@cache
def oracle() -> Any:
    return extend(Draft202012Validator, {"pattern": _pattern})(load("gateway/validation-rule.schema.json"))


@cache
def rules_at_hand() -> list[Any]:
    found = [json.loads(path.read_bytes()) for path in sorted(SUITE.glob("*/*/rule.json"))]
    for path in ("covpass/eu-rules.json", "covpass/domestic-rules.json", "covpass/eu-booster-rules.json"):
        found += load(path)
    found += [*load("cwa/dcc_booster_rules.json"), *load("ch/nationalrules.json")["rules"]]
    return [*found, *load("ch/foreignRules_de.json")["rules"]]


VALUES: list[Any] = [
    None, True, 0, 1.5, "", "x", "XX", "xx", "xx-xx", "en", "1.0.0", "1.0", "1.0.0\n", "١.٠.٠", [], {}, [{}], ["v.0"],
    [1], {"x": 1}, "2022-01-15T00:00:00Z", "2022-19-39T29:59:59-29:59", "2022-01-15T00:00:00.0Z",
    "2022-01-15T00:00:00z", "2022-01-15T00:00:00Z\n",
    "General", "Test", "Invalidation", "IR-XX-0001", "ABCDE", "ABCDEF", "x" * 19, "x" * 20, "é" * 20, "\U0001f600" * 19,
    [{"lang": "en", "desc": "x" * 20}], [{"lang": "en", "desc": "x" * 19}, {"lang": "de", "desc": "x" * 20}],
    [{"lang": "en", "desc": "x" * 20, "more": 1}], [{"lang": "de", "desc": "x" * 20}],
    [{"lang": "en-gb", "desc": "x" * 20}],
]  # fmt: skip


def mutations(rule: Any, chance: random.Random) -> Iterator[Any]:
    """Each member taken out, each with another value, and one with a member more."""
    for name in rule:
        yield {key: value for key, value in rule.items() if key != name}
        yield rule | {name: chance.choice(VALUES)}
    yield rule | {chance.choice(["Region", "Extra", "region"]): chance.choice(VALUES)}
    if isinstance(rule.get("Description"), list) and rule["Description"]:
        for change in (chance.choice(VALUES), chance.choice(VALUES)):
            made = copy.deepcopy(rule)
            entry = chance.choice(made["Description"])
            entry[chance.choice(["lang", "desc", "more"])] = change
            yield made
            entry.pop(chance.choice([*entry]))
            yield made


def test_schema_of_the_gateway() -> None:
    chance = random.Random(20221122)
    verdicts: Counter[bool] = Counter()
    for rule in rules_at_hand():
        for made in (rule, *mutations(rule, chance)):
            valid = oracle().is_valid(made)
            found = schema_problems(made)
            assert (not found) is valid, (found, made)
            verdicts[valid] += 1
    assert min(verdicts.values()) > 500


@pytest.mark.parametrize("name", sorted({"Region", *RULE}))
def test_every_value_of_every_member(name: str) -> None:
    rule = load("covpass/eu-rules.json")[1]
    plain = {key: value for key, value in rule.items() if key != "hash"}
    for value in VALUES:
        made = plain | {name: value}
        assert (not schema_problems(made)) is oracle().is_valid(made), value
    assert not schema_problems(plain)


# --- The logic, against the reference validator's own cases ---


def test_issues_of_the_logic_are_those_of_the_reference_validator() -> None:
    folder = ROOT.parent / "certlogic/validation-testSuite"
    cases = [case for path in sorted(folder.glob("*.json")) for case in json.loads(path.read_bytes())["cases"]]
    assert len(cases) > 10
    rule = json.loads(next(iter(sorted(SUITE.glob("*/GR-*/rule.json")))).read_bytes())
    for case in cases:
        expression = {"if": [True, case["certLogicExpression"], True]}
        told = [
            problem.message for problem in check_rule(rule | {"Logic": expression}) if problem.name is Finding.LOGIC
        ]
        assert (
            told
            == [issue["message"] for issue in case["issues"]]
            == [i.message for i in certlogic.validate(expression)]
        )
