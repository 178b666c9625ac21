"""What certificates are printed as: QR codes (ISO/IEC 18004), and DataMatrix (ISO/IEC 16022) for 2D-Doc."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import qrcode
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, MODE_NUMBER, QRData

from healthcert.barcode.symbols import Symbol
from healthcert.errors import Code, IssueError

_LEVELS = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}
_NUMERIC = re.compile(r"[0-9]+", re.ASCII)
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")
_SMALLEST, _LARGEST = 1, 40  # versions

QUIET_ZONE = 4  # modules; ISO/IEC 18004 §9.1


@dataclass(frozen=True, slots=True)
class QrCode(Symbol):
    """The modules of a QR code, row by row, True where dark; without the quiet zone."""

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
        segment = QRData(text.encode("ascii"), mode=MODE_ALPHA_NUM, check_data=False)
        return cls._of([segment], f"{len(text)} characters", error_correction, None)

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
        data = [_segment(segment) for segment in segments if segment]
        return cls._of(data, f"{sum(map(len, segments))} characters", error_correction, max_version)

    @classmethod
    def _of(cls, data: Iterable[QRData], size: str, error_correction: str, max_version: int | None) -> Self:
        if error_correction not in _LEVELS:
            raise ValueError("the error correction level is L, M, Q or H")
        code = qrcode.QRCode(error_correction=_LEVELS[error_correction], border=0)
        for segment in data:
            code.add_data(segment)
        try:
            version = code.best_fit(start=_SMALLEST)
            if max_version is None or version <= max_version:
                code.make(fit=False)
                return cls(tuple(tuple(bool(module) for module in row) for row in code.modules))
            size += f", {version} of at most {max_version} versions,"
        except (DataOverflowError, ValueError):
            pass
        raise IssueError(Code.BARCODE_TOO_LARGE, f"{size} do not fit a QR code of level {error_correction}")

    @property
    def version(self) -> int:
        """The symbol version, 1 to 40."""
        return (len(self.modules) - 17) // 4


@dataclass(frozen=True, slots=True)
class DataMatrix(Symbol):
    """The modules of a square DataMatrix code, row by row, True where dark; without the quiet zone."""

    name: ClassVar[str] = "a DataMatrix code"
    # ISO/IEC 16022 §7.4 asks for one module; the second is for printers and scissors.
    quiet_zone: ClassVar[int] = 2

    @classmethod
    def of(cls, text: str) -> Self:
        """The smallest square symbol that holds ``text``.

        Raises :class:`IssueError` (``BARCODE_TOO_LARGE``) when it does not fit; ValueError for a text of nothing, or
        of characters outside ASCII, which readers take in more than one way.
        """
        # Only who issues 2D-Docs needs the library that reads and draws them.
        import zxingcpp

        if not text or not text.isascii():
            raise ValueError("the text is empty, or has characters outside ASCII")
        try:
            code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, forceSquare=True)
        except ValueError:
            raise IssueError(Code.BARCODE_TOO_LARGE, f"{len(text)} characters do not fit a DataMatrix code") from None
        image: Any = code.to_image(scale=1, add_quiet_zones=False)
        rows: Any = memoryview(image).tolist()
        return cls(tuple(tuple(light == 0 for light in row) for row in rows))


def _segment(segment: str | bytes) -> QRData:
    if isinstance(segment, bytes):
        return QRData(segment, mode=MODE_8BIT_BYTE, check_data=False)
    # ISO/IEC 18004 §7.3: 10 bits hold three digits, 11 bits two alphanumeric characters, 8 bits a byte.
    mode = MODE_8BIT_BYTE
    if _NUMERIC.fullmatch(segment):
        mode = MODE_NUMBER
    elif _ALPHANUMERIC.fullmatch(segment):
        mode = MODE_ALPHA_NUM
    return QRData(segment.encode("utf-8"), mode=mode, check_data=False)
