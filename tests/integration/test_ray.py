"""A run on a cluster of Ray, a worker of which is killed in the middle: the same as on this machine, nothing twice.

Everything of Ray's is in processes of its own, which end with the command that they belong to.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from healthcert.authority.profile import load_profile, open_register

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None or not Path("/proc/self/fd").is_dir(),
    reason="Ray is not installed (pip install 'healthcert[ray]'), or there is no /proc to find its workers in",
)
RECORDS, FILES, GROUP = 3000, 3, 125
BROKEN, TWICE = 40, 60
PATIENCE = 90.0  # seconds
CLUSTER = """
import sys
from healthcert.batch.cluster import Cluster

with Cluster(workers=2).connected():
    import ray

    print(ray.get_runtime_context().gcs_address, file=sys.__stdout__, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """An issuing authority, and records in several files of several groups: a few broken, a few there twice."""
    run(tmp_path, "init", "--country", "FR", "--issuer", "Ministry of Examples", "--new-keys", "--no-passphrase")
    (tmp_path / "records.parquet").mkdir()
    rows = [record(number) for number in range(RECORDS)]
    share = RECORDS // FILES
    for place in range(FILES):
        table = pa.Table.from_pylist(rows[place * share : (place + 1) * share])
        pq.write_table(table, tmp_path / "records.parquet" / f"{place}.parquet", row_group_size=GROUP)
    return tmp_path


def record(number: int) -> dict[str, str]:
    # The last ones are those of the beginning once more, which another worker does at another time.
    who = number if number < RECORDS - TWICE else number - (RECORDS - TWICE)
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(who))
    return {
        "type": "test",
        "family_name": f"Exemple-{letters}",
        "given_name": "Zoé",
        "birth_date": "1991-13-01" if who % (RECORDS // BROKEN) == 1 else "1984-02-29",
        "test_type": "LP6464-4",
        "sampled_at": "2026-08-19T08:00:00+02:00",
        "result": "260415000",
        "name": "Example qPCR",
        "centre": "Example Centre",
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster of two workers on this machine; nothing is left of it in the end."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    folder = Path(tempfile.mkdtemp(prefix="hc"))  # the paths of sockets are short
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        env=os.environ | {"RAY_TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            yield running.stdout.readline().strip()
            running.communicate(timeout=PATIENCE)
        finally:
            running.kill()
    # Ray's processes see each other end, one after the other.
    end = time.monotonic() + PATIENCE
    while left := [cmdline(number) for number in processes_with(str(folder))]:
        assert time.monotonic() < end, left
        time.sleep(0.1)
    folder.rmdir()  # and nothing is left in it


def test_a_killed_worker_changes_nothing(office: Path, cluster: str) -> None:
    other = office.parent / f"{office.name}-local"
    shutil.copytree(office, other)
    issue = ("issue", "batch", "records.parquet", "--out", "out.parquet", "--json")
    there = on_cluster(cluster, office, office / "out.parquet", *issue)
    here = run(other, *issue)

    # Both registers have one secret, so that the same records get the same identifiers.
    ours, theirs = table(office / "out.parquet"), table(other / "out.parquet")
    names = ("source", "row", "certificate_id")
    assert [[row[name] for name in names] for row in ours] == [[row[name] for name in names] for row in theirs]
    assert table(office / "out.rejects.parquet") == rejected(other)
    counted = ("rows", "rejected", "issuers")
    assert {name: there[name] for name in counted} == {name: here[name] for name in counted}
    # What the killed worker had entered counts as issued by this run; a record that is there twice may count twice.
    issued = {row["certificate_id"] for row in ours}
    assert there["issued"] + there["issued_before"] == here["issued"] + here["issued_before"] == len(ours)
    assert here["issued"] == len(issued) <= there["issued"]

    with open_register(load_profile(office / "healthcert.toml")) as register:
        assert sum(one.certificates for one in register.counts()) == len(issued)
    # The register gives the very same again.
    run(office, "issue", "batch", "records.parquet", "--out", "again.parquet")
    assert [row["text"] for row in table(office / "again.parquet")] == [row["text"] for row in ours]

    verify(cluster, office)


def verify(cluster: str, office: Path) -> None:
    """The same for verdicts of good, forged and missing certificates."""
    rows = [{"text": spoiled(number, row["text"])} for number, row in enumerate(table(office / "out.parquet"))]
    pq.write_table(pa.Table.from_pylist(rows), office / "texts.parquet", row_group_size=GROUP)
    asked = ("verify", "batch", "texts.parquet", "--trust", "dsc.pem", "--json")
    there = on_cluster(cluster, office, office / "ray.parquet", *asked, "--out", "ray.parquet")
    here = run(office, *asked, "--out", "local.parquet", "--rejects", "rejects.tsv")
    assert table(office / "ray.parquet") == table(office / "local.parquet")
    assert table(office / "ray.rejects.parquet") == rejected(office)
    assert there.keys() == here.keys()
    assert {name: value for name, value in there.items() if name != "seconds"} == {
        name: value for name, value in here.items() if name != "seconds"
    }
    assert there["refused"] > 0 < there["rejected"]


def spoiled(number: int, text: str) -> str | None:
    if number % 100 == 1:
        return None
    return text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB") if number % 100 == 2 else text


def on_cluster(cluster: str, folder: Path, out: Path, *arguments: str) -> dict[str, Any]:
    """What a command tells that runs on two workers, one of which is killed while it is at a part of ``out``."""
    with subprocess.Popen(
        command(*arguments, "--engine", "ray", "--ray-address", cluster),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            kill_a_worker(running, out)
            told, errors = running.communicate(timeout=PATIENCE)
        finally:
            running.kill()
    assert running.returncode in (0, 1), errors
    summary: dict[str, Any] = json.loads(told)
    return summary


def kill_a_worker(running: subprocess.Popen[str], out: Path) -> None:
    """Once a first part is there, ends the process that writes another."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert running.poll() is None, running.communicate()
        if any(out.glob("part-*")):
            for number in processes_with(f"{out}/.part-"):
                # It must not finish its part between the look and the end.
                os.kill(number, signal.SIGSTOP)
                if f"{out}/.part-" in open_files(number):
                    os.kill(number, signal.SIGKILL)
                    return
                os.kill(number, signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError("no worker was seen")


def processes_with(path: str) -> Iterator[int]:
    """The processes that have a file open whose path begins so."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and path in open_files(int(entry.name)):
            yield int(entry.name)


def cmdline(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""


def open_files(number: int) -> str:
    try:
        return "\n".join(str(one.readlink()) for one in Path(f"/proc/{number}/fd").iterdir())
    except OSError:  # the process ended, or a file was closed
        return ""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from healthcert_cli.root import main; main()", *arguments]


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    (folder / "stderr").write_text(done.stderr)
    return dict(json.loads(done.stdout)) if "--json" in arguments else {}


def table(folder: Path) -> list[dict[str, Any]]:
    """All rows, in the order of the parts' names, which is that of the input."""
    paths = sorted(folder.glob("part-*.parquet"))
    assert sorted(path.name for path in folder.iterdir()) == [path.name for path in paths]
    rows: list[dict[str, Any]] = pq.read_table(folder).to_pylist() if paths else []
    return rows


def rejected(folder: Path) -> list[dict[str, Any]]:
    """The rejected rows of a run on this machine, from its file or from what it told."""
    if (folder / "rejects.tsv").exists():
        lines = (folder / "rejects.tsv").read_text().splitlines()[1:]
        parts = [line.split("\t") for line in lines]
    else:
        lines = [line for line in (folder / "stderr").read_text().splitlines() if line.startswith("rejected: ")]
        parts = [line.removeprefix("rejected: ").split(" ", 3) for line in lines]
    names = ("source", "row", "code", "reason")
    return [dict(zip(names, part, strict=True)) | {"row": int(part[1])} for part in parts]
