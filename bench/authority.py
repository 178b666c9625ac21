"""Measures an issuing authority against a bare issuer: what the register, its log and idempotency cost.

``python -m bench.authority`` prints how many certificates a second an authority issues into a register in SQLite, in
batches of 500, and gives again, each as a share of what ``Issuer.issue`` does in the same run. One core; the key is in
this process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import healthcert as hc
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


def main() -> None:
    start = NOW - timedelta(days=1)
    signer = new_dsc(new_csca("FR", "CSCA", now=start), "DSC", now=start).signer()
    issuer = hc.Issuer(signer, country="FR", name=ISSUER, clock=CLOCK)
    bare, fresh, again = [], [], []
    # In turns, so that a machine that slows down slows all of them.
    for turn in range(TURNS):
        rows = [row(turn * ROWS + number) for number in range(ROWS)]
        bare.append(seconds(alone, issuer, rows))
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "register.db")
            with Register.open(path, RegisterSecret.new(), actor="bench", clock=CLOCK, create=True) as register:
                office = IssuingAuthority(SignerSet([signer]), register, country="FR", name=ISSUER, clock=CLOCK)
                fresh.append(seconds(registered, office, rows))
                again.append(seconds(registered, office, rows))
    usual = statistics.median(bare)
    print(f"Issuer.issue: {ROWS / usual:.0f} a second")
    for what, times in (("issued and registered", fresh), ("the same records again", again)):
        took = statistics.median(times)
        print(f"... {what}, in batches of {BATCH}: {ROWS / took:.0f} a second, {usual / took:.2f} of it")


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


if __name__ == "__main__":
    main()
