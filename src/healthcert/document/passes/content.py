"""What a pass says, in all its languages at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from healthcert.document.sheet import Field, Section, Sheet
from healthcert.document.template import Template
from healthcert.model import Private

Texts = tuple[str, ...]
"""One text in each language of a pass, in the order of its languages."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")  # it names a folder in an archive

_NAMES = (("given_name", "family_name"), ("full_name",), ("given_name_icao", "family_name_icao"))


class Entry(Private, frozen=True, kw_only=True):
    """A labelled value in each language. ``key`` names it in the pass, where it is there once."""

    key: str
    label: Texts
    value: Texts


class Content(Private, frozen=True, kw_only=True):
    """All that a pass says: ``holder`` is the largest on its front, ``back`` has everything."""

    languages: Texts
    title: Texts
    organisation: Texts
    holder: Entry
    birth: Entry | None
    summary: Entry
    back: tuple[Entry, ...]
    expires_on: date | None


def content_of(sheets: Sequence[Sheet], template: Template) -> Content:
    """The content of a pass from the sheets of one certificate, one a language; the first is for all other languages.

    Raises ValueError where they are no such sheets.
    """
    languages = tuple(sheet.lang for sheet in sheets)
    if not languages or len(set(languages)) != len(languages) or not all(map(_LANGUAGE.fullmatch, languages)):
        raise ValueError("sheets: one for each language, the language a BCP 47 tag")
    if len({_shape(sheet) for sheet in sheets}) != 1:
        raise ValueError("sheets: all of one certificate")
    title = tuple(sheet.title for sheet in sheets)
    fields = tuple(_section("holder", [sheet.holder for sheet in sheets]))
    holder = Entry(
        key="holder",
        label=tuple(sheet.holder.title for sheet in sheets),
        value=tuple(_name(sheet) for sheet in sheets),
    )
    events = [tuple(_event(sheets, number)) for number in range(len(sheets[0].events))]
    notice = Entry(key="notice", label=title, value=tuple(" ".join(sheet.notice) for sheet in sheets))
    noted = (notice,) if all(notice.value) else ()  # a template may have left it out
    summary = Entry(
        key="summary",
        label=tuple(sheet.events[0].title if sheet.events else sheet.title for sheet in sheets),
        value=tuple(sheet.summary for sheet in sheets),
    )
    return Content(
        languages=languages,
        title=title,
        organisation=tuple(template.name or sheet.issuer or sheet.title for sheet in sheets),
        holder=holder,
        birth=next((entry for entry in fields if entry.key.endswith("-birth_date")), None),
        summary=summary,
        back=(*fields, *(entry for event in events for entry in event), *noted),
        expires_on=sheets[0].expires_on,
    )


def _name(sheet: Sheet) -> str:
    """The holder's name as people write it; the title where a certificate names nobody."""
    told = {field.name: field.value for field in sheet.holder.fields}
    for names in _NAMES:
        if any(name in told for name in names):
            return " ".join(told[name] for name in names if name in told)
    return sheet.title


def _shape(sheet: Sheet) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(field.name for field in section.fields) for section in (sheet.holder, *sheet.events))


def _event(sheets: Sequence[Sheet], number: int) -> Iterator[Entry]:
    """The entries of one event. Where there are several, each label says which one it is of."""
    entries = _section(f"event{number + 1}", [sheet.events[number] for sheet in sheets])
    if len(sheets[0].events) == 1:
        yield from entries
        return
    for entry in entries:
        titles = (sheet.events[number].title for sheet in sheets)
        label = (f"{number + 1} · {title} · {label}" for title, label in zip(titles, entry.label, strict=True))
        yield Entry(key=entry.key, label=tuple(label), value=entry.value)


def _section(key: str, sections: Sequence[Section]) -> Iterator[Entry]:
    """A section's fields, each gathered from the section in every language."""
    columns: Iterator[tuple[Field, ...]] = zip(*(section.fields for section in sections), strict=True)
    for number, fields in enumerate(columns, 1):
        yield Entry(
            key=f"{key}-{number}-{fields[0].name}",
            label=tuple(field.label for field in fields),
            value=tuple(field.value for field in fields),
        )
