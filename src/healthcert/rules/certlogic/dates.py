"""Dates and date-times as CertLogic has them (specification 1.3.3, "Dates, and date-times").

Arithmetic is that of JavaScript's ``Date`` in UTC: months and years keep the number of the day, and what is no day of
the month that is reached runs over into the next one. What is no day of the calendar is an error: the specification
leaves it undefined, and implementations differ.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Self

from healthcert.errors import Code, RuleError, Step
from healthcert.model import Private

UNITS = ("year", "month", "day", "hour")
LONGEST = 64
"""Characters of a date-time, most of which a fraction of a second may have."""
_HOUR = 3_600_000  # milliseconds
_DAY = 24 * _HOUR
LENGTHS = {"day": _DAY, "hour": _HOUR}
"""The units that are always as long."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = _EPOCH.toordinal()
_MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (date.min.toordinal() - _FIRST_DAY) * _DAY
LATEST = (date.max.toordinal() - _FIRST_DAY + 1) * _DAY - 1
_TO_SECONDS = len("2021-05-04T12:00:00")
OUTSIDE = f"a date outside the years {date.min.year} to {date.max.year}"

_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_FULL = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?"
)


class DateTime(Private, frozen=True):
    """A date-time: what two operations make, and others compare. It is no JSON value, and has no truth value.

    ``milliseconds`` are those since 1970, in UTC.
    """

    milliseconds: int

    @property
    def moment(self) -> datetime:
        """The same as Python has it, in UTC."""
        return _EPOCH + self.milliseconds * _MILLISECOND


class Moment(str):
    """A text that is a date-time and knows which, so that it is not read anew by each rule."""

    __slots__ = ("milliseconds",)
    milliseconds: int

    def __new__(cls, moment: datetime) -> Self:
        """``moment`` in UTC and whole seconds, in the form that every implementation reads."""
        utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        text = super().__new__(cls, f"{utc.isoformat()[:_TO_SECONDS]}Z")
        text.milliseconds = _since_epoch(utc)
        return text

    def __getnewargs__(self) -> tuple[Any]:
        return (DateTime(self.milliseconds).moment,)


@lru_cache(64)
def moment_in(second: int) -> Moment:
    """The moment that begins this second since 1970: a clock tells the same one again and again."""
    return Moment(_EPOCH + timedelta(seconds=second))


def milliseconds_of(text: Any) -> int:
    """The date or date-time in ``text``, in milliseconds since 1970; a partial date is its last day.

    Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``).
    """
    if type(text) is Moment:
        return text.milliseconds
    if not isinstance(text, str):
        raise undefined("a date is a text")
    try:
        if len(text) == 10 and text[4] == text[7] == "-" and text.isascii():
            return (date.fromisoformat(text).toordinal() - _FIRST_DAY) * _DAY
        if len(text) == 20 and _PLAIN.fullmatch(text):
            return _since_epoch(datetime.fromisoformat(text))
        match = _FULL.fullmatch(text) if len(text) <= LONGEST else None
        return _partial(text) if match is None else _full(match)
    except (ValueError, OverflowError):
        raise undefined("not a date or date-time of the calendar") from None


def birth_date(text: Any) -> int:
    """The last moment's day that a date of birth may mean: a date without a time, which may be partial.

    Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``).
    """
    if not isinstance(text, str):
        raise undefined("a date of birth is a text")
    try:
        return _partial(text)
    except ValueError:
        raise undefined("not a date of birth") from None


def shifted(start: int, amount: int, unit: str) -> int:
    """``start`` and so many years, months, days or hours, in milliseconds since 1970.

    Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``) outside the years 1 to 9999.
    """
    if unit in LENGTHS:
        found = start + amount * LENGTHS[unit]
    else:
        found = _months_later(start, amount * 12 if unit == "year" else amount)
    if not EARLIEST <= found <= LATEST:
        raise undefined(OUTSIDE)
    return found


def _months_later(start: int, months: int) -> int:
    if not months:
        return start
    day, rest = divmod(start, _DAY)
    from_ = date.fromordinal(day + _FIRST_DAY)
    year, month = divmod(from_.year * 12 + from_.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise undefined(OUTSIDE)
    # The first of the month and then the days: 31 January and a month is 3 March, as in JavaScript.
    first = date(year, month + 1, 1).toordinal() - _FIRST_DAY
    return (first + from_.day - 1) * _DAY + rest


def _since_epoch(moment: datetime) -> int:
    """A moment in UTC in milliseconds since 1970, without its fraction of a second."""
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return (moment.toordinal() - _FIRST_DAY) * _DAY + seconds * 1000


def _partial(text: str) -> int:
    match = _PARTIAL.fullmatch(text)
    if match is None:
        raise ValueError("no date")
    year, month = int(match[1]), int(match[2] or 12)
    # Partial dates are rounded up (specification 1.3.2).
    day = int(match[3]) if match[3] else monthrange(year, month)[1] if year else 0
    return (date(year, month, day).toordinal() - _FIRST_DAY) * _DAY


def _full(match: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    # What is beyond milliseconds is cut off, never rounded.
    fraction = int((match[7] or "")[:3].ljust(3, "0"))
    local = _since_epoch(datetime(year, month, day, hour, minute, second, tzinfo=UTC)) + fraction
    if match[8] is None:
        return local
    hours, minutes = int(match[9]), int(match[10] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no offset")
    offset = hours * _HOUR + minutes * 60_000
    found = local - offset if match[8] == "+" else local + offset
    if not EARLIEST <= found <= LATEST:
        raise undefined(OUTSIDE)  # in UTC, though not where it was written
    return found


def undefined(detail: str) -> RuleError:
    return RuleError(Code.CERTLOGIC_UNDEFINED, detail, Step.RULES)
