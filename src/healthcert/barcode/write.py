"""What certificates are printed as: QR codes (ISO/IEC 18004), and DataMatrix (ISO/IEC 16022) for 2D-Doc."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from healthcert.barcode.matrix import datamatrix_modules, qr_modules
from healthcert.barcode.symbols import Symbol
from healthcert.errors import Code, IssueError

_LEVELS = ("L", "M", "Q", "H")
_NUMERIC = re.compile(r"[0-9]+")
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")
# The scanner's library writes what is shortest, and may put digits into a segment of their own: such texts it does not
# get. A segment more is 14 bits at least, and 27 amid letters, where two are; ten bits for three digits instead of
# eleven for two characters save as much from the seventh digit on, and from the thirteenth.
_MANY_DIGITS = re.compile(rb"\A[0-9]{7}|[0-9]{13}|[0-9]{7}\Z|\A[0-9]+\Z")
_SMALLEST, _LARGEST = 1, 40  # versions

QUIET_ZONE = 4  # modules; ISO/IEC 18004 §9.1


@dataclass(frozen=True, slots=True)
class QrCode(Symbol):
    """The modules of a QR code, row by row, a byte each: 1 where dark, 0 where light; without the quiet zone."""

    name: ClassVar[str] = "a QR code"
    quiet_zone: ClassVar[int] = QUIET_ZONE

    @classmethod
    def of(cls, text: str, *, error_correction: str = "Q") -> Self:
        """The smallest symbol that holds ``text`` in one alphanumeric segment.

        ``error_correction`` is L, M, Q or H; the HCERT specification recommends Q (§4.2.2). Raises :class:`IssueError`
        (``BARCODE_TOO_LARGE``) when the text does not fit; ValueError for another level or text in other characters.
        """
        if not _ALPHANUMERIC.fullmatch(text):
            raise ValueError("the text has characters outside the QR alphanumeric mode")
        # HCERT specification §4.2.2: the alphanumeric mode MUST be used.
        return cls._of([("alphanumeric", text.encode())], error_correction, f"{len(text)} characters", _LARGEST)

    @classmethod
    def of_segments(
        cls, segments: tuple[str | bytes, ...], *, error_correction: str = "Q", max_version: int | None = None
    ) -> Self:
        """The smallest symbol that holds ``segments`` one after the other.

        A text is put into the densest mode that has all its characters (digits, alphanumeric, and bytes in UTF-8 for
        any other), bytes are put as they are. ``max_version`` is the largest symbol that may come of it, 1 to 40.
        Raises :class:`IssueError` (``BARCODE_TOO_LARGE``) when they do not fit; ValueError for another level or
        version, and for nothing at all.
        """
        if max_version is not None and not _SMALLEST <= max_version <= _LARGEST:
            raise ValueError("a QR code has a version from 1 to 40")
        if not any(segments):
            raise ValueError("a QR code of nothing")
        data = [(_mode(segment), _bytes(segment)) for segment in segments if segment]
        return cls._of(data, error_correction, f"{sum(map(len, segments))} characters", max_version or _LARGEST)

    @classmethod
    def _of(cls, data: Sequence[tuple[str, bytes]], level: str, size: str, max_version: int) -> Self:
        if level not in _LEVELS:
            raise ValueError("the error correction level is L, M, Q or H")
        mode, content = data[0]
        if len(data) == 1 and mode == "alphanumeric" and not _MANY_DIGITS.search(content):
            code = cls(qr_modules(content.decode(), level))
        else:
            code = cls(_rows(data, level, size))
        if code.version > max_version:
            raise _too_large(f"{size}, {code.version} of at most {max_version} versions,", level)
        return code

    @property
    def version(self) -> int:
        """The symbol version, 1 to 40."""
        return (len(self.modules) - 17) // 4


@dataclass(frozen=True, slots=True)
class DataMatrix(Symbol):
    """The modules of a square DataMatrix code, row by row, a byte each: 1 where dark; without the quiet zone."""

    name: ClassVar[str] = "a DataMatrix code"
    # ISO/IEC 16022 §7.4 asks for one module; the second is for printers and scissors.
    quiet_zone: ClassVar[int] = 2

    @classmethod
    def of(cls, text: str) -> Self:
        """The smallest square symbol that holds ``text``.

        Raises :class:`IssueError` (``BARCODE_TOO_LARGE``) when it does not fit; ValueError for a text of nothing, or
        of characters outside ASCII, which readers take in more than one way.
        """
        if not text or not text.isascii():
            raise ValueError("the text is empty, or has characters outside ASCII")
        return cls(datamatrix_modules(text))


def _mode(segment: str | bytes) -> str:
    # ISO/IEC 18004 §7.3: 10 bits hold three digits, 11 bits two alphanumeric characters, 8 bits a byte.
    if isinstance(segment, bytes):
        return "byte"
    if _NUMERIC.fullmatch(segment):
        return "numeric"
    return "alphanumeric" if _ALPHANUMERIC.fullmatch(segment) else "byte"


def _bytes(segment: str | bytes) -> bytes:
    return segment if isinstance(segment, bytes) else segment.encode()


def _rows(data: Sequence[tuple[str, bytes]], level: str, size: str) -> tuple[bytes, ...]:
    """The modules of the smallest QR code that holds these segments, each in its mode."""
    # It draws any segments as they are given, and takes a hundred times as long.
    from qrcode import util
    from qrcode.exceptions import DataOverflowError
    from qrcode.main import QRCode

    modes = {"numeric": util.MODE_NUMBER, "alphanumeric": util.MODE_ALPHA_NUM, "byte": util.MODE_8BIT_BYTE}
    # ISO/IEC 18004, table 12: the two bits of a level are its number there.
    code = QRCode(error_correction="MLHQ".index(level), border=0)
    for mode, content in data:
        code.add_data(util.QRData(content, mode=modes[mode], check_data=False))
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):
        raise _too_large(size, level) from None
    return tuple(bytes(map(bool, row)) for row in code.modules)


def _too_large(size: str, level: str) -> IssueError:
    return IssueError(Code.BARCODE_TOO_LARGE, f"{size} do not fit a QR code of level {level}")
