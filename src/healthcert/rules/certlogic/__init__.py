"""CertLogic, the language of the EU's rules: specification 1.3.3, validated, and compiled once to closures.

    >>> from healthcert.rules import certlogic
    >>> certlogic.evaluate({"in": [{"var": "colour"}, ["red", "blue"]]}, {"colour": "red"})
    True

Expression and data are plain JSON values. What the specification does not define is a :class:`healthcert.RuleError`,
never a value: where a verifier would have to guess, nothing is passed.
"""

from typing import Any

from healthcert.rules.certlogic.accesses import data_accesses
from healthcert.rules.certlogic.dates import DateTime, Moment
from healthcert.rules.certlogic.program import Program
from healthcert.rules.certlogic.trace import Comparison, Operand, explain
from healthcert.rules.certlogic.validation import Issue, validate
from healthcert.rules.certlogic.values import CodeArray

VERSION = "1.3.3"
"""The version of the specification; the operators of all earlier ones are in it."""

__all__ = [
    "VERSION",
    "CodeArray",
    "Comparison",
    "DateTime",
    "Issue",
    "Moment",
    "Operand",
    "Program",
    "compile",
    "data_accesses",
    "evaluate",
    "explain",
    "validate",
]


def compile(expression: Any) -> Program:  # noqa: A001 (the word for it)
    """The expression, ready to be evaluated often.

    Raises :class:`RuleError`: ``CERTLOGIC_INVALID`` for one that :func:`validate` finds an issue in,
    ``CERTLOGIC_LIMIT`` for one that is too deep, too long, or has too large a number.
    """
    return Program(expression)


def evaluate(expression: Any, data: Any) -> Any:
    """What the expression is worth for these data: a JSON value, or a :class:`DateTime`.

    Raises :class:`RuleError`: as :func:`compile`, and ``CERTLOGIC_UNDEFINED`` where a value is of a type that the
    operation is not defined for, or no date; ``CERTLOGIC_LIMIT`` where it would take too long.
    """
    return Program(expression)(data)
