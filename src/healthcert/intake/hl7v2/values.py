"""Values of HL7 v2 fields: codings, moments and days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from healthcert import codings
from healthcert.errors import Code, IssueError, Step
from healthcert.families.countries import alpha2
from healthcert.families.hcert.valuesets import value_sets
from healthcert.intake.dates import Ambiguous, in_zone
from healthcert.intake.hl7v2.er7 import NULL, Message
from healthcert.model import Coding

# HL7 table 0396. ATC is there for a collection of cultures, and WC for the WHO's classification, but in Europe ATC is
# what people write for the latter; its codes are of another form, so that none is taken for another.
_SYSTEMS: Mapping[str, str] = {
    "": "",
    "L": "",
    "LN": codings.LOINC,
    "SCT": codings.SNOMED_CT,
    "CVX": codings.CVX,
    "HL70292": codings.CVX,
    "MVX": codings.MVX,
    "HL70227": codings.MVX,
    "ATC": codings.ATC,
    "WC": codings.ATC,
    "HL70078": codings.INTERPRETATION,
}
_SYSTEM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,19}")
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,20})){1,30}")
_URI = re.compile(r"https?://[A-Za-z0-9._/#-]{3,200}")
# HL7 v2.8.2, 2.A.13 (CWE): identifier, text and system, twice, and from 2.7 on a third time; OIDs of the systems apart.
_TRIPLES = ((0, 2, 13), (3, 5, 16), (9, 11, 19))
# HL7 v2.8.2, 2.A.22 (DTM): as exact as it is long.
_DTM = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,4}))?)?)?)?)?)?"
    r"(?:([+-])([0-9]{2})([0-9]{2}))?"
)
_LONGEST_CODE = 200  # they are remembered, and are no place to fill a memory
_DIGITS = {"Y": 4, "L": 6, "D": 8, "H": 10}
_FURTHEST = timedelta(hours=14)


def codings_of(message: Message, repetition: str) -> list[Coding]:
    """The codings of a CE, CNE or CWE; none where it has text alone. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    parts = message.components(repetition)
    found = []
    for code, system, oid in _TRIPLES:
        if code < len(parts) and (text := message.text(parts[code])):
            if len(text) > _LONGEST_CODE:
                raise _invalid(f"a code of more than {_LONGEST_CODE} characters")
            stated = message.text(parts[system]) if system < len(parts) else ""
            number = message.text(parts[oid]) if oid < len(parts) else ""
            found.append(Coding(_system(stated, number), text))
    return found


def _system(stated: str, oid: str) -> str:
    """The URI of a code system. One that is not known stays apart from codes that name none."""
    if (known := _SYSTEMS.get(stated.upper())) is not None and (known or not oid):
        return known
    if _OID.fullmatch(oid):
        return f"urn:oid:{oid}"
    if _OID.fullmatch(stated):
        return f"urn:oid:{stated}"
    if _URI.fullmatch(stated):
        return stated
    return f"urn:hl7-table:0396:{stated}" if _SYSTEM_NAME.fullmatch(stated) else "urn:hl7-table:0396"


class Clocks(Struct, frozen=True):
    """The time zone of moments that name none: ``offset`` is the message's; without one, a place's by the mapping."""

    offset: tzinfo | None = None
    zone: ZoneInfo | None = None
    ambiguous: Ambiguous | None = None


def moment(name: str, written: str, clocks: Clocks) -> datetime:
    """A moment, to the minute at least. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = _parts(name, written)
    if not minute:
        raise _invalid(f"{name}: a moment to the minute; for example 20210820100312+0200")
    offset = _offset(name, sign, off_hours, off_minutes) or clocks.offset
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
            int((fraction or "0").ljust(6, "0")), offset,
        )  # fmt: skip
        there = in_zone(local, clocks.zone, clocks.ambiguous)
        there.astimezone(UTC)  # the first and the last hours of the calendar are none in other zones
    except (ValueError, OverflowError):
        raise _invalid(f"{name}: a day and time of this calendar; for example 20210820100312+0200") from None
    return there


def offset_of(written: str) -> tzinfo | None:
    """The time zone that a moment names; None where it names none or is none."""
    found = _DTM.fullmatch(written)
    return None if found is None else _offset("MSH-7", *found.groups("")[7:])


def day(name: str, written: str) -> date:
    """The day of a moment, where it was: what it says, whatever the time zone. Raises :class:`IssueError`."""
    year, month, of_month = _parts(name, written)[:3]
    try:
        if of_month:
            return date(int(year), int(month), int(of_month))
    except ValueError:
        pass
    raise _invalid(f"{name}: a day; for example 20210529")


def dated(message: Message, field: str) -> str:
    """A moment as exact as its field says it is: before version 2.6 that may stand beside it (TS-2).

    HL7 v2.5.1, 2.A.77: Y, L, D, H, M and S, for the year to the second.
    """
    written, exactness = message.component(field, 1), message.component(field, 2)
    return written[: _DIGITS[exactness]] if exactness in _DIGITS else written


def partial_date(name: str, written: str) -> str:
    """A day, month or year in ISO 8601, as exact as it is written; empty where nothing is."""
    if not written or written == NULL:
        return ""
    year, month, of_month = _parts(name, written)[:3]
    # As in other formats, a day or month 00 is one that is not known.
    known = [part for part in (year, month, of_month) if part and int(part)]
    if known != [year, month, of_month][: len(known)]:
        known = []
    try:
        date(int(known[0]), *map(int, [*known[1:], "1", "1"][:2]))
    except (IndexError, ValueError):
        raise _invalid(f"{name}: a day, month or year; for example 19640812, 196408 or 1964") from None
    return "-".join(known)


def country_of(name: str, text: str) -> str | None:
    """A country by its code of two or three letters (ISO 3166-1); None where none is named.

    Raises :class:`IssueError` (``FIELD_INVALID``) for what is no such code: the certificate would name the issuer's.
    """
    if not text:
        return None
    found = text if ("co", text) in value_sets() else alpha2(text)
    if found is None or ("co", found) not in value_sets():
        raise _invalid(f"{name}: a code of ISO 3166-1; for example FRA")
    return found


def _parts(name: str, written: str) -> tuple[str, ...]:
    """Year, month, day, hour, minute, second, fraction, sign, hours and minutes of the offset; empty if not there."""
    found = _DTM.fullmatch(written)
    if found is None:
        raise _invalid(f"{name}: a moment as YYYYMMDDHHMMSS, with +HHMM or -HHMM for its time zone")
    return found.groups("")


@lru_cache(256)
def _offset(name: str, sign: str, hours: str, minutes: str) -> tzinfo | None:
    if not sign:
        return None
    size = timedelta(hours=int(hours), minutes=int(minutes))
    if size > _FURTHEST or int(minutes) > 59:
        raise _invalid(f"{name}: a time zone of at most 14 hours; for example +0200")
    return timezone(size if sign == "+" else -size) if size else UTC


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
