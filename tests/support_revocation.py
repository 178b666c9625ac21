"""What the tests of revocation lists share: identifiers, batches of the EU gateway, a store to ask, a gateway."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import healthcert as hc
from healthcert.errors import Code, FetchError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.store import RevocationStore
from tests.gateway.dgcg import sign_cms
from tests.support import DAY, NOW

KID = b"kid 4711"
EXPIRES = NOW + 30 * DAY


def uploader(country: str = "FR", days: int = 700) -> KeyPair:
    """The upload certificate of a country, valid for so many days from a month ago."""
    return _uploader(country, days)


@cache
def _uploader(country: str, days: int) -> KeyPair:
    csca = new_csca(country, "Authority", now=NOW - 30 * DAY)
    return new_dsc(csca, "Upload", now=NOW - 30 * DAY, validity=timedelta(days=days))


def anchor(country: str = "FR", days: int = 700) -> TrustAnchor:
    der = uploader(country, days).certificate_der()
    return TrustAnchor(f"{country} upload", parse_certificate(der).spki, der)


def key_of(number: int) -> bytes:
    """An identifier of 16 bytes."""
    return hashlib.sha256(b"%d" % number).digest()[:16]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def content(*numbers: int, **changes: Any) -> dict[str, Any]:
    """What a batch of France says; a change to ``...`` takes the member out."""
    found: dict[str, Any] = {
        "country": "FR",
        "expires": EXPIRES.isoformat().replace("+00:00", "Z"),
        "kid": b64(KID),
        "hashType": "SIGNATURE",
        "entries": [{"hash": b64(key_of(number))} for number in numbers],
    }
    return {name: value for name, value in (found | changes).items() if value is not ...}


def signed(value: Any, country: str | None = None, *, pair: KeyPair | None = None) -> bytes:
    """A batch as a gateway has it, signed by another library than the one that reads it.

    ``value`` is its content, in JSON or as it is; without ``pair`` its own country signs it.
    """
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    signer = country or (value.get("country", "FR") if isinstance(value, dict) else "FR")
    return sign_cms(data, pair or uploader(signer), attached=True).encode()


def batch(*numbers: int, **changes: Any) -> bytes:
    return signed(content(*numbers, **changes))


def standing(
    store: RevocationStore,
    number: int,
    *,
    country: str = "FR",
    kid: bytes | None = KID,
    type_: IdentifierType = IdentifierType.SIGNATURE,
    now: datetime = NOW,
) -> Standing:
    """What the lists say of the certificate with this identifier."""
    subject = Subject(kid=kid, country=country, identifiers={type_: (key_of(number),)})
    return store.ask(subject, now).standing


def new_store(path: Path) -> RevocationStore:
    return RevocationStore.open(path / "revocations")


def clock(at: datetime = NOW) -> hc.FixedClock:
    return hc.FixedClock(at)


URL = "https://gateway.example"


def batch_id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012x}"


def item(number: int, *, date: datetime = NOW - DAY, **changes: Any) -> dict[str, Any]:
    """A batch as it is listed."""
    moment = date.isoformat().replace("+00:00", "Z")
    found = {"batchId": batch_id(number), "country": "FR", "date": moment, "deleted": False}
    return {name: value for name, value in (found | changes).items() if value is not ...}


class Listing:
    """A gateway that is a table: its listing in pages, each for one request, and its batches by number.

    A page is a list of items, the listing's members, or the very bytes; ``...`` answers 204. A batch that is a number
    is answered with that status. When the pages are used up, nothing is newer.
    """

    def __init__(
        self, pages: Iterable[Any], batches: Mapping[int, bytes | int] | None = None, *, url: str = URL
    ) -> None:
        self._base = f"{url}/revocation-list"
        self._pages = list(pages)
        self._batches = {batch_id(number): value for number, value in (batches or {}).items()}
        self.since: list[str] = []
        self.fetched: list[int] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        if url == self._base:
            self.since.append((headers or {})["If-Modified-Since"])
            return self._page(limit)
        assert url.startswith(f"{self._base}/")
        name = url.removeprefix(f"{self._base}/")
        self.fetched.append(int(name[-12:], 16))
        found = self._batches.get(name, 404)
        if isinstance(found, int):
            raise FetchError(Code.FETCH_FAILED, f"status {found}", status=found or None)
        if len(found) > limit:
            raise FetchError(Code.FETCH_REFUSED, "more than was allowed")
        return Response(200, found)

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise AssertionError("nothing is sent")

    def _page(self, limit: int) -> Response:
        page = self._pages.pop(0) if self._pages else ...
        if page is ...:
            return Response(204)
        if isinstance(page, list):
            page = {"more": False, "batches": page}
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        if len(body) > limit:
            raise FetchError(Code.FETCH_REFUSED, "more than was allowed")
        return Response(200, body)
