"""Processes that are killed: a pool's workers lose nothing, and outlive nobody."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.kills import kills

ROOT = Path(__file__).parents[2]
KILLS = kills(100)
PATIENCE = 300  # seconds, after which it counts as hanging

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")


@contextmanager
def script(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The script, as the first of a group of processes of its own, like one that is started from a terminal."""
    command = [sys.executable, "-m", "tests.faults.pool_hammer", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # unless something went wrong, all of them are gone
                os.killpg(process.pid, signal.SIGKILL)


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it said when it and all that it started are gone: as long as one is there, these pipes are open."""
    return process.communicate(timeout=PATIENCE)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_workers_that_are_killed_again_and_again_lose_nothing_and_give_nothing_twice(tmp_path: Path) -> None:
    with script("kills", str(tmp_path), str(KILLS)) as process:
        told, errors = ended(process)
    assert (process.returncode, errors) == (0, "")
    found = re.fullmatch(r"(\d+) kills; (\d+) chunks; (\d+) redone\n", told)
    assert found is not None
    assert int(found[1]) == KILLS
    assert KILLS // 2 < int(found[3]) <= int(found[2])


def test_workers_end_when_the_main_process_is_killed() -> None:
    with script("hang") as process:
        assert len(first_line(process).split()) == 2
        process.kill()
        assert ended(process) == ("", "")


def test_ctrl_c_is_for_the_main_process_to_decide_which_may_finish_what_was_begun() -> None:
    with script("count") as process:
        assert first_line(process) == "1\n"
        os.killpg(process.pid, signal.SIGINT)
        told, errors = ended(process)
    *given, read = told.splitlines()
    assert (process.returncode, errors) == (0, "")
    assert read == f"read {given[-1]}", "none was begun twice, and none was left out"


def test_ctrl_c_that_nobody_takes_ends_all_and_says_nothing_of_the_workers() -> None:
    with script("fall") as process:
        assert len(first_line(process).split()) == 2
        os.killpg(process.pid, signal.SIGINT)
        assert ended(process) == ("fell\n", "")
