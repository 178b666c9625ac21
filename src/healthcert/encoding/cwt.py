"""CBOR Web Token claims (RFC 8392), with the wrong types that issuers have been seen to write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding import cbor
from healthcert.errors import Code, DecodeError, Step
from healthcert.model import Private

ISS, SUB, EXP, NBF, IAT, CTI = 1, 2, 4, 5, 6, 7
_NAMES = {ISS: "iss", SUB: "sub", 3: "aud", EXP: "exp", NBF: "nbf", IAT: "iat", CTI: "cti", -260: "hcert"}

_KEY_TYPES = frozenset((int, str))
LATEST = 253402300799  # the last second of the year 9999


class Claims(Private, frozen=True):
    """The registered claims, in seconds since 1970, and the whole map.

    ``invalid`` names time claims that are present but no moment in time (NaN, text, milliseconds ...);
    ``quirks`` names tolerable departures: :attr:`Code.FLOAT_TIME`, :attr:`Code.TAGGED_TIME`.
    """

    issuer: str | None
    expires_at: float | None
    not_before: float | None
    issued_at: float | None
    invalid: tuple[str, ...]
    quirks: tuple[Code, ...]
    raw: Mapping[Any, Any]


def decode_claims(payload: bytes, *, max_depth: int) -> Claims:
    """The claims in a CWT's payload.

    Raises :class:`DecodeError` (``CBOR_DESERIALIZATION_FAILED``) when it is not one CBOR map of claims.
    """
    raw = cbor.decode(payload, max_depth=max_depth)
    if not isinstance(raw, dict):
        # RFC 8392 §2: the CWT Claims Set is a CBOR map.
        raise DecodeError(Code.CBOR_DESERIALIZATION_FAILED, "the CWT claims are not a map", Step.DECODE)
    # RFC 8392 §2: a claim key is an integer or text; 4.0 and true would otherwise pass for 4 and 1.
    if not _KEY_TYPES.issuperset(map(type, raw)):
        raise DecodeError(Code.CBOR_DESERIALIZATION_FAILED, "a CWT claim key is neither integer nor text", Step.DECODE)
    invalid: list[str] = []
    quirks: list[Code] = []
    issuer = raw.get(ISS)
    return Claims(
        issuer if isinstance(issuer, str) else None,
        _time(raw[EXP], EXP, invalid, quirks) if EXP in raw else None,
        _time(raw[NBF], NBF, invalid, quirks) if NBF in raw else None,
        _time(raw[IAT], IAT, invalid, quirks) if IAT in raw else None,
        tuple(invalid),
        tuple(quirks),
        raw,
    )


def named(raw: Mapping[Any, Any]) -> dict[str, Any]:
    """Claims by name, for people; unknown ones by their key, text keys in quotes."""
    return {_NAMES.get(key, str(key)) if isinstance(key, int) else f'"{key}"': value for key, value in raw.items()}


def _time(value: object, label: int, invalid: list[str], quirks: list[Code]) -> float | None:
    # RFC 8392 §2: NumericDate is an untagged CBOR number of seconds; leave no doubt about anything else.
    if type(value) is int and 0 <= value <= LATEST:
        return value
    if isinstance(value, cbor.Tag) and value.tag == 1:
        quirks.append(Code.TAGGED_TIME)
        value = value.value
    if isinstance(value, float):
        quirks.append(Code.FLOAT_TIME)
    # bool is an int to Python, and no moment; NaN fails every comparison.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LATEST:
        invalid.append(_NAMES[label])
        return None
    return value


def as_moment(seconds: float | None) -> datetime | None:
    """The moment of a claim of :func:`decode_claims`, as people read it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
