"""The printable certificate: a page to be folded in four, or a small card, as an accessible PDF to be kept for long."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum, unique
from functools import cache
from pathlib import Path
from pkgutil import get_data
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from healthcert.barcode.symbols import Symbol
from healthcert.document.fonts import can_draw, drawable, missing, runs_right_to_left, write_fonts
from healthcert.document.logo import checked_logo
from healthcert.document.names import plain
from healthcert.document.sheet import Field, Section, Sheet
from healthcert.document.template import Template
from healthcert.document.words import words_of
from healthcert.errors import Code, DocumentError
from healthcert.limits import DEFAULT_LIMITS

_UNDATED = date(2000, 1, 1)  # PDF/A asks for a date
_NAMES = ("family_name", "given_name", "full_name")
_ICAO = "_icao"


@unique
class Paper(StrEnum):
    """What a certificate is printed on: A4 (ISO 216), US letter, or a card of the size ID-1 (ISO/IEC 7810)."""

    A4 = "a4"
    LETTER = "letter"
    CARD = "card"


class _Form(Struct, frozen=True):
    """A paper in millimetres, and how wide a barcode is on it: ``usual``, or ``widest`` if its modules came out small.

    The widths are those of the barcode itself, or with its quiet zone where there is no room around it. The EU's
    guidelines for the paper form recommend 35 to 60 mm.
    """

    width: float
    height: float
    source: str
    usual: float
    widest: float
    enough: float
    with_quiet_zone: bool = False


_FORMS = {
    Paper.A4: _Form(210, 297, "folded.typ", 50, 60, 0.5),
    Paper.LETTER: _Form(215.9, 279.4, "folded.typ", 50, 60, 0.5),
    Paper.CARD: _Form(85.6, 53.98, "card.typ", 44, 48, 0.4, with_quiet_zone=True),
}
# What a printer of 300 dpi draws in four dots, and telephones read.
_SMALLEST_MODULE = 0.33


def pdf(sheet: Sheet, symbol: Symbol, *, text: str, paper: Paper = Paper.A4, template: Template | None = None) -> bytes:
    """A PDF/UA-1 and PDF/A-2a of what the sheet says, with the barcode that holds ``text``.

    The same arguments give the same bytes. Characters that no font here has come out as an ellipsis; a holder's name
    in them is left to its spelling by ICAO's rules. Metadata has the title and the day of ``sheet.issued_on``, and
    nothing else about anyone.

    Raises :class:`DocumentError`: ``DOCUMENT_FAILED`` for a barcode that is too large for the paper, a name that cannot
    be written and a text too long; ``EXTRA_MISSING``.
    """
    form = _FORMS[paper]
    template = template or Template()
    content = _content(sheet, template, paper)
    _check_size(sheet, content)
    content["paper"] = {"width": form.width, "height": form.height, "bilingual": paper is not Paper.CARD}
    content["code"] = _code(symbol, form, _alternative(sheet, text))
    logo = template.logo
    content["logo"] = logo and {"svg": checked_logo(logo), "alt": drawable(template.logo_alternative)}
    day = datetime.combine(sheet.issued_on or _UNDATED, time(), UTC)
    return _engine().page(form, json.dumps(content), int(day.timestamp()))


def prepare() -> None:
    """Makes ready what sets pages, so that what is missing is known before anything is issued.

    Raises :class:`DocumentError` (``EXTRA_MISSING``).
    """
    _engine()


class _Engine:
    """The compiler of pages, which has its fonts in memory.

    It reads the files of one folder, which is deleted when it is ready: no file of this machine can get onto a page,
    whatever a page says. It sets one page at a time.
    """

    def __init__(self) -> None:
        try:
            import typst
        except ImportError:
            raise missing() from None
        self._error: type[Exception] = typst.TypstError
        self._lock = Lock()
        with TemporaryDirectory(prefix="healthcert-fonts-") as name:
            write_fonts(Path(name))
            fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[name])

            fonts_source = _source("fonts.typ")
            self._compiler = typst.Compiler(
                fonts_source,
                root=name,
                font_paths=fonts,
                ignore_system_fonts=True,
                package_path=name,
                package_cache_path=name,
            )
            self._compiler.compile(fonts_source, format="pdf")  # reads them all

    def page(self, form: _Form, content: str, moment: int) -> bytes:
        with self._lock:
            try:
                made = self._compiler.compile(
                    _source(form.source),
                    format="pdf",
                    sys_inputs={"data": content},
                    pdf_standards=["ua-1", "a-2a"],
                    timestamp=moment,
                )
            except self._error:
                # Its message quotes the text that it failed at.
                raise DocumentError(Code.DOCUMENT_FAILED, "a text that could not be set") from None
        assert isinstance(made, bytes)
        # ISO 32000-1 §12.2: it tells on which side of a spread the first page is, of which there is none. PDFium, and
        # so many browsers, takes it for the order of the words in every line, and turns those that are in Latin.
        return made.replace(b"/Direction/R2L", b"/Direction/L2R")


@cache
def _engine() -> _Engine:
    return _Engine()


@cache
def _source(name: str) -> bytes:
    parts = [name] if name == "fonts.typ" else ["common.typ", name]
    return b"\n".join(get_data(__package__, f"typst/{part}") or b"" for part in parts)


def _content(sheet: Sheet, template: Template, paper: Paper) -> dict[str, Any]:
    words = words_of(sheet.lang, template.wording.get(sheet.lang, {}))
    beside = None if sheet.lang == "en" else words_of("en")["notice_heading"]
    events, identifier = (sheet.events, None) if paper is Paper.CARD else _identified(sheet)
    return {
        "lang": sheet.lang,
        "rtl": sheet.rtl,
        "colour": template.colour,
        "title": _titled(sheet.title, sheet.english_title),
        "issuer": _value(template.name or sheet.issuer),
        "holder": _section(_holder(sheet, paper)),
        "events": [_section(event) for event in events],
        "identifier": identifier and _field(identifier),
        "notice": {
            **_titled(words["notice_heading"], beside),
            "lines": [drawable(plain(line)) for line in sheet.notice],
        },
    }


def _check_size(sheet: Sheet, content: Mapping[str, Any]) -> None:
    limits = DEFAULT_LIMITS
    if _characters(content) > limits.sheet_chars:
        raise DocumentError(Code.DOCUMENT_FAILED, f"more than {limits.sheet_chars} characters for one document")
    if sum(1 + len(section.fields) for section in (sheet.holder, *sheet.events)) > limits.sheet_fields:
        raise DocumentError(Code.DOCUMENT_FAILED, f"more than {limits.sheet_fields} fields for one document")


def _characters(content: object) -> int:
    """How many characters there are in texts and those within."""
    match content:
        case str():
            return len(content)
        case dict():
            return sum(map(_characters, content.values()))
        case list():
            return sum(map(_characters, content))
    return 0


def _holder(sheet: Sheet, paper: Paper) -> Section:
    """The holder; on a card, which has little room on its front, what it is looked at for comes first."""
    holder = sheet.holder
    if paper is not Paper.CARD:
        return holder
    names = {field.name for field in holder.fields if can_draw(plain(field.value))}
    return replace(holder, fields=tuple(sorted(holder.fields, key=lambda field: _is_beside(field.name, names))))


def _identified(sheet: Sheet) -> tuple[tuple[Section, ...], Field | None]:
    """The events, and the certificate's identifier apart, which stands below the barcode where there is but one."""
    identifiers = [field for event in sheet.events for field in event.fields if field.name == "certificate_id"]
    if len(identifiers) != 1:
        return sheet.events, None
    events = (replace(event, fields=tuple(f for f in event.fields if f not in identifiers)) for event in sheet.events)
    return tuple(event for event in events if event.fields), identifiers[0]


