"""National rules that are but numbers with names: how many days or hours after its event a certificate is good."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.national.daytime import midnight
from healthcert.rules.national.segments import undetermined

LONGEST = 36_500
"""The largest number of days or hours that is taken for one: a century of days. What stands for "for good" is 6000."""
D = TypeVar("D", bound=date)


class Span(Struct, frozen=True):
    """A number of days, hours or seconds, and the names of the settings that it comes from."""

    count: int
    names: tuple[str, ...]
    unit: str

    def __str__(self) -> str:
        return f"{' and '.join(self.names)} ({self.count} {self.unit})"

    def __add__(self, other: Span) -> Span:
        return Span(self.count + other.count, (*self.names, *other.names), self.unit)

    @property
    def delta(self) -> timedelta:
        return timedelta(**{self.unit: self.count})


AT_ONCE = Span(0, (), "days")


def first_known(names: Iterable[str], read: Callable[[str], int | None], unit: str) -> Span:
    """The first of several settings that there is, as ``read`` finds it.

    Raises :class:`RuleError` (``RULES_OPEN``) where there is none: what is not set is never a pass.
    """
    tried = tuple(names)
    for name in tried:
        count = read(name)
        if count is not None:
            return Span(count, (name,), unit)
    raise undetermined(f"the settings have no number for {' or '.join(tried)}")


def later(start: D, span: Span, *, also: int = 0) -> D:
    """A day or moment so much later, and ``also`` so many days.

    Raises :class:`RuleError` (``RULES_OPEN``) where the calendar ends.
    """
    try:
        return start + (span.delta + timedelta(days=also))
    except OverflowError:
        raise _end_of_calendar() from None


def past(moment: datetime, span: Span) -> datetime:
    """The first second in which more than a span has passed: the last one of the span still counts.

    Raises :class:`RuleError` (``RULES_OPEN``) where the calendar ends.
    """
    return later(later(moment, span).replace(microsecond=0), Span(1, (), "seconds"))


def first_moment(day: date, span: Span, *, also: int = 0) -> datetime:
    """The midnight that begins the day so much later, by the clocks of central Europe.

    Raises :class:`RuleError` (``RULES_OPEN``) where the calendar ends.
    """
    try:
        return midnight(later(day, span, also=also))
    except OverflowError:
        raise _end_of_calendar() from None


def chosen(options: Mapping[str, str], known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The value of every option: the one that is set, else the first of those that there are.

    Raises :class:`RuleError` (``RULE_CONFIG_INVALID``) for an option or a value that there is not.
    """
    for name, value in options.items():
        if name not in known:
            detail = f"there is no option {name!r}; there is {', '.join(known) or 'none'}"
            raise RuleError(Code.RULE_CONFIG_INVALID, detail, Step.RULES)
        if value not in known[name]:
            detail = f"{name} is one of {', '.join(filter(None, known[name]))}"
            raise RuleError(Code.RULE_CONFIG_INVALID, detail, Step.RULES)
    return {name: options.get(name, values[0]) for name, values in known.items()}


def unreadable(detail: str) -> RuleError:
    """What is raised for a document that is not of the form of these rules."""
    return RuleError(Code.RULE_LIST_UNREADABLE, detail, Step.RULES)


def _end_of_calendar() -> RuleError:
    return undetermined("a date of the certificate is at the end of the calendar")
