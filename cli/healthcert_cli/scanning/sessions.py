"""A live session as the command asks for it: where scans come from, and where verdicts go."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import click
from msgspec import Struct

from healthcert.errors import Code, HealthCertError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.verify.report import Outcome
from healthcert_cli.exits import Exit
from healthcert_cli.scanning.assembling import Assembler
from healthcert_cli.scanning.card import moment_line
from healthcert_cli.scanning.desk import Desk
from healthcert_cli.scanning.showing import Lines, Screen, Showing
from healthcert_cli.verifying import Asked

_CHUNK = 64 * 1024  # bytes
_WORST_FIRST = (
    (Outcome.REFUSED, Exit.REFUSED),
    (Outcome.UNDETERMINED, Exit.UNDETERMINED),
    (Outcome.ACCEPTED, Exit.ACCEPTED),
)


class Source(Struct, frozen=True, kw_only=True):
    """Where scans come from: a serial line, a camera, or else standard input."""

    serial: str | None
    baud: int
    camera: str | None

    @property
    def name(self) -> str:
        """As it stands before each verdict in a line."""
        return self.serial or (f"camera {self.camera}" if self.camera else "-")


def run(asked: Asked, source: Source, *, seconds: float, tell_counts: bool, as_json: bool) -> Exit:
    """Judges what comes until its end, or until somebody ends it.

    Raises as :meth:`Asked.verifier`, :class:`HealthCertError` (``ENVIRONMENT``, ``EXTRA_MISSING``) for a device that
    cannot be used, :class:`click.UsageError`.
    """
    if source.serial is not None and source.camera is not None:
        raise click.UsageError("--serial and --camera are one or the other")
    desk = Desk(asked.verifier(), DEFAULT_LIMITS)
    showing: Showing = Lines(source.name, as_json=as_json)
    on_screen = sys.stdout.isatty() and not as_json
    typed = sys.stdin is not None and sys.stdin.isatty()
    try:
        if on_screen or typed or source.serial is not None or source.camera is not None:
            was_stopped = _live(desk, asked, source, showing, seconds, on_screen=on_screen, typed=typed)
        else:
            was_stopped = False
            _read_lines(desk, showing, DEFAULT_LIMITS)
    except KeyboardInterrupt:
        was_stopped = True
    finally:
        if tell_counts:
            click.echo(", ".join(f"{desk.counts[outcome]} {outcome.value}" for outcome in Outcome), err=True)
    return Exit.STOPPED if was_stopped else _exit_of(desk.counts)


def _live(
    desk: Desk, asked: Asked, source: Source, showing: Showing, seconds: float, *, on_screen: bool, typed: bool
) -> bool:
    """A session that waits for a device, or shows verdicts on the screen. Says whether somebody stopped it."""
    try:
        from healthcert_cli.scanning.devices import raw_terminal, serial_line
        from healthcert_cli.scanning.live import Live
        from healthcert_cli.scanning.screen import whole_screen
    except ImportError:  # termios, on Windows
        detail = "live scanning needs a POSIX terminal; lines of standard input are judged everywhere"
        raise HealthCertError(Code.ENVIRONMENT, detail) from None
    keys = sys.stdin.fileno() if typed else None
    with ExitStack() as stack:
        # What may fail comes first, while its message is still seen.
        scanner, look, ends = keys, None, False
        if source.serial is not None:
            scanner = stack.enter_context(serial_line(source.serial, source.baud))
        elif source.camera is not None:
            from healthcert_cli.scanning.camera import camera

            look = stack.enter_context(camera(source.camera))
            scanner, ends = None, Path(source.camera).is_file()
        elif not typed:
            scanner, ends = sys.stdin.fileno(), True
        if on_screen:
            showing = _screen(asked, seconds)
        live = Live(desk, showing, DEFAULT_LIMITS, scanner=scanner, keys=keys, look=look, ends=ends)
        stack.enter_context(live.signals())
        if on_screen:
            stack.enter_context(whole_screen(sys.stdout))
        if keys is not None:
            stack.enter_context(raw_terminal(keys))
        live.run()
    return live.was_stopped


def _screen(asked: Asked, seconds: float) -> Screen:
    """The screen of this session; one that asks about another moment than now says so all the time."""
    moment = () if asked.at is None else (moment_line(asked.at),)
    ending = "Nothing is kept. Ctrl-C ends."
    return Screen(sys.stdout, seconds, (*moment, ending), footer=moment)


def _read_lines(desk: Desk, showing: Showing, limits: Limits) -> None:
    """Judges each line of standard input, for a script."""
    if sys.stdin is None:
        return
    assembler = Assembler(limits, by_pause=False)
    # By lines, so that each verdict is there before the next line is; in pieces, where a line has no end.
    while data := sys.stdin.buffer.readline(_CHUNK):
        for scan in assembler.feed(data, now=0):
            showing.show(desk.judge(scan.data), now=0)
    for scan in assembler.finish():
        showing.show(desk.judge(scan.data), now=0)


def _exit_of(counts: Counter[Outcome]) -> Exit:
    """As of ``healthcert verify``: where nothing was judged, nothing was accepted."""
    return next((code for outcome, code in _WORST_FIRST if counts[outcome]), Exit.UNDETERMINED)
