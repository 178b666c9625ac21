"""Work that takes long, at the command line: its bar, what stops it, and what is told in the end."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from healthcert.batch.protocol import Source
from healthcert.batch.run import BulkRun
from healthcert.batch.summary import Summary

if TYPE_CHECKING:  # Ray and what it brings is for those who use it
    from healthcert.batch.cluster import ClusterRun

ItemT = TypeVar("ItemT")


class _Running(Protocol):
    def stop(self) -> None: ...
    def summary(self) -> Summary: ...


@contextmanager
def told(run: _Running, stack: ExitStack, tell: Callable[[Summary], None]) -> Iterator[None]:
    """Around a run: signals stop it, and whatever happens, what was done is told when its ``stack`` was closed."""
    try:
        with stopping(run.stop):
            yield
    except KeyboardInterrupt:  # the second one
        run.stop()
    finally:
        stack.close()  # the bar ends before anything is told
        tell(run.summary())


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Calls ``stop`` at Ctrl-C or SIGTERM; a second one raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    asked = False

    def handle(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def bar_of(sources: Iterable[Source[ItemT]], label: str) -> Iterator[Callable[[BulkRun[ItemT]], None] | None]:
    """A bar with rate and time left, where somebody looks at it and it is known how much there is."""
    sizes = [source.size for source in sources]
    if not sys.stderr.isatty() or None in sizes:
        yield None
        return
    began, done = time.monotonic(), 0

    def rate(rows: int | None) -> str:
        return "" if rows is None else f"{rows / max(time.monotonic() - began, 1e-3):,.0f} a second"

    with click.progressbar(length=sum(filter(None, sizes)), label=label, file=sys.stderr, item_show_func=rate) as bar:

        def show(run: BulkRun[ItemT]) -> None:
            nonlocal done
            bar.update(run.read - done, run.rows)
            done = run.read

        yield show


@contextmanager
def row_bar(label: str) -> Iterator[Callable[[ClusterRun], None] | None]:
    """The same, of the rows of a run on a cluster, whose parts come in no order."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(run: ClusterRun) -> None:
            bar.length = run.size
            bar.update(run.rows - bar.pos)

        yield show
