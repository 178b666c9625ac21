"""Batches for the EU gateway: how entries are put together, what is refused, and the requests."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import cms
from healthcert.errors import Code, FetchError, IssueError
from healthcert.fetch import Response
from healthcert.issue.signer import Signer
from healthcert.publish import batches as published
from healthcert.publish.batches import Batch, delete_batch, make_batches, upload_batch
from healthcert.publish.revoked import RevokedEntry
from healthcert.revocation.answer import Standing
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.dgcg_batches import read_batch
from healthcert.revocation.update import install_revocations
from tests import gateway_world
from tests.support import DAY, NOW
from tests.support_revocation import KID, anchor, b64, batch_id, clock, key_of, new_store, standing, uploader

SIGNATURE, UCI = IdentifierType.SIGNATURE, IdentifierType.UCI
END = datetime(2021, 9, 10, 12, 30, tzinfo=UTC)


def entry(number: int, expires: datetime | None = END, **changes: Any) -> RevokedEntry:
    return RevokedEntry(**({"type": SIGNATURE, "key": key_of(number), "kid": KID, "expires": expires} | changes))


def make(entries: Iterable[RevokedEntry], signer: Signer | None = None, **options: Any) -> list[Batch]:
    return list(make_batches(entries, signer or uploader().signer(), **({"now": NOW} | options)))


def refused(call: Callable[[], object], detail: str) -> None:
    with pytest.raises(IssueError) as caught:
        call()
    assert caught.value.code is Code.PUBLISHING_REFUSED
    assert detail in caught.value.detail


def test_a_batch_is_what_the_gateway_takes() -> None:
    (found,) = make([entry(1)], signing_time=NOW)
    assert json.loads(found.content) == {
        "country": "FR",
        "expires": "2021-09-11T00:00:00Z",
        "kid": b64(KID),
        "hashType": "SIGNATURE",
        "entries": [{"hash": b64(key_of(1))}],
    }
    assert (found.country, found.kid, found.type, found.count) == ("FR", KID, SIGNATURE, 1)
    assert found.expires == datetime(2021, 9, 11, tzinfo=UTC)
    assert repr(found) == "Batch(FR, SIGNATURE, 1 entries)"
    message = cms.read(base64.b64decode(found.message, validate=True))
    assert (message.content, message.certificates) == (found.content, (uploader().certificate_der(),))
    assert message.signers[0].signing_time == NOW


def test_batches_are_read_back_through_the_store(tmp_path: Path) -> None:
    entries = [entry(1), entry(2, type=UCI), entry(3, kid=None), entry(4, country="FR"), entry(5, END + 60 * DAY)]
    files = {batch_id(number): found.message for number, found in enumerate(make(entries))}
    store = new_store(tmp_path)
    feed = RevocationFeed(name="eu", format="dgcg", anchors=(anchor(),))
    assert install_revocations(store, feed, Given(files), clock=clock()).records == 5
    assert [standing(store, number) for number in (1, 2, 3, 4, 5, 6)] == [
        Standing.HIT, Standing.CLEAR, Standing.HIT, Standing.HIT, Standing.HIT, Standing.CLEAR,
    ]  # fmt: skip
    assert standing(store, 2, type_=UCI) is Standing.HIT
    assert standing(store, 3, kid=b"whatever") is Standing.HIT


def test_what_has_a_month_type_and_kid_in_common_is_one_batch() -> None:
    first, last = datetime(2021, 9, 1, tzinfo=UTC), datetime(2021, 9, 30, 23, 59, 59, tzinfo=UTC)
    # The end of a month is the midnight after it, and belongs to it.
    entries = [entry(1, last), entry(2, last + timedelta(seconds=1)), entry(3, last + timedelta(seconds=2))]
    entries += [entry(4, first, type=UCI), entry(5, first, kid=None)]
    found = make(entries)
    assert [(one.type, one.kid, one.expires.isoformat()[:10], one.count) for one in found] == [
        (SIGNATURE, None, "2021-09-01", 1),
        (SIGNATURE, KID, "2021-10-01", 2),
        (SIGNATURE, KID, "2021-10-02", 1),
        (UCI, KID, "2021-09-01", 1),
    ]
    hashes = [one["hash"] for one in json.loads(found[1].content)["entries"]]
    assert hashes == [b64(key) for key in sorted((key_of(1), key_of(2)))]
    assert [one.content for one in make(reversed(entries))] == [one.content for one in found]


def test_a_thousand_entries_a_batch() -> None:
    found = make(entry(number) for number in range(2001))
    assert [one.count for one in found] == [1000, 1000, 1]
    keys = [one["hash"] for batch in found for one in json.loads(batch.content)["entries"]]
    assert sorted(keys) == sorted(b64(key_of(number)) for number in range(2001))


def test_what_is_there_twice_stays_until_the_later_end() -> None:
    (found,) = make([entry(1, END + 60 * DAY), entry(1), entry(1, None)], default_expiry=END + 90 * DAY)
    assert (found.count, found.expires.isoformat()[:10]) == (1, "2021-12-10")


def test_an_end_elsewhere_is_taken_in_utc_and_what_has_none_gets_one() -> None:
    elsewhere = datetime.fromisoformat("2021-09-11T01:00:00+02:00")
    (found,) = make([entry(1, elsewhere)])
    assert found.expires == datetime(2021, 9, 11, tzinfo=UTC)
    midnight = datetime.fromisoformat("2021-09-11T02:00:00+02:00")
    assert [one.expires for one in make([entry(1, midnight)])] == [midnight]
    assert make([entry(1, datetime(9999, 12, 31, tzinfo=UTC))])[0].expires.year == 9999
    (found,) = make([entry(1, None)], default_expiry=END)
    assert found.expires == datetime(2021, 9, 11, tzinfo=UTC)
    assert make([]) == []


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"country": "DE"}, "another country"),
        ({"type": IdentifierType.UVCI, "key": bytes(32)}, "the type UVCI"),
        ({"key": bytes(15)}, "another length"),
        ({"key": bytes(17)}, "another length"),
        ({"kid": b"1234567"}, "8 bytes"),
        ({"kid": b"123456789"}, "8 bytes"),
        ({"expires": NOW}, "has expired"),
        ({"expires": NOW - DAY}, "has expired"),
        ({"expires": None}, "without an end"),
        ({"expires": datetime(2021, 9, 1)}, "time zone"),  # noqa: DTZ001
        ({"expires": datetime.max.replace(tzinfo=UTC)}, "year 9999"),
    ],
)
def test_entries_that_no_gateway_takes(changes: dict[str, Any], detail: str) -> None:
    # Nothing is signed when any entry is refused.
    refused(lambda: make_batches([entry(1), entry(2, **changes)], uploader().signer(), now=NOW), detail)


def test_a_default_that_has_passed() -> None:
    refused(lambda: make([entry(1, None)], default_expiry=NOW), "has expired")


def test_signers_that_readers_would_not_believe() -> None:
    refused(lambda: make([entry(1)], uploader("FR", 20).signer()), "not valid at this moment")
    refused(lambda: make([entry(1)], gateway_world.uploader(None).signer()), "names no country")
    curve = gateway_world.uploader(key=ec.generate_private_key(ec.SECP384R1()))
    refused(lambda: make([entry(1)], curve.signer()), "ES256 and PS256")
    refused(lambda: make([entry(1, country="FR")], uploader("DE").signer()), "another country")


def test_an_rsa_signer_publishes_too() -> None:
    pair = gateway_world.uploader(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    (found,) = make([entry(1)], pair.signer())
    assert read_batch(found.message, [pair.anchor()])[0].hashes == (key_of(1),)


def test_what_does_not_read_back_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless:
        def __init__(self) -> None:
            signer = uploader().signer()
            self.kid, self.algorithm, self.certificate = signer.kid, signer.algorithm, signer.certificate

        def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
            return uploader("DE").signer().sign(data, prehashed=prehashed)

    refused(lambda: make([entry(1)], Careless()), "would refuse it")
    other = read_batch(make([entry(2)])[0].message, [anchor()])
    monkeypatch.setattr(published, "read_batch", lambda *_: other)
    refused(lambda: make([entry(1)]), "something else")


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20), st.integers(1, 90), st.sampled_from([KID, None]), st.sampled_from([SIGNATURE, UCI])
        )
    )
)
def test_nothing_is_lost_or_expires_too_soon(rows: list[tuple[int, int, bytes | None, IdentifierType]]) -> None:
    entries = [entry(number, NOW + days * DAY, kid=kid, type=type_) for number, days, kid, type_ in rows]
    listed: dict[tuple[IdentifierType, bytes | None, bytes], datetime] = {}
    for found in make(entries):
        content, _ = read_batch(found.message, [anchor()])
        for key in content.hashes:
            assert (content.type, content.kid, key) not in listed
            listed[content.type, content.kid, key] = content.expires
    assert set(listed) == {(one.type, one.kid, one.key) for one in entries}
    ends: dict[tuple[IdentifierType, bytes | None, bytes], datetime] = {}
    for one in entries:
        assert one.expires is not None
        identity = one.type, one.kid, one.key
        ends[identity] = max(one.expires, ends.get(identity, one.expires))
    # Never before its end, and no more than a month and a day after it.
    assert all(end <= listed[identity] <= end + 32 * DAY for identity, end in ends.items())


# --- Requests ---


class Server:
    def __init__(self, status: int = 201, etag: str | None = batch_id(7)) -> None:
        self.status, self.etag = status, etag
        self.asked: list[tuple[str, bytes, str]] = []

    def get(self, url: str, *, limit: int, headers: Any = None) -> Response:
        raise NotImplementedError

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        self.asked.append((url, body, content_type))
        if self.status >= 300:
            raise FetchError(Code.FETCH_FAILED, f"status {self.status}", status=self.status)
        return Response(self.status, b"", {} if self.etag is None else {"etag": self.etag})


@pytest.mark.parametrize("etag", [batch_id(7), f'"{batch_id(7)}"', f'W/"{batch_id(7)}"'])
@pytest.mark.parametrize("url", ["https://gateway.example", "https://gateway.example/"])
def test_an_upload_gives_the_batch_its_identifier(url: str, etag: str) -> None:
    server = Server(etag=etag)
    assert upload_batch(server, url, b"one") == batch_id(7)
    assert server.asked == [("https://gateway.example/revocation-list", b"one", "application/cms")]


@pytest.mark.parametrize("etag", [None, "", "7", "../x", batch_id(7) + "/"])
def test_an_upload_whose_identifier_is_none(etag: str | None) -> None:
    with pytest.raises(FetchError) as caught:
        upload_batch(Server(etag=etag), "https://gateway.example", b"one")
    assert caught.value.code is Code.FETCH_REFUSED


def test_a_deletion_is_signed() -> None:
    server = Server(204)
    delete_batch(server, "https://gateway.example/", batch_id(7), uploader().signer(), signing_time=NOW)
    ((url, body, content_type),) = server.asked
    assert (url, content_type) == ("https://gateway.example/revocation-list/delete", "application/cms")
    message = cms.read(base64.b64decode(body, validate=True))
    assert json.loads(message.content or b"") == {"batchId": batch_id(7)}
    (signer,) = message.signers
    assert signer.verify(anchor().public_key(), message.content or b"", cms.DATA)
    assert signer.signing_time == NOW


@pytest.mark.parametrize("name", ["", "7", batch_id(7).replace("-", ""), f"{batch_id(7)}\n", "../x"])
def test_only_batches_are_deleted(name: str) -> None:
    server = Server(204)
    refused(lambda: delete_batch(server, "https://gateway.example", name, uploader().signer()), "identifier")
    assert server.asked == []


def test_a_gateway_that_turns_a_request_down_is_an_error() -> None:
    with pytest.raises(FetchError):
        upload_batch(Server(403), "https://gateway.example", b"one")
    with pytest.raises(FetchError) as caught:
        delete_batch(Server(410), "https://gateway.example", batch_id(7), uploader().signer())
    assert caught.value.status == 410
