"""What the tests of filters and of the tree share: entries to publish, certificates to ask about, servers that fail."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import healthcert as hc
from healthcert.errors import Code, FetchError, HealthCertError
from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import covpass, slices
from healthcert.publish.revoked import RevokedEntry
from healthcert.revocation.answer import RevocationAnswer
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.sources.slices import TYPES, Slice, read_entry, read_table
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import install_revocations, update_revocations
from tests.support import DAY, NOW, dsc

KID, OTHER, SLASHED = b"kid 4711", b"kid 0815", b"\xff" * 8
EXPIRES = NOW + 30 * DAY
ANCHOR = TrustAnchor("pinned.pem", parse_certificate(dsc().certificate_der()).spki)
URL = "https://list.example"


def key_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()[:16]


def entry(
    number: int,
    type_: IdentifierType = IdentifierType.UCI,
    kid: bytes | None = KID,
    expires: datetime | None = EXPIRES,
) -> RevokedEntry:
    return RevokedEntry(type_, key_of(number), kid, "FR", expires)


def subject(number: int, type_: IdentifierType = IdentifierType.UCI, kid: bytes = KID) -> Subject:
    """A certificate that goes by this number under one type, and by others under the other types."""
    keys = {one: (key_of(-number - position - 1),) for position, one in enumerate(TYPES)}
    return Subject(kid=kid, country="FR", identifiers={**keys, type_: (key_of(number),)})


def standing(store: RevocationStore, number: int, **more: Any) -> str:
    return ask(store, number, **more).standing.value


def ask(store: RevocationStore, number: int, *, at: datetime = NOW, **more: Any) -> RevocationAnswer:
    return store.ask(subject(number, **more), at)


class Lists:
    """A store with one source, from files or a server."""

    def __init__(self, path: Path, format_: str, *anchors: TrustAnchor, **options: str) -> None:
        self.store = RevocationStore.open(path / "store")
        self.feed = RevocationFeed(
            name="list", format=format_, url=URL, anchors=anchors, options=options, max_age=None, max_loss=1.0
        )

    def install(
        self, files: Mapping[str, bytes], at: datetime = NOW, limits: Limits = DEFAULT_LIMITS
    ) -> RevocationChange:
        return install_revocations(self.store, self.feed, Given(files), clock=hc.FixedClock(at), limits=limits)

    def update(self, server: Server, at: datetime = NOW) -> RevocationChange:
        (change,) = update_revocations(self.store, [self.feed], lambda _: server, clock=hc.FixedClock(at))
        return change

    def skipped(self, change: RevocationChange) -> list[tuple[str, str, str]]:
        return [(one.source, one.error.code.value, one.error.detail) for one in change.skipped]


class Server:
    """Answers with what it has; what it was asked is kept. ``failing`` are the statuses of addresses that fail."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.failing: dict[str, int] = {}
        self.asked: list[str] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        path = url.removeprefix(URL + "/")
        self.asked.append(path)
        if path in self.failing:
            raise failure(self.failing[path])
        answer = self.answer(path, headers or {})
        assert len(answer.body) <= limit
        return answer

    def answer(self, path: str, headers: Mapping[str, str]) -> Response:
        if path not in self.files:
            raise failure(404)
        return Response(200, self.files[path])

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise AssertionError("nothing is sent")


class Distribution(Server):
    """The EU's service, which has data of one generation at a time."""

    def __init__(self, files: Mapping[str, bytes], generation: str = '"1"') -> None:
        super().__init__(files)
        self.generation = generation
        self.changes: dict[int, tuple[Mapping[str, bytes], str]] = {}
        """Data that it has from the request of this number on."""
        self.filters: set[str] = set()

    def answer(self, path: str, headers: Mapping[str, str]) -> Response:
        self.filters.add(headers["X-SLICE-FILTER-TYPE"])
        if len(self.asked) in self.changes:
            files, self.generation = self.changes[len(self.asked)]
            self.files = dict(files)
        if path == "lists":
            if headers.get("If-None-Match") == self.generation:
                return Response(304)
            return Response(200, self.files["lists.json"], {"etag": self.generation} if self.generation else {})
        if headers["If-Match"] != self.generation:
            raise failure(412)
        _, kid, _, *rest = path.split("/")
        if f"partitions/{kid}.json" not in self.files:
            raise failure(404)
        if not rest:
            return Response(200, self.files[f"partitions/{kid}.json"])
        partition, _, chunk, _, *digest = rest
        found = [
            (one, self.files[f"slices/{one.digest}"])
            for one in slices_of(self.files)
            if one.where == f"{kid}/{partition}/{chunk}" and digest in ([], [one.digest])
        ]
        if not found:
            raise failure(404)
        return Response(200, slices.pack(found))


def failure(status: int) -> FetchError:
    return FetchError(Code.FETCH_FAILED, f"list.example: it answered with status {status}", status=status)


def slices_of(files: Mapping[str, bytes]) -> list[Slice]:
    """The slices that published files name."""
    entries = [read_entry(item) for item in json.loads(files["lists.json"])]
    return [one for entry in entries for one in read_table(files[f"partitions/{entry.name}.json"], entry)]


def refusal(read: Callable[[], object]) -> HealthCertError | None:
    """What reading is refused with, None when it is not; anything else that it raises is a failure of the test."""
    try:
        read()
    except HealthCertError as error:
        return error
    return None


def published(*entries: RevokedEntry, mode: Mode | None = None, **more: Any) -> dict[str, bytes]:
    return dict(slices.publish(entries, now=NOW, mode=mode, **more))


def tree(*entries: RevokedEntry, at: datetime = NOW) -> dict[str, bytes]:
    """The files of CovPass's tree, signed with the key that is pinned."""
    return dict(covpass.publish(entries, dsc().signer(), timestamp=at))


def with_document(files: Mapping[str, bytes], name: str, document: Any) -> dict[str, bytes]:
    return {**files, name: json.dumps(document).encode()}


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


TABLE = f"partitions/{b64url(KID)}.json"
