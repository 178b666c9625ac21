"""The only reader of the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime
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

    def __init__(self, moment: datetime) -> None:
        """``moment`` without a time zone is read as UTC, as the public conformance suite does."""
        self._moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment
