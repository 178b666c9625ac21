"""What runs in a process of its own and draws PDF files there: PDFium bounds neither its memory nor its time.

It is run as a script and imports nothing of this package, for it starts with each first PDF. It answers requests on
standard input one by one: four bytes with the length of a JSON object, the object, and as many bytes as its ``size``
says. Answers have the same form. That it ends unasked is an answer, too.
"""

from __future__ import annotations

import ctypes
import json
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

_ASKED = 1 << 31
_WHITE = 0xFFFFFFFF
# How many objects of a page, and forms in one another, are looked through for pictures.
_OBJECTS = 5000
_FORMS = 6
_IMAGES = 64
# A barcode has at least ten modules on each side.
_IMAGE_SIDE = 10
# PDFium rounds places to whole pixels: they are asked for on a page that is so many times as large.
_FINER = 64


def receive(stream: IO[bytes], head_bytes: int, data_bytes: int) -> tuple[dict[str, Any], bytes]:
    """A message of at most so many bytes. Raises EOFError, ValueError."""
    head = json.loads(_read(stream, int.from_bytes(_read(stream, 4)), head_bytes))
    return head, _read(stream, head["size"], data_bytes)


def send(stream: IO[bytes], head: dict[str, Any], *data: Any) -> None:
    text = json.dumps(head | {"size": sum(len(part) for part in data)}).encode()
    stream.write(len(text).to_bytes(4) + text)
    for part in data:
        stream.write(part)
    stream.flush()


def _read(stream: IO[bytes], size: int, most: int = 4) -> bytes:
    if not 0 <= size <= most:
        raise ValueError("a message that is too long")
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


class Reader:
    """One document, and one page of it, at a time."""

    def __init__(self) -> None:
        import pypdfium2_raw as pdfium  # type: ignore[import-untyped]

        self._pdfium = pdfium
        self._document: Any = None
        self._page: Any = None
        self._data = b""
        pdfium.FPDF_InitLibraryWithConfig(pdfium.FPDF_LIBRARY_CONFIG(version=2))

    def open(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[Any]]:
        self.close({}, b"")
        _bound_time(ask["seconds"])
        password = ask["password"].encode() + b"\0"
        self._data = data  # PDFium reads in it as long as the document is open.
        self._document = self._pdfium.FPDF_LoadMemDocument64(data, len(data), password)
        if not self._document:
            return {"locked": self._pdfium.FPDF_GetLastError() == self._pdfium.FPDF_ERR_PASSWORD}, []
        return {"pages": self._pdfium.FPDF_GetPageCount(self._document)}, []

    def close(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[Any]]:
        self._close_page()
        if self._document:
            self._pdfium.FPDF_CloseDocument(self._document)
        self._document, self._data = None, b""
        return {}, []

    def size(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[Any]]:
        """The size of a page in points. It is asked before the page is loaded: nothing has been made of it yet."""
        size = self._pdfium.FS_SIZEF()
        if not self._pdfium.FPDF_GetPageSizeByIndexF(self._document, ask["number"], size):
            return {}, []
        return {"width": size.width, "height": size.height}, []

    def load(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[Any]]:
        self._close_page()
        self._page = self._pdfium.FPDF_LoadPage(self._document, ask["number"])
        return {"sound": bool(self._page)}, []

    def draw(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[Any]]:
        pdfium, width, height = self._pdfium, ask["width"], ask["height"]
        pixels = (ctypes.c_ubyte * (width * height))()
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_Gray, pixels, width)
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
        never = pdfium.IFSDK_PAUSE(version=1)
        never.NeedToPauseNow = type(never.NeedToPauseNow)(lambda _: 0)
        flags = pdfium.FPDF_GRAYSCALE | pdfium.FPDF_ANNOT
        state = pdfium.FPDF_RenderPageBitmap_Start(bitmap, self._page, 0, 0, width, height, 0, flags, never)
        pdfium.FPDF_RenderPage_Close(self._page)
        pdfium.FPDFBitmap_Destroy(bitmap)
        return ({}, [pixels]) if state == pdfium.FPDF_RENDER_DONE else ({}, [])

    def images(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[Any]]:
        """The pictures embedded in a page: their pixels, and where on it their corners are when it is so large."""
        found, parts, left = [], [], ask["pixels"]
        walk = _Walk(self._pdfium, self._page)
        for image, matrix in walk.images():
            width, height = ctypes.c_uint(), ctypes.c_uint()
            size = self._pdfium.FPDFImageObj_GetImagePixelSize(image, width, height) and (width.value, height.value)
            # What is not taken is seen where the page is drawn.
            if not size or min(size) < _IMAGE_SIDE or size[0] * size[1] > left:
                continue
            if bitmap := self._pdfium.FPDFImageObj_GetBitmap(image):
                left -= size[0] * size[1]
                head, pixels = self._pixels(bitmap)
                found.append(head | {"corners": self._corners(matrix, ask["width"], ask["height"])})
                parts.append(pixels)
        annotations = self._pdfium.FPDFPage_GetAnnotCount(self._page)
        return {"images": found, "others": walk.others or annotations > 0 or len(found) < walk.count}, parts

    def _pixels(self, bitmap: Any) -> tuple[dict[str, Any], bytes]:
        pdfium = self._pdfium
        width, height = pdfium.FPDFBitmap_GetWidth(bitmap), pdfium.FPDFBitmap_GetHeight(bitmap)
        stride, kind = pdfium.FPDFBitmap_GetStride(bitmap), pdfium.FPDFBitmap_GetFormat(bitmap)
        pixels = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * height)
        pdfium.FPDFBitmap_Destroy(bitmap)
        return {"width": width, "height": height, "stride": stride, "format": kind, "bytes": len(pixels)}, pixels

    def _corners(self, matrix: _Matrix, width: int, height: int) -> list[tuple[float, float]]:
        """Where the top left, top right and bottom left corners of an image are. It fills the unit square, upwards."""
        places = []
        for x, y in ((0, 1), (1, 1), (0, 0)):
            right, down = ctypes.c_int(), ctypes.c_int()
            place = matrix.applied(x, y)
            if not all(math.isfinite(number) for number in place):
                place = (0.0, 0.0)
            self._pdfium.FPDF_PageToDevice(self._page, 0, 0, width * _FINER, height * _FINER, 0, *place, right, down)
            places.append((right.value / _FINER, down.value / _FINER))
        return places

    def _close_page(self) -> None:
        if self._page:
            self._pdfium.FPDF_ClosePage(self._page)
        self._page = None


