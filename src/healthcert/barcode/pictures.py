"""Pictures of files as grey frames, the right way up, within bounds that are judged before anything is decompressed."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image, ImageChops

from healthcert.barcode.found import Frame
from healthcert.barcode.headers import decoded_whole, jpeg_scans, webp_canvas
from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits

_SIGNATURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"RIFF",
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    *(b"P4", b"P5", b"P6"),
)
# AVIF comes last: not every Pillow has it, and what no other format claims is asked of it.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")
# ISO/IEC 14496-12 §4.3: a file type box says which brands a file is of (ISO/IEC 23008-12 §10.2 to 10.4, AVIF §6).
_AVIF = (b"avif", b"avis")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
# A JPEG larger than this on both sides is decoded at a fraction of its size.
_JPEG_SIDE = 2500
# A JPEG that is reduced in decoding may have so many times `image_pixels`: telephones make 200 million.
_REDUCED = 8
# Progressive ones have some ten scans, and a file may hold several pictures: 36 million pixels take 2 s so often.
_SCANS = 40
# What an EXIF orientation asks for (CIPA DC-008, tag 274).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def is_image(data: bytes) -> bool:
    """Whether ``data`` begins like a picture of a format that can be read."""
    return data.startswith(_SIGNATURES) or _is_of(data, _HEIF + _AVIF)


def frames_of(data: bytes, limits: Limits) -> Generator[tuple[Frame, Image.Image], None, None]:
    """The pictures of a file, each decoded when it is asked for, in black and white or 8-bit grey.

    Each is upright as its EXIF data say, and may be smaller than its :class:`Frame` says, where it was reduced in
    decoding. Raises :class:`DecodeError`: ``IMAGE_UNREADABLE`` for what is no picture or damaged from here on,
    ``INPUT_TOO_LONG`` for more pixels than the limits allow, ``EXTRA_MISSING``.
    """
    try:
        yield from _heif_frames(data, limits) if _is_heif(data) else _pillow_frames(data, limits)
    except DecodeError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(limits) from None
    except Exception as error:  # noqa: BLE001 Decoders raise what they please on damaged files.
        raise DecodeError(Code.IMAGE_UNREADABLE, f"not a readable picture ({type(error).__name__})") from None


def _pillow_frames(data: bytes, limits: Limits) -> Iterator[tuple[Frame, Image.Image]]:
    budget = _Budget(limits)
    # Memory for all of a WebP is taken when it is opened.
    budget.check(*webp_canvas(data))
    with Image.open(BytesIO(data), formats=_FORMATS) as picture:
        for number in range(1, limits.image_frames + 1):
            # The size is in the header: of this frame nothing has been decompressed yet.
            full = picture.size
            if picture.format in ("JPEG", "MPO"):
                _check_jpeg(data, picture, budget)
                picture.draft("L", (_JPEG_SIDE, _JPEG_SIDE))
            budget.spend(*picture.size)
            yield _upright(number, full, picture)
            try:
                picture.seek(number)
            except EOFError:
                return


def _check_jpeg(data: bytes, picture: Image.Image, budget: _Budget) -> None:
    """What is reduced in decoding may be larger; what is decoded as a whole first may not, and not with many scans."""
    if decoded_whole(data, getattr(picture, "offset", 0)):
        budget.check(*picture.size)
        if not budget.allows(picture.width, picture.height * jpeg_scans(data), times=_SCANS):
            raise DecodeError(Code.INPUT_TOO_LONG, "a JPEG of more scans than its size allows")
    else:
        budget.check(*picture.size, times=_REDUCED)


def _heif_frames(data: bytes, limits: Limits) -> Iterator[tuple[Frame, Image.Image]]:
    try:
        import pi_heif
    except ImportError:
        detail = "HEIC and HEIF pictures are read with the package pi-heif: pip install 'healthcert[heif]'"
        raise DecodeError(Code.EXTRA_MISSING, detail) from None
    budget = _Budget(limits)
    pictures = pi_heif.open_heif(data)
    # What its user sees is the primary one.
    order = sorted(range(len(pictures)), key=lambda place: place != pictures.primary_index)
    for number, place in enumerate(order[: limits.image_frames], 1):
        budget.spend(*pictures[place].size)
        picture = pictures[place].to_pillow()
        yield _upright(number, picture.size, picture)


class _Budget:
    """How many pixels all pictures of a file together may still have."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.image_pixels

    def spend(self, width: int, height: int) -> None:
        self._left -= width * height
        if self._left < 0 or max(width, height) > self._limits.image_side:
            raise _too_large(self._limits)

    def check(self, width: int, height: int, times: int = 1) -> None:
        if not self.allows(width, height, times):
            raise _too_large(self._limits)

    def allows(self, width: int, height: int, times: int) -> bool:
        return width * height <= times * self._limits.image_pixels


