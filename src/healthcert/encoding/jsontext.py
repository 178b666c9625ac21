"""JSON (RFC 8259) from strangers: one value, one reading.

Parsers differ in what they make of a member that is there twice, of ``NaN``, of a byte order mark or of text behind the
value; what is signed must mean the same to all of them, so none of these is read.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from healthcert.errors import Code, DecodeError, Step

MAX_VALUES = 16 * 1024
"""Values in one document; a large card has some 2000. What is built of each takes far more than its characters."""


def read(data: bytes | str, *, max_depth: int, code: Code = Code.JSON_DESERIALIZATION_FAILED) -> Any:
    """The one JSON value in ``data``.

    Raises :class:`DecodeError` (``code``) for what is none, for a byte order mark, for a member that is there twice,
    for numbers that are none or beyond the range of a double, for more than ``max_depth`` levels, and for more than
    some :data:`MAX_VALUES` values.
    """
    try:
        # RFC 8259 §8.1: UTF-8, without a byte order mark.
        octets = data if isinstance(data, bytes) else data.encode("utf-8")
        if _has_too_many_values(octets):
            raise ValueError("too many values")
        value = _at_once(octets)
        if value is None:
            value = _DECODER.decode(octets.decode("utf-8"))
            # RFC 8259 §8.2: half a surrogate pair is text to some, and none to others.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        if octets.count(b"{") + octets.count(b"[") > max_depth:
            _check_depth(value, max_depth)
    except (ValueError, RecursionError):
        raise DecodeError(code, "not one JSON value that has a single reading", Step.DECODE) from None
    return value


def _has_too_many_values(octets: bytes) -> bool:
    """Whether there may be more than :data:`MAX_VALUES` in a document: each but the first stands behind one of these.

    Told from its length alone where that is enough, and before anything is built. Commas in texts count as well.
    """
    if len(octets) <= MAX_VALUES:
        return False
    return octets.count(b",") + octets.count(b"[") + octets.count(b"{") > MAX_VALUES


def _at_once(octets: bytes) -> Any:
    """The value of a document that is written as this writes it: nothing was there twice, and nothing is left over.

    That is so of nearly all that machines write, and told much sooner than by looking at each member; None for others.
    """
    try:
        value = msgspec.json.decode(octets)
        return value if msgspec.json.encode(value) == octets else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _check_depth(value: Any, max_depth: int) -> None:
    """Raises ValueError for more levels of arrays and objects than these."""
    level = [value]
    for _ in range(max_depth):
        below: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is dict:
                below += one.values()
            elif kind is list:
                below += one
        if not below:
            return
        level = below
    if any(isinstance(one, (dict, list)) for one in level):
        raise ValueError("too many levels")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8259 §4: names should be unique; what is not is read in several ways.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member that is there twice")
    return found


def _finite(text: str) -> float:
    # RFC 8259 §6: a number beyond the range of a double is an infinity to some.
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond the range of a double")
    return number


def _no_constant(_name: str) -> Any:
    raise ValueError("not a number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_constant)
