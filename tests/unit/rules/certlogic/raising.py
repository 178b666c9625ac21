"""What the tests of the language share."""

from __future__ import annotations

from typing import Any

import pytest

from healthcert.errors import Code, RuleError, Step
from healthcert.rules import certlogic

CODES = {Code.CERTLOGIC_INVALID, Code.CERTLOGIC_UNDEFINED, Code.CERTLOGIC_LIMIT}


def var(path: str) -> dict[str, Any]:
    return {"var": path}


def fails(code: Code, expression: Any, data: Any = None) -> str:
    """That the expression is this error, and what it says."""
    with pytest.raises(RuleError) as caught:
        certlogic.evaluate(expression, data)
    assert (caught.value.code, caught.value.step) == (code, Step.RULES)
    return caught.value.detail


def undefined(expression: Any, data: Any = None) -> str:
    return fails(Code.CERTLOGIC_UNDEFINED, expression, data)


def invalid(expression: Any, data: Any = None) -> str:
    return fails(Code.CERTLOGIC_INVALID, expression, data)


def limited(expression: Any, data: Any = None) -> str:
    return fails(Code.CERTLOGIC_LIMIT, expression, data)
