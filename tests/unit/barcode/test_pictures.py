"""Pictures of every common kind, upright and in grey, and those whose headers claim too much."""

from __future__ import annotations

import base64
import struct
import sys
import tracemalloc
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageChops

import healthcert as hc
from healthcert.barcode.found import FoundCode
from healthcert.barcode.headers import decoded_whole, jpeg_scans, webp_canvas
from healthcert.barcode.pictures import frames_of, grey_of, is_image
from healthcert.barcode.read import find_barcodes

TEXT = "HC1:PICTURE"
CODE = Image.open(BytesIO(hc.QrCode.of(TEXT).png(module_pixels=4))).convert("L")
# The code's own corner is 16 pixels from the edge, and the quiet zone is added below and on the right.
WIDE = Image.new("L", (CODE.width + 60, CODE.height + 20), 255)
WIDE.paste(CODE)
SIDE = CODE.width - 32
CORNERS = ((16, 16), (16 + SIDE, 16), (16 + SIDE, 16 + SIDE), (16, 16 + SIDE))


MODES = ["1", "L", "LA", "La", "P"]
MODES += ["RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16", "I;16B"]


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def the_code(data: bytes, limits: hc.Limits = hc.Limits()) -> FoundCode:  # noqa: B008 never changed
    (code,) = find_barcodes(data, limits=limits)
    assert code.text == TEXT
    return code


