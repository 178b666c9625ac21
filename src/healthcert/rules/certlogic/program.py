"""An expression compiled to closures: each node becomes a function of the data, once."""

from __future__ import annotations

from typing import Any

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic import nodes
from healthcert.rules.certlogic.bounds import ITEMS, check_size
from healthcert.rules.certlogic.budget import cost_of, spend, start_counting
from healthcert.rules.certlogic.dates import DateTime, birth_date, undefined
from healthcert.rules.certlogic.nodes import Node, Operand
from healthcert.rules.certlogic.validation import INFIX, validate
from healthcert.rules.certlogic.values import reader, too_much

_LONGEST_MESSAGE = 200


class Program:
    """A valid expression, ready to be evaluated for any data, from any thread.

    ``reduces`` is whether it has a ``reduce``, which alone can take long.
    """

    __slots__ = ("_counted", "evaluate", "expression", "reduces")

    def __init__(self, expression: Any) -> None:
        """Raises as :func:`healthcert.rules.certlogic.compile` does."""
        issues = validate(expression)
        if issues:
            raise RuleError(Code.CERTLOGIC_INVALID, _readable(issues[0].message), Step.RULES)
        self.expression = expression
        self.reduces = False
        self._counted = False
        try:
            self.evaluate = self._compile(expression)
        except RecursionError:
            raise too_deep() from None

    def __call__(self, data: Any) -> Any:
        """Raises as :func:`healthcert.rules.certlogic.evaluate` does."""
        if self.reduces:
            start_counting()
        try:
            value = self.evaluate(data)
            if self.reduces and isinstance(value, (list, dict)):
                check_size(value)
        except RecursionError:
            raise too_deep() from None
        return int(value) if type(value) is float and value.is_integer() else value

    def _compile(self, expr: Any) -> Node:
        if isinstance(expr, list):
            items = [self._compile(item) for item in expr]
            return lambda data: [item(data) for item in items]
        if not isinstance(expr, dict):
            return nodes.constant(nodes.literal(expr))
        ((name, operands),) = expr.items()
        if name == "var":
            return reader(operands)
        if name in nodes.INTEGERS:
            return nodes.integers(nodes.INTEGERS[name], [self._compile(one) for one in operands])
        if name in nodes.DATES:
            return self._dates(name, operands)
        if name in INFIX:
            return self._infix(name, operands)
        if name in ("plusTime", "dccDateOfBirth"):
            date = self._date(expr)
            return lambda data: DateTime(date(data))
        match name:
            case "if":
                return nodes.choice(*map(self._compile, operands))
            case "!":
                return nodes.negation(self._compile(operands[0]))
            case "reduce":
                return self._reduce(*operands)
        return nodes.uvci_part(self._compile(operands[0]), int(operands[1]), counted=self._counted)

    def _infix(self, name: str, operands: list[Any]) -> Node:
        if name == "and":
            return nodes.conjunction([self._compile(one) for one in operands])
        left, right = self._compile(operands[0]), self._compile(operands[1])
        if name == "===":
            return nodes.equality(left, right, operands[1])
        if name == "+":
            return nodes.addition(left, right)
        return nodes.membership(left, right, operands[1], counted=self._counted)

    def _dates(self, name: str, operands: list[Any]) -> Node:
        plain = [nodes.plain_date(one) for one in operands]
        if len(plain) == 2 and plain[0] is not None and plain[1] is not None:
            return nodes.two_dates(nodes.ORDERS[name], *plain[0], *plain[1])
        return nodes.compared(nodes.DATES[name], [self._date(one) for one in operands])

    def _date(self, expr: Any) -> Operand:
        """The date-time that an expression makes, bare: between two operations nobody needs it wrapped."""
        if isinstance(expr, dict):
            ((name, operands),) = expr.items()
            if name == "plusTime":
                return nodes.plus_time(self._compile(operands[0]), nodes.literal(operands[1]), operands[2])
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
        self.reduces = True
        array, start = self._compile(operand), self._compile(initial)
        # What is done again and again is counted, for reductions within each other multiply.
        outer, self._counted = self._counted, True
        step = self._compile(lambda_)
        self._counted = outer
        cost = cost_of(lambda_)

        def reduce(data: Any) -> Any:
            items = array(data)
            accumulator = start(data)
            if items is None:
                return accumulator
            if not isinstance(items, list):
                raise undefined("only an array is reduced")
            if len(items) > ITEMS:
                raise too_much(f"an array of more than {ITEMS} items to reduce")
            spend(cost * len(items))
            for item in items:
                accumulator = step({"current": item, "accumulator": accumulator})
            return accumulator

        return reduce


def _readable(message: str) -> str:
    """The message as it may stand in a log: rules come from servers, and it quotes from them."""
    return "".join(c if c.isprintable() else "\ufffd" for c in message[:_LONGEST_MESSAGE])


def too_deep() -> RuleError:
    return too_much("nested deeper than this machine can follow")
