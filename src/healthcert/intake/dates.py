"""Dates as foreign systems write them, by a pattern such as ``DD/MM/YYYY HH:mm``, and moments of a place's clocks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum, unique
from functools import lru_cache
from zoneinfo import ZoneInfo

from healthcert.errors import Code, IssueError, Step

_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "Z": r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})",
}
_TOKEN = re.compile("|".join(_PARTS))
_LITERAL = re.compile(r"[-T ./:,]*")
_TIME = ("hour", "minute")
_DATE = ("year", "month", "day")


@unique
class Ambiguous(StrEnum):
    """Which moment an hour is that the clocks showed twice."""

    EARLIER = "earlier"
    LATER = "later"


class Pattern:
    """How a field's dates are written: ``YYYY``, ``MM``, ``DD``, ``HH``, ``mm``, ``ss``, ``Z``, and signs between.

    ``M``, ``D`` and ``H`` are numbers that may have one digit. Raises ValueError for what is no such pattern, with
    words that may be shown. There is no year of two digits: it leaves the century open.
    """

    def __init__(self, text: str) -> None:
        found = [*_TOKEN.finditer(text)]
        if not _LITERAL.fullmatch(_TOKEN.sub("", text)):
            raise ValueError(f"parts are {', '.join(_PARTS)}, with - . / : , T or a space between")
        written = "".join(
            _PARTS[part[0]] if part[0] in _PARTS else re.escape(part[0]) for part in _SPLIT.finditer(text)
        )
        try:
            self._form = re.compile(written)
        except re.error:
            raise ValueError("a part that is there twice") from None
        self.text = text
        self.parts = frozenset(self._form.groupindex)
        if not found or "year" not in self.parts or ("day" in self.parts and "month" not in self.parts):
            raise ValueError("a date has its year, and a day its month")

    def match(self, text: str) -> dict[str, str] | None:
        """The parts of a text of this form."""
        found = self._form.fullmatch(text)
        return None if found is None else found.groupdict()


_SPLIT = re.compile(f"{_TOKEN.pattern}|.", re.DOTALL)


def check_pattern(field: str, pattern: Pattern) -> None:
    """Raises ValueError where a pattern does not tell what the field needs."""
    if field == "birth_date":
        if pattern.parts - {*_DATE}:
            raise ValueError("a birth date has no time of day")
    elif not pattern.parts >= {*_DATE}:
        raise ValueError("it needs the day, the month and the year")
    elif field == "sampled_at" and not pattern.parts >= {*_TIME}:
        raise ValueError("it needs the hour and the minute")
    elif field != "sampled_at" and pattern.parts - {*_DATE}:
        raise ValueError("it is a day, without a time")


def read_birth_date(patterns: Sequence[Pattern], text: str) -> str:
    """A birth date in ISO 8601, partial where the text is; a day or month ``00`` is one that is not known.

    Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    parts = _matched("birth_date", patterns, text)
    year, month, day = parts["year"], parts.get("month"), parts.get("day")
    if month is None or int(month) == 0:
        if day is not None and int(day):
            raise _error("birth_date", patterns)
        return year
    if day is None or int(day) == 0:
        if int(month) > 12:
            raise _error("birth_date", patterns)
        return f"{year}-{int(month):02}"
    return _day("birth_date", patterns, parts).isoformat()


def read_day(field: str, patterns: Sequence[Pattern], text: str) -> date:
    """A day. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    return _day(field, patterns, _matched(field, patterns, text))


def _day(field: str, patterns: Sequence[Pattern], parts: Mapping[str, str]) -> date:
    try:
        return date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    except ValueError:
        raise _error(field, patterns) from None


def read_moment(patterns: Sequence[Pattern], text: str) -> datetime:
    """A moment, without a time zone where the text tells none. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    parts = _matched("sampled_at", patterns, text)
    try:
        moment = datetime(  # noqa: DTZ001 (the zone is told elsewhere)
            int(parts["year"]), int(parts["month"]), int(parts["day"]),
            int(parts["hour"]), int(parts["minute"]), int(parts.get("second") or 0),
        )  # fmt: skip
        return moment if parts.get("offset") is None else moment.replace(tzinfo=_offset(parts["offset"]))
    except ValueError:
        raise _error("sampled_at", patterns) from None


def in_zone(moment: datetime, zone: ZoneInfo | None, ambiguous: Ambiguous | None) -> datetime:
    """A moment that names no time zone, by the clocks of a place; any other as it is.

    Raises :class:`IssueError` (``FIELD_INVALID``) without a zone, for an hour that the clocks left out, and for one
    that they showed twice unless ``ambiguous`` says which.
    """
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        raise _zone_error("a moment with its time zone, for none is set; for example 2021-08-20T10:03:12+02:00")
    if (steady := _steady(zone, moment.date())) is not None:
        return moment.replace(tzinfo=steady)
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first is None or second is None:
        raise _zone_error("a moment that the time zone knows")
    # PEP 495: clocks that are set back have the earlier moment at fold 0, with the larger offset.
    if first < second:
        raise _zone_error("an hour that the clocks of the time zone left out")
    if first > second and ambiguous is None:
        raise _zone_error("an hour that the clocks of the time zone showed twice")
    return moment.replace(tzinfo=_fixed(second if ambiguous is Ambiguous.LATER else first))


@lru_cache(1024)
def _steady(zone: ZoneInfo, day: date) -> timezone | None:
    """The offset that the clocks of a place had all day long; None where they may have been set."""
    try:
        ends = [datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1))]
    except OverflowError:  # the last day of the year 9999
        return None
    # No clocks are set twice in a day: where both ends of it have one offset, it was that in between.
    offsets = {end.replace(fold=fold).utcoffset() for end in ends for fold in (0, 1)}
    offset = offsets.pop()
    return None if offsets or offset is None else _fixed(offset)


@lru_cache(256)
def _fixed(offset: timedelta) -> timezone:
    return timezone(offset)


@lru_cache(256)
def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _matched(field: str, patterns: Sequence[Pattern], text: str) -> dict[str, str]:
    """The parts of a text by the one pattern that it has. Where it has two, such as ``03/04/2021`` for those that have
    the day first and the month first, nothing says which is meant."""
    found = [parts for pattern in patterns if (parts := pattern.match(text)) is not None]
    if not found:
        raise _error(field, patterns)
    if any(parts != found[0] for parts in found[1:]):
        detail = f"{field}: a date that says another day in another of its forms"
        raise IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
    return found[0]


def _error(field: str, patterns: Sequence[Pattern]) -> IssueError:
    forms = " or ".join(pattern.text for pattern in patterns)
    return IssueError(Code.FIELD_INVALID, f"{field}: a date of the calendar, written as {forms}", Step.CONTENT)


def _zone_error(rule: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, f"sampled_at: {rule}", Step.CONTENT)
