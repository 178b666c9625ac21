"""Pages of PDF files as pictures, within bounds. What draws them is PDFium, the extra ``pdf``."""

from __future__ import annotations

import ctypes
import math
import threading
import time
from collections.abc import Generator
from contextlib import closing
from typing import Any

from PIL import Image

from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits

_MARK = b"%PDF-"
_POINT = 72  # to the inch
# A code 35 mm wide that has 117 modules (version 25), as the largest certificates do, has 4 pixels for each of them,
# and a page of A4 has no more pixels than are scanned without being reduced.
_RESOLUTION = 350
_PAGE_PIXELS = 12_000_000
_WHITE = 0xFFFFFFFF
# PDFium may be called by one thread of a process at a time.
_ONE_AT_A_TIME = threading.Lock()


def is_pdf(data: bytes) -> bool:
    """Whether ``data`` begins like a PDF file."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(_MARK)


def read_pages(data: bytes, limits: Limits) -> Generator[Image.Image, None, None]:
    """The pages of a PDF file in grey, each drawn when it is asked for; a damaged one is passed over.

    Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` for what is no PDF, is damaged throughout, or opens with a
    password only; ``INPUT_TOO_LONG`` for too many pages, a page that is too large, or that takes too long to draw;
    ``EXTRA_MISSING``.
    """
    try:
        import pypdfium2 as pdfium  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        detail = "PDF files are read with the package pypdfium2: pip install 'healthcert[pdf]'"
        raise DecodeError(Code.EXTRA_MISSING, detail) from None
    with _ONE_AT_A_TIME, closing(_opened(pdfium, data)) as document:
        if len(document) > limits.pdf_pages:
            raise DecodeError(Code.INPUT_TOO_LONG, f"a PDF of more than {limits.pdf_pages} pages")
        watch = _Watch(limits.pdf_seconds)
        drawn = 0
        for number in range(len(document)):
            try:
                picture = _drawn(document, number, limits, watch)
            except pdfium.PdfiumError:
                continue
            drawn += 1
            yield picture
        if not drawn:
            raise _unreadable("a PDF whose pages are damaged")


def _opened(pdfium: Any, data: bytes) -> Any:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        is_locked = error.err_code == pdfium.raw.FPDF_ERR_PASSWORD
        raise _unreadable("a PDF that opens with a password only" if is_locked else "not a readable PDF") from None


class _Watch:
    """How long all pages together may be drawn. PDFium asks it while it draws."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._end = 0.0

    def __enter__(self) -> None:
        self._end = time.monotonic() + self._left

    def __exit__(self, *_: object) -> None:
        self._left = self._end - time.monotonic()

    def is_over(self, *_: object) -> bool:
        return time.monotonic() >= self._end


def _drawn(document: Any, number: int, limits: Limits, watch: _Watch) -> Image.Image:
    """A page as a picture. Raises PdfiumError for a damaged one, and :class:`DecodeError`."""
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw  # type: ignore[import-untyped]

    # The size is asked before the page is loaded: nothing has been made of it yet.
    width, height = document.get_page_size(number)
    scale = _scale_of(width, height, limits)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    with (
        watch,
        closing(document[number]) as page,
        closing(pdfium.PdfBitmap.new_native(*size, raw.FPDFBitmap_Gray)) as bitmap,
    ):
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, *size, _WHITE)
        asked = raw.IFSDK_PAUSE(version=1)
        pdfium.internal.set_callback(asked, "NeedToPauseNow", watch.is_over)
        flags = raw.FPDF_GRAYSCALE | raw.FPDF_ANNOT
        state = raw.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, *size, 0, flags, ctypes.pointer(asked))
        raw.FPDF_RenderPage_Close(page)
        if state == raw.FPDF_RENDER_TOBECONTINUED or watch.is_over():
            raise DecodeError(Code.INPUT_TOO_LONG, f"a PDF that takes more than {limits.pdf_seconds} s to draw")
        if state != raw.FPDF_RENDER_DONE:
            raise pdfium.PdfiumError("a page that cannot be drawn")
        return Image.frombytes("L", size, bytes(bitmap.buffer))


def _scale_of(width: float, height: float, limits: Limits) -> float:
    """Pixels to the point for a page of so many points. Raises :class:`DecodeError` (``INPUT_TOO_LONG``)."""
    # Programs that scan write a pixel as a point, so that pages seem to be metres long: those may be as large as other
    # pictures.
    if not (
        0 < width <= limits.image_side and 0 < height <= limits.image_side and width * height <= limits.image_pixels
    ):
        detail = f"a page of more than {limits.image_pixels} square points, or {limits.image_side} points on one side"
        raise DecodeError(Code.INPUT_TOO_LONG, detail)
    most = min(_PAGE_PIXELS, limits.image_pixels)
    return min(_RESOLUTION / _POINT, math.sqrt(most / (width * height)), limits.image_side / max(width, height))


def _unreadable(detail: str) -> DecodeError:
    return DecodeError(Code.IMAGE_UNREADABLE, detail)
