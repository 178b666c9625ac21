"""Pages: complete, accessible, of the right size, always the same, and with a barcode that is read."""

from __future__ import annotations

import json
import sys
from collections import Counter
from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.barcode.write import DataMatrix, QrCode
from healthcert.document import paper as module
from healthcert.document.fonts import can_draw, drawable, runs_right_to_left
from healthcert.document.paper import Paper, pdf
from healthcert.document.sheet import Sheet
from healthcert.document.template import Template
from healthcert.limits import DEFAULT_LIMITS
from tests.unit.document.sheet_world import (
    LOGO,
    MILLIMETRE,
    TITLES,
    pages_of,
    sheet,
    size_in_millimetres,
    structure,
    text_of,
    with_event,
)

TEXT = "HC1:" + "6BFOXN*TS0BI$ZD4N9" * 30
SYMBOL = QrCode.of(TEXT)
every_paper = pytest.mark.parametrize("paper", list(Paper))


def page(made: Sheet, paper: Paper = Paper.A4, template: Template | None = None) -> bytes:
    return pdf(made, SYMBOL, text=TEXT, paper=paper, template=template)


@every_paper
@pytest.mark.parametrize("lang", list(TITLES))
def test_every_value_is_there_in_reading_order(lang: str, paper: Paper) -> None:
    made = sheet(lang)
    said = text_of(page(made, paper))
    events = [field.value for event in made.events for field in event.fields if field.name != "certificate_id"]
    at = 0
    for value in (TITLES[lang][1] or TITLES[lang][0], "Exemple-Müller", "Zoé", "1984-02-29", *events):
        at = said.index(value, at) + len(value)
    assert "EXEMPLE<MUELLER" in said
    if paper is not Paper.CARD:  # where it is broken
        assert made.events[0].fields[-1].value in said


@every_paper
def test_the_barcode_is_read_from_the_page(paper: Paper) -> None:
    assert hc.read_barcodes(page(sheet("fr"), paper)) == [TEXT]


@pytest.mark.parametrize(
    ("paper", "size"), [(Paper.A4, (210.0, 297.0)), (Paper.LETTER, (215.9, 279.4)), (Paper.CARD, (85.6, 54.0))]
)
def test_papers_have_their_sizes(paper: Paper, size: tuple[float, float]) -> None:
    assert size_in_millimetres(page(sheet(), paper)) == size
    assert pages_of(page(sheet(), paper)) == (2 if paper is Paper.CARD else 1)


def width_on(paper: Paper, symbol: QrCode | DataMatrix) -> float:
    """How wide the barcode is on the paper as it is drawn, in millimetres, without its quiet zone."""
    with pypdfium2.PdfDocument(pdf(sheet(), symbol, text=TEXT, paper=paper)) as opened:
        objects = list(opened[0].get_objects(max_depth=15))
        boxes = [one.get_bounds() for one in objects if one.type == pypdfium2.raw.FPDF_PAGEOBJ_PATH]
    squares = [right - left for left, bottom, right, top in boxes if abs((right - left) - (top - bottom)) < 0.01]
    whole = max(squares)
    return float(max(side for side in squares if side < whole - 1) / MILLIMETRE)


@every_paper
@pytest.mark.parametrize("length", [100, 540, 1000])
def test_a_barcode_is_35_to_60_millimetres_wide(paper: Paper, length: int) -> None:
    symbol = QrCode.of("A" * length)
    width = width_on(paper, symbol)
    assert 35 <= width <= 60.01
    assert width / len(symbol.modules) >= 0.33


def test_a_barcode_too_large_for_a_card_is_told() -> None:
    symbol = QrCode.of("A" * 1600)
    assert pdf(sheet(), symbol, text=TEXT)
    with pytest.raises(hc.DocumentError, match="modules") as caught:
        pdf(sheet(), symbol, text=TEXT, paper=Paper.CARD)
    assert caught.value.code is hc.Code.DOCUMENT_FAILED


def test_a_datamatrix_is_printed_as_well() -> None:
    text = "DC03FR000001123F1636" + "A0B1C2" * 30
    assert hc.read_barcodes(pdf(sheet("fr"), DataMatrix.of(text), text=text)) == [text]


