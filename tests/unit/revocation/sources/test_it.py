"""The Italian list: snapshots and changes in chunks of one version, counted; and the black list in the settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.limits import Limits
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType, uvci_hash
from tests.support import DAY, NOW
from tests.support_lists import WEIRD, b64, spoiled
from tests.unit.revocation.sources.national import URL, Desk, Server, survives

ONE, TWO, THREE, FOUR = (hashlib.sha256(name).digest() for name in (b"1", b"2", b"3", b"4"))


def chunk(
    version: int, number: int, of: int, total: int, entries: Sequence[bytes] | None = None, **members: Any
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": "61bcc7c3da0f876422c6a67f",
        "version": version,
        "chunk": number,
        "lastChunk": of,
        "totalNumberUCVI": total,
    }
    if entries is not None:
        found["revokedUcvi"] = [b64(one) for one in entries]
    return found | members


def delta(
    start: int,
    version: int,
    total: int,
    more: Sequence[bytes],
    less: Sequence[bytes] = (),
    *,
    number: int = 1,
    of: int = 1,
) -> dict[str, Any]:
    changes = {"insertions": [b64(one) for one in more], "deletions": [b64(one) for one in less]}
    return chunk(version, number, of, total, fromVersion=start, delta=changes)


def check(version: int, chunks: int, total: int, **members: Any) -> dict[str, Any]:
    return {"id": "x", "version": version, "chunk": 1, "totalChunk": chunks, "totalNumberUCVI": total} | members


def files(*documents: Any) -> dict[str, bytes]:
    return {f"{number}.json": json.dumps(document).encode() for number, document in enumerate(documents)}


class Drl(Server):
    """The service: the answers to what is asked, without the address; a list is answered one after the other."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(lambda url, _: self._answer(url.removeprefix(URL)))
        self._all = answers

    def _answer(self, path: str) -> Any:
        found = self._all.get(path, 400)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found if isinstance(found, int | bytes) else json.dumps(found).encode()

    @property
    def paths(self) -> list[str]:
        return [url.removeprefix(URL) for url in self.urls]


def desk(path: Path, **options: str) -> Desk:
    return Desk(path, "it", max_loss=1.0, options=options)


def standing(found: Desk, key: bytes, country: str = "IT") -> Standing:
    return found.ask(IdentifierType.UVCI, key, country=country)


def listed(found: Desk) -> list[bool]:
    return [standing(found, one) is Standing.HIT for one in (ONE, TWO, THREE, FOUR)]


FIRST = {
    "/check": check(3, 2, 3),
    "?chunk=1": chunk(3, 1, 2, 3, [ONE, TWO]),
    "?chunk=2": chunk(3, 2, 2, 3, [THREE]),
}


def test_a_snapshot_of_files(tmp_path: Path) -> None:
    found = desk(tmp_path)
    change = found.install(files(chunk(3, 2, 2, 3, [THREE]), chunk(3, 1, 2, 3, [ONE, TWO])))
    assert change.records == 3
    assert listed(found) == [True, True, True, False]
    assert standing(found, FOUR) is Standing.CLEAR
    assert standing(found, FOUR, "FR") is Standing.UNKNOWN
    assert standing(found, ONE, "FR") is Standing.HIT


def test_other_countries_need_no_other_list(tmp_path: Path) -> None:
    found = desk(tmp_path, countries="*")
    server = Drl(FIRST | {"/check?version=3": check(3, 2, 3)})
    found.fetch(server)
    assert standing(found, FOUR, "FR") is Standing.CLEAR
    found.feed = replace(found.feed, options={})
    assert found.fetch(server, NOW + DAY).unchanged
    assert [standing(found, FOUR), standing(found, FOUR, "FR")] == [Standing.CLEAR, Standing.UNKNOWN]
    head = found.store.state.lists["it"]
    assert (head.fetched_at, head.loaded_at) == (NOW + DAY, NOW)


