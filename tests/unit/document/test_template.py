"""Templates: what an issuer may put on its documents, and what nobody may."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import healthcert as hc
from healthcert.barcode.write import QrCode
from healthcert.document.logo import checked_logo
from healthcert.document.paper import Paper, pdf
from healthcert.document.template import Template
from healthcert.limits import DEFAULT_LIMITS
from tests.unit.document.sheet_world import LOGO, sheet, structure, text_of

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">{}</svg>'


def png(width: int = 30, height: int = 20, mode: str = "RGBA") -> bytes:
    out = BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("logo", [LOGO, png(), png(mode="1"), png(2000, 20), png(20, 2000)])
@pytest.mark.parametrize("paper", [Paper.A4, Paper.CARD])
def test_a_template_is_seen_on_the_page(logo: bytes, paper: Paper) -> None:
    template = Template(
        name="Gesundheitsamt Köln", logo=logo, logo_alternative="Wappen", colour="#14532D",
        wording={"en": {"notice_heading": "Read this"}},
    )  # fmt: skip
    made = pdf(sheet(), QrCode.of("HC1:A"), text="HC1:A", paper=paper, template=template)
    said = text_of(made)
    assert ("Gesundheitsamt Köln" in said, "Read this" in said) == (paper is Paper.A4, paper is Paper.A4)
    assert "Wappen" in [values["/Alt"] for kind, values in structure(made) if kind == "Figure"]


def test_a_template_is_loaded_with_the_logo_beside_it(tmp_path: Path) -> None:
    (tmp_path / "arms.svg").write_bytes(LOGO)
    (tmp_path / "t.toml").write_text(
        'name = "Ministry"\ncolour = "#14532d"\nlogo = "arms.svg"\nlogo_alternative = "Arms"\n'
        '[wording.fr]\nnotice_heading = "À lire"\n'
    )
    assert Template.load(tmp_path / "t.toml") == Template(
        name="Ministry",
        logo=LOGO,
        logo_alternative="Arms",
        colour="#14532d",
        wording={"fr": {"notice_heading": "À lire"}},
    )


def refused(detail: str) -> pytest.RaisesExc[hc.DocumentError]:
    return pytest.raises(hc.DocumentError, match=f"TEMPLATE_INVALID: .*{detail}")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("name = ", "TOML"),
        ("\xff", "TOML"),
        ("name = 7", "not text"),
        ("wording = 7", "not text"),
        ("[wording]\nfr = 7", "not text"),
        ("[wording.fr]\nnotice_heading = 7", "not text"),
        ("[wording.xx]\nnotice_heading = 'a'", "language"),
        ("[wording.fr]\nno_such = 'a'", "key"),
        ("color = '#000000'", "key"),
        ("colour = 'red'", "rrggbb"),
        ("colour = '#fff'", "rrggbb"),
        ("colour = '#000000\\n'", "rrggbb"),
        ("colour = '#8a8a8a'", "contrast"),
        ("name = 'a\\u202eb'", "unseen"),
        ('name = "a\\u202eb"', "unseen"),
        ("logo = '/etc/hostname'", "beside"),
        ("logo = '../secret.svg'", "beside"),
        ("logo = 'link.svg'", "beside"),
        ("logo = 'none.svg'", "beside"),
        ("logo = '.'", "beside"),
        ('logo = "a\\u0000b"', "beside"),
        ("logo = 'large.svg'\nlogo_alternative = 'a'", "bytes"),
        ("logo = 'arms.svg'", "logo_alternative"),
        ("#" * (DEFAULT_LIMITS.key_file_bytes + 1), "bytes"),
    ],
)  # fmt: skip
def test_bad_templates_are_refused(tmp_path: Path, text: str, detail: str) -> None:
    if text == "name = 'a\\u202eb'":
        text = "name = 'a\u202eb'"
    folder = tmp_path / "here"
    folder.mkdir()
    (tmp_path / "secret.svg").write_bytes(LOGO)
    (folder / "link.svg").symlink_to(tmp_path / "secret.svg")
    (folder / "arms.svg").write_bytes(LOGO)
    (folder / "large.svg").write_bytes(b" " * (DEFAULT_LIMITS.logo_bytes + 1))
    (folder / "t.toml").write_text(text, encoding="latin-1" if text == "\xff" else "utf-8")
    with refused(detail):
        Template.load(folder / "t.toml")


def test_a_file_that_is_not_there_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Template.load(tmp_path / "none.toml")


@pytest.mark.parametrize("colour", ["#767676", "#000000", "#0B4F8A"])
def test_colours_dark_enough_are_taken(colour: str) -> None:
    assert Template(colour=colour).colour == colour


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        '<image href="file:///etc/passwd"/>',
        '<image href="data:image/png;base64,AA"/>',
        '<use href="#a"/>',
        "<style>@import url(http://x)</style>",
        "<text>Hello</text>",
        "<foreignObject/>",
        '<path d="M0 0" onclick="x"/>',
        '<path d="M0 0" fill="url(http://x/#a)"/>',
        '<path d="M0 0" style="fill:url( &quot;http://x&quot;)"/>',
        '<path d="M0 0" style="fill:u\\72l(x)"/>',
        '<linearGradient x:href="http://x/#a"/>',
        '<html xmlns="http://www.w3.org/1999/xhtml"/>',
        "<path>",
        "<g/>" * DEFAULT_LIMITS.logo_elements,
    ],
)
def test_drawings_that_do_more_than_show_themselves_are_refused(inner: str) -> None:
    with refused("logo"):
        Template(logo=SVG.format(inner).encode(), logo_alternative="a")


def test_drawings_that_only_show_themselves_are_taken() -> None:
    gradient = '<linearGradient id="a" x:href="#b"/><path d="M0 0h9v9z" fill="url(#a)"/>'
    for inner in (gradient, "<g/>" * (DEFAULT_LIMITS.logo_elements - 1)):
        assert checked_logo(SVG.format(inner).encode()) == SVG.format(inner)


@pytest.mark.parametrize(
    "logo",
    [
        b"",
        b"GIF89a",
        b"\xff" + LOGO,
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + LOGO,
        b"<svg/>",
        png()[:60],
        png()[:8],
        b" " * (DEFAULT_LIMITS.logo_bytes + 1),
        png(DEFAULT_LIMITS.logo_pixels // 1000, 1001, "1"),
    ],
    ids=["empty", "gif", "bytes", "doctype", "namespace", "cut", "mark", "large", "pixels"],
)
def test_what_is_no_logo_is_refused(logo: bytes) -> None:
    with refused("logo"):
        Template(logo=logo, logo_alternative="a")


def test_what_is_hidden_in_a_picture_stays_behind() -> None:
    from PIL.PngImagePlugin import PngInfo

    info, out = PngInfo(), BytesIO()
    info.add_text("Author", "Somebody")
    Image.new("RGB", (3, 3)).save(out, "PNG", pnginfo=info)
    from base64 import b64decode

    source = checked_logo(out.getvalue()).partition("base64,")[2].partition('"')[0]
    assert b"Somebody" not in b64decode(source)
