"""``healthcert rules lint``: what it prints, its JSON, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Run
from tests.unit.rules.lint.authored import FAILS, PASSES, RULE, rule, save

AT = "2022-01-10T00:00:00Z"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    save(tmp_path / "suite/XX/VR-XX-0001", test001=PASSES, test002=FAILS)
    return tmp_path / "suite"


def write(name: str, value: object) -> str:
    Path(name).write_text(json.dumps(value))
    return name


def test_all_is_well(run: Run, suite: Path) -> None:
    result = run("rules", "lint", "--tests", suite)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "SET  RULES  PASSED  FAILED  ERROR  UNUSABLE",
        "XX   1      2       0       0      0",
        "",
        " CLEAN  1 rule, 0 errors, 0 warnings; 2 of 2 tests passed, 0 files unusable",
    ]
    result = run("rules", "lint", suite / "XX/VR-XX-0001/rule.json")
    assert (result.exit_code, result.output) == (0, " CLEAN  1 rule, 0 errors, 0 warnings\n")


def test_failed_tests(run: Run, suite: Path) -> None:
    save(suite / "XX/VR-XX-0002", test001=PASSES | {"expected": False}, test002=b"{", test003=PASSES)
    result = run("rules", "lint", "--tests", suite)
    assert result.exit_code == 1
    assert "XX   2      3       1       1      0" in result.output
    assert (
        "Failed tests (1)\n  XX/VR-XX-0002 test001 (a dose of this year): expected false, got true\n" in result.output
    )
    assert "Tests that could not be run (1)\n  XX/VR-XX-0002 test002: $: no JSON" in result.output
    assert " NOT CLEAN  2 rules, 0 errors, 0 warnings; 3 of 5 tests passed" in result.output


def test_problems(run: Run) -> None:
    result = run("rules", "lint", write("rules.json", [RULE, rule(Engine="X", Region="XX")]))
    assert result.exit_code == 1
    assert "Errors (1)\n  rules.json: VR-XX-0001: $[1].Engine: not CERTLOGIC" in result.output
    assert "Warnings (1)\n  rules.json: VR-XX-0001: $[1].Region: the country itself" in result.output


def test_many_problems_are_not_all_shown_but_in_json(run: Run) -> None:
    write("rules.json", [rule(Engine="X")] * 60)
    result = run("rules", "lint", "rules.json")
    assert "Errors (60)" in result.output
    assert "... and 10 more (--json has all)" in result.output
    assert len(json.loads(run("rules", "lint", "rules.json", "--json").output)["problems"]) == 60


def test_warnings(run: Run) -> None:
    write("rule.json", rule(Region="XX"))
    assert run("rules", "lint", "rule.json").exit_code == 0
    result = run("rules", "lint", "rule.json", "--warnings-as-errors", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["clean"] is False


def test_json(run: Run, suite: Path) -> None:
    save(suite / "XX/VR-XX-0002", rule(Identifier="VR-XX-0002", Engine="X"))
    (suite / "values.json").write_text("{}")
    result = run("rules", "lint", "--tests", "--json", suite)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    values = json.loads(line)
    assert [(one["file"], one["rule"], one["severity"], one["name"]) for one in values["problems"]] == [
        ("XX/VR-XX-0002", "VR-XX-0002", "error", "ENGINE"),
        ("XX/VR-XX-0002", "VR-XX-0002", "warning", "NO_TESTS"),
    ]
    assert values["tests"] == {"passed": 2, "failed": 0, "error": 0}
    assert values["passed_over"] == ["values.json"]


def test_junit(run: Run, suite: Path) -> None:
    assert run("rules", "lint", "--tests", suite, "--junit", "out.xml").exit_code == 0
    assert len(list(ET.parse("out.xml").getroot().iter("testcase"))) == 3
    assert run("rules", "lint", "--tests", suite, "--junit", "no/such/folder.xml").exit_code == 4


def test_unusable(run: Run, suite: Path) -> None:
    (suite / "YY/VR-YY-0001").mkdir(parents=True)
    (suite / "YY/VR-YY-0001/VR-YY-0001.json").write_text(json.dumps(RULE))
    result = run("rules", "lint", "--tests", suite)
    assert result.exit_code == 1
    assert "2 of 2 tests passed, 1 file unusable" in result.output
    result = run("rules", "lint", "--tests", suite, "--allow-unusable", "YY/")
    assert result.exit_code == 0
    assert "Unusable, as was said (1)\n  YY/VR-YY-0001/VR-YY-0001.json: " in result.output
    result = run("rules", "lint", "--tests", suite, "--allow-unusable", "YY", "--allow-unusable", "XX")
    assert result.exit_code == 1
    assert "XX: nothing of this name is unusable (NOT_UNUSABLE)" in result.output


def test_a_folder_of_files(run: Run, suite: Path) -> None:
    (suite / "broken.json").write_text("{")
    result = run("rules", "lint", suite)
    assert result.exit_code == 1
    assert f"{suite}/broken.json: no JSON" in result.output
    assert "about something else" in result.output  # the tests, which nobody asked to run
    assert "1 rule, 1 error" in result.output


def test_standard_input(run: Run) -> None:
    assert run("rules", "lint", "-", stdin=json.dumps(RULE)).exit_code == 0
    result = run("rules", "lint", "-", stdin="\0")
    assert result.exit_code == 1
    assert "-: no JSON" in result.output


def test_upload(run: Run) -> None:
    write("rule.json", rule(Version="1.0.1"))
    write("last.json", RULE)
    arguments = ["rules", "lint", "rule.json", "--upload", "--at", AT]
    assert run(*arguments).exit_code == 0
    assert run(*arguments, "--previous", "last.json").exit_code == 0
    assert "VALID_FROM_SOON" in run("rules", "lint", "rule.json", "--upload").output
    assert "VERSION_NOT_GREATER" in run(*arguments, "--previous", "rule.json").output

    write("other.json", rule(Identifier="VR-XX-0002"))
    assert "PREVIOUS" in run(*arguments, "--previous", "other.json").output
    # Among several previous versions, each rule has its own; one that is new has none.
    write("many.json", [rule(Identifier="VR-XX-0002"), RULE])
    write("both.json", [rule(Version="1.0.1"), rule(Identifier="VR-XX-0003")])
    assert run("rules", "lint", "both.json", "--upload", "--at", AT, "--previous", "many.json").exit_code == 0


def test_what_strangers_write_is_printed_harmlessly(run: Run, suite: Path) -> None:
    save(suite / "XX/VR-XX-0002", test001=PASSES | {"name": "\x1b[31m\u202e", "expected": False})
    write("rule.json", rule(Identifier="\x1b[31m", AffectedFields=["\x1b[31m"]))
    for arguments in (["--tests", suite], ["rule.json"]):
        result = run("rules", "lint", *arguments)
        assert result.exit_code == 1
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output


def test_wrong_usage(run: Run, suite: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write("rule.json", RULE)
    write("bad.json", {"x": 1})
    write("twice.json", [RULE, RULE])
    for arguments in (
        [],
        ["missing"],
        ["empty"],
        ["--tests", "empty"],
        ["--tests", "rule.json"],
        ["--tests", "-"],
        ["-", "-"],
        ["rule.json", "--allow-unusable", "XX"],
        ["rule.json", "--at", AT],
        ["rule.json", "--previous", "rule.json"],
        ["rule.json", "--upload", "--previous", "bad.json"],
        ["rule.json", "--upload", "--previous", "twice.json"],
        ["rule.json", "--junit", "rule.json"],
    ):
        result = run("rules", "lint", *arguments)
        assert result.exit_code == 2, (arguments, result.output)
        assert "Traceback" not in result.output
    assert json.loads(Path("rule.json").read_text()) == RULE


def test_a_named_file_that_holds_no_rule(run: Run) -> None:
    result = run("rules", "lint", write("bad.json", {"x": 1}))
    assert result.exit_code == 1
    assert "bad.json: not a rule (NO_RULE)" in result.output
