"""The dates of a 2D-Doc: days in hexadecimal in its header, digits in its fields, and the time of day in France."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

UNDATED = "FFFF"
DAY = 86400  # seconds

_EPOCH = date(2000, 1, 1)
_SECONDS_TO_EPOCH = (_EPOCH - date(1970, 1, 1)).days * DAY
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_WINTER, _SUMMER = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))
_FIRST_YEAR = 1900


def seconds_of(days: str) -> int | None:
    """The first second, since 1970 and in UTC, of a day of the header; None where the document is undated.

    2D-Doc specification, header: days since 2000-01-01 in four hexadecimal digits, ``FFFF`` for none.
    """
    return None if days == UNDATED else _SECONDS_TO_EPOCH + int(days, 16) * DAY


def day_of(days: str) -> date | None:
    """The same as a day."""
    return None if days == UNDATED else _EPOCH + timedelta(days=int(days, 16))


def midnight_of(days: str) -> datetime | None:
    """The same as a moment: where nothing is said of the hour, the first of the day in UTC."""
    day = day_of(days)
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def days_of(day: date) -> str | None:
    """A day as the header writes it; None for one that it cannot write."""
    days = (day - _EPOCH).days
    return f"{days:04X}" if 0 <= days < int(UNDATED, 16) else None


def read_day(text: str) -> date | None:
    """The day that ``DDMMYYYY`` is; None for what is none."""
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2])) if _DIGITS.fullmatch(text) else None
    except ValueError:
        return None


def read_birth_date(text: str) -> str | None:
    """A date of birth as ISO 8601 text, which may be partial: day, or day and month, are 00 where they are not known.

    None for what is no date.
    """
    if not _DIGITS.fullmatch(text):
        return None
    day, month, year = text[:2], text[2:4], text[4:]
    if day != "00":
        found = read_day(text)
        return None if found is None else found.isoformat()
    if int(year) < _FIRST_YEAR or int(month) > 12:
        return None
    return year if month == "00" else f"{year}-{month}"


def read_moment(text: str) -> datetime | None:
    """The moment that ``DDMMYYYYHHMM`` is in metropolitan France; None for what is none."""
    day = read_day(text[:8])
    if day is None or not _DIGITS.fullmatch(text[8:]):
        return None
    try:
        return in_france(datetime(day.year, day.month, day.day, int(text[8:10]), int(text[10:])))  # noqa: DTZ001 (see below)
    except (ValueError, OverflowError):
        return None


def in_france(local: datetime) -> datetime:
    """A wall-clock time in metropolitan France with its offset; the first of the two where the clock shows it twice.

    Directive 2000/84/EC: summer time lasts from the last Sunday of March to that of October, 01:00 UTC. France has had
    these days since 1996, long before the first 2D-Doc; a table of time zones, which some machines lack, is not needed.
    """
    summer = local.replace(tzinfo=_SUMMER)
    start, end = _last_sunday(local.year, 3), _last_sunday(local.year, 10)
    return summer if start <= summer < end and start <= local.replace(tzinfo=_WINTER) else local.replace(tzinfo=_WINTER)


def to_france(moment: datetime) -> datetime:
    """A moment as the wall clock shows it in metropolitan France."""
    moment = moment.astimezone(UTC)
    summer = _last_sunday(moment.year, 3) <= moment < _last_sunday(moment.year, 10)
    return moment.astimezone(_SUMMER if summer else _WINTER)


def _last_sunday(year: int, month: int) -> datetime:
    last = date(year, month, 31)
    return datetime(year, month, 31 - (last.weekday() + 1) % 7, 1, tzinfo=UTC)
