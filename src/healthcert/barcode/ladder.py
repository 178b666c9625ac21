"""The ladder of effort: a picture is looked at in ever more ways, until a code in it is read.

Which rungs there are, and in which order, was measured: docs/explanation/reading-pictures.md has the table.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import zxingcpp
from PIL import Image

from healthcert.barcode.found import Corner, FoundCode, Frame
from healthcert.barcode.views import (
    Treatment,
    View,
    enlarged,
    levelled,
    reduced,
    sharpened,
    smoothed,
    tiles,
    turned,
    within,
)
from healthcert.model import Scan

_SYMBOLOGIES = {
    zxingcpp.BarcodeFormat.QRCode: "QR code",
    zxingcpp.BarcodeFormat.Aztec: "Aztec code",
    zxingcpp.BarcodeFormat.DataMatrix: "DataMatrix",
}
_ALL = zxingcpp.BarcodeFormats(tuple(_SYMBOLOGIES))
_QR = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.QRCode,))
_LOCAL, _MIDDLE = zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.FixedThreshold
# A QR code of version 10 has 57 modules and 8 of quiet zone: 0.88 of the side. Larger ones fill more.
_FILLED = 0.85
# The scanner itself takes what differs by no more than this for one grey, and sees nothing in it.
_FLAT = 24
# Scanning takes time by the pixel; a page scanned at 300 dpi has 9 million, and no code needs more to be read.
_SCANNED_PIXELS = 12_000_000
_ENLARGED_PIXELS = 9_000_000
# A picture that gets smaller than this has too few pixels for the modules of a code.
_LEAST_SIDE = 40
# The largest QR code has 177 modules. With four pixels for each, it is within the overlap, and whole in one tile.
_TILE, _OVERLAP = 2600, 800


class Watch:
    """How long codes are searched with effort."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until it is over; 0 from then on."""
        return max(0.0, self._end - time.monotonic())


class Rung(NamedTuple):
    """One way to look at a picture: it is scaled, then treated, then turned, then scanned.

    ``times`` is how much larger it is made, or smaller when it is negative.
    """

    name: str
    times: int = 1
    treatment: Treatment | None = None
    degrees: int = 0
    binarizer: zxingcpp.Binarizer = _LOCAL

    def codes(self, plain: View, frame: Frame) -> list[FoundCode]:
        """What is read in this way, if the picture is neither too large for it nor too small."""
        view = self.view(plain)
        return [] if view is None else _read(view, frame, self.name, binarizer=self.binarizer)

    def view(self, plain: View) -> View | None:
        """The picture as it is seen in this way."""
        view, (width, height) = plain, plain.picture.size
        if self.times > 1:
            if width * height * self.times**2 > _ENLARGED_PIXELS:
                return None
            view = enlarged(plain, self.times)
        elif self.times < 0:
            if min(width, height) < _LEAST_SIDE * -self.times:
                return None
            view = reduced(plain, -self.times)
        if self.treatment:
            view = view._replace(picture=self.treatment(view.picture))
        return turned(view, self.degrees) if self.degrees else view


FIRST = (Rung("default"), Rung("enlarged", times=3))
"""What is tried in every picture that is not read at once."""
EFFORT = (
    Rung("half, levelled", times=-2, treatment=levelled(0, 12), binarizer=_MIDDLE),
    Rung("half, sharpened", times=-2, treatment=sharpened(3, 400)),
    Rung("half, smoothed and levelled", times=-2, treatment=levelled(1, 15), binarizer=_MIDDLE),
    Rung("two greys", binarizer=_MIDDLE),
    Rung("sharpened", treatment=sharpened(2, 300)),
    Rung("smoothed", treatment=smoothed(1.5)),
    Rung("smoothed and levelled", treatment=levelled(1, 15), binarizer=_MIDDLE),
    Rung("turned by 20", degrees=20),
    Rung("double", times=2),
    Rung("double, sharpened", times=2, treatment=sharpened(8, 400)),
    Rung("double, smoothed and levelled", times=2, treatment=levelled(1, 24), binarizer=_MIDDLE),
)
"""What is tried then, in this order, as long as there is time."""


