"""The EU gateway's batches: whose are believed, and what is made of a listing that comes bit by bit."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import ber
from healthcert.errors import Code, RevocationError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation.answer import Standing
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.sources.dgcg_batches import read_batch, read_content, read_page
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import install_revocations, update_revocations
from tests.gateway.dgcg import sign_cms
from tests.gateway_world import repeated
from tests.support import DAY, NOW
from tests.support_revocation import (
    EXPIRES,
    KID,
    URL,
    Listing,
    anchor,
    b64,
    batch,
    batch_id,
    clock,
    content,
    item,
    key_of,
    new_store,
    signed,
    standing,
    uploader,
)

HIT, CLEAR, UNKNOWN = Standing.HIT, Standing.CLEAR, Standing.UNKNOWN
ANCHORS = (anchor("FR"), anchor("DE"))


def feed(*anchors: TrustAnchor, **changes: Any) -> RevocationFeed:
    options: dict[str, Any] = {"url": URL, "max_loss": 1.0} | changes
    return RevocationFeed(name="eu", format="dgcg", anchors=anchors or ANCHORS, **options)


def install(
    store: RevocationStore, files: Mapping[str, bytes], *anchors: TrustAnchor, **options: Any
) -> RevocationChange:
    return install_revocations(store, feed(*anchors), Given(files), clock=clock(), **options)


def update(
    store: RevocationStore, gateway: Listing, *anchors: TrustAnchor, at: datetime = NOW, **options: Any
) -> RevocationChange:
    given_feed = options.pop("feed", None) or feed(*anchors)
    (change,) = update_revocations(store, [given_feed], lambda _: gateway, clock=clock(at), **options)
    return change


def refusal(path: Path, message: bytes, *anchors: TrustAnchor) -> RevocationError:
    """Why a batch is refused that stands alone."""
    with pytest.raises(RevocationError) as caught:
        install(new_store(path), {batch_id(1): message}, *anchors)
    assert caught.value.detail.isprintable()
    return caught.value


def skipped(change: RevocationChange) -> list[tuple[str, Code]]:
    return [(one.source, one.error.code) for one in change.skipped]


# --- One batch ---


def test_a_batch_is_read_and_asked(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    change = install(store, {f"{batch_id(1)}.txt": batch(1, 2)})
    assert (change.added, change.records, change.skipped) == (1, 2, ())
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, HIT, CLEAR]
    assert standing(store, 1, kid=b"another.") is CLEAR
    assert standing(store, 1, type_=IdentifierType.UCI) is CLEAR
    assert standing(store, 1, country="DE") is UNKNOWN
    assert standing(store, 3, country="DE") is UNKNOWN
    assert standing(store, 1, now=EXPIRES + timedelta(seconds=1)) is not HIT
    (coverage,) = store.ask(_subject(1), NOW).lists
    assert coverage.signed


def _subject(number: int) -> Subject:
    return Subject(kid=KID, country="FR", identifiers={IdentifierType.SIGNATURE: (key_of(number),)})


@pytest.mark.parametrize("type_", [IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI])
def test_each_type_and_a_kid_that_is_not_known(tmp_path: Path, type_: IdentifierType) -> None:
    store = new_store(tmp_path)
    install(store, {"1": batch(1, kid="UNKNOWN_KID", hashType=type_.value)})
    assert standing(store, 1, kid=b"whatever", type_=type_) is HIT
    assert standing(store, 2, kid=b"whatever", type_=type_) is CLEAR


def test_what_is_there_twice_counts_once(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    assert install(store, {"1": batch(1, 2, 1, 1)}).records == 2
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, HIT, CLEAR]


def test_a_kid_without_its_filler_and_a_moment_as_java_writes_it() -> None:
    found = read_content(json.dumps(content(1, kid=b64(KID).rstrip("="), expires="2021-12-31T23:59+01:00")).encode())
    assert (found.kid, found.expires) == (KID, datetime(2021, 12, 31, 22, 59, tzinfo=UTC))
    found = read_content(json.dumps(content(1, expires="2021-12-31T23:59:58.123456789Z")).encode())
    assert found.expires == datetime(2021, 12, 31, 23, 59, 58, 123456, tzinfo=UTC)
    assert repr(found) == "Content(...)"


UNREADABLE, NOT_AUTHENTIC = Code.REVOCATION_LIST_UNREADABLE, Code.REVOCATION_LIST_NOT_AUTHENTIC
ENTRY = {"hash": b64(key_of(1))}
BAD_CONTENT: dict[str, Any] = {
    "no country": content(1, country=...),
    "country small": content(1, country="fr"),
    "country number": content(1, country=33),
    "country long": content(1, country="FRA"),
    "no expiry": content(1, expires=...),
    "expiry without offset": content(1, expires="2021-12-31T00:00:00"),
    "expiry a date": content(1, expires="2021-12-31"),
    "expiry a number": content(1, expires=1640995200),
    "expiry impossible": content(1, expires="2021-13-31T00:00:00Z"),
    "expiry before all time": content(1, expires="0001-01-01T00:00:00+14:00"),
    "expiry a week": content(1, expires="2021-W52-5T00:00:00Z"),
    "no kid": content(1, kid=...),
    "kid null": content(1, kid=None),
    "kid short": content(1, kid=b64(KID[:7])),
    "kid long": content(1, kid=b64(KID + b"1")),
    "kid other": content(1, kid="UNKNOWN"),
    "kid no base64": content(1, kid="***********="),
    "kid for the web": content(1, kid="_-_-_-_-_-8="),
    "kid inexact": content(1, kid="a2lkIDQ3MTF="),
    "no type": content(1, hashType=...),
    "type unknown": content(1, hashType="UVCI"),
    "type small": content(1, hashType="signature"),
    "type a list": content(1, hashType=["SIGNATURE"]),
    "no entries": content(1, entries=...),
    "entries empty": content(),
    "entries a map": content(1, entries=ENTRY),
    "entries too many": content(*range(1001)),
    "entry a text": content(1, entries=[b64(key_of(1))]),
    "entry null": content(1, entries=[None]),
    "entry with more": content(1, entries=[ENTRY | {"reason": "x"}]),
    "entry of another name": content(1, entries=[{"value": b64(key_of(1))}]),
    "entry short": content(1, entries=[{"hash": b64(key_of(1)[:15])}]),
    "entry long": content(1, entries=[{"hash": b64(key_of(1) + b"1")}]),
    "entry hexadecimal": content(1, entries=[{"hash": key_of(1).hex()}]),
    "entry with line end": content(1, entries=[{"hash": b64(key_of(1)) + "\n"}]),
    "entry null hash": content(1, entries=[{"hash": None}]),
    "one bad entry": content(1, entries=[ENTRY, {"hash": "x"}]),
    "a member more": content(1, reason="x"),
    "a list": [content(1)],
    "not JSON": b"{",
    "trailing tokens": json.dumps(content(1)).encode() + b"{}",
    "a member twice": json.dumps(content(1)).encode()[:-1] + b', "country": "FR"}',
    "not UTF-8": b"\xff" + json.dumps(content(1)).encode(),
    "nothing": b"",
    "deep": b"[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CONTENT)
def test_a_batch_with_other_content_is_refused(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, signed(BAD_CONTENT[name], "FR"))
    assert error.code is UNREADABLE


def test_a_thousand_entries_are_no_more_than_a_batch_has(tmp_path: Path) -> None:
    assert install(new_store(tmp_path), {"1": batch(*range(1000))}).records == 1000


def test_another_message_is_refused(tmp_path: Path) -> None:
    good = batch(1)
    raw = base64.b64decode(good)
    for message in (
        b"",
        b"{}",
        good + b"\n\n",
        good[:-4],
        good[:76] + b"\n" + good[76:],
        raw,
        good.rstrip(b"=") + b"*",
    ):
        assert refusal(tmp_path, message).code is UNREADABLE
    # Something that is no SignedData.
    assert refusal(tmp_path, base64.b64encode(ber.Element(ber.SEQUENCE, b"", b"").definite())).code is UNREADABLE


def test_a_batch_has_one_signature_of_a_pinned_certificate(tmp_path: Path) -> None:
    good = base64.b64decode(batch(1))
    # What OpenSSL writes has the five parts that are expected.
    for message in (repeated(good, signers=2), repeated(good, signers=0)):
        assert refusal(tmp_path, base64.b64encode(message)).code is NOT_AUTHENTIC
    changed = good.replace(b"SIGNATURE", b"signature")
    assert refusal(tmp_path, base64.b64encode(changed)).code is NOT_AUTHENTIC
    assert refusal(tmp_path, batch(1), anchor("DE")).code is NOT_AUTHENTIC
    detached = sign_cms(json.dumps(content(1)).encode(), uploader("FR")).encode()
    assert refusal(tmp_path, detached).code is NOT_AUTHENTIC


def test_a_country_speaks_for_itself(tmp_path: Path) -> None:
    error = refusal(tmp_path, signed(content(1), "DE"))
    assert (error.code, error.detail) == (
        Code.REVOCATION_NOT_ALLOWED,
        "signed with another country's upload certificate",
    )


def test_anchors_are_certificates_of_countries_that_are_valid(tmp_path: Path) -> None:
    bare = TrustAnchor("bare", anchor("FR").spki)
    for pinned in ((), (bare,), (anchor("FR", 20),)):
        with pytest.raises(RevocationError) as caught:
            install_revocations(
                new_store(tmp_path),
                msgspec.structs.replace(feed(), anchors=pinned),
                Given({"1": batch(1)}),
                clock=clock(),
            )
        assert caught.value.code is Code.REVOCATION_ANCHOR_MISSING
    # One that has ended signs nothing, also beside others.
    late = signed(content(1), pair=uploader("FR", 20))
    assert refusal(tmp_path, late, anchor("FR", 20), anchor("DE")).code is NOT_AUTHENTIC
    # A bare key has no country, and so signs for none.
    assert refusal(tmp_path, batch(1), bare, anchor("DE")).code is NOT_AUTHENTIC


def test_a_kid_of_another_country(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    owners = {KID: frozenset({"DE", "IT"}), b"kid 0815": frozenset({"DE", "FR"})}
    kids = {"2": b64(b"kid 0815"), "3": b64(b"kid none"), "4": "UNKNOWN_KID"}
    files = {"1": batch(1)} | {number: batch(int(number), kid=kid) for number, kid in kids.items()}
    change = install(store, files, countries_of=lambda kid: owners.get(kid, frozenset()))
    assert skipped(change) == [("FR 1", Code.REVOCATION_NOT_ALLOWED)]
    assert standing(store, 1) is CLEAR
    assert standing(store, 2, kid=b"kid 0815") is HIT
    assert standing(store, 3, kid=b"kid none") is HIT
    assert standing(store, 4) is HIT


def test_a_batch_that_has_expired_is_left_out(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    over = NOW.isoformat()
    change = install(store, {"1": batch(1, expires=over), "2": batch(2)})
    assert (change.records, change.skipped) == (1, ())
    assert [standing(store, 1), standing(store, 2)] == [CLEAR, HIT]
    later = (NOW + timedelta(seconds=1)).isoformat()
    assert install(store, {"1": batch(1, expires=later)}).records == 1


# --- Files ---


def test_one_bad_batch_of_many_is_skipped_and_nobody_is_covered(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    change = install(store, {"1": batch(1), "2": signed(content(2), "DE"), "3": b"?"})
    assert skipped(change) == [("2", Code.REVOCATION_NOT_ALLOWED), ("3", UNREADABLE)]
    # Whose the bad ones are cannot be told, so that nobody's certificate is said to be clear.
    assert [standing(store, number) for number in (1, 2)] == [HIT, UNKNOWN]


def test_a_bad_batch_does_not_replace_a_good_one(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    install(store, {"1": batch(1), "2": batch(2)})
    change = install(store, {"1": b"?", "2": batch(3)})
    assert skipped(change) == [("1", UNREADABLE)]
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, UNKNOWN, HIT]


def test_batches_that_stand_alone_are_all_there_are(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    install(store, {"1": batch(1), "2": batch(2)})
    assert install(store, {"2": batch(2)}).withdrawn == 1
    assert [standing(store, 1), standing(store, 2)] == [CLEAR, HIT]


@pytest.mark.parametrize(
    "files",
    [{}, {"a/1.txt": b"", "b/1.bin": b""}, {"a\nb": b""}, {"x" * 201: b""}],
    ids=["none", "two", "line", "long"],
)
def test_files_that_are_no_batches(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(RevocationError) as caught:
        install(new_store(tmp_path), files)
    assert caught.value.code is UNREADABLE


def listing(*items: Any, **changes: Any) -> bytes:
    return json.dumps({"more": False, "batches": list(items)} | changes).encode()


def test_a_listing_says_which_batches_there_are(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    files = {f"{batch_id(number)}.txt": batch(number) for number in (1, 2, 3)}
    change = install(store, {"list.json": listing(item(1), item(2, deleted=True)), **files})
    assert (change.added, change.skipped) == (1, ())
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, CLEAR, CLEAR]
    # What is in use need not come again; what is no longer listed goes.
    change = install(store, {"list.json": listing(item(1), item(3)), batch_id(3): batch(3)})
    assert [standing(store, number) for number in (1, 3)] == [HIT, HIT]
    install(store, {"list.json": listing(item(3))})
    assert [standing(store, number) for number in (1, 3)] == [CLEAR, HIT]


def test_a_listed_batch_that_is_not_there(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    files = {batch_id(1): batch(1), batch_id(3): batch(3, country="DE")}
    change = install(store, {"list.json": listing(item(1), item(2), item(3, country="DE")), **files})
    assert skipped(change) == [(f"FR {batch_id(2)}", UNREADABLE)]
    # What it revokes is not known.
    assert [standing(store, 1), standing(store, 9), standing(store, 9, country="DE")] == [HIT, UNKNOWN, CLEAR]


def test_a_batch_of_another_country_than_is_listed(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    files = {batch_id(number): batch(number) for number in (1, 2)}
    change = install(store, {"list.json": listing(item(1, country="DE"), item(2)), **files})
    assert skipped(change) == [(f"DE {batch_id(1)}", NOT_AUTHENTIC)]
    # It is a batch of France all the same, and what it revokes is not in use.
    there = [standing(store, 1), standing(store, 2), standing(store, 3, country="DE")]
    assert there == [UNKNOWN, HIT, UNKNOWN]
    # That is remembered, too.
    install(store, {"list.json": listing(item(1, country="DE"), item(2))})
    assert [standing(store, 1), standing(store, 2)] == [UNKNOWN, HIT]


BAD_LISTINGS: dict[str, bytes] = {
    "more to come": listing(item(1), more=True),
    "more a text": listing(item(1), more="false"),
    "no more": b'{"batches": []}',
    "no batches": b'{"more": false}',
    "batches a map": listing(batches={}),
    "a list": b"[]",
    "not JSON": b"{",
    "twice": b'{"more": true, "more": false, "batches": []}',
    "an entry null": listing(None),
    "no id": listing(item(1, batchId=...)),
    "id a path": listing(item(1, batchId="../trustList")),
    "id in capitals": listing(item(1, batchId="ABCDEF00-0000-0000-0000-000000000001")),
    "id with line end": listing(item(1, batchId=batch_id(1) + "\n")),
    "id a number": listing(item(1, batchId=1)),
    "no country": listing(item(1, country=...)),
    "country small": listing(item(1, country="fr")),
    "no date": listing(item(1) | {"date": None}),
    "date without offset": listing(item(1) | {"date": "2021-08-01T00:00:00"}),
    "no state": listing(item(1, deleted=...)),
    "state null": listing(item(1, deleted=None)),
    "state a number": listing(item(1, deleted=0)),
}


@pytest.mark.parametrize("name", BAD_LISTINGS)
def test_another_listing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RevocationError) as caught:
        install(new_store(tmp_path), {"list.json": BAD_LISTINGS[name], batch_id(1): batch(1)})
    assert caught.value.code is UNREADABLE


# --- Fetching ---


def test_all_is_fetched_and_then_what_changed(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    first = Listing(
        [[item(1), item(2, date=NOW - timedelta(hours=2, microseconds=-123456))]], {1: batch(1), 2: batch(2)}
    )
    change = update(store, first)
    assert (change.error, change.added) == (None, 2)
    assert (first.since, first.fetched) == (["2021-06-01T00:00:00Z"], [1, 2])
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, HIT, CLEAR]

    later = NOW + timedelta(hours=1)
    second = Listing(
        [[item(2, date=NOW - timedelta(hours=2)), item(3, date=NOW), item(1, date=NOW, deleted=True)]], {3: batch(3)}
    )
    change = update(store, second, at=later)
    assert (change.error, change.added, change.withdrawn) == (None, 1, 1)
    assert (second.since, second.fetched) == (["2021-08-20T07:59:59.123456Z"], [3])
    assert [standing(store, number, now=later) for number in (1, 2, 3)] == [CLEAR, HIT, HIT]

    third = Listing([...])
    change = update(store, third, at=later + timedelta(hours=1))
    assert (change.unchanged, third.since) == (True, ["2021-08-20T09:59:59Z"])
    assert store.state.lists["eu"].fetched_at == later + timedelta(hours=1)
    assert store.state.lists["eu"].loaded_at == NOW


def test_a_gateway_without_batches(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    assert update(store, Listing([...])).error is None
    assert standing(store, 1) is UNKNOWN
    assert update(store, Listing([[item(1)]], {1: batch(1)})).error is None
    assert standing(store, 1) is HIT


def page(*items: Any, more: bool = True) -> dict[str, Any]:
    return {"more": more, "batches": list(items)}


def test_pages_overlap(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    edge = NOW - DAY
    gateway = Listing(
        [
            page(item(1), item(2, date=edge)),
            page(item(2, date=edge), item(3, date=edge)),
            page(item(3, date=edge), more=False),
        ],
        {number: batch(number) for number in (1, 2, 3)},
    )
    assert update(store, gateway).error is None
    assert gateway.since == ["2021-06-01T00:00:00Z", "2021-08-19T09:59:59Z", "2021-08-19T09:59:59Z"]
    assert gateway.fetched == [1, 2, 3]


def test_more_batches_within_a_second_than_a_page_holds(tmp_path: Path) -> None:
    edge = NOW - DAY
    first, second, third = (item(number, date=edge + timedelta(microseconds=number)) for number in (1, 2, 3))
    gateway = Listing(
        [page(first, second), page(first, second), page(second, third, more=False)],
        {number: batch(number) for number in (1, 2, 3)},
    )
    assert update(new_store(tmp_path), gateway).error is None
    assert gateway.since[1:] == ["2021-08-19T09:59:59.000002Z", "2021-08-19T10:00:00.000001Z"]
    assert gateway.fetched == [1, 2, 3]


def test_more_of_one_moment_than_a_page_holds(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    pages = [page(item(1), item(2))] * 3 + [page(item(3, date=NOW), more=False)]
    batches = {number: batch(number) for number in (1, 2, 3)}
    gateway = Listing(pages, batches)
    change = update(store, gateway)
    assert gateway.since[1:] == ["2021-08-19T09:59:59Z", "2021-08-19T09:59:59.999999Z", "2021-08-19T10:00:00Z"]
    assert gateway.fetched == [1, 2, 3]
    # What is listed is used, but nobody knows whether it is all.
    assert change.error is not None
    assert (change.error.code, standing(store, 3), standing(store, 9)) == (UNREADABLE, HIT, UNKNOWN)
    again = Listing(pages, batches)
    assert update(store, again, at=NOW + timedelta(hours=1)).error is not None
    assert (again.since[0], again.fetched) == ("2021-06-01T00:00:00Z", [])


def test_pages_that_do_not_go_on(tmp_path: Path) -> None:
    gateway = Listing([page(item(1))] * 9, {1: batch(1)})
    change = update(new_store(tmp_path), gateway)
    assert change.error is not None
    assert (change.error.code, len(gateway.since), gateway.fetched) == (Code.FETCH_REFUSED, 4, [])


def test_pages_and_their_bytes_are_bounded(tmp_path: Path) -> None:
    pages = [page(item(number, date=NOW - DAY + timedelta(minutes=number))) for number in range(1, 9)]
    few = msgspec.structs.replace(DEFAULT_LIMITS, list_pages=4)
    gateway = Listing(pages)
    change = update(new_store(tmp_path), gateway, limits=few)
    assert change.error is not None
    assert (change.error.code, len(gateway.since)) == (Code.FETCH_REFUSED, 4)
    # All pages together are one document.
    small = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=5 * len(json.dumps(pages[0])) - 1)
    gateway = Listing(pages)
    change = update(new_store(tmp_path), gateway, limits=small)
    assert change.error is not None
    assert (change.error.code, len(gateway.since)) == (Code.FETCH_REFUSED, 5)


def test_a_moment_that_is_to_come_is_never_asked_for(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    ahead = NOW + timedelta(hours=5)
    gateway = Listing([page(item(1, date=ahead)), page(item(2, date=ahead), more=False)], {1: batch(1), 2: batch(2)})
    assert update(store, gateway).error is None
    assert gateway.since == ["2021-06-01T00:00:00Z", "2021-08-20T09:59:59Z"]
    again = Listing([...])
    update(store, again, at=NOW + timedelta(minutes=1))
    assert again.since == ["2021-08-20T09:59:59Z"]


def test_after_six_days_all_is_loaded_and_what_is_not_listed_goes(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1), item(2)]], {1: batch(1), 2: batch(2)}))
    soon = Listing([...])
    assert update(store, soon, at=NOW + 6 * DAY).unchanged
    gateway = Listing([[item(2), item(3)]], {3: batch(3)})
    change = update(store, gateway, at=NOW + 6 * DAY + timedelta(seconds=1))
    assert (soon.since, gateway.since) == (["2021-08-19T09:59:59Z"], ["2021-06-01T00:00:00Z"])
    assert (change.added, change.withdrawn, gateway.fetched) == (1, 1, [3])
    assert [standing(store, number) for number in (1, 2, 3)] == [CLEAR, HIT, HIT]


def test_a_clock_that_went_back_or_another_address_loads_all(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1, date=NOW)]], {1: batch(1)}))
    back = Listing([[item(1, date=NOW)]])
    update(store, back, at=NOW - timedelta(minutes=2))
    assert back.since == ["2021-06-01T00:00:00Z"]
    same = Listing([...])
    assert update(store, same, at=NOW + timedelta(hours=1)).unchanged
    assert same.since == ["2021-08-20T09:57:59Z"]
    # Under another address there is another gateway.
    other = Listing([[item(1, date=NOW)]], url="https://other.example")
    update(store, other, feed=feed(url="https://other.example"), at=NOW + timedelta(hours=1))
    assert other.since == ["2021-06-01T00:00:00Z"]


def test_a_clock_that_went_back_behind_what_was_seen_loads_all(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1)]], {1: batch(1)}))
    update(store, Listing([[item(2, date=NOW + 2 * DAY)]], {2: batch(2)}), at=NOW + 2 * DAY)
    back = Listing([[item(1)]])
    update(store, back, at=NOW + DAY)
    assert back.since == ["2021-06-01T00:00:00Z"]


def test_what_is_not_believed_any_more_goes_together_with_its_country(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    items = [item(1), item(2, country="DE")]
    update(store, Listing([items], {1: batch(1), 2: batch(2, country="DE")}))
    # While the list cannot be had whole, it is not said of any certificate that it is clear again.
    change = update(store, Listing([[*items, item(3)]], {3: 500}), anchor("FR"))
    assert change.error is not None
    assert [standing(store, 1), standing(store, 2, country="DE")] == [HIT, HIT]
    update(store, Listing([[*items, item(3)]], {3: batch(3)}), anchor("FR"))
    assert [standing(store, 3), standing(store, 2, country="DE")] == [HIT, UNKNOWN]


def test_other_anchors_load_all(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    gateway = Listing([[item(1), item(2, country="DE")]], {1: batch(1), 2: batch(2, country="DE")})
    change = update(store, gateway, anchor("FR"))
    assert (skipped(change), gateway.fetched) == ([("DE", NOT_AUTHENTIC)], [1])
    assert [standing(store, 9), standing(store, 9, country="DE")] == [CLEAR, UNKNOWN]
    gateway = Listing([[item(1), item(2, country="DE")]], {2: batch(2, country="DE")})
    update(store, gateway, anchor("FR"), anchor("DE"))
    assert (gateway.since, gateway.fetched) == (["2021-06-01T00:00:00Z"], [2])
    assert [standing(store, 2, country="DE"), standing(store, 9, country="DE")] == [HIT, CLEAR]
    # Who is not pinned any more is not believed, whatever they signed before.
    gateway = Listing([[item(1), item(2, country="DE")]])
    assert update(store, gateway, anchor("FR")).withdrawn == 1
    assert [standing(store, 1), standing(store, 2, country="DE")] == [HIT, UNKNOWN]


def test_what_was_signed_by_one_whose_certificate_has_ended_stays(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    pinned = (anchor("FR", 31), anchor("DE"))
    gateway = Listing([[item(1)]], {1: signed(content(1), pair=uploader("FR", 31))})
    assert update(store, gateway, *pinned).error is None
    later = NOW + 2 * DAY
    change = update(store, Listing([[item(1), item(2)]]), *pinned, at=later)
    assert skipped(change) == [("FR", NOT_AUTHENTIC)]
    # What it signed is still believed; that there is no more of it is not.
    assert [standing(store, 1, now=later), standing(store, 9, now=later)] == [HIT, UNKNOWN]


def test_a_batch_that_cannot_be_used_is_remembered_and_looked_at_again(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    items = [item(1), item(2), item(3, country="DE")]
    gateway = Listing([items], {1: batch(1), 2: b"?", 3: batch(3, country="DE")})
    change = update(store, gateway)
    assert (change.error, skipped(change)) == (None, [(f"FR {batch_id(2)}", UNREADABLE)])
    assert [standing(store, 1), standing(store, 9), standing(store, 9, country="DE")] == [HIT, UNKNOWN, CLEAR]
    # It is not fetched at every update, and its country stays uncovered.
    gateway = Listing([items])
    assert update(store, gateway, at=NOW + DAY).unchanged
    assert (gateway.fetched, standing(store, 9, now=NOW + DAY)) == ([], UNKNOWN)
    gateway = Listing([items], {2: batch(2)})
    assert update(store, gateway, at=NOW + 7 * DAY).added == 1
    assert (gateway.fetched, standing(store, 2), standing(store, 9)) == ([2], HIT, CLEAR)


def test_deleting_a_batch_that_could_not_be_used_covers_its_country_again(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1), item(2)]], {1: batch(1), 2: b"?"}))
    update(store, Listing([[item(2, date=NOW, deleted=True)]]), at=NOW + timedelta(hours=1))
    assert standing(store, 9) is CLEAR


def test_a_country_is_covered_when_its_last_batch_is_gone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1)]], {1: batch(1)}))
    update(store, Listing([[item(1, date=NOW, deleted=True)]]), at=NOW + timedelta(hours=1))
    assert standing(store, 1) is CLEAR
    update(store, Listing([...]), at=NOW + 7 * DAY)
    assert standing(store, 1, now=NOW + 7 * DAY) is CLEAR


def test_an_expired_batch_and_a_foreign_kid_are_remembered(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    items = [item(1), item(2), item(3)]
    batches = {1: batch(1, expires="2021-08-01T00:00:00Z"), 2: batch(2), 3: batch(3, kid="UNKNOWN_KID")}
    gateway = Listing([items], batches)
    change = update(store, gateway, countries_of=lambda _: frozenset({"DE"}))
    assert (gateway.fetched, skipped(change)) == ([1, 2, 3], [(f"FR {batch_id(2)}", Code.REVOCATION_NOT_ALLOWED)])
    assert [standing(store, number) for number in (1, 2, 3)] == [CLEAR, CLEAR, HIT]
    gateway = Listing([items], batches)
    update(store, gateway, at=NOW + DAY)
    assert gateway.fetched == []
    # Whose a kid is may have become known.
    gateway = Listing([items], batches)
    update(store, gateway, at=NOW + 7 * DAY)
    assert (gateway.fetched, standing(store, 2)) == ([2], HIT)


def test_a_batch_that_is_gone_was_deleted(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    change = update(store, Listing([[item(1), item(2)]], {1: 410, 2: batch(2)}))
    assert (change.error, change.added) == (None, 1)
    assert [standing(store, 1), standing(store, 2)] == [CLEAR, HIT]


def test_a_batch_that_is_listed_and_never_was_is_missing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    change = update(store, Listing([[item(1), item(2)]], {1: 404, 2: batch(2)}))
    assert (change.error, skipped(change)) == (None, [(f"FR {batch_id(1)}", UNREADABLE)])
    assert [standing(store, 1), standing(store, 2)] == [UNKNOWN, HIT]
    update(store, Listing([[item(1), item(2)]], {1: batch(1)}), at=NOW + 7 * DAY)
    assert [standing(store, 1), standing(store, 9)] == [HIT, CLEAR]


def test_a_batch_is_not_deleted_before_what_takes_its_place_is_there(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    german = {4: batch(4, country="DE")}
    update(store, Listing([[item(1), item(4, country="DE")]], {1: batch(1), **german}))
    changes = [item(1, deleted=True), item(4, country="DE", deleted=True), item(2)]
    change = update(store, Listing([changes], {2: 500}), at=NOW + timedelta(hours=1))
    assert change.error is not None
    # Of Germany nothing is missing; but what is withdrawn goes when all could be had, and not before.
    assert [standing(store, 1), standing(store, 4, country="DE")] == [HIT, HIT]
    update(store, Listing([changes], {2: batch(2, 1)}), at=NOW + timedelta(hours=2))
    assert [standing(store, number) for number in (1, 2, 9)] == [HIT, HIT, CLEAR]
    assert standing(store, 4, country="DE") is CLEAR


def test_nor_before_what_was_not_even_asked_for_is_there(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(4, country="DE")]], {4: batch(4, country="DE")}))
    changes = [item(1), item(2), item(3), item(4, country="DE", deleted=True), item(5, country="DE")]
    gateway = Listing([changes], {1: 500, 2: 500, 3: 500})
    assert update(store, gateway, at=NOW + timedelta(hours=1)).error is not None
    assert (gateway.fetched, standing(store, 4, country="DE")) == ([1, 2, 3], HIT)


def test_nothing_is_deleted_while_the_listing_has_a_gap(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1)]], {1: batch(1)}))
    same = {"date": NOW - DAY}
    pages = [
        page(item(1, deleted=True, **same)),
        page(item(1, deleted=True, **same)),
        page(item(1, deleted=True, **same)),
    ]
    change = update(store, Listing([*pages, [item(2)]], {2: batch(2)}), at=NOW + timedelta(hours=1))
    assert change.error is not None
    assert [standing(store, 1), standing(store, 2)] == [HIT, HIT]


def test_a_clock_that_was_ahead_lets_nothing_be_taken_for_expired(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    items, batches = [item(1), item(2)], {1: batch(1), 2: batch(2)}
    update(store, Listing([items], batches), at=NOW + 400 * DAY)
    update(store, Listing([items], batches))
    assert [standing(store, number) for number in (1, 2, 9)] == [HIT, HIT, CLEAR]
    # The same for those that were in use before.
    update(store, Listing([[item(3)]], {3: batch(3)}), at=NOW + 400 * DAY)
    update(store, Listing([[*items, item(3)]], {**batches, 3: batch(3)}), at=NOW + timedelta(hours=1))
    assert [standing(store, number) for number in (1, 2, 3, 9)] == [HIT, HIT, HIT, CLEAR]


def test_a_failure_keeps_what_came_and_the_next_update_resumes(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    items = [item(number) for number in range(1, 8)]
    cut = Listing([items], {1: batch(1), 2: 500, 3: batch(3), 4: 0, 5: 500, 6: 500, 7: batch(7)})
    told: list[tuple[int, int]] = []
    change = update(store, cut, progress=lambda done, of: told.append((done, of)))
    assert change.error is not None
    assert (change.error.code, change.added, cut.fetched) == (Code.FETCH_FAILED, 2, [1, 2, 3, 4, 5, 6])
    assert told == [(1, 7), (3, 7)]
    # What came is used; nobody is covered.
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, UNKNOWN, HIT]
    whole = Listing([items], {number: batch(number) for number in range(1, 8)})
    assert update(store, whole, at=NOW + timedelta(hours=1)).error is None
    assert (whole.since, whole.fetched) == (["2021-06-01T00:00:00Z"], [2, 4, 5, 6, 7])
    assert [standing(store, number) for number in (1, 2, 7, 9)] == [HIT, HIT, HIT, CLEAR]
    assert store.state.lists["eu"].loaded_at == NOW + timedelta(hours=1)


def test_after_a_failure_among_changes_the_same_changes_are_asked_for(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1)]], {1: batch(1)}))
    changes = [item(2, date=NOW), item(3, date=NOW)]
    change = update(store, Listing([changes], {2: batch(2), 3: 500}), at=NOW + timedelta(hours=1))
    assert change.error is not None
    # It was covered, and stays as old as it was.
    assert [standing(store, number) for number in (2, 9)] == [HIT, CLEAR]
    assert store.state.lists["eu"].fetched_at == NOW
    again = Listing([changes], {3: batch(3)})
    assert update(store, again, at=NOW + timedelta(hours=2)).error is None
    assert (again.since, again.fetched) == (["2021-08-19T09:59:59Z"], [3])


def test_a_listing_that_cannot_be_read_or_had_changes_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1)]], {1: batch(1)}))
    change = update(store, Listing([b"?"]))
    assert change.error is not None
    assert (change.error.code, standing(store, 1)) == (UNREADABLE, HIT)


def test_too_many_entries_are_refused_whole(tmp_path: Path) -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, revocation_entries=2)
    change = update(new_store(tmp_path), Listing([[item(1)]], {1: batch(1, 2, 3)}), limits=few)
    assert change.error is not None
    assert change.error.code is Code.INPUT_TOO_LONG


def test_the_operator_may_say_whom_it_covers(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    update(store, Listing([[item(1)]], {1: batch(1)}), feed=feed(options={"countries": "IT"}))
    assert [standing(store, 9), standing(store, 9, country="IT")] == [UNKNOWN, CLEAR]
    update(store, Listing([...]), feed=feed(options={"countries": "*"}), at=NOW + timedelta(hours=1))
    assert [standing(store, 9), standing(store, 9, country="IT")] == [CLEAR, CLEAR]


def test_nobody_can_say_that_a_country_is_covered_whose_batches_are_not_known(tmp_path: Path) -> None:
    items = [item(1), item(2, country="DE"), item(3, country="XX")]
    batches = {1: batch(1), 2: b"?", 3: batch(3, country="XX")}
    for name, named in (("a", "FR,DE,XX"), ("b", "*")):
        store = new_store(tmp_path / name)
        update(store, Listing([items], batches), feed=feed(options={"countries": named}))
        assert [standing(store, 9, country=country) for country in ("FR", "DE", "XX")] == [CLEAR, UNKNOWN, UNKNOWN]
        assert standing(store, 9, country="IT") is UNKNOWN
    store = new_store(tmp_path / "c")
    given = feed(options={"countries": "*"})
    install_revocations(store, given, Given({"a": batch(1), "b": b"?"}), clock=clock())
    assert [standing(store, 1), standing(store, 9)] == [HIT, UNKNOWN]


def test_a_batch_may_end_with_a_line_end(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    change = install(store, {"a": batch(1) + b"\n", "b": batch(2) + b"\r\n"})
    assert (change.skipped, standing(store, 1), standing(store, 2)) == ((), HIT, HIT)


# --- Whatever comes ---

GOOD = batch(1)


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda data: b64(data).encode()),
        st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=8)).map(
            lambda at: GOOD[: at[0]] + at[1] + GOOD[at[0] :]
        ),
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, len(GOOD))).map(lambda at: GOOD[: at[0]] + GOOD[at[1] :]),
    )
)
def test_arbitrary_bytes_are_no_batch(data: bytes) -> None:
    try:
        found, signer = read_batch(data, ANCHORS)
    except RevocationError:
        return
    # Only what was signed is ever believed.
    assert (found.country, found.hashes, signer) == ("FR", (key_of(1),), ANCHORS[0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["FR", "SIGNATURE", b64(KID)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(content(1))), JSON, max_size=5), JSON)
def test_arbitrary_members_are_no_batch_and_no_listing(changes: dict[str, Any], value: Any) -> None:
    for read, document in ((read_content, content(1) | changes), (read_page, {"more": False, "batches": [value]})):
        try:
            found: Any = read(json.dumps(document).encode())
        except RevocationError:
            continue
        assert read is read_page or found.hashes == (key_of(1),)
