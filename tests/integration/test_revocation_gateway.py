"""Revocations by way of the EU gateway, over real HTTPS: uploaded, listed, fetched, asked; and a gateway that errs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from healthcert.clock import FixedClock
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, FetchError
from healthcert.families import recognise
from healthcert.fetch import Bounds
from healthcert.https import HttpFetcher
from healthcert.limits import DEFAULT_LIMITS
from healthcert.publish.batches import delete_batch, make_batches, upload_batch
from healthcert.publish.revoked import RevokedEntry, entries_of_certificate
from healthcert.revocation.answer import Standing
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.identifiers import IdentifierType, Subject, hcert_identifiers
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import update_revocations
from tests.gateway import certificates
from tests.gateway.dgcg import Dgcg
from tests.gateway.revocation import DELETER, READER, ROLES, UPLOADER, RevocationList
from tests.gateway.server import Fault, Gateway
from tests.support import DAY, NOW, dsc, issue
from tests.support_revocation import EXPIRES, KID, anchor, batch, key_of, new_store, signed, standing, uploader

HIT, CLEAR, UNKNOWN = Standing.HIT, Standing.CLEAR, Standing.UNKNOWN
HOUR = timedelta(hours=1)
TYPES = (IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI)


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """With France as a member that may do everything."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running.reset()
    running.dgcg = Dgcg()
    enter(running.dgcg, ROLES)
    return running


def enter(dgcg: Dgcg, roles: Iterable[str]) -> None:
    dgcg.now = NOW - DAY
    dgcg.add("AUTHENTICATION", certificates.client().der, uploader("EU"), roles=roles)
    for country in ("FR", "DE"):
        dgcg.add("UPLOAD", uploader(country).certificate_der(), uploader("EU"))
    dgcg.now = NOW


@pytest.fixture
def fetcher(gateway: Gateway) -> Iterator[HttpFetcher]:
    bounds = Bounds(connect=5, read=2, total=5, attempts=1)
    with HttpFetcher(
        hosts=frozenset({gateway.member_url.removeprefix("https://")}),
        ca=gateway.ca,
        client_certificate=gateway.client_certificate,
        client_key=gateway.client_key,
        bounds=bounds,
    ) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> RevocationStore:
    return new_store(tmp_path)


def listed(gateway: Gateway) -> RevocationList:
    return gateway.dgcg.revocations


def update(
    store: RevocationStore, gateway: Gateway, fetcher: HttpFetcher, at: datetime = NOW, *countries: str
) -> RevocationChange:
    gateway.dgcg.now = at
    anchors = tuple(anchor(country) for country in countries or ("FR", "DE"))
    feed = RevocationFeed(name="eu", format="dgcg", url=gateway.member_url, anchors=anchors, max_loss=1.0)
    (change,) = update_revocations(store, [feed], lambda _: fetcher, clock=FixedClock(at))
    return change


def upload(gateway: Gateway, fetcher: HttpFetcher, *numbers: int) -> list[str]:
    entries = [RevokedEntry(IdentifierType.SIGNATURE, key_of(number), KID, "FR", EXPIRES) for number in numbers]
    made = make_batches(entries, uploader().signer(), now=NOW)
    return [upload_batch(fetcher, gateway.member_url, one.message) for one in made]


def subject_of(text: str) -> Subject:
    decoded = recognise(text, DEFAULT_LIMITS)[0].decode(text, DEFAULT_LIMITS)
    (entry,) = decoded.content[1]["v"]
    found = hcert_identifiers(
        signature=decoded.signature, algorithm=Algorithm.ES256, entries=[(entry["ci"], entry["co"])], issuer="FR"
    )
    return Subject(kid=decoded.kid, country="FR", identifiers=found)


@pytest.mark.parametrize("type_", TYPES)
def test_a_certificate_is_revoked_and_no_longer(
    gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore, type_: IdentifierType
) -> None:
    revoked, other = issue().text, issue().text
    made = make_batches(entries_of_certificate(revoked, [type_]), uploader().signer(), now=NOW, signing_time=NOW)
    (name,) = [upload_batch(fetcher, gateway.member_url, one.message) for one in made]
    upload(gateway, fetcher, 1)
    assert update(store, gateway, fetcher).error is None
    assert [store.ask(subject_of(text), NOW).standing for text in (revoked, other)] == [HIT, CLEAR]
    assert dsc().signer().kid == subject_of(revoked).kid

    gateway.dgcg.now = NOW + HOUR
    delete_batch(fetcher, gateway.member_url, name, uploader().signer(), signing_time=NOW + HOUR)
    change = update(store, gateway, fetcher, NOW + 2 * HOUR)
    assert (change.error, change.added, change.withdrawn) == (None, 0, 1)
    assert [store.ask(subject_of(text), NOW).standing for text in (revoked, other)] == [CLEAR, CLEAR]
    assert standing(store, 1) is HIT
    assert [request.certificate for request in gateway.requests] == [certificates.client().der] * len(gateway.requests)