def _upright(number: int, full: tuple[int, int], picture: Image.Image) -> tuple[Frame, Image.Image]:
    stored = picture.size
    picture.load()
    # A TIFF is turned by its decoder, and says so by its size.
    full = full if picture.size == stored else full[::-1]
    turn = _TURNS.get(_orientation(picture))
    grey = grey_of(picture)
    if turn is not None:
        before = grey.size
        grey = grey.transpose(turn)
        full = full if grey.size == before else full[::-1]
    return Frame(number, *full), grey


def _orientation(picture: Image.Image) -> Any:
    # EXIF data may be anything; a picture is read without them, too.
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001
        return None


def grey_of(picture: Image.Image) -> Image.Image:
    """The picture in black and white or 8-bit grey; where it is transparent, on what its ink is seen on."""
    mode = picture.mode
    if mode.startswith(("I", "F")):
        return _scaled(picture.convert("F"))
    if mode == "CMYK" and picture.format in ("JPEG", "MPO") and "adobe" not in picture.info:
        # Adobe Technical Note 5116: programs of Adobe invert them. Pillow takes every program for one of those.
        picture = ImageChops.invert(picture)
    if mode == "LAB":
        return picture.getchannel("L")
    if mode == "HSV":
        return picture.convert("RGB").convert("L")
    if mode in ("La", "RGBa"):
        picture = picture.convert("LA" if mode == "La" else "RGBA")
    elif "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture if mode == "1" else picture.convert("L")
    coloured = picture.convert("RGBA").convert("LA") if mode in ("P", "PA") else picture.convert("LA")
    ink, mask = coloured.getchannel("L"), coloured.getchannel("A")
    # Most is dark on the white of a page; what has no dark ink at all is meant for a dark screen.
    seen = ink.histogram(mask.point(_OPAQUE))
    background = 0 if sum(seen[:_LIGHT]) * 100 < sum(seen) else 255
    ground = Image.new("L", coloured.size, background)
    ground.paste(ink, mask=mask)
    return ground


_LIGHT = 160
_OPAQUE = [255 * (alpha > 127) for alpha in range(256)]


def _scaled(deep: Image.Image) -> Image.Image:
    """Greys of more than 8 bits, from the darkest to the lightest: Pillow would cut them off."""
    low, high = deep.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    scale = 255 / (high - low or 1)
    return deep.point(lambda value: value * scale - low * scale).convert("L")


def _is_heif(data: bytes) -> bool:
    return _is_of(data, _HEIF) and not _is_of(data, _AVIF)


def _is_of(data: bytes, brands: tuple[bytes, ...]) -> bool:
    # The box: its length, "ftyp", the brand it is of first, a version, and those that it is compatible with.
    if data[4:8] != b"ftyp":
        return False
    length = min(int.from_bytes(data[:4]), 256)
    return any(data[place : place + 4] in brands for place in (8, *range(16, length - 3, 4)))


def _too_large(limits: Limits) -> DecodeError:
    return DecodeError(
        Code.INPUT_TOO_LONG, f"a picture of more than {limits.image_pixels} pixels, or {limits.image_side} on one side"
    )
