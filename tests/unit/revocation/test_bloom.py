"""Bloom filters: the worked examples, the sizing of the reference, and every check of the header."""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

import pytest

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation.bloom import BloomFilter, contains, measure, read_header

# Sizing and bits of the reference, for SHA-256 of "1" as its own test has it.
ONE = bytes.fromhex("0001430038d1b7170000000100000001000000037d4b789447afb5d31a36164c")
# Two hashes of the German test certificates.
TWO = bytes.fromhex("000121003c23d70a000000020000000200000003d374e2c060ba6f4066e4b9ff")
HASHES = [bytes.fromhex(text) for text in ("423bd0a847634ce8dea5dd5e9400f287", "54a90383b0e792489835caec8befd2a4")]
ABSENT = bytes.fromhex("3d59bc9b9563dcea32836578c9d3b161")


def built(*, version: int = 1, k: int = 1, function: int = 0, p: float = 0.01, n: int = 1, inserted: int = 1,
          w: int = 1, words: bytes = bytes(4)) -> bytes:  # fmt: skip
    return struct.pack(">hbBfiii", version, k, function, p, n, inserted, w) + words


def refusal(data: bytes) -> RevocationError:
    with pytest.raises(RevocationError) as caught:
        BloomFilter.parse(data)
    assert (caught.value.code, caught.value.step) == (Code.REVOCATION_LIST_UNREADABLE, Step.REVOCATION)
    return caught.value


def test_first_worked_example_is_written_to_the_byte() -> None:
    made = BloomFilter.create(1, 1e-4)
    assert (made.header.rounds, made.header.words) == (67, 3)
    made.add(b"1")
    assert made.to_bytes() == ONE


def test_second_worked_example_is_written_to_the_byte() -> None:
    made = BloomFilter.create(2, 0.01)
    for element in HASHES:
        made.add(element)
    assert made.to_bytes() == TWO
    assert all(element in made for element in HASHES)
    assert ABSENT not in made


def test_filter_is_read_back() -> None:
    found = BloomFilter.parse(TWO)
    header = found.header
    assert (header.rounds, header.planned, header.inserted, header.words) == (33, 2, 2, 3)
    assert header.probability == pytest.approx(0.01)
    assert all(element in found for element in HASHES)
    assert found.to_bytes() == TWO


@pytest.mark.parametrize(
    ("n", "p", "words", "rounds"),
    # The second is a test of the reference, which has 239680 bits and 17 rounds.
    [(1, 0.125, 1, 22), (10_000, 1e-5, 7490, 17), (500, 1e-9, 674, 30)],
)
def test_sizes_are_those_of_the_reference(n: int, p: float, words: int, rounds: int) -> None:
    header = BloomFilter.create(n, p).header
    assert (header.words, header.rounds) == (words, rounds)


def test_digest_is_a_signed_number_and_the_highest_bit_comes_first() -> None:
    """A test of the reference: one round in one word sets the 27th bit from the left."""
    made = BloomFilter.parse(built())
    made.add(bytes((0, 5, 33, 44)))
    assert made.to_bytes()[20:] == (0x80000000 >> 26).to_bytes(4, "big")
    assert bytes((0, 5, 88, 44)) not in made


def test_more_elements_than_planned_are_counted_and_found() -> None:
    made = BloomFilter.create(2, 0.01)
    for number in range(20):
        made.add(bytes((number,)))
    assert made.header.inserted == 20
    assert all(bytes((number,)) in made for number in range(20))
    assert made.odds > 0.5  # planned were 0.01


def test_elements_are_not_counted_beyond_what_the_header_can_hold() -> None:
    made = BloomFilter.parse(built(inserted=2**31 - 1))
    made.add(b"one more")
    assert made.header.inserted == 2**31 - 1
    assert BloomFilter.parse(made.to_bytes()).header == made.header


def test_odds_are_those_of_the_bits_that_are_set() -> None:
    assert BloomFilter.create(10, 0.01).odds == 0
    assert BloomFilter.parse(built(words=b"\xff" * 4)).odds == 1
    assert BloomFilter.parse(built(k=3, words=b"\xff\xff\0\0")).odds == pytest.approx(0.5**3)


def test_filter_that_knows_everything_says_so() -> None:
    full = BloomFilter.parse(built(k=127, words=b"\xff" * 4))
    assert ABSENT in full
    assert full.odds == 1


def test_filter_inside_a_larger_buffer() -> None:
    buffer = b"\xff" * 7 + TWO + b"\xff" * 50
    header = read_header(buffer, 7, len(TWO))
    assert header == BloomFilter.parse(TWO).header
    assert all(contains(buffer, 7, header.rounds, header.words, element) for element in HASHES)
    assert not contains(buffer, 7, header.rounds, header.words, ABSENT)
    assert measure(buffer, 7, len(TWO)) == BloomFilter.parse(TWO).odds


def test_filter_in_a_file_that_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "filters"
    path.write_bytes(ONE + TWO)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        header = read_header(mapped, len(ONE), len(TWO))
        assert all(contains(mapped, len(ONE), header.rounds, header.words, element) for element in HASHES)
        assert not contains(mapped, len(ONE), header.rounds, header.words, ABSENT)
        assert measure(mapped, len(ONE), len(TWO)) == BloomFilter.parse(TWO).odds


def test_filter_larger_than_what_is_counted_at_once() -> None:
    words = b"\x0f" * 200_000
    data = built(w=50_000, words=words)
    assert measure(b"x" + data + b"\xff" * 9, 1, len(data)) == 0.5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too early"),
        (built()[:19], "too early"),
        (built(version=2), "another version"),
        (built(version=-1), "another version"),
        (built(function=1), "hash function"),
        (built(k=0), "cannot be"),
        (built(k=-1), "cannot be"),
        (built(w=0, words=b""), "cannot be"),
        (built(w=-1), "cannot be"),
        (built(n=-1), "cannot be"),
        (built(inserted=-1), "cannot be"),
        (built(p=0.0), "probability"),
        (built(p=1.0), "probability"),
        (built(p=-0.5), "probability"),
        (built(p=math.nan), "probability"),
        (built(p=math.inf), "probability"),
        (built(words=bytes(3)), "header says"),
        (built(words=bytes(5)), "header says"),
        (built(w=2), "header says"),
        (built(w=2**31 - 1), "header says"),
    ],
)
def test_what_is_no_filter_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data).detail


@pytest.mark.parametrize(("offset", "size"), [(-1, 24), (0, 25), (1, 24), (4, 24), (0, 23), (2**40, 24)])
def test_place_outside_of_the_buffer_is_refused(offset: int, size: int) -> None:
    with pytest.raises(RevocationError):
        read_header(built(), offset, size)
    with pytest.raises(RevocationError):
        measure(built(), offset, size)


@pytest.mark.parametrize(
    ("n", "p"),
    [
        (0, 0.01),
        (-1, 0.01),
        (2**31, 0.01),
        (1, 0.0),
        (1, 1.0),
        (1, 1 - 1e-12),  # is 1 in the precision of a file
        (1, 1e-60),  # is 0 in it
        (1, math.nan),
        (1, -0.1),
        (1, 1e-30),  # would need more than 127 rounds
    ],
)
def test_filter_that_cannot_be_made(n: int, p: float) -> None:
    with pytest.raises(ValueError, match="a filter"):
        BloomFilter.create(n, p)