@every_paper
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_page_is_accessible(lang: str, paper: Paper) -> None:
    """What ISO 14289-1 asks for and can be seen from outside."""
    made = page(sheet(lang), paper, Template(name="Issuer", logo=LOGO, logo_alternative="Arms of the issuer"))
    kinds = list(structure(made))
    headings = [kind for kind, _ in kinds if kind in ("H1", "H2", "H3")]
    assert headings[0] == "H1"
    assert set(headings[1:]) == {"H2"}
    alternatives = [values["/Alt"] for kind, values in kinds if kind == "Figure"]
    assert alternatives == ["Arms of the issuer", f"QR code with the signed data of this certificate: {TEXT}"]
    counted = Counter(kind for kind, _ in kinds)
    # Label and value of every field.
    assert counted["LI"] == counted["Lbl"] == counted["LBody"] >= 11
    with pikepdf.open(BytesIO(made)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert opened.Root.ViewerPreferences.DisplayDocTitle
        assert str(opened.Root.Lang) == lang
        with opened.open_metadata() as metadata:
            assert (metadata["pdfuaid:part"], metadata["pdfaid:part"]) == ("1", "2")
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["dc:title"] == TITLES[lang][0]
        fonts = [one for one in opened.objects if isinstance(one, pikepdf.Dictionary) and "/FontName" in one]
        assert fonts
        assert all("/FontFile2" in one or "/FontFile3" in one for one in fonts)
        embedded = {str(one.FontName).partition("+")[2] for one in fonts}
        assert embedded == {"FiraGO-Regular", "FiraGO-Bold"}


@every_paper
def test_nothing_outside_the_page_names_anyone(paper: Paper) -> None:
    made = page(sheet(family_name="Geheimnis", given_name="Vertraut"), paper)
    with pikepdf.open(BytesIO(made)) as opened:
        told = [str(value) for value in opened.docinfo.values()] + [opened.Root.Metadata.read_bytes().decode()]
        with opened.open_outline() as outline:
            told += [item.title for top in outline.root for item in (top, *top.children)]
    assert not [one for one in told if "Geheimnis" in one or "Vertraut" in one]


def test_the_same_gives_the_same_and_the_date_is_the_certificates() -> None:
    assert page(sheet("ar")) == page(sheet("ar"))
    with pikepdf.open(BytesIO(page(sheet()))) as opened:
        assert str(opened.docinfo["/CreationDate"]) == "D:20210612000000Z"
    assert page(replace(sheet(), issued_on=None)) == page(replace(sheet(), issued_on=None))


LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternw"


@every_paper
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_long_names_and_many_entries_flow_to_further_pages(paper: Paper, lang: str) -> None:
    made = page(sheet(lang, events=5, family_name=LONG, given_name="Maximiliana-" * 4 + "AB"), paper)
    said = text_of(made)
    assert LONG in said.replace(" ", "")
    assert said.count("2021-06-11") == 5
    assert said.replace(" ", "").count("URN:UVCI:01:FR:W2V36RG1P7RXY5W16CN0XQ1YM7#I") == 5
    assert 2 <= pages_of(made) <= (7 if paper is Paper.CARD else 2)
    inside(made)


def inside(made: bytes) -> None:
    """No text reaches over the edge of its page, and none over another."""
    with pypdfium2.PdfDocument(made) as opened:
        for one in opened:
            width, height = one.get_size()
            texts = one.get_textpage()
            boxes = [texts.get_rect(at) for at in range(texts.count_rects())]
            for left, bottom, right, top in boxes:
                assert left >= 3
                assert right <= width - 3
                assert bottom >= 3
                assert top <= height - 3
            for at, (left, bottom, right, top) in enumerate(boxes):
                middle = (bottom + top) / 2
                over = [b for b in boxes[:at] if b[0] < right - 1 and left < b[2] - 1 and b[1] < middle < b[3]]
                assert not over


def test_a_name_that_no_font_has_is_left_to_its_standard_spelling() -> None:
    said = text_of(page(sheet(family_name="李", given_name="小龍", family_name_icao="LI", given_name_icao="XIAOLONG")))
    assert "Standardised surname(s) LI" in said
    assert "Surname(s) Standardised" not in said
    with pytest.raises(hc.DocumentError, match="no font"):
        page(replace(sheet(), holder=replace(sheet().holder, fields=sheet(family_name="李").holder.fields[:1])))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Հայաստան", "…"),
        ("東京 Tokyo", "… Tokyo"),
        ("\ue000", "…"),
        ("Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        ("e\u0301", "é"),
        ("محمد", "محمد"),
        ("हिन्दी ไทย ქართული עברית", "हिन्दी ไทย ქართული עברית"),
    ],
)
def test_what_no_font_has_is_left_out_visibly(text: str, shown: str) -> None:
    assert drawable(text) == shown
    assert can_draw(text) == ("…" not in shown)
    assert shown.split()[-1] in text_of(page(sheet(product=text)))


