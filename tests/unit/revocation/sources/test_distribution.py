"""The EU's distribution service: filters by kid, partition and chunk; refused one by one, fetched only when new."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from healthcert.errors import Code, FetchError, RevocationError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.publish import slices
from healthcert.revocation.bloom import BloomFilter
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.sources import distribution_reading
from healthcert.revocation.sources.slices import TYPES, Entry, Slice, check_slice, read_entry, read_list, read_table
from healthcert.revocation.varhash import VariableHashList
from tests.support import DAY, NOW
from tests.support_slices import (
    EXPIRES,
    KID,
    OTHER,
    TABLE,
    Distribution,
    Lists,
    ask,
    b64url,
    entry,
    failure,
    key_of,
    published,
    refusal,
    slices_of,
    standing,
    subject,
    with_document,
)

OTHER_TABLE = f"partitions/{b64url(OTHER)}.json"


def lists(tmp_path: Path, **options: str) -> Lists:
    return Lists(tmp_path, "distribution", **options)


def table(files: Mapping[str, bytes], name: str = TABLE) -> Any:
    return json.loads(files[name])


# --- What is found ---


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("filter_", ["BLOOMFILTER", "VARHASHLIST"])
@pytest.mark.parametrize("mode", list(Mode))
def test_a_certificate_is_found_by_each_hash(tmp_path: Path, mode: Mode, filter_: str, type_: Any) -> None:
    there = lists(tmp_path)
    there.install(published(entry(1, type_), mode=mode, filter=filter_))
    found = ask(there.store, 1, type_=type_)
    assert (found.standing.value, found.source) == ("possible", "list")
    assert 0 < found.odds < 1e-2
    assert standing(there.store, 2, type_=type_) == "clear"
    assert standing(there.store, 1, type_=type_, kid=OTHER) == "unknown"


def test_hashes_without_a_kid_are_anybodys(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(published(entry(1, kid=None), entry(2, kid=OTHER)))
    assert standing(there.store, 1, kid=KID) == "possible"
    assert standing(there.store, 3, kid=KID) == "unknown"
    assert standing(there.store, 3, kid=OTHER) == "clear"


def test_a_slice_counts_up_to_its_end(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(published(entry(1), entry(2, expires=NOW + DAY)))
    assert [standing(there.store, number, at=NOW + 2 * DAY) for number in (1, 2)] == ["possible", "clear"]
    assert standing(there.store, 1, at=EXPIRES) == "possible"


def test_what_has_expired_is_neither_needed_nor_spoken_for(tmp_path: Path) -> None:
    there = lists(tmp_path)
    files = published(entry(1), entry(2, expires=NOW + DAY), entry(3, kid=OTHER, expires=NOW + DAY))
    gone = {one.digest for one in slices_of(files) if one.expires < (NOW + 2 * DAY).timestamp()}
    kept = {name: data for name, data in files.items() if name.removeprefix("slices/") not in gone | {OTHER_TABLE}}
    change = there.install(kept, at=NOW + 2 * DAY)
    assert (change.filters, change.skipped) == (1, ())
    assert standing(there.store, 9, at=NOW + 2 * DAY) == "clear"
    assert standing(there.store, 9, kid=OTHER, at=NOW + 2 * DAY) == "unknown"


def test_a_filter_that_is_too_full_is_taken_and_its_odds_told(tmp_path: Path) -> None:
    full = BloomFilter.create(1, 1e-12)
    for number in range(200):
        full.add(key_of(number))
    there = lists(tmp_path)
    there.install(with_slice(published(entry(1)), full.to_bytes()))
    assert ask(there.store, 1).odds > 0.5


def test_two_ends_of_the_same_hashes(tmp_path: Path) -> None:
    files = published(entry(1, expires=NOW + DAY))
    document = table(files)
    (moments,) = document[0]["chunks"].values()
    (named,) = moments.values()
    moments["2021-08-30T00:00:00Z"] = named
    there = lists(tmp_path)
    assert there.install(with_document(files, TABLE, document)).filters == 1
    assert standing(there.store, 1, at=NOW + 5 * DAY) == "possible"


def test_kids_may_lack_their_filling(tmp_path: Path) -> None:
    files = published(entry(1))
    items = json.loads(files["lists.json"])
    items[0]["kid"] = items[0]["kid"].rstrip("=")
    there = lists(tmp_path)
    assert not there.install(with_document(files, "lists.json", items)).skipped


# --- What is refused ---


def with_slice(files: Mapping[str, bytes], data: bytes, kind: str = "BLOOMFILTER") -> dict[str, bytes]:
    """The files with other bytes in the place of the one slice of the one kid."""
    document = table(files)
    digest = hashlib.sha256(data).hexdigest()
    ((chunk, moments),) = document[0]["chunks"].items()
    (moment,) = moments
    document[0]["chunks"] = {chunk: {moment: {"type": kind, "version": "1.0", "hash": digest}}}
    return {**with_document(files, TABLE, document), f"slices/{digest}": data}


FILTER = BloomFilter.create(1, 1e-4).to_bytes()
SHORT = VariableHashList.create(1, Mode.POINT, 1e-6)
SHORT.add(key_of(1))
BAD_SLICES = {
    "empty": (b"", "BLOOMFILTER"),
    "cut off": (FILTER[:-1], "BLOOMFILTER"),
    "overlong": (FILTER + b"\0", "BLOOMFILTER"),
    "no rounds": (FILTER[:2] + b"\0" + FILTER[3:], "BLOOMFILTER"),
    "another function": (FILTER[:3] + b"\1" + FILTER[4:], "BLOOMFILTER"),
    "another version": (b"\0\2" + FILTER[2:], "BLOOMFILTER"),
    "no words": (FILTER[:16] + bytes(4), "BLOOMFILTER"),
    "no header": (FILTER[:19], "BLOOMFILTER"),
    "of the other kind": (SHORT.to_bytes(), "BLOOMFILTER"),
    "entries of nothing": (SHORT.to_bytes()[:10] + b"\0" + SHORT.to_bytes()[11:], "VARHASHLIST"),
    "half an entry": (SHORT.to_bytes()[:-1], "VARHASHLIST"),
    "no header of a list": (SHORT.to_bytes()[:10], "VARHASHLIST"),
}


@pytest.mark.parametrize("case", BAD_SLICES)
def test_a_bad_slice_is_skipped_and_its_kid_not_spoken_for(tmp_path: Path, case: str) -> None:
    there = lists(tmp_path)
    there.install(published(entry(1), entry(2, kid=OTHER)))
    bad = with_slice(published(entry(3), entry(2, kid=OTHER)), *BAD_SLICES[case])
    change = there.install(bad)
    ((where, code, _),) = there.skipped(change)
    assert (where.partition("/")[0], code) == (b64url(KID), "REVOCATION_LIST_UNREADABLE")
    # The one that is held stays, and nothing is said of the others.
    assert [standing(there.store, number) for number in (1, 3)] == ["possible", "unknown"]
    assert [standing(there.store, number, kid=OTHER) for number in (2, 3)] == ["possible", "clear"]
    # It goes as soon as its kid can be read again.
    there.install(published(entry(3), entry(2, kid=OTHER)))
    assert [standing(there.store, number) for number in (1, 3)] == ["clear", "possible"]


def test_a_slice_that_is_another_or_missing(tmp_path: Path) -> None:
    files = published(entry(1))
    (one,) = slices_of(files)
    for changed, detail in (
        ({**files, f"slices/{one.digest}": FILTER}, "a slice with another SHA-256 than its table says"),
        ({name: data for name, data in files.items() if not name.startswith("slices/")}, "it is not there"),
    ):
        there = lists(tmp_path / detail[-3:])
        ((where, _, found),) = there.skipped(there.install(changed))
        assert (where, found) == (f"{b64url(KID)}/null/{one.chunk}", detail)
        assert standing(there.store, 1) == "unknown"


def named(document: Any, **changes: Any) -> Any:
    """The table with changes to what it says of its slice."""
    ((_, moments),) = document[0]["chunks"].items()
    ((_, slice_),) = moments.items()
    slice_ |= changes
    return document


TABLES: dict[str, tuple[Any, str]] = {
    "no array": (lambda _: {}, "not the JSON"),
    "nothing": (lambda _: [], "empty"),
    "no partition": (lambda _: [1], "not of this kid"),
    "kid": (lambda found: [found[0] | {"kid": base64.b64encode(OTHER).decode()}], "not of this kid"),
    "no kid": (lambda found: [found[0] | {"kid": 1}], "not of this kid"),
    "mode": (lambda found: [found[0] | {"id": "a"}], "not divided in its mode"),
    "id": (lambda found: [found[0] | {"id": 1}], "not divided in its mode"),
    "twice": (lambda found: found * 2, "not divided in its mode"),
    "chunks": (lambda found: [found[0] | {"chunks": []}], "not divided in its mode"),
    "chunk": (lambda found: [found[0] | {"chunks": {"A": {}}}], "a chunk that is none"),
    "long chunk": (lambda found: [found[0] | {"chunks": {"ab": {}}}], "a chunk that is none"),
    "no slices": (lambda found: [found[0] | {"chunks": {"a": []}}], "a chunk that is none"),
    "moment": (lambda found: [found[0] | {"chunks": {"a": {"tomorrow": {}}}}], "a moment that is none"),
    "no offset": (lambda found: [found[0] | {"chunks": {"a": {"2022-01-01T00:00:00": {}}}}], "without an offset"),
    "no slice": (lambda found: [found[0] | {"chunks": {"a": {"2022-01-01T00:00:00Z": 1}}}], "without a SHA-256"),
    "type": (lambda found: named(found, type="CUCKOO"), "kind or version"),
    "version": (lambda found: named(found, version="2.0"), "kind or version"),
    "no text": (lambda found: named(found, version=1.0), "kind or version"),
    "hash": (lambda found: named(found, hash="../../etc/passwd"), "without a SHA-256"),
    "capitals": (lambda found: named(found, hash="A" * 64), "without a SHA-256"),
    "no hash": (lambda found: named(found, hash=None), "without a SHA-256"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_table_is_skipped_with_its_kid(tmp_path: Path, case: str) -> None:
    change, detail = TABLES[case]
    good = published(entry(1), entry(2, kid=OTHER))
    there = lists(tmp_path)
    there.install(good)
    ((where, code, found),) = there.skipped(there.install(with_document(good, TABLE, change(table(good)))))
    assert (where, code) == (f"{b64url(KID)}/partitions", code)
    assert code in ("REVOCATION_LIST_UNREADABLE", "TRUST_LIST_UNREADABLE")
    assert detail in found
    assert [standing(there.store, number) for number in (1, 9)] == ["possible", "unknown"]
    assert standing(there.store, 9, kid=OTHER) == "clear"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"kid": "!"}, "no kid"),
        ({"kid": "AAAA"}, "no kid"),
        ({"kid": None}, "no kid"),
        ({"mode": "LINE"}, "its mode"),
        ({"mode": ["POINT"]}, "its mode"),
        ({"hashTypes": ["UCI", "IRIS"]}, "types that are not known"),
        ({"hashTypes": []}, "types that are not known"),
        ({"hashTypes": [{}]}, "types that are not known"),
        ({"expires": 1}, "a moment that is none"),
        ({"expires": "2022-01-01"}, "without an offset"),
    ],
)
def test_a_bad_entry_of_the_list_is_skipped(tmp_path: Path, changes: dict[str, Any], detail: str) -> None:
    files = published(entry(1), entry(2, kid=OTHER))
    there = lists(tmp_path)
    items = json.loads(files["lists.json"])
    assert items[1]["kid"] == base64.b64encode(KID).decode()
    items[1] |= changes
    ((where, _, found),) = there.skipped(there.install(with_document(files, "lists.json", items)))
    assert where == "lists.json, entry 2"
    assert detail in found
    assert standing(there.store, 9) == "unknown"
    assert standing(there.store, 9, kid=OTHER) == "clear"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, Code.REVOCATION_LIST_UNREADABLE),
        (b"", Code.REVOCATION_LIST_UNREADABLE),
        (b"{}", Code.REVOCATION_LIST_UNREADABLE),
        (b'[{"kid":"a2lkIDQ3MTE=","kid":"a2lkIDQ3MTE="}]', Code.REVOCATION_LIST_UNREADABLE),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, body: bytes | None, code: Code) -> None:
    files = {name: data for name, data in published(entry(1)).items() if name != "lists.json"}
    with pytest.raises(RevocationError) as caught:
        lists(tmp_path).install(files if body is None else {**files, "lists.json": body})
    assert caught.value.code is code


def test_a_kid_may_be_on_the_list_once(tmp_path: Path) -> None:
    files = published(entry(1))
    with pytest.raises(RevocationError, match="twice"):
        lists(tmp_path).install(with_document(files, "lists.json", json.loads(files["lists.json"]) * 2))


def test_kids_are_bounded(tmp_path: Path) -> None:
    files = published(entry(1), entry(2, kid=OTHER))
    assert not lists(tmp_path / "a").install(files, limits=replace(DEFAULT_LIMITS, trust_entries=2)).skipped
    with pytest.raises(RevocationError) as caught:
        lists(tmp_path / "b").install(files, limits=replace(DEFAULT_LIMITS, trust_entries=1))
    assert caught.value.code is Code.INPUT_TOO_LONG


def test_a_filter_of_the_operators_choice(tmp_path: Path) -> None:
    for options in ({"filter": "CUCKOO"}, {"unknown_kid": "accept"}, {"countries": "France"}):
        with pytest.raises(RevocationError) as caught:
            lists(tmp_path, **options).install(published(entry(1)))
        assert caught.value.code is Code.REVOCATION_CONFIG_INVALID


def test_a_table_without_a_slice_that_counts_says_nothing(tmp_path: Path) -> None:
    good = published(entry(1))
    nothing = [table(good)[0] | {"chunks": {}}]
    ended = json.loads(good[TABLE].replace(b"2021-09", b"2021-07"))
    for number, document in enumerate((nothing, ended)):
        there = lists(tmp_path / str(number))
        assert document != table(good)
        ((where, _, detail),) = there.skipped(there.install(with_document(good, TABLE, document)))
        assert (where, detail[:29]) == (f"{b64url(KID)}/partitions", "its table has no slice that c")
        assert standing(there.store, 9) == "unknown"


def test_countries_are_the_operators_choice_while_nothing_is_missing(tmp_path: Path) -> None:
    files = published(entry(1), entry(2, kid=OTHER))
    there = lists(tmp_path, countries="FR")
    there.install(files)
    assert standing(there.store, 9, kid=b"unlisted") == "clear"
    there.install({name: data for name, data in files.items() if name != TABLE})
    assert [standing(there.store, 9, kid=kid) for kid in (b"unlisted", KID, OTHER)] == ["unknown", "unknown", "clear"]


def test_what_is_held_of_a_kid_is_divided_as_it_was(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(published(entry(1), mode=Mode.COORDINATE))
    files = published(entry(1), mode=Mode.VECTOR)
    there.install({name: data for name, data in files.items() if name != TABLE})
    assert standing(there.store, 1) == "possible"
    # A slice of a new division is of no use while others are missing.
    more = published(entry(1), entry(2), mode=Mode.POINT)
    there.install(more | {f"slices/{slices_of(more)[0].digest}": b""})
    assert standing(there.store, 1) == "possible"


def test_large_tables_take_no_longer_than_they_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Distribution(published(*map(entry, range(300)), mode=Mode.VECTOR))
    (listed,) = (read_entry(item) for item in json.loads(server.files["lists.json"]))
    looked_at = 0

    class Counted(Slice, frozen=True):
        @property
        def where(self) -> str:
            nonlocal looked_at
            looked_at += 1
            return super().where

    def counted(body: bytes, entry: Entry, limits: Limits) -> Any:
        return (Counted(**asdict(one)) for one in read_table(body, entry, limits))

    monkeypatch.setattr(distribution_reading, "read_table", counted)
    assert not lists(tmp_path).update(server).skipped
    assert 0 < looked_at < 10 * len(list(read_table(server.files[TABLE], listed)))


# --- Archives ---


def packed(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[tuple[Slice, bytes]]]:
    """The files but for the slices, and these."""
    found = [(one, files[f"slices/{one.digest}"]) for one in slices_of(files)]
    return {name: data for name, data in files.items() if not name.startswith("slices/")}, found


def test_an_archive_may_lack_its_end(tmp_path: Path) -> None:
    files, found = packed(published(*map(entry, range(20))))
    whole = gzip.decompress(slices.pack(found))
    used = sum(512 + -(-len(data) // 512) * 512 for _, data in found)
    there = lists(tmp_path)
    assert not there.install({**files, "slices.tgz": gzip.compress(whole[:used])}).skipped
    assert standing(there.store, 7) == "possible"


def test_what_no_table_names_is_told(tmp_path: Path) -> None:
    files, found = packed(published(entry(1)))
    _, strangers = packed(published(entry(2, kid=OTHER)))
    there = lists(tmp_path)
    change = there.install({**files, "a.tar.gz": slices.pack(found + strangers)})
    assert [(where, detail) for where, _, detail in there.skipped(change)] == [
        ("a.tar.gz", "an archive with a slice that no table names")
    ]
    assert [standing(there.store, 1), standing(there.store, 2, kid=OTHER)] == ["possible", "unknown"]


def test_a_damaged_archive(tmp_path: Path) -> None:
    files, found = packed(published(entry(1)))
    for number, archive in enumerate((b"", b"x", slices.pack(found)[:-30], slices.pack([(found[0][0], b"x")]))):
        there = lists(tmp_path / str(number))
        assert there.install({**files, "a.tar.gz": archive}).skipped
        assert standing(there.store, 1) == "unknown"


def test_links_have_no_place_in_an_archive(tmp_path: Path) -> None:
    files, found = packed(published(entry(1)))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        link = tarfile.TarInfo(found[0][0].member)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    there = lists(tmp_path)
    assert there.install({**files, "a.tar.gz": out.getvalue()}).skipped
    assert standing(there.store, 1) == "unknown"


# --- Fetching ---


def test_everything_is_fetched_once(tmp_path: Path) -> None:
    server = Distribution(published(*map(entry, range(40)), mode=Mode.VECTOR))
    there = lists(tmp_path)
    change = there.update(server)
    assert (change.error, change.skipped) == (None, ())
    assert [standing(there.store, number) for number in (1, 50)] == ["possible", "clear"]
    assert server.filters == {"BLOOMFILTER"}
    named_ = {(one.partition, one.chunk) for one in slices_of(server.files)}
    assert len(server.asked) == 2 + len(named_)


def test_the_same_generation_is_not_read_again(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    there = lists(tmp_path)
    there.update(server)
    server.asked.clear()
    assert there.update(server, at=NOW + DAY).unchanged
    assert server.asked == ["lists"]
    assert there.store.state.lists["list"].fetched_at == NOW + DAY


def test_a_clock_that_was_ahead_lets_nothing_be_forgotten(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.update(Distribution(published(entry(1))))
    server = Distribution(published(entry(1), entry(2, expires=EXPIRES + 100 * DAY)), '"2"')
    there.update(server, at=EXPIRES + DAY)
    there.update(server)
    assert [standing(there.store, number) for number in (1, 2, 9)] == ["possible", "possible", "clear"]


def test_a_service_that_never_says_unchanged(tmp_path: Path) -> None:
    class Forgetful(Distribution):
        def answer(self, path: str, headers: Mapping[str, str]) -> Any:
            return super().answer(path, {name: value for name, value in headers.items() if name != "If-None-Match"})

    server = Forgetful(published(entry(1)))
    there = lists(tmp_path)
    there.update(server)
    server.asked.clear()
    there.update(server)
    assert server.asked == ["lists"]


def test_only_new_slices_are_fetched(tmp_path: Path) -> None:
    before = [entry(number) for number in range(30)]
    server = Distribution(published(*before))
    there = lists(tmp_path)
    there.update(server)
    files = published(*before, entry(99))
    server.files, server.generation = dict(files), '"2"'
    server.asked.clear()
    change = there.update(server)
    chunk = key_of(99).hex()[0]
    assert server.asked == [
        "lists", f"lists/{b64url(KID)}/partitions", f"lists/{b64url(KID)}/partitions/null/chunks/{chunk}/slices",
    ]  # fmt: skip
    assert (change.added, change.withdrawn) == (1, 1)
    assert standing(there.store, 99) == "possible"


def test_one_new_slice_of_a_chunk_comes_alone(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    there = lists(tmp_path)
    there.update(server)
    server.files, server.generation = published(entry(1), entry(1, kid=KID), same_chunk()), '"2"'
    server.asked.clear()
    there.update(server)
    assert server.asked[-1].rpartition("/")[0].endswith("/slices")
    assert there.store.state.lists["list"].filters == 2


def same_chunk() -> Any:
    """An entry beside the first one, with another end."""
    number = next(n for n in range(2, 1000) if key_of(n)[0] >> 4 == key_of(1)[0] >> 4)
    return entry(number, expires=EXPIRES + DAY)


def test_a_new_generation_while_it_is_read(tmp_path: Path) -> None:
    server = Distribution(published(*map(entry, range(20))))
    server.changes[5] = (published(*map(entry, range(100, 110))), '"2"')
    there = lists(tmp_path)
    change = there.update(server)
    assert change.error is None
    assert server.asked.count("lists") == 2
    # What came of the old generation is not on the new one.
    assert [standing(there.store, number) for number in (*range(20), 105)] == ["clear"] * 20 + ["possible"]


def test_a_service_that_never_holds_still(tmp_path: Path) -> None:
    server = Distribution(published(entry(1), entry(2, kid=OTHER)))
    files = dict(server.files)
    server.changes = {number: (files, f'"{number}"') for number in range(2, 100, 2)}
    there = lists(tmp_path)
    change = there.update(server)
    assert change.error is not None
    assert change.error.code is Code.FETCH_FAILED
    assert server.asked.count("lists") == 4
    assert standing(there.store, 9) == "unknown"


def test_a_failure_keeps_what_came_and_the_next_run_goes_on(tmp_path: Path) -> None:
    server = Distribution(published(entry(1, kid=OTHER), entry(2)))
    there = lists(tmp_path)
    chunk = key_of(2).hex()[0]
    server.failing[f"lists/{b64url(KID)}/partitions/null/chunks/{chunk}/slices"] = 503
    change = there.update(server)
    assert change.error is not None
    assert change.error.code is Code.FETCH_FAILED
    assert [standing(there.store, 1, kid=OTHER), standing(there.store, 9, kid=OTHER)] == ["possible", "unknown"]
    server.failing.clear()
    server.asked.clear()
    assert there.update(server).error is None
    assert not any(path.startswith(f"lists/{b64url(OTHER)}/partitions/") for path in server.asked)
    assert [standing(there.store, 2), standing(there.store, 9)] == ["possible", "clear"]


def test_kids_that_were_not_reached_are_divided_as_they_were(tmp_path: Path) -> None:
    server = Distribution(published(entry(1), entry(2, kid=OTHER)))
    there = lists(tmp_path)
    there.update(server)
    server.files, server.generation = published(entry(1), entry(2, kid=OTHER), mode=Mode.COORDINATE), '"2"'
    server.failing[f"lists/{b64url(KID)}/partitions"] = 500
    assert there.update(server).error is not None
    assert there.store.state.lists["list"].modes == {KID: "POINT", OTHER: "COORDINATE"}
    assert [standing(there.store, 1), standing(there.store, 2, kid=OTHER)] == ["possible", "possible"]
    server.failing = {f"lists/{b64url(KID)}/partitions": 404}
    assert there.update(server).error is None
    # A kid that cannot be read is not spoken for; what is held of it is found.
    assert [standing(there.store, 1), standing(there.store, 9)] == ["possible", "unknown"]


def test_a_failing_list_is_the_whole_failure(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    server.failing["lists"] = 500
    change = lists(tmp_path).update(server)
    assert isinstance(change.error, FetchError)


def test_a_service_that_does_not_say_its_generation(tmp_path: Path) -> None:
    change = lists(tmp_path).update(Distribution(published(entry(1)), generation=""))
    assert change.error is not None
    assert change.error.code is Code.REVOCATION_LIST_UNREADABLE


def test_hashes_without_a_kid_cannot_be_had(tmp_path: Path) -> None:
    server = Distribution(published(entry(1, kid=None), entry(2)))
    server.failing["lists/UNKNOWN_KID/partitions"] = 404
    there = lists(tmp_path)
    change = there.update(server)
    assert there.skipped(change) == [
        ("UNKNOWN_KID/partitions", "FETCH_FAILED", "the service has no partitions of hashes without a kid")
    ]
    # They may be those of any certificate.
    assert [standing(there.store, 2), standing(there.store, 9)] == ["possible", "unknown"]
    # It never has them: that is no reason to read the same generation again.
    server.asked.clear()
    there.update(server)
    assert server.asked == ["lists"]


def test_hashes_without_a_kid_may_be_ignored(tmp_path: Path) -> None:
    server = Distribution(published(entry(1, kid=None), entry(2)))
    server.failing["lists/UNKNOWN_KID/partitions"] = 404
    there = lists(tmp_path)
    there.update(server)
    # The same data of the service say more now.
    there.feed = replace(there.feed, options={"unknown_kid": "ignore", "countries": "FR"})
    there.update(server)
    assert [standing(there.store, 9), standing(there.store, 9, kid=OTHER)] == ["clear", "clear"]
    there.feed = replace(there.feed, options={"unknown_kid": "ignore"})
    there.update(server)
    assert [standing(there.store, 9), standing(there.store, 9, kid=OTHER)] == ["clear", "unknown"]


def test_what_was_skipped_is_asked_for_again(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    path = f"lists/{b64url(KID)}/partitions"
    server.failing[path] = 404
    there = lists(tmp_path)
    ((where, code, detail),) = there.skipped(there.update(server))
    assert (where, code, detail) == (f"{b64url(KID)}/partitions", "FETCH_FAILED", "it is not there")
    server.failing.clear()
    assert not there.update(server).skipped
    assert standing(there.store, 1) == "possible"


def test_a_chunk_that_is_not_there(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    chunk = key_of(1).hex()[0]
    server.failing[f"lists/{b64url(KID)}/partitions/null/chunks/{chunk}/slices"] = 404
    there = lists(tmp_path)
    assert there.skipped(there.update(server)) == [(f"{b64url(KID)}/null/{chunk}", "FETCH_FAILED", "it is not there")]
    assert standing(there.store, 1) == "unknown"


def test_another_filter_is_another_list(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    there = lists(tmp_path)
    there.update(server)
    there.feed = replace(there.feed, options={"filter": "VARHASHLIST"})
    server.files = published(entry(1), filter="VARHASHLIST")
    server.asked.clear()
    there.update(server)
    assert len(server.asked) == 3
    assert "VARHASHLIST" in server.filters
    assert ask(there.store, 1).odds > 1e-11


def test_a_member_that_was_not_asked_for(tmp_path: Path) -> None:
    files = published(entry(1), entry(2, kid=OTHER))

    class Generous(Distribution):
        def answer(self, path: str, headers: Mapping[str, str]) -> Any:
            found = super().answer(path, headers)
            if not path.endswith("slices"):
                return found
            everything = slices.pack((one, files[f"slices/{one.digest}"]) for one in slices_of(files))
            return type(found)(200, everything)

    there = lists(tmp_path)
    change = there.update(Generous(files))
    assert {detail for _, _, detail in there.skipped(change)} == {"an archive with a slice that no table names"}
    assert standing(there.store, 1) == "possible"


def test_an_entry_that_turned_bad_leaves_what_is_held(tmp_path: Path) -> None:
    server = Distribution(published(entry(1)))
    there = lists(tmp_path)
    there.update(server)
    items = json.loads(server.files["lists.json"])
    items[0]["mode"] = "LINE"
    server.files["lists.json"] = json.dumps(items).encode()
    server.generation = '"2"'
    assert len(there.update(server).skipped) == 1
    assert [standing(there.store, 1), standing(there.store, 9)] == ["possible", "unknown"]


# --- Anything at all ---

GOOD = published(entry(1), entry(2), mode=Mode.VECTOR)
ENTRY = Entry(KID, Mode.VECTOR, TYPES, int(EXPIRES.timestamp()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(JSON | st.builds(lambda value, name: json.loads(GOOD["lists.json"])[0] | {name: value}, JSON, st.sampled_from(
    ["kid", "mode", "hashTypes", "expires", "lastUpdated"]
)))  # fmt: skip
def test_no_entry_raises_anything_else(item: Any) -> None:
    error = refusal(lambda: read_entry(item))
    assert error is None or (type(error), error.code) == (RevocationError, Code.REVOCATION_LIST_UNREADABLE)


@given(
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.builds(
        lambda value, name: json.dumps([json.loads(GOOD[TABLE])[0] | {name: value}]).encode(),
        JSON,
        st.sampled_from(["kid", "id", "chunks"]),
    )
)
def test_no_table_raises_anything_else(body: bytes) -> None:
    for error in (refusal(lambda: list(read_table(body, ENTRY))), refusal(lambda: read_list(body, DEFAULT_LIMITS))):
        assert error is None or error.detail.isprintable()


@given(st.binary(max_size=200) | st.builds(lambda cut, more: FILTER[:cut] + more, st.integers(0, 60), st.binary()))
def test_no_slice_raises_anything_else(data: bytes) -> None:
    for kind, header in (("BLOOMFILTER", 20), ("VARHASHLIST", 11)):
        one = Slice(KID, None, "a", hashlib.sha256(data).hexdigest(), 0, kind)
        error = refusal(lambda one=one: check_slice(one, data))  # type: ignore[misc]
        assert len(data) >= header if error is None else error.code is Code.REVOCATION_LIST_UNREADABLE


def test_a_chunk_has_no_more_slices_than_are_asked_for_a_certificate() -> None:
    count = max(len(slices) for part in json.loads(GOOD[TABLE]) for slices in part["chunks"].values())
    assert list(read_table(GOOD[TABLE], ENTRY, Limits(chunk_filters=count)))
    error = refusal(lambda: list(read_table(GOOD[TABLE], ENTRY, Limits(chunk_filters=count - 1))))
    assert error is not None
    assert error.code is Code.INPUT_TOO_LONG


def test_a_list_of_shortened_hashes_is_no_longer_than_is_looked_through() -> None:
    made = VariableHashList.create(3, Mode.POINT, 1e-6)
    for number in range(3):
        made.add(hashlib.sha256(bytes((number,))).digest()[:16])
    data = made.to_bytes()
    one = Slice(KID, None, "a", hashlib.sha256(data).hexdigest(), 0, "VARHASHLIST")
    check_slice(one, data, Limits(varhash_bytes=len(data)))
    error = refusal(lambda: check_slice(one, data, Limits(varhash_bytes=len(data) - 1)))
    assert error is not None
    assert error.code is Code.INPUT_TOO_LONG


def test_the_fakes_are_as_strict_as_the_service() -> None:
    server = Distribution(GOOD)
    headers = {"X-SLICE-FILTER-TYPE": "", "If-Match": ""}
    with pytest.raises(FetchError) as caught:
        server.get("https://list.example/lists/x/partitions", limit=1, headers=headers)
    assert caught.value.status == failure(412).status == 412
    assert subject(1).identifiers.keys() == set(TYPES)
