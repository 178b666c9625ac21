"""``healthcert conformance run``: its tables, its JSON, its exit codes, and another program under test."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Run
from tests.unit.conformance.cases import ALL, document, save, small_suite

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "conformance_command.py"
WRAPPED = shlex.join([sys.executable, str(EXAMPLE)])
EXCUSE = "[[deviation]]\ncases = ['FR/**']\nexpectation = 'EXPECTEDVERIFY'\nreason = 'Because.'\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return small_suite(tmp_path / "suite")


def test_all_agree(run: Run, suite: Path) -> None:
    result = run("conformance", "run", suite)
    assert result.exit_code == 0, result.output
    assert "EXPECTEDVERIFY            5       0        0          0" in result.output
    assert "CONFORMS  6 cases: 43 expectations agree, 0 excused, 0 disagree, 0 not checked" in result.output


def test_a_disagreement(run: Run, suite: Path) -> None:
    save(suite, wrong=document(expected={"EXPECTEDVERIFY": False}), other=document(JSON={}))
    result = run("conformance", "run", suite)
    assert result.exit_code == 1
    assert "FR/2DCode/raw/wrong EXPECTEDVERIFY was to fail: it succeeded" in result.output
    assert "FR/2DCode/raw/other EXPECTEDDECODE was to succeed: differs from JSON: ver: not expected" in result.output
    assert "DOES NOT CONFORM" in result.output


def test_json_is_one_line(run: Run, suite: Path) -> None:
    result = run("conformance", "run", suite, "--json")
    assert result.exit_code == 0
    [line] = result.output.splitlines()
    report = json.loads(line)
    assert report["agrees"] is True
    assert report["expectations"] == {"agrees": 43, "excused": 0, "disagrees": 0, "not_checked": 0}


def test_junit(run: Run, suite: Path) -> None:
    assert run("conformance", "run", suite, "--junit", "out.xml").exit_code == 0
    assert len(list(ET.parse("out.xml").getroot().iter("testcase"))) == 43
    assert run("conformance", "run", suite, "--junit", "no/such/folder.xml").exit_code == 4


def test_deviations(run: Run, suite: Path) -> None:
    save(suite, wrong=document(expected={"EXPECTEDVERIFY": False}))
    Path("list.toml").write_text(EXCUSE)
    result = run("conformance", "run", suite, "--deviations", "list.toml")
    assert result.exit_code == 0, result.output
    assert "EXPECTEDVERIFY of FR/2DCode/raw/wrong: Because." in result.output
    assert run("conformance", "run", suite, "--no-deviations").exit_code == 1

    (suite / "FR/2DCode/raw/wrong.json").unlink()
    result = run("conformance", "run", suite, "--deviations", "list.toml")
    assert result.exit_code == 1
    assert "Excuses that nothing needs (1)\n  FR/** EXPECTEDVERIFY" in result.output


def test_the_shipped_list_is_in_force_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    wrong = document(expected={"EXPECTEDSCHEMAVALIDATION": False})
    save(tmp_path / "suite", wrong=wrong)
    (tmp_path / "suite/FR").rename(tmp_path / "suite/NL")
    assert run("conformance", "run", "suite").exit_code == 0
    assert run("conformance", "run", "suite", "--no-deviations").exit_code == 1
    # It is about this library: that another verifier needs no excuse is no fault.
    save(tmp_path / "good", one=document())
    (tmp_path / "good/FR").rename(tmp_path / "good/NL")
    assert run("conformance", "run", "good").exit_code == 1
    assert run("conformance", "run", "good", "--command", WRAPPED).exit_code == 0


def test_only(run: Run, suite: Path) -> None:
    result = run("conformance", "run", suite, "--only", "FR/**/f*", "--json")
    assert json.loads(result.output)["cases"] == 1
    assert run("conformance", "run", suite, "--only", "fr").exit_code == 0
    result = run("conformance", "run", suite, "--only", "XX")
    assert result.exit_code == 2
    assert "no test case of this name" in result.output


def test_problems_fail_the_run(run: Run, suite: Path) -> None:
    save(suite, broken=b"\0", other={})
    result = run("conformance", "run", suite)
    assert result.exit_code == 1
    assert "FR/2DCode/raw/broken: not JSON" in result.output


def test_wrong_usage(run: Run, suite: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.toml").write_text("deviation = 5")
    for arguments in (
        ["empty"],
        ["missing"],
        ["bad.toml"],
        [suite, "--deviations", "bad.toml"],
        [suite, "--deviations", "missing.toml"],
        [suite, "--deviations", "bad.toml", "--no-deviations"],
        [suite, "--command", ""],
        [suite, "--command", "'"],
        [suite, "--timeout", "0"],
        [suite, "--timeout", "nan", "--command", "true"],
    ):
        result = run("conformance", "run", *arguments)
        assert result.exit_code == 2, (arguments, result.output)
        assert "Traceback" not in result.output


def test_another_program(run: Run, suite: Path) -> None:
    result = run("conformance", "run", suite, "--command", WRAPPED, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    # Nothing is told of what a forged certificate holds.
    assert report["expectations"] == {"agrees": 39, "excused": 0, "disagrees": 0, "not_checked": 4}


def test_another_program_that_errs(run: Run, suite: Path) -> None:
    says_no = "import json, sys\nfor line in sys.stdin:\n    case = json.loads(line)\n"
    says_no += "    print(json.dumps({'id': case['id'], 'found': {'EXPECTEDVERIFY': False}}), flush=True)\n"
    result = run("conformance", "run", suite, "--command", shlex.join([sys.executable, "-c", says_no]), "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["checks"]["EXPECTEDVERIFY"]["disagrees"] == 4
    result = run("conformance", "run", suite, "--command", shlex.join([sys.executable, "-c", says_no]))
    assert "FR/2DCode/raw/test EXPECTEDVERIFY was to succeed: it failed" in result.output


def test_another_program_that_fails(run: Run, suite: Path) -> None:
    result = run("conformance", "run", suite, "--command", shlex.join([sys.executable, "-c", ""]))
    assert result.exit_code == 1
    assert "FR/2DCode/raw/vaccination: not asked: the command failed 3 times in a row" in result.output
    result = run("conformance", "run", suite, "--command", "/nowhere/to/be/found")
    assert result.exit_code == 4


def test_the_example_answers_every_kind_of_case(run: Run, tmp_path: Path) -> None:
    good = document()
    bare = {"TESTCTX": {}, "EXPECTEDRESULTS": ALL}
    broken = document(
        PREFIX="HC1:%%%", BASE45="%%%", expected={"EXPECTEDB45DECODE": False, "EXPECTEDPICTUREDECODE": False}
    )
    folder = save(tmp_path / "suite", good=good, bare=bare, broken=broken)
    result = run("conformance", "run", folder, "--command", WRAPPED, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["expectations"] == {"agrees": 12, "excused": 0, "disagrees": 0, "not_checked": 10}
