"""Barcodes in pictures and PDF files: every code of every frame, within bounds."""

from __future__ import annotations

import math
import stat
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from PIL import Image

from healthcert.barcode.found import Corner, FoundCode, Frame
from healthcert.barcode.ladder import Watch, codes_of
from healthcert.barcode.pdf import FINE_RESOLUTION, Document, Embedded, Page, is_pdf, opened
from healthcert.barcode.pictures import frames_of, is_image
from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.model import Scan

__all__ = ["content_of", "find_barcodes", "is_image", "read_barcodes"]

_NO_EFFORT = Watch(0)
# Of each side of a page, so that four parts have 12 million pixels each at most and a code of 30 mm is whole in one.
_PART = 0.58


def read_barcodes(
    image: str | Path | bytes, *, password: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> list[str]:
    """The texts of all QR, Aztec and DataMatrix codes in a picture or PDF, by its path or its bytes; maybe none.

    Each comes once, in the order found, and remembers the bytes that the code held (:class:`healthcert.model.Scan`).
    Takes and raises what :func:`find_barcodes` does.
    """
    found = find_barcodes(image, password=password, limits=limits)
    texts: dict[tuple[str, bytes], Scan] = {(str(code.text), code.text.data): code.text for code in found}
    return list(texts.values())


def find_barcodes(
    image: str | Path | bytes, *, password: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> list[FoundCode]:
    """All QR, Aztec and DataMatrix codes in a picture or PDF, by its path or its bytes, with their places; maybe none.

    A quick look is taken at every frame or page. Only if no code is found in any, they are searched with effort, for
    up to ``limits.image_seconds``. Of a damaged file, what its sound frames or pages hold is returned. A PDF may open
    with a ``password``; places on its pages are in pixels at 350 dpi, or less where a page would be too large.

    Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` for what is no picture, a damaged one or a PDF that opens with
    another password, ``INPUT_TOO_LONG`` for one beyond the limits, ``EXTRA_MISSING`` for a PDF where pypdfium2 is not
    installed, and for HEIC where pi-heif is not; OSError when the file cannot be read.
    """
    data = content_of(image, limits)
    if not is_pdf(data):
        return _in_pictures(data, limits)
    with opened(data, password, limits) as document:
        return _in_document(document, limits)


def content_of(image: str | Path | bytes, limits: Limits) -> bytes:
    """The bytes of a picture, or of the file that has this path. Raises :class:`DecodeError`, OSError."""
    if isinstance(image, bytes):
        if len(image) > limits.file_bytes:
            raise DecodeError(Code.INPUT_TOO_LONG, f"a file of more than {limits.file_bytes} bytes")
        return image
    # A pipe that nobody writes to, or a terminal, would be waited for.
    mode = Path(image).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise DecodeError(Code.IMAGE_UNREADABLE, "no file, but a device or a pipe: give the bytes that come from it")
    return read_file(image, limits.file_bytes)


# --- Pictures ---


def _in_pictures(data: bytes, limits: Limits) -> list[FoundCode]:
    found: list[FoundCode] = []
    frames: list[tuple[Frame, Image.Image]] = []
    damage = None
    try:
        for frame, grey in frames_of(data, limits):
            found += _in_frame(grey, frame, _NO_EFFORT)
            frames.append((frame, grey))
    except DecodeError as error:
        if error.code is not Code.IMAGE_UNREADABLE:
            raise
        damage = error
    if not found:
        watch = Watch(limits.image_seconds)
        for turn, (frame, grey) in enumerate(frames):
            found += _in_frame(grey, frame, Watch(watch.left / (len(frames) - turn)))
    if damage and not found:
        raise damage
    return found


def _in_frame(grey: Image.Image, frame: Frame, watch: Watch) -> list[FoundCode]:
    """The codes of a picture that may be smaller than its frame says: a JPEG that was reduced in decoding."""
    return _moved(codes_of(grey, frame, watch), _onto(frame, grey.size))


def _onto(frame: Frame, size: tuple[int, int], left: int = 0, top: int = 0) -> Callable[[Corner], Corner]:
    """From a part of a picture, which begins there, to the frame that the picture of this size shows."""
    across, down = frame.width / size[0], frame.height / size[1]
    return lambda corner: (round((left + corner[0]) * across), round((top + corner[1]) * down))


def _moved(codes: list[FoundCode], place: Callable[[Corner], Corner]) -> list[FoundCode]:
    moved = []
    for code in codes:
        first, second, third, fourth = map(place, code.corners)
        moved.append(replace(code, corners=(first, second, third, fourth)))
    return moved


# --- PDF files ---


def _in_document(document: Document, limits: Limits) -> list[FoundCode]:
    found = [code for page in document.pages() for code in _on_page(page)]
    if not found:
        watch = Watch(limits.image_seconds)
        for turn, page in enumerate(document.pages()):
            if not watch.left:
                break
            found += _searched(page, Watch(watch.left / (document.count - turn)))
    return found


def _on_page(page: Page) -> list[FoundCode]:
    images, has_others = page.images()
    each = [_in_image(page, image, _NO_EFFORT) for image in images]
    found = [code for codes in each for code in codes]
    if has_others or not all(each) or not each:
        found += _others(_drawn(page, _NO_EFFORT), found)
    return found


def _searched(page: Page, watch: Watch) -> list[FoundCode]:
    if found := _finely(page):
        return found
    images, _ = page.images()
    for turn, image in enumerate(images):
        # As much time again as all of them have is left for the page as it is drawn.
        found += _in_image(page, image, Watch(watch.left / 2 / (len(images) - turn)))
    return found or _drawn(page, watch)


def _drawn(page: Page, watch: Watch) -> list[FoundCode]:
    grey = page.drawn()
    return [] if grey is None else _in_frame(grey, page.frame, watch)


def _finely(page: Page) -> list[FoundCode]:
    """The page at a higher resolution, in parts, for of so many pixels the scanner is given every second only."""
    grey, found = page.drawn(FINE_RESOLUTION), list[FoundCode]()
    if grey is None:
        return []
    width, height = math.ceil(grey.width * _PART), math.ceil(grey.height * _PART)
    for left in (0, grey.width - width):
        for top in (0, grey.height - height):
            part = grey.crop((left, top, left + width, top + height))
            place = _onto(page.frame, grey.size, left, top)
            found += _others(_moved(codes_of(part, page.frame, _NO_EFFORT), place), found)
    return found


def _in_image(page: Page, image: Embedded, watch: Watch) -> list[FoundCode]:
    return _moved(codes_of(image.grey, page.frame, watch), image.place)


def _others(codes: list[FoundCode], known: list[FoundCode]) -> list[FoundCode]:
    """Those of the codes on a page that are not known from a part of it: a picture embedded in it, or a tile."""
    texts = {(str(code.text), code.text.data) for code in known}
    return [code for code in codes if (str(code.text), code.text.data) not in texts]
