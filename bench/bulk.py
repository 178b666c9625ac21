"""The two bulk commands on two workers, as anybody runs them: memory at two sizes, and time.

A run is a process of its own with its workers; its memory is the sum of what each process held at its most, which is
more than they ever held together. The time that a run may take is two and a half minutes for a million, on a machine
whose bare calls take what they took where that was agreed (22 µs for a signature, 64 µs for a verification).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

import healthcert as hc
from bench import material
from bench.lines import MEGABYTES, SECONDS, Line, MissingError, Settings
from bench.progress import say
from bench.timing import clocked

COMMAND = str(Path(sys.executable).with_name("healthcert"))
WORKERS = 2
SMALL, USUAL, FULL = 10_000, 100_000, 1_000_000
MOST_MEGABYTES = 50
ALLOWED = 150.0
"""Seconds for a million."""
SIGN, VERIFY = 22e-6, 64e-6
"""Seconds of the bare calls that the budget was made with."""
_PROC = Path("/proc/self/task")
"""Where Linux tells of the processes."""


class Run(Struct, frozen=True):
    """What a command took."""

    seconds: float
    megabytes: float


def lines(settings: Settings) -> Iterator[Line]:
    """Records issued, and what was issued verified, few and many."""
    many = FULL if settings.full else settings.count(USUAL)
    few = min(SMALL, many // 10)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        country = ("--country", "FR", "--issuer", "Ministry of Examples")
        run(COMMAND, "init", *country, "--new-keys", "--no-passphrase", name)
        issued, verified = {}, {}
        for count in (few, many):
            say(f"{count:,} records are issued and verified")
            records, certificates, verdicts = (
                folder / f"{what}-{count}.jsonl" for what in ("records", "certificates", "verdicts")
            )
            write_records(records, count)
            profile = ("--profile", str(folder / "healthcert.toml"), "--workers", str(WORKERS))
            issued[count] = run(COMMAND, "issue", "batch", str(records), "--out", str(certificates), *profile)
            check(certificates, count)
            trust = ("--trust", str(folder / "dsc.pem"), "--workers", str(WORKERS))
            verified[count] = run(COMMAND, "verify", "batch", str(certificates), "--out", str(verdicts), *trust)
            check(verdicts, count)
        sign, verify = bare_seconds()
        yield from told("issue batch", issued, few, many, sign / SIGN)
        yield from told("verify batch", verified, few, many, verify / VERIFY)


def told(name: str, runs: dict[int, Run], few: int, many: int, slower: float) -> Iterator[Line]:
    """Two lines of a command; ``slower`` is how many times as long the bare call takes here."""
    more = runs[many].megabytes - runs[few].megabytes
    at_all = f"{runs[many].megabytes:,.0f} MB in all processes" if _PROC.is_dir() else "of the largest process"
    yield Line(
        name=f"{name}: memory of {many:,} rows over {few:,}",
        value=more,
        asked=MOST_MEGABYTES,
        at_most=True,
        unit=MEGABYTES,
        detail=at_all,
    )
    allowed = ALLOWED * many / 1_000_000 * slower
    yield Line(
        name=f"{name}: {many:,} rows on {WORKERS} workers",
        value=runs[many].seconds,
        asked=allowed,
        at_most=True,
        unit=SECONDS,
        detail=f"{many / runs[many].seconds:,.0f} a second; bare calls here take {slower:.2f} times the budget's",
    )


def write_records(path: Path, count: int) -> None:
    """Test results of so many people, a JSON object a line, in constant memory."""
    today = hc.SystemClock().now().date()
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            sampled = today - timedelta(days=3 + number % 25)
            record = {
                "type": "test",
                **material.person(number),
                "test_type": "LP6464-4",
                "sampled_at": f"{sampled}T{number % 24:02}:{number % 60:02}:00+01:00",
                "result": "260415000",
                "centre": "Example Centre",
                "name": "Example qPCR",
            }
            file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def check(path: Path, count: int) -> None:
    """A run that leaves something out is not measured."""
    with path.open("rb") as file:
        found = sum(1 for _ in file)
    if found != count:
        raise AssertionError(f"{found} of {count} rows came out")


def bare_seconds() -> tuple[float, float]:
    """What a signature and a verification take here, by the library alone."""
    pair = material.dsc()
    messages = [one.cose for one in material.issued(1000, pair)]
    calls = material.bare_sign(pair, 1000), material.bare_verify(pair, messages)
    sign, verify = (statistics.median(clocked(call, wall=True) / 1000 for _ in range(9)) for call in calls)
    return sign, verify


def run(*command: str) -> Run:
    """A command to its end. Raises MissingError, with its last words, when it ends with anything but 0."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        peaks: dict[int, int] = {}
        while (ended := _wait(process)) is None:
            for pid in _tree(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()
            raise MissingError(f"{' '.join(command[1:3])}: {words[-1][:120] if words else process.returncode}")
    return Run(seconds, (sum(peaks.values()) or ended) / 1e6)


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """The most bytes that one process of it held, once it has ended."""
    if not hasattr(os, "wait4"):
        return None if process.poll() is None else 0
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if pid == 0:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # bytes there, KiB elsewhere


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it; those that end meanwhile are left out."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _tree(child)


def _peak(pid: int) -> int:
    """The most bytes that a process has held so far."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0