def test_thousands_of_entries(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    names = upload(gateway, fetcher, *range(2500))
    change = update(store, gateway, fetcher)
    assert (len(names), change.added, change.records) == (3, 3, 2500)
    assert [standing(store, number) for number in (0, 1250, 2499, 2500)] == [HIT, HIT, HIT, CLEAR]


@pytest.mark.parametrize("apart", [timedelta(microseconds=1), timedelta(milliseconds=300), timedelta(seconds=1), HOUR])
def test_pages_of_batches_close_together_and_far_apart(
    gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore, apart: timedelta
) -> None:
    listed(gateway).page = 3
    for number in range(9):
        listed(gateway).add("FR", batch(number), NOW - DAY + number * apart)
    change = update(store, gateway, fetcher)
    assert (change.error, change.added) == (None, 9)
    assert [standing(store, number) for number in range(10)] == [HIT] * 9 + [CLEAR]
    pages = [request for request in gateway.requests if request.path == "/revocation-list"]
    assert (len(pages) > 3, len(gateway.requests) - len(pages)) == (True, 9)


def test_batches_of_one_moment_across_the_edge_of_a_page(
    gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore
) -> None:
    # The third and the fourth are of one moment, and the first page ends between them.
    listed(gateway).page = 3
    for number, hours in enumerate((4, 3, 2, 2, 1)):
        listed(gateway).add("FR", batch(number), NOW - hours * HOUR)
    assert update(store, gateway, fetcher).error is None
    assert [standing(store, number) for number in range(6)] == [HIT] * 5 + [CLEAR]


def test_more_of_one_moment_than_a_page_holds_is_not_all(
    gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore
) -> None:
    listed(gateway).page = 2
    for number, hours in enumerate((2, 2, 2, 1)):
        listed(gateway).add("FR", batch(number), NOW - hours * HOUR)
    change = update(store, gateway, fetcher)
    # The third can never be asked for, and nothing may seem to be complete without it.
    assert change.error is not None
    assert (change.error.code, change.added) == (Code.REVOCATION_LIST_UNREADABLE, 3)
    assert [standing(store, number) for number in (0, 1, 2, 3)] == [HIT, HIT, UNKNOWN, HIT]


def test_a_gateway_that_goes_round_in_circles(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    listed(gateway).add("FR", batch(1), NOW - HOUR)
    update(store, gateway, fetcher)
    listed(gateway).looping = True
    change = update(store, gateway, fetcher, NOW + HOUR)
    assert change.error is not None
    assert (change.error.code, standing(store, 1)) == (Code.FETCH_REFUSED, HIT)


def test_another_countrys_signer_is_refused(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    listed(gateway).add("FR", signed({"country": "FR"}, "DE"), NOW - DAY)
    row = listed(gateway).add("FR", batch(1), NOW - DAY)
    row.message = signed(_content_of(1), "DE")
    change = update(store, gateway, fetcher)
    assert (change.added, {one.error.code for one in change.skipped}) == (
        2,
        {Code.REVOCATION_LIST_UNREADABLE, Code.REVOCATION_NOT_ALLOWED},
    )
    assert [standing(store, 1), standing(store, 2)] == [UNKNOWN, UNKNOWN]


def _content_of(*numbers: int) -> dict[str, Any]:
    from tests.support_revocation import content

    return content(*numbers)


def test_another_countrys_batch_is_refused(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    listed(gateway).add("FR", batch(1, country="DE"), NOW - DAY)
    listed(gateway).add("DE", batch(2, country="DE"), NOW - DAY)
    change = update(store, gateway, fetcher)
    assert [one.error.code for one in change.skipped] == [Code.REVOCATION_LIST_NOT_AUTHENTIC]
    # It is a batch of Germany, and what it revokes is not in use.
    assert [standing(store, 1, country="DE"), standing(store, 2, country="DE")] == [UNKNOWN, HIT]
    assert standing(store, 9) is UNKNOWN


def test_who_is_not_pinned_is_not_asked_for(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    listed(gateway).add("FR", batch(1), NOW - DAY)
    listed(gateway).add("DE", batch(2, country="DE"), NOW - DAY)
    change = update(store, gateway, fetcher, NOW, "FR")
    assert [one.source for one in change.skipped] == ["DE"]
    assert len([request for request in gateway.requests if request.path != "/revocation-list"]) == 1


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED])
def test_an_update_that_is_cut_off_is_taken_up_again(
    gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore, fault: Fault
) -> None:
    rows = [listed(gateway).add("FR", batch(number), NOW - DAY + number * HOUR) for number in range(6)]
    for row in rows[3:]:
        gateway.misbehave(f"/revocation-list/{row.id}", fault)
    change = update(store, gateway, fetcher)
    assert change.error is not None
    assert (change.error.code, change.added) == (Code.FETCH_FAILED, 3)
    assert [standing(store, number) for number in (0, 2, 3, 9)] == [HIT, HIT, UNKNOWN, UNKNOWN]

    gateway.behave()
    gateway.requests.clear()
    change = update(store, gateway, fetcher, NOW + HOUR)
    assert (change.error, change.added) == (None, 3)
    fetched = [request.path for request in gateway.requests if request.path != "/revocation-list"]
    assert fetched == [f"/revocation-list/{row.id}" for row in rows[3:]]
    assert [standing(store, number) for number in (0, 3, 5, 9)] == [HIT, HIT, HIT, CLEAR]


def test_deleted_while_it_was_being_fetched(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    for number in (1, 2, 3):
        listed(gateway).add("FR", batch(number), NOW - DAY)
    gateway.misbehave(f"/revocation-list/{listed(gateway).rows[1].id}", Fault.STATUS, status=410)
    assert update(store, gateway, fetcher).error is None
    assert [standing(store, number) for number in (1, 2, 3)] == [HIT, CLEAR, HIT]


def test_listed_and_not_there(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    for number in (1, 2):
        listed(gateway).add("FR", batch(number), NOW - DAY)
    gateway.misbehave(f"/revocation-list/{listed(gateway).rows[1].id}", Fault.STATUS, status=404)
    assert len(update(store, gateway, fetcher).skipped) == 1
    assert [standing(store, number) for number in (1, 2)] == [HIT, UNKNOWN]


def test_who_was_away_for_long_drops_what_is_forgotten(
    gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore
) -> None:
    first, _ = (listed(gateway).add("FR", batch(number), NOW - DAY) for number in (1, 2))
    update(store, gateway, fetcher)
    listed(gateway).delete(first, NOW + DAY)
    listed(gateway).forget()
    assert update(store, gateway, fetcher, NOW + 2 * DAY).unchanged
    assert standing(store, 1) is HIT
    update(store, gateway, fetcher, NOW + 20 * DAY)
    assert [standing(store, 1), standing(store, 2)] == [CLEAR, HIT]


def test_nothing_is_fetched_twice(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    upload(gateway, fetcher, 1)
    update(store, gateway, fetcher, NOW + HOUR)
    gateway.requests.clear()
    assert update(store, gateway, fetcher, NOW + 2 * HOUR).unchanged
    (request,) = gateway.requests
    assert request.headers["if-modified-since"] == "2021-08-20T09:59:59Z"


# --- What the gateway takes ---


def refusal(call: Any) -> int | None:
    with pytest.raises(FetchError) as caught:
        call()
    return caught.value.status


def test_each_call_needs_its_role(gateway: Gateway, fetcher: HttpFetcher, store: RevocationStore) -> None:
    (name,) = upload(gateway, fetcher, 1)
    calls = {
        UPLOADER: lambda: upload(gateway, fetcher, 2),
        DELETER: lambda: delete_batch(fetcher, gateway.member_url, name, uploader().signer()),
        READER: lambda: fetcher.get(f"{gateway.member_url}/revocation-list/{name}", limit=10_000),
    }
    for role, call in calls.items():
        gateway.dgcg.rows.clear()
        enter(gateway.dgcg, set(ROLES) - {role})
        assert refusal(call) == 403
    error = update(store, gateway, fetcher).error
    assert isinstance(error, FetchError)
    assert error.status == 403


def test_a_country_uploads_and_deletes_its_own(gateway: Gateway, fetcher: HttpFetcher) -> None:
    url = gateway.member_url
    (name,) = upload(gateway, fetcher, 1)
    assert refusal(lambda: upload_batch(fetcher, url, batch(1, country="DE"))) == 403
    assert refusal(lambda: upload_batch(fetcher, url, signed(_content_of(1), "DE"))) == 403
    assert refusal(lambda: upload_batch(fetcher, url, batch(1, expires=NOW.isoformat()))) == 400
    assert refusal(lambda: upload_batch(fetcher, url, b"?")) == 400
    assert refusal(lambda: delete_batch(fetcher, url, name, uploader("DE").signer())) == 403
    other = listed(gateway).add("DE", batch(2, country="DE"), NOW)
    assert refusal(lambda: delete_batch(fetcher, url, other.id, uploader().signer())) == 403
    delete_batch(fetcher, url, name, uploader().signer())
    assert refusal(lambda: delete_batch(fetcher, url, name, uploader().signer())) == 410
    assert refusal(lambda: fetcher.get(f"{url}/revocation-list/{name}", limit=10_000)) == 410
    unknown = name[:-4] + "ffff"
    assert refusal(lambda: delete_batch(fetcher, url, unknown, uploader().signer())) == 404
    assert refusal(lambda: fetcher.get(f"{url}/revocation-list/{unknown}", limit=10_000)) == 404
    assert len(listed(gateway).rows) == 2


def test_the_listing_needs_a_moment_that_has_passed(gateway: Gateway, fetcher: HttpFetcher) -> None:
    address = f"{gateway.member_url}/revocation-list"
    assert refusal(lambda: fetcher.get(address, limit=1000)) == 400
    later = {"If-Modified-Since": "2021-08-20T10:00:01Z"}
    assert refusal(lambda: fetcher.get(address, limit=1000, headers=later)) == 400
    assert fetcher.get(address, limit=1000, headers={"If-Modified-Since": "2021-06-01T00:00:00Z"}).status == 204
