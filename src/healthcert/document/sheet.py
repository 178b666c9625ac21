"""What a document says, before it is set: titles, labels and values in the language of its reader."""

from __future__ import annotations

from datetime import date

from healthcert.model import Private


class Field(Private, frozen=True, kw_only=True):
    """A labelled value. ``english`` is the label in English, None where the language of the document has the same."""

    name: str
    label: str
    value: str
    english: str | None = None


class Section(Private, frozen=True, kw_only=True):
    """Fields under a heading: the holder, or one event."""

    title: str
    fields: tuple[Field, ...]
    english: str | None = None


class Sheet(Private, frozen=True, kw_only=True):
    """All that a document says beside its barcode.

    ``lang`` is a BCP 47 tag and ``rtl`` whether it is written from right to left. ``summary`` is one line for a small
    card ("Vaccination 2/2, 2021-05-29"). ``issued_on`` dates the file.
    """

    lang: str
    rtl: bool
    title: str
    english_title: str | None
    holder: Section
    events: tuple[Section, ...]
    summary: str
    certificate_id: str | None
    issuer: str
    issued_on: date | None
    expires_on: date | None
    notice: tuple[str, ...]
    barcode_alternative: str
