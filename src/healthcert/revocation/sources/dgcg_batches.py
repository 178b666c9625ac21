"""What the EU gateway hands out: pages of its listing, and signed batches; read strictly, or refused.

Source: dgc-gateway, restapi/dto/revocation, and CertificateRevocationListController.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, DecodeError, TrustError
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import pinned_signer
from healthcert.lists.reading import exact_base64, is_country, read_json
from healthcert.model import Private
from healthcert.revocation.identifiers import EU_TYPES, IdentifierType
from healthcert.revocation.sources.protocol import refused

TYPES = EU_TYPES
UNKNOWN_KID = "UNKNOWN_KID"
KID_BYTES = 8
MOST_ENTRIES = 1000
"""Entries in one batch; the gateway takes no more."""

_MEMBERS = {"country", "expires", "kid", "hashType", "entries"}
_HASH_BYTES = 16
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# ISO 8601 as Java writes it: seconds may be left out, and have up to nine decimals.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


class Content(Private, frozen=True):
    """What a batch says: these identifiers, each once, of one type, kid (None for any) and country, until then."""

    country: str
    expires: datetime
    kid: bytes | None
    type: IdentifierType
    hashes: tuple[bytes, ...]


class Item(Struct, frozen=True):
    """A batch as the gateway lists it."""

    id: str
    country: str
    date: datetime
    deleted: bool


class Page(Struct, frozen=True):
    """A part of the listing, the oldest change first, and whether there is more."""

    more: bool
    items: tuple[Item, ...]


def read_batch(message: bytes, anchors: Sequence[TrustAnchor]) -> tuple[Content, TrustAnchor]:
    """What a batch says, and which of the anchors signed it: an upload certificate of the batch's country.

    Raises :class:`RevocationError`: ``REVOCATION_LIST_UNREADABLE``, ``REVOCATION_LIST_NOT_AUTHENTIC``,
    ``REVOCATION_NOT_ALLOWED`` when the signer is of another country.
    """
    # DGCG: messages come in base64 without line breaks, with their content in them; a file may end with one.
    signed = exact_base64(message.removesuffix(b"\n").removesuffix(b"\r"))
    if signed is None:
        raise refused("not a message in base64")
    try:
        data, anchor = pinned_signer(signed, None, anchors)
    except DecodeError as error:
        raise refused(error.detail) from None
    except TrustError as error:
        raise refused(error.detail, Code.REVOCATION_LIST_NOT_AUTHENTIC) from None
    content = read_content(data)
    # Certificate governance §4.4: an upload certificate is its country's, which stands in the subject.
    if country_of(anchor) != content.country:
        raise refused("signed with another country's upload certificate", Code.REVOCATION_NOT_ALLOWED)
    return content, anchor


def read_content(data: bytes) -> Content:
    """What is signed in a batch. Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``)."""
    members = _json(data)
    if set(members) != _MEMBERS:
        raise refused("a batch with other members than it should have")
    if not is_country(members["country"]):
        raise refused("a batch without a country")
    expires = moment_of(members["expires"])
    if expires is None:
        raise refused("a batch without a moment at which it expires")
    if members["hashType"] not in TYPES:
        raise refused("a batch of a type of identifiers that there is not")
    return Content(
        country=members["country"],
        expires=expires,
        kid=_kid(members["kid"]),
        type=IdentifierType(members["hashType"]),
        hashes=_hashes(members["entries"]),
    )


def read_page(data: bytes) -> Page:
    """A page of the gateway's listing. Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``)."""
    members = _json(data)
    more, batches = members.get("more"), members.get("batches")
    if not isinstance(more, bool) or not isinstance(batches, list):
        raise refused("not a listing of batches")
    return Page(more, tuple(map(_item, batches)))


def country_of(anchor: TrustAnchor) -> str | None:
    """The country in the subject of a pinned certificate; a bare key has none."""
    certificate = anchor.parsed()
    return None if certificate is None or not is_country(certificate.country) else certificate.country


def is_batch_id(value: Any) -> bool:
    """Whether ``value`` is a batch's identifier, which goes into addresses as it is."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def moment_of(value: Any) -> datetime | None:
    """The moment that a text in ISO 8601 with an offset says, in UTC; None for anything else."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _item(entry: Any) -> Item:
    if not isinstance(entry, dict):
        raise refused("an entry of the listing that is none")
    batch, country, deleted = (entry.get(name) for name in ("batchId", "country", "deleted"))
    date = moment_of(entry.get("date"))
    if not is_batch_id(batch) or not is_country(country) or date is None or not isinstance(deleted, bool):
        raise refused("an entry of the listing without identifier, country, date or state")
    return Item(str(batch), str(country), date, deleted)


def _kid(value: Any) -> bytes | None:
    if value == UNKNOWN_KID:
        return None
    # dgc-gateway, RevocationBatchDto: 11 or 12 characters; so the filler at the end may be missing.
    text = value if isinstance(value, str) else ""
    kid = exact_base64(text + "=" if len(text) == 11 else text)
    if kid is None or len(kid) != KID_BYTES:
        raise refused("a batch whose kid is not 8 bytes in base64")
    return kid


def _hashes(entries: Any) -> tuple[bytes, ...]:
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_ENTRIES:
        raise refused(f"a batch without 1 to {MOST_ENTRIES} entries")
    found: dict[bytes, None] = {}
    for entry in entries:
        text = entry.get("hash") if isinstance(entry, dict) and len(entry) == 1 else None
        value = exact_base64(text) if isinstance(text, str) else None
        if value is None or len(value) != _HASH_BYTES:
            raise refused("an entry that is not 16 bytes in base64")
        found[value] = None
    return tuple(found)


def _json(data: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = read_json(data, dict)
    except TrustError as error:
        raise refused(error.detail) from None
    return found
