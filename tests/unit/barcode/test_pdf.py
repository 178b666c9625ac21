"""Codes on the pages of PDF files, and files that mean harm."""

from __future__ import annotations

import sys
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image

import healthcert as hc
from healthcert.barcode.pdf import is_pdf
from tests.support import Press

TEXT = Press().text()
A4 = (595, 842)


def pdf(*pages: tuple[tuple[float, float], bytes], trailer: bytes = b"") -> bytes:
    """A PDF of pages, each its size in points and what is drawn on it."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * place) for place in range(len(pages)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids)]
    for place, ((width, height), drawing) in enumerate(pages):
        size = f"{width} {height}".encode()
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s]/Contents %d 0 R>>" % (size, 4 + 2 * place))
        packed = zlib.compress(drawing)
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed))
    out, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R%s>>\n" % (count, table, count, trailer)
    return out + b"startxref\n%d\n%%%%EOF" % out.rindex(b"xref\n0 ")


def drawn(text: str, left: float, bottom: float, side: float) -> bytes:
    """A QR code of so many points, as squares."""
    code = hc.QrCode.of(text)
    modules = code.modules
    unit = side / len(modules)
    squares = [
        f"{left + x * unit:.3f} {bottom + side - (y + 1) * unit:.3f} {unit:.3f} {unit:.3f} re"
        for y, row in enumerate(modules)
        for x, dark in enumerate(row)
        if dark
    ]
    return ("\n".join(squares) + "\nf\n").encode()


PAGE = (A4, drawn(TEXT, 250, 400, 99.2))  # 35 mm


def test_codes_of_every_page() -> None:
    second = ((842, 595), drawn("HC1:A", 50, 50, 40) + drawn("HC1:B", 600, 300, 40))
    data = pdf(PAGE, (A4, b""), second)
    assert is_pdf(data)
    assert hc.read_barcodes(data)[0] == TEXT
    assert sorted(hc.read_barcodes(data)) == sorted([TEXT, "HC1:A", "HC1:B"])


def test_a_dense_code_of_35_mm() -> None:
    text = "HC1:" + "A" * 1000
    assert hc.QrCode.of(text).version == 25
    assert hc.read_barcodes(pdf((A4, drawn(text, 60, 60, 99.2)))) == [text]


def test_a_page_whose_scanner_took_pixels_for_points() -> None:
    out = BytesIO()
    page = Image.new("L", (2480, 3508), 255)
    page.paste(Image.open(BytesIO(hc.QrCode.of(TEXT).png())), (400, 500))
    page.save(out, "PDF", resolution=72)
    assert hc.read_barcodes(out.getvalue()) == [TEXT]


def test_a_pdf_of_no_code() -> None:
    assert hc.read_barcodes(pdf((A4, b"0 0 100 100 re f"))) == []


@pytest.mark.parametrize("size", [(28346, 28346), (20_001, 10), (10, 20_001), (6001, 6001)])
def test_a_page_beyond_the_limits_is_refused_and_not_drawn(size: tuple[float, float]) -> None:
    with pytest.raises(hc.DecodeError, match="a page of more than") as caught:
        hc.read_barcodes(pdf((size, b"")))
    assert caught.value.code == "INPUT_TOO_LONG"


def test_a_page_at_the_limits() -> None:
    limits = hc.Limits(image_pixels=400 * 500, image_side=500)
    assert hc.read_barcodes(pdf(((400, 500), b"")), limits=limits) == []
    for smaller in (hc.Limits(image_pixels=400 * 500 - 1), hc.Limits(image_side=499)):
        with pytest.raises(hc.DecodeError, match="a page of more than"):
            hc.read_barcodes(pdf(((400, 500), b"")), limits=smaller)


def test_as_many_pages_as_the_limits_allow() -> None:
    page = ((30.0, 30.0), b"")
    assert hc.read_barcodes(pdf(page, page), limits=hc.Limits(pdf_pages=2)) == []
    with pytest.raises(hc.DecodeError, match="more than 2 pages") as caught:
        hc.read_barcodes(pdf(page, page, page), limits=hc.Limits(pdf_pages=2))
    assert caught.value.code == "INPUT_TOO_LONG"


def test_a_page_that_takes_too_long() -> None:
    with pytest.raises(hc.DecodeError, match="more than 0 s") as caught:
        hc.read_barcodes(pdf(PAGE), limits=hc.Limits(pdf_seconds=0))
    assert caught.value.code == "INPUT_TOO_LONG"


ENCRYPTED = b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + b"00" * 32 + b">/U<" + b"11" * 32 + b">>>"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7", "not a readable PDF"),
        (b"%PDF-1.4\n" + b"\xff" * 3000, "not a readable PDF"),
        (pdf(PAGE)[:300], "not a readable PDF"),
        (pdf(), "not a readable PDF"),
        (pdf(PAGE, trailer=ENCRYPTED), "password"),
        (pdf(PAGE).replace(b"/Type/Page/", b"/Type/Wage/"), "damaged"),
    ],
    ids=["mark", "noise", "cut", "no page", "encrypted", "no pages"],
)
def test_a_pdf_that_cannot_be_read(data: bytes, said: str) -> None:
    with pytest.raises(hc.DecodeError, match=said) as caught:
        hc.read_barcodes(data)
    assert caught.value.code == "IMAGE_UNREADABLE"


def test_a_pdf_that_is_cut_off_or_changed_gives_texts_or_an_error() -> None:
    whole = pdf(((200, 200), drawn("HC1:A", 50, 50, 60)))
    for place in range(0, len(whole), 97):
        for data in (whole[:place], whole[:place] + b"\0" + whole[place + 1 :]):
            if not is_pdf(data):
                continue
            with suppress(hc.DecodeError):
                assert hc.read_barcodes(data) in ([], ["HC1:A"])


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(hc.DecodeError, match=r"healthcert\[pdf\]") as caught:
        hc.read_barcodes(pdf(PAGE))
    assert caught.value.code == "EXTRA_MISSING"
