"""Lists of shortened hashes: the worked examples, the sizes of the reference, its defects, and every check."""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

import pytest

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.varhash import Match, VariableHashList, entry_size, find, odds, read_header

SIX = bytes.fromhex("0001358637bd0000000602030405060708090a0b0c0d0e")
TWO = bytes.fromhex("0001358637bd0000000204423bd0a854a90383")
HASHES = [bytes.fromhex(text) for text in ("423bd0a847634ce8dea5dd5e9400f287", "54a90383b0e792489835caec8befd2a4")]
ABSENT = bytes.fromhex("3d59bc9b9563dcea32836578c9d3b161")


def built(entries: bytes = b"", *, version: int = 1, p: float = 1e-6, n: int = 1, s: int = 4) -> bytes:
    return struct.pack(">hfib", version, p, n, s) + entries


def looked_up(data: bytes, element: bytes) -> Match | None:
    """What is found in the list itself, and in the same list inside a buffer that has the element all around it."""
    found = find(data, 0, len(data), element)
    assert find(element + data + element, len(element), len(data), element) == found
    assert (element in VariableHashList.parse(data)) is (found is not None)
    return found


def refusal(data: bytes) -> RevocationError:
    with pytest.raises(RevocationError) as caught:
        VariableHashList.parse(data)
    assert (caught.value.code, caught.value.step) == (Code.REVOCATION_LIST_UNREADABLE, Step.REVOCATION)
    return caught.value


def test_example_of_the_reference() -> None:
    found = VariableHashList.parse(SIX)
    assert (found.planned, found.size, len(found)) == (6, 2, 6)
    assert found.probability == pytest.approx(1e-6)
    assert b"\x03\x04" in found
    assert b"\x0d\x0e and more" in found
    assert b"\x04\x05" not in found
    assert found.to_bytes() == SIX


def test_worked_example_is_written_to_the_byte() -> None:
    made = VariableHashList.create(2, Mode.COORDINATE, 1e-6)
    for element in (*reversed(HASHES), HASHES[0]):
        made.add(element)
    assert made.to_bytes() == TWO
    assert all(element in made for element in HASHES)
    assert ABSENT not in made


@pytest.mark.parametrize(
    ("count", "mode", "size"),
    [
        # Tests of the reference.
        (1000, Mode.POINT, 4),
        (1000, Mode.VECTOR, 3),
        (625_000, Mode.COORDINATE, 5),
        (10, Mode.POINT, 5),
        # How it goes up and down.
        (1, Mode.POINT, 1),
        (100, Mode.POINT, 8),
        (6250, Mode.POINT, 7),
        (100_000, Mode.POINT, 4),
        (2**31 - 1, Mode.POINT, 11),
    ],
)
def test_sizes_are_those_of_the_reference(count: int, mode: Mode, size: int) -> None:
    assert entry_size(count, mode, 1e-6, minimum=1) == size


def test_size_has_a_minimum() -> None:
    assert entry_size(1, Mode.COORDINATE, 1e-6) == 4
    assert entry_size(1000, Mode.VECTOR, 1e-6, minimum=16) == 16
    assert entry_size(100, Mode.POINT, 1e-6) == 8


def test_odds_count_the_digits_that_were_spent() -> None:
    assert odds(1000, 4, 0) == pytest.approx(2.3e-7, rel=0.02)
    assert odds(1000, 4, Mode.POINT.digits) == pytest.approx(3.7e-6, rel=0.02)
    assert odds(1000, 4, Mode.COORDINATE.digits) == pytest.approx(1e-3, rel=0.05)
    assert odds(1000, 1, Mode.POINT.digits) == 1
    assert odds(1, 1, Mode.COORDINATE.digits) == 1  # all of an entry was spent
    assert odds(0, 4, Mode.POINT.digits) == 0


def test_entries_are_read_in_any_order_and_written_in_that_of_unsigned_numbers() -> None:
    signed_order = bytes.fromhex("80000000 90000000 00000001 7fffffff 00000001")
    found = VariableHashList.parse(built(signed_order))
    assert len(found) == 4
    assert found.to_bytes() == built(bytes.fromhex("00000001 7fffffff 80000000 90000000"))
    for element in ("80000000", "90000000", "00000001", "7fffffff"):
        assert looked_up(built(signed_order), bytes.fromhex(element)) == Match(5, 4, legacy=False)


def test_list_in_a_file_that_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "lists"
    path.write_bytes(SIX + TWO)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert find(mapped, len(SIX), len(TWO), HASHES[1]) == Match(2, 4, legacy=False)
        assert find(mapped, 0, len(SIX), HASHES[1]) is None


