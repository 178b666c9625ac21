"""Revocations for the EU gateway: signed batches of up to 1,000 identifiers, and the requests that add and delete them.

A batch has one moment at which all of it expires, so that entries which expire at about the same time stand together:
those of one calendar month (UTC). The batch expires with the last of its entries, at the midnight that follows, which
tells nothing of the hour at which any certificate ends. An entry so stays listed a month longer than needed, at most.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from healthcert.errors import Code, FetchError, IssueError, RevocationError, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.issue.signer import Signer
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.reading import is_country
from healthcert.publish.gateway import CMS_TYPE, parsed, signed
from healthcert.publish.revoked import RevokedEntry, end_of
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.dgcg_batches import (
    KID_BYTES,
    MOST_ENTRIES,
    TYPES,
    UNKNOWN_KID,
    Content,
    is_batch_id,
    read_batch,
)

Kind = tuple[IdentifierType, bytes | None]
"""Type and kid: what all entries of a batch have in common."""


class Batch(Struct, frozen=True):
    """A batch to be uploaded. ``content`` is its JSON, ``message`` what is sent: the content, signed, in base64."""

    content: bytes
    message: bytes
    country: str
    kid: bytes | None
    type: IdentifierType
    expires: datetime
    count: int

    def __repr__(self) -> str:
        return f"Batch({self.country}, {self.type.value}, {self.count} entries)"


def make_batches(
    entries: Iterable[RevokedEntry],
    signer: Signer,
    *,
    now: datetime,
    default_expiry: datetime | None = None,
    signing_time: datetime | None = None,
) -> Iterator[Batch]:
    """Batches with all of these entries, the same ones for the same entries in whatever order.

    ``signer`` holds the country's upload certificate. Entries without an end get ``default_expiry``, those without a
    country are taken for the signer's; of one that is there twice the later end counts. All of them are checked before
    the first batch is made; batches are signed as they are asked for, and read back as gateways' readers do.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``): an entry of another country or of a type that gateways do not
    know, one that has expired or has no end, a signer that readers would not believe; and what ``signer`` raises.
    """
    country = parsed(signer.certificate).country
    if country is None or not is_country(country):
        raise _refused("the upload certificate names no country")
    found: dict[Kind, dict[bytes, datetime]] = {}
    for entry in entries:
        expires = _expiry(entry, default_expiry, now)
        _check(entry, country)
        ends = found.setdefault((entry.type, entry.kid), {})
        ends[entry.key] = max(expires, ends.get(entry.key, expires))
    reader = _reader(signer, now)
    return (_signed(content, signer, reader, signing_time) for content in _contents(found, country))


def upload_batch(fetcher: Fetcher, url: str, message: bytes, *, limits: Limits = DEFAULT_LIMITS) -> str:
    """Adds a batch to the gateway at ``url``, and says which identifier it was given.

    ``fetcher`` shows the gateway the country's TLS certificate. Raises :class:`FetchError` for any other answer.
    """
    address = f"{url.rstrip('/')}/revocation-list"
    answer = fetcher.post(address, message, content_type=CMS_TYPE, limit=limits.key_file_bytes)
    # DGCG: the batch's identifier is in the ETag; RFC 9110 §8.8.3 has it in quotes, and the gateway may not.
    batch = answer.headers.get("etag", "").removeprefix("W/").strip('"')
    if not is_batch_id(batch):
        detail = "the gateway took the batch, and did not say under which identifier"
        raise FetchError(Code.FETCH_REFUSED, detail, Step.REVOCATION)
    return batch


def delete_batch(
    fetcher: Fetcher,
    url: str,
    batch_id: str,
    signer: Signer,
    *,
    signing_time: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """Takes a batch of the signer's country off the gateway at ``url``, likewise.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for what is no batch's identifier, :class:`FetchError` (with
    the status 404 or 410 when there is no such batch any more), and what ``signer`` raises.
    """
    if not is_batch_id(batch_id):
        raise _refused("not the identifier of a batch")
    body = signed(_json({"batchId": batch_id}), signer, attached=True, signing_time=signing_time)
    address = f"{url.rstrip('/')}/revocation-list/delete"
    fetcher.post(address, body, content_type=CMS_TYPE, limit=limits.key_file_bytes)


def _check(entry: RevokedEntry, country: str) -> None:
    # DGCG: who uploads signs for their own country, and for no other.
    if entry.country not in (None, country):
        raise _refused("an entry of another country than that of the upload certificate")
    if entry.type not in TYPES:
        raise _refused(f"gateways have no entries of the type {entry.type.value}")
    if len(entry.key) != entry.type.width:
        raise _refused("an entry whose key has another length than its type")
    if entry.kid is not None and len(entry.kid) != KID_BYTES:
        raise _refused(f"an entry whose kid has not {KID_BYTES} bytes")


def _expiry(entry: RevokedEntry, default: datetime | None, now: datetime) -> datetime:
    """Until when the entry is to be listed: the midnight (UTC) after its end, which that may be itself."""
    expires = end_of(entry, default)
    if expires is None:
        raise _refused("an entry without an end: say when such entries expire")
    if expires <= now:
        raise _refused("an entry that has expired, which revokes nothing any more")
    try:
        day = expires.astimezone(UTC)
        midnight = datetime.combine(day, time(), UTC)
        return midnight if day == midnight else midnight + timedelta(days=1)
    except OverflowError:
        raise _refused("an end that is not before the year 9999 is over") from None


def _contents(found: dict[Kind, dict[bytes, datetime]], country: str) -> Iterator[Content]:
    for type_, kid in sorted(found, key=lambda kind: (kind[0].code, kind[1] or b"")):
        months: dict[tuple[int, int], list[bytes]] = {}
        ends = found[type_, kid]
        for key, end in ends.items():
            # The last day that it is needed on, rather than the midnight after it.
            day = end - timedelta(days=1)
            months.setdefault((day.year, day.month), []).append(key)
        for month in sorted(months):
            keys = sorted(months[month])
            for start in range(0, len(keys), MOST_ENTRIES):
                part = tuple(keys[start : start + MOST_ENTRIES])
                yield Content(country, max(ends[key] for key in part), kid, type_, part)


def _signed(content: Content, signer: Signer, reader: Sequence[TrustAnchor], signing_time: datetime | None) -> Batch:
    data = _json(
        {
            "country": content.country,
            "expires": content.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "kid": UNKNOWN_KID if content.kid is None else _text(content.kid),
            "hashType": content.type.value,
            "entries": [{"hash": _text(key)} for key in content.hashes],
        }
    )
    message = signed(data, signer, attached=True, signing_time=signing_time)
    try:
        read, _ = read_batch(message, reader)
    except RevocationError as error:
        raise _refused(f"those who read it would refuse it: {error.detail}") from None
    if read != content:
        raise _refused("those who read it would read something else")
    return Batch(data, message, content.country, content.kid, content.type, content.expires, len(content.hashes))


def _reader(signer: Signer, now: datetime) -> Sequence[TrustAnchor]:
    """What readers pin."""
    certificate = parsed(signer.certificate)
    try:
        return need_anchors((TrustAnchor("the upload certificate", certificate.spki, certificate.der),), now)
    except TrustError as error:
        raise _refused(f"those who read it would refuse it: {error.detail}") from None


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
