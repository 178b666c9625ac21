"""Two workers against one, beside what the bare calls reach in two processes on this machine.

A worker takes about half a second to start, which is told of no run here: what is timed is the difference between a
long run and a short one.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import healthcert as hc
from bench import material
from bench.lines import Line, Settings
from bench.progress import say
from bench.timing import Spread, clocked, line

LONG, SHORT = 24_000, 4_000
ASKED = 1.7
OF_BARE = 0.9
"""Or so much of what two processes reach that do nothing but the bare call."""
BARE = {"verify": 4_000, "sign": 20_000}
TURNS = 5

_Many = Callable[[int, int], Iterable[object]]


def lines(settings: Settings) -> Iterator[Line]:
    """Verifying and issuing."""
    with bare_processes() as bare:
        yield from measure("verify", "verify", verifying(), bare, settings)
        yield from measure("issue", "sign", issuing(), bare, settings)


def verifying() -> _Many:
    """The first ``count`` of many certificates, over ``workers``."""
    pair = material.dsc()
    texts = [one.text for one in material.issued(2_000, pair)] * (LONG // 2_000)
    verifier = hc.Verifier(hc.TrustStore.from_certificates([pair.certificate_der()]), clock=material.CLOCK)
    return lambda count, workers: verifier.examine_many(texts[:count], workers=workers)


def issuing() -> _Many:
    """The first ``count`` of many records, over ``workers``."""
    records, issuer = material.records(LONG), material.issuer(material.dsc())
    return lambda count, workers: issuer.issue_many(records[:count], workers=workers)


def measure(name: str, call: str, many: _Many, bare: Bare, settings: Settings) -> Iterator[Line]:
    """How many times as much two workers do, and the two processes of the bare call beside them; in turns."""
    long, short = settings.count(LONG), settings.count(SHORT)

    def seconds(workers: int) -> float:
        took = [clocked(lambda count=count: exhausted(many(count, workers)), wall=True) for count in (short, long)]  # type: ignore[misc]
        return took[1] - took[0]

    found, allowed = [], []
    for turn in range(settings.turns(TURNS)):
        say(f"{name} with one worker and with two, turn {turn + 1}")
        allowed.append(bare.factor(call))
        found.append(seconds(1) / seconds(2))
    reached = Spread.of(allowed)
    asked = min(ASKED, OF_BARE * reached.middle)
    detail = f"{long - short:,} certificates; asked is the lesser of {ASKED} and {OF_BARE} of the bare call's"
    yield line(f"{name} on two workers, against one", Spread.of(found), asked=asked, detail=detail)
    yield line(f"... the bare {call} call in two processes, against one", reached)


def exhausted(many: Iterable[object]) -> None:
    """Takes all of them, and keeps none."""
    for _ in many:
        pass


class Bare:
    """Two processes that do nothing but the bare calls."""

    def __init__(self, pipes: list[Connection]) -> None:
        self._pipes = pipes

    def factor(self, call: str) -> float:
        """How many times as much both at once do as one alone."""
        alone = self._seconds(call, self._pipes[:1])
        both = self._seconds(call, self._pipes)
        return len(self._pipes) * alone / both

    def _seconds(self, call: str, pipes: list[Connection]) -> float:
        start = time.perf_counter()
        for pipe in pipes:
            pipe.send((call, BARE[call]))
        for pipe in pipes:
            pipe.recv()
        return time.perf_counter() - start


@contextmanager
def bare_processes() -> Iterator[Bare]:
    """Started, and warm; ended with the block."""
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(2)]
    processes = [context.Process(target=serve, args=(theirs,), daemon=True) for _, theirs in pairs]
    for process in processes:
        process.start()
    for _, theirs in pairs:
        theirs.close()  # so that they see the end of it
    bare = Bare([ours for ours, _ in pairs])
    for call in BARE:
        bare.factor(call)
    try:
        yield bare
    finally:
        for ours, _ in pairs:
            ours.close()
        for process in processes:
            process.join()


def serve(pipe: Connection) -> None:
    """In the process: so many calls, each time they are asked for."""
    pair = material.dsc()
    verify = material.bare_verify(pair, [one.cose for one in material.issued(100, pair)])
    sign = material.bare_sign(pair, 100)
    calls = {"verify": verify, "sign": sign}
    while True:
        try:
            call, count = pipe.recv()
        except EOFError:
            return
        for _ in range(count // 100):
            calls[call]()
        pipe.send(None)
