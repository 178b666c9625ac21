"""The whole screen of a terminal: drawn for two metres, and given back as it was."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from healthcert.verify.report import Outcome
from healthcert_cli.scanning.card import Card
from healthcert_cli.scanning.lettering import headline, in_blocks, lettered
from healthcert_cli.text import printable

_MARGIN = 2  # character cells at the left and the right
_WORD_SHARE = 0.4  # of the rows, for the verdict itself
# Numbers of SGR (ECMA-48, 8.3.117): the sixteen colours are those that the terminal's user can read.
_COLOURS: dict[Outcome | None, str] = {
    Outcome.ACCEPTED: "30;42",  # black on green
    Outcome.REFUSED: "1;97;41",  # white on red
    Outcome.UNDETERMINED: "30;43",  # black on yellow
    None: "39;49",
}
# The alternate screen, which has no scrollback; no cursor; and what is too wide is cut off.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[2J\x1b[H\x1b[?7h\x1b[?25h\x1b[?1049l"


@contextmanager
def whole_screen(out: TextIO) -> Iterator[None]:
    """Around all that is drawn: whatever happens, the screen is wiped and the one before comes back."""
    try:
        _write(out, _ENTER)
        yield
    finally:
        with suppress(OSError):  # a terminal that was closed shows nothing any more
            _write(out, _LEAVE)


def draw(out: TextIO, card: Card, columns: int, rows: int) -> None:
    """Fills the screen with a card."""
    lines = layout(card, columns, rows, with_blocks=_has_blocks(out))
    start = f"\x1b[0;{_COLOURS[card.outcome]}m"
    filled = (lines[row] if row < len(lines) else "" for row in range(rows))
    # Each row is filled before it is written: not every terminal erases in the colour of the background.
    drawn = (f"\x1b[{row};1H{' ' * columns}\x1b[{row};1H{line}" for row, line in enumerate(filled, 1))
    _write(out, start + "".join(drawn))


def layout(card: Card, columns: int, rows: int, *, with_blocks: bool = True) -> list[str]:
    """The lines of a card on a screen of this size: as much in large letters as the plain lines leave room for."""
    width = max(1, columns - 2 * _MARGIN)
    plain = [part for line in card.lines for part in _wrapped(printable(line), width)][: max(1, rows - 1)]
    large: list[str] = []
    if with_blocks:
        room = rows - len(plain) - 2
        large = _large(card, width, room)
    return [" " * _MARGIN + line if line else "" for line in ("", *large, *plain)][:rows]


def _large(card: Card, width: int, room: int) -> list[str]:
    """The verdict first, and then each of the other words in what is left; those that find no room are left out."""
    share = room if not card.large else max(8, round(room * _WORD_SHARE))
    picture = headline(card.sign, card.word, width, 2 * min(room, share))
    drawn = [] if picture is None else [*in_blocks(picture), ""]
    for number, words in enumerate(card.large):
        left = room - len(drawn) - 1
        # An equal part for each that is still to come; where that is too little, all for this one.
        part = left // (len(card.large) - number)
        picture = lettered(words, width, 2 * part) or lettered(words, width, 2 * left)
        if picture is not None:
            drawn += [*in_blocks(picture), ""]
    return drawn


def _wrapped(line: str, width: int) -> list[str]:
    """A line broken at spaces. Letters of East Asia take two cells each."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)
    return textwrap.wrap(line, max(1, width // 2 if wide else width)) or [""]


def _has_blocks(out: TextIO) -> bool:
    try:
        "▀▄█✓✗".encode(out.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _write(out: TextIO, text: str) -> None:
    out.write(text)
    out.flush()
