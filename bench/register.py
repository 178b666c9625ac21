"""Measures a register in SQLite: certificates entered, looked up again and revoked, and its audit log verified.

The lines tell how many a second, each batch being one transaction that is on the disk before the next begins, and how
much of the rate of bare SQLite that is: the same rows and log entries, made ready before.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.lines import RATE, Line, Settings
from bench.progress import say
from bench.timing import Spread, line
from healthcert.authority.audit import verify_audit
from healthcert.authority.register import New, Register
from healthcert.authority.secret import RegisterSecret
from healthcert.issue.pending import Terms
from healthcert.lists.x509 import kid_of
from healthcert.model import EntryType

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LASTING = timedelta(days=30)
BATCH = 500
BATCHES = 20
TURNS = 3
LEAST = 3000  # certificates a second
SIGNER = b"what stands for the DSC"


def lines(settings: Settings) -> Iterator[Line]:
    """A register filled, asked, revoked from and audited, anew each turn."""
    rates: dict[str, list[float]] = {"enter": [], "find": [], "revoke": [], "verify": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(settings.turns(TURNS)):
            say(f"a register in SQLite, turn {turn + 1}")
            measure(Path(folder) / f"register{turn}.db", rates)
    yield line(
        f"register: enter batches of {BATCH}, with their log", Spread.of(rates["enter"]), asked=LEAST, unit=RATE
    )  # fmt: skip
    share = Spread.of([mine / bare for mine, bare in zip(rates["enter"], rates["bare"], strict=True)])
    yield line("... against the same rows in bare sqlite3", share)
    told = {"find": "look records up", "revoke": "revoke", "verify": "verify the audit log, entries"}
    for what, words in told.items():
        yield line(f"register: {words}", Spread.of(rates[what]), unit=RATE)


def measure(path: Path, rates: dict[str, list[float]]) -> None:
    batches = [[certificate(number) for number in range(start, start + BATCH)] for start in starts()]
    with Register.open(str(path), RegisterSecret.new(), actor="bench", create=True) as register:
        register.keep_certificate(SIGNER)
        rates["enter"].append(rate(lambda: [register.enter(batch) for batch in batches]))
        rates["find"].append(rate(lambda: [register.find_records([one.record for one in batch]) for batch in batches]))
        ids = [[one.terms.certificate_id for one in batch] for batch in batches]
        rates["revoke"].append(rate(lambda: [register.revoke(batch) for batch in ids]))
        rates["verify"].append(2 * rate(lambda: verify_audit(register)))
    rates["bare"].append(bare(path))


def bare(path: Path) -> float:
    """The same rows into a copy of the tables, by the driver alone, with the same promise to be on the disk."""
    with closing(sqlite3.connect(path)) as source:
        tables = [sql for (sql,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
        rows = source.execute("SELECT * FROM certificates ORDER BY number").fetchall()
        log = source.execute("SELECT * FROM audit WHERE action = 'issue' ORDER BY number").fetchall()
    with closing(sqlite3.connect(path.with_suffix(".bare"), isolation_level=None)) as target:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", *tables):
            target.execute(statement)

        def run() -> None:
            for start in starts():
                target.execute("BEGIN IMMEDIATE")
                part = slice(start, start + BATCH)
                for table, values in (("certificates", rows[part]), ("audit", log[part])):
                    marks = ", ".join("?" * len(values[0]))
                    target.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
                target.execute("COMMIT")

        return rate(run)


def certificate(number: int) -> New:
    return New(
        record=f"record {number}".encode() * 20,
        terms=Terms(certificate_id=f"URN:UVCI:01:FR:{os.urandom(13).hex()}#A", issued_at=NOW, expires=NOW + LASTING),
        kid=kid_of(SIGNER),
        entry_type=EntryType.TEST,
        signature=os.urandom(64),
        signature_hash=os.urandom(16),
    )


def starts() -> range:
    return range(0, BATCH * BATCHES, BATCH)


def rate(call: Callable[[], object]) -> float:
    """Certificates a second."""
    start = time.perf_counter()
    call()
    return BATCH * BATCHES / (time.perf_counter() - start)
