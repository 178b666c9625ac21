"""A picture with the codes that were found in it marked: what was read, and where."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from healthcert.barcode.found import FoundCode, Frame
from healthcert.barcode.pdf import is_pdf, opened
from healthcert.barcode.pictures import frames_of
from healthcert.barcode.read import content_of
from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS, Limits

# Blue and white are told apart by everyone, from each other and from the greys that the picture is shown in (Okabe and
# Ito, Color Universal Design).
_BLUE, _WHITE = (0, 114, 178), (255, 255, 255)
_SHOWN_SIDE = 4000
_THIN = 250  # a line is as wide as this part of the picture's shorter side
_NUMBER = 8  # times as high as a line


def annotate(
    image: str | Path | bytes,
    found: Sequence[FoundCode],
    *,
    frame: int = 1,
    password: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """A PNG of a frame or page of the file, in grey, with outlines around those of the ``found`` codes that are in it.

    Each has its number, as they are ``found``, from 1. ``frame`` counts from 1. Larger pictures are reduced to 4000
    pixels on the longer side. Nothing of what codes say, or of what the file says about itself, is in it.
    Raises ValueError for a frame that the file does not have, and what :func:`healthcert.find_barcodes` raises.
    """
    place, grey = _frame_of(content_of(image, limits), frame, password, limits)
    grey.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    shown = Image.merge("RGB", (grey.convert("L"),) * 3)
    marks = ImageDraw.Draw(shown)
    for number, code in enumerate(found, 1):
        if code.frame.number == frame:
            across, down = shown.width / place.width, shown.height / place.height
            _mark(marks, [(x * across, y * down) for x, y in code.corners], str(number), shown.size)
    out = BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def _frame_of(data: bytes, number: int, password: str | None, limits: Limits) -> tuple[Frame, Image.Image]:
    if not is_pdf(data):
        for frame, grey in frames_of(data, limits):
            if frame.number == number:
                return frame, grey
        raise ValueError(f"the file has no frame {number}")
    with opened(data, password, limits) as document:
        page = document.page(number)
        drawn = page.drawn() if page else None
        if page is None or drawn is None:
            raise DecodeError(Code.IMAGE_UNREADABLE, f"page {number} of this PDF is damaged")
        return page.frame, drawn


def _mark(marks: ImageDraw.ImageDraw, corners: list[tuple[float, float]], number: str, size: tuple[int, int]) -> None:
    width = max(2, min(size) // _THIN)
    for colour, line in ((_WHITE, 3 * width), (_BLUE, width)):
        marks.line([*corners, corners[0], corners[1]], fill=colour, width=line, joint="curve")
    font = ImageFont.load_default(max(12, _NUMBER * width))
    left, top, right, bottom = marks.textbbox((0, 0), number, font=font)
    space = 2 * width
    wide, high = right - left + 2 * space, bottom - top + 2 * space
    # At the code's own top left corner, but within the picture.
    x = min(max(corners[0][0] - wide / 2, 0), max(0, size[0] - wide))
    y = min(max(corners[0][1] - high / 2, 0), max(0, size[1] - high))
    marks.rectangle((x, y, x + wide, y + high), fill=_BLUE, outline=_WHITE, width=width)
    marks.text((x + space - left, y + space - top), number, font=font, fill=_WHITE)
