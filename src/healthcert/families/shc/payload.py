"""The claims of a card: minified JSON (SMART Health Cards, "Health Cards are encoded as ... JSON Web Signatures")."""

from __future__ import annotations

from typing import Any

import msgspec

from healthcert.encoding import jsontext
from healthcert.encoding.cwt import LATEST, Claims
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import Limits

_TIMES = ("exp", "nbf", "iat")
_BRACKETS = bytes.maketrans(b"[]", b"{}")
_ALL_ELSE = bytes(set(range(256)) - set(b"{}[]"))


def read_claims(payload: bytes, limits: Limits) -> Claims:
    """The claims in a payload.

    Raises :class:`DecodeError` (``JSON_DESERIALIZATION_FAILED``) when it is not one JSON object with a single reading.
    """
    raw = _read_json(payload, limits)
    if not isinstance(raw, dict):
        raise DecodeError(Code.JSON_DESERIALIZATION_FAILED, "the payload is not an object", Step.DECODE)
    issuer = raw.get("iss")
    invalid = tuple([name for name in _TIMES if name in raw and not _is_moment(raw[name])])
    expires_at, not_before, issued_at = (None if name in invalid else raw.get(name) for name in _TIMES)
    return Claims(issuer if isinstance(issuer, str) else None, expires_at, not_before, issued_at, invalid, (), raw)


def _read_json(payload: bytes, limits: Limits) -> Any:
    """The payload as :func:`healthcert.encoding.jsontext.read` reads it, and sooner where it is minified."""
    try:
        value = None if jsontext.has_too_many_values(payload) else msgspec.json.decode(payload)
        # What gives the same text again has no member twice, no white space, and no second reading.
        if msgspec.json.encode(value) == payload and _is_shallow(payload, limits.json_depth):
            return value
    except (ValueError, RecursionError):
        pass
    return jsontext.read(payload, max_depth=limits.json_depth)


def _is_shallow(payload: bytes, max_depth: int) -> bool:
    """Whether JSON has at most ``max_depth`` levels; False also where brackets in its texts do not let one tell."""
    brackets = payload.translate(_BRACKETS, _ALL_ELSE)
    for _ in range(max_depth):
        if not brackets:
            return True
        brackets = brackets.replace(b"{}", b"")  # the innermost level
    return not brackets


def _is_moment(value: object) -> bool:
    # RFC 7519 §2, NumericDate: seconds, fractions allowed. In milliseconds, the moment lies after the year 9999.
    return type(value) in (int, float) and 0 <= value <= LATEST  # type: ignore[operator]