def test_changes_of_files(tmp_path: Path) -> None:
    found = desk(tmp_path)
    assert found.refusal(files(delta(1, 2, 1, [ONE]))) == "REVOCATION_LIST_UNREADABLE"
    found.install(files(chunk(3, 1, 1, 2, [ONE, TWO])))
    found.install(files(delta(3, 4, 2, [THREE], [ONE])))
    assert listed(found) == [False, True, True, False]
    # They are changes to one version, and lead to one number of entries.
    assert found.refusal(files(delta(3, 5, 3, [FOUR]))) == "REVOCATION_LIST_UNREADABLE"
    assert found.refusal(files(delta(4, 5, 4, [FOUR]))) == "REVOCATION_LIST_UNREADABLE"
    found.install(files(delta(4, 5, 3, [FOUR, ONE], [TWO])))
    assert listed(found) == [True, False, True, True]
    # An older snapshot does not come back, and a newer one takes the place of all.
    assert found.refusal(files(chunk(3, 1, 1, 2, [ONE, TWO]))) == "REVOCATION_LIST_ROLLED_BACK"
    found.install(files(chunk(6, 1, 1, 1, [TWO])))
    assert listed(found) == [False, True, False, False]


def test_what_comes_and_goes_within_one_update(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install(files(chunk(1, 1, 1, 2, [ONE, TWO])))
    # In a chunk, insertions come first; THREE is taken back at once, ONE is gone and comes back.
    found.install(
        files(
            delta(1, 2, 2, [THREE], [THREE, ONE], number=1, of=2),
            delta(1, 2, 2, [ONE], number=2, of=2),
        )
    )
    assert listed(found) == [True, True, False, False]
    found.install(files(delta(2, 3, 1, [], [ONE])))
    assert listed(found) == [False, True, False, False]
    assert standing(found, ONE) is Standing.CLEAR


def test_an_empty_list(tmp_path: Path) -> None:
    found = desk(tmp_path)
    assert found.fetch(Drl({"/check": check(1, 0, 0)})).records == 0
    assert standing(found, ONE) is Standing.CLEAR
    assert found.failure(Drl({"/check?version=1": check(2, 0, 7), "/check": check(2, 0, 7)})) == (
        "REVOCATION_LIST_UNREADABLE"
    )


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [1],
        [{}],
        [chunk(3, 1, 2, 3, [ONE, TWO])],
        [chunk(3, 2, 2, 3, [ONE, TWO])],
        [chunk(3, 1, 2, 3, [ONE]), chunk(3, 1, 2, 3, [TWO])],
        [chunk(3, 1, 1, 3, [ONE, TWO]), chunk(3, 2, 1, 3, [THREE])],
        [chunk(3, 1, 2, 2, [ONE]), chunk(4, 2, 2, 2, [TWO])],
        [chunk(3, 1, 2, 2, [ONE]), chunk(3, 2, 3, 2, [TWO])],
        [chunk(3, 1, 2, 2, [ONE]), chunk(3, 2, 2, 3, [TWO])],
        [chunk(3, 1, 1, 2, [ONE])],
        [chunk(3, 1, 1, 0, [ONE])],
        [chunk(3, 1, 1, 1)],
        [chunk(3, 1, 1, 1, revokedUcvi=b64(ONE))],
        [chunk(3, 1, 1, 1, revokedUcvi=[1])],
        [chunk(3, 1, 1, 1, [ONE[:31]])],
        [chunk(3, 1, 1, 1, [ONE + b"1"])],
        [chunk(3, 1, 1, 1, revokedUcvi=[b64(ONE)[:-2] + "h="])],
        *([chunk(3, 1, 1, 1, [ONE]) | {name: value}]
          for name in ("version", "chunk", "lastChunk", "totalNumberUCVI")
          for value in (None, -1, "1", 1.0, True, 10**15)),
        [[]],
        [[{"name": "black_list_uvci"}]],
        [[{"name": "black_list_uvci", "value": "a"}], chunk(3, 1, 1, 1, [ONE])],
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(tmp_path: Path, documents: list[Any]) -> None:
    assert desk(tmp_path).refusal(files(*documents)) == "REVOCATION_LIST_UNREADABLE"


@pytest.mark.parametrize(
    "documents",
    [
        [delta(1, 2, 2, [TWO], number=1, of=2), chunk(2, 2, 2, 2, [TWO])],
        [chunk(2, 1, 2, 2, [ONE]), delta(1, 2, 2, [TWO], number=2, of=2)],
        [delta(1, 2, 2, [TWO]) | {"delta": []}],
        [delta(1, 2, 2, [TWO]) | {"delta": {"insertions": [b64(TWO)]}}],
        [delta(1, 2, 2, [TWO]) | {"delta": {"insertions": [b64(TWO)], "deletions": "x"}}],
        [delta(1, 2, 2, [TWO]) | {"fromVersion": None}],
        [delta(0, 2, 2, [TWO])],
    ],
)
def test_changes_that_are_none_are_refused(tmp_path: Path, documents: list[Any]) -> None:
    found = desk(tmp_path)
    found.install(files(chunk(1, 1, 1, 1, [ONE])))
    assert found.refusal(files(*documents)) == "REVOCATION_LIST_UNREADABLE"
    assert listed(found) == [True, False, False, False]


def test_the_bounds(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.limits = Limits(list_pages=1)
    assert found.failure(Drl(FIRST)) == "INPUT_TOO_LONG"
    assert found.refusal(files(chunk(3, 1, 2, 3, [ONE, TWO]), chunk(3, 2, 2, 3, [THREE]))) == (
        "REVOCATION_LIST_UNREADABLE"
    )
    found.limits = Limits(revocation_entries=1)
    assert found.failure(Drl(FIRST)) == "INPUT_TOO_LONG"
    found.install(files(chunk(1, 1, 1, 1, [ONE])))
    assert found.refusal(files(delta(1, 2, 1, [TWO], [ONE]))) == "INPUT_TOO_LONG"


# --- settings ---


def setting(*identifiers: str) -> list[dict[str, str]]:
    return [{"name": "x", "value": "1"}, {"name": "black_list_uvci", "value": ";".join(identifiers)}]


def test_the_black_list_in_the_settings(tmp_path: Path) -> None:
    found = desk(tmp_path)
    assert found.install(files(setting("URN:UVCI:01:FR:A", "URN:UVCI:01:FR:B", ""))).records == 2
    assert standing(found, uvci_hash("URN:UVCI:01:FR:B"), "FR") is Standing.HIT
    # It is a list of a few that were seen abroad: what is not on it may still be revoked.
    assert standing(found, uvci_hash("URN:UVCI:01:FR:C"), "FR") is Standing.UNKNOWN
    assert standing(found, uvci_hash("URN:UVCI:01:IT:C"), "IT") is Standing.UNKNOWN


def test_settings_do_not_take_the_place_of_the_list(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install(files(chunk(1, 1, 1, 1, [ONE])))
    assert found.refusal(files(setting("A"))) == "REVOCATION_LIST_ROLLED_BACK"


# --- fetching ---


def test_a_snapshot_and_then_changes(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Drl(FIRST)
    assert found.fetch(server).records == 3
    assert server.paths == ["/check", "?chunk=1", "?chunk=2"]
    assert listed(found) == [True, True, True, False]
    server = Drl({"/check?version=3": check(3, 1, 3, fromVersion=3)})
    assert found.fetch(server).unchanged
    server = Drl(
        {
            "/check?version=3": check(4, 2, 3, fromVersion=3),
            "?version=3&chunk=1": delta(3, 4, 3, [FOUR], number=1, of=2),
            "?version=3&chunk=2": delta(3, 4, 3, [], [ONE], number=2, of=2),
        }
    )
    assert found.fetch(server).error is None
    assert server.paths == ["/check?version=3", "?version=3&chunk=1", "?version=3&chunk=2"]
    assert listed(found) == [False, True, True, True]
    server = Drl({"/check?version=4": check(5, 1, 4), "?version=4&chunk=1": delta(4, 5, 4, [ONE])})
    found.fetch(server)
    assert listed(found) == [True] * 4


def test_a_snapshot_where_changes_were_asked_for(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.fetch(Drl(FIRST))
    snapshot = chunk(9, 1, 1, 1, [FOUR], fromVersion=3)
    found.fetch(Drl({"/check?version=3": check(9, 1, 1, fromVersion=3), "?version=3&chunk=1": snapshot}))
    assert listed(found) == [False, False, False, True]


def test_a_list_that_changes_meanwhile_is_begun_again(tmp_path: Path) -> None:
    found = desk(tmp_path)
    newer = [chunk(4, number, 2, 3, entries) for number, entries in ((1, [ONE, TWO]), (2, [FOUR]))]
    server = Drl(
        {
            "/check": [check(3, 2, 3), check(4, 2, 3)],
            "?chunk=1": [FIRST["?chunk=1"], newer[0]],
            "?chunk=2": newer[1],
        }
    )
    assert found.fetch(server).records == 3
    assert server.paths == ["/check", "?chunk=1", "?chunk=2"] * 2
    assert listed(found) == [True, True, False, True]


def test_it_is_not_begun_again_for_ever(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Drl({**FIRST, "?chunk=2": chunk(3, 2, 2, 3, [THREE, FOUR])})
    assert found.failure(server) == "REVOCATION_LIST_UNREADABLE"
    assert len(server.paths) == 9
    assert listed(found) == [False] * 4


@pytest.mark.parametrize(
    "answers",
    [
        {"/check?version=3": check(3, 1, 4)},
        {"/check?version=3": check(4, 1, 3), "?version=3&chunk=1": delta(3, 4, 3, [FOUR])},
        {"/check?version=3": check(4, 1, 3), "?version=3&chunk=1": delta(2, 4, 3, [FOUR])},
        {"/check?version=3": check(4, 1, 4), "?version=3&chunk=1": delta(3, 5, 4, [FOUR])},
    ],
)
def test_changes_that_do_not_lead_there_are_given_up(tmp_path: Path, answers: dict[str, Any]) -> None:
    found = desk(tmp_path)
    found.fetch(Drl(FIRST))
    snapshot = {"/check": check(6, 1, 2), "?chunk=1": chunk(6, 1, 1, 2, [ONE, FOUR])}
    assert found.fetch(Drl(answers | snapshot)).records == 2
    assert listed(found) == [True, False, False, True]


def test_a_failure_takes_nothing_in(tmp_path: Path) -> None:
    found = desk(tmp_path)
    assert found.failure(Drl({**FIRST, "?chunk=2": 503})) == "FETCH_FAILED"
    assert listed(found) == [False] * 4
    found.fetch(Drl(FIRST))
    older = {"/check?version=3": check(2, 1, 1), "?version=3&chunk=1": chunk(2, 1, 1, 1, [ONE])}
    assert found.failure(Drl(older)) == "REVOCATION_LIST_ROLLED_BACK"
    assert found.failure(Drl({"/check?version=3": b"<html>"})) == "REVOCATION_LIST_UNREADABLE"
    assert listed(found) == [True, True, True, False]


# --- whatever comes ---


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_changes_lead_to_the_same_list_as_a_snapshot(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    pool = [hashlib.sha256(bytes((number,))).digest() for number in range(8)]
    subsets = st.sets(st.sampled_from(pool))
    found = desk(tmp_path_factory.mktemp("store"))
    now = data.draw(subsets)
    found.install(files(chunk(1, 1, 1, len(now), sorted(now))))
    for version in range(2, 5):
        then = data.draw(subsets)
        found.install(files(delta(version - 1, version, len(then), sorted(then - now), sorted(now - then))))
        now = then
        assert {one for one in pool if standing(found, one) is Standing.HIT} == now


@settings(max_examples=60, deadline=None)
@given(WEIRD | spoiled(chunk(3, 1, 1, 1, [ONE])) | spoiled(delta(3, 4, 1, [ONE])) | spoiled(setting("A")))
def test_nothing_else_escapes(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    survives(tmp_path_factory.mktemp("store"), "it", files(document))
