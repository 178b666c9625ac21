"""Files to messages: the framing, and the counts of batches."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import Code
from healthcert.intake.hl7v2.framing import _BLOCK, Piece, split
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from healthcert.limits import Limits
from tests.unit.intake.hl7v2.messages import RESULT, block, message, read

ONE = message(RESULT)
FHS, BHS = b"FHS|^~\\&|LAB\r", b"BHS|^~\\&|LAB\r"


def numbers(data: bytes) -> list[tuple[int, bool]]:
    return [(row.number, isinstance(row, Row)) for row in read(data)]


def reasons(data: bytes) -> list[tuple[int, Code, str]]:
    found = [row for row in read(data) if isinstance(row, RejectedRow)]
    return [(row.number, row.error.code, row.error.detail) for row in found]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("between", [b"", b"\r\n\r\n"])
def test_messages_one_after_the_other(end: bytes, between: bytes) -> None:
    data = between.join([ONE.replace(b"\r", end)] * 3)
    assert numbers(data) == [(1, True), (2, True), (3, True)]


def test_messages_in_blocks_of_mllp() -> None:
    assert numbers(block(ONE) * 3) == [(1, True), (2, True), (3, True)]
    # The end of a block tells that its last segment is whole.
    assert numbers(block(ONE[:-1])) == [(1, True)]
    assert numbers(block(ONE) + b"\n" + ONE) == [(1, True), (2, True)]


def test_a_mark_of_utf_8_at_the_beginning() -> None:
    assert numbers(b"\xef\xbb\xbf" + ONE) == [(1, True)]


def test_what_is_cut_off() -> None:
    assert reasons(ONE[:-1]) == [
        (
            1,
            Code.RECORD_UNREADABLE,
            "the message may be cut off: neither its block (MLLP) nor its last segment is ended",
        )
    ]
    assert numbers(b"\x0b" + ONE + block(ONE)) == [(1, False), (2, True)]
    assert numbers(block(ONE) + b"\x0b" + ONE) == [(1, True), (2, False)]
    for length in range(1, len(ONE)):
        assert numbers(b"\x0b" + ONE[:length]) == [(1, False)]


def test_what_is_no_message() -> None:
    headless = ONE.split(b"\r", 1)[1]
    assert reasons(headless) == [(1, Code.RECORD_UNREADABLE, "a message begins with MSH")]
    assert numbers(block(ONE) + block(headless) + block(ONE)) == [(1, True), (2, False), (3, True)]
    assert numbers(b"junk\r" + ONE) == [(1, False), (2, True)]
    assert numbers(block(b"")) == [(1, False)]
    assert numbers(block(ONE + ONE)) == [(1, False)]
    assert numbers(b"") == numbers(b"\r\n \r") == []


def test_a_message_whose_first_line_is_damaged_is_none_of_the_one_before() -> None:
    assert numbers(ONE + b"MSHX" + ONE[3:]) == [(1, True), (2, False)]


def test_batches() -> None:
    batch = BHS + ONE * 2 + b"BTS|2\r"
    assert numbers(batch) == [(1, True), (2, True)]
    assert numbers(FHS + batch + batch + b"FTS|2\r") == [(1, True), (2, True), (3, True), (4, True)]
    assert numbers(block(FHS + batch + b"FTS|1\r")) == [(1, True), (2, True)]
    assert numbers(BHS + ONE + b"BTS\r") == [(1, True)]
    assert numbers(FHS + ONE + b"FTS\r") == [(1, True)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (BHS + ONE + b"BTS|2\r", ["BTS-1: does not count the 1 messages that are there; some may be missing"]),
        (BHS + ONE + b"BTS|two\r", ["BTS-1: does not count the 1 messages that are there; some may be missing"]),
        (BHS + ONE, ["BHS: its end is missing; messages may be missing as well"]),
        (ONE + b"BTS|1\r", ["BTS: BHS does not stand before it, or a batch in it is not ended"]),
        (
            BHS + ONE + BHS + b"BTS|0\r",
            ["BHS: stands in a batch whose end is missing; messages may be missing as well"],
        ),
        (
            FHS + BHS + ONE + b"BTS|1\rFTS|3\r",
            ["FTS-1: does not count the 1 batches that are there; some may be missing"],
        ),
        (FHS + BHS + ONE + b"FTS\r", ["FTS: FHS does not stand before it, or a batch in it is not ended"]),
        (BHS + ONE + b"BTS|1\rOBX|1\r", ["BTS: is followed by a message, a batch or the end"]),
        (
            FHS + BHS + ONE,
            [
                "BHS: its end is missing; messages may be missing as well",
                "FHS: its end is missing; messages may be missing as well",
            ],
        ),
    ],
)
def test_batches_that_do_not_hold_what_they_say(data: bytes, expected: list[str]) -> None:
    assert reasons(data) == [(1, Code.RECORD_UNREADABLE, detail) for detail in expected]
    assert sum(isinstance(row, Row) for row in read(data)) == 1


class Endless(io.RawIOBase):
    """A segment without an end, of which no more than a block is in memory."""

    def __init__(self, size: int, tail: bytes) -> None:
        self._left, self._tail = size, tail

    def read(self, size: int = -1) -> bytes:
        if self._left <= 0:
            tail, self._tail = self._tail, b""
            return tail
        self._left -= size
        return b"A" * size


def test_a_segment_of_a_hundred_megabytes() -> None:
    long = split(Endless(100 * 2**20, b"\r" + ONE), 2**20)  # type: ignore[arg-type]
    assert list(long) == [Piece(None, framed=False, complete=False), Piece(ONE, framed=False, complete=True)]


def test_a_message_is_as_long_as_allowed() -> None:
    for most, is_read in ((len(ONE), True), (len(ONE) - 1, False)):
        options = IntakeOptions(limits=Limits(message_bytes=most))
        found = read(ONE + ONE + block(ONE), options)
        assert [isinstance(row, Row) for row in found] == [is_read] * 3
        if not is_read:
            assert {row.error.code for row in found if isinstance(row, RejectedRow)} == {Code.INPUT_TOO_LONG}


@pytest.mark.parametrize("framed", [False, True])
def test_a_boundary_at_any_place_of_a_block(framed: bool) -> None:
    piece = block(ONE) if framed else ONE
    for shift in range(12):
        filler = b"Z" * (_BLOCK - len(piece) - 6 + shift) + b"\r"
        pieces = [piece.data for piece in split(io.BytesIO(filler + piece + piece), 2**20)]
        assert pieces == [filler, ONE, ONE]


@given(st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"MSH", b"FHS", b"BTS", b"M", b"x|"]), max_size=40))
def test_every_byte_is_in_one_piece(parts: list[bytes]) -> None:
    data = b"".join(parts)
    found = b"".join(piece.data or b"" for piece in split(io.BytesIO(data), 1000))
    strip = bytes.maketrans(b"", b"")
    assert found.translate(strip, b"\r\n") == data.translate(strip, b"\r\n\x0b\x1c")
