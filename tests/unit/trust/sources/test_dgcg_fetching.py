"""The EU gateway's lists: how they are fetched, whole and by what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.limits import Limits
from healthcert.trust.sources.dgcg import Gateway
from healthcert.trust.sources.dgcg_items import encode, merge
from healthcert.trust.sources.protocol import Context, Fetched, Known
from tests.gateway_world import (
    context,
    item,
    lists,
    make,
    parts,
    removed,
    world,
)
from tests.support import DAY, NOW
from tests.unit.trust.sources.dgcg_lists import (
    DE,
    FR,
    dsc_item,
    load,
    refused,
)


# --- Changes ---
def test_a_removal_takes_the_item_out_of_the_list_it_stands_in() -> None:
    entries = lists()["DSC"]
    for both in ([removed(entries[0]), *entries], [*entries, removed(entries[0])]):
        found = load(DSC=both)
        assert [key.country for key in found.keys] == [DE]
        assert found.skipped == ()


def test_a_removal_is_of_this_country_kid_and_thumbprint_only() -> None:
    entries = lists()["DSC"]
    for other in ({"country": DE}, {"kid": entries[1]["kid"]}, {"thumbprint": entries[1]["thumbprint"]}):
        assert len(load(DSC=[*entries, removed(entries[0], **other)]).keys) == 2


def test_an_item_that_came_back_after_its_removal_is_there() -> None:
    entries = lists()["DSC"]
    again = entries[0] | {"timestamp": "2021-08-02T12:00:00+02:00"}
    for both in ([removed(entries[0]), again], [again, removed(entries[0])]):
        assert [key.country for key in load(DSC=both).keys] == [FR]
        merged = merge([entries[0]], both)
        assert [key.country for key in load(DSC=merged).keys] == [FR]


def test_a_removal_counts_as_what_is_newest() -> None:
    entries = lists()["DSC"]
    newest = entries[0] | {"timestamp": "2021-08-19T12:00:00Z"}
    before, after = load(DSC=[newest, entries[1]]), load(DSC=[removed(newest), entries[1]])
    assert before.issued_at == after.issued_at == datetime(2021, 8, 19, 12, tzinfo=UTC)


def test_merged_lists_have_each_item_once_in_its_latest_state() -> None:
    entries = lists()["DSC"]
    changed = entries[0] | {"timestamp": "2021-08-02T12:00:00Z"}
    assert merge(entries, [changed]) == [entries[1], changed]
    assert merge(entries, [removed(entries[0])]) == [entries[1], removed(entries[0])]
    assert merge(entries, []) == entries
    # Of the same moment, the removal is what counts.
    for both in ([entries[0], removed(entries[0])], [removed(entries[0]), entries[0]]):
        assert merge(entries, both) == [entries[1], removed(entries[0])]
    # What is no item changes none.
    assert merge(entries, [5, {}, {"kid": entries[0]["kid"]}, entries[0] | {"rawData": 5}]) == entries


def test_the_same_entries_are_the_same_bytes_in_whatever_order() -> None:
    entries = lists()["DSC"]
    assert encode(entries) == encode([*reversed(entries), entries[0]])
    assert json.loads(encode(entries)) in (entries, entries[::-1])
    assert encode([]) == b"[]"


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(TrustError) as caught:
        encode([{"kid": float("inf")}])
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE


# --- Fetching ---
class Server:
    """A gateway that knows pages and changes, and notes what it is asked."""

    def __init__(self, items: Mapping[str, list[Any]], changes: list[Any] | None = None) -> None:
        self.items = items
        self.changes = changes
        self.asked: list[tuple[str, str | None]] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        since = (headers or {}).get("If-Modified-Since")
        self.asked.append((url.removeprefix("https://gateway.example"), since))
        path, _, query = url.partition("?")
        page, size = (int(value.partition("=")[2]) for value in query.split("&"))
        entries = self.items[path.rpartition("/")[2]] if since is None else self.changes
        assert entries is not None
        body = json.dumps(entries[page * size : (page + 1) * size]).encode()
        assert len(body) <= limit
        return Response(200, body)

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise NotImplementedError


def fetch(server: Any, known: Known | None = None, given: Context | None = None) -> Fetched | None:
    return Gateway().fetch(server, "https://gateway.example/", known or Known(), given or context())


def known(age: timedelta = DAY, **changes: list[Any]) -> Known:
    given = {name: encode(entries) for name, entries in lists(**changes).items()}
    return Known(given, NOW - timedelta(hours=1), NOW - age)


def test_what_is_fetched_is_what_is_read() -> None:
    server = Server(lists())
    found = fetch(server)
    assert found is not None
    assert found.whole
    assert len(Gateway().load(found.parts, context()).keys) == 2
    assert server.asked == [
        (f"/trustList/{kind}?page={page}&pagesize=500", None) for kind in ("DSC", "CSCA", "UPLOAD") for page in (0, 1)
    ]


def test_pages_are_fetched_until_one_is_not_full() -> None:
    many = [{"kid": str(number)} for number in range(1000)]
    for count, pages in ((0, 1), (499, 2), (500, 2), (501, 2), (1000, 3)):
        server = Server(lists(DSC=many[:count]))
        found = fetch(server)
        assert found is not None
        assert len(json.loads(found.parts["DSC"])) == count
        assert [url for url, _ in server.asked if "DSC" in url] == [
            f"/trustList/DSC?page={page}&pagesize=500" for page in range(pages)
        ]


class Repeating(Server):
    """A server that gives the same pages again and again."""

    def __init__(self, *pages: list[Any]) -> None:
        super().__init__({})
        self.pages = pages

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        self.asked.append((url, None))
        return Response(200, json.dumps(self.pages[(len(self.asked) - 1) % len(self.pages)]).encode())


@pytest.mark.parametrize("different", [2, 3])
def test_a_page_that_comes_again_is_refused(different: int) -> None:
    full = [[{"kid": f"{page}-{number}"} for number in range(500)] for page in range(different)]
    server = Repeating(*full)
    with pytest.raises(TrustError) as caught:
        fetch(server)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE
    assert len(server.asked) == different + 1


def test_a_server_that_knows_no_pages_sends_all_at_once() -> None:
    server = Repeating([{"kid": str(number)} for number in range(777)])
    found = fetch(server)
    assert found is not None
    assert len(json.loads(found.parts["DSC"])) == 777


@pytest.mark.parametrize("count", [3, 500])
def test_a_server_that_knows_no_pages_may_send_the_same_again(count: int) -> None:
    found = fetch(Repeating([{"kid": str(number)} for number in range(count)]))
    assert found is not None
    assert len(json.loads(found.parts["DSC"])) == count


def test_a_server_may_have_smaller_pages_than_it_is_asked_for() -> None:
    class Capped(Server):
        def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
            return super().get(url.replace("pagesize=500", "pagesize=100"), limit=limit, headers=headers)

    for count in (99, 100, 250, 300):
        found = fetch(Capped(lists(DSC=[{"kid": str(number)} for number in range(count)])))
        assert found is not None
        assert len(json.loads(found.parts["DSC"])) == count


def test_a_signature_that_is_larger_than_any_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(load().keys) == 2
    monkeypatch.setattr("healthcert.trust.sources.dgcg._SIGNATURE_BYTES", 100)
    refused(parts(), Code.TRUST_LIST_NOT_AUTHENTIC)


class Endless(Server):
    """A server that always has one more page."""

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        self.asked.append((url, None))
        return Response(200, json.dumps([f"{len(self.asked)}-{number}" for number in range(500)]).encode())


@pytest.mark.parametrize("limits", [Limits(list_pages=3), Limits(trust_entries=1200)])
def test_a_server_without_end_is_left(limits: Limits) -> None:
    server = Endless({})
    with pytest.raises(TrustError) as caught:
        fetch(server, given=replace(context(), limits=limits))
    assert caught.value.code is Code.INPUT_TOO_LONG
    assert len(server.asked) == 3


def test_all_pages_together_have_the_room_of_one_list() -> None:
    rooms: list[int] = []

    class Measuring(Endless):
        def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
            rooms.append(limit)
            return super().get(url, limit=limit, headers=headers)

    with pytest.raises(TrustError):
        fetch(Measuring({}), given=replace(context(), limits=Limits(list_pages=3, list_bytes=100_000)))
    assert rooms[0] == 100_000
    assert rooms[0] > rooms[1] > rooms[2]


def test_changes_are_asked_for_since_the_gateways_own_last_moment() -> None:
    entry = item("DSC", make(FR, "new DSC", world().csca[FR]), world().upload[FR], timestamp="2021-08-19T00:00:00Z")
    server = Server(lists(), [entry, removed(lists()["DSC"][1])])
    found = fetch(server, known())
    assert found is not None
    assert not found.whole
    # Ten minutes before the newest of what is known, 2021-08-01 10:00:00; this machine's clock does not matter.
    assert server.asked[0] == ("/trustList/DSC?page=0&pagesize=500", "2021-08-01T09:50:00Z")
    # Authorities and uploaders that were withdrawn would not be among changes.
    assert {since for url, since in server.asked if "DSC" not in url} == {None}
    read = Gateway().load(found.parts, context())
    assert [key.country for key in read.keys] == [FR, FR]
    assert read.skipped == ()


def test_what_has_not_changed_is_not_fetched_again() -> None:
    assert fetch(Server(lists(), []), known()) is None
    assert fetch(Server(lists(), lists()["DSC"]), known()) is None
    assert fetch(Server(lists(CSCA=lists()["CSCA"][:1]), []), known()) is not None


def test_an_answer_that_nothing_changed_is_no_change() -> None:
    class Unchanged(Server):
        def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
            since = (headers or {}).get("If-Modified-Since")
            return Response(304) if since else super().get(url, limit=limit, headers=headers)

    assert fetch(Unchanged(lists()), known()) is None


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        (known(timedelta(days=6)), False),
        (known(timedelta(days=6, seconds=1)), True),
        (known(timedelta(seconds=-1)), True),
        (replace(known(), loaded_at=None), True),
        (replace(known(), parts={}), True),
        (replace(known(), parts={"DSC": b"{"}), True),
        (known(DSC=[{"kid": "no moment"}]), True),
        (known(DSC=[{"timestamp": "2021-08-22T00:00:00Z"}]), True),
        (known(DSC=[{"timestamp": "0001-01-01T00:00:00Z"}]), True),
    ],
)
def test_the_whole_list_is_fetched_before_removals_could_be_missed(given: Known, whole: bool) -> None:
    found = fetch(Server(lists(), [dsc_item(timestamp="2021-08-19T00:00:00Z")]), given)
    assert found is not None
    assert found.whole is whole


@given(st.binary(max_size=60) | st.sampled_from([b"[]", b"[1e999]", b"[[", b'["\\ud800"]']))
def test_whatever_a_server_sends_is_our_own_error_or_a_list(body: bytes) -> None:
    class Odd(Server):
        def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
            return Response(200, body)

    for before in (Known(), known()):
        try:
            fetch(Odd({}), before)
        except HealthCertError:
            continue
