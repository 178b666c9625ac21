"""QR codes written and read again, and pictures that mean harm."""

from __future__ import annotations

import random
import struct
import tracemalloc
import xml.etree.ElementTree as ET
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageOps

import healthcert as hc
from healthcert.barcode.read import is_image
from healthcert.barcode.write import QUIET_ZONE
from tests.support import Press, issue

TEXT = Press().text()
QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)  # others see bars where there are none


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_a_png_reads_as_its_text(level: str) -> None:
    code = hc.QrCode.of(TEXT, error_correction=level)
    assert hc.read_barcodes(code.png()) == [TEXT]
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(code.png())), formats=QR)
    assert found.ec_level == level


def test_issued_certificates_draw_themselves_with_level_q() -> None:
    issued = issue()
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(issued.qr().png())), formats=QR)
    assert (found.text, found.ec_level) == (issued.text, "Q")


def test_the_text_is_one_alphanumeric_segment() -> None:
    # HCERT specification §4.2.2. 45 bits hold 8 characters in this mode, 5 or 6 in byte mode: the version tells.
    assert hc.QrCode.of("A" * 600).version == 19
    assert hc.QrCode.of("A" * 500).version == 17


def test_the_png_has_square_modules_and_a_quiet_zone() -> None:
    code = hc.QrCode.of("HC1:TEST")
    image = Image.open(BytesIO(code.png(module_pixels=3, quiet_zone=2)))
    side = (len(code.modules) + 4) * 3
    assert image.size == (side, side)
    assert image.mode == "1"
    assert all(image.getpixel((x, 5)) for x in range(side))
    assert not image.getpixel((6, 6))


def test_the_svg_is_well_formed_and_draws_each_dark_module_once() -> None:
    code = hc.QrCode.of(TEXT)
    root = ET.fromstring(code.svg())
    assert root.attrib["viewBox"] == f"0 0 {len(code.modules) + 2 * QUIET_ZONE} {len(code.modules) + 2 * QUIET_ZONE}"
    path = root[1].attrib["d"]
    drawn = sum(int(run.split("h")[1].split("v")[0]) for run in path.split("z") if run)
    assert drawn == sum(map(sum, code.modules))


def test_the_terminal_form_reads_as_its_text() -> None:
    lines = hc.QrCode.of(TEXT).terminal().splitlines()
    light = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    pixels = [[light[c][half] * 255 for c in line] for line in lines for half in (0, 1)]
    image = Image.new("L", (len(pixels[0]), len(pixels)))
    image.putdata([value for row in pixels for value in row])
    assert hc.read_barcodes(png(image.resize((image.width * 4, image.height * 4)))) == [TEXT]


def test_a_text_too_long_for_a_qr_code() -> None:
    assert hc.QrCode.of("A" * 2420).version == 40
    for length, level in ((2421, "Q"), (4297, "L")):
        with pytest.raises(hc.IssueError) as caught:
            hc.QrCode.of("A" * length, error_correction=level)
        assert caught.value.code == "BARCODE_TOO_LARGE"
    with pytest.raises(ValueError, match="alphanumeric"):
        hc.QrCode.of("hc1:lower case")


def test_save_by_suffix(tmp_path: Path) -> None:
    code = hc.QrCode.of(TEXT)
    code.save(tmp_path / "code.svg")
    code.save(str(tmp_path / "code.png"))
    code.save(tmp_path / "code.PDF")
    assert (tmp_path / "code.svg").read_text("utf-8") == code.svg()
    assert (tmp_path / "code.PDF").read_bytes() == code.pdf()
    with pytest.raises(ValueError, match=r"png, \.svg or \.pdf"):
        code.save(tmp_path / "code.jpg")
    assert hc.read_barcodes(tmp_path / "code.png") == hc.read_barcodes(str(tmp_path / "code.png")) == [TEXT]