def near(code: FoundCode, corners: tuple[tuple[int, int], ...] = CORNERS) -> bool:
    return all(
        abs(x - right) <= 3 and abs(y - down) <= 3 for (x, y), (right, down) in zip(code.corners, corners, strict=True)
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_data_say(form: str, orientation: int) -> None:
    turns = [
        None,
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,
    ]
    turn = turns[orientation - 1]
    stored = WIDE if turn is None else WIDE.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    data = saved(stored, form, exif=exif)
    code = the_code(data)
    assert (code.frame.width, code.frame.height) == WIDE.size
    assert near(code), code.corners


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's word to who runs the program
def test_exif_data_that_are_none_do_not_matter() -> None:
    assert near(the_code(saved(WIDE, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")))
    exif = Image.Exif()
    exif[274] = 77
    assert near(the_code(saved(WIDE, "PNG", exif=exif)))


def test_places_in_a_jpeg_that_is_reduced_in_decoding_are_those_in_the_whole() -> None:
    large = WIDE.resize((WIDE.width * 60, WIDE.height * 60), Image.Resampling.NEAREST)
    code = the_code(saved(large, "JPEG"))
    assert (code.frame.width, code.frame.height) == large.size
    assert all(
        abs(x - 60 * right) < 100 and abs(y - 60 * down) < 100
        for (x, y), (right, down) in zip(code.corners, CORNERS, strict=True)
    )


def test_colours_for_print() -> None:
    black = Image.merge("CMYK", (*[Image.new("L", WIDE.size)] * 3, ImageChops.invert(WIDE)))
    assert near(the_code(saved(black, "TIFF")))
    # Programs of Adobe invert them and say so (Adobe Technical Note 5116); so does Pillow.
    assert near(the_code(saved(black, "JPEG")))
    plain = saved(ImageChops.invert(black), "JPEG")
    marker = plain.index(b"\xff\xee\x00\x0eAdobe")
    assert near(the_code(plain[:marker] + plain[marker + 16 :]))


@pytest.mark.parametrize("ink", [0, 255], ids=["dark", "light"])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_is_seen_behind_ink_of_any_shade(form: str, ink: int) -> None:
    mask = WIDE.point(lambda light: 255 - light) if ink == 0 else WIDE
    drawn = Image.merge("LA", (Image.new("L", WIDE.size, ink), mask)).convert("RGBA")
    assert near(the_code(saved(drawn, form)))


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_a_transparent_palette(form: str) -> None:
    picture = WIDE.convert("1").convert("P")
    assert near(the_code(saved(picture, form, transparency=255)))


@pytest.mark.parametrize("mode", MODES)
def test_pixels_of_every_kind_become_grey(mode: str) -> None:
    picture = Image.new("RGB", (4, 2), (255, 255, 255))
    picture.putpixel((1, 1), (0, 0, 0))
    if mode == "LAB":
        picture = Image.merge("LAB", (picture.convert("L"),) * 3)
    elif mode in ("La", "RGBa"):
        picture = picture.convert(mode.upper()).convert(mode)
    elif mode.startswith("I;"):
        picture = Image.frombytes(mode, (4, 2), b"\xff\xf0" * 5 + b"\0\0" + b"\xff\xf0" * 2)
    else:
        picture = picture.convert(mode)
    grey = grey_of(picture)
    assert grey.mode in ("1", "L")
    assert [pixel > 127 for pixel in grey.tobytes("raw", "L")] == [True] * 5 + [False] + [True] * 2


def test_floats_that_are_no_numbers() -> None:
    picture = WIDE.convert("F").point(lambda value: value / 255)
    for value in (float("nan"), float("inf")):
        picture.putpixel((0, 0), value)
        assert near(the_code(saved(picture, "TIFF")))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_every_frame_has_its_number(form: str) -> None:
    blank = Image.new("RGB", WIDE.size, "white")
    data = saved(blank, form, save_all=True, append_images=[WIDE.convert("RGB")])
    code = the_code(data)
    assert code.frame.number == 2
    assert near(code)
    assert find_barcodes(data, limits=hc.Limits(image_frames=1)) == []


def test_an_animation_without_end_is_looked_at_as_far_as_the_limit() -> None:
    blank = Image.new("P", (40, 40))
    frames = [blank.copy() for _ in range(200)]
    for number, frame in enumerate(frames):
        frame.putpixel((number % 40, number // 40), 1)
    data = saved(blank, "GIF", save_all=True, append_images=frames, loop=0)
    assert sum(1 for _ in frames_of(data, hc.Limits())) == 32


# --- HEIC ---

HEIC = base64.b64decode(
    """
    AAAAGGZ0eXBoZWljAAAAAG1pZjFoZWljAAABf21ldGEAAAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAAAImlsb2MAAAAARE
    AAAQABAAAAAAGfAAEAAAAAAAAEDgAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAADnBpdG0AAAAAAAEAAAD/aXBycAAAAN9p
    cGNvAAAAeGh2Y0MBA3AAAACQAAAAAAAe8AD8/fj4AAAPA2AAAQAYQAEMAf//A3AAAAMAkAAAAwAAAwAeugJAYQABACtCAQEDcAAAAwCQAAADAA
    ADAB6gPIFnXlupJKa5uAhoMCAAAAMDIAAAAwAhYgABAAdEAcFysCJAAAAAE2NvbHJuY2x4AAEADQAGgAAAABRpc3BlAAAAAAAAAHYAAABYAAAA
    KGNsYXAAAAB1AAAAAQAAAFcAAAAB/////wAAAAL/////AAAAAgAAABBwaXhpAAAAAAMICAgAAAAYaXBtYQAAAAAAAAABAAEFgQIDBYQAAAQWbW
    RhdAAABAooAa8ZgGJ///+jfAVIfJvb3UkvaG6CABOhJHyvfGObiH0bn4eabgZW/FiFTHVJzZEuh6+X1QaNks2RRudm0QJ94MxV4XuZq852KOLl
    DKF2hHBrT3FaPFU0+8+evOb4zGsEiF/MhEqgeT5zveqIlZnnCzZzMebGK8ONoXGPnK3oaVmii3CdzNnb9oI82saxPjL6BFUoESoBONKdMFtrw0
    /EnddNkPa5nPcGwkbMuTQ8fahxZKY6a608wuaYHRQ3HELZvN2dNtdkdhD6ul/xAMCBTylybp6wNI5g485/HPfDp2pie5DKTXiyTArXMj8hA5Lh
    75Z8PgfIlJpquRTkHCdd4sGsAA042iPivATlXxNShgst4Eu6PvBKp5b9pbF7AuYeK3eHg3ZNBMZQeLeraL0Hvb5Dfz+JsJDhWrH0eJzDPOs3WD
    zNUbe0eq74ePhbiFUasxZhBI5Ey+wD8zCgUEi2TNZY8/yBh57Nj5ShpLhkivZgHK+9FKS/EmkJRtU1JGwdQle+xmRSIWXRB3ZkiBEZNCkixk1d
    CB0Wr3yuMcDeReeUEplTOZadfFTG8elI0eJETmGQOVzAHVbkCdh9LjfJTI3D5nx8bJgB8jl7vGrfiyOBU+KctB4WTNRpzgE3rV8r2QruVptOx+
    h/SLDPcOE922O2Qj1RIQM6djn3UPthTsXb8P7RPSg+AeRWVjMu/tPjD9oV0xuGo7D1EQM6nyyXtoKdjDfEtu9MTFBg5nozYK5O+nk/Hz9VzNJv
    OkmNC+ggFpbM2GmvLxM2OD3LrRciKweQB5ebv/P0UfkHNlHRjvcBvaVXHNj8jzFWtU1F6mIOmWs74cg8I9zt4m7SDq86+E4JHOQNi7bMcvLOOk
    wBAHGI3s61CuMHDPUmIr1/8rv8Cq+XYrc0TYxONtPpczPrr7KbErdNzyfylqlm2uPr/lrorKZFjWmWqvCryxeS2XVwZBC0RWmqz08/sgKXRWVp
    Q+jCtvXQh2yvzF2PZ2kJOy08gCTNu/mV2HtFlZYCei9eyyxA/xlzECjkhmxJ7Zfssl9YECtCiKfTqQ8BoLDsF6vfpGACtTsesy3CEqcnqtwf/4
    s/fOgCNHuakZEVxlJ+jeWtVjLbsyvf/4PKfNB8elivyCsaLby4sjn+bmOXylmgfx+oJrmPdDehGcuMx4LYTuDY6yE53AvSk2ND7KHG2iAca5kY
    erqxpUhGvrR5/25N/9rhtva09ghopTMxtZrOfbXA6Dcpb0NdMemZ2H0nVP25jOwpbW5rYXucjNR6XQTVkSEvi4E3L2sWoO4qUXp+LCraag2ok3
    Y8WnVrsghkMVc1QrYgLt8cMl9Dod8iZun///nsI7BXnLnPoc+w3s9v+K2FEkhKAACOgA==
    """
)


def test_a_photograph_as_telephones_keep_it() -> None:
    pytest.importorskip("pi_heif")
    assert is_image(HEIC)
    (code,) = find_barcodes(HEIC)
    assert (code.text, code.frame.width, code.frame.height) == ("HC1:HEIC", 117, 87)
    assert code.corners[0] == (12, 12)


def test_a_heic_is_judged_by_its_header() -> None:
    pytest.importorskip("pi_heif")
    with pytest.raises(hc.DecodeError) as caught:
        find_barcodes(HEIC, limits=hc.Limits(image_pixels=117 * 87 - 1))
    assert caught.value.code == "INPUT_TOO_LONG"


def test_a_heic_that_claims_to_be_huge() -> None:
    pytest.importorskip("pi_heif")
    size = struct.pack(">II", 118, 88)
    assert HEIC.count(size) == 1
    tracemalloc.start()
    with pytest.raises(hc.DecodeError) as caught:
        find_barcodes(HEIC.replace(size, struct.pack(">II", 50_000, 50_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code in ("INPUT_TOO_LONG", "IMAGE_UNREADABLE")
    assert peak < 10_000_000


@pytest.mark.parametrize("length", [12, 100, 700, 1400])
def test_a_heic_that_is_cut_off(length: int) -> None:
    pytest.importorskip("pi_heif")
    with pytest.raises(hc.DecodeError) as caught:
        find_barcodes(HEIC[:length])
    assert caught.value.code == "IMAGE_UNREADABLE"


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(hc.DecodeError, match=r"healthcert\[heif\]") as caught:
        find_barcodes(HEIC)
    assert caught.value.code == "EXTRA_MISSING"


# --- Headers that claim too much ---


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(bytes(10**6)))


def tiff_header(width: int, height: int) -> bytes:
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 100)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)


def webp_header(width: int, height: int) -> bytes:
    still = saved(Image.new("RGB", (2, 2)), "WEBP")
    canvas = bytes([2, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + still[12:]
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def jpeg_header(width: int, height: int, *, kind: int = 0xC0) -> bytes:
    data = bytearray(saved(Image.new("L", (8, 8)), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 1] = kind
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_header(width: int, height: int) -> bytes:
    data = bytearray(saved(Image.new("P", (8, 8)), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def bmp_header(width: int, height: int) -> bytes:
    data = bytearray(saved(Image.new("L", (8, 8)), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


@pytest.mark.parametrize(
    "bomb",
    [
        png_header(50_000, 50_000),
        tiff_header(50_000, 50_000),
        webp_header(16_383, 16_383),
        webp_header(1 << 24, 200),
        jpeg_header(50_000, 50_000),
        jpeg_header(20_000, 18_000, kind=0xC2),
        gif_header(50_000, 50_000),
        bmp_header(50_000, 50_000),
        b"P5 50000 50000 255\n" + bytes(1000),
    ],
    ids=["png", "tiff", "webp", "webp row", "jpeg", "progressive", "gif", "bmp", "pnm"],
)
def test_what_claims_to_be_huge_is_refused_unseen(bomb: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(hc.DecodeError) as caught:
        find_barcodes(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "INPUT_TOO_LONG"
    assert peak < 10_000_000


def test_a_large_photograph_in_one_scan_is_no_bomb_and_a_progressive_one_is_counted_whole() -> None:
    limits = hc.Limits(image_pixels=7_000_000)
    large = Image.new("L", (5_200, 5_200), 255)
    ((frame, grey),) = frames_of(saved(large, "JPEG"), limits)
    assert (frame.width, grey.width) == (5_200, 2_600)
    with pytest.raises(hc.DecodeError) as caught:
        next(frames_of(saved(large, "JPEG", progressive=True), limits))
    assert caught.value.code == "INPUT_TOO_LONG"


def test_a_jpeg_that_goes_over_its_pixels_again_and_again() -> None:
    data = saved(WIDE, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[data.rindex(b"\xff\xc4", 0, last) : -2]
    limits = hc.Limits(image_pixels=WIDE.width * WIDE.height)
    times = 40 - jpeg_scans(data)
    assert near(the_code(data[:-2] + scan * times + data[-2:], limits))
    with pytest.raises(hc.DecodeError) as caught:
        find_barcodes(data[:-2] + scan * (times + 1) + data[-2:], limits=limits)
    assert caught.value.code == "INPUT_TOO_LONG"


def test_what_jpegs_are_decoded_as_a_whole() -> None:
    assert not decoded_whole(saved(WIDE.convert("RGB"), "JPEG"))
    assert not decoded_whole(b"xx" + saved(WIDE, "JPEG", exif=b"Exif\0\0" + b"\xff\xda" * 9), 2)
    assert decoded_whole(saved(WIDE, "JPEG", progressive=True))
    colours = bytearray(saved(WIDE.convert("RGB"), "JPEG"))
    colours[colours.index(b"\xff\xda") + 4] = 1  # a scan of one component of three
    assert decoded_whole(bytes(colours))
    assert decoded_whole(b"\xff\xd8\xff")
    assert decoded_whole(b"\xff\xd8\xff\xda\x00\x00")


def test_the_canvas_of_a_webp() -> None:
    assert webp_canvas(webp_header(300, 200)) == (300, 200)
    assert webp_canvas(saved(WIDE, "WEBP")) == (0, 0)


def test_tags_of_a_tiff_that_share_their_bytes() -> None:
    size = 200_000
    entries = b"".join(struct.pack("<HHII", 1000 + tag, 7, size, 8) for tag in range(2000))
    data = (b"II*\0\x08\0\0\0" + struct.pack("<H", 2000) + entries + bytes(4)).ljust(size + 8, b"\0")
    tracemalloc.start()
    with pytest.warns(UserWarning, match="larger than file"), pytest.raises(hc.DecodeError):
        find_barcodes(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"BM", b"\x89PNG", b"\xff\xd8\xff", b"\0\0\0\x18ftypavif", b"RIFF....WEBPVP8X"]
)
def test_next_to_nothing(data: bytes) -> None:
    with pytest.raises(hc.DecodeError) as caught:
        find_barcodes(data)
    assert caught.value.code == "IMAGE_UNREADABLE"
