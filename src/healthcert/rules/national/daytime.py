"""Days of the clocks of central Europe, which Italy, France and Switzerland keep.

The hour of summer is counted here, rather than asked of a database of time zones: not every machine has one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

_HOUR = timedelta(hours=1)


def local_day(moment: datetime) -> date:
    """The day that it is at a moment. Raises OverflowError at the very ends of the calendar."""
    moment = moment.astimezone(UTC)
    return (moment + _offset(moment)).date()


def midnight(day: date) -> datetime:
    """The moment, in UTC, at which a day begins. Raises OverflowError at the very ends of the calendar."""
    # Clocks are changed after midnight, so that one hour before it by the time of winter tells which it is.
    begins = datetime.combine(day, time(), UTC) - _HOUR
    return begins - (_offset(begins) - _HOUR)


def _offset(moment: datetime) -> timedelta:
    # Directive 2000/84/EC: from 01:00 UTC of the last Sunday in March to that of the last Sunday in October.
    begins, ends = (_last_sunday(moment.year, month) for month in (3, 10))
    return 2 * _HOUR if begins <= moment < ends else _HOUR


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)
