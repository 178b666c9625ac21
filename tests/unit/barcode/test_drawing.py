"""Symbols drawn as PNG, SVG and PDF: each module where it belongs, as wide as asked, the same bytes each time."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import healthcert as hc
from healthcert.barcode.symbols import Symbol
from healthcert.barcode.write import QrCode
from tests.support import Press

TEXT = Press().text()
MILLIMETRES_AN_INCH = 25.4

symbols = st.tuples(st.integers(1, 19), st.integers(1, 19)).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 1), min_size=size[0], max_size=size[0]).map(bytes), min_size=size[1], max_size=size[1]
    ).map(lambda rows: Symbol(tuple(rows)))
)


@given(symbols, st.integers(1, 9), st.integers(0, 5))
def test_every_module_is_so_many_pixels(symbol: Symbol, pixels: int, quiet: int) -> None:
    image = Image.open(BytesIO(symbol.png(module_pixels=pixels, quiet_zone=quiet)))
    expected = Image.new("1", (len(symbol.modules[0]) + 2 * quiet, len(symbol.modules) + 2 * quiet), 1)
    for y, row in enumerate(symbol.modules):
        for x, dark in enumerate(row):
            expected.putpixel((x + quiet, y + quiet), not dark)
    expected = expected.resize((expected.width * pixels, expected.height * pixels), Image.Resampling.NEAREST)
    assert (image.mode, image.size, image.tobytes()) == ("1", expected.size, expected.tobytes())


@given(symbols, st.integers(0, 5))
def test_svg_and_pdf_draw_each_dark_module_once(symbol: Symbol, quiet: int) -> None:
    expected = sorted(
        (x + quiet, y + quiet) for y, row in enumerate(symbol.modules) for x, dark in enumerate(row) if dark
    )
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", symbol.svg(quiet_zone=quiet))
    assert sorted((int(x) + more, int(y)) for x, y, length in runs for more in range(int(length))) == expected
    stream = re.search(rb"stream\n(.*)\nendstream", symbol.pdf(quiet_zone=quiet), re.DOTALL)
    assert stream is not None
    runs = re.findall(r"(\d+) (\d+) (\d+) 1 re\n", zlib.decompress(stream[1]).decode())
    assert sorted((int(x) + more, int(y)) for x, y, length in runs for more in range(int(length))) == expected


def test_a_png_says_how_wide_it_is_printed() -> None:
    code = QrCode.of(TEXT)
    for picture, wide in (
        (code.png(), 50.0),
        (code.png(millimetres=35), 35.0),
        (code.png(millimetres=60, module_pixels=11), 60.0),
    ):
        image = Image.open(BytesIO(picture))
        across, down = image.info["dpi"]
        assert across == down
        assert image.width / across * MILLIMETRES_AN_INCH == pytest.approx(wide, rel=1e-3)


@pytest.mark.parametrize(("wide", "said"), [(50.0, "50mm"), (35, "35mm"), (42.5, "42.5mm")])
def test_an_svg_says_how_wide_it_is_printed(wide: float, said: str) -> None:
    code = QrCode.of(TEXT)
    drawing = ET.fromstring(code.svg() if wide == 50.0 else code.svg(millimetres=wide))
    assert (drawing.get("width"), drawing.get("height")) == (said, said)


@pytest.mark.parametrize("wide", [50.0, 20.0, 120.5])
def test_a_pdf_is_one_page_of_that_width_and_reads_as_its_text(wide: float) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    code = QrCode.of(TEXT)
    data = code.pdf() if wide == 50.0 else code.pdf(millimetres=wide)
    document = pdfium.PdfDocument(data)
    assert len(document) == 1
    page = document[0]
    assert page.get_size() == pytest.approx((wide / MILLIMETRES_AN_INCH * 72,) * 2, abs=0.01)
    out = BytesIO()
    page.render(scale=300 / 72).to_pil().convert("L").save(out, "PNG")
    document.close()
    assert hc.read_barcodes(out.getvalue()) == [TEXT]


def test_the_same_symbol_is_the_same_bytes_and_tells_no_day() -> None:
    code, again = QrCode.of(TEXT), QrCode.of(TEXT)
    assert (code.png(), code.pdf(), code.svg()) == (again.png(), again.pdf(), again.svg())
    assert not re.search(rb"Date|Producer|/ID|/Info", code.pdf())


def test_a_pdf_finds_its_objects() -> None:
    data = QrCode.of("HC1:ABC").pdf()
    start = re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", data)
    assert start is not None
    table = data[int(start[1]) :]
    assert table.startswith(b"xref\n0 5\n0000000000 65535 f \n")
    places = re.findall(rb"(\d{10}) 00000 n \n", table)
    assert len(places) == 4
    for number, place in enumerate(places, 1):
        assert data[int(place) :].startswith(b"%d 0 obj\n" % number)
    stream = re.search(rb"/Length (\d+)/Filter/FlateDecode>>stream\n", data)
    assert stream is not None
    assert data[stream.end() + int(stream[1]) :].startswith(b"\nendstream")