def _section(section: Section) -> dict[str, Any]:
    """A section but for names that the fonts cannot write, which are there as ICAO's rules spell them as well."""
    unwritten = [field for field in section.fields if field.name in _NAMES and not can_draw(plain(field.value))]
    written = {field.name for field in section.fields if field not in unwritten}
    if any(field.name + _ICAO not in written for field in unwritten):
        raise DocumentError(Code.DOCUMENT_FAILED, "a holder's name in a script that no font here has")
    fields = [
        {**_field(field), "strong": _is_name(field.name) and not _is_beside(field.name, written)}
        for field in section.fields
        if field not in unwritten
    ]
    return {**_titled(section.title, section.english), "fields": fields}


def _is_name(field: str) -> bool:
    return field.removesuffix(_ICAO) in _NAMES


def _is_beside(field: str, written: Container[str]) -> bool:
    """Whether a name is the spelling by ICAO's rules of another that is there."""
    return _is_name(field) and field.endswith(_ICAO) and field.removesuffix(_ICAO) in written


def _field(field: Field) -> dict[str, Any]:
    english = field.english and drawable(plain(field.english))
    return {**_value(field.value), "label": drawable(plain(field.label)), "english": english}


def _titled(text: str, english: str | None) -> dict[str, str | None]:
    return {"text": drawable(plain(text)), "english": english and drawable(plain(english))}


def _value(text: str) -> dict[str, Any]:
    shown = drawable(plain(text))
    return {"text": shown, "rtl": runs_right_to_left(shown)}


def _alternative(sheet: Sheet, text: str) -> str:
    """What the barcode is, and its text, unless that is made of bytes which nobody can read out."""
    return f"{sheet.barcode_alternative}: {text}" if text.isprintable() else sheet.barcode_alternative


def _code(symbol: Symbol, form: _Form, alternative: str) -> Mapping[str, Any]:
    modules = len(symbol.modules[0])
    whole = modules + 2 * symbol.quiet_zone
    counted = whole if form.with_quiet_zone else modules
    width = form.usual if form.usual / counted >= form.enough else form.widest
    if width / counted < _SMALLEST_MODULE:
        raise DocumentError(
            Code.DOCUMENT_FAILED, f"a barcode of {modules} modules does not fit the paper at {_SMALLEST_MODULE} mm each"
        )
    width = width / counted * whole
    return {"svg": symbol.svg(millimetres=width), "width": width, "alt": plain(alternative)}
