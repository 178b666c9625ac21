"""Germany: the list of CovPass and its gateway, a signature line over JSON with the items of the EU gateway.

Form: base64 of the 64 bytes of an ECDSA P-256 signature, a line feed, and the JSON that it is over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.reading import Rejected, exact_base64, not_authentic, read_json, unreadable
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "DCC"


class German:
    """See the module."""

    name = "de"
    title = "Germany (CovPass): JSON under a signature line"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        anchors = need_anchors(context.anchors, context.now)
        body, signer = _verified(part(parts, "list"), anchors)
        items = read_json(body, dict).get("certificates")
        if not isinstance(items, list):
            raise unreadable("it has no array of certificates")
        check_size(len(items), context.limits)
        entries = [_entry(number, item) for number, item in enumerate(items, 1)]
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            signer=signer,
            # Of the moments of the items, one that is still to come says nothing of when the list was made.
            issued_at=max(
                (moment for moment in map(_timestamp, items) if moment and moment <= context.now), default=None
            ),
            signed=hashlib.sha256(body).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _verified(data: bytes, anchors: tuple[TrustAnchor, ...]) -> tuple[bytes, TrustAnchor]:
    """The signed JSON, and who signed it."""
    line, separator, body = data.partition(b"\n")
    signature = exact_base64(line.rstrip(b"\r"))
    if not separator or not signature:
        raise unreadable("it does not begin with a signature line")
    for anchor in anchors:
        key = anchor.public_key()
        # The bytes as they were received; the app that the list is made for takes white space off its ends first.
        for signed in (body, body.strip()):
            if Algorithm.ES256.verify(key, signature, signed):
                return signed, anchor
    if not any(Algorithm.ES256.fits(anchor.public_key()) for anchor in anchors):
        raise not_authentic("the anchor is not a key on P-256, which the list is signed with")
    raise not_authentic("the signature of the list does not verify with the anchor")


def _entry(number: int, item: Any) -> TrustedKey | Rejected:
    where = f"entry {number}"
    if not isinstance(item, dict) or not isinstance(item.get("rawData"), str):
        return rejected(where, "no certificate in it")
    if item.get("certificateType") != "DSC":
        return rejected(where, f"of type {str(item.get('certificateType'))[:20]}, which signs no health certificates")
    try:
        key = read_certificate(base64.b64decode(item["rawData"], validate=True))
    except (binascii.Error, ValueError):
        return rejected(where, "neither DER nor base64")
    except TrustError as error:
        return Rejected(where, error)
    # A kid that is another certificate's would never be looked for, or lead to the wrong key.
    if item.get("kid") != base64.b64encode(key.kid).decode():
        return rejected(where, "its kid is not that of its certificate")
    # Certificate governance §3: a DSC is its own country's.
    if item.get("country") != key.country:
        return rejected(where, "its country is not that of its certificate")
    return key.within(DOMAIN)


def _timestamp(item: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(item["timestamp"])
        # Without a zone it would be read in this machine's.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
