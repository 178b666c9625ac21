"""Measures an issuing authority against a bare issuer: what the register, its log and idempotency cost.

The lines tell how much of the rate of ``Issuer.issue`` an authority reaches that issues into a register in SQLite, in
batches of 500, and that gives again what it issued. One core; the key is in this process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import healthcert as hc
from bench.lines import Line, Settings
from bench.progress import say
from bench.timing import Spread, line
from healthcert.authority.authority import IssuingAuthority
from healthcert.authority.register import Register
from healthcert.authority.secret import RegisterSecret
from healthcert.codings import COVID_19, NAAT, NOT_DETECTED
from healthcert.intake.reading import Row
from healthcert.issue.pki import new_csca, new_dsc
from healthcert.issue.signer_set import SignerSet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = hc.FixedClock(NOW)
ISSUER = "Ministry of Examples"
ROWS = 5000
BATCH = 500
TURNS = 5
Issuing = TypeVar("Issuing")


def lines(settings: Settings) -> Iterator[Line]:
    """Issued and registered, and the same records given again."""
    start = NOW - timedelta(days=1)
    signer = new_dsc(new_csca("FR", "CSCA", now=start), "DSC", now=start).signer()
    issuer = hc.Issuer(signer, country="FR", name=ISSUER, clock=CLOCK)
    bare, fresh, again, count = [], [], [], settings.count(ROWS)
    # In turns, so that a machine that slows down slows all of them.
    for turn in range(settings.turns(TURNS)):
        say(f"an authority issues and registers, turn {turn + 1}")
        rows = [row(turn * count + number) for number in range(count)]
        bare.append(seconds(alone, issuer, rows))
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "register.db")
            with Register.open(path, RegisterSecret.new(), actor="bench", clock=CLOCK, create=True) as register:
                office = IssuingAuthority(SignerSet([signer]), register, country="FR", name=ISSUER, clock=CLOCK)
                fresh.append(seconds(registered, office, rows))
                again.append(seconds(registered, office, rows))
    for what, times in (("issued and registered", fresh), ("the same records again", again)):
        share = Spread.of([usual / took for usual, took in zip(bare, times, strict=True)])
        detail = f"{count / statistics.median(times):,.0f} a second in batches of {BATCH}"
        yield line(f"authority: {what}, against Issuer.issue", share, detail=detail)


def alone(issuer: hc.Issuer, rows: list[Row]) -> None:
    for one in rows:
        issuer.issue(one.event, holder=one.holder)


def registered(office: IssuingAuthority, rows: list[Row]) -> None:
    for answer in office.issue_rows(rows, batch=BATCH):
        assert not isinstance(answer, hc.RejectedRow)


def row(number: int) -> Row:
    """A test result of a made-up person."""
    name = "".join(chr(ord("A") + int(digit)) for digit in str(number))
    return Row(
        number=number,
        holder=hc.Holder(family_name=f"Exemplaire-{name}", given_name="Zoé", birth_date="1984-02-29"),
        event=hc.TestResult(
            disease=COVID_19,
            test_type=NAAT,
            sampled_at=NOW - timedelta(hours=20),
            result=NOT_DETECTED,
            name="Example qPCR",
            centre="Example Centre",
        ),
    )


def seconds(work: Callable[[Issuing, list[Row]], None], issuing: Issuing, rows: list[Row]) -> float:
    start = time.perf_counter()
    work(issuing, rows)
    return time.perf_counter() - start
