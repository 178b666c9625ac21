"""An expression compiled to closures: each node becomes a function of the data, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic.bounds import ITEMS, STEPS, check_size
from healthcert.rules.certlogic.dates import (
    EARLIEST,
    LATEST,
    LENGTHS,
    DateTime,
    Moment,
    birth_date,
    milliseconds_of,
    shifted,
    undefined,
)
from healthcert.rules.certlogic.uvci import extract
from healthcert.rules.certlogic.validation import INFIX, is_integer, validate
from healthcert.rules.certlogic.values import LARGEST, CodeArray, contains, equal, integer, reader, too_much, truth

_LONGEST_MESSAGE = 200

Node = Callable[[Any], Any]
Operand = Callable[[Any], int]

# Each operator on two operands, which are evaluated one after the other.
_LESS: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) < right(data)  # noqa: E731
_MORE: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) > right(data)  # noqa: E731
_AT_MOST: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) <= right(data)  # noqa: E731
_AT_LEAST: Callable[[Operand, Operand], Node] = lambda left, right: lambda data: left(data) >= right(data)  # noqa: E731
_INTEGERS = {"<": _LESS, ">": _MORE, "<=": _AT_MOST, ">=": _AT_LEAST}
_DATES = {"before": _LESS, "after": _MORE, "not-after": _AT_MOST, "not-before": _AT_LEAST}


class Program:
    """A valid expression, ready to be evaluated for any data, from any thread."""

    __slots__ = ("_counted", "_node", "_reduces", "expression")

    def __init__(self, expression: Any) -> None:
        """Raises as :func:`healthcert.rules.certlogic.compile` does."""
        issues = validate(expression)
        if issues:
            raise RuleError(Code.CERTLOGIC_INVALID, _readable(issues[0].message), Step.RULES)
        self.expression = expression
        self._reduces = False
        self._counted = False
        try:
            self._node = self._compile(expression)
        except RecursionError:
            raise too_deep() from None

    def __call__(self, data: Any) -> Any:
        """Raises as :func:`healthcert.rules.certlogic.evaluate` does."""
        try:
            if not self._reduces:
                value = self._node(data)
            else:
                _budget.left = STEPS
                value = self._node(data)
                if isinstance(value, (list, dict)):
                    check_size(value)
        except RecursionError:
            raise too_deep() from None
        return int(value) if type(value) is float and value.is_integer() else value

    def _compile(self, expr: Any) -> Node:
        if isinstance(expr, list):
            items = [self._compile(item) for item in expr]
            return lambda data: [item(data) for item in items]
        if not isinstance(expr, dict):
            return _constant(_literal(expr))
        ((name, operands),) = expr.items()
        if name == "var":
            return reader(operands)
        if name in _INTEGERS:
            return _compared(_INTEGERS[name], [_as_integer(self._compile(one)) for one in operands])
        if name in _DATES:
            return _compared(_DATES[name], [self._date(one) for one in operands])
        if name in INFIX:
            return self._infix(name, operands)
        if name in ("plusTime", "dccDateOfBirth"):
            date = self._date(expr)
            return lambda data: DateTime(date(data))
        match name:
            case "if":
                return _if(*map(self._compile, operands))
            case "!":
                return _not(self._compile(operands[0]))
            case "reduce":
                return self._reduce(*operands)
        return _extract(self._compile(operands[0]), int(operands[1]), counted=self._counted)

    def _infix(self, name: str, operands: list[Any]) -> Node:
        if name == "and":
            return _and([self._compile(one) for one in operands])
        left, right = self._compile(operands[0]), self._compile(operands[1])
        if name == "===":
            return _equal(left, right, operands[1])
        if name == "+":
            return _sum(left, right)
        return _in(left, right, operands[1], counted=self._counted)

    def _date(self, expr: Any) -> Operand:
        """The date-time that an expression makes, bare: between two operations nobody needs it wrapped."""
        if isinstance(expr, dict):
            ((name, operands),) = expr.items()
            if name == "plusTime":
                return _plus_time(self._compile(operands[0]), _literal(operands[1]), operands[2])
            if name == "dccDateOfBirth":
                text = self._compile(operands[0])
                return lambda data: birth_date(text(data))
        node = self._compile(expr)

        def date(data: Any) -> int:
            value = node(data)
            if type(value) is not DateTime:
                raise undefined("only date-times are compared so")
            return value.milliseconds

        return date

    def _reduce(self, operand: Any, lambda_: Any, initial: Any) -> Node:
        self._reduces = True
        array, start = self._compile(operand), self._compile(initial)
        # What is done again and again is counted, for reductions within each other multiply.
        outer, self._counted = self._counted, True
        step = self._compile(lambda_)
        self._counted = outer
        cost = _nodes(lambda_)

        def reduce(data: Any) -> Any:
            items = array(data)
            accumulator = start(data)
            if items is None:
                return accumulator
            if not isinstance(items, list):
                raise undefined("only an array is reduced")
            if len(items) > ITEMS:
                raise too_much(f"an array of more than {ITEMS} items to reduce")
            _spend(cost * len(items))
            for item in items:
                accumulator = step({"current": item, "accumulator": accumulator})
            return accumulator

        return reduce


class _Budget(threading.local):
    """What is left of the steps of the evaluation that this thread is in; one cannot begin within another."""

    left = STEPS


_budget = _Budget()


def _spend(steps: int) -> None:
    _budget.left -= steps
    if _budget.left < 0:
        raise too_much(f"more than {STEPS} steps")


def _nodes(expr: Any) -> int:
    """The nodes of an expression and the steps of its paths, and so what one evaluation of it costs at most."""
    if isinstance(expr, dict):
        return 1 + sum(map(_nodes, expr.values()))
    if isinstance(expr, list):
        return 1 + sum(map(_nodes, expr))
    return 1 + expr.count(".") if isinstance(expr, str) else 1


def _literal(value: Any) -> Any:
    if not is_integer(value):
        return value
    if abs(value) > LARGEST:
        raise too_much("an integer beyond 2^53")
    return int(value)


def _constant(value: Any) -> Node:
    return lambda _data: value


def _if(guard: Node, then: Node, otherwise: Node) -> Node:
    def if_(data: Any) -> Any:
        value = guard(data)
        # What nearly every guard is; anything else is looked into.
        if value is True or (type(value) is dict and value):
            return then(data)
        if value is None or value is False:
            return otherwise(data)
        return then(data) if truth(value) else otherwise(data)

    return if_


def _not(operand: Node) -> Node:
    def not_(data: Any) -> bool:
        value = operand(data)
        return value is None or not truth(value)

    return not_


def _and(operands: list[Node]) -> Node:
    def and_(data: Any) -> Any:
        value = None
        for operand in operands:
            value = operand(data)
            if value is not True and not truth(value):
                break
        return value

    return and_


def _equal(left: Node, right: Node, expected: Any) -> Node:
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


def _in(left: Node, right: Node, array: Any, *, counted: bool) -> Node:
    if isinstance(array, list) and all(isinstance(item, str) for item in array):
        members = frozenset(array)

        def in_literals(data: Any) -> bool:
            value = left(data)
            return isinstance(value, str) and value in members

        return in_literals

    def in_(data: Any) -> bool:
        value, items = left(data), right(data)
        if not isinstance(items, list):
            raise undefined("what is looked into is no array")
        if counted:
            _spend(len(items))
        # A text equals nothing but a text.
        if type(items) is CodeArray:
            return isinstance(value, str) and value in items.members
        return contains(items, value)

    return in_


def _sum(left: Node, right: Node) -> Node:
    def sum_(data: Any) -> int:
        one, other = left(data), right(data)
        found = (one if type(one) is int else integer(one)) + (other if type(other) is int else integer(other))
        if not -LARGEST <= found <= LARGEST:
            raise too_much("an integer beyond 2^53")
        return found

    return sum_


def _as_integer(node: Node) -> Operand:
    def integer_(data: Any) -> int:
        value = node(data)
        return value if type(value) is int else integer(value)

    return integer_


_NTH: list[Operand] = [itemgetter(0), itemgetter(1), itemgetter(2)]


def _compared(compare: Callable[[Operand, Operand], Node], operands: list[Operand]) -> Node:
    """All operands are evaluated, and then compared: of three, the first with the second and that with the third."""
    if len(operands) == 2:
        return compare(*operands)
    first = compare(_NTH[0], _NTH[1])
    second = compare(_NTH[1], _NTH[2])

    def between(data: Any) -> bool:
        values = [operand(data) for operand in operands]
        return bool(first(values) and second(values))

    return between


def _plus_time(text: Node, amount: int, unit: str) -> Operand:
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
        return found if EARLIEST <= found <= LATEST else shifted(found, 0, unit)

    return later


def _extract(uvci: Node, index: int, *, counted: bool) -> Node:
    def extract_(data: Any) -> str | None:
        value = uvci(data)
        if counted and isinstance(value, str):
            _spend(len(value))
        return extract(value, index)

    return extract_


def _readable(message: str) -> str:
    """The message as it may stand in a log: rules come from servers, and it quotes from them."""
    return "".join(c if c.isprintable() else "\ufffd" for c in message[:_LONGEST_MESSAGE])


def too_deep() -> RuleError:
    return too_much("nested deeper than this machine can follow")
