"""Whether two decoded values mean the same, however they were written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding import cbor

_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*", re.DOTALL)
_LONGEST_NAME = 40
_DEEPEST = 64


def difference(found: Any, expected: Any) -> str | None:
    """The first field in which a decoded payload differs from ``expected`` (JSON), with what is wrong; else None.

    The order of keys never counts; 2 and 2.0 are the same; date-times are compared as instants, and may come in
    CBOR tag 0. Never raises.
    """
    return _difference(found, expected, "", 0)


def _difference(found: Any, expected: Any, where: str, depth: int) -> str | None:
    if depth > _DEEPEST:
        return f"{where}: nested too deeply"
    # RFC 8949 §3.4.1: tag 0 is text with a date-time in it.
    if isinstance(found, cbor.Tag) and found.tag == 0:
        found = found.value
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        return _difference_of_maps(found, expected, where, depth)
    if isinstance(found, (list, tuple)) and isinstance(expected, list):
        if len(found) != len(expected):
            return f"{where or 'the payload'}: another number of entries"
        pairs = enumerate(zip(found, expected, strict=True))
        return next((d for i, (a, b) in pairs if (d := _difference(a, b, f"{where}[{i}]", depth + 1))), None)
    return None if _same(found, expected) else f"{where or 'the payload'}: another value"


def _difference_of_maps(found: Mapping[Any, Any], expected: Mapping[str, Any], where: str, depth: int) -> str | None:
    for key in [*expected, *(key for key in found if key not in expected)]:
        name = f"{where}.{key[:_LONGEST_NAME] if isinstance(key, str) else '(a key that is no text)'}".lstrip(".")
        if key not in found:
            return f"{name}: missing"
        if key not in expected:
            return f"{name}: not expected"
        if further := _difference(found[key], expected[key], name, depth + 1):
            return further
    return None


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, str) and isinstance(expected, str):
        return found == expected or ((moment := _moment(found)) is not None and moment == _moment(expected))
    # True is 1 to Python, and not to anybody else.
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    return bool(found == expected)


def _moment(text: str) -> datetime | None:
    if len(text) > _LONGEST_NAME or not _DATE_TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper().replace(",", "."))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
