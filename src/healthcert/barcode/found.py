"""A barcode that was found in a picture, and where."""

from __future__ import annotations

from msgspec import Struct

from healthcert.model import Private, Scan

Corner = tuple[int, int]


class Frame(Struct, frozen=True):
    """A picture of a file: ``number`` counts its frames or pages from 1; the size is in pixels, as it is looked at."""

    number: int
    width: int
    height: int


class FoundCode(Private, frozen=True, kw_only=True):
    """A barcode that was read: its text, which remembers the bytes that it held, and its place.

    ``symbology`` is QR code, Aztec code or DataMatrix. ``corners`` are those of the code in pixels of its ``frame``
    (after it was turned as its EXIF data say), from the code's own top left corner clockwise. ``rung`` names the step
    of the ladder of effort that read it.
    """

    text: Scan
    symbology: str
    corners: tuple[Corner, Corner, Corner, Corner]
    frame: Frame
    rung: str
