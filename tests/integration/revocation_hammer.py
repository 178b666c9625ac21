"""One revocation store, a program that updates it and is killed at any moment, and three that ask it.

Run as a script: ``python -m tests.integration.revocation_hammer STORE KILLS SEED``. It forks, so that a process is
there at once. Prints what was done, and ends with 1 and a reason when a reader saw a mix or an error, or when anything
was lost.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import healthcert as hc
from healthcert.revocation import gathering, installing, spool, writer
from healthcert.revocation.answer import Standing
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Listed
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import install_revocations
from tests.integration.hammer import drained, forked
from tests.unit.revocation.world import NOW, PLACE, Told, says, subject

READERS = 3
BASE = 90
FEED = RevocationFeed(name="one", format="told", max_age=None, max_loss=1.0)


def named(what: str, number: int) -> bytes:
    """An identifier of its own for each number."""
    return hashlib.sha256(f"{what} {number}".encode()).digest()[:16]


def listing(number: int) -> Any:
    """The list of this number: two batches that are replaced each time, one that stays, one whose entry is removed."""

    def script(into: Gathering, *_: Any) -> Listed:
        if into.mark("base") is None:
            into.add("base", PLACE, [named("base", -n) for n in range(1, BASE)], Origin())
        into.add("replaced", PLACE, [named("replaced", number)], Origin())
        into.remove(PLACE, [named("removed", number - 1)])
        into.add(f"stays {number}", PLACE, [named("stays", number)], Origin())
        into.add("beside", PLACE, [named("beside", number)], Origin())
        into.add(f"removed {number}", PLACE, [named("removed", number)], Origin())
        return says(whole=False, counter=number)

    return script


def tell(number: int) -> None:
    """Makes the list of this number the one that is read next."""
    vars(installing)["source_named"] = lambda _: Told(listing(number), incremental=True)


def updating(path: Path, first: int, told: int) -> None:
    """Installs one list after the other, and tells the number of each once it is in."""
    store, number = RevocationStore.open(path), first
    while True:
        tell(number)
        install_revocations(store, FEED, Given({}), clock=hc.FixedClock(NOW + timedelta(seconds=number)))
        os.write(told, number.to_bytes(8, "big"))
        number += 1


def check(store: RevocationStore, chance: random.Random) -> int:
    """That all a store says is of one list; returns its number."""
    number = store.state.lists["one"].counter
    assert number is not None
    assert store.state.memories["one"].highest == number, "a list without its memory"

    def found(what: str, which: int) -> bool:
        standing = store.ask(subject(named(what, which)), NOW).standing
        assert standing in (Standing.HIT, Standing.CLEAR)
        return standing is Standing.HIT

    for what in ("replaced", "beside", "removed"):
        assert [found(what, number + step) for step in (-2, -1, 0, 1)] == [False, False, True, False], f"a mix: {what}"
    assert found("base", -chance.randrange(1, BASE)), "an entry is lost"
    assert all(found("stays", chance.randint(0, number)) for _ in range(5)), "an entry is lost"
    assert not found("stays", number + 1), "an entry of a list that is not in use"
    return number


def reading(path: Path, seed: int) -> None:
    """Opens, takes in and asks, again and again: what is seen is of one list, and of none older than before."""
    chance, seen = random.Random(seed), -1
    store = RevocationStore.open(path)
    while True:
        if chance.random() < 0.5:
            store = RevocationStore.open(path)
        else:
            store.reload()
        number = check(store, chance)
        assert number >= seen, "an older list"
        seen = number


def ended(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "a process ended by itself"


def main(path: Path, kills: int, seed: int) -> None:
    gathering._SMALL, gathering._OVERLAY, spool._SPILL, writer._AT_ONCE = 1, 3, 40, 50
    chance = random.Random(seed)
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    number = 0
    shapes: set[int] = set()
    updater = forked(updating, path, 0, write_end)
    while drained(read_end, -1) < 0:
        time.sleep(0.01)
    readers = [forked(reading, path, seed + one) for one in range(READERS)]
    for done in range(4 * kills):
        # Both forms that a store has come up; which ones a killing meets is chance, the more so on a busy machine.
        if done >= kills and shapes == {1, 2}:
            break
        # On a busy machine an update takes longer, and killed as soon as here none would come to its end.
        time.sleep(chance.uniform(0, 0.1 if number * 2 >= done else 0.5))
        ended(updater)
        last = drained(read_end, number - 1)
        store = RevocationStore.open(path)
        reached = check(store, chance)
        # What was told is there; one more may be, when the killing came between the two.
        assert last <= reached <= last + 1 or number == 0, f"told {last}, and there is {reached}"
        shapes.add(len(store.segments("one")))
        number = reached + 1
        updater = forked(updating, path, number, write_end)
    ended(updater)
    for pid in readers:
        assert os.waitpid(pid, os.WNOHANG)[0] == 0, "a reader ended by itself"
        ended(pid)
    store = RevocationStore.open(path)
    number = check(store, chance) + 1
    assert all(store.ask(subject(named("stays", one)), NOW).standing is Standing.HIT for one in range(number))
    (path / "00000000-orphan.hcrev").touch()
    tell(number)
    install_revocations(store, FEED, Given({}), clock=hc.FixedClock(NOW + timedelta(seconds=number)))
    assert check(store, chance) == number
    assert store.state.lists["one"].records == BASE - 1 + number + 1 + 3
    for segment in store.segments("one"):
        segment.check()
    left = {one.name for one in path.iterdir()}
    assert left == {"ledger.db", "lock", *store.file_names}, f"left behind: {left}"
    assert shapes == {1, 2}, "not both overlays and merges"
    assert number > kills // 4, f"only {number} lists were installed"
    print(f"{kills} kills, {number} lists installed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
