"""Filters as they are published: what is in them, how they are divided, and what their readers make of them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import Code, IssueError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.publish import slices
from healthcert.publish.revoked import RevokedEntry
from healthcert.revocation.bloom import BloomFilter
from healthcert.revocation.coordinates import Mode, place
from healthcert.revocation.files import open_files, tar_members
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.slices import TYPES
from healthcert.revocation.varhash import VariableHashList
from tests.support import DAY, NOW
from tests.support_slices import (
    EXPIRES,
    KID,
    OTHER,
    SLASHED,
    TABLE,
    Lists,
    entry,
    key_of,
    published,
    slices_of,
    standing,
)


@pytest.mark.parametrize("filter_", ["BLOOMFILTER", "VARHASHLIST"])
@pytest.mark.parametrize("mode", [*Mode, None])
def test_what_is_published_is_found_again(tmp_path: Path, mode: Mode | None, filter_: str) -> None:
    entries = [entry(number, TYPES[number % 3]) for number in range(200)]
    lists = Lists(tmp_path, "distribution")
    assert not lists.install(published(*entries, mode=mode, filter=filter_)).skipped
    for number in range(200):
        assert standing(lists.store, number, type_=TYPES[number % 3]) == "possible"
    assert lists.store.state.lists["list"].modes[KID] == (mode or Mode.POINT).value


def test_the_files_are_those_of_the_service() -> None:
    files = published(entry(1), entry(2, IdentifierType.SIGNATURE), entry(3, kid=SLASHED))
    first, second = json.loads(files["lists.json"])
    assert (first["kid"], second["kid"]) == ("a2lkIDQ3MTE=", "//////////8=")
    assert first == {
        "kid": "a2lkIDQ3MTE=",
        "mode": "POINT",
        "hashTypes": ["SIGNATURE", "UCI"],
        "expires": "2021-09-19T10:00:00Z",
        "lastUpdated": "2021-08-20T10:00:00Z",
    }
    (partition,) = json.loads(files[TABLE])
    assert (partition["kid"], partition["id"], partition["x"], partition["y"]) == ("a2lkIDQ3MTE=", None, None, None)
    assert set(partition["chunks"]) == {key_of(1).hex()[0], key_of(2).hex()[0]}
    ((moment, named),) = partition["chunks"][key_of(1).hex()[0]].items()
    assert (moment, named["type"], named["version"]) == ("2021-09-19T10:00:00Z", "BLOOMFILTER", "1.0")
    assert key_of(1) in BloomFilter.parse(files[f"slices/{named['hash']}"])
    assert "partitions/__________8.json" in files


@pytest.mark.parametrize(("mode", "digits"), [(Mode.POINT, (0, 0)), (Mode.VECTOR, (1, 0)), (Mode.COORDINATE, (1, 1))])
def test_partitions_name_their_digits(mode: Mode, digits: tuple[int, int]) -> None:
    files = published(*map(entry, range(50)), mode=mode)
    for partition in json.loads(files[TABLE]):
        assert tuple(len(partition[name] or "") for name in "xy") == digits
        assert (partition["x"] or "") + (partition["y"] or "") == (partition["id"] or "")
    found = {(one.partition, one.chunk) for one in slices_of(files)}
    assert found == {place(key_of(number), mode) for number in range(50)}


def test_ends_are_rounded_up_and_the_later_one_counts() -> None:
    odd = EXPIRES.replace(second=1)
    files = published(entry(1, expires=odd), entry(1, expires=EXPIRES - DAY))
    (one,) = slices_of(files)
    assert one.expires == odd.replace(minute=1, second=0).timestamp()
    assert BloomFilter.parse(files[f"slices/{one.digest}"]).header.inserted == 1


def test_what_has_expired_is_left_out() -> None:
    assert set(published(entry(1, expires=NOW))) == {"lists.json"}
    (one,) = slices_of(published(entry(1, expires=None), default_expiry=EXPIRES))
    assert one.expires == EXPIRES.timestamp()


def test_short_hashes_have_the_size_that_is_asked_for() -> None:
    files = published(entry(1), filter="VARHASHLIST", minimum=9)
    (one,) = slices_of(files)
    assert VariableHashList.parse(files[f"slices/{one.digest}"]).size == 9


def test_hashes_without_a_kid_have_a_name_of_their_own() -> None:
    files = published(entry(1, kid=None))
    assert "partitions/UNKNOWN_KID.json" in files
    assert json.loads(files["lists.json"])[0]["kid"] == "UNKNOWN_KID"


def test_one_slice_of_two_kids_is_one_file() -> None:
    made = list(slices.publish([entry(1), entry(1, kid=OTHER)], now=NOW))
    assert len(dict(made)) == len(made) == 4


def test_files_come_one_by_one() -> None:
    def entries() -> Iterator[RevokedEntry]:
        for number in range(100):
            yield entry(number, kid=KID if number % 2 else OTHER)

    made = slices.publish(entries(), now=NOW, mode=Mode.COORDINATE)
    assert next(made)[0].startswith("slices/")
    assert [name for name, _ in made if not name.startswith("slices/")][-1] == "lists.json"


REFUSED: dict[str, tuple[dict[str, Any], RevokedEntry, str]] = {
    "filter": ({"filter": "CUCKOO"}, entry(1), "the filter is BLOOMFILTER or VARHASHLIST"),
    "end": ({}, entry(1, expires=None), "without an expiry"),
    "type": ({}, RevokedEntry(IdentifierType.UVCI, bytes(32), KID, "FR", EXPIRES), "of the type UVCI"),
    "length": ({}, RevokedEntry(IdentifierType.UCI, bytes(15), KID, "FR", EXPIRES), "of another length"),
    "kid": ({}, entry(1, kid=b"short"), "a kid that has not 8 bytes"),
    "odds": ({"false_positives": 1.0}, entry(1), "a probability between 0 and 1"),
    "minimum": ({"filter": "VARHASHLIST", "minimum": 17}, entry(1), "1 to 16 bytes"),
    "no time zone": ({}, entry(1, expires=EXPIRES.replace(tzinfo=None)), "without a time zone"),
    "no default time zone": (
        {"default_expiry": EXPIRES.replace(tzinfo=None)},
        entry(1, expires=None),
        "without a time zone",
    ),
    "too late": ({}, entry(1, expires=datetime.max.replace(tzinfo=UTC)), "before the year 9999 is over"),
    "rounds": ({"false_positives": 1e-44}, entry(1), "more rounds or bits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_published_is_refused(case: str) -> None:
    options, one, detail = REFUSED[case]
    with pytest.raises(IssueError) as caught:
        published(one, **options)
    assert caught.value.code is Code.PUBLISHING_REFUSED
    assert detail in caught.value.detail


def test_what_its_readers_would_not_take_for_its_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    files = published(*map(entry, range(30)), mode=Mode.VECTOR)
    longest = max(files.values(), key=len)
    assert longest is files[TABLE]
    for room, count in ((len(longest), len(files)), (len(longest) - 1, 0)):
        monkeypatch.setattr(slices, "DEFAULT_LIMITS", replace(DEFAULT_LIMITS, list_bytes=room))
        made = slices.publish(map(entry, range(30)), now=NOW, mode=Mode.VECTOR)
        if count:
            assert len(dict(made)) == count
        else:
            with pytest.raises(IssueError, match="longer than its readers take"):
                list(made)


# --- Archives ---


def test_an_archive_says_no_more_than_names_and_bytes() -> None:
    files = published(*map(entry, range(5)), entry(5, kid=SLASHED), entry(6, kid=None), mode=Mode.VECTOR)
    given = [(one, files[f"slices/{one.digest}"]) for one in slices_of(files)]
    packed = slices.pack(given)
    assert slices.pack(given) == packed
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
    found = dict(tar_members(packed, DEFAULT_LIMITS))
    assert list(found.values()) == [data for _, data in given]
    one = next(one for one, _ in given if one.kid == KID)
    assert f"a2lkIDQ3MTE=/{one.partition}/{one.chunk}/{one.digest}" in found
    slashed = next(one for one, _ in given if one.kid == SLASHED)
    assert f"8=/{slashed.partition}/{slashed.chunk}/{slashed.digest}" in found
    assert any(name.startswith("UNKNOWN_KID/") for name in found)


def test_archives_beside_the_tables_are_read(tmp_path: Path) -> None:
    files = published(*map(entry, range(5)), entry(5, kid=SLASHED), mode=Mode.VECTOR)
    packed = slices.pack((one, files[f"slices/{one.digest}"]) for one in slices_of(files))
    folder = tmp_path / "list"
    (folder / "partitions").mkdir(parents=True)
    for name, data in files.items():
        if not name.startswith("slices/"):
            (folder / name).write_bytes(data)
    (folder / "all.tar.gz").write_bytes(packed)
    lists = Lists(tmp_path, "distribution")
    with open_files(folder) as given:
        change = lists.install({name: given.read(name) or b"" for name in given.names()})
    assert not change.skipped
    assert [standing(lists.store, number) for number in range(5)] == ["possible"] * 5
    assert standing(lists.store, 5, kid=SLASHED) == "possible"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(1, 10_000), st.sampled_from([KID, None]))),
    st.sampled_from(list(Mode)),
    st.sampled_from(["BLOOMFILTER", "VARHASHLIST"]),
)
def test_whatever_is_published_is_in_its_slices(
    given_: list[tuple[bytes, int, bytes | None]], mode: Mode, filter_: str
) -> None:
    entries = [RevokedEntry(IdentifierType.UCI, key, kid, None, NOW + DAY * hours / 24) for key, hours, kid in given_]
    files = published(*entries, mode=mode, filter=filter_)
    named = slices_of(files)
    kind = BloomFilter if filter_ == "BLOOMFILTER" else VariableHashList
    for one in entries:
        assert one.expires is not None
        assert any(
            one.key in kind.parse(files[f"slices/{slice_.digest}"])
            for slice_ in named
            if (slice_.kid, slice_.partition, slice_.chunk) == (one.kid, *place(one.key, mode))
            and slice_.expires >= one.expires.timestamp()
        )
