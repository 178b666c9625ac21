"""Why an expression came out as it did: the comparisons that decided, with what was compared.

This is for people who were refused, and their rules' authors; it is not on the way of a verification that passes.
What was compared is personal data.
"""

from __future__ import annotations

from typing import Any

from healthcert.model import Private
from healthcert.rules.certlogic.program import Program, too_deep
from healthcert.rules.certlogic.values import truth


class Operand(Private, frozen=True):
    """One side of a comparison: what it is worth, a JSON value or a :class:`DateTime`.

    ``path`` is where in the data it comes from, None for a value that the rule itself names, and ``given`` what stands
    there. ``shift`` is the amount and the unit that were added to a date.
    """

    value: Any
    path: str | None = None
    given: Any = None
    shift: tuple[int, str] | None = None


class Comparison(Private, frozen=True):
    """An operation that decided: its operator, its operands, and whether it held.

    The operator ``var`` stands for whether there is a value.
    """

    operator: str
    operands: tuple[Operand, ...]
    held: bool


def explain(expression: Any, data: Any) -> tuple[Comparison, ...]:
    """The comparisons that made the expression what it is for these data.

    Of a conjunction that failed it is the operand that did; of a choice whose branch is a constant, what was asked.
    Raises as :func:`healthcert.rules.certlogic.evaluate` does.
    """
    Program(expression)(data)  # so that what is done below is bounded as this is
    try:
        return _decided(expression, data)[1]
    except RecursionError:
        raise too_deep() from None


def _decided(expr: Any, data: Any) -> tuple[Any, tuple[Comparison, ...]]:
    """What an expression is worth, and the comparisons that made it so; each part of it is looked at once."""
    if not isinstance(expr, dict):
        return Program(expr)(data), ()
    ((name, operands),) = expr.items()
    match name:
        case "if":
            guard, asked = _decided(operands[0], data)
            branch = operands[1] if truth(guard) else operands[2]
            value, decided = _decided(branch, data)
            return value, decided if isinstance(branch, dict) else asked
        case "and":
            return _conjunction(operands, data)
        case "!":
            value, decided = _decided(operands[0], data)
            return not truth(value), decided
        case "var":
            operand = _operand(expr, data)
            return operand.value, (Comparison(name, (operand,), truth(operand.value)),)
        case "reduce" | "plusTime" | "dccDateOfBirth" | "extractFromUVCI" | "+":
            return Program(expr)(data), ()
    held = Program(expr)(data)
    return held, (Comparison(name, tuple(_operand(one, data) for one in operands), held),)


def _conjunction(operands: list[Any], data: Any) -> tuple[Any, tuple[Comparison, ...]]:
    found: list[Comparison] = []
    value = None
    for one in operands:
        value, decided = _decided(one, data)
        if not truth(value):
            return value, decided
        found.extend(decided)
    return value, tuple(found)


def _operand(expr: Any, data: Any) -> Operand:
    value = Program(expr)(data)
    if isinstance(expr, dict):
        ((name, operands),) = expr.items()
        if name == "var":
            return Operand(value, path=operands, given=value)
        if name in ("plusTime", "dccDateOfBirth", "extractFromUVCI"):
            inner = operands[0]
            path = inner["var"] if isinstance(inner, dict) and "var" in inner else None
            shift = (int(operands[1]), operands[2]) if name == "plusTime" and operands[1] else None
            return Operand(value, path=path, given=Program(inner)(data), shift=shift)
    return Operand(value)
