"""Times calls in turns: only ratios within one run mean anything on a machine that others use as well.

What one process does alone is timed by the processor's time that it took, in which the waiting for others is not; what
waits, or lets other processes work, is timed by the clock on the wall.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from bench.lines import MICROSECONDS, TIMES, Line, Settings

Call = Callable[[], object]


class Spread(Struct, frozen=True):
    """The median of several values, and the quartiles around it."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, middle, high)


def clocked(call: Call, *, wall: bool = False) -> float:
    """Seconds that a call takes."""
    clock = time.perf_counter if wall else time.process_time
    start = clock()
    call()
    return clock() - start


def in_turns(*calls: Call, turns: int, wall: bool = False) -> list[tuple[float, ...]]:
    """Seconds of each call, turn by turn.

    Every call is made once before. A machine that slows down slows all calls of a turn; and as every second turn goes
    the other way round, none of them always comes first.
    """
    for call in calls:
        call()
    gc.collect()
    rows = []
    for turn in range(turns):
        order = range(len(calls))
        took = dict.fromkeys(order, 0.0)
        for at in order if turn % 2 == 0 else reversed(order):
            took[at] = clocked(calls[at], wall=wall)
        rows.append(tuple(took.values()))
    return rows


def rate(
    name: str,
    ours: Call,
    bare: Call,
    settings: Settings,
    *,
    count: int,
    bare_count: int | None = None,
    asked: float | None = None,
    turns: int = 15,
    detail: str = "",
) -> Line:
    """How much of the throughput of ``bare`` ours reaches; each call does ``count`` items."""
    rows = in_turns(ours, bare, turns=settings.turns(turns))
    scale = count / (bare_count or count)
    spread = Spread.of([theirs / mine * scale for mine, theirs in rows])
    return line(name, spread, asked=asked, detail=join(micros(rows, count, bare_count or count), detail))


def cost(
    name: str,
    ours: Call,
    bare: Call,
    settings: Settings,
    *,
    count: int,
    asked: float | None = None,
    turns: int = 15,
    wall: bool = False,
    detail: str = "",
) -> Line:
    """How many times as long as ``bare`` ours takes; each call does ``count`` items."""
    rows = in_turns(ours, bare, turns=settings.turns(turns), wall=wall)
    spread = Spread.of([mine / theirs for mine, theirs in rows])
    return line(name, spread, asked=asked, at_most=True, detail=join(micros(rows, count, count), detail))


def line(
    name: str,
    spread: Spread,
    *,
    asked: float | None = None,
    at_most: bool = False,
    unit: str = TIMES,
    detail: str = "",
) -> Line:
    """A line of a median and its quartiles."""
    return Line(
        name=name,
        value=spread.middle,
        low=spread.low,
        high=spread.high,
        asked=asked,
        at_most=at_most,
        unit=unit,
        detail=detail,
    )


def micros(rows: Sequence[tuple[float, ...]], mine: int, theirs: int) -> str:
    """What one item takes, ours and the other."""
    ours, other = (statistics.median(row[at] for row in rows) * 1e6 for at in (0, 1))
    return f"{ours / mine:,.1f} {MICROSECONDS} against {other / theirs:,.1f}"


def join(*parts: str) -> str:
    """The parts that say something."""
    return "; ".join(part for part in parts if part)


def repeated(call: Call, times: int) -> Call:
    """So many calls as one."""

    def run() -> None:
        for _ in range(times):
            call()

    return run
