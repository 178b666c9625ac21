"""What evaluations may cost: reductions within each other multiply, and nothing else of the language takes long."""

from __future__ import annotations

import threading
from typing import Any

from healthcert.rules.certlogic.bounds import STEPS
from healthcert.rules.certlogic.values import too_much


class _Budget(threading.local):
    """What is left of the steps of the evaluations that this thread is in; none can begin within another."""

    left = STEPS


_budget = _Budget()


def start_counting() -> None:
    """Gives the evaluations that follow in this thread their steps: one of them, or several together."""
    _budget.left = STEPS


def spend(steps: int) -> None:
    _budget.left -= steps
    if _budget.left < 0:
        raise too_much(f"more than {STEPS} steps")


def cost_of(expr: Any) -> int:
    """The nodes of an expression and the steps of its paths, and so what one evaluation of it costs at most."""
    if isinstance(expr, dict):
        return 1 + sum(map(cost_of, expr.values()))
    if isinstance(expr, list):
        return 1 + sum(map(cost_of, expr))
    return 1 + expr.count(".") if isinstance(expr, str) else 1
