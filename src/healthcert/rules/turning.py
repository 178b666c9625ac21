"""The moments at which what rules say of a certificate may change, read off the rules and the certificate.

Rules compare the clock with dates of the certificate, or with dates of their own, each moved by so many hours, days,
months or years. Where they do nothing else with the clock, as all known ones, these moments are all there are; a rule
that takes the clock's text apart is none that can be foretold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import thread_time
from typing import Any

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic import data_accesses
from healthcert.rules.certlogic.dates import EARLIEST, LATEST, LENGTHS, LONGEST, milliseconds_of, shifted
from healthcert.rules.rule import Rule
from healthcert.rules.subject import RuleSubject

_CLOCK = "external.validationClock"  # and ...AtStartOfDay of Switzerland
PRODUCTS = 50_000
"""Dates times the lengths of time they are moved by, for one certificate; a country's rules come to some hundred."""
SECONDS = 5.0
"""What one answer may cost of a processor's time; real rules take up to a third of a second for five years."""

Shift = tuple[int, str]
_STILL: Shift = (0, "day")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = LENGTHS["day"]
# The same day of another month may be up to three days off, as 31 January and a month is 3 March.
_OVERFLOW = range(-4, 5)
_COMPARISONS = frozenset(("before", "after", "not-before", "not-after"))
_OF_DATES = _COMPARISONS | {"plusTime", "extractFromUVCI"}
_FRAGMENTS = re.compile("[/#:]")


class Effort:
    """What is left of the work that one answer may cost: some rules take a hundred thousand times as long as others."""

    __slots__ = ("_judgements", "_until")

    def __init__(self, judgements: int) -> None:
        """``judgements`` is how often rules may be asked."""
        self._judgements = judgements
        self._until = thread_time() + SECONDS

    def check(self) -> None:
        """Raises :class:`RuleError` (``CERTLOGIC_LIMIT``) once the time is over."""
        if thread_time() > self._until:
            raise _limit("the rules take too long to be asked as often as this needs")

    def judge(self) -> None:
        """Counts that the rules are asked once more. Raises :class:`RuleError` (``CERTLOGIC_LIMIT``)."""
        self._judgements -= 1
        if self._judgements < 0:
            raise _limit("the rules change their mind too often to follow")
        self.check()


def moment_of(second: int) -> datetime:
    """The moment so many seconds after 1970 began, or before it."""
    return _EPOCH + timedelta(seconds=second)


def reads_clock(logic: Any) -> bool:
    """Whether the answer may depend on the moment that is asked about. Raises :class:`RuleError`, as its program."""
    return _reads(logic, from_clock=False)


def turning_points(
    rules: Iterable[Rule], subject: RuleSubject, start: int, end: int, effort: Effort, *, daily: bool
) -> set[int]:
    """The moments in seconds since 1970, from ``start`` up to ``end``, from which another outcome may hold.

    Each comes with the second after it, for a rule that asks whether it is past. ``daily`` is that every midnight (UTC)
    will be asked about too: a rule that compares the clock with itself changes its mind then. Raises
    :class:`RuleError` (``CERTLOGIC_LIMIT``) for more of them than the bound, and for rules that cannot be foretold.
    """
    # Beyond the calendar a rule is OPEN, and the clock may be moved there.
    dates = {EARLIEST, LATEST, *_dates_in(subject.payload)}
    dates.update(map(_milliseconds, filter(None, (subject.issued_at, subject.expires_at))))
    of_dates, of_clock = {_STILL}, {_STILL}
    points = set()
    for rule in rules:
        effort.check()
        points |= {_milliseconds(rule.valid_from), _milliseconds(rule.valid_to)}
        if _program_of(rule) is None:
            continue  # it is OPEN whatever the clock says
        for operation, operands, clocks in _operations(rule.logic):
            if operation == "plusTime":
                shift = (int(operands[1]), operands[2])
                of_dates.add(shift)
                of_clock |= {shift} if clocks else set()
            elif operation == "extractFromUVCI" and clocks:
                raise _limit("a rule takes the clock apart, and cannot be foretold")
            elif operation in _COMPARISONS and clocks > 1 and not daily:
                raise _limit("a rule compares the clock with itself, and cannot be foretold")
        dates.update(_dates_in(rule.logic))
    if len(dates) * len(of_dates) * len(of_clock) > PRODUCTS:
        raise _limit("too many moments at which the rules may change their mind")
    for date in dates:
        effort.check()
        for shift in of_dates:
            for clock_shift in of_clock:
                with suppress(RuleError):  # beyond the calendar
                    points.update(_met(shifted(date, *shift), clock_shift))
    seconds = {point // 1000 for point in points}
    return {second for second in seconds | {second + 1 for second in seconds} if start <= second < end}


def _met(point: int, shift: Shift) -> Iterator[int]:
    """When the clock, moved by this, meets a moment or passes it."""
    amount, unit = shift
    near = shifted(point, -amount, unit)
    if unit in LENGTHS:
        yield near
        return
    for days in _OVERFLOW:
        # At midnight it may skip days, or go back some, and pass the moment so.
        yield near + days * _DAY
        yield (near // _DAY + days) * _DAY


def _operations(logic: Any) -> Iterator[tuple[str, list[Any], int]]:
    """The operations that have to do with dates, each with its operands and how many of these read the clock."""
    open_ = [(logic, False)]
    while open_:
        node, from_clock = open_.pop()
        if isinstance(node, list):
            open_ += [(one, from_clock) for one in node]
        elif isinstance(node, Mapping):
            ((operation, operands),) = node.items()
            if operation in _OF_DATES:
                yield operation, operands, sum(_reads(one, from_clock=from_clock) for one in operands)
            if operation == "reduce":
                array, step, initial = operands
                # Its lambda reads nothing but its own two values, which may be the clock then.
                inner = _reads(array, from_clock=from_clock) or _reads(initial, from_clock=from_clock)
                open_ += [(array, from_clock), (step, inner), (initial, from_clock)]
            elif operation != "var":
                open_.append((operands, from_clock))


def _reads(expression: Any, *, from_clock: bool) -> bool:
    """Whether the clock is among what an expression reads."""
    paths = data_accesses(expression)
    if any(path in ("", "external") or path.startswith(_CLOCK) for path in paths):
        return True
    return from_clock and any(path.partition(".")[0] in ("current", "accumulator") for path in paths)


def _program_of(rule: Rule) -> Any:
    try:
        return rule.program
    except RuleError:
        return None


def _dates_in(value: Any) -> Iterator[int]:
    """All texts that are dates, whole or as a fragment of an identifier."""
    open_ = [value]
    while open_:
        node = open_.pop()
        if isinstance(node, Mapping):
            open_.extend(node.values())
        elif isinstance(node, list):
            open_.extend(node)
        elif isinstance(node, str):
            for text in {node, *_FRAGMENTS.split(node)}:
                if len(text) <= LONGEST:
                    with suppress(RuleError):
                        yield milliseconds_of(text)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _limit(detail: str) -> RuleError:
    return RuleError(Code.CERTLOGIC_LIMIT, detail, Step.RULES)
