"""Running the tests of rules: what a test says, what came of it, and that nothing is passed over unseen."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules.lint import run as linting
from healthcert.rules.lint import suite_files
from healthcert.rules.lint.findings import Finding, Problem, Severity
from healthcert.rules.lint.report import LintReport, excused
from healthcert.rules.lint.run import Linted, lint_bytes, lint_found, lint_stray, lint_tested
from healthcert.rules.lint.suite import CaseResult, CaseStatus, RuleUnderTest, run_case
from healthcert.rules.lint.suite_files import open_suite, set_of
from tests.unit.rules.lint.authored import EXTERNAL, FAILS, PASSES, RULE, logic, rule, save

UNDER_TEST = RuleUnderTest.of(RULE)
SECRET = "Mustermann"


def of(case: Any, made: Any = RULE) -> CaseResult:
    data = case if isinstance(case, bytes) else json.dumps(case).encode()
    return run_case(RuleUnderTest.of(made), "XX/VR-XX-0001", "test001", data)


def clocked(clock: Any) -> dict[str, Any]:
    return PASSES | {"external": EXTERNAL | {"validationClock": clock}}


def run(folder: Path) -> LintReport:
    suite = open_suite(folder)
    items = [item for one in suite.rules for item in lint_tested(one)]
    return LintReport((*items, *(item for stray in suite.strays for item in lint_stray(stray))), tested=True)


def told(report: LintReport) -> list[tuple[str, Finding]]:
    return [(item.name, problem.name) for severity in Severity for item, problem in report.problems(severity)]


# --- One test ---


def test_what_came_of_a_test() -> None:
    assert of(PASSES) == CaseResult(
        "XX/VR-XX-0001", "test001", CaseStatus.PASSED, "", "a dose of this year", True, True
    )
    assert of(FAILS).status is CaseStatus.PASSED
    wrong = of(PASSES | {"expected": False})
    assert (wrong.status, wrong.detail) == (CaseStatus.FAILED, "expected false, got true")
    assert (wrong.expected, wrong.got) == (False, True)


def test_a_test_without_name_or_payload() -> None:
    case = {"external": EXTERNAL, "expected": True}
    assert of(case).status is of(case | {"payload": None}).status is CaseStatus.PASSED


def test_what_external_may_hold() -> None:
    grown = EXTERNAL | {"country-2-codes": ["XX"], "valueSets": {**EXTERNAL["valueSets"], "other": 5}}  # type: ignore[dict-item]
    assert of(PASSES | {"external": grown}).status is CaseStatus.PASSED
    always = logic({"if": [True, True, {"var": "payload.v"}]}, "v")
    others: list[Any] = [{}, {"vaccines-covid-19-names": ["EU/1/20/1507"]}]
    for external in others:
        assert of({"expected": True, "external": external}, always).status is CaseStatus.PASSED
    assert of({"expected": True}, always).status is CaseStatus.PASSED


@pytest.mark.parametrize(
    "clock",
    [
        "2022-01-15T00:00:00Z",
        "2022-03-01T12:00:00",
        "2022-03-01T12:00:00+02:00",
        "2022-03-01T12:00:00.123+0200",
        "2022-01-15T02:00:00+02:00",
    ],
)
def test_clocks_within_the_validity(clock: str) -> None:
    assert of(clocked(clock) | {"payload": {}}).status is CaseStatus.PASSED


@pytest.mark.parametrize(
    "clock", ["2022-01-14T23:59:59Z", "2022-01-15T00:00:00+00:01", "2030-06-01T00:00:00Z", "2021-01-15"]
)
def test_a_clock_outside_the_validity_is_refused(clock: str) -> None:
    found = of(clocked(clock))
    assert (found.status, found.detail) == (CaseStatus.ERROR, "validationClock is outside the validity of the rule")


def test_a_test_may_have_no_clock() -> None:
    clockless: list[Any] = [{"valueSets": {}}, {"validationClock": None}, {"validationClock": ""}]
    for external in clockless:
        assert of({"payload": {}, "external": external, "expected": True}).status is CaseStatus.PASSED


@pytest.mark.parametrize(
    ("case", "detail"),
    [
        (b"", "no JSON"),
        (b'{"expected": true, "expected": true}', "$.expected: a member that is there twice"),
        ([PASSES], "not an object"),
        (PASSES | {"expected": None}, "expected is neither true nor false"),
        (PASSES | {"expected": 1}, "expected is neither true nor false"),
        ({"payload": {}, "external": {}}, "expected is neither true nor false"),
        (PASSES | {"external": [5]}, "external is not an object"),
        (clocked(5), "validationClock is not a date-time of CertLogic"),
        (clocked("yesterday"), "validationClock is not a date-time of CertLogic"),
        (PASSES | {"external": EXTERNAL | {"valueSets": {}}}, "CERTLOGIC_UNDEFINED"),
        (PASSES | {"payload": {"v": [{"dt": SECRET}]}}, "CERTLOGIC_UNDEFINED"),
    ],
)
def test_tests_that_cannot_be_run(case: Any, detail: str) -> None:
    found = of(case)
    assert found.status is CaseStatus.ERROR
    assert detail in found.detail
    assert SECRET not in found.detail


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ({"var": "payload.none"}, "null"),
        ({"+": [1, 0]}, "a number"),
        ({"var": "payload.name"}, "a text"),
        ({"if": [True, [True], True]}, "an array"),
        ({"var": "payload"}, "an object"),
        ({"plusTime": ["2022-01-01", 0, "day"]}, "a date-time"),
    ],
)
def test_only_true_and_false_are_answers(expression: Any, kind: str) -> None:
    found = of({"payload": {"name": SECRET}, "external": {}, "expected": True}, rule(Logic=expression))
    assert (found.status, found.detail, found.got) == (CaseStatus.FAILED, f"expected true, got {kind}", None)


@pytest.mark.parametrize(
    ("made", "detail"),
    [
        (None, "the rule has no logic"),
        ({}, "the rule has no logic"),
        (rule(Logic={"or": []}), "CERTLOGIC_INVALID"),
        (rule(ValidFrom="soon"), "the validity of the rule cannot be read"),
    ],
)
def test_a_rule_that_cannot_be_used_passes_no_test(made: Any, detail: str) -> None:
    found = of(PASSES, made)
    assert found.status is CaseStatus.ERROR
    assert detail in found.detail


@given(st.binary(max_size=40) | st.from_regex(rb'\{"expected":(true|1),"external":.{0,20}\}', fullmatch=True))
def test_whatever_a_test_is_it_is_told_of(data: bytes) -> None:
    assert run_case(UNDER_TEST, "", "", data).status is not CaseStatus.FAILED


# --- The layout ---


@pytest.mark.parametrize("entered", ["", "XX", "XX/VR-XX-0001"])
def test_a_folder_of_sets_one_set_and_one_rule(tmp_path: Path, entered: str) -> None:
    save(tmp_path / "suite/XX/VR-XX-0001", test001=PASSES, test002=FAILS, test10=PASSES)
    report = run(tmp_path / "suite" / entered)
    assert report.clean(warnings_as_errors=True)
    assert [case.rule + " " + case.test for case in report.cases] == [
        "XX/VR-XX-0001 test10", "XX/VR-XX-0001 test001", "XX/VR-XX-0001 test002",
    ]  # fmt: skip
    assert report.by_set() == {"XX": {"rules": 1, "passed": 3, "failed": 0, "error": 0, "unusable": 0}}


def test_sets_at_any_depth(tmp_path: Path) -> None:
    save(tmp_path / "a/XX/VR-XX-0001", test001=PASSES)
    save(tmp_path / "b/XX/VR-XX-0001", test001=PASSES | {"expected": False})
    report = run(tmp_path)
    assert not report.clean()
    assert {name: counts["failed"] for name, counts in report.by_set().items()} == {"a/XX": 0, "b/XX": 1}


def test_set_of() -> None:
    assert set_of("XX/VR-XX-0001") == set_of("XX/VR-XX-0001/tests/a.json") == "XX"
    assert set_of("deep/XX/VR-XX-0001/x.json") == "deep/XX"
    assert set_of("x.json") == "."


def test_a_rule_without_tests_is_a_warning_and_a_run_without_tests_no_success(tmp_path: Path) -> None:
    save(tmp_path / "XX/VR-XX-0001", test001=PASSES)
    save(tmp_path / "XX/VR-XX-0002")
    report = run(tmp_path)
    assert told(report) == [("XX/VR-XX-0002", Finding.NO_TESTS)]
    assert report.clean()
    assert not report.clean(warnings_as_errors=True)
    assert not run(tmp_path / "XX/VR-XX-0002").clean()
    assert LintReport(report.items[1:]).clean()  # of which nobody asked for tests


def test_what_has_no_place_in_the_layout(tmp_path: Path) -> None:
    good = save(tmp_path / "XX/VR-XX-0001", test001=PASSES)
    (good / "tests/test1a.json").write_text(json.dumps(PASSES))
    (good / "tests/notes.txt").write_text("notes")
    (good / "tests/deep").mkdir()
    (good / "tests/deep/test001.json").write_text(json.dumps(PASSES))
    (good / "other.json").write_text("{}")
    (tmp_path / "XX/VR-XX-0002.json").write_text(json.dumps(RULE))
    (tmp_path / "XX/broken.JSON").write_text("{")
    (tmp_path / "XX/case.json").write_text(json.dumps(PASSES))
    (tmp_path / "XX/many.json").write_text(json.dumps([RULE, RULE]))
    (tmp_path / "values.json").write_text("[5]")
    (tmp_path / "README.md").write_text("About.")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/x.json").write_text("{")
    (tmp_path / "link").symlink_to(tmp_path / "XX", target_is_directory=True)
    report = run(tmp_path)
    assert sorted(told(report)) == [
        ("XX/VR-XX-0001/other.json", Finding.LAYOUT),
        ("XX/VR-XX-0001/tests/deep/test001.json", Finding.LAYOUT),
        ("XX/VR-XX-0001/tests/notes.txt", Finding.LAYOUT),
        ("XX/VR-XX-0001/tests/test1a.json", Finding.LAYOUT),
        ("XX/VR-XX-0002.json", Finding.LAYOUT),
        ("XX/broken.JSON", Finding.NOT_JSON),
        ("XX/case.json", Finding.LAYOUT),
        ("XX/many.json", Finding.LAYOUT),
        ("XX/many.json", Finding.LAYOUT),
        ("link", Finding.LAYOUT),
    ]
    assert [item.name for item, _ in report.problems(Severity.WARNING)] == ["XX/VR-XX-0001/tests/notes.txt"]
    assert report.passed_over == ["values.json"]
    assert len(report.rules) == 4
    assert report.by_set()["XX"] == {"rules": 4, "passed": 1, "failed": 0, "error": 0, "unusable": 8}


def test_damaged_files_count_where_rules_are_or_could_be(tmp_path: Path) -> None:
    save(tmp_path / "XX/VR-XX-0001", test001=PASSES)
    names = ["VR-XX-0002.json", "XX/a.json", "YY/VR-YY-0001/a.json", "tooling/tsconfig.json"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{} // about")
    report = run(tmp_path)
    assert [item.name for item, _ in report.problems(Severity.ERROR)] == names[:3]
    assert [item.name for item, _ in report.problems(Severity.WARNING)] == names[3:]


def test_rules_that_cannot_be_read(tmp_path: Path) -> None:
    save(tmp_path / "XX/VR-XX-0001", b"{", test001=PASSES)
    save(tmp_path / "XX/VR-XX-0002", [RULE], test001=PASSES)
    save(tmp_path / "XX/VR-XX-0003", {"a": 1}, test001=b"{")
    folder = save(tmp_path / "XX/VR-XX-0004", test001=PASSES)
    (folder / "rule.json").unlink()
    (folder / "rule.json").symlink_to("nowhere")
    report = run(tmp_path)
    assert told(report) == [
        ("XX/VR-XX-0001", Finding.NOT_JSON),
        ("XX/VR-XX-0002", Finding.NO_RULE),
        ("XX/VR-XX-0003", Finding.NO_RULE),
        ("XX/VR-XX-0004", Finding.UNREADABLE),
    ]
    assert [case.status for case in report.cases] == [CaseStatus.ERROR] * 4


def test_the_folder_has_the_name_of_the_rule(tmp_path: Path) -> None:
    save(tmp_path / "XX/TR-XX-0001", RULE, test001=PASSES)
    assert told(run(tmp_path)) == [("XX/TR-XX-0001", Finding.FOLDER_NAME)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes to be kept waiting by")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = save(tmp_path / "XX/VR-XX-0001", test001=PASSES)
    os.mkfifo(folder / "tests/test002.json")
    os.mkfifo(tmp_path / "XX/more.json")
    report = run(tmp_path)
    assert told(report) == [("XX/more.json", Finding.UNREADABLE)]
    assert [case.status for case in report.cases] == [CaseStatus.PASSED, CaseStatus.ERROR]


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save(tmp_path / "XX/VR-XX-0001", test001=PASSES)
    size = (folder / "tests/test001.json").stat().st_size
    monkeypatch.setattr(linting, "MOST_TEST_BYTES", size)
    assert run(tmp_path).clean()
    monkeypatch.setattr(linting, "MOST_TEST_BYTES", size - 1)
    assert [case.detail for case in run(tmp_path).cases] == [f"a file of more than {size - 1} bytes"]

    monkeypatch.setattr(suite_files, "MOST_FILES", 5)  # two folders, that of the tests, the rule and the test
    assert len(open_suite(tmp_path).rules) == 1
    monkeypatch.setattr(suite_files, "MOST_FILES", 4)
    with pytest.raises(DecodeError) as caught:
        open_suite(tmp_path)
    assert caught.value.code is Code.INPUT_TOO_LONG


def test_a_folder_that_cannot_be_listed_is_not_left_out(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        open_suite(tmp_path / "nowhere")


# --- Files without tests ---


def test_a_file_of_several_rules() -> None:
    data = json.dumps([RULE, rule(Engine="X"), 5, rule(Identifier=5)]).encode()
    found = lint_bytes("rules.json", data)
    assert [one.identifier for one in found] == ["VR-XX-0001", "VR-XX-0001", "", ""]
    assert [[(p.name, p.where) for p in one.problems][:1] for one in found] == [
        [], [(Finding.ENGINE, "$[1].Engine")], [(Finding.SCHEMA, "$[2]")], [(Finding.SCHEMA, "$[3].Identifier")],
    ]  # fmt: skip
    twice = lint_bytes("rules.json", b'[{"Logic": 1, "Logic": 1}]')
    assert [problem.name for problem in twice[0].problems] == [Finding.DUPLICATE_MEMBER]
    few = replace(DEFAULT_LIMITS, rules=3)
    [refused] = lint_bytes("rules.json", data, limits=few)
    assert [problem.name for problem in refused.problems] == [Finding.TOO_LONG]


def test_a_file_of_one_rule() -> None:
    assert lint_bytes("rule.json", json.dumps(RULE).encode()) == [Linted("rule.json", "VR-XX-0001")]
    [long] = lint_bytes("rule.json", json.dumps(rule(Extra="x" * DEFAULT_LIMITS.rule_bytes)).encode())
    assert [problem.name for problem in long.problems] == [Finding.TOO_LONG]
    [other] = lint_bytes("rule.json", b'{"rules": []}')
    assert [problem.name for problem in other.problems] == [Finding.NO_RULE]


def test_in_a_folder_what_is_no_rule_is_passed_over_unless_damaged(tmp_path: Path) -> None:
    for name, data in (("a", b"{}"), ("b", b"{"), ("c", b'{"x": 1, "x": 1}')):
        (tmp_path / name).write_bytes(data)
    found = [one for name in "abc" for one in lint_found(tmp_path / name, name)]
    assert [one.passed_over for one in found] == [True, False, False]


# --- The report ---


def unusable(name: str) -> Linted:
    return Linted(name, problems=(Problem(Severity.ERROR, Finding.NOT_JSON, "$", "no JSON"),))


def test_what_is_known_to_be_unusable_does_not_count_and_no_more() -> None:
    wrong = Linted("MT/x", "X", (Problem(Severity.ERROR, Finding.SCHEMA, "$", "wrong"),))
    items = [unusable("MT/a.json"), unusable("MTX/a.json"), unusable("YY/VR-YY-0001/a.json"), wrong]
    report = LintReport(tuple(excused(items, ["MT", "YY/VR-YY-0001", "ZZ"])))
    assert [item.name for item, _ in report.excused] == ["MT/a.json", "YY/VR-YY-0001/a.json"]
    assert told(report) == [
        ("MTX/a.json", Finding.NOT_JSON), ("MT/x", Finding.SCHEMA), ("ZZ", Finding.NOT_UNUSABLE),
    ]  # fmt: skip
    assert LintReport(tuple(excused(items[:1], ["MT"]))).clean()
    assert not LintReport(tuple(excused([Linted("MT/x", "X")], ["MT"]))).clean()


def test_the_report_as_json_and_junit(tmp_path: Path) -> None:
    save(tmp_path / "XX/VR-XX-0001", test001=PASSES, test002=PASSES | {"expected": False}, test003=b"{")
    (tmp_path / "XX/\x01.json").write_text("{")
    report = run(tmp_path)
    values = json.loads(json.dumps(report.to_dict()))
    assert values["clean"] is False
    assert values["tests"] == {"passed": 1, "failed": 1, "error": 1}
    assert values["not_passed"][0] == {
        "rule": "XX/VR-XX-0001", "test": "test002", "name": "a dose of this year", "status": "failed",
        "expected": False, "got": True, "detail": "expected false, got true",
    }  # fmt: skip
    assert values["problems"][0]["name"] == "NOT_JSON"
    assert values["sets"]["XX"]["rules"] == 1
    assert "ORG-100030215" not in json.dumps(values)

    items = tuple(excused(report.items, ["XX/\x01.json"]))
    [suite] = ET.fromstring(LintReport(items, tested=True).to_junit())
    counts = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")}
    assert counts == {"name": "XX", "tests": "5", "failures": "1", "errors": "1", "skipped": "1"}
    [failed] = ET.fromstring(LintReport((unusable("a/b.json"),)).to_junit()).iter("failure")
    assert failed.get("message") == "NOT_JSON $: no JSON"
