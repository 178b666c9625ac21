"""FHIR's dates and times: as much as is told, and no more."""

from __future__ import annotations

import re
from datetime import date, datetime

from healthcert.errors import Code, IssueError, Step

# FHIR R4, date: a year, a month or a day. dateTime: the same, or a moment with seconds and a time zone.
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:(\.[0-9]{1,6})[0-9]*)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{2,24}")
_FULL = len("YYYY-MM-DD")


def partial_date(name: str, text: str) -> str:
    """A year, month or day that exists, as it stands. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    if _DATE.fullmatch(text):
        _existing(name, text + "-01-01"[len(text) - len("YYYY") :])
        return text
    raise _invalid(f"{name}: a date as YYYY, YYYY-MM or YYYY-MM-DD")


def day_of(name: str, text: str) -> date:
    """The day of a dateTime, where it was: that which its own time zone had.

    Raises :class:`IssueError` (``FIELD_INVALID``), also for a year or a month alone.
    """
    if _MOMENT.fullmatch(text):
        return moment_of(name, text).date()
    if _DATE.fullmatch(text):
        if len(text) == _FULL:
            return _existing(name, text)
        raise _invalid(f"{name}: a year or month alone is no day")
    if _LOCAL.fullmatch(text):
        raise _invalid(f"{name}: a time needs its seconds and its time zone")
    raise _invalid(f"{name}: a day or a moment; for example 2021-05-29")


def moment_of(name: str, text: str) -> datetime:
    """The moment of a dateTime or instant, with its time zone.

    Raises :class:`IssueError` (``FIELD_INVALID``), also for a day, which is no moment, and for one without a time zone.
    """
    if found := _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat("".join((found[1], "T", found[2], found[3] or "", found[4])))
        except ValueError:
            raise _invalid(f"{name}: a moment that exists") from None
    if _DATE.fullmatch(text):
        raise _invalid(f"{name}: a day alone is no moment; the time of the sample is needed")
    if _LOCAL.fullmatch(text):
        raise _invalid(f"{name}: a moment needs its seconds and its time zone")
    raise _invalid(f"{name}: a moment with its time zone; for example 2021-08-20T10:03:12+02:00")


def _existing(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(f"{name}: a day that exists") from None


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
