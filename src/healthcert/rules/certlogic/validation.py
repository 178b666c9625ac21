"""Whether an expression is a CertLogic one: the findings, in the wording of the reference validator.

Wording and order are those that the specification's own test suite compares: an operation's number of operands before
what is wrong with the operands.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import inf, isfinite
from typing import Any

from healthcert.rules.certlogic.bounds import check_size
from healthcert.rules.certlogic.dates import UNITS
from healthcert.rules.certlogic.values import too_much


class Issue(dict[str, Any]):
    """What is wrong with an expression: the part of it, and why. A dict of the two, as JSON has it."""

    @property
    def expr(self) -> Any:
        """The expression that is wrong, down from where it is."""
        return self["expr"]

    @property
    def message(self) -> str:
        """Why."""
        message: str = self["message"]
        return message


def validate(expression: Any) -> list[Issue]:
    """What is wrong with an expression; nothing where it is valid (specification 1.3.3).

    Raises :class:`RuleError` (``CERTLOGIC_LIMIT``) for one that is too deep or too long to be looked into.
    """
    check_size(expression)
    try:
        return list(_validate(expression))
    except RecursionError:
        raise too_much("nested deeper than this machine can follow") from None


INFIX = frozenset(("===", "and", ">", "<", ">=", "<=", "in", "+", "after", "before", "not-after", "not-before"))
_TWO_OR_THREE = INFIX - {"===", "and", "in", "+"}


def is_integer(value: Any) -> bool:
    """Whether JSON has this number as an integer: ``1.0`` is one."""
    return type(value) is int or (type(value) is float and value.is_integer())


def _validate(expr: Any) -> Iterator[Issue]:
    match expr:
        case str() | bool() | int():
            return
        case float():
            if not expr.is_integer():
                yield _issue(expr, f"{_in_javascript(expr)} is a non-integer number")
        case list():
            yield from _all(expr)
        case dict():
            yield from _operation(expr)
        case _:
            yield _issue(expr, "invalid CertLogic expression")


def _operation(expr: dict[Any, Any]) -> Iterator[Issue]:
    if len(expr) != 1:
        yield _issue(expr, f"expression object must have exactly one key, but it has {len(expr)}")
        return
    ((operator, values),) = expr.items()
    if operator == "var":
        yield from _var(expr, values)
    elif not isinstance(values, list):
        yield _issue(expr, 'operation not of the form { "<operator>": [ <values...> ] }')
    elif operator in INFIX:
        yield from _infix(expr, operator, values)
    elif operator == "!":
        if len(values) == 1:
            yield from _validate(values[0])
        else:
            what = "a !-operation (logical not/negation) must have exactly 1 operand"
            yield _issue(expr, f"{what}, but it has {len(values)}")
    elif operator in _OPERATIONS:
        article, number, noun = _OPERATIONS[operator]
        if len(values) != number:
            what = f'{article} "{operator}"-operation must have exactly {number} {noun}'
            yield _issue(expr, f"{what}, but it has {len(values)}")
        yield from _operands(expr, operator, values)
    else:
        yield _issue(expr, f'unrecognised operator: "{operator}"')


# Article, number of operands, and how they are called.
_OPERATIONS = {
    "if": ("an", 3, "values/operands"),
    "plusTime": ("a", 3, "values/operands"),
    "reduce": ("a", 3, "values/operands"),
    "extractFromUVCI": ("an", 2, "values/operands"),
    "dccDateOfBirth": ("a", 1, "value/operand"),
}


def _operands(expr: Any, operator: str, values: list[Any]) -> Iterator[Issue]:
    if operator in ("if", "reduce"):
        yield from _all(values[:3])
        return
    yield from _all(values[:1])
    if operator == "plusTime":
        if len(values) > 1 and not is_integer(values[1]):
            what = '"amount" argument (#2) of "plusTime" must be an integer'
            yield _issue(expr, f"{what}, but it is: {_in_javascript(values[1])}")
        if len(values) > 2 and values[2] not in UNITS:
            what = f'"unit" argument (#3) of "plusTime" must be a string equal to one of {", ".join(UNITS)}'
            yield _issue(expr, f"{what}, but it is: {_in_javascript(values[2])}")
    elif operator == "extractFromUVCI" and len(values) > 1 and not is_integer(values[1]):
        what = '"index" argument (#2) of "extractFromUVCI" must be an integer'
        yield _issue(expr, f"{what}, but it is: {_in_javascript(values[1])}")


def _var(expr: Any, path: Any) -> Iterator[Issue]:
    if not isinstance(path, str):
        yield _issue(expr, 'not of the form { "var": "<path>" }')
    elif path and not all(path.split(".")):
        yield _issue(expr, f"data access path doesn't have a valid format: {path}")


def _infix(expr: Any, operator: str, values: list[Any]) -> Iterator[Issue]:
    most = len(values)
    if operator == "and":
        if len(values) < 2:
            yield _issue(expr, f'an "and" operation must have at least 2 operands, but it has {len(values)}')
    elif operator in _TWO_OR_THREE:
        most = 3
        if not 2 <= len(values) <= most:
            what = f'an operation with operator "{operator}" must have 2 or 3 operands'
            yield _issue(expr, f"{what}, but it has {len(values)}")
    else:
        most = 2
        if len(values) != most:
            what = f'an operation with operator "{operator}" must have 2 operands'
            yield _issue(expr, f"{what}, but it has {len(values)}")
    yield from _all(values[:most])


def _all(values: list[Any]) -> Iterator[Issue]:
    for value in values:
        yield from _validate(value)


def _issue(expr: Any, message: str) -> Issue:
    return Issue(expr=expr, message=message)


def _in_javascript(value: Any) -> str:
    """A value in a sentence, as the reference puts it there."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int() | float():
            return _number(value)
        case list():
            return ",".join("" if item is None else _in_javascript(item) for item in value)
        case dict():
            return "[object Object]"
    return str(value)


_PLAIN = range(-6, 21)  # other exponents are written there; in Python already those from -5 and from 16 on


def _number(value: float) -> str:
    """ECMA-262, Number::toString; all numbers are doubles there."""
    try:
        number = float(value) or 0.0  # zero has no sign there
    except OverflowError:
        number = inf if value > 0 else -inf
    if not isfinite(number):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(number)]
    digits, _, exponent = repr(number).partition("e")
    if not exponent:
        return digits.removesuffix(".0")
    return f"{Decimal(repr(number)):f}" if int(exponent) in _PLAIN else f"{digits}e{int(exponent):+d}"
