"""The loop of a live session: waits for what a scanner types, sends or sees, and shows what becomes of it."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from healthcert.errors import Code, HealthCertError
from healthcert.limits import Limits
from healthcert_cli.scanning.assembling import Assembler, Scanned
from healthcert_cli.scanning.desk import Desk
from healthcert_cli.scanning.devices import read_some
from healthcert_cli.scanning.keys import STOP, QuitKeys
from healthcert_cli.scanning.showing import Showing
from healthcert_cli.scanning.sightings import Sightings

Look = Callable[[], list[str] | None]
"""Gives the texts of the codes in the next frame of a camera, or None when there is no other."""

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Live:
    """A session at a desk.

    ``scanner`` is the descriptor that scans come from: the terminal, a serial line, or a pipe, which ends with its last
    scan. ``keys`` is the terminal where somebody may press Ctrl-C; it may be the same. ``look`` is a camera.
    """

    def __init__(
        self,
        desk: Desk,
        showing: Showing,
        limits: Limits,
        *,
        scanner: int | None = None,
        keys: int | None = None,
        look: Look | None = None,
        ends: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.was_stopped = False
        self._desk = desk
        self._showing = showing
        self._scanner, self._keys = scanner, keys
        self._look = look
        self._ends = ends
        self._clock = clock
        self._assembler = Assembler(limits, by_pause=not ends)
        self._sightings = Sightings(limits)
        self._quit = QuitKeys()
        self._selector = selectors.SelectSelector()  # which takes files, too
        for descriptor in {scanner, keys} - {None}:
            assert descriptor is not None
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._is_done = False  # nothing more comes
        self._is_over = False  # somebody ended it
        self._is_resized = True  # nothing was drawn yet

    def run(self) -> None:
        """Until a key, a signal or the end of the input. Raises :class:`HealthCertError` (``ENVIRONMENT``)."""
        with self._selector:
            # The verdict on what came last stays as long as any other, unless somebody ends the session.
            while not (self._is_over or (self._is_done and self._showing.is_waiting)):
                self.turn()

    def signals(self) -> AbstractContextManager[None]:
        """Around :meth:`run`, and around what is to be put back before signals end the process again."""
        return _signals(self._selector, self._stop, self._resize)

    def turn(self) -> None:
        """Waits until something comes or is due, and does it."""
        if self._is_resized:
            self._is_resized = False
            self._showing.redraw()
        for key, _ in self._selector.select(self._patience()):
            if key.data is None:
                self._read(key.fd)
            else:
                os.read(key.fd, 4096)  # of a signal, which was seen to
        if self._look is not None:
            self._see(self._look)
        now = self._clock()
        self._show(self._assembler.paused(now))
        pressed = self._quit.pressed(now)
        if pressed is not None:
            self._is_over, self.was_stopped = True, pressed == STOP
        if self._showing.clear(now):
            self._desk.forget()

    def _patience(self) -> float | None:
        """Seconds until something is due by itself; a camera has always something to see."""
        if self._look is not None or self._is_resized:
            return 0
        dues = [due for due in (self._assembler.due(), self._quit.due(), self._showing.due()) if due is not None]
        return max(0.0, min(dues) - self._clock()) if dues else None

    def _read(self, descriptor: int) -> None:
        data, now = read_some(descriptor), self._clock()
        if data is None:
            self._ended(descriptor)
            return
        if descriptor == self._keys:
            data = self._quit.take(data, now, is_between=self._assembler.is_empty)
        if descriptor == self._scanner:
            self._show(self._assembler.feed(data, now))

    def _ended(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        if descriptor == self._keys:  # the terminal was closed
            self._stop()
            return
        if not self._ends:
            raise HealthCertError(Code.ENVIRONMENT, "the scanner was unplugged")
        self._show(self._assembler.finish())
        self._is_done = True

    def _see(self, look: Look) -> None:
        texts, now = look(), self._clock()
        if texts is None:
            if not self._ends:
                raise HealthCertError(Code.ENVIRONMENT, "the camera gives no more pictures")
            self._is_done, self._look = True, None
            return
        new = self._sightings.new(texts, now, is_waiting=self._showing.is_waiting)
        if new:
            self._showing.show(self._desk.judge_together(new), self._clock())

    def _show(self, scans: Iterator[Scanned]) -> None:
        for scan in scans:
            if self._is_over:
                return
            self._showing.show(self._desk.judge(scan.data), self._clock())

    def _stop(self) -> None:
        self._is_over = self.was_stopped = True

    def _resize(self) -> None:
        self._is_resized = True


@contextmanager
def _signals(selector: selectors.BaseSelector, stop: Callable[[], None], resize: Callable[[], None]) -> Iterator[None]:
    """Calls ``stop`` and ``resize`` at the signals for them, and lets the selector return then.

    The session ends at the end of a turn, so that the screen is given back; a second signal does not wait for that.
    """
    asked = False

    def stopped(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    handlers = dict.fromkeys(_STOPPING, stopped) | {signal.SIGWINCH: lambda *_: resize()}
    # Who stops the process for a while would leave the verdict on the screen.
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    selector.register(reading, selectors.EVENT_READ, "signal")
    wake = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wake)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
