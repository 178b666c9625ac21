"""An authority that issues a file of records, and is killed at any moment, again and again.

Run as a script: ``python -m tests.integration.issuing_hammer FOLDER KILLS SEED [URL]``. ``URL`` is an empty database,
of which one register is made and filled further and further; without it each round has a register of its own, in
SQLite. With the variables HAMMER_KEY and HAMMER_CERTIFICATE the key is that one (a ``pkcs11:`` URI, with the PIN in
HAMMER_PIN). Prints what was done; ends with 1 and a reason when a record was issued twice, lost, or given out in two
ways.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import healthcert as hc
from healthcert.authority.audit import entries, verify_audit
from healthcert.authority.authority import IssuingAuthority
from healthcert.authority.register import Register
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.keysource import open_signer
from healthcert.issue.signer import load_certificate
from healthcert.issue.signer_set import SignerSet
from tests.authority_world import ISSUER, SECRET, row
from tests.support import CLOCK, dsc

PEOPLE = int(os.environ.get("HAMMER_PEOPLE", "120"))
BATCH = 12
ROUND = 8
"""Kills of one register, after which it is run to the end."""
BROKEN = hc.IssueError(hc.Code.RECORD_UNREADABLE, "no record", hc.Step.CONTENT)


def rows_of(first: int) -> list[Row | RejectedRow]:
    """A file: records of so many people, one in twelve of them twice, one row in a hundred broken."""
    people = [first + number for number in range(PEOPLE)]
    people += people[::12]
    random.Random(first).shuffle(people)
    return [
        RejectedRow(number, BROKEN) if number % 100 == 0 else row(number, person=person)
        for number, person in enumerate(people, 1)
    ]


def signer() -> hc.Signer:
    key = os.environ.get("HAMMER_KEY")
    if key is None:
        return dsc().signer()
    return open_signer(key, os.environ["HAMMER_CERTIFICATE"], _Pin())


def certificate() -> bytes:
    named = os.environ.get("HAMMER_CERTIFICATE")
    return dsc().certificate_der() if named is None else load_certificate(named)


class _Pin:
    def passphrase(self, path: Path) -> bytes:
        raise AssertionError("no file is used")

    def pin(self, token: str) -> str:
        return os.environ["HAMMER_PIN"]


def issuing(url: str, first: int, output: Path) -> None:
    """What a command does: all rows in batches, each of which is written and flushed when it is there."""
    with Register.open(url, SECRET, actor="a clerk", clock=CLOCK) as kept, output.open("w", encoding="utf-8") as file:
        office = IssuingAuthority(SignerSet([signer()]), kept, country="FR", name=ISSUER, clock=CLOCK)
        for number, answer in enumerate(office.issue_rows(rows_of(first), batch=BATCH), 1):
            text = None if isinstance(answer, RejectedRow) else answer.issued.text
            file.write(json.dumps({"number": answer.number, "text": text}) + "\n")
            if number % BATCH == 0:
                file.flush()


def forked(url: str, first: int, output: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        issuing(url, first, output)
    except BaseException:  # noqa: BLE001 What went wrong is the parent's to say.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> bool:
    """Whether it ended by itself; one that failed ends the whole test."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0, "a run failed"
    return True


def given_out(output: Path) -> list[tuple[int, str | None]]:
    """The rows of an output file, without the last one where it was cut."""
    lines = output.read_text("utf-8").split("\n")[:-1] if output.exists() else []
    return [(line["number"], line["text"]) for line in map(json.loads, lines)]


def hammered(
    url: str, folder: Path, first: int, kills: int, chance: random.Random, together: int, whole: float
) -> tuple[list[Path], int, int]:
    """The outputs of runs that were killed, so many at the same time; how many were, and how many of them half-way."""
    outputs: list[Path] = []
    done = halfway = 0
    while done < kills:
        paths = [folder / f"{first}-{len(outputs) + number}.jsonl" for number in range(together)]
        outputs += paths
        pids = [forked(url, first, path) for path in paths]
        for pid, path in zip(pids, paths, strict=True):
            time.sleep(chance.uniform(0, whole / together))
            os.kill(pid, signal.SIGKILL)
            if not ended(pid):
                done += 1
                halfway += bool(given_out(path))
    return outputs, done, halfway


def judged(url: str, folder: Path, first: int, outputs: Sequence[Path], registered: int) -> int:
    """Runs to the end, and sees that all is as it must be; gives how many certificates the register has then."""
    last = folder / f"{first}-last.jsonl"
    assert ended(forked(url, first, last))
    final = dict(given_out(last))
    records: dict[bytes, str] = {}
    check = hc.Verifier(hc.TrustStore.from_certificates([certificate()]), clock=CLOCK)
    identifiers: set[str] = set()
    for one in rows_of(first):
        text = final.pop(one.number)
        if isinstance(one, RejectedRow):
            assert text is None, "a broken row was issued"
            continue
        assert text is not None, "a record is lost"
        who = repr((one.holder.family_name, one.holder.given_name)).encode()
        assert records.setdefault(who, text) == text, "one record has two certificates"
        identifiers.update(check.verify(text).certificate.identifiers)
    assert not final, "a row that nobody gave"
    assert len(set(records.values())) == len(records), "two records have one certificate"
    told = dict(given_out(last))
    for output in outputs:
        for number, text in given_out(output):
            assert told[number] == text, "a record was given out in two ways"
    with Register.open(url, SECRET, actor="a clerk", clock=CLOCK) as kept:
        assert sum(one.certificates for one in kept.counts()) == registered + len(records), "not each is there once"
        issued = [entry.subject for entry in entries(kept) if entry.action == "issue"]
        assert len(issued) == len(set(issued)) == registered + len(records), "not each is in the log once"
        assert identifiers <= set(issued), "given out, and not in the log"
        assert verify_audit(kept).count == len(issued) + 2
        for name in identifiers:
            found = kept.find(certificate_id=name)
            assert found is not None, "given out, and not registered"
            assert found.edition == 1, "issued anew"
    return registered + len(records)


def main(folder: Path, kills: int, seed: int, url: str | None) -> None:
    certificate()  # made before the first fork, so that all have the same
    chance = random.Random(seed)
    done = halfway = registered = rounds = 0
    whole = 0.0
    while done < kills:
        first = 1000 * (rounds + 1)
        place = url or str(folder / f"{rounds}.db")
        if url is None or rounds == 0:
            Register.open(place, SECRET, actor="a clerk", clock=CLOCK, create=True).close()
            registered = 0
        if not whole:  # how long a run takes here, so that it is killed within it
            start = time.monotonic()
            registered = judged(place, folder, first - 500, [], registered)
            whole = time.monotonic() - start
        together = 2 if rounds % 2 else 1
        outputs, killed, seen = hammered(
            place, folder, first, min(ROUND, kills - done), chance, together, whole * (1 if url else 0.7)
        )
        registered = judged(place, folder, first, outputs, registered)
        done, halfway, rounds = done + killed, halfway + seen, rounds + 1
    assert halfway > kills // 5, f"only {halfway} runs were killed half-way"
    print(f"{done} kills, {halfway} of them half-way, {rounds} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None)
