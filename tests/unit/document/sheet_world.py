"""What the tests of pages share: sheets by hand, and what there is to see in a PDF."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
from msgspec.structs import replace

from healthcert.document.sheet import Field, Section, Sheet

MILLIMETRE = 72 / 25.4
TITLES = {
    "en": ("EU Digital COVID Certificate", None),
    "fr": ("Certificat COVID numérique de l’UE", "EU Digital COVID Certificate"),
    "ar": ("شهادة كوفيد الرقمية للاتحاد الأوروبي", "EU Digital COVID Certificate"),
    "el": ("Ψηφιακό πιστοποιητικό COVID της ΕΕ", "EU Digital COVID Certificate"),
    "bg": ("Цифров COVID сертификат на ЕС", "EU Digital COVID Certificate"),
}
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60"><rect width="120" height="60" fill="#8a1538"/></svg>'
)


def sheet(lang: str = "en", *, events: int = 1, **values: str) -> Sheet:
    """A vaccination, or several of them, whose ``values`` are by the names of their fields."""

    def field(name: str, label: str, value: str) -> Field:
        return Field(name=name, label=label, value=values.get(name, value), english=None if lang == "en" else label)

    title, english = TITLES[lang]
    beside = None if lang == "en" else "Vaccination"
    holder = (
        field("family_name", "Surname(s)", "Exemple-Müller"),
        field("given_name", "Forename(s)", "Zoé"),
        field("family_name_icao", "Standardised surname(s)", "EXEMPLE<MUELLER"),
        field("given_name_icao", "Standardised forename(s)", "ZOE"),
        field("birth_date", "Date of birth", "1984-02-29"),
    )
    event = (
        field("disease", "Disease or agent targeted", "COVID-19"),
        field("product", "Vaccine product", "Comirnaty"),
        field("manufacturer", "Marketing authorisation holder or manufacturer", "Biontech Manufacturing GmbH"),
        field("dose", "Number in a series of doses", "2/2"),
        field("date", "Date of vaccination", "2021-06-11"),
        field("issuer", "Certificate issuer", "Ministry of Examples"),
        field("certificate_id", "Unique certificate identifier", "URN:UVCI:01:FR:W2V36RG1P7RXY5W16CN0XQ1YM7#I"),
    )
    return Sheet(
        lang=lang,
        rtl=lang == "ar",
        title=title,
        english_title=english,
        holder=Section(title="Holder", fields=holder, english=None if lang == "en" else "Holder"),
        events=(Section(title="Vaccination", fields=event, english=beside),) * events,
        summary="Vaccination 2/2, 2021-06-11",
        certificate_id=event[-1].value,
        issuer="Ministry of Examples",
        issued_on=date(2021, 6, 12),
        expires_on=None,
        notice=("This certificate is not a travel document.", "Keep it as carefully as an identity document."),
        barcode_alternative="QR code with the signed data of this certificate",
    )


def with_event(made: Sheet, *fields: tuple[str, str]) -> Sheet:
    """The sheet with these fields in its only event."""
    shown = tuple(Field(name=name, label=name, value=value) for name, value in fields)
    return replace(made, events=(Section(title="Event", fields=shown),))


def text_of(page: bytes, password: str | None = None) -> str:
    """The text of all pages, in the order of the file, with single spaces."""
    with pypdfium2.PdfDocument(page, password=password) as opened:
        return " ".join(" ".join(one.get_textpage().get_text_bounded() for one in opened).split())


def structure(page: bytes) -> Iterator[tuple[str, Any]]:
    """Every element of the structure tree, in reading order: its kind and its dictionary."""
    with pikepdf.open(BytesIO(page)) as opened:
        yield from list(_elements(opened.Root.StructTreeRoot.K))


def _elements(node: Any) -> Iterator[tuple[str, Any]]:
    for child in node if isinstance(node, pikepdf.Array) else [node]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield str(child.S)[1:], {str(key): str(value) for key, value in child.items() if key in ("/Alt", "/Lang")}
            if "/K" in child:
                yield from _elements(child.K)


def size_in_millimetres(page: bytes) -> tuple[float, float]:
    with pikepdf.open(BytesIO(page)) as opened:
        _, _, width, height = (float(value) for value in opened.pages[0].MediaBox)
        return round(width / MILLIMETRE, 1), round(height / MILLIMETRE, 1)


def pages_of(page: bytes) -> int:
    with pikepdf.open(BytesIO(page)) as opened:
        return len(opened.pages)
