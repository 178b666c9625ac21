"""Which data an expression reads."""

from __future__ import annotations

from typing import Any

from healthcert.rules.certlogic.bounds import check_size


def data_accesses(expression: Any) -> frozenset[str]:
    """The paths of all its ``var`` operations that read the data.

    What stands in the lambda of a ``reduce`` reads that operation's own data. Raises :class:`RuleError`
    (``CERTLOGIC_LIMIT``).
    """
    check_size(expression)
    found: set[str] = set()
    open_ = [expression]
    while open_:
        one = open_.pop()
        if isinstance(one, list):
            open_.extend(one)
        elif isinstance(one, dict):
            for operator, operands in one.items():
                if operator == "var":
                    if isinstance(operands, str):
                        found.add(operands)
                elif operator == "reduce" and isinstance(operands, list):
                    open_.extend(operands[:1] + operands[2:3])
                else:
                    open_.append(operands)
    return frozenset(found)
