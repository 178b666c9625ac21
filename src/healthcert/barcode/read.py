"""Barcodes in pictures: every code of every frame, within bounds."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import zxingcpp
from PIL import Image, ImageOps

from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS, Limits

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"P4", b"P5", b"P6")

_SYMBOLS = zxingcpp.BarcodeFormats(
    (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.DataMatrix)
)


def is_image(data: bytes) -> bool:
    """Whether ``data`` begins like a picture of a format that can be read."""
    return data.startswith(_SIGNATURES)


def read_barcodes(image: str | Path | bytes, *, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """The texts of all QR, Aztec and DataMatrix codes in a picture, given by its path or its bytes; maybe none.

    Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` for what is no picture or a damaged one, ``INPUT_TOO_LONG`` for
    one beyond the limits; OSError when the file cannot be read.
    """
    data = image if isinstance(image, bytes) else _read_file(Path(image), limits)
    if len(data) > limits.file_bytes:
        raise DecodeError(Code.INPUT_TOO_LONG, f"a file of more than {limits.file_bytes} bytes")
    texts: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of big and of slightly damaged files; both are judged here.
            with Image.open(BytesIO(data), formats=_FORMATS) as picture:
                for frame in range(min(getattr(picture, "n_frames", 1), limits.image_frames)):
                    picture.seek(frame)
                    texts += [text for text in _read_frame(picture, limits) if text not in texts]
    except DecodeError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(limits) from None
    except Exception as error:  # noqa: BLE001 Pillow's decoders raise what they please on damaged files.
        raise DecodeError(Code.IMAGE_UNREADABLE, f"not a readable picture ({type(error).__name__})") from None
    return texts


def _read_frame(picture: Image.Image, limits: Limits) -> list[str]:
    # The size is in the header: nothing has been decompressed yet.
    if picture.width * picture.height > limits.image_pixels:
        raise _too_large(limits)
    grey = _flatten(picture).convert("L")
    texts = _scan(grey)
    if not texts and max(grey.size) < 1000:
        # Small modules, or a symbol that fills the picture to its edge: more pixels and a quiet zone help.
        texts = _scan(ImageOps.expand(grey.resize((grey.width * 3, grey.height * 3)), border=60, fill=255))
    return texts


def _scan(grey: Image.Image) -> list[str]:
    codes = zxingcpp.read_barcodes(grey, formats=_SYMBOLS, text_mode=zxingcpp.TextMode.Plain)
    return [code.text for code in codes if code.valid]


def _flatten(picture: Image.Image) -> Image.Image:
    """Transparency on white: a transparent background would otherwise turn black."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture
    coloured = picture.convert("RGBA")
    white = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(white, coloured)


def _read_file(path: Path, limits: Limits) -> bytes:
    with path.open("rb") as file:
        return file.read(limits.file_bytes + 1)


def _too_large(limits: Limits) -> DecodeError:
    return DecodeError(Code.INPUT_TOO_LONG, f"a picture of more than {limits.image_pixels} pixels")
