"""The ladder of effort: what each rung reads that those before it do not, and where codes are."""

from __future__ import annotations

import random
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageFilter, ImageOps

import healthcert as hc
from healthcert.barcode import ladder
from healthcert.barcode.found import Corner, FoundCode, Frame
from healthcert.barcode.ladder import EFFORT, FIRST, Watch, codes_of
from healthcert.barcode.views import View, enlarged, reduced, tiles, turned, within

# The same each time, as what reads it is: of a certificate, the signature would differ.
TEXT = "HC1:" + "".join(random.Random(7).choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", k=300))
LIGHT = 255


def drawn(pixels: int = 4, text: str = TEXT, quiet: int = 4) -> Image.Image:
    """A clean code, so many pixels to the module."""
    with Image.open(BytesIO(hc.QrCode.of(text).png(module_pixels=pixels, quiet_zone=quiet))) as image:
        return image.convert("L")


def damaged(
    length: int,
    pixels: int,
    *,
    degrees: int = 0,
    times: float = 1,
    blur: float = 0,
    shade: float = 0,
    light: float = 1,
    grain: float = 0,
) -> Image.Image:
    """A code of a text so long that is turned, made smaller, blurred, in a shadow, dark and full of grain, as asked."""
    grey = drawn(pixels, TEXT[: 4 + length])
    grey = grey.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=LIGHT)
    grey = grey.resize((round(grey.width * times), round(grey.height * times)), Image.Resampling.BOX)
    grey = grey.filter(ImageFilter.GaussianBlur(blur))
    shadow = Image.linear_gradient("L").resize(grey.size).point([round(255 - shade * (255 - at)) for at in range(256)])
    grey = ImageChops.multiply(grey, shadow).point([round(at * light) for at in range(256)])
    return Image.blend(grey, noise(grey.size), grain)


def noise(size: tuple[int, int]) -> Image.Image:
    """Every grey as often, anywhere; the same each time."""
    return Image.frombytes("L", size, random.Random(1).randbytes(size[0] * size[1]))


def on_page(code: Image.Image, width: int, height: int, left: int, top: int) -> Image.Image:
    page = Image.new("L", (width, height), LIGHT)
    page.paste(code, (left, top))
    return page


def found_in(grey: Image.Image, seconds: float = 60) -> list[FoundCode]:
    return codes_of(grey, Frame(1, *grey.size), Watch(seconds))


def near(corners: tuple[Corner, ...], expected: list[tuple[float, float]], pixels: float) -> bool:
    pairs = zip(corners, expected, strict=True)
    return all(abs(x - left) <= pixels and abs(y - top) <= pixels for (x, y), (left, top) in pairs)


def box(left: float, top: float, side: float) -> list[tuple[float, float]]:
    return [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]


# --- The rungs that are always made ---


def test_a_clean_picture_of_one_code_is_read_at_once() -> None:
    (code,) = found_in(drawn(), seconds=0)
    assert (code.rung, code.text, code.symbology) == ("quick", TEXT, "QR code")


def test_so_is_one_with_much_white_around() -> None:
    code = drawn()
    page = on_page(code, 3 * code.width, 2 * code.height, 70, 50)
    (found,) = found_in(page, seconds=0)
    side = code.width - 2 * 4 * 4
    assert found.rung == "quick"
    assert near(found.corners, box(70 + 16, 50 + 16, side), 3)


def test_a_second_code_is_seen_although_one_was_read_at_once() -> None:
    first, second = drawn(), zxingcpp.create_barcode("OTHER", zxingcpp.BarcodeFormat.Aztec).to_image(scale=4)
    page = on_page(first, 2 * first.width, first.height, 0, 0)
    page.paste(Image.fromarray(second), (first.width + 20, 20))
    assert {(code.text, code.symbology) for code in found_in(page, seconds=0)} == {
        (TEXT, "QR code"),
        ("OTHER", "Aztec code"),
    }


@pytest.mark.parametrize(
    ("turn", "first"), [(Image.Transpose.ROTATE_90, (56, 700 - 46)), (Image.Transpose.ROTATE_180, (700 - 46, 500 - 56))]
)
def test_one_on_its_side_is_read_and_its_corners_begin_at_its_own_top_left(
    turn: Image.Transpose, first: Corner
) -> None:
    page = on_page(drawn(), 700, 500, 30, 40).transpose(turn)
    (code,) = found_in(page, seconds=0)
    assert near(code.corners[:1], [first], 3)
    assert abs(code.corners[2][0] - code.corners[0][0]) == pytest.approx(drawn().width - 32, abs=4)


def test_a_light_code_on_black_is_read() -> None:
    (code,) = found_in(ImageOps.invert(drawn()), seconds=0)
    assert (code.rung, code.text) == ("default", TEXT)


