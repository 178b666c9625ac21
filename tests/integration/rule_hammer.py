"""One store of rules, two programs that update it and are killed at any moment, four that judge by it.

Run as a script: ``python -m tests.integration.rule_hammer STORE KILLS SEED``. It forks, so that a process is there at
once. Prints what was done, and ends with 1 and a reason when a reader saw a mix or an error, or when anything was lost.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import healthcert as hc
from healthcert.rules import update
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.store import RuleStore
from healthcert.rules.subject import RuleSubject
from tests.integration.hammer import drained, forked
from tests.support import NOW, PAYLOAD
from tests.unit.rules.lists import feed, list_of, rule_document, source_named, value_set

SOURCES = {"one": "FR", "two": "DE"}
SIZE = 40
READERS = 4
SUBJECT = RuleSubject(payload=PAYLOAD, issuer="FR", kid=None, issued_at=None, expires_at=None)

setattr(update, "source_named", source_named)  # noqa: B010 The module does not export it.


def moment(number: int) -> datetime:
    return NOW + timedelta(seconds=number)


def updating(path: Path, source: str, first: int, told: int) -> None:
    """Installs one list after the other, and tells the number of each once it is in."""
    store = RuleStore.open(path)
    number = first
    while True:
        rules = [rule_document(f"GR-{SOURCES[source]}-{i:04}", Version=f"1.0.{number}") for i in range(SIZE)]
        parts = list_of(*rules, value_set(source, str(number)), at=moment(number))
        update.install_rules(store, feed(name=source), parts, clock=hc.FixedClock(moment(number)), force=True)
        os.write(told, number.to_bytes(8, "big"))
        number += 1


def reading(path: Path) -> None:
    """Opens and judges, again and again: all that is seen is of one moment, and none is older than the one before."""
    seen = dict.fromkeys(SOURCES, -1)
    store = RuleStore.open(path)
    while True:
        store.reload()
        book = store.book
        for source, country in SOURCES.items():
            versions = [rule.version for rule in book.rules if rule.country == country]
            if not versions:
                assert seen[source] < 0, "a list is gone"
                continue
            number = int(versions[0].rpartition(".")[2])
            assert versions == [f"1.0.{number}"] * SIZE, "a mix"
            assert book.value_sets.codes[source] == [str(number)], "a mix of rules and value sets"
            memory = store.state.memories[source]
            assert memory.highest == int(moment(number).timestamp()), "a list without its memory"
            assert number >= seen[source], "an older list"
            assert book.judge(SUBJECT, country=country, at=NOW).outcome is RulingOutcome.PASSED
            seen[source] = number


def main(path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
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
        source = chance.choice(sorted(SOURCES))
        os.kill(writers[source], signal.SIGKILL)
        _, status = os.waitpid(writers[source], 0)
        assert os.WIFSIGNALED(status), "an updater ended by itself"
        last = drained(pipes[source][0], numbers[source] - 1)
        kept = RuleStore.open(path).state.memories.get(source)
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
    store = RuleStore.open(path)
    assert [head.source for head in store.lists] == sorted(SOURCES)
    assert [change.error for change in update.recheck_rules(store)] == [None] * len(SOURCES)
    assert installed > kills // 4, f"only {installed} lists were installed"
    print(f"{kills} kills, {installed} lists installed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
