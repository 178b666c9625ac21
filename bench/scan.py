"""A live session: from the line end that a scanner sends to the verdict on the whole screen of a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import healthcert as hc
from bench import material
from bench.lines import MILLISECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, line
from healthcert.limits import DEFAULT_LIMITS
from healthcert_cli.scanning.desk import Desk
from healthcert_cli.scanning.live import Live
from healthcert_cli.scanning.showing import Screen

CERTIFICATES = 60
MOST_MILLISECONDS = 30
SIZES = ((80, 24), (200, 60))


def lines(settings: Settings) -> Iterator[Line]:
    """The usual size of a terminal, and one that fills a large screen."""
    say("live scanning")
    pair = material.dsc()
    texts = [one.text for one in material.issued(settings.count(CERTIFICATES), pair)]
    for columns, rows in SIZES:
        desk = Desk(
            hc.Verifier(hc.TrustStore.from_certificates([pair.certificate_der()]), clock=material.CLOCK), DEFAULT_LIMITS
        )
        with terminal(columns, rows) as out:
            spread = Spread.of(sorted(session(desk, out, texts)))
        assert desk.counts[hc.Outcome.ACCEPTED] == len(texts)
        name = f"terminal scan loop to verdict, {columns} by {rows}"
        yield line(name, spread, asked=MOST_MILLISECONDS, at_most=True, unit=MILLISECONDS, detail="each another holder")


def session(desk: Desk, out: TextIO, texts: list[str]) -> list[float]:
    """Milliseconds of each scan: read, judged and drawn."""
    reading, writing = os.pipe()
    live = Live(desk, Screen(out, 6, ("Ctrl-C ends.",)), DEFAULT_LIMITS, scanner=reading, ends=True)
    took = []
    for text in texts:
        os.write(writing, text.encode() + b"\r")
        start = time.perf_counter()
        live.turn()
        took.append((time.perf_counter() - start) * 1e3)
    os.close(writing)
    os.close(reading)
    return took


@contextmanager
def terminal(columns: int, rows: int) -> Iterator[TextIO]:
    """A terminal that takes what is drawn."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    taking = threading.Thread(target=_take, args=(ours,))
    taking.start()
    try:
        with os.fdopen(theirs, "w", encoding="utf-8") as out:
            yield out
    finally:
        taking.join()
        os.close(ours)


def _take(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:  # its other end was closed
        pass
