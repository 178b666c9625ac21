"""The moments at which what rules say of a certificate may change, read off the rules and the certificate.

Rules compare the clock with dates of the certificate, or with dates of their own, each moved by so many hours, days,
months or years. Where they do nothing else with the clock, as all known ones, these moments are all there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic import data_accesses
from healthcert.rules.certlogic.dates import milliseconds_of, shifted
from healthcert.rules.rule import Rule
from healthcert.rules.subject import RuleSubject

CLOCK = "external.validationClock"
PRODUCTS = 50_000
"""Dates times the lengths of time they are moved by, for one certificate; a country's rules come to some hundred."""

Shift = tuple[int, str]
_STILL: Shift = (0, "day")
_LONGEST_DATE = 40  # characters of a date-time with its fraction and zone
_DAY = 86_400
# The same day of another month may be up to three days off, as 31 January and a month is 3 March.
_OVERFLOW = range(-4, 5)


def turning_points(rules: Iterable[Rule], subject: RuleSubject, start: int, end: int) -> set[int]:
    """The moments in seconds since 1970, from ``start`` up to ``end``, from which another outcome may hold.

    Each comes with the second after it, for a rule that asks whether it is past. Raises :class:`RuleError`
    (``CERTLOGIC_LIMIT``) for more of them than the bound.
    """
    dates = set(_dates_in(subject.payload))
    dates.update(map(_milliseconds, filter(None, (subject.issued_at, subject.expires_at))))
    of_dates, of_clock = {_STILL}, {_STILL}
    points = set()
    for rule in rules:
        points |= {_milliseconds(rule.valid_from), _milliseconds(rule.valid_to)}
        with suppress(RuleError):  # a rule that is too large, and so OPEN whatever the clock says
            moved, clock_moved = _shifts(rule.logic)
            of_dates |= moved
            of_clock |= clock_moved
            dates.update(_dates_in(rule.logic))
    if len(dates) * len(of_dates) * len(of_clock) > PRODUCTS:
        raise RuleError(Code.CERTLOGIC_LIMIT, "too many moments at which the rules may change their mind", Step.RULES)
    for date in dates:
        for shift in of_dates:
            for clock_shift in of_clock:
                with suppress(RuleError):  # beyond the calendar, where the rule is OPEN
                    points.update(_met(shifted(date, *shift), clock_shift))
    seconds = {point // 1000 for point in points}
    return {second for second in seconds | {second + 1 for second in seconds} if start <= second < end}


def _met(point: int, shift: Shift) -> Iterator[int]:
    """When the clock, moved by this, meets a moment."""
    amount, unit = shift
    near = shifted(point, -amount, unit)
    around = (0,) if unit in ("day", "hour") else _OVERFLOW
    return (near + days * _DAY * 1000 for days in around)


def _shifts(logic: Mapping[str, Any]) -> tuple[set[Shift], set[Shift]]:
    """By what the expression moves dates of the certificate or its own, and by what the clock."""
    moved: set[Shift] = set()
    clock_moved: set[Shift] = set()
    for node in _nodes(logic):
        match node:
            case {"plusTime": [operand, int(amount), str(unit), *_]}:
                read = data_accesses(operand)
                if CLOCK in read:
                    clock_moved.add((amount, unit))
                if read != {CLOCK}:
                    moved.add((amount, unit))
            case _:
                pass
    return moved, clock_moved


def _dates_in(value: Any) -> Iterator[int]:
    for node in _nodes(value):
        if isinstance(node, str) and len(node) <= _LONGEST_DATE:
            with suppress(RuleError):
                yield milliseconds_of(node)


def _nodes(value: Any) -> Iterator[Any]:
    """The value, and whatever is in it."""
    open_ = [value]
    while open_:
        node = open_.pop()
        yield node
        if isinstance(node, Mapping):
            open_.extend(node.values())
        elif isinstance(node, list):
            open_.extend(node)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