def codes_of(grey: Image.Image, frame: Frame, watch: Watch) -> list[FoundCode]:
    """The codes in a black and white or grey picture of a ``frame``, with their corners in pixels of this picture.

    The first steps are always made; those of effort, while nothing was read and the ``watch`` leaves time. The step
    that is under way when it is over is finished: one look at 12 million pixels or less.
    """
    plain = within(grey, _SCANNED_PIXELS)
    if found := _quick(plain, frame):
        return found
    for rung in FIRST:
        if found := rung.codes(plain, frame):
            return found
    if plain.picture.size != grey.size and (found := _in_tiles(grey, frame, watch)):
        return found
    for rung in EFFORT:
        if not watch.left:
            break
        if found := rung.codes(plain, frame):
            return found
    return []


def _in_tiles(grey: Image.Image, frame: Frame, watch: Watch) -> list[FoundCode]:
    """The codes of a picture that was reduced, piece by piece at its full size."""
    found: dict[tuple[str, bytes], FoundCode] = {}
    for tile in tiles(grey, _TILE, _OVERLAP):
        if not watch.left:
            break
        for code in _read(tile, frame, "tiles"):
            found.setdefault((str(code.text), code.text.data), code)
    return list(found.values())


def _quick(plain: View, frame: Frame) -> list[FoundCode]:
    """A clean picture of one code needs no search at other angles and sizes, which takes ten times as long."""
    codes = _scan(plain.picture, formats=_QR, try_rotate=False, try_downscale=False, try_invert=False)
    if any(_is_alone(code.position, plain.picture) for code in codes):
        return [_code(code, plain, frame, "quick") for code in codes]
    return []


def _read(view: View, frame: Frame, rung: str, **options: Any) -> list[FoundCode]:
    return [_code(code, view, frame, rung) for code in _scan(view.picture, **options)]


def _scan(grey: Image.Image, **options: Any) -> list[zxingcpp.Barcode]:
    # Handed over as plain bytes: of a picture, the scanner would ask for them twice.
    pixels = memoryview(grey.tobytes()).cast("B", (grey.height, grey.width))
    options = {"formats": _ALL, "text_mode": zxingcpp.TextMode.Plain, **options}
    # Only what its checksums bear out.
    return [code for code in zxingcpp.read_barcodes(pixels, **options) if code.valid]


def _code(code: zxingcpp.Barcode, view: View, frame: Frame, rung: str) -> FoundCode:
    def corner(point: zxingcpp.Point) -> Corner:
        x, y = view.place(point.x, point.y)
        return round(x), round(y)

    at = code.position
    return FoundCode(
        # A code of bytes has no text of its own; what the scanner makes of it is a guess.
        text=Scan(code.text, code.bytes),
        symbology=_SYMBOLOGIES[code.format],
        corners=(corner(at.top_left), corner(at.top_right), corner(at.bottom_right), corner(at.bottom_left)),
        frame=frame,
        rung=rung,
    )


def _is_alone(position: zxingcpp.Position, picture: Image.Image) -> bool:
    """Whether no other code of use can be beside this one: it fills the picture, or has nothing around it."""
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    width, height = picture.size
    if right - left > _FILLED * width and bottom - top > _FILLED * height:
        return True
    # Its own edge may be blurred; the quiet zone of the largest QR code is about this wide.
    quiet = max(2, (right - left) // 50)
    left, top, right, bottom = left - quiet, top - quiet, right + quiet, bottom + quiet
    around = ((0, 0, width, top), (0, bottom, width, height), (0, top, left, bottom), (right, top, width, bottom))
    return all(_is_flat(picture, *box) for box in around)


def _is_flat(picture: Image.Image, left: int, top: int, right: int, bottom: int) -> bool:
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)
    if left >= right or top >= bottom:
        return True
    darkest, lightest = picture.crop((left, top, right, bottom)).getextrema()
    assert isinstance(darkest, int | float)
    assert isinstance(lightest, int | float)
    return lightest - darkest <= _FLAT
