"""Pictures in which the codes that were found are marked."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageChops

import healthcert as hc
from healthcert.barcode.annotate import annotate
from healthcert.barcode.read import find_barcodes
from tests.unit.barcode.test_pdf import drawn, pdf
from tests.unit.barcode.test_pictures import WIDE, saved

BLUE = (0, 114, 178)


def shown(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def marked(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """What all marks together take of a picture."""
    channels = [
        channel.point(lambda value, wanted=wanted: 255 * (value == wanted))
        for channel, wanted in zip(picture.split(), BLUE, strict=True)
    ]
    return ImageChops.multiply(ImageChops.multiply(channels[0], channels[1]), channels[2]).getbbox()


def test_an_outline_goes_around_the_code() -> None:
    page = Image.new("RGB", (600, 500), "yellow")
    page.paste(WIDE, (200, 150))
    data = saved(page, "PNG")
    found = find_barcodes(data)
    picture = shown(annotate(data, found))
    assert picture.size == page.size
    xs, ys = zip(*found[0].corners, strict=True)
    box = marked(picture)
    assert box is not None
    assert abs(box[2] - max(xs)) < 5
    assert abs(box[3] - max(ys)) < 5
    assert box[0] >= min(xs) - 30
    assert box[1] >= min(ys) - 30
    assert len(find_barcodes(annotate(data, []))) == 1  # the picture is there


def test_only_the_codes_of_that_frame_are_marked() -> None:
    blank = Image.new("L", WIDE.size, 255)
    data = saved(blank, "TIFF", save_all=True, append_images=[WIDE])
    found = find_barcodes(data)
    assert marked(shown(annotate(data, found))) is None
    assert marked(shown(annotate(data, found, frame=2))) is not None
    with pytest.raises(ValueError, match="no frame 3"):
        annotate(data, found, frame=3)


def test_a_picture_is_turned_and_reduced_with_its_marks() -> None:
    large = Image.new("L", (6000, 500), 255)
    large.paste(WIDE.resize((WIDE.width * 2, WIDE.height * 2)), (5600, 0))
    exif = Image.Exif()
    exif[274] = 6  # its first row is on the right
    data = saved(large, "PNG", exif=exif)
    picture = shown(annotate(data, find_barcodes(data)))
    assert picture.size == (333, 4000)
    box = marked(picture)
    assert box is not None
    assert box[1] > 3600


def test_a_page_of_a_pdf() -> None:
    data = pdf(((99, 99), b""), ((400, 842), drawn("HC1:A", 200, 500, 99.2)))
    found = find_barcodes(data)
    picture = shown(annotate(data, found, frame=2))
    box = marked(picture)
    assert box is not None
    (left, top), _, (right, bottom), _ = found[0].corners
    scale = picture.height / found[0].frame.height
    assert picture.height == 4000
    assert abs(box[2] - right * scale) < 20
    assert abs(box[3] - bottom * scale) < 20
    assert right - left == pytest.approx(99.2 / 72 * 350, rel=0.02)
    assert left == pytest.approx(200 / 72 * 350, abs=12)
    assert top == pytest.approx((842 - 599.2) / 72 * 350, abs=12)
    with pytest.raises(ValueError, match="no page 3"):
        annotate(data, found, frame=3)


def test_nothing_that_the_file_says_of_itself_is_in_it() -> None:
    exif = Image.Exif()
    exif[270] = "who it is of"
    data = saved(WIDE, "JPEG", exif=exif, comment=b"who it is of")
    assert b"who it is of" in data
    assert not Image.open(BytesIO(annotate(data, find_barcodes(data)))).info
    assert b"who it is of" not in annotate(data, [])


def test_an_image_of_one_pixel_can_be_marked_as_well() -> None:
    found = find_barcodes(saved(WIDE, "PNG"))
    assert shown(annotate(saved(Image.new("1", (1, 1)), "PNG"), found)).size == (1, 1)


def test_what_is_no_picture() -> None:
    with pytest.raises(hc.DecodeError):
        annotate(b"no picture", [])
