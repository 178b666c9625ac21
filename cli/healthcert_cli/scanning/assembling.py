"""Bytes as a scanner sends them, put together to scans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from healthcert.errors import DecodeError
from healthcert.families import recognise
from healthcert.limits import Limits
from healthcert.model import Private

PAUSE = 0.15
"""Seconds after which a scan without a line end is complete: a scanner types a hundred characters in that time."""
LONG_PAUSE = 1.0
"""The same for what begins like no certificate, and where the scanner sends line ends: then the rest is on its way."""

_ENDS = re.compile(rb"[\r\n]")
# ISO/IEC 15424: scanners may say first which kind of barcode it was (QR code, DataMatrix, Aztec code).
_IDENTIFIER = re.compile(rb"\A\][Qdz][0-9A-Z]")
_START = 16  # characters, which tell all families apart


class Scanned(Private, frozen=True):
    """A scan, or ``None`` in its place where it was longer than any certificate and was thrown away."""

    data: bytes | None


class _Buffer(Struct):
    data: bytearray
    too_long: bool = False


class Assembler:
    """Takes bytes as they come, and gives out each scan once it is complete: by a line end, or by a pause.

    Scanners send a line end after each code, unless someone switched that off. The moments are those of a clock that
    never goes back, in seconds. Of a file or a pipe, which may be slow, a pause ends nothing.
    """

    def __init__(self, limits: Limits, *, by_pause: bool = True) -> None:
        self._limits = limits
        self._by_pause = by_pause
        self._buffer = _Buffer(bytearray())
        self._last = 0.0
        self._sends_ends = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a scan has come yet."""
        return not self._buffer.data

    def feed(self, data: bytes, now: float) -> Iterator[Scanned]:
        """The scans that are complete with these bytes."""
        self._last = now
        *ended, rest = _ENDS.split(data)
        for piece in ended:
            self._sends_ends = True
            self._add(piece)
            yield from self.finish()
        self._add(rest)

    def due(self) -> float | None:
        """The moment at which what is there becomes a scan, if nothing more comes; None where there is nothing."""
        return self._last + self._pause() if self._by_pause and not self.is_empty else None

    def paused(self, now: float) -> Iterator[Scanned]:
        """The scan that is complete because nothing came for a while."""
        due = self.due()
        if due is not None and now >= due:
            yield from self.finish()

    def finish(self) -> Iterator[Scanned]:
        """What is there, as it is: nothing more comes."""
        buffer, self._buffer = self._buffer, _Buffer(bytearray())
        if buffer.data:
            yield Scanned(None if buffer.too_long else _IDENTIFIER.sub(b"", buffer.data))

    def _add(self, piece: bytes) -> None:
        # No barcode holds more characters, nor more bytes, than this; so it is asked of the bytes.
        room = self._limits.text_chars - len(self._buffer.data)
        self._buffer.data += piece[:room]
        self._buffer.too_long |= len(piece) > room

    def _pause(self) -> float:
        if self._sends_ends or self._buffer.too_long:
            return LONG_PAUSE
        try:
            recognise(_IDENTIFIER.sub(b"", self._buffer.data[:_START]).decode("latin-1"), self._limits)
        except DecodeError:
            return LONG_PAUSE
        return PAUSE
