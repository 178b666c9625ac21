"""From the results of a run to its verdict, and to JSON and JUnit XML."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from healthcert.conformance.checks import Found, Judgement, judge
from healthcert.conformance.deviations import Deviation, Deviations
from healthcert.conformance.report import ConformanceReport, Status, judged, summarise
from healthcert.conformance.suite import Case, Suite
from tests.unit.conformance.cases import ALL, document, save, small_suite

NONE = Deviations()


def run(folder: Path, deviations: Deviations = NONE, *, exact: bool = True) -> ConformanceReport:
    return summarise(judged(Suite.open(folder), judge, deviations), deviations, exact=exact)


def test_a_good_suite_agrees(tmp_path: Path) -> None:
    report = run(small_suite(tmp_path))
    assert report.agrees
    assert report.cases == 6
    assert {result.status for result in report.results} == {Status.AGREES}
    assert report.by_country() == {"FR": {"agrees": 43, "excused": 0, "disagrees": 0, "not_checked": 0}}
    assert report.by_check()["EXPECTEDVERIFY"]["agrees"] == 5


def test_a_disagreement_either_way(tmp_path: Path) -> None:
    save(tmp_path, a=document(expected=ALL | {"EXPECTEDVERIFY": False}), b=document(JSON={}))
    report = run(tmp_path)
    assert not report.agrees
    found = [(result.case[-1], result.expectation, result.found) for result in report.of(Status.DISAGREES)]
    assert found == [("a", "EXPECTEDVERIFY", True), ("b", "EXPECTEDDECODE", False), ("b", "EXPECTEDVALIDJSON", False)]
    assert report.to_dict()["disagreements"][1]["why"] == "differs from JSON: ver: not expected"


def test_an_excuse_with_its_reason_and_a_stale_one(tmp_path: Path) -> None:
    save(tmp_path, a=document(expected={"EXPECTEDVERIFY": False}), b=document())
    needed = Deviation(("FR/**/a",), "EXPECTEDVERIFY", "because")
    report = run(tmp_path, Deviations((needed,)))
    assert report.agrees
    assert [result.reason for result in report.of(Status.EXCUSED)] == ["because"]

    idle = Deviation(("FR/2DCode/raw/b", "XX/1"), "EXPECTEDVERIFY", "because")
    report = run(tmp_path, Deviations((needed, idle)))
    assert not report.agrees
    assert report.stale == ("FR/2DCode/raw/b EXPECTEDVERIFY",)
    assert report.absent == 1
    assert run(tmp_path, Deviations((needed, idle)), exact=False).agrees


def test_what_is_for_issuers_or_unknown_is_not_checked(tmp_path: Path) -> None:
    expected = {"EXPECTEDENCODE": True, "EXPECTEDVALIDOBJECT": False, "EXPTECTEDEXPIRED": True, "EXPECTEDVERIFY": True}
    report = run(save(tmp_path, a=document(expected=expected)))
    assert report.agrees
    assert len(report.of(Status.NOT_CHECKED)) == 3


def test_where_nothing_was_compared_nothing_agrees(tmp_path: Path) -> None:
    report = run(save(tmp_path, a=document(expected={"EXPECTEDENCODE": True, "EXPECTEDFOO": True})))
    assert report.cases == 1
    assert not report.agrees
    assert run(save(tmp_path, b=document(expected={"EXPECTEDVERIFY": True}))).agrees


def test_a_case_with_too_many_expectations_is_a_problem(tmp_path: Path) -> None:
    report = run(save(tmp_path, a=document(expected={f"EXPECTED{number}": True for number in range(101)})))
    assert [problem.detail for problem in report.problems] == ["EXPECTEDRESULTS holds more than 100 expectations"]


def test_what_cannot_be_read_fails_the_run_and_other_json_does_not(tmp_path: Path) -> None:
    save(tmp_path, a=document(), b={})
    assert run(tmp_path).agrees
    assert run(tmp_path).skipped == 1
    save(tmp_path, c=b"\0")
    report = run(tmp_path)
    assert not report.agrees
    assert [(problem.case, problem.detail) for problem in report.problems] == [("FR/2DCode/raw/c", "not JSON")]


def test_a_judge_that_gives_up_fails_the_run(tmp_path: Path) -> None:
    def judge_of(case: Case) -> Judgement:
        return Judgement({"EXPECTEDVERIFY": Found(held=True)}, "fell over")

    save(tmp_path, a=document())
    report = summarise(judged(Suite.open(tmp_path), judge_of, NONE), NONE)
    assert not report.agrees
    assert report.by_check()["EXPECTEDVERIFY"]["agrees"] == 1
    assert report.by_check()["EXPECTEDDECODE"]["not_checked"] == 1


def test_the_dictionary_is_json_and_free_of_people(tmp_path: Path) -> None:
    save(small_suite(tmp_path), wrong=document(JSON={"nam": {}}))
    text = json.dumps(run(tmp_path).to_dict())
    assert "xemplaire" not in text.lower()
    assert "1984" not in text


@pytest.mark.parametrize("name", ["plain", "a<b>&\"'", "bell\a", "half\udc80", "new\nline", "\uffff"])
def test_junit_is_well_formed_whatever_the_names(tmp_path: Path, name: str) -> None:
    expected = {"EXPECTEDVERIFY": False, "EXPECTEDDECODE": True, "EXPECTEDENCODE": True}
    save(tmp_path, **{name: document(expected=expected)})
    save(tmp_path, **{f"{name}2": b"no"})
    root = ET.fromstring(run(tmp_path, Deviations((Deviation(("**",), "EXPECTEDDECODE", "because"),))).to_junit())
    assert root.tag == "testsuites"
    suites = {suite.attrib["name"]: suite for suite in root}
    assert suites["FR"].attrib == {"name": "FR", "tests": "3", "failures": "1", "skipped": "1"}
    assert suites["problems"].attrib["errors"] == "2"
    messages = [element.attrib["message"] for element in root.iter() if element.tag in ("failure", "error", "skipped")]
    assert "was to fail: it succeeded" in messages
    assert "not a check of a verifier" in messages
