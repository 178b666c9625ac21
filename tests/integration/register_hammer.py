"""Programs that enter certificates into one register, and are killed in the middle of it.

``python -m tests.integration.register_hammer URL SECRET FOLDER KILLS SEED``: again and again a program enters batches
and is killed at a random moment; after each kill all is counted. It prints how far the programs came, and raises where
something does not agree.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from healthcert.authority.audit import verify_audit
from healthcert.authority.register import Register, Registered, Standing
from healthcert.authority.secret import load_secret
from healthcert.clock import FixedClock
from tests.registers import new
from tests.support import NOW

BATCH = 25
WINDOW = 300  # records that programs one after the other have before them
SHIFT = 20  # records by which the next one's window lies further on
LONGEST = 0.06  # seconds that a program is left alone


def main() -> None:
    url, secret, folder, kills, seed = sys.argv[1:]
    chance = random.Random(int(seed))
    for number in range(int(kills)):
        output = Path(folder) / f"given{number}"
        child = os.fork()
        if child == 0:
            enter_for_ever(url, secret, output, number * SHIFT, chance.random())
        # A program needs a moment to open the register; the clock starts when it has.
        while not output.exists():
            time.sleep(0.001)
        time.sleep(chance.random() * LONGEST)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        check(url, secret, [output])
    entered = check(url, secret, [Path(folder) / f"given{number}" for number in range(int(kills))])
    print(f"{kills} kills, {entered} certificates")


def enter_for_ever(url: str, secret: str, output: Path, start: int, seed: float) -> None:
    """Enters batches of records, new and known ones, and gives out only what the register gave back."""
    chance = random.Random(seed)
    register = open_register(url, secret)
    with output.open("ab", buffering=0) as file:
        while True:
            names = [str(start + chance.randrange(WINDOW)) for _ in range(BATCH)]
            batch = [new(name) for name in names]
            for name, one, given in zip(names, batch, register.enter(batch), strict=True):
                assert isinstance(given, Registered | Standing)
                signature = given.signature if isinstance(given, Standing) else one.signature
                file.write(f"{name} {signature.hex()}\n".encode())


def check(url: str, secret: str, outputs: list[Path]) -> int:
    """How many certificates there are: each with one entry, and what was given out among them."""
    # The last line may be cut: whoever was killed in the middle of it gave nothing out.
    lines = [line for path in outputs for line in path.read_text("ascii").splitlines(keepends=True)]
    given = [line.split() for line in lines if line.endswith("\n")]
    with open_register(url, secret) as register:
        before = sum(one.certificates for one in register.counts())
        found = verify_audit(register)
        count = sum(one.certificates for one in register.counts())
        kept = register.find_records([f"record {name}".encode() for name, _ in given])
    # The first entry is of the register itself. A database server may still finish what a killed program had sent.
    assert before + 1 <= found.count <= count + 1, (before, found.count, count)
    for name, signature in given:
        assert kept[f"record {name}".encode()].signature.hex() == signature
    return count


def open_register(url: str, secret: str) -> Register:
    return Register.open(url, load_secret(secret), actor="hammer", clock=FixedClock(NOW))


if __name__ == "__main__":
    main()
