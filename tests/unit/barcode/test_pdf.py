"""Codes on the pages of PDF files, and files that mean harm."""

from __future__ import annotations

import os
import sys
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image

import healthcert as hc
from healthcert.barcode.ladder import Watch, codes_of
from healthcert.barcode.pdf import is_pdf, opened
from healthcert.barcode.pdf_process import reader_of
from healthcert.barcode.read import find_barcodes
from healthcert.batch.sources.documents import read_texts
from tests.support import Press

TEXT = Press().text()
A4 = (595, 842)
NO_EFFORT = hc.Limits(image_seconds=0)


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
    assert hc.read_barcodes(pdf((A4, b"0 0 100 100 re f")), limits=NO_EFFORT) == []


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
                assert hc.read_barcodes(data, limits=NO_EFFORT) in ([], ["HC1:A"])


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(hc.DecodeError, match=r"healthcert\[pdf\]") as caught:
        hc.read_barcodes(pdf(PAGE))
    assert caught.value.code == "EXTRA_MISSING"


# --- Pictures embedded in pages ---


CODE = Image.open(BytesIO(hc.QrCode.of("HC1:EMBEDDED").png(module_pixels=4))).convert("L")


def with_objects(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is its catalogue."""
    out, places = b"%PDF-1.5\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table) + trailer


def stream(entries: bytes, data: bytes) -> bytes:
    packed = zlib.compress(data)
    return b"<<%s/Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (entries, len(packed), packed)


def image(width: int = CODE.width, height: int = CODE.height) -> bytes:
    entries = b"/Type/XObject/Subtype/Image/BitsPerComponent 8/ColorSpace/DeviceGray/Width %d/Height %d"
    return stream(entries % (width, height), CODE.tobytes())


def page_of(content: bytes, *, entries: bytes = b"", objects: tuple[bytes, ...] = ()) -> bytes:
    """A page of 600 by 400 points, on which /X5, /X6 ... are the further objects."""
    names = b"".join(b"/X%d %d 0 R" % (number, number) for number in range(5, 5 + len(objects)))
    return with_objects(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 400]/Contents 4 0 R/Resources<</XObject<<%s>>>>%s>>"
        % (names, entries),
        stream(b"", content),
        *objects,
    )


FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 999 999]/Matrix[1 0 0 1 20 0]/Resources<</XObject<</X5 5 0 R>>>>"


@pytest.mark.parametrize(
    ("content", "entries", "centre"),
    [
        (b"150 0 0 150 100 200 cm /X5 Do", b"", (175, 125)),
        (b"150 0 0 150 100 200 cm /X5 Do", b"/Rotate 90", (275, 175)),
        (b"0 150 -150 0 300 200 cm /X5 Do", b"", (225, 125)),
        (b"0.5 0 0 0.5 40 50 cm /X6 Do", b"", (175, 125)),
        (b"150 0 0 150 100 200 cm /X5 Do", b"/CropBox[50 0 600 400]", (125, 125)),
    ],
    ids=["upright", "page turned", "image turned", "in a form", "cropped"],
)
def test_the_place_of_an_embedded_code_is_where_it_is_drawn(
    content: bytes, entries: bytes, centre: tuple[float, float]
) -> None:
    form = stream(FORM, b"q 300 0 0 300 100 300 cm /X5 Do Q")
    data = page_of(content, entries=entries, objects=(image(), form))
    (code,) = find_barcodes(data)
    assert code.text == "HC1:EMBEDDED"
    # In another pass it is only seen as it is drawn.
    (seen,) = find_barcodes(page_of(content + b" 0 0 1 1 re f", entries=entries, objects=(image(), form)))
    middle = [sum(axis) / 4 * 72 / 350 for axis in zip(*code.corners, strict=True)]
    assert middle == pytest.approx(centre, abs=2)
    with opened(data, None, hc.Limits()) as document:
        (page,) = document.pages()
        drawing = page.drawn()
    assert drawing is not None
    assert drawing.size == (seen.frame.width, seen.frame.height)
    (drawn_code,) = codes_of(drawing, page.frame, Watch(0))
    for ours, theirs in zip(code.corners, drawn_code.corners, strict=True):
        assert ours == pytest.approx(theirs, abs=8)


def test_a_code_that_is_embedded_and_one_that_is_drawn() -> None:
    content = b"q 100 0 0 100 20 20 cm /X5 Do Q " + drawn("HC1:DRAWN", 300, 200, 90)
    found = find_barcodes(page_of(content, objects=(image(),)))
    assert [code.text for code in found] == ["HC1:EMBEDDED", "HC1:DRAWN"]


def test_a_code_too_fine_for_the_first_drawing() -> None:
    text = "HC1:" + "A" * 1000
    assert hc.read_barcodes(pdf(((595, 842), drawn(text, 300, 300, 46)))) == [text]


def test_an_embedded_picture_that_claims_to_be_huge_is_left_alone() -> None:
    content = b"q 100 0 0 100 20 20 cm /X6 Do Q q 100 0 0 100 220 20 cm /X5 Do Q"
    assert hc.read_barcodes(page_of(content, objects=(image(), image(50_000, 50_000)))) == ["HC1:EMBEDDED"]
    with opened(page_of(content, objects=(image(), image(50_000, 50_000))), None, hc.Limits()) as document:
        (page,) = document.pages()
        images, has_others = page.images()
    assert (len(images), has_others) == (1, True)


# --- Passwords ---


def test_a_pdf_opens_with_its_password_only() -> None:
    pikepdf = pytest.importorskip("pikepdf")
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf(PAGE))) as file:
        file.save(out, encryption=pikepdf.Encryption(user="für dich", owner="another", R=6))
    assert hc.read_barcodes(out.getvalue(), password="für dich") == [TEXT]
    assert read_texts(out.getvalue(), hc.Limits(), password="für dich") == [TEXT]
    for password in (None, "", "fur dich"):
        with pytest.raises(hc.DecodeError, match="opens with a password only") as caught:
            hc.read_barcodes(out.getvalue(), password=password)
        assert caught.value.code == "IMAGE_UNREADABLE"
    assert hc.read_barcodes(pdf(PAGE), password="of none") == [TEXT]


# --- Files that mean harm ---


needs_bounds = pytest.mark.skipif(sys.platform != "linux", reason="this system does not bound memory")
SMALL = hc.Limits(pdf_memory=300 * 1024 * 1024)


def laughs(levels: int) -> bytes:
    """Forms that draw the next one ten times each."""
    objects = [
        stream(
            b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>" % (6 + level),
            b"/X Do " * 10 if level < levels - 1 else b"0 0 1 1 re f",
        )
        for level in range(levels)
    ]
    return page_of(b"/X5 Do", objects=tuple(objects))


def itself(times: int) -> bytes:
    """A form that draws itself so many times."""
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X5 5 0 R>>>>"
    return stream(entries, b"/X5 Do " * times)


@needs_bounds
@pytest.mark.parametrize(
    "data",
    [laughs(9), page_of(b"/X5 Do", objects=(itself(2),)), page_of(b"0 0 1 1 re f\n" * 2_000_000)],
    ids=["nested", "itself twice", "long"],
)
def test_a_page_that_would_take_all_memory_is_given_up(data: bytes) -> None:
    assert len(data) < 100_000
    with pytest.raises(hc.DecodeError, match="memory") as caught:
        hc.read_barcodes(data, limits=SMALL)
    assert caught.value.code == "IMAGE_UNREADABLE"
    assert hc.read_barcodes(pdf(PAGE), limits=SMALL) == [TEXT]  # and the next file is read


def test_ten_thousand_pages() -> None:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    kids = b"3 0 R " * 10_000
    data = with_objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 10000/Kids[%s]>>" % kids, page)
    with pytest.raises(hc.DecodeError, match="more than 200 pages") as caught:
        hc.read_barcodes(data)
    assert caught.value.code == "INPUT_TOO_LONG"


def test_a_tree_of_pages_that_is_none() -> None:
    data = with_objects(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 3/Kids[2 0 R 3 0 R]>>",
        b"<</Type/Pages/Count 2/Parent 2 0 R/Kids[2 0 R 3 0 R]>>",
    )
    with suppress(hc.DecodeError):
        assert hc.read_barcodes(data) == []


def test_a_form_that_draws_itself() -> None:
    content = b"/X5 Do " + drawn("HC1:DRAWN", 300, 200, 90)
    assert hc.read_barcodes(page_of(content, objects=(itself(1),))) == ["HC1:DRAWN"]


def test_time_is_over_while_a_page_is_drawn() -> None:
    with pytest.raises(hc.DecodeError, match="more than 1 s") as caught:
        hc.read_barcodes(laughs(9), limits=hc.Limits(pdf_seconds=1, pdf_memory=8 << 30))
    assert caught.value.code == "INPUT_TOO_LONG"
    assert hc.read_barcodes(pdf(PAGE)) == [TEXT]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_reads_with_a_process_of_its_own() -> None:
    assert hc.read_barcodes(pdf(PAGE)) == [TEXT]
    child = os.fork()
    if not child:
        os._exit(hc.read_barcodes(pdf(PAGE)) != [TEXT])
    assert hc.read_barcodes(pdf(PAGE)) == [TEXT]
    assert os.waitpid(child, 0)[1] == 0
    assert hc.read_barcodes(pdf(PAGE)) == [TEXT]


def test_without_a_program_to_run_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(hc.DecodeError) as caught:
        hc.read_barcodes(pdf(PAGE))
    assert caught.value.code == "ENVIRONMENT"


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("healthcert.barcode.pdf_worker.receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            hc.read_barcodes(pdf(((200, 200), drawn("HC1:A", 50, 50, 60))))
    assert hc.read_barcodes(pdf(((200, 200), drawn("HC1:B", 50, 50, 60)))) == ["HC1:B"]


def test_a_process_that_ended_meanwhile_is_replaced() -> None:
    small = pdf(((200, 200), drawn("HC1:A", 50, 50, 60)))
    assert hc.read_barcodes(small) == ["HC1:A"]
    with reader_of(hc.Limits()) as reader:
        pass
    reader.end()
    assert hc.read_barcodes(small) == ["HC1:A"]