class _Matrix:
    """ISO 32000-1 §8.3.3: x' = a x + c y + e, y' = b x + d y + f."""

    def __init__(self, *numbers: float) -> None:
        self._numbers = numbers

    def applied(self, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = self._numbers
        return a * x + c * y + e, b * x + d * y + f

    def within(self, outer: _Matrix) -> _Matrix:
        (x, y), (right, right_y), (up_x, up) = (outer.applied(*self.applied(*at)) for at in ((0, 0), (1, 0), (0, 1)))
        return _Matrix(right - x, right_y - y, up_x - x, up - y, x, y)


class _Walk:
    """Through the objects of a page and of the forms on it, as many as bounds allow."""

    def __init__(self, pdfium: Any, page: Any) -> None:
        self._pdfium, self._page, self._left = pdfium, page, _OBJECTS
        self.count = 0
        self.others = False
        """Whether the page has other things than images."""

    def images(self, form: Any = None, outer: _Matrix = _Matrix(1, 0, 0, 1, 0, 0), depth: int = 0) -> Iterator[Any]:  # noqa: B008 never changed
        pdfium = self._pdfium
        count = pdfium.FPDFFormObj_CountObjects(form) if form else pdfium.FPDFPage_CountObjects(self._page)
        for place in range(count):
            self._left -= 1
            if self._left < 0 or self.count == _IMAGES:
                self.others = True
                return
            one = pdfium.FPDFFormObj_GetObject(form, place) if form else pdfium.FPDFPage_GetObject(self._page, place)
            kind = pdfium.FPDFPageObj_GetType(one)
            if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                self.count += 1
                yield one, self._matrix(one).within(outer)
            elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _FORMS:
                yield from self.images(one, self._matrix(one).within(outer), depth + 1)
            else:
                self.others = True

    def _matrix(self, one: Any) -> _Matrix:
        matrix = self._pdfium.FS_MATRIX()
        self._pdfium.FPDFPageObj_GetMatrix(one, matrix)
        return _Matrix(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _bound_time(seconds: int) -> None:
    """Whoever asks ends this process when it takes too long. This is for when that one has ended before."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        used = math.ceil(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, most))


def _bound_memory(memory: int) -> None:
    with suppress(ImportError, OSError, ValueError):  # a system without such bounds, or one with tighter ones
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:
    # Ctrl-C goes to both, and it is the other that decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError):
        start, _ = receive(asked, _ASKED, _ASKED)
        _bound_memory(start["memory"])
        # Where the packages are: this process was started without any.
        sys.path[:] = start["path"]
        reader = Reader()
        send(answers, {"ready": True})
        while True:
            ask, data = receive(asked, _ASKED, _ASKED)
            head, parts = getattr(reader, ask["do"])(ask, data)
            send(answers, head, *parts)


if __name__ == "__main__":
    main()
