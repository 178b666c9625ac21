"""Where the distribution service puts a hash."""

from __future__ import annotations

import pytest

from healthcert.revocation.coordinates import Mode, place

HASH = bytes.fromhex("1a2b3c4d5e6f708192a3b4c5d6e7f801")


@pytest.mark.parametrize(
    ("count", "mode"),
    [
        (0, Mode.POINT),
        (100_000, Mode.POINT),
        (100_001, Mode.VECTOR),
        (1_600_000, Mode.VECTOR),
        (1_600_001, Mode.COORDINATE),
    ],
)
def test_number_of_hashes_selects_the_mode(count: int, mode: Mode) -> None:
    assert Mode.for_count(count) is mode


@pytest.mark.parametrize(
    ("mode", "placed"), [(Mode.POINT, (None, "1")), (Mode.VECTOR, ("1", "a")), (Mode.COORDINATE, ("1a", "2"))]
)
def test_leading_digits_are_the_names_of_partition_and_chunk(mode: Mode, placed: tuple[str | None, str]) -> None:
    assert place(HASH, mode) == placed


def test_zeros_in_front_are_digits_too() -> None:
    assert place(bytes(16), Mode.COORDINATE) == ("00", "0")
    assert place(b"\x00\xff", Mode.VECTOR) == ("0", "0")


def test_each_mode_spends_one_digit_more() -> None:
    assert [(mode.digits, mode.offset) for mode in Mode] == [(1, 0), (2, 1), (3, 2)]
    # The most slices that there can be of one expiry.
    assert [16**mode.digits for mode in Mode] == [16, 256, 4096]
