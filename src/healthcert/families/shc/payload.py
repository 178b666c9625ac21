"""The claims of a card: minified JSON (SMART Health Cards, "Health Cards are encoded as ... JSON Web Signatures")."""

from __future__ import annotations

from healthcert.encoding import jsontext
from healthcert.encoding.cwt import LATEST, Claims
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import Limits

_TIMES = ("exp", "nbf", "iat")


def read_claims(payload: bytes, limits: Limits) -> Claims:
    """The claims in a payload.

    Raises :class:`DecodeError` (``JSON_DESERIALIZATION_FAILED``) when it is not one JSON object with a single reading.
    """
    raw = jsontext.read(payload, max_depth=limits.json_depth)
    if not isinstance(raw, dict):
        raise DecodeError(Code.JSON_DESERIALIZATION_FAILED, "the payload is not an object", Step.DECODE)
    issuer = raw.get("iss")
    invalid = tuple([name for name in _TIMES if name in raw and not _is_moment(raw[name])])
    expires_at, not_before, issued_at = (None if name in invalid else raw.get(name) for name in _TIMES)
    return Claims(issuer if isinstance(issuer, str) else None, expires_at, not_before, issued_at, invalid, (), raw)


def _is_moment(value: object) -> bool:
    # RFC 7519 §2, NumericDate: seconds, fractions allowed. In milliseconds, the moment lies after the year 9999.
    return type(value) in (int, float) and 0 <= value <= LATEST  # type: ignore[operator]
