"""What the presses of several families share: JSON in one spelling, and values with a part of them exchanged."""

from __future__ import annotations

import copy
import json
from typing import Any

from tools.vectors.families_keys import base64url

__all__ = ("altered", "base64url", "minified", "nested")


def minified(value: Any) -> bytes:
    """JSON without white space, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def altered(value: Any, *path: str | int, to: Any) -> Any:
    """A copy with one part exchanged; ``to=...`` removes it."""
    made = copy.deepcopy(value)
    *steps, last = path
    inner = made
    for step in steps:
        inner = inner[step]
    if to is ...:
        del inner[last]
    else:
        inner[last] = to
    return made


def nested(depth: int) -> Any:
    """An array in an array, so many deep."""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value
