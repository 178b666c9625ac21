"""Bulk runs that are killed, stopped, cut off or out of room: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.batch_world import HEALTHCERT, PATIENCE, World, children, ended, seconds_used, uses, wait_until

# HEALTHCERT_KILLS=100 takes a minute more.
KILLS = int(os.environ.get("HEALTHCERT_KILLS", "8"))

TWICE = 1000  # records that are there once more, at the end

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers are found by /proc")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An authority that has issued nothing yet."""
    return World.make(tmp_path_factory.mktemp("batch") / "made")


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    return made.copy(f"copy-{tmp_path.name}")


def whole(world: World, count: int, name: str = "out.jsonl") -> list[str]:
    """The identifiers in an output: each row is there once and in order, and each is in the register and no other."""
    rows = world.rows(name)
    assert [row["row"] for row in rows] == list(range(2, count + 2))
    identifiers = [row["certificate_id"] for row in rows]
    assert len(set(identifiers)) == count == world.registered()
    assert not (world.folder / f"{name}.journal").exists()
    return identifiers


def summary(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


ISSUE = ("issue", "batch", "records.csv", "--out", "out.jsonl", "--json")


def test_workers_that_are_killed_at_random_lose_and_double_nothing(world: World) -> None:
    count = 2000 + 700 * KILLS
    world.records("records.csv", count)
    path = world.folder / "records.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, *lines[1 : TWICE + 1]]))
    chance = random.Random(1)
    process = world.start(*ISSUE, "--workers", "2")
    ends: dict[int, float] = {}
    killed: set[int] = set()
    while len(killed) < KILLS and process.poll() is None:
        for pid in set(children(process)) - killed:
            if pid not in ends and uses(pid, "register.db"):
                # At any moment of its work, however busy the machine is, but for the first: one that ends each worker
                # at the same item is what a run is to take for a reason of its own.
                ends[pid] = seconds_used(pid) + chance.uniform(0.1, 0.4)
            if seconds_used(pid) > ends.get(pid, float("inf")):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
        time.sleep(0.003)
    code, out, err = ended(process)
    assert (code, len(killed)) == (0, KILLS), err
    rows = world.rows("out.jsonl")
    assert [row["row"] for row in rows] == list(range(2, count + TWICE + 2))
    identifiers = [row["certificate_id"] for row in rows]
    assert len(set(identifiers[:count])) == count == world.registered()
    assert identifiers[count:] == identifiers[:TWICE]
    # The first row of a record has its certificate of this run, whoever died over it; the later ones lie far behind.
    assert [row["again"] for row in rows] == [False] * count + [True] * TWICE
    told = summary(out)
    assert (told["issued"], told["issued_before"], told["rejected"]) == (count, TWICE, {})


def test_a_run_killed_twice_and_resumed_issues_what_an_undisturbed_one_does(world: World) -> None:
    count = 8000
    world.records("records.csv", count)
    other = world.copy(world.folder.name + "-undisturbed")
    other.done(*ISSUE, "--workers", "2")
    expected = whole(other, count)
    process = world.start(*ISSUE)
    assert wait_until(lambda: world.journal("out.jsonl.journal").get("rows", 0) > 0, process)
    process.kill()
    ended(process)
    told, size = world.journal("out.jsonl.journal"), world.size("out.jsonl")
    process = world.start(*ISSUE, "--resume", "--workers", "2")
    assert wait_until(lambda: world.size("out.jsonl") > size + 200_000, process)
    process.kill()
    ended(process)
    assert 0 < told["rows"] <= world.journal("out.jsonl.journal")["rows"] < count
    code, out, err = world.run(*ISSUE, "--resume")
    assert code == 0, err
    assert whole(world, count) == expected
    told = summary(out)
    assert (told["issued"], told["issued_before"], told["rows"], told["resumed"]) == (count, 0, count, True)
    assert not any(row["again"] for row in world.rows("out.jsonl"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_finishes_what_was_begun_and_is_gone_on_with(
    world: World, number: signal.Signals
) -> None:
    count = 3000
    world.records("records.csv", count)
    process = world.start(*ISSUE, "--workers", "2")
    assert wait_until(lambda: world.size("out.jsonl") > 0, process)
    os.killpg(process.pid, number) if number is signal.SIGINT else process.send_signal(number)
    code, out, err = ended(process)
    told = summary(out)
    assert (code, err, told["stopped"]) == (130, "", True)
    assert len(world.rows("out.jsonl")) == told["rows"] == told["issued"] == world.registered() < count
    code, out, _ = world.run(*ISSUE, "--resume")
    assert (code, summary(out)["issued"], summary(out)["stopped"]) == (0, count, False)
    whole(world, count)


def _at_most(bytes_: int) -> None:
    """In a process: no file may become larger, as if the disk were full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


def test_a_register_whose_disk_is_full_is_told_and_the_run_is_gone_on_with(world: World) -> None:
    count = 2500
    world.records("records.csv", count)
    code, out, err = world.run(*ISSUE, preexec_fn=lambda: _at_most(1_000_000))
    assert code == 4
    assert "Traceback" not in err
    assert len(world.rows("out.jsonl")) < count
    code, out, err = world.run(*ISSUE, "--resume")
    assert code == 0, err
    whole(world, count)
    assert (summary(out)["issued"], summary(out)["issued_before"]) == (count, 0)


def test_an_output_whose_disk_is_full_is_gone_on_with_to_the_same_bytes(world: World) -> None:
    count = 2500
    world.records("records.csv", count)
    world.done(*ISSUE)
    verify = ("verify", "batch", "out.jsonl", "--out", "verdicts.jsonl", "--rejects", "rejects.tsv", "--json")
    with (world.folder / "out.jsonl").open("a") as file:
        file.write('{"no": "certificate"}\n' * 3000)
    code, undisturbed, _ = world.run(*verify)
    assert code == 1
    expected = {name: (world.folder / name).read_bytes() for name in ("verdicts.jsonl", "rejects.tsv")}
    for name in expected:
        (world.folder / name).unlink()
    for limit in (150_000, 400_000, 10_000):
        code, _, err = world.run(*verify, *(["--resume"] * (limit != 150_000)), preexec_fn=lambda n=limit: _at_most(n))
        assert (code, "Traceback" in err) == (4, False)
    code, out, _ = world.run(*verify, "--resume")
    assert code == 1
    assert {name: (world.folder / name).read_bytes() for name in expected} == expected
    kept = ("accepted", "refused", "undetermined", "rejected", "codes", "rows", "issuers")
    assert {name: summary(out)[name] for name in kept} == {name: summary(undisturbed)[name] for name in kept}


def test_an_output_that_nobody_reads_any_more_ends_the_run_quietly(world: World) -> None:
    count = 2000
    world.records("records.csv", count)
    command = f"set -o pipefail; {HEALTHCERT} issue batch records.csv | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=world.folder, env=world.environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert json.loads(done.stdout)["row"] == 2
    # What was given out until then, and no word of a pipe.
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(("500 issued", "0 issued"))
    before = world.registered()
    told = summary(world.done(*ISSUE))
    assert (told["issued"], told["issued_before"]) == (count - before, before)
    whole(world, count)


def test_an_input_that_is_cut_off_is_told_of_its_last_line(world: World) -> None:
    world.records("records.csv", 700)
    path = world.folder / "records.csv"
    path.write_bytes(path.read_bytes()[:-40])
    code, out, _ = world.run(*ISSUE, "--rejects", "rejects.tsv", "--workers", "2")
    assert (code, summary(out)["issued"], summary(out)["rejected"]) == (1, 699, {"RECORD_UNREADABLE": 1})
    assert (world.folder / "rejects.tsv").read_text().splitlines()[1].startswith("records.csv\t701\t")
    whole(world, 699)
