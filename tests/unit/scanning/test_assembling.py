"""Bytes become scans: at line ends, or at pauses; and the keys of a hand are told from those of a scanner."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.limits import Limits
from healthcert_cli.scanning.assembling import LONG_PAUSE, PAUSE, Assembler
from healthcert_cli.scanning.keys import END, STOP, QuitKeys
from healthcert_cli.scanning.layouts import is_garbled

LIMITS = Limits()


def scans(assembler: Assembler, *chunks: bytes) -> list[bytes | None]:
    return [scan.data for chunk in chunks for scan in assembler.feed(chunk, 0)]


@settings(max_examples=40)
@given(
    st.lists(st.binary(min_size=1, max_size=40).filter(lambda text: not {10, 13, 0x5D} & set(text)), max_size=5),
    st.sampled_from([b"\r", b"\n", b"\r\n"]),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_however_the_bytes_are_cut_the_scans_are_the_same(texts: list[bytes], end: bytes, cuts: list[int]) -> None:
    stream = b"".join(text + end for text in texts)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:stop] for start, stop in pairwise(places)]
    assembler = Assembler(LIMITS)
    assert scans(assembler, *chunks) == texts
    assert assembler.is_empty


@pytest.mark.parametrize("identifier", [b"]Q1", b"]Q3", b"]d2", b"]z0"])
def test_what_a_scanner_says_of_the_barcode_is_no_part_of_it(identifier: bytes) -> None:
    assert scans(Assembler(LIMITS), identifier + b"HC1:A]Q1\r") == [b"HC1:A]Q1"]


def test_what_is_longer_than_any_barcode_is_thrown_away_whole() -> None:
    limit = LIMITS.text_chars
    assembler = Assembler(LIMITS)
    assert scans(assembler, b"x" * limit, b"\r") == [b"x" * limit]
    assert scans(assembler, b"x" * limit, b"y", b"z" * 10**6, b"\rnext\r") == [None, b"next"]


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        (b"HC1:6BF", PAUSE),
        (b"shc:/56762909", PAUSE),
        (b"NZCP:/1/2KCE", PAUSE),
        (b"]Q1HC1:6BF", PAUSE),
        (b"hello", LONG_PAUSE),
        (b"HC&M6BF", LONG_PAUSE),
        (b"\xff\xfe", LONG_PAUSE),
        (b"HC1:" + b"A" * LIMITS.text_chars, LONG_PAUSE),
    ],
)
def test_without_a_line_end_a_pause_ends_a_scan(text: bytes, pause: float) -> None:
    assembler = Assembler(LIMITS)
    assert assembler.due() is None
    assert list(assembler.feed(text, 10)) == []
    assert assembler.due() == 10 + pause
    assert list(assembler.paused(10 + pause - 0.01)) == []
    [scan] = assembler.paused(10 + pause)
    assert scan.data == (text.removeprefix(b"]Q1") if len(text) < 100 else None)
    assert assembler.due() is None


def test_a_scanner_that_sends_line_ends_is_waited_for() -> None:
    assembler = Assembler(LIMITS)
    assert scans(assembler, b"HC1:A\r", b"HC1:B") == [b"HC1:A"]
    assert list(assembler.paused(PAUSE)) == []
    assert scans(assembler, b"C\r") == [b"HC1:BC"]


def test_a_pipe_ends_a_scan_with_itself() -> None:
    assembler = Assembler(LIMITS, by_pause=False)
    assert scans(assembler, b"HC1:A") == []
    assert assembler.due() is None
    assert [scan.data for scan in assembler.finish()] == [b"HC1:A"]
    assert list(assembler.finish()) == []


@pytest.mark.parametrize("key", [STOP, END])
def test_a_key_that_is_pressed_alone_counts_after_a_moment(key: int) -> None:
    keys = QuitKeys()
    assert keys.take(bytes([key]), 5, is_between=True) == b""
    assert keys.pressed(5.01) is None
    assert keys.due() == 5.15
    assert keys.pressed(5.15) == key


def test_two_keys_wait_no_longer() -> None:
    keys = QuitKeys()
    for at in (5, 5.01):
        assert keys.take(b"\x03", at, is_between=True) == b""
    assert keys.pressed(5.01) == STOP


@pytest.mark.parametrize("first", [b"\x03", b"\x04"])
def test_a_barcode_cannot_end_the_session(first: bytes) -> None:
    keys = QuitKeys()
    assert keys.take(first, 5, is_between=True) == b""
    assert keys.take(b"HC1:", 5.01, is_between=True) == first + b"HC1:"
    assert keys.take(first, 5.02, is_between=False) == first
    assert keys.due() is None
    assert keys.pressed(9) is None
    assert keys.take(b"HC1:" + first, 6, is_between=True) == b"HC1:" + first


@pytest.mark.parametrize("text", ["HC&M6BF", "HC1Ö6BF", 'HC+"6BF', "hc1:6bf", "HC1>6BF", "РС1Ж6", "hc1ö6", "HC!.6"])
def test_other_keyboards_are_told(text: str) -> None:
    assert is_garbled(text)


@pytest.mark.parametrize("text", ["", "H", "HC1:6BF", "HC2:6BF", "hello", "HC", "shc:/1", "https://example.org"])
def test_other_texts_are_not_taken_for_that(text: str) -> None:
    assert not is_garbled(text)
