"""The items of the EU gateway's lists, as it and its successor at the WHO send them: read, identified, merged."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, Step, TrustError
from healthcert.limits import Limits
from healthcert.lists.reading import exact_base64, read_json, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.sources.protocol import check_size

DOMAIN = "DCC"
_COUNTRY = re.compile(r"[A-Z]{2}")

Identity = tuple[str, str, str | None]
"""Country, kid and thumbprint: what tells one item from another."""


class Item(Struct, frozen=True):
    """One entry of a list, its members unchecked, None where they are no text.

    ``raw`` and ``signature`` are in base64. ``removed`` is an entry that says that a certificate was withdrawn.
    """

    where: str
    type: str | None
    country: str | None
    kid: str | None
    thumbprint: str | None
    timestamp: datetime | None
    raw: str | None
    signature: str | None
    domain: str | None
    removed: bool


def read_items(data: bytes, name: str, limits: Limits) -> list[Item]:
    """The items of a list. Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, ``INPUT_TOO_LONG``."""
    entries = read_json(data, list)
    check_size(len(entries), limits)
    return [_item(f"{name} entry {number}", entry) for number, entry in enumerate(entries, 1)]


def standing(items: Sequence[Item]) -> list[Item]:
    """The items of a list that it does not itself withdraw."""
    gone = {_identity(item): item for item in _latest(item for item in items if item.removed)}
    return [
        item
        for item in items
        if (removal := gone.get(_identity(item))) is None or (not item.removed and _newer(item, removal))
    ]


def certificate_of(item: Item, kind: str) -> Certificate:
    """The certificate of an item that is to be of this type, when all that the item says of it is so.

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``).
    """
    if item.type != kind:
        raise _unusable(f"not of the type {kind}")
    # The successor's lists have items of several domains; what was given for one is for no other.
    if item.domain not in (None, DOMAIN):
        raise _unusable(f"of another domain than {DOMAIN}")
    der = exact_base64(item.raw) if item.raw is not None else None
    if der is None:
        raise _unusable("no certificate in it")
    certificate = parse_certificate(der)
    # A kid that is another certificate's would never be looked for, or lead to the wrong key.
    if item.kid != base64.b64encode(certificate.kid).decode():
        raise _unusable("its kid is not that of its certificate")
    if item.thumbprint is not None and item.thumbprint != certificate.fingerprint:
        raise _unusable("its thumbprint is not that of its certificate")
    # Certificate governance §4.2, §4.3, §4.4: the country that uses a certificate stands in its subject.
    if item.country != certificate.country or not _COUNTRY.fullmatch(item.country or ""):
        raise _unusable("its country is not that of its certificate")
    return certificate


def newest(items: Iterable[Item], until: datetime) -> datetime | None:
    """The latest moment that an item gives, of those that are not after ``until``."""
    moments = (item.timestamp for item in items)
    return max((moment for moment in moments if moment is not None and moment <= until), default=None)


def merge(known: Sequence[Any], changes: Sequence[Any]) -> list[Any]:
    """The entries of a list after changes to it: each changed one in place of what it was.

    That one was withdrawn stays in the list, so that it tells how new it is also when its newest entry was.
    """
    found = [(_item("", entry), entry) for entry in changes]
    latest = {_identity(item): item for item in _latest(item for item, _ in found if item.removed or item.raw)}
    kept = [entry for entry in known if _identity(_item("", entry)) not in latest]
    return kept + [entry for item, entry in found if item is latest.get(_identity(item))]


def encode(entries: Iterable[Any]) -> bytes:
    """A list of entries in JSON, the same bytes for the same entries in whatever order.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    try:
        lines = sorted({json.dumps(entry, sort_keys=True, allow_nan=False) for entry in entries})
    except (ValueError, RecursionError):
        raise unreadable("it has values that JSON has not") from None
    return b"[" + ",\n".join(lines).encode("ascii") + b"]"


def _item(where: str, entry: Any) -> Item:
    members = entry if isinstance(entry, dict) else {}

    def text(*names: str) -> str | None:
        return next((value for name in names if isinstance(value := members.get(name), str)), None)

    country = text("country")
    return Item(
        where=f"{where} ({country})" if country is not None and _COUNTRY.fullmatch(country) else where,
        # The successor of the gateway calls some members otherwise.
        type=text("certificateType", "group"),
        country=country,
        kid=text("kid"),
        thumbprint=text("thumbprint"),
        timestamp=_moment(text("timestamp")),
        raw=text("rawData", "certificate"),
        signature=text("signature"),
        domain=text("domain"),
        removed=members.get("rawData", ...) is None,
    )


def _identity(item: Item) -> Identity | None:
    return None if item.country is None or item.kid is None else (item.country, item.kid, item.thumbprint)


def _latest(items: Iterable[Item]) -> Iterable[Item]:
    """Of the items of one identity the last, and a removal rather than what is no newer than it."""
    found: dict[Identity, Item] = {}
    for item in items:
        identity = _identity(item)
        if identity is None:
            continue
        other = found.get(identity)
        if other is None or _newer(item, other) or (item.removed and not _newer(other, item)):
            found[identity] = item
    return found.values()


def _newer(item: Item, other: Item) -> bool:
    return item.timestamp is not None and other.timestamp is not None and item.timestamp > other.timestamp


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _unusable(detail: str) -> TrustError:
    return TrustError(Code.CERTIFICATE_UNREADABLE, detail, Step.TRUST)
