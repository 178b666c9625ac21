"""Protocol Buffers on the wire: what is read, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.encoding.protobuf import byte_strings, fields
from healthcert.errors import Code, DecodeError


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        ("", []),
        ("08 00", [(1, 0)]),
        ("08 96 01", [(1, 150)]),
        ("12 03 61 62 63", [(2, b"abc")]),
        ("12 00", [(2, b"")]),
        ("12 01 61 12 01 62", [(2, b"a"), (2, b"b")]),
        ("0d 01 00 00 00", [(1, 1)]),
        ("09 00 00 00 00 00 00 00 80", [(1, 1 << 63)]),
        # An integer may be written longer than it has to be.
        ("08 80 80 00", [(1, 0)]),
        ("08 ff ff ff ff ff ff ff ff ff 01", [(1, (1 << 64) - 1)]),
        # The highest field number.
        ("f8 ff ff ff 0f 01", [((1 << 29) - 1, 1)]),
    ],
)
def test_read(wire: str, found: list[tuple[int, int | bytes]]) -> None:
    assert list(fields(bytes.fromhex(wire))) == found


@pytest.mark.parametrize(
    "wire",
    [
        "08",  # no value
        "08 80",  # a value that does not end
        "08 80 80 80 80 80 80 80 80 80 80 00",  # one of eleven bytes
        "08 ff ff ff ff ff ff ff ff ff 02",  # more than 64 bits
        "00 00",  # field number 0
        "80 80 80 80 10 00",  # a field number of 30 bits
        "0b",  # the start of a group
        "0c",  # the end of a group
        "0e 00",  # wire types that there are none of
        "0f 00",
        "12 02 61",  # shorter than it says
        "12 ff ff ff ff ff ff ff ff ff 01",
        "0d 00 00 00",
        "09 00",
    ],
)
def test_refused(wire: str) -> None:
    with pytest.raises(DecodeError) as error:
        list(fields(bytes.fromhex(wire)))
    assert error.value.code is Code.TRUST_LIST_UNREADABLE


def test_byte_strings_of_one_field() -> None:
    # Field 1 is there as an integer as well, and field 2 belongs to nobody here.
    wire = bytes.fromhex("08 05 0a 01 61 12 01 62 0a 01 63")
    assert list(byte_strings(wire, 1)) == [b"a", b"c"]


@given(st.binary(max_size=64))
def test_nothing_else_escapes(wire: bytes) -> None:
    try:
        found = list(fields(wire))
    except DecodeError:
        return
    assert sum(len(value) for _, value in found if isinstance(value, bytes)) <= len(wire)


@given(st.lists(st.tuples(st.integers(1, (1 << 29) - 1), st.integers(0, (1 << 64) - 1) | st.binary(max_size=200))))
def test_what_was_written_is_read(values: list[tuple[int, int | bytes]]) -> None:
    wire = b"".join(
        _varint(number << 3 | 2) + _varint(len(value)) + value
        if isinstance(value, bytes)
        else _varint(number << 3) + _varint(value)
        for number, value in values
    )
    assert list(fields(wire)) == values


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*octets, value))
