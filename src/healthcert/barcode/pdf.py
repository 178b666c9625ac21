"""Pages of PDF files as pictures, within bounds. What draws them is PDFium, the extra ``pdf``, in another process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from healthcert.barcode.found import Corner, Frame
from healthcert.barcode.pictures import grey_of
from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits

if TYPE_CHECKING:
    from healthcert.barcode.pdf_process import Reader

_MARK = b"%PDF-"
_POINT = 72  # to the inch
# A code 35 mm wide that has 117 modules (version 25), as the largest certificates do, has 4 pixels for each of them,
# and a page of A4 has no more pixels than are scanned without being reduced.
RESOLUTION = 350
_PAGE_PIXELS = 12_000_000
FINE_RESOLUTION = 600
"""For what is not read at the other: a page of A4 has 35 million pixels."""
# FPDFBitmap_Gray, _BGR, _BGRx, _BGRA, _BGRA_Premul (fpdfview.h) as Pillow names them.
_FORMATS = {1: ("L", "L"), 2: ("RGB", "BGR"), 3: ("RGB", "BGRX"), 4: ("RGBA", "BGRA"), 5: ("RGBa", "BGRa")}


def is_pdf(data: bytes) -> bool:
    """Whether ``data`` begins like a PDF file."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(_MARK)


@contextmanager
def opened(data: bytes, password: str | None, limits: Limits) -> Iterator[Document]:
    """A PDF file to be read; one at a time.

    Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` for what is no PDF, or opens with another password only;
    ``INPUT_TOO_LONG`` for too many pages; ``EXTRA_MISSING``; ``ENVIRONMENT``.
    """
    from healthcert.barcode.pdf_process import reader_of

    with reader_of(limits) as reader:
        head, _ = reader.ask("open", data, password=password or "", seconds=limits.pdf_seconds)
        if not head.get("pages"):
            is_locked = head.get("locked", False)
            raise _unreadable("a PDF that opens with a password only" if is_locked else "not a readable PDF")
        try:
            if head["pages"] > limits.pdf_pages:
                raise DecodeError(Code.INPUT_TOO_LONG, f"a PDF of more than {limits.pdf_pages} pages")
            yield Document(reader, head["pages"], limits)
        finally:
            reader.ask_to_close()


class Document:
    """A PDF file that is open."""

    def __init__(self, reader: Reader, count: int, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits
        self.count = count

    def pages(self) -> Iterator[Page]:
        """Its pages; a damaged one is passed over. Each is there until the next one is asked for.

        Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` when all are damaged, or one breaks what draws it or takes too
        much memory; ``INPUT_TOO_LONG`` for one that is too large, or when all took too long. So do its methods.
        """
        sound = 0
        for number in range(1, self.count + 1):
            if page := self.page(number):
                sound += 1
                yield page
        if not sound:
            raise _unreadable("a PDF whose pages are damaged")

    def page(self, number: int) -> Page | None:
        """The page of this number, from 1; None when it is damaged. Raises ValueError, and as :meth:`pages`."""
        if not 0 < number <= self.count:
            raise ValueError(f"the file has no page {number}")
        size, _ = self._reader.ask("size", number=number - 1)
        if not size.get("width"):
            return None
        page = Page(self._reader, number, size["width"], size["height"], self._limits)
        return page if self._reader.ask("load", number=number - 1)[0]["sound"] else None


class Embedded(NamedTuple):
    """A picture that is embedded in a page, in grey, and where its top left, top right and bottom left corners are."""

    grey: Image.Image
    corners: tuple[tuple[float, float], ...]

    def place(self, corner: Corner) -> Corner:
        """Where on the page a place of this picture is, in pixels of the page's frame."""
        (left, top), (right_x, right_y), (down_x, down_y) = self.corners
        right, down = corner[0] / self.grey.width, corner[1] / self.grey.height
        return (
            round(left + right * (right_x - left) + down * (down_x - left)),
            round(top + right * (right_y - top) + down * (down_y - top)),
        )


class Page:
    """A page of a PDF file. Its ``frame`` is as it is drawn at ``RESOLUTION``, or at less where it is too large."""

    def __init__(self, reader: Reader, number: int, width: float, height: float, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits
        self._points = width, height
        self.frame = Frame(number, *self._size(RESOLUTION, _PAGE_PIXELS))

    def drawn(self, resolution: int = RESOLUTION) -> Image.Image | None:
        """What is seen, in grey; None when it is damaged. At ``FINE_RESOLUTION`` it is as large as pictures may be."""
        size = self._size(resolution, _PAGE_PIXELS if resolution == RESOLUTION else self._limits.image_pixels)
        _, pixels = self._reader.ask("draw", width=size[0], height=size[1])
        return Image.frombytes("L", size, pixels) if len(pixels) == size[0] * size[1] else None

    def images(self) -> tuple[list[Embedded], bool]:
        """The pictures embedded in it, up to bounds, and whether something else is seen on it, too."""
        width, height = self.frame.width, self.frame.height
        head, data = self._reader.ask("images", width=width, height=height, pixels=self._limits.image_pixels)
        found, start = [], 0
        for one in head["images"]:
            pixels = data[start : start + one["bytes"]]
            start += one["bytes"]
            mode, raw = _FORMATS[one["format"]]
            picture = Image.frombytes(mode, (one["width"], one["height"]), pixels, "raw", raw, one["stride"])
            found.append(Embedded(grey_of(picture), one["corners"]))
        return found, head["others"]

    def _size(self, resolution: int, most: int) -> tuple[int, int]:
        """Its size in pixels. Raises :class:`DecodeError` (``INPUT_TOO_LONG``)."""
        limits, (width, height) = self._limits, self._points
        # Programs that scan write a pixel as a point, so that pages seem to be metres long: those may be as large as
        # other pictures.
        if not (
            0 < width <= limits.image_side and 0 < height <= limits.image_side and width * height <= limits.image_pixels
        ):
            detail = (
                f"a page of more than {limits.image_pixels} square points, or {limits.image_side} points on one side"
            )
            raise DecodeError(Code.INPUT_TOO_LONG, detail)
        most = min(most, limits.image_pixels)
        scale = min(resolution / _POINT, math.sqrt(most / (width * height)), limits.image_side / max(width, height))
        return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))


def _unreadable(detail: str) -> DecodeError:
    return DecodeError(Code.IMAGE_UNREADABLE, detail)
