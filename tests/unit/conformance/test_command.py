"""Another program as the verifier under test: one that answers, and many that do not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from healthcert.conformance.checks import Judgement
from healthcert.conformance.command import Command, read_answer, request
from healthcert.conformance.suite import Case
from tests.unit.conformance.cases import case, context, document

# A program that reads cases, with a place for what it does with each.
PROGRAM = "import json, os, sys, time\nfor line in sys.stdin:\n    case = json.loads(line)\n    {}\n"
ANSWER = "print(json.dumps({'id': case['id'], 'found': {'EXPECTEDVERIFY': True}}), flush=True)"


@pytest.fixture
def one(tmp_path: Path) -> Case:
    return case(tmp_path, document())


def command(body: str = ANSWER, timeout: float = 20.0) -> Command:
    return Command([sys.executable, "-c", PROGRAM.format(body)], timeout=timeout)


def answer(values: Any, to: Case) -> Judgement:
    return read_answer(json.dumps(values).encode(), to)


def test_a_case_is_asked_for_what_a_verifier_needs(one: Case, tmp_path: Path) -> None:
    asked = json.loads(request(one))
    assert asked == {
        "id": one.name,
        "text": one.fields["PREFIX"],
        "clock": "2021-08-20T10:00:00+00:00",
        "certificate": one.fields["TESTCTX"]["CERTIFICATE"],
        "picture": one.fields["2DCODE"],
    }
    bare = case(tmp_path, {"TESTCTX": context(CERTIFICATE="%", VALIDATIONCLOCK=...), "EXPECTEDRESULTS": {}})
    asked = json.loads(request(bare))
    assert asked == {"id": bare.name, "text": None, "clock": None, "certificate": None, "picture": None}


def test_one_process_answers_all(one: Case) -> None:
    body = "print(json.dumps({'id': case['id'], 'found': {'EXPECTEDVERIFY': True}, "
    body += "'why': {'EXPECTEDVERIFY': str(os.getpid())}}), flush=True)"
    with command(body) as judge:
        found = [judge(one).findings["EXPECTEDVERIFY"].why for _ in range(3)]
    assert len(set(found)) == 1


def test_what_an_answer_says(one: Case) -> None:
    judgement = answer({"id": one.name, "found": {"EXPECTEDVERIFY": False, "ELSE": True}, "more": 1}, one)
    assert {key: finding.held for key, finding in judgement.findings.items()} == {"EXPECTEDVERIFY": False}
    judgement = answer({"id": one.name, "found": {}, "payload": one.fields["JSON"]}, one)
    assert {key: finding.held for key, finding in judgement.findings.items()} == {
        "EXPECTEDDECODE": True,
        "EXPECTEDVALIDJSON": True,
    }
    judgement = answer({"id": one.name, "found": {"EXPECTEDDECODE": True}, "payload": None}, one)
    assert judgement.findings["EXPECTEDDECODE"].held is True
    assert judgement.findings["EXPECTEDVALIDJSON"].held is False


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.exit(3)", "ended without an answer"),
        ("os.kill(os.getpid(), 9)", "ended without an answer"),
        ("os.close(1); time.sleep(60)", "ended without an answer"),
        ("print('{', flush=True)", "not JSON"),
        ("print('[' * 100000, flush=True)", "not JSON"),
        ("print('null', flush=True)", "not an object with the id"),
        ("print(json.dumps({'found': {}}), flush=True)", "not an object with the id"),
        ("print(json.dumps({'id': case['id']}), flush=True)", "found is not"),
        ("print(json.dumps({'id': case['id'], 'found': {'EXPECTEDVERIFY': 1}}), flush=True)", "found is not"),
        ("print(json.dumps({'id': case['id'], 'found': {}, 'why': {'a': 1}}), flush=True)", "why is not"),
        ("sys.stdout.write('x' * 5_000_000); sys.stdout.flush()", "more than 1048576 bytes"),
    ],
)
def test_a_bad_answer_is_a_problem(one: Case, body: str, problem: str) -> None:
    with command(body) as judge:
        assert problem in judge(one).problem


@pytest.mark.parametrize("body", ["time.sleep(60)", "sys.stdout.write('{'); sys.stdout.flush(); time.sleep(60)"])
def test_a_program_that_hangs_is_ended(one: Case, body: str) -> None:
    started = time.monotonic()
    with command(body, timeout=0.5) as judge:
        assert judge(one).problem == "no answer within 0.5 seconds"
    assert time.monotonic() - started < 10


def test_a_program_that_never_reads_is_ended(tmp_path: Path) -> None:
    large = case(tmp_path, document(PREFIX="HC1:" + "A" * 1_000_000))
    with Command([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.5) as judge:
        assert judge(large).problem == "no answer within 0.5 seconds"


def test_what_it_started_is_ended_with_it(one: Case, tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time, pathlib; time.sleep(2); pathlib.Path({str(mark)!r}).touch()"
    body = f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    with command(body, timeout=0.7) as judge:
        assert judge(one).problem
    time.sleep(2)
    assert not mark.exists()


def test_it_is_started_anew_and_then_left_alone(one: Case, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    body = f"open({str(mark)!r}, 'a').write('x'); sys.exit(1)"
    with command(body) as judge:
        problems = [judge(one).problem for _ in range(5)]
    assert mark.read_text() == "xxx"
    assert problems[3:] == ["not asked: the command failed 3 times in a row"] * 2


def test_a_good_answer_restores_patience(one: Case, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    body = f"mark = open({str(mark)!r}, 'a+'); mark.write('x'); mark.seek(0); starts = len(mark.read()); mark.close(); "
    body += f"starts % 2 or sys.exit(1); {ANSWER}"
    with command(body) as judge:
        problems = [bool(judge(one).problem) for _ in range(8)]
    assert problems == [False, True] * 4


def test_there_must_be_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError), Command(["/nowhere/to/be/found"]):
        pass
    for line in ("", "   ", "'unbalanced"):
        with pytest.raises(ValueError, match=r"command|quotation"):
            Command.parse(line)
    for timeout in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="time"):
            Command.parse("true", timeout=timeout)


def test_no_shell_reads_the_line(one: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    real = subprocess.Popen

    def popen(arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return real([sys.executable, "-c", ""], **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    with Command.parse("verify 'a b' $HOME; rm -rf x"):
        pass
    assert started == [("verify", "a b", "$HOME;", "rm", "-rf", "x")]
