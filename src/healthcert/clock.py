"""The only reader of the wall clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the moment a check is made for, once per certificate."""

    def now(self) -> datetime:
        """The moment, with a time zone."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still: for tests, and for "would this have been valid on that day?"."""

    def __init__(self, moment: datetime | str) -> None:
        """``moment`` may be text in ISO 8601. Without a time zone it is read as UTC, as the public suite does.

        Raises ValueError for a text that is no moment.
        """
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        self._moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment


def duration(text: str) -> timedelta:
    """A length of time as people write it: ``48h``, ``7d``. Raises ValueError."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text, re.ASCII)
    if found is None:
        raise ValueError("a number and one of s, m, h, d; for example 48h")
    return timedelta(seconds=int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]])
