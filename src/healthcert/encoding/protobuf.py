"""Protocol Buffers, read field by field: numbers and values as they stand on the wire, without a schema.

Only what signed lists need: integers and byte strings. A message that is read as a schema says, by a program that
was made from it, may hold whatever fields it likes; here the caller picks those it knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from healthcert.errors import Code, DecodeError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10  # 64 bits in groups of seven


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The number and value of each field of a message, in the order they come in.

    An integer for a varint and for the fixed sizes (little-endian, unsigned), bytes for what has a length. Raises
    :class:`DecodeError` (``TRUST_LIST_UNREADABLE``) where the bytes are none (Protocol Buffers, "Encoding").
    """
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 0b111
        # Field numbers begin with 1 and have 29 bits.
        if not 0 < number < 1 << 29:
            raise _unreadable("a field number that cannot be")
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        size = _FIXED.get(kind)
        if kind == _BYTES:
            size, position = _varint(data, position)
        if size is None:
            raise _unreadable("a field of a kind that is not used any more")
        if size > len(data) - position:
            raise _unreadable("it ends too early")
        found = data[position : position + size]
        yield number, found if kind == _BYTES else int.from_bytes(found, "little")
        position += size


def byte_strings(data: bytes, number: int) -> Iterator[bytes]:
    """The values of the field ``number`` that are byte strings; such a field may be there any number of times.

    Raises like :func:`fields`.
    """
    return (value for found, value in fields(data) if found == number and isinstance(value, bytes))


def _varint(data: bytes, start: int) -> tuple[int, int]:
    """The integer at ``start``, seven bits a byte, the lowest first; and where it ends."""
    value = 0
    for count, octet in enumerate(data[start : start + _LONGEST_VARINT]):
        value |= (octet & 0x7F) << 7 * count
        if not octet & 0x80:
            if value >> 64:
                break
            return value, start + count + 1
    raise _unreadable("an integer that does not end, or of more than 64 bits")


def _unreadable(detail: str) -> DecodeError:
    return DecodeError(Code.TRUST_LIST_UNREADABLE, f"Protocol Buffers: {detail}")
