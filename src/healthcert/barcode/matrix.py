"""The modules of a barcode, from the writer of the scanner's library, with the mask of a QR code chosen here.

That library judges each of the eight masks a module at a time, which takes six times as long as all the rest. Here it
draws the symbol under one mask. Two masks differ in the same modules whatever the symbol holds, so the other seven
follow from what is known of the version and the level, and each is judged for all of its lines at once, as one big
integer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from healthcert.errors import Code, IssueError

_MASKS = 8
_DARK = b"\1" + bytes(255)  # pixels are black, 0, or white, 255
_DIGITS = bytes.maketrans(b"\0\1", b"01")
# Light modules between the lines of an integer, as the quiet zone has them: more than any pattern reaches over.
_GAP = b"0000"


class _Seen(NamedTuple):
    """The modules of a symbol, or those in which two differ, three times: as lines of bits, and in a byte each."""

    rows: int
    columns: int
    bytes: int


def qr_modules(text: str, level: str) -> tuple[bytes, ...]:
    """The modules of the smallest QR code that holds ``text``, row by row, 1 where dark.

    Raises :class:`IssueError` (``BARCODE_TOO_LARGE``).
    """
    first, side = _seen(_qr(text, level, data_mask=0))
    # ISO/IEC 18004 §7.8.3: the mask with the lowest penalty, the first of several.
    best = min(_differences(side, level), key=lambda mask: _penalty(first, mask, side))
    dark = (first.bytes ^ best.bytes).to_bytes(side * side)
    return tuple(dark[start : start + side] for start in range(0, side * side, side))


def datamatrix_modules(text: str) -> tuple[bytes, ...]:
    """The modules of the smallest square DataMatrix code that holds ``text``. Raises as :func:`qr_modules`."""
    pixels = _pixels(_drawn(text, "DataMatrix", "a DataMatrix code", force_square=True))
    return tuple(bytes(row).translate(_DARK) for row in pixels.tolist())


def _qr(text: str, level: str, **options: int) -> Any:
    return _drawn(text, "QRCode", f"a QR code of level {level}", ec_level=level, **options)


def _drawn(text: str, form: str, name: str, **options: Any) -> Any:
    # Only who draws needs the library.
    import zxingcpp

    try:
        return zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, form), **options)
    except ValueError:
        raise IssueError(Code.BARCODE_TOO_LARGE, f"{len(text)} characters do not fit {name}") from None


def _pixels(code: Any) -> memoryview:
    """A pixel for each module."""
    return memoryview(code.to_image(scale=1, add_quiet_zones=False))


def _seen(code: Any) -> tuple[_Seen, int]:
    pixels = _pixels(code)
    side, dark = len(pixels), bytes(pixels).translate(_DARK)
    digits = dark.translate(_DIGITS)
    rows = _lines(digits[start : start + side] for start in range(0, side * side, side))
    return _Seen(rows, _lines(digits[start::side] for start in range(side)), int.from_bytes(dark)), side


def _lines(lines: Iterable[bytes]) -> int:
    return int(_GAP.join((*lines, b"")), 2)


@lru_cache(maxsize=32)
def _differences(side: int, level: str) -> tuple[_Seen, ...]:
    """For each mask, the modules in which a symbol under it differs from the same under the first."""
    version = (side - 17) // 4
    symbols = [_seen(_qr("0", level, version=version, data_mask=mask))[0] for mask in range(_MASKS)]
    return tuple(_Seen(*(one ^ other for one, other in zip(symbol, symbols[0], strict=True))) for symbol in symbols)


def _penalty(symbol: _Seen, mask: _Seen, side: int) -> int:
    """What is to be said against a mask (ISO/IEC 18004 §7.8.3.1)."""
    every, stride = _every(side), side + len(_GAP)
    rows, columns = symbol.rows ^ mask.rows, symbol.columns ^ mask.columns
    light = rows ^ every
    # 3 for each square of four modules of one colour.
    squares = sum((pairs & pairs >> stride).bit_count() for pairs in (rows & rows >> 1, light & light >> 1))
    # 10 for each 5 in 100 by which dark modules are more or less than half.
    unbalanced = abs(20 * rows.bit_count() - 10 * side * side) // (side * side)
    return 3 * squares + 10 * unbalanced + _along(rows, light) + _along(columns, columns ^ every)


def _along(dark: int, light: int) -> int:
    """The penalty of the runs and patterns in all lines of one direction."""
    found = 0
    for colour in (dark, light):
        four = colour & colour >> 1
        four &= four >> 2
        # A run of five or more modules of one colour costs 3, and 1 for each beyond five: 1 for every place at which
        # five of them begin, and 2 more where the first do.
        five = four & colour >> 4
        found += five.bit_count() + 2 * (five & ~(five >> 1)).bit_count()
    # 40 for each 1011101, as of a finder pattern, with four light modules before or after it.
    pattern = dark & dark >> 2 & dark >> 3 & dark >> 4 & dark >> 6 & ~(dark >> 1 | dark >> 5)
    if pattern:
        two = dark | dark >> 1
        four_light = ~(two | two >> 2)
        found += 40 * (pattern & (four_light >> 7 | four_light << 4)).bit_count()
    return found


@lru_cache(maxsize=32)
def _every(side: int) -> int:
    """All modules of a symbol, as lines."""
    return _lines([b"1" * side] * side)
