"""One register under several programs at a time, some of which are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from healthcert.authority.audit import verify_audit
from healthcert.authority.secret import load_secret, new_secret
from tests.kills import kills
from tests.registers import Place
from tests.support import NOW

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 600

ENTER = """
    import sys
    from healthcert.authority.register import Register, Standing
    from healthcert.authority.secret import load_secret
    from healthcert.clock import FixedClock
    from tests.registers import new
    from tests.support import NOW
    url, secret, step = sys.argv[1:]
    names = range(600)[:: int(step)]
    register = Register.open(url, load_secret(secret), actor="clerk", clock=FixedClock(NOW))
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, len(names), 20):
        batch = [new(name) for name in names[start : start + 20]]
        for one, given in zip(batch, register.enter(batch), strict=True):
            signature = given.signature if isinstance(given, Standing) else one.signature
            print(one.record.decode(), signature.hex(), isinstance(given, Standing), sep=",")
    register.close()
"""


def test_programs_that_enter_the_same_records_get_the_same_certificates(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    place.open(create=True, secret=new_secret(secret)).close()
    # Two go forwards and one backwards through the same records, so that each is first with some.
    programs = [start(place, secret, step) for step in (1, 1, -1)]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    given: dict[str, set[str]] = {}
    first = 0
    for program in programs:
        output, errors = program.communicate(timeout=120)
        assert (program.returncode, errors) == (0, "")
        for line in output.splitlines():
            record, signature, again = line.split(",")
            given.setdefault(record, set()).add(signature)
            first += again == "False"
    assert len(given) == RECORDS
    assert {len(signatures) for signatures in given.values()} == {1}
    assert first == RECORDS
    register = place.open(secret=load_secret(secret))
    assert verify_audit(register).count == 1 + RECORDS
    assert len(list(register.live(at=NOW))) == RECORDS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the programs are forked, which this system does not do")
def test_kills_in_the_middle_leave_certificates_and_log_agreeing(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    place.open(create=True, secret=new_secret(secret)).close()
    module = "tests.integration.register_hammer"
    command = [sys.executable, "-m", module, place.url, str(secret), str(tmp_path), str(kills(100)), "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stderr == ""
    assert done.stdout.startswith(f"{kills(100)} kills, ")
    assert int(done.stdout.split()[2]) > kills(100)  # entered, on however slow a machine


def start(place: Place, secret: Path, step: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(ENTER), place.url, str(secret), str(step)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
