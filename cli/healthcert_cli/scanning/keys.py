"""The keys that end a session, told from the same characters in a barcode."""

from __future__ import annotations

STOP = 0x03
"""Ctrl-C."""
END = 0x04
"""Ctrl-D."""
_ALONE = 0.15  # seconds in which nothing else comes: a scanner has typed on by then


class QuitKeys:
    """Holds a Ctrl-C or Ctrl-D back for a moment: only a hand presses it and nothing else.

    A barcode may hold these characters, and whoever shows it must not end the session with it. Two of them at once
    wait no longer: that is a hand in haste.
    """

    def __init__(self) -> None:
        self._held = b""
        self._since = 0.0

    def take(self, data: bytes, now: float, *, is_between: bool) -> bytes:
        """The bytes that are no such key. ``is_between`` is whether nothing of a scan came before them."""
        if (is_between or self._held) and data and all(byte in (STOP, END) for byte in data):
            self._held += data
            self._since = now
            return b""
        before, self._held = self._held, b""
        return before + data

    def due(self) -> float | None:
        """When it is certain that a key was pressed."""
        return self._since + _ALONE if self._held else None

    def pressed(self, now: float) -> int | None:
        """``STOP`` or ``END`` where that key was pressed."""
        if self._held and (len(self._held) > 1 or now >= self._since + _ALONE):
            return self._held[0]
        return None
