"""A re-issue of all that a compromised DSC signed, killed at any moment, and done again until it is through.

Run as a script: ``python -m tests.integration.reissue_hammer FOLDER KILLS SEED``. Prints what was done; ends with 1 and
a reason when a record was issued anew twice or not at all, or given out in two ways.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from healthcert.authority.audit import entries, verify_audit
from healthcert.authority.register import Register, State
from healthcert.authority.reissue import reissue
from healthcert.authority.withdrawn import withdrawn
from healthcert.intake.reading import RejectedRow
from healthcert.issue.pki import new_dsc
from tests.authority_world import SECRET, authority, row
from tests.integration.issuing_hammer import BATCH, ROUND, ended, given_out
from tests.support import CLOCK, DAY, NOW, csca, dsc, verifier

PEOPLE = 120
NEXT = new_dsc(csca(), "Next DSC", now=NOW - DAY)
OLD = dsc().signer().kid


def opened(path: Path, *, create: bool = False) -> Register:
    return Register.open(str(path), SECRET, actor="a clerk", clock=CLOCK, create=create)


def issued_to(path: Path) -> None:
    """A new register, with a certificate of each record under the old DSC."""
    with opened(path, create=True) as kept:
        for answer in authority(kept).issue_rows(row(number) for number in range(1, PEOPLE + 1)):
            assert not isinstance(answer, RejectedRow)


def reissuing(path: Path, output: Path) -> None:
    with opened(path) as kept, output.open("w", encoding="utf-8") as file:
        rows = (row(number) for number in range(1, PEOPLE + 1))
        for number, answer in enumerate(reissue(authority(kept, NEXT.signer()), OLD, rows, batch=BATCH), 1):
            assert not isinstance(answer, RejectedRow), answer.error
            file.write(json.dumps({"number": answer.number, "text": answer.issued.text}) + "\n")
            if number % BATCH == 0:
                file.flush()


def forked(path: Path, output: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        reissuing(path, output)
    except BaseException as error:  # noqa: BLE001 What went wrong is the parent's to say.
        sys.stderr.write(f"{error!r}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def judged(path: Path, outputs: list[Path], last: Path) -> None:
    """Runs to the end, and sees that each was issued anew once."""
    assert ended(forked(path, last))
    told = dict(given_out(last))
    assert sorted(told) == list(range(1, PEOPLE + 1)), "a record is lost"
    for output in outputs:
        for number, text in given_out(output):
            assert told[number] == text, "a record was given out in two ways"
    check = verifier(NEXT)
    with opened(path) as kept:
        for text in told.values():
            assert text is not None
            [name] = check.verify(text).certificate.identifiers
            found = kept.find(certificate_id=name)
            assert found is not None, "given out, and not registered"
            assert (found.edition, found.state) == (2, State.ISSUED), "issued anew more than once"
        assert not list(kept.live(kid=OLD, at=NOW)), "an old one is still live"
        assert len(list(withdrawn(kept, OLD, at=NOW))) == PEOPLE, "not each is to be revoked"
        actions = [entry.action for entry in entries(kept)]
        assert (actions.count("reissue"), actions.count("replace")) == (PEOPLE, PEOPLE), "not each is in the log once"
        assert verify_audit(kept).count == 3 * PEOPLE + 3


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    done = halfway = rounds = 0
    whole = 0.0
    while done < kills:
        path = folder / f"{rounds}.db"
        issued_to(path)
        if not whole:  # how long a run takes here, so that it is killed within it
            start = time.monotonic()
            assert ended(forked(path, folder / "first.jsonl"))
            whole = time.monotonic() - start
            judged(path, [folder / "first.jsonl"], folder / "first-last.jsonl")
            path = folder / f"{rounds}-killed.db"
            issued_to(path)
        outputs: list[Path] = []
        for _ in range(min(ROUND, kills - done)):
            outputs.append(folder / f"{rounds}-{len(outputs)}.jsonl")
            pid = forked(path, outputs[-1])
            time.sleep(chance.uniform(0, whole * 0.6))
            os.kill(pid, signal.SIGKILL)
            if not ended(pid):
                done += 1
                halfway += bool(given_out(outputs[-1]))
        judged(path, outputs, folder / f"{rounds}-last.jsonl")
        rounds += 1
    assert halfway > kills // 8, f"only {halfway} runs were killed half-way"
    print(f"{done} kills, {halfway} of them half-way")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