def test_match_begins_where_an_entry_begins() -> None:
    entries = bytes.fromhex("01020304 05060708")
    assert looked_up(built(entries), bytes.fromhex("02030405")) is None
    assert looked_up(built(entries), bytes.fromhex("05060708")) is not None
    # Many that look like one before the one that is.
    entries = bytes.fromhex("000000ff") * 50 + bytes.fromhex("ff000000")
    assert looked_up(built(entries), bytes.fromhex("ff000000")) == Match(51, 4, legacy=False)
    assert looked_up(built(entries[:-4]), bytes.fromhex("ff000000")) is None


@pytest.mark.parametrize(
    ("prefix", "stripped"),
    [
        ("ff800001", "00800001"),
        ("ffff8001", "00008001"),
        ("ffffff80", "00000080"),
        ("ffffffff", "000000ff"),
        ("fffffffe", "000000fe"),
        ("ff8000", "008000"),
    ],
)
def test_entry_that_the_reference_mutilated_is_found_and_told(prefix: str, stripped: str) -> None:
    element = bytes.fromhex(prefix) + bytes(12)
    size = len(prefix) // 2
    assert looked_up(built(bytes.fromhex(stripped), s=size), element) == Match(1, size, legacy=True)
    assert looked_up(built(bytes.fromhex(prefix), s=size), element) == Match(1, size, legacy=False)
    both = bytes.fromhex(stripped + prefix)
    assert looked_up(built(both, s=size), element) == Match(2, size, legacy=False)


@pytest.mark.parametrize("prefix", ["ff7fffff", "fe800001", "80000000", "00800001"])
def test_entries_that_the_reference_writes_whole_have_no_other_form(prefix: str) -> None:
    entries = bytes.fromhex("007fffff 00800001 00000000 00000080")
    found = looked_up(built(entries), bytes.fromhex(prefix))
    assert found == (Match(4, 4, legacy=False) if prefix == "00800001" else None)


def test_single_byte_has_nothing_to_strip() -> None:
    assert looked_up(built(b"\x00", s=1), b"\xff") is None
    assert looked_up(built(b"\xff", s=1), b"\xff") == Match(1, 1, legacy=False)


def test_entries_are_never_written_mutilated() -> None:
    made = VariableHashList.create(2, Mode.COORDINATE, 1e-6)
    made.add(bytes.fromhex("ff800001") + bytes(12))
    assert made.to_bytes()[11:].hex() == "ff800001"


def test_short_elements() -> None:
    assert looked_up(TWO, HASHES[0][:3]) is None
    assert looked_up(TWO, b"") is None
    with pytest.raises(ValueError, match="shorter"):
        VariableHashList.create(1, Mode.POINT, 0.5).add(b"abc")


def test_empty_list_has_nothing() -> None:
    assert looked_up(built(), HASHES[0]) is None
    assert len(VariableHashList.parse(built())) == 0


@pytest.mark.parametrize("size", [1, 16])
def test_smallest_and_largest_entries(size: int) -> None:
    data = built(HASHES[0][:size], s=size)
    assert looked_up(data, HASHES[0]) == Match(1, size, legacy=False)
    assert looked_up(data, ABSENT) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too early"),
        (built()[:10], "too early"),
        (built(version=0), "another version"),
        (built(version=2), "another version"),
        (built(n=-1), "cannot be"),
        (built(s=0), "cannot be"),
        (built(s=17), "cannot be"),
        (built(s=-1), "cannot be"),
        (built(p=0.0), "probability"),
        (built(p=1.0), "probability"),
        (built(p=math.nan), "probability"),
        (built(p=-math.inf), "probability"),
        (built(bytes(3)), "incomplete"),
        (built(bytes(9)), "incomplete"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data).detail


@pytest.mark.parametrize(("offset", "size"), [(-1, 19), (0, 20), (1, 19), (8, 19), (0, 18), (2**40, 19)])
def test_place_outside_of_the_buffer_is_refused(offset: int, size: int) -> None:
    with pytest.raises(RevocationError):
        read_header(TWO, offset, size)
    with pytest.raises(RevocationError):
        find(TWO, offset, size, HASHES[0])


@pytest.mark.parametrize(
    ("count", "p", "minimum"),
    [(0, 0.1, 4), (2**31, 0.1, 4), (1, 0.0, 4), (1, 1.0, 4), (1, math.nan, 4), (1, 0.1, 0), (1, 0.1, 17)],
)
def test_list_that_cannot_be_made(count: int, p: float, minimum: int) -> None:
    with pytest.raises(ValueError, match="a list needs"):
        VariableHashList.create(count, Mode.POINT, p, minimum)