def test_a_code_without_any_margin_is_enlarged_and_its_corners_are_those_of_the_picture() -> None:
    grey = drawn(1, quiet=0)
    grey = grey.resize((grey.width * 3 // 2, grey.height * 3 // 2), Image.Resampling.BICUBIC)
    (code,) = found_in(grey, seconds=0)
    assert (code.rung, code.text) == ("enlarged", TEXT)
    assert near(code.corners, box(0, 0, grey.width), 2)


# --- The rungs of effort ---

HARD = {
    "half, levelled": lambda: damaged(150, 4, shade=0.95, light=0.1),
    "half, sharpened": lambda: damaged(60, 6, blur=3.5),
    "half, smoothed and levelled": lambda: damaged(60, 10, times=0.7, grain=0.6),
    "two greys": lambda: damaged(60, 9, degrees=45, blur=3.9, grain=0.37),
    "sharpened": lambda: damaged(60, 4, degrees=20, blur=2.1, shade=1),
    "smoothed": lambda: damaged(60, 4, grain=0.59),
    "smoothed and levelled": lambda: damaged(150, 4, blur=1.6, grain=0.32),
    "turned by 20": lambda: damaged(300, 2, degrees=46, times=0.8, blur=0.3),
    "double": lambda: damaged(60, 2, degrees=49, times=0.7, blur=0.6),
    "double, sharpened": lambda: damaged(150, 2, blur=0.8, grain=0.32),
    "double, smoothed and levelled": lambda: damaged(150, 4, degrees=65, blur=1.6, shade=0.95, grain=0.1),
}


@pytest.mark.parametrize("rung", [rung.name for rung in EFFORT])
def test_each_rung_reads_what_those_before_it_do_not(rung: str) -> None:
    (code,) = found_in(HARD[rung]())
    assert TEXT.startswith(code.text)
    assert code.rung == rung


@pytest.mark.parametrize(("rung", "pixels"), [("half, sharpened", 6), ("smoothed", 4), ("double, sharpened", 2)])
def test_their_corners_are_those_of_the_picture(rung: str, pixels: int) -> None:
    grey = HARD[rung]()
    (code,) = found_in(grey)
    assert near(code.corners, box(4 * pixels, 4 * pixels, grey.width - 8 * pixels), pixels)


def test_a_picture_that_was_reduced_is_looked_at_in_tiles_and_each_code_comes_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ladder, "_SCANNED_PIXELS", 150_000)
    monkeypatch.setattr(ladder, "_TILE", 400)
    monkeypatch.setattr(ladder, "_OVERLAP", 250)
    texts = [TEXT[:64], "HC1:" + TEXT[100:160]]
    page = Image.new("L", (1300, 900), LIGHT)
    places = [(210, 230), (860, 610)]
    for text, place in zip(texts, places, strict=True):
        page.paste(drawn(2, text), place)
    assert found_in(page, seconds=0) == []
    found = {str(code.text): code for code in found_in(page)}
    assert [found[text].rung for text in texts] == ["tiles", "tiles"]
    for text, (left, top) in zip(texts, places, strict=True):
        assert near(found[text].corners, box(left + 8, top + 8, drawn(2, text).width - 16), 2)


# --- Bounds ---


def test_without_time_only_the_first_rungs_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(ladder, "_scan", lambda grey, **_: list(map(seen.append, [grey.size]))[1:])
    assert found_in(Image.new("L", (100, 80), LIGHT), seconds=0) == []
    assert len(seen) == 1 + len(FIRST)


def test_the_watch_is_looked_at_before_every_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    class Three(Watch):
        left = property(lambda self: next(self.rest))
        rest = iter((3.0, 2.0, 1.0, 0.0))

    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(ladder, "_scan", lambda grey, **_: list(map(seen.append, [grey.size]))[1:])
    grey = Image.new("L", (1200, 1200), LIGHT)
    assert codes_of(grey, Frame(1, 1200, 1200), Three(0)) == []
    assert len(seen) == 2 + 3


def test_nothing_is_found_in_noise() -> None:
    assert found_in(noise((240, 240))) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 1), (41, 41)])
def test_pictures_too_small_for_a_code_hold_none(size: tuple[int, int]) -> None:
    assert found_in(Image.new("L", size, 90)) == []
    assert found_in(Image.new("1", size)) == []


def test_what_its_checksums_do_not_bear_out_is_not_returned() -> None:
    grey = drawn(6)
    # Half of the code is another one's.
    other = drawn(6, text=TEXT[::-1])
    grey.paste(other.crop((0, 0, other.width // 2, other.height)))
    assert [code.text for code in found_in(grey) if code.text not in (TEXT, TEXT[::-1])] == []


# --- Where codes are ---


@pytest.mark.parametrize("degrees", [45, 20, -33])
def test_a_point_of_a_turned_picture_was_where_it_says(degrees: int) -> None:
    dot = Image.new("L", (300, 200), LIGHT)
    dot.paste(0, (80, 50, 84, 54))
    view = turned(View(dot, lambda x, y: (x, y)), degrees)
    left, top, right, bottom = ImageOps.invert(view.picture).getbbox() or (0, 0, 0, 0)
    assert view.place((left + right) / 2, (top + bottom) / 2) == pytest.approx((82, 52), abs=1)


def test_scaled_pictures_know_where_their_points_were() -> None:
    plain = within(Image.new("L", (300, 200), LIGHT), 300 * 200 // 4)
    assert plain.picture.size == (150, 100)
    assert plain.place(10, 20) == (20, 40)
    assert reduced(plain, 5).place(1, 2) == (10, 20)
    assert enlarged(plain, 2).place(60, 60) == (0, 0)
    assert enlarged(plain, 2).place(80, 100) == (20, 40)


def test_tiles_hold_everything_that_is_no_larger_than_their_overlap() -> None:
    size, side, overlap = (230, 170), 100, 40
    places = [
        (*tile.place(0, 0), *tile.place(*tile.picture.size)) for tile in tiles(Image.new("L", size), side, overlap)
    ]
    for x in range(size[0] - overlap + 1):
        for y in range(size[1] - overlap + 1):
            assert any(a <= x and b <= y and x + overlap <= c and y + overlap <= d for a, b, c, d in places)
