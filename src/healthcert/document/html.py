"""A certificate for a screen: one HTML file that needs nothing beside it, and loads and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from healthcert.barcode.symbols import Symbol
from healthcert.document.logo import checked_logo
from healthcert.document.sheet import Section, Sheet
from healthcert.document.template import Template
from healthcert.document.words import words_of

_MILLIMETRES = 60.0
"""How wide the barcode is printed with its quiet zone: without it, that is 43 to 58 mm for every size of a QR code."""

_PLAIN = Template()

# The barcode is dark on white whatever the colours around it are: readers want it so. The accent has a contrast of
# 4.5:1 with white (WCAG 2.2, 1.4.3), so it is only ever behind white letters; on paper, where backgrounds may be
# missing, letters are black.
_STYLE = """
:root{color-scheme:light dark;--page:#f4f4f2;--card:#fff;--text:#1a1a1a;--faint:#595959;--line:#d0d0cc}
@media(prefers-color-scheme:dark){:root{--page:#121212;--card:#1e1e1e;--text:#f2f2f2;--faint:#b8b8b8;--line:#4a4a4a}}
@media(prefers-contrast:more){:root{--faint:var(--text);--line:var(--text)}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Noto Sans Arabic",sans-serif}
main{max-width:40rem;margin:auto;background:var(--card);border:1px solid var(--line);
border-radius:.75rem;overflow:hidden}
header{background:COLOUR;color:#fff;padding:1.25rem 1.5rem}
header img{max-height:4rem;max-width:12rem;background:#fff;padding:.25rem;border-radius:.25rem}
header p,h1{margin:0}
h1{font-size:1.5rem;line-height:1.25}
h2{font-size:1.125rem;margin:0 0 .5rem}
section,footer{padding:1.25rem 1.5rem;border-top:1px solid var(--line)}
figure{margin:0;padding:1rem;background:#fff;text-align:center;forced-color-adjust:none}
figure svg{display:block;width:min(100%,24rem);height:auto;margin:auto}
bdi{unicode-bidi:isolate}
dl{margin:0}
dl div{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:0 1rem;padding:.375rem 0;break-inside:avoid}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.beside{display:block;color:var(--faint);font-size:.875em;font-weight:400}
[dir=rtl] .beside{text-align:right}
header .beside{color:inherit;font-size:1rem}
footer p{margin:.5rem 0 0}
code{overflow-wrap:anywhere}
@media(max-width:30rem){dl div{grid-template-columns:1fr}}
@media print{@page{margin:15mm}:root{--page:#fff;--card:#fff;--text:#000;--faint:#333;--line:#999}
body{padding:0}main{border:0;max-width:none}header{background:none;color:#000;border-bottom:1mm solid COLOUR}
figure svg{width:MILLIMETRESmm}section,figure{break-inside:avoid}details{display:none}}
"""


def html_card(sheet: Sheet, symbol: Symbol, *, text: str | None = None, template: Template = _PLAIN) -> str:
    """The HTML of a sheet with its barcode. The same sheet gives the same text.

    ``text`` is what the barcode holds, for those who cannot scan it; it is left out where no keyboard could write it.
    Everything is escaped, and the page's own policy forbids scripts, and anything from elsewhere. Values are isolated,
    so that none turns the line that it stands in. Raises :class:`DocumentError` (``TEMPLATE_INVALID``).
    """
    words = words_of(sheet.lang, template.wording.get(sheet.lang, {}))
    style = _STYLE.replace("COLOUR", template.colour).replace("MILLIMETRES", f"{_MILLIMETRES:g}")
    sections = (sheet.holder, *sheet.events)
    return "\n".join(
        (
            "<!DOCTYPE html>",
            f'<html lang="{escape(sheet.lang)}" dir="{"rtl" if sheet.rtl else "ltr"}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(sheet.title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            _header(sheet, template),
            f"<figure>{_drawn(symbol, sheet.barcode_alternative)}</figure>",
            *(_section(section, f"s{number}") for number, section in enumerate(sections, 1) if section.fields),
            _footer(sheet, text, words["notice_heading"], words["code_text"]),
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def _policy(style: str) -> str:
    """Content Security Policy Level 3: nothing but this style, which is told by its hash, and pictures in the page."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _header(sheet: Sheet, template: Template) -> str:
    parts = []
    if template.logo is not None:
        # As a picture, an SVG runs no scripts and loads nothing (SVG Integration, "secure static mode").
        source = f"data:image/svg+xml;base64,{b64encode(checked_logo(template.logo).encode()).decode()}"
        parts.append(f'<img src="{source}" alt="{escape(template.logo_alternative)}">')
    if template.name:
        parts.append(f"<p><bdi>{escape(template.name)}</bdi></p>")
    return f"<header>{''.join(parts)}<h1>{_bilingual(sheet.title, sheet.english_title)}</h1></header>"


def _drawn(symbol: Symbol, alternative: str) -> str:
    """The barcode as a picture with words in its place; its own size is for whoever takes it out of the page."""
    drawn = symbol.svg(millimetres=_MILLIMETRES).strip()
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(alternative)}" ', 1)


def _section(section: Section, identifier: str) -> str:
    fields = "\n".join(
        f"<div><dt>{_bilingual(field.label, field.english)}</dt><dd><bdi>{escape(field.value)}</bdi></dd></div>"
        for field in section.fields
    )
    heading = f'<h2 id="{identifier}">{_bilingual(section.title, section.english)}</h2>'
    return f'<section aria-labelledby="{identifier}">{heading}\n<dl>\n{fields}\n</dl></section>'


def _footer(sheet: Sheet, text: str | None, heading: str, code_text: str) -> str:
    notices = "".join(f"<p>{escape(line)}</p>" for line in sheet.notice)
    parts = f"<h2>{escape(heading)}</h2>{notices}" if notices else ""
    if text is not None and text.isascii() and text.isprintable():
        code = f'<code dir="ltr">{escape(text)}</code>'
        parts += f"<details><summary>{escape(code_text)}</summary>{code}</details>"
    return f"<footer>{parts}</footer>" if parts else ""


def _bilingual(text: str, english: str | None) -> str:
    beside = "" if english is None else f' <span class="beside" lang="en" dir="ltr">{escape(english)}</span>'
    return escape(text) + beside
