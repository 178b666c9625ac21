"""Barcodes in pictures: every code of every frame, within bounds."""

from __future__ import annotations

import math
from contextlib import closing
from io import BytesIO
from pathlib import Path

import zxingcpp
from PIL import Image, ImageOps

from healthcert.barcode.pdf import is_pdf, read_pages
from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.model import Scan

_Scans = dict[tuple[str, bytes], Scan]

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"P4", b"P5", b"P6")

_SYMBOLS = zxingcpp.BarcodeFormats(
    (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.DataMatrix)
)
# A QR code of version 10 has 57 modules and 8 of quiet zone: 0.88 of the side. Larger ones fill more.
_FILLED = 0.85
_QR = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.QRCode,))
# Scanning takes time by the pixel; a page scanned at 300 dpi has 9 million, and no code needs more to be read.
_SCANNED_PIXELS = 12_000_000
# A JPEG larger than this on both sides is decoded at a fraction of its size.
_JPEG_SIDE = 2500


def is_image(data: bytes) -> bool:
    """Whether ``data`` begins like a picture of a format that can be read."""
    return data.startswith(_SIGNATURES)


def read_barcodes(image: str | Path | bytes, *, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """The texts of all QR, Aztec and DataMatrix codes in a picture or PDF, by its path or its bytes; maybe none.

    Each comes once, in the order found, and remembers the bytes that the code held (:class:`healthcert.model.Scan`).
    Of a damaged file, what its sound frames or pages hold is returned.
    Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` for what is no picture or a damaged one, ``INPUT_TOO_LONG`` for
    one beyond the limits, ``EXTRA_MISSING`` for a PDF where pypdfium2 is not installed; OSError when the file cannot
    be read.
    """
    data = image if isinstance(image, bytes) else read_file(image, limits.file_bytes)
    if len(data) > limits.file_bytes:
        raise DecodeError(Code.INPUT_TOO_LONG, f"a file of more than {limits.file_bytes} bytes")
    texts: _Scans = {}
    if is_pdf(data):
        with closing(read_pages(data, limits)) as pages:
            for page in pages:
                _add(texts, _read_frame(page))
        return list(texts.values())
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            _read_frames(picture, limits, texts)
    except DecodeError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(limits) from None
    except Exception as error:  # noqa: BLE001 Pillow's decoders raise what they please on damaged files.
        if not texts:
            raise DecodeError(Code.IMAGE_UNREADABLE, f"not a readable picture ({type(error).__name__})") from None
    return list(texts.values())


def _read_frames(picture: Image.Image, limits: Limits, texts: _Scans) -> None:
    picture.draft("L", (_JPEG_SIDE, _JPEG_SIDE))
    pixels = 0
    for frame in range(limits.image_frames):
        # The size is in the header: of this frame nothing has been decompressed yet.
        pixels += picture.width * picture.height
        if pixels > limits.image_pixels or max(picture.size) > limits.image_side:
            raise _too_large(limits)
        _add(texts, _read_frame(picture))
        try:
            picture.seek(frame + 1)
        except EOFError:
            return


def _add(texts: _Scans, scans: list[Scan]) -> None:
    texts.update(((str(scan), scan.data), scan) for scan in scans)


def _read_frame(picture: Image.Image) -> list[Scan]:
    grey = _grey(picture)
    shrink = math.ceil(math.sqrt(grey.width * grey.height / _SCANNED_PIXELS))
    if shrink > 1:
        grey = grey.convert("L").reduce(shrink)
    texts = _scan(grey)
    if not texts and max(grey.size) < 1000:
        # Small modules, or a symbol that fills the picture to its edge: more pixels and a quiet zone help.
        larger = grey.convert("L").resize((grey.width * 3, grey.height * 3))
        texts = _scan(ImageOps.expand(larger, border=60, fill=255))
    return texts


def _scan(grey: Image.Image) -> list[Scan]:
    # Handed over as plain bytes: of a picture, the scanner would ask for them twice.
    pixels = memoryview(grey.tobytes("raw", "L")).cast("B", (grey.height, grey.width))
    # A clean picture of one code needs no search at other angles and sizes, which takes ten times as long.
    codes = zxingcpp.read_barcodes(
        pixels,
        formats=_QR,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    if not any(code.valid and _fills(code.position, grey) for code in codes):
        codes = zxingcpp.read_barcodes(pixels, formats=_SYMBOLS, text_mode=zxingcpp.TextMode.Plain)
    # A code of bytes has no text of its own; what the scanner makes of it is a guess.
    return [Scan(code.text, code.bytes) for code in codes if code.valid]


def _fills(position: zxingcpp.Position, picture: Image.Image) -> bool:
    """Whether a code takes all of the picture but its quiet zone, so that no other of use fits beside it."""
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    width = max(corner.x for corner in corners) - min(corner.x for corner in corners)
    height = max(corner.y for corner in corners) - min(corner.y for corner in corners)
    return width > _FILLED * picture.width and height > _FILLED * picture.height


def _grey(picture: Image.Image) -> Image.Image:
    """The picture in black and white or 8-bit grey, on white where it is transparent."""
    if picture.mode.startswith(("I", "F")):
        # Pillow would cut deeper greys off instead of scaling them.
        low, high = picture.convert("F").getextrema()
        assert isinstance(low, float)
        assert isinstance(high, float)
        scale = 255 / (high - low or 1)
        return picture.convert("F").point(lambda value: value * scale - low * scale).convert("L")
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture if picture.mode == "1" else picture.convert("L")
    coloured = picture.convert("LA")
    white = Image.new("L", coloured.size, 255)
    white.paste(coloured.getchannel("L"), mask=coloured.getchannel("A"))
    return white


def _too_large(limits: Limits) -> DecodeError:
    return DecodeError(
        Code.INPUT_TOO_LONG, f"a picture of more than {limits.image_pixels} pixels, or {limits.image_side} on one side"
    )
