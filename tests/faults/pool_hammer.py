"""A pool whose processes are killed, run as a script: ``python -m tests.faults.pool_hammer HOW ...``.

- ``kills FOLDER COUNT``: workers with large results end themselves with SIGKILL in the middle, so many times in all.
  Prints what was done when nothing is missing, twice, or lost.
- ``hang``: two workers that never finish. Prints their process ids.
- ``count``: prints each result as it comes; stops reading at SIGINT, and ends when what was begun is done.
- ``fall``: prints a result, and waits for the next one until SIGINT raises KeyboardInterrupt.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from healthcert.pool import Pool

BYTES = 500_000
MOST = 24  # chunks that a worker does before it ends
WRITING = 0.002  # seconds, which is about what it takes to make a result and to write it


def mortal(folder: Path, kills: int) -> Callable[[Sequence[int]], bytes]:
    """A worker that takes one of so many tickets, and ends itself in the middle of some chunk, whatever it is at."""
    left = random.randint(1, MOST) if has_ticket(folder, kills) else -1

    def end() -> None:
        time.sleep(random.uniform(0, WRITING))
        os.kill(os.getpid(), signal.SIGKILL)

    def work(chunk: Sequence[int]) -> bytes:
        nonlocal left
        left -= 1
        if left == 0:
            threading.Thread(target=end, daemon=True).start()
        return result(chunk)

    return work


def has_ticket(folder: Path, kills: int) -> bool:
    for number in range(kills):
        try:
            os.close(os.open(folder / str(number), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return True
    return False


def result(chunk: Sequence[int]) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in chunk) * (BYTES // 4 // len(chunk))


def kills(folder: str, how_many: str) -> None:
    """Goes on until all tickets are taken, and for a while after."""
    last = Path(folder) / str(int(how_many) - 1)

    def chunks() -> Iterator[list[int]]:
        left = 4 * MOST  # so that those that took the last tickets come to their end
        for number in count():
            left -= last.exists()
            if not left:
                return
            yield [2 * number, 2 * number + 1]

    seen = redone = 0
    with Pool(partial(mortal, Path(folder), int(how_many)), workers=2) as pool:
        for number, done in enumerate(pool.map(chunks())):
            assert list(done.items) == [2 * number, 2 * number + 1]
            # One that was struck three times is done item by item.
            assert done.results in ((result(done.items),), tuple([result([item]) for item in done.items]))
            seen, redone = seen + 1, redone + done.redone
    print(len(list(Path(folder).iterdir())), "kills;", seen, "chunks;", redone, "redone", flush=True)


def napping() -> Callable[[Sequence[float]], int]:
    return nap


def nap(chunk: Sequence[float]) -> int:
    time.sleep(chunk[0])
    return os.getpid()


def hang() -> None:
    with Pool(napping, workers=2) as pool:
        done = pool.map([[0.2]] * 6 + [[3600.0]] * 9)
        print(*{next(done).results[0] for _ in range(6)}, flush=True)
        next(done)


def counting() -> None:
    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    read = 0

    def chunks() -> Iterator[list[float]]:
        nonlocal read
        while not stopped.is_set():
            read += 1
            yield [0.05]

    given = 0
    with Pool(napping, workers=2) as pool:
        for done in pool.map(chunks()):
            given += not done.redone
            print(given, flush=True)
    print("read", read, flush=True)


def fall() -> None:
    # Whoever starts the tests in the background of a shell has them ignore it, and so would this process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        hang()
    except KeyboardInterrupt:
        print("fell", flush=True)


HOW: dict[str, Callable[..., None]] = {"kills": kills, "hang": hang, "count": counting, "fall": fall}

if __name__ == "__main__":
    HOW[sys.argv[1]](*sys.argv[2:])