@pytest.mark.parametrize(
    ("text", "expected"), [("2021-06-11", False), ("(A) م", False), ("(1) م A", True), ("", False), ("א", True)]
)
def test_the_first_letter_gives_the_direction(text: str, expected: bool) -> None:
    assert runs_right_to_left(text) is expected


HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\u202e\u2066\u2069\u200f\u0007\x00\ufeff\ufffe\U000e0041#$[]{}*_<>@`\\/\"'=~\r\n\t-"),
    ),
    max_size=60,
)


@given(HOSTILE, HOSTILE)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_is_markup_or_breaks_a_page(name: str, value: str) -> None:
    made = page(sheet("ar", family_name=name, product=value, family_name_icao="A"), Paper.CARD)
    assert made.startswith(b"%PDF-1.7")


@pytest.mark.parametrize("text", ['#image("/etc/passwd")', '#import "@preview/a:1.0.0"', "$x$ *b* _i_ <a> @b `c` = d"])
def test_markup_comes_out_as_it_is(text: str) -> None:
    assert text in text_of(page(replace(sheet(product=text), notice=(text,))))


def test_the_compiler_reads_no_file() -> None:
    engine = module._engine()
    for source in (b'#read("/etc/passwd")', b'#read("figo.ttf", encoding: none)', b'#import "@preview/cetz:0.1.0"'):
        with pytest.raises(engine._error):
            engine._compiler.compile(source, format="pdf")


def test_a_page_has_a_bound() -> None:
    chars = DEFAULT_LIMITS.sheet_chars
    beside = module._characters(module._content(with_event(sheet(), ("a", "")), Template(), Paper.A4))
    words = ("ab " * chars)[: chars - beside - 1] + "c"
    assert pages_of(page(replace(with_event(sheet(), ("a", "")), notice=(*sheet().notice, words)))) > 1
    with pytest.raises(hc.DocumentError, match="characters"):
        page(replace(with_event(sheet(), ("a", "")), notice=(*sheet().notice, words + "d")))
    fields = DEFAULT_LIMITS.sheet_fields - 2 - len(sheet().holder.fields)
    assert pages_of(page(with_event(sheet(), *[("a", "b")] * fields))) > 1
    with pytest.raises(hc.DocumentError, match="fields"):
        page(with_event(sheet(), *[("a", "b")] * (fields + 1)))


def test_without_its_packages_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(hc.DocumentError) as caught:
        module._Engine()
    assert caught.value.code is hc.Code.EXTRA_MISSING


def test_an_error_quotes_nothing() -> None:
    with pytest.raises(hc.DocumentError) as caught:
        page(with_event(sheet(), ("a", "Secret" * 1500)))
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_bytes_that_nobody_can_read_out_are_no_alternative() -> None:
    made = pdf(sheet(), SYMBOL, text="PK\x03\x04")
    assert [values["/Alt"] for kind, values in structure(made) if kind == "Figure"] == [sheet().barcode_alternative]


def test_content_is_data_alone() -> None:
    """Whatever is said goes to the page as one text of JSON."""
    content = module._content(sheet(), Template(), Paper.A4)
    assert json.loads(json.dumps(content)) == content
