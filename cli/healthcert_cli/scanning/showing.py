"""Where verdicts are shown: on the whole screen for some seconds, or each in a line for a script."""

from __future__ import annotations

import json
import os
from typing import Protocol, TextIO

import click

from healthcert.errors import Code
from healthcert.verify.report import Outcome
from healthcert_cli.render import verdict
from healthcert_cli.scanning.card import Card, card_of, waiting
from healthcert_cli.scanning.screen import draw
from healthcert_cli.scanning.seen import Seen

_MOST = 1000  # columns or rows
PARTS_SECONDS = 30.0
"""How long the next part of a card is waited for."""


class Showing(Protocol):
    """Shows what was seen. The moments are those of a clock that never goes back, in seconds."""

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is shown that goes away by itself."""

    def show(self, seen: Seen, now: float) -> None:
        """Shows it, in the place of what was shown before."""

    def due(self) -> float | None:
        """When it goes away."""

    def clear(self, now: float) -> bool:
        """Takes away what is due, and says whether there was something."""

    def redraw(self) -> None:
        """Shows the same again, on a screen of another size."""


class Screen:
    """The whole screen. What it shows is cleared after ``seconds``; between scans it shows ``lines``."""

    def __init__(self, out: TextIO, seconds: float, lines: tuple[str, ...], footer: tuple[str, ...] = ()) -> None:
        self._out = out
        self._seconds = seconds
        self._waiting = waiting(lines)
        self._footer = footer
        self._card: Card = self._waiting
        self._until: float | None = None

    @property
    def is_waiting(self) -> bool:
        return self._until is None

    def show(self, seen: Seen, now: float) -> None:
        self._card = card_of(seen, self._footer)
        self._until = now + max(self._seconds, PARTS_SECONDS if seen.code is Code.PARTS_MISSING else 0)
        self.redraw()

    def due(self) -> float | None:
        return self._until

    def clear(self, now: float) -> bool:
        if self._until is None or now < self._until:
            return False
        self._card, self._until = self._waiting, None
        self.redraw()
        return True

    def redraw(self) -> None:
        columns, rows = os.get_terminal_size(self._out.fileno())
        # A terminal that does not know its size, as on a serial console, says 0; another may say anything.
        draw(self._out, self._card, min(columns or 80, _MOST), min(rows or 24, _MOST))


class Lines:
    """A line for each verdict, without anything of the certificate, or as JSON with all of it."""

    is_waiting = True

    def __init__(self, source: str, *, as_json: bool) -> None:
        self._source = source
        self._as_json = as_json

    def show(self, seen: Seen, now: float) -> None:
        if self._as_json:
            click.echo(json.dumps({"source": self._source} | seen.to_dict()))
        else:
            # What is no verdict yet is none for a script, either.
            click.echo(verdict(self._source, seen.outcome or Outcome.UNDETERMINED, seen.code, seen.detail))

    def due(self) -> float | None:
        return None

    def clear(self, now: float) -> bool:
        return False

    def redraw(self) -> None:
        """Lines have no size."""
