"""The page for a screen: nothing in it runs or is loaded, and whatever a name holds comes out as that text."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

import healthcert as hc
from healthcert.barcode.write import QrCode
from healthcert.document.html import html_card
from healthcert.document.logo import checked_logo
from healthcert.document.names import plain
from healthcert.document.sheet import Field, Section, Sheet
from healthcert.document.sheets import sheet_of
from healthcert.document.template import Template
from healthcert.document.words import LANGUAGES, words_of
from tests.support import HOLDER, VACCINATION, issue
from tests.unit.document.test_sheets import certificate

SYMBOL = QrCode.of("HC1:TEST")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
VOID = {"meta", "img", "path"}


class Page(HTMLParser):
    """Elements in their order with what is in them, and whether each was closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def inside(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def sheet(lang: str = "en", **changes: str) -> Sheet:
    return sheet_of(certificate(VACCINATION, holder=replace(HOLDER, **changes)), lang=lang)


def saying(value: str, label: str = "Surname(s)") -> Sheet:
    """A sheet of one field, as it is, whatever made it."""
    holder = Section(title="Holder", fields=(Field(name="family_name", label=label, value=value, english=label),))
    return replace(sheet(), holder=holder, events=(), notice=())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_has_a_language_and_a_direction(lang: str) -> None:
    page = Page(html_card(sheet(lang), SYMBOL))
    assert page.all("html") == [{"lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}]
    english = [attributes for attributes in page.all("span") if attributes["class"] == "beside"]
    assert bool(english) is (lang != "en")
    assert all((attributes["lang"], attributes["dir"]) == ("en", "ltr") for attributes in english)


def test_a_page_says_all_that_the_sheet_says_in_its_order() -> None:
    given_sheet = sheet("fr")
    page = Page(html_card(given_sheet, SYMBOL))
    fields = [field for section in (given_sheet.holder, *given_sheet.events) for field in section.fields]
    assert [label.strip() for label in page.inside("dt")] == [field.label for field in fields]
    assert page.inside("bdi") == [field.value for field in fields]
    assert page.inside("p") == list(given_sheet.notice)
    assert page.inside("title") == [given_sheet.title]
    heading = words_of("fr")["notice_heading"]
    assert [text.strip() for text in page.inside("h2")] == [given_sheet.holder.title, "Vaccination", heading]


def test_headings_and_sections_are_in_order_and_named() -> None:
    page = Page(html_card(sheet_of(certificate(VACCINATION, VACCINATION)), SYMBOL))
    headings = [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings == ["h1", "h2", "h2", "h2", "h2"]
    named = [attributes["aria-labelledby"] for attributes in page.all("section")]
    assert named == [attributes["id"] for attributes in page.all("h2") if "id" in attributes] == ["s1", "s2", "s3"]
    assert len(page.all("main")) == 1
    assert {tag for tag, _ in page.elements} & {"dl", "dt", "dd"} == {"dl", "dt", "dd"}


def test_the_barcode_is_a_picture_with_words_and_keeps_its_modules() -> None:
    page = Page(html_card(sheet("de"), SYMBOL))
    [picture] = page.all("svg")
    assert (picture["role"], picture["aria-label"]) == ("img", words_of("de")["barcode_qr"])
    drawn = SYMBOL.svg()
    assert [attributes["d"] for attributes in page.all("path")] == re.findall(r' d="([^"]+)"', drawn)
    assert page.all("path")[0]["fill"] == "#fff"
    assert picture["viewbox"] == "0 0 29 29"


@pytest.mark.parametrize("length", [10, 4000])
def test_the_barcode_is_printed_between_35_and_60_millimetres(length: int) -> None:
    symbol = QrCode.of("A" * length, error_correction="L")
    page = html_card(sheet(), symbol)
    [width] = re.findall(r"figure svg\{width:([0-9.]+)mm\}", page)
    modules = len(symbol.modules)
    assert 35 <= float(width) * modules / (modules + 2 * symbol.quiet_zone) <= 60
    assert f'width="{width}mm"' in page


def test_nothing_runs_and_nothing_is_loaded() -> None:
    template = Template(name="Ministry", logo=SVG, logo_alternative="Ministry")
    text = html_card(sheet("ar"), SYMBOL, text="HC1:TEST", template=template)
    page = Page(text)
    allowed = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "img",
        "p",
        "h1",
        "h2",
        "span",
        "figure",
    }
    allowed |= {"svg", "path", "section", "dl", "div", "dt", "dd", "bdi", "footer", "details", "summary", "code"}
    assert {tag for tag, _ in page.elements} == allowed
    for _, attributes in page.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("href", "style", "srcset", "action")
        ]
    assert [attributes["src"][:5] for attributes in page.all("img") if attributes["src"]] == ["data:"]
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|url\(|javascript:", text, re.IGNORECASE)


def test_the_policy_allows_this_style_and_no_other() -> None:
    page = Page(html_card(sheet(), SYMBOL))
    [policy] = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    [style] = page.inside("style")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


@given(st.text(), st.text())
@example("</dd></dl><script>alert(1)</script>", '" onload="x')
@example("&lt;b&gt;", "<!-- -->")
@example("]]>", "</style>")
def test_any_name_comes_out_as_the_text_that_it_is(family_name: str, given_name: str) -> None:
    made = sheet(family_name=family_name, given_name=given_name)
    page = Page(html_card(made, SYMBOL))
    names = [plain(name) for name in (family_name, given_name) if plain(name)]
    assert page.inside("bdi")[: len(names)] == names
    assert [tag for tag, _ in page.elements if tag in ("script", "b")] == []


@pytest.mark.parametrize("text", ["<script>x</script>", '"><img src=x onerror=y>', "'&'", "\u202eabc"])
def test_whatever_a_sheet_says_is_escaped(text: str) -> None:
    made = replace(saying(text, label=text), title=text, english_title=text, barcode_alternative=text, notice=(text,))
    printable = "".join(character for character in text if character.isprintable())
    template = Template(name=printable, logo=SVG, logo_alternative=printable)
    page = Page(html_card(made, SYMBOL, template=template))
    assert page.inside("bdi") == [printable, text]  # the issuer's name, and the value
    assert page.inside("p") == [text]
    assert page.inside("title") == [text]
    assert page.all("svg")[0]["aria-label"] == text
    assert page.all("img")[0]["alt"] == printable
    assert len(page.all("img")) == 1
    assert page.all("script") == []


def test_values_are_isolated_from_the_line_they_stand_in() -> None:
    page = Page(html_card(sheet("ar"), SYMBOL))
    assert len(page.all("bdi")) == len(page.all("dd"))
    assert "bdi{unicode-bidi:isolate}" in page.inside("style")[0]


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_logo_is_a_picture_in_the_page(kind: str) -> None:
    logo = SVG if kind == "svg" else png()
    page = Page(html_card(sheet(), SYMBOL, template=Template(logo=logo, logo_alternative="Ministry")))
    [picture] = page.all("img")
    prefix, _, data = (picture["src"] or "").partition(",")
    assert (prefix, picture["alt"]) == ("data:image/svg+xml;base64", "Ministry")
    assert b64decode(data).decode() == checked_logo(logo)


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (2, 2), "red").save(file, "PNG")
    return file.getvalue()


def test_the_text_of_the_code_is_there_for_who_cannot_scan_it() -> None:
    issued = issue()
    made = sheet_of(issued.content(), lang="ar")
    page = Page(html_card(made, issued.symbol(), text=issued.text))
    assert page.inside("code") == [issued.text]
    assert page.inside("summary") == [words_of("ar")["code_text"]]
    assert page.all("code") == [{"dir": "ltr"}]


@pytest.mark.parametrize("text", [None, "PK\x03\x04", "é"])
def test_a_text_that_no_keyboard_writes_is_left_out(text: str | None) -> None:
    assert Page(html_card(sheet(), SYMBOL, text=text)).all("code") == []


def test_a_template_gives_name_colour_and_wording() -> None:
    template = Template(name="Ministry", colour="#004494", wording={"de": {"notice_heading": "Hinweis"}})
    text = html_card(sheet("de"), SYMBOL, template=template)
    assert "background:#004494" in text
    assert Page(text).inside("bdi")[0] == "Ministry"
    assert "Hinweis" in Page(text).inside("h2")


def test_a_section_or_a_notice_of_nothing_leaves_no_heading() -> None:
    page = Page(html_card(saying(""), SYMBOL))
    assert page.all("footer") == []
    empty = replace(sheet(), holder=Section(title="Holder", fields=()))
    assert "Holder" not in Page(html_card(empty, SYMBOL)).inside("h2")


def test_the_same_sheet_gives_the_same_page() -> None:
    assert html_card(sheet("el"), SYMBOL) == html_card(sheet("el"), SYMBOL)


def test_every_colour_can_be_read_on_what_it_stands_on() -> None:
    [style] = Page(html_card(sheet(), SYMBOL)).inside("style")
    palettes = [dict(re.findall(r"--(\w+):(#\w+)", line)) for line in style.splitlines() if "--card:" in line]
    assert len(palettes) == 3  # light, dark, paper
    for palette in palettes:
        for letters in ("text", "faint"):
            # WCAG 2.2, 1.4.6: 7:1 for text, where 4.5:1 would do.
            assert contrast(palette[letters], palette["card"]) >= 7
    assert contrast("#ffffff", Template().colour) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_wording_that_does_not_exist_is_invalid() -> None:
    with pytest.raises(hc.DocumentError) as caught:
        html_card(sheet(), SYMBOL, template=Template(wording={"en": {"nothing": "x"}}))
    assert caught.value.code is hc.Code.TEMPLATE_INVALID