def png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def several() -> tuple[Image.Image, list[str]]:
    texts = [f"HC1:{number}" for number in range(4)]
    page = Image.new("L", (900, 900), 255)
    for number, text in enumerate(texts):
        code = Image.open(BytesIO(hc.QrCode.of(text).png()))
        page.paste(code, ((number % 2) * 450, (number // 2) * 450))
    return page, texts


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_every_common_format_with_several_codes(form: str) -> None:
    page, texts = several()
    out = BytesIO()
    page.save(out, form)
    assert is_image(out.getvalue())
    assert sorted(hc.read_barcodes(out.getvalue())) == texts


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel(mode: str) -> None:
    code = Image.open(BytesIO(hc.QrCode.of(TEXT).png()))
    if mode == "I;16":
        image = Image.new("I;16", code.size)
        image.putdata([255 * 257 if light else 0 for light in code.convert("L").tobytes()])
    else:
        image = code.convert(mode)
    out = BytesIO()
    image.save(out, "TIFF")
    assert hc.read_barcodes(out.getvalue()) == [TEXT]


@pytest.mark.parametrize("change", ["rotated", "mirrored", "inverted", "small", "transparent", "tight"])
def test_a_code_as_people_photograph_it(change: str) -> None:
    image = Image.open(BytesIO(hc.QrCode.of(TEXT).png())).convert("L")
    match change:
        case "rotated":
            image = image.rotate(37, expand=True, fillcolor=255)
        case "mirrored":
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        case "inverted":
            image = image.point(lambda value: 255 - value)
        case "small":
            image = Image.open(BytesIO(hc.QrCode.of(TEXT).png(module_pixels=1))).convert("L")
        case "transparent":
            ink = image.point(lambda value: 255 - value)
            image = Image.merge("LA", (Image.new("L", image.size, 0), ink))
        case "tight":
            image = Image.open(BytesIO(hc.QrCode.of(TEXT).png(quiet_zone=0))).convert("L")
    assert hc.read_barcodes(png(image)) == [TEXT]


def test_every_page_of_a_file_up_to_the_limit() -> None:
    frames = [Image.open(BytesIO(hc.QrCode.of(f"HC1:{n}").png())).convert("L").resize((300, 300)) for n in range(4)]
    out = BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    assert hc.read_barcodes(out.getvalue()) == ["HC1:0", "HC1:1", "HC1:2", "HC1:3"]
    assert len(hc.read_barcodes(out.getvalue(), limits=hc.Limits(image_frames=3))) == 3


def header_of(width: int, height: int) -> bytes:
    """A PNG that claims these dimensions and has next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height"), [(65_000, 65_000), (2**31 - 1, 2**31 - 1), (36_000_001, 1), (10_000, 3_601)]
)
def test_an_image_bomb_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    bomb = header_of(width, height)
    tracemalloc.start()
    with pytest.raises(hc.DecodeError) as caught:
        hc.read_barcodes(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code in ("INPUT_TOO_LONG", "IMAGE_UNREADABLE")
    assert peak < 20_000_000


def test_pixels_and_bytes_at_their_limit_and_one_beyond() -> None:
    picture = hc.QrCode.of(TEXT).png()
    width, height = Image.open(BytesIO(picture)).size
    assert hc.read_barcodes(picture, limits=hc.Limits(image_pixels=width * height, file_bytes=len(picture)))
    for limits in (hc.Limits(image_pixels=width * height - 1), hc.Limits(file_bytes=len(picture) - 1)):
        with pytest.raises(hc.DecodeError) as caught:
            hc.read_barcodes(picture, limits=limits)
        assert caught.value.code == "INPUT_TOO_LONG"


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 1)])
def test_a_thin_picture_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(hc.DecodeError) as caught:
        hc.read_barcodes(png(Image.new("1", size)))
    assert caught.value.code == "INPUT_TOO_LONG"


def test_all_frames_together_count_against_the_limit() -> None:
    frames = [Image.new("L", (100, 100), shade) for shade in range(4)]
    out = BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    assert hc.read_barcodes(out.getvalue(), limits=hc.Limits(image_pixels=40_000)) == []
    with pytest.raises(hc.DecodeError):
        hc.read_barcodes(out.getvalue(), limits=hc.Limits(image_pixels=39_999))


def test_a_large_scan_is_read_at_a_fraction_of_its_size() -> None:
    code = Image.open(BytesIO(hc.QrCode.of(TEXT).png(module_pixels=20))).convert("L")
    page = Image.new("L", (5000, 5000), 255)
    page.paste(code, (700, 900))
    assert hc.read_barcodes(png(page)) == [TEXT]


def test_a_large_photograph_in_jpeg_is_read() -> None:
    code = Image.open(BytesIO(hc.QrCode.of(TEXT).png(module_pixels=30))).convert("L")
    photograph = Image.new("L", (8160, 6144), 200)
    photograph.paste(code, (1000, 900))
    out = BytesIO()
    photograph.save(out, "JPEG")
    assert hc.read_barcodes(out.getvalue()) == [TEXT]


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_deep_greys_are_scaled_not_cut_off(mode: str) -> None:
    code = Image.open(BytesIO(hc.QrCode.of(TEXT).png())).convert("L")
    deep = code.point(lambda light: 50_000 if light else 10_000, "I")
    out = BytesIO()
    deep.convert(mode).save(out, "TIFF")
    assert hc.read_barcodes(out.getvalue()) == [TEXT]


def test_the_sound_frames_of_a_damaged_file_count() -> None:
    pages = [Image.open(BytesIO(hc.QrCode.of("HC1:1").png())).convert("L"), Image.effect_noise((300, 300), 90)]
    out = BytesIO()
    pages[0].save(out, "GIF", save_all=True, append_images=pages[1:])
    assert hc.read_barcodes(out.getvalue()[:-4000]) == ["HC1:1"]


def test_a_code_that_stands_twice_comes_once() -> None:
    code = Image.open(BytesIO(hc.QrCode.of("HC1:1").png()))
    page = Image.new("L", (600, 300), 255)
    page.paste(code, (0, 0))
    page.paste(code, (300, 0))
    assert hc.read_barcodes(png(page)) == ["HC1:1"]


def test_a_picture_without_a_code_has_no_texts() -> None:
    assert hc.read_barcodes(png(Image.new("RGB", (50, 50)))) == []
    assert hc.read_barcodes(png(Image.new("1", (1, 1)))) == []


@pytest.mark.parametrize("seed", range(60))
def test_damaged_pictures_never_raise_anything_else(seed: int) -> None:
    chance = random.Random(seed)
    page, _ = several()
    out = BytesIO()
    page.save(out, chance.choice(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]))
    data = bytearray(out.getvalue())
    for _ in range(chance.randrange(1, 30)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    damaged = bytes(data[: chance.randrange(len(data))] if seed % 3 == 0 else data)
    with suppress(hc.DecodeError):
        assert isinstance(hc.read_barcodes(damaged), list)


def test_text_is_no_image() -> None:
    assert not is_image(TEXT.encode())
    with pytest.raises(hc.DecodeError) as caught:
        hc.read_barcodes(TEXT.encode())
    assert caught.value.code == "IMAGE_UNREADABLE"


@pytest.mark.parametrize("small", ["upright", "inverted", "turned"])
def test_a_small_code_beside_a_big_one_is_found(small: str) -> None:
    big = Image.open(BytesIO(hc.QrCode.of("B" * 600).png())).convert("L")
    beside = Image.open(BytesIO(hc.QrCode.of("SMALL").png(module_pixels=5))).convert("L")
    if small == "inverted":
        beside = ImageOps.invert(beside)
    if small == "turned":
        beside = beside.rotate(90)
    page = Image.new("L", (big.width + beside.width + 20, big.height), 255)
    page.paste(big, (0, 0))
    page.paste(beside, (big.width + 10, 30))
    out = BytesIO()
    page.save(out, "PNG")
    assert sorted(hc.read_barcodes(out.getvalue())) == ["B" * 600, "SMALL"]
