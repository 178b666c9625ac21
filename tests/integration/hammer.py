"""One trust store, two programs that update it and are killed at any moment, eight that verify with it.

Run as a script: ``python -m tests.integration.hammer STORE KILLS SEED``. It forks, so that a process is there at once.
Prints what was done, and ends with 1 and a reason when a reader saw a mix or an error, or when anything was lost.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from datetime import datetime, timedelta
from pathlib import Path

import healthcert as hc
from healthcert.issue.pki import new_dsc
from healthcert.publish import austrian
from healthcert.trust.update import install_list
from tests.support import CLOCK, HOLDER, NOW, VACCINATION
from tests.unit.trust.lists import authority, dsc_of, feed, signer_of_lists

SOURCES = ("one", "two")
CHUNKS, SIZE = 4, 40
READERS = 8
BY_HAND = new_dsc(authority("FR"), "By hand", now=NOW - timedelta(days=1))
TEXT = hc.Issuer(BY_HAND.signer(), country="FR", clock=CLOCK).issue(VACCINATION, holder=HOLDER).text
POOL = [[dsc_of("FR", chunk * SIZE + number) for number in range(SIZE)] for chunk in range(CHUNKS)]
KIDS = {bytes(key.kid): chunk for chunk, ders in enumerate(POOL) for key in hc.TrustStore.from_certificates(ders)}


def moment(number: int) -> datetime:
    return NOW + timedelta(seconds=number)


def updating(path: Path, source: str, first: int, told: int) -> None:
    """Installs one list after the other, and tells the number of each once it is in."""
    store = hc.TrustStore.open(path)
    number = first
    while True:
        chunk = number % CHUNKS
        parts = austrian.publish(
            POOL[chunk], signer_of_lists().signer(), issued_at=moment(number), expires_at=moment(number + 10**6)
        )
        install_list(store, feed("at", name=source), parts, clock=hc.FixedClock(moment(number)), force=True)
        os.write(told, number.to_bytes(8, "big"))
        number += 1


def reading(path: Path) -> None:
    """Opens and verifies, again and again: all that is seen is of one moment, and none is older than the one before."""
    seen = dict.fromkeys(SOURCES, -1)
    while True:
        store = hc.TrustStore.open(path)
        report = hc.Verifier(store, clock=CLOCK).examine(TEXT)
        assert report.outcome is hc.Outcome.ACCEPTED, report.detail
        for source in SOURCES:
            generation = store.state.lists.get(source)
            if generation is None:
                assert seen[source] < 0, "a list is gone"
                continue
            counter = generation.head.counter
            assert counter is not None
            number = counter - int(NOW.timestamp())
            chunks = [KIDS[row.kid] for row in generation.rows]
            assert chunks == [number % CHUNKS] * SIZE, "a mix"
            assert store.state.memories[source].highest == counter, "a list without its memory"
            assert number >= seen[source], "an older list"
            seen[source] = number


def forked(work: object, *args: object) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work(*args)  # type: ignore[operator]
    except BaseException:  # noqa: BLE001 What went wrong is the parent's to say.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def drained(pipe: int, last: int) -> int:
    while True:
        try:
            told = os.read(pipe, 8)
        except BlockingIOError:
            return last
        last = int.from_bytes(told, "big")


def main(path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    hc.TrustStore.open(path).add(hc.TrustStore.from_certificates([BY_HAND.certificate_der()]))
    pipes = {source: os.pipe() for source in SOURCES}
    for read_end, _ in pipes.values():
        os.set_blocking(read_end, False)
    numbers = dict.fromkeys(SOURCES, 0)
    writers = {source: forked(updating, path, source, 0, pipes[source][1]) for source in SOURCES}
    readers = [forked(reading, path) for _ in range(READERS)]
    installed = 0
    for done in range(kills):
        # On a busy machine an update takes longer, and killed as soon as here none would come to its end.
        time.sleep(chance.uniform(0, 0.12 if installed * 2 >= done else 0.5))
        source = chance.choice(SOURCES)
        os.kill(writers[source], signal.SIGKILL)
        _, status = os.waitpid(writers[source], 0)
        assert os.WIFSIGNALED(status), "an updater ended by itself"
        last = drained(pipes[source][0], numbers[source] - 1)
        kept = hc.TrustStore.open(path).state.memories.get(source)
        reached = -1 if kept is None or kept.highest is None else kept.highest - int(NOW.timestamp())
        # What was told is there; one more may be, when the killing came between the two.
        assert last <= reached <= last + 1, f"told {last}, and there is {reached}"
        installed += reached + 1 - numbers[source]
        numbers[source] = reached + 1
        writers[source] = forked(updating, path, source, numbers[source], pipes[source][1])
    for pid in writers.values():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    for pid in readers:
        done, status = os.waitpid(pid, os.WNOHANG)
        assert done == 0, "a reader ended by itself"
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    store = hc.TrustStore.open(path)
    assert store.state.lists.keys() == {"local", *SOURCES}
    assert installed > kills // 4, f"only {installed} lists were installed"
    print(f"{kills} kills, {installed} lists installed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
