"""Bloom filters as the EU's distribution service makes them (dgc-bloomfilter): small, and wrong now and then.

All numbers are big-endian. A header of 20 bytes is followed by the bits, in words of 32, the highest bit of a byte
first. The filter knows everything that was added to it, and takes some of what was not for known: a hit is never proof.

Source: dgc-bloomfilter, BloomFilterImpl; its README has two fields of the header the wrong way round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from hashlib import sha256
from mmap import mmap
from struct import Struct as Layout

from msgspec import Struct
from msgspec.structs import replace

from healthcert.errors import Code, RevocationError, Step

Buffer = bytes | bytearray | mmap

_HEADER = Layout(">hbBfiii")
_FLOAT32 = Layout(">f")
_VERSION, _SHA256 = 1, 0
_MOST_ROUNDS = 127
_MOST = 2**31 - 1
_WORD_BYTES, _WORD_BITS = 4, 32
_PIECE = 64 * 1024  # bytes counted at once
_ROUNDS = tuple(bytes((number,)) for number in range(_MOST_ROUNDS))


class Header(Struct, frozen=True):
    """What a filter says of itself.

    ``probability`` is the share of false hits it was planned to have with ``planned`` elements; :func:`measure` tells
    the share that it really has.
    """

    rounds: int
    probability: float
    planned: int
    inserted: int
    words: int


def read_header(buffer: Buffer, offset: int, size: int) -> Header:
    """The header of the filter that takes up ``size`` bytes of ``buffer`` from ``offset`` on.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``) for anything but a filter of exactly that size.
    """
    if offset < 0 or size < _HEADER.size or offset + size > len(buffer):
        raise _unreadable("it ends too early")
    version, rounds, function, probability, planned, inserted, words = _HEADER.unpack_from(buffer, offset)
    if version != _VERSION or function != _SHA256:
        raise _unreadable("of another version, or with another hash function than SHA-256")
    if rounds < 1 or words < 1 or planned < 0 or inserted < 0:
        raise _unreadable("a number in its header that cannot be")
    # Also false for NaN.
    if not 0 < probability < 1:
        raise _unreadable("a probability that is none between 0 and 1")
    if size != _HEADER.size + _WORD_BYTES * words:
        raise _unreadable("not as long as its header says")
    return Header(rounds, probability, planned, inserted, words)


def contains(buffer: Buffer, offset: int, rounds: int, words: int, element: bytes) -> bool:
    """Whether the filter that begins (with its header) at ``offset`` knows ``element``. Nothing is copied.

    ``rounds`` and ``words`` are those that :func:`read_header` found there; nothing is checked again.
    """
    first = offset + _HEADER.size
    return all(buffer[first + (index >> 3)] & (0x80 >> (index & 7)) for index in _indices(element, rounds, words))


def measure(buffer: Buffer, offset: int, size: int) -> float:
    """The share of unknown elements that a filter takes for known, from 0 to 1: from how many of its bits are set.

    It reads all of the filter, a piece at a time. Raises like :func:`read_header`.
    """
    header = read_header(buffer, offset, size)
    filled, end = 0, offset + size
    for start in range(offset + _HEADER.size, end, _PIECE):
        filled += int.from_bytes(buffer[start : min(start + _PIECE, end)], "big").bit_count()
    share: float = (filled / (_WORD_BITS * header.words)) ** header.rounds
    return share


class BloomFilter:
    """A filter in memory, read from a list or made for one."""

    __slots__ = ("_data", "header")

    def __init__(self, header: Header, data: bytearray) -> None:
        """Use :meth:`parse` or :meth:`create`: nothing is checked here."""
        self._data = data
        self._note(header)

    @classmethod
    def parse(cls, data: bytes) -> BloomFilter:
        """The filter of these bytes. Raises like :func:`read_header`."""
        return cls(read_header(data, 0, len(data)), bytearray(data))

    @classmethod
    def create(cls, n: int, p: float) -> BloomFilter:
        """An empty filter for ``n`` elements, of which about one in ``1/p`` others shall be taken for known.

        It has the size and the number of rounds that the reference gives it, whose rounding is its own. Raises
        ValueError for an ``n`` or ``p`` that no filter can be made for.
        """
        probability = _as_written(p)
        if not 0 < n <= _MOST or not 0 < probability < 1:
            raise ValueError("a filter needs 1 to 2**31 - 1 elements, and a probability between 0 and 1")
        bits = math.ceil(n * math.log(probability) / math.log(1 / 2 ** math.log(2)))
        size = bits // 8 + 1
        # The remainder in bytes is counted in words: too many, but a file that is compared needs the same ones.
        words = size // _WORD_BYTES + size % _WORD_BYTES
        rounds = max(1, math.floor(_WORD_BITS * words / n * math.log(2) + 0.5))
        if rounds > _MOST_ROUNDS or words > _MOST:
            raise ValueError("more rounds or bits than a filter can have")
        return cls(Header(rounds, probability, n, 0, words), bytearray(_HEADER.size + _WORD_BYTES * words))

    def add(self, element: bytes) -> None:
        """Makes ``element`` known. More of them than planned fit, at the price of more false hits."""
        header = self.header
        for index in _indices(element, header.rounds, header.words):
            self._data[_HEADER.size + (index >> 3)] |= 0x80 >> (index & 7)
        self._note(replace(header, inserted=min(header.inserted + 1, _MOST)))

    def __contains__(self, element: bytes) -> bool:
        return contains(self._data, 0, self.header.rounds, self.header.words, element)

    @property
    def odds(self) -> float:
        """The share of unknown elements that are taken for known, as :func:`measure` finds it; it counts every time."""
        return measure(self._data, 0, len(self._data))

    def to_bytes(self) -> bytes:
        """The filter as it is published."""
        return bytes(self._data)

    def _note(self, header: Header) -> None:
        self.header = h = header
        _HEADER.pack_into(self._data, 0, _VERSION, h.rounds, _SHA256, h.probability, h.planned, h.inserted, h.words)


def _indices(element: bytes, rounds: int, words: int) -> Iterator[int]:
    """The bits that stand for ``element``, one each round."""
    bits = _WORD_BITS * words
    for number in _ROUNDS[:rounds]:
        # The reference reads the digest as a signed number. It matters wherever bits is no power of two.
        yield int.from_bytes(sha256(element + number).digest(), "big", signed=True) % bits


def _as_written(p: float) -> float:
    """A probability in the precision that a file has room for; 0 where it is none."""
    written: float = _FLOAT32.unpack(_FLOAT32.pack(p))[0] if 0 < p < 1 else 0.0
    return written


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_LIST_UNREADABLE, f"Bloom filter: {detail}", Step.REVOCATION)
