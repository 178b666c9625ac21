"""Reading lists: JSON, base64 and moments as strictly as signatures need them, and what is told of what is refused."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, HealthCertError, Step, TrustError


class Rejected(Struct, frozen=True):
    """An entry that could not be used: where it was, and why."""

    source: str
    error: HealthCertError


def read_json(data: bytes, kind: type[Any]) -> Any:
    """JSON whose outermost value is of ``kind``, without repeated members.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise unreadable("not the JSON it should be") from None
    if not isinstance(value, kind):
        raise unreadable("not the JSON it should be")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # RFC 8259 §4: what software makes of a repeated name differs, and with it what was signed.
        raise ValueError("a member that is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def exact_base64(text: bytes | str) -> bytes | None:
    """What base64 stands for; None for any spelling but the one that encoding it gives, as a signature has."""
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else text
    try:
        found = base64.b64decode(octets, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.b64encode(found) == octets else None


def as_moment(seconds: Any) -> datetime | None:
    """The moment that a whole number of seconds since 1970 is; None for anything else."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if type(seconds) is int else None
    except (ValueError, OverflowError, OSError):
        return None


def is_country(value: Any) -> bool:
    """Whether ``value`` has the form of a country's code (ISO 3166-1 alpha-2), in capitals."""
    return isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()


def unreadable(detail: str) -> TrustError:
    return TrustError(Code.TRUST_LIST_UNREADABLE, detail, Step.TRUST)


def not_authentic(detail: str) -> TrustError:
    return TrustError(Code.TRUST_LIST_NOT_AUTHENTIC, detail, Step.TRUST)
