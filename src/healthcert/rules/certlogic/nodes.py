"""What each operation becomes: functions that make a function of the data, from those of the operands.

They are written for speed: what nearly every rule does is done without a further call, anything else by way of
:mod:`values` and :mod:`dates`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, itemgetter, le, lt
from typing import Any

from healthcert.rules.certlogic.budget import spend
from healthcert.rules.certlogic.dates import (
    EARLIEST,
    LATEST,
    LENGTHS,
    OUTSIDE,
    Moment,
    milliseconds_of,
    shifted,
    undefined,
)
from healthcert.rules.certlogic.uvci import extract
from healthcert.rules.certlogic.validation import is_integer
from healthcert.rules.certlogic.values import LARGEST, CodeArray, contains, equal, integer, reader, too_much, truth

NO_ARRAY = "what is looked into is no array"
"""Why ``in`` is undefined: above all, of a value set that is not known."""

Node = Callable[[Any], Any]
Operand = Callable[[Any], int]

# Each operator on two operands, which are evaluated one after the other.
_LESS: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) < right(data)  # noqa: E731
_MORE: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) > right(data)  # noqa: E731
_AT_MOST: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) <= right(data)  # noqa: E731
_AT_LEAST: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) >= right(data)  # noqa: E731
INTEGERS = {"<": lt, ">": gt, "<=": le, ">=": ge}
ORDERS = {"before": lt, "after": gt, "not-after": le, "not-before": ge}
DATES = {"before": _LESS, "after": _MORE, "not-after": _AT_MOST, "not-before": _AT_LEAST}


def literal(value: Any) -> Any:
    if not is_integer(value):
        return value
    if abs(value) > LARGEST:
        raise too_much("an integer beyond 2^53")
    return int(value)


def constant(value: Any) -> Node:
    return lambda _data: value


def choice(guard: Node, then: Node, otherwise: Node) -> Node:
    def if_(data: Any) -> Any:
        value = guard(data)
        # What nearly every guard is; anything else is looked into.
        if value is True or (type(value) is dict and value):
            return then(data)
        if value is None or value is False:
            return otherwise(data)
        return then(data) if truth(value) else otherwise(data)

    return if_


def negation(operand: Node) -> Node:
    def not_(data: Any) -> bool:
        value = operand(data)
        return value is None or not truth(value)

    return not_


def conjunction(operands: list[Node]) -> Node:
    def and_(data: Any) -> Any:
        value = None
        for operand in operands:
            value = operand(data)
            if value is not True and not truth(value):
                break
        return value

    return and_


def equality(left: Node, right: Node, expected: Any) -> Node:
    if isinstance(expected, str):
        # A text equals nothing but a text.
        return lambda data: left(data) == expected

    def equal_(data: Any) -> bool:
        one, other = left(data), right(data)
        kind = type(one)
        if kind is type(other) and (kind is int or kind is str):
            return bool(one == other)
        return equal(one, other)

    return equal_


def membership(left: Node, right: Node, array: Any, *, counted: bool) -> Node:
    if isinstance(array, list) and all(isinstance(item, str) for item in array):
        members = frozenset(array)

        def in_literals(data: Any) -> bool:
            value = left(data)
            return isinstance(value, str) and value in members

        return in_literals

    def in_(data: Any) -> bool:
        value, items = left(data), right(data)
        if not isinstance(items, list):
            raise undefined(NO_ARRAY)
        if counted:
            spend(len(items))
        # A text equals nothing but a text.
        if type(items) is CodeArray:
            return isinstance(value, str) and value in items.members
        return contains(items, value)

    return in_


def addition(left: Node, right: Node) -> Node:
    def sum_(data: Any) -> int:
        one, other = left(data), right(data)
        found = (one if type(one) is int else integer(one)) + (other if type(other) is int else integer(other))
        if not -LARGEST <= found <= LARGEST:
            raise too_much("an integer beyond 2^53")
        return found

    return sum_


def integers(ordered: Callable[[int, int], bool], operands: list[Node]) -> Node:
    """Two integers in their order, or three: all are evaluated, and then compared."""
    if len(operands) == 3:
        first, second, third = operands

        def between(data: Any) -> bool:
            low, middle, high = integer(first(data)), integer(second(data)), integer(third(data))
            return ordered(low, middle) and ordered(middle, high)

        return between
    left, right = operands

    def compared_integers(data: Any) -> bool:
        one = left(data)
        one = one if type(one) is int else integer(one)
        other = right(data)
        return ordered(one, other if type(other) is int else integer(other))

    return compared_integers


_NTH: list[Operand] = [itemgetter(0), itemgetter(1), itemgetter(2)]


def compared(compare: Callable[[Operand, Operand], Node], operands: list[Operand]) -> Node:
    """All operands are evaluated, and then compared: of three, the first with the second and that with the third."""
    if len(operands) == 2:
        return compare(*operands)
    first = compare(_NTH[0], _NTH[1])
    second = compare(_NTH[1], _NTH[2])

    def between(data: Any) -> bool:
        values = [operand(data) for operand in operands]
        return bool(first(values) and second(values))

    return between


def plain_date(expr: Any) -> tuple[Node, int] | None:
    """The date that is read, and the milliseconds that are added to it; None for any other expression."""
    match expr:
        case {"plusTime": [{"var": str(path)}, amount, unit]} if unit in LENGTHS or not amount:
            return reader(path), literal(amount) * LENGTHS.get(unit, 0)
    return None


def two_dates(ordered: Callable[[int, int], bool], left: Node, left_shift: int, right: Node, right_shift: int) -> Node:
    """What nearly every rule about dates does, in one function instead of five."""

    def compared_dates(data: Any) -> bool:
        one, other = left(data), right(data)
        earlier = (one.milliseconds if type(one) is Moment else milliseconds_of(one)) + left_shift
        later = (other.milliseconds if type(other) is Moment else milliseconds_of(other)) + right_shift
        if not (EARLIEST <= earlier <= LATEST and EARLIEST <= later <= LATEST):
            raise undefined(OUTSIDE)
        return ordered(earlier, later)

    return compared_dates


def plus_time(text: Node, amount: int, unit: str) -> Operand:
    if not amount:

        def date(data: Any) -> int:
            value = text(data)
            return value.milliseconds if type(value) is Moment else milliseconds_of(value)

        return date
    if unit not in LENGTHS:
        return lambda data: shifted(milliseconds_of(text(data)), amount, unit)
    length = amount * LENGTHS[unit]

    def later(data: Any) -> int:
        found = milliseconds_of(text(data)) + length
        if not EARLIEST <= found <= LATEST:
            raise undefined(OUTSIDE)
        return found

    return later


def uvci_part(uvci: Node, index: int, *, counted: bool) -> Node:
    def extract_(data: Any) -> str | None:
        value = uvci(data)
        if counted and isinstance(value, str):
            spend(len(value))
        return extract(value, index)

    return extract_
