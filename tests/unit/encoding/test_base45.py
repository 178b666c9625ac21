"""Base45 against RFC 9285: its examples, its rules for refusal, and every group there is."""

from __future__ import annotations

import itertools

import pytest

from healthcert.encoding import base45
from healthcert.errors import Code, DecodeError, Step

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""RFC 9285 §4, table 1."""

RUN = 1024
"""Groups that the implementation computes at once; sizes around its multiples are where it could go wrong."""


def textbook(data: bytes) -> str:
    """RFC 9285 §4 word by word: n = 256 a + b is c + 45 d + 2025 e; a last single byte is c + 45 d."""
    text = ""
    for start in range(0, len(data), 2):
        group = data[start : start + 2]
        n = int.from_bytes(group, "big")
        for _ in range(len(group) + 1):
            n, digit = divmod(n, 45)
            text += ALPHABET[digit]
    return text


def refusal(text: str) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        base45.decode(text)
    error = caught.value
    assert (error.code, error.step) == (Code.BASE_45_DECODING_FAILED, Step.DECODE)
    return error


# RFC 9285 §4.3 (encoding) and §4.4 (decoding).
EXAMPLES = [
    (b"AB", "BB8"),
    (b"Hello!!", "%69 VD92EX0"),
    (b"base-45", "UJCLQE7W581"),
    (b"ietf!", "QED8WEX0"),
    (b"", ""),
    (b"\xff\xff", "FGW"),
    (b"\xff", "U5"),
    (b"\x00", "00"),
    (b"\x00\x00", "000"),
]


@pytest.mark.parametrize(("data", "text"), EXAMPLES)
def test_examples_of_the_rfc_both_ways(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("GGW", id="65536"),
        pytest.param(":::", id="91124"),
        pytest.param("000GGW", id="second group"),
        pytest.param("GGW000", id="first group"),
        pytest.param("V5", id="256"),
        pytest.param("::", id="2024"),
        pytest.param("000V5", id="last pair after a group"),
    ],
)
def test_group_beyond_its_largest_value_is_refused(text: str) -> None:
    """RFC 9285 §6: a decoder MUST reject what no encoder can have written."""
    assert "exceed" in refusal(text).detail


@pytest.mark.parametrize("size", [1, 4, 7, 3 * RUN - 2, 3 * RUN + 1, 6 * RUN + 1])
def test_one_character_left_over_is_refused(size: int) -> None:
    assert "left over" in refusal("0" * size).detail


@pytest.mark.parametrize(
    "character",
    [
        *"abz_#!@&=?;,<>'\"()[]{}|\\^~`",
        *("\n", "\r", "\t", "\0", "\x7f", "\x80", "\xa0", "\xdf", "\u0131", "\u212a", "\uff21", "\U0001f600", "\ud800"),
    ],
    ids=ascii,
)
def test_character_outside_the_alphabet_is_refused(character: str) -> None:
    """RFC 9285 §6. Neither trimmed (newline), nor folded (lower case, full width, Kelvin sign), nor skipped."""
    for text in ("{}00", "0{}0", "00{}", "{}0", "0{}", "000{}00", "00000{}"):
        assert "alphabet" in refusal(text.format(character)).detail


def test_newline_after_a_whole_text_is_refused() -> None:
    refusal("BB8\n")
    refusal("BB8\r\n")


def test_every_single_byte() -> None:
    for value in range(256):
        data = bytes((value,))
        text = base45.encode(data)
        assert text == textbook(data)
        assert base45.decode(text) == data


def test_every_pair_of_bytes() -> None:
    data = b"".join(value.to_bytes(2, "big") for value in range(65536))
    text = base45.encode(data)
    assert text == textbook(data)
    assert base45.decode(text) == data


def test_every_group_of_characters_beyond_the_largest_is_refused_and_no_other() -> None:
    for size, last in ((2, 0xFF), (3, 0xFFFF)):
        refused = 0
        for digits in itertools.product(ALPHABET, repeat=size):
            text = "".join(reversed(digits))  # In ascending order of the value: the last digit weighs most.
            try:
                base45.decode(text)
            except DecodeError:
                refused += 1
            else:
                assert not refused, f"{text!r} follows a refused group"
        assert refused == 45**size - (last + 1)


@pytest.mark.parametrize("size", [2 * RUN * runs + more for runs in (1, 2, 3) for more in (-3, -2, -1, 0, 1, 2, 3)])
def test_sizes_around_the_runs_of_the_implementation(size: int) -> None:
    data = bytes(index * 7 % 251 for index in range(size))
    text = base45.encode(data)
    assert text == textbook(data)
    assert base45.decode(text) == data


@pytest.mark.parametrize("size", [2 * RUN, 2 * RUN + 1, 4 * RUN, 4 * RUN + 1])
@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_extreme_values_do_not_spill_into_their_neighbours(size: int, byte: int) -> None:
    data = bytes((byte,)) * size
    assert base45.encode(data) == textbook(data)
    assert base45.decode(textbook(data)) == data


@pytest.mark.parametrize("group", [0, 1, RUN - 1, RUN, RUN + 1, 2 * RUN - 1, 2 * RUN])
@pytest.mark.parametrize("bad", ["GGW", ":::", "00a", "0\n0"])
def test_bad_group_is_refused_wherever_it_stands(group: int, bad: str) -> None:
    groups = ["FGW"] * (2 * RUN + 1)
    assert base45.decode("".join(groups)) == b"\xff\xff" * len(groups)
    groups[group] = bad
    refusal("".join(groups))


def test_error_never_quotes_the_text() -> None:
    for text in ("SECRET-MARKERx", "SECRET-MARKE:::", "SECRET-MARK:::"):
        assert "MARK" not in f"{refusal(text)!r}{refusal(text)}"
