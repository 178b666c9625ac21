"""How large an expression may be, and a value that it makes; looked at without recursion, before anything else is."""

from __future__ import annotations

from typing import Any

from healthcert.rules.certlogic.values import too_much

DEPTH = 128
"""Arrays and objects within each other; an operation is two of them. The deepest rule known has 23 operations."""
NODES = 10_000
"""Values in an expression; the largest rule known has 265."""
STEPS = 500_000
"""What an evaluation may cost: the nodes that its reductions visit, and the items that these look through.

It is less than a second of work, of the dearest operations there are. The largest known reduction needs 65,000.
"""
ITEMS = 10_000
"""Items of an array that is reduced."""


def check_size(value: Any) -> None:
    """Raises :class:`RuleError` (``CERTLOGIC_LIMIT``) for JSON that is deeper or has more values than the bounds.

    What stands in several places counts as often.
    """
    level, nodes = [value], 1
    for _ in range(DEPTH + 1):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
            if nodes + len(below) > NODES:
                raise too_much(f"more than {NODES} values")
        if not below:
            return
        nodes += len(below)
        level = below
    raise too_much(f"nested deeper than {DEPTH}")
