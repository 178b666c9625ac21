"""Lists of shortened hashes as the EU's distribution service makes them (dgca-partialvarhashfilter).

All numbers are big-endian. A header of 11 bytes, whose last one tells how many bytes are kept of each hash, is followed
by these prefixes. They begin with the digits that led to the list, so few of their bits may be left to tell by:
:func:`odds` says how much a hit is worth.

Source: dgca-partialvarhashfilter, PartialVariableHashFilter and PartitionOffset.
"""

from __future__ import annotations

import math
from mmap import mmap
from struct import Struct as Layout

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation.coordinates import Mode

Buffer = bytes | bytearray | mmap

_HEADER = Layout(">hfib")
_FLOAT32 = Layout(">f")
_VERSION = 1
_MOST_PLANNED = 2**31 - 1
_SIZES = range(1, 17)  # a hash has 16 bytes


class Header(Struct, frozen=True):
    """What a list says of itself: ``size`` is the bytes of an entry, ``count`` how many there are."""

    probability: float
    planned: int
    size: int
    count: int


class Match(Struct, frozen=True):
    """That an entry of a list fits; ``count`` and ``size`` of its entries are what :func:`odds` asks for.

    ``legacy`` where it fits only in the mutilated form that the reference writes some hashes in.
    """

    count: int
    size: int
    legacy: bool


def read_header(buffer: Buffer, offset: int, size: int) -> Header:
    """The header of the list that takes up ``size`` bytes of ``buffer`` from ``offset`` on.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``) for anything but a list of exactly that size.
    """
    if offset < 0 or size < _HEADER.size or offset + size > len(buffer):
        raise _unreadable("it ends too early")
    version, probability, planned, entry, *_ = _HEADER.unpack_from(buffer, offset)
    if version != _VERSION:
        raise _unreadable("of another version")
    if planned < 0 or entry not in _SIZES:
        raise _unreadable("a number in its header that cannot be")
    # Also false for NaN.
    if not 0 < probability < 1:
        raise _unreadable("a probability that is none between 0 and 1")
    count, rest = divmod(size - _HEADER.size, entry)
    # The reference drops half an entry without a word; here a list that was cut off is noticed.
    if rest:
        raise _unreadable("its last entry is incomplete")
    return Header(probability, planned, entry, count)


def find(buffer: Buffer, offset: int, size: int, element: bytes) -> Match | None:
    """Whether the list of ``size`` bytes at ``offset`` has an entry that ``element`` begins with. Nothing is copied.

    The entries may be in any order. An element that is shorter than they are is in no list. Raises like
    :func:`read_header`.
    """
    header = read_header(buffer, offset, size)
    start, prefix = offset + _HEADER.size, element[: header.size]
    if len(prefix) < header.size:
        return None
    if _has(buffer, start, offset + size, prefix):
        return Match(header.count, header.size, legacy=False)
    stripped = _stripped(prefix)
    if stripped != prefix and _has(buffer, start, offset + size, stripped):
        return Match(header.count, header.size, legacy=True)
    return None


def odds(count: int, size: int, digits: int) -> float:
    """The odds that a hash fits a list of ``count`` entries of ``size`` bytes by chance, from 0 to 1.

    ``digits`` of the hash were spent on finding the list (:attr:`Mode.digits`): there they are the same for all.
    """
    return float(min(1.0, count / 2.0 ** (8 * size - 4 * digits)))


def entry_size(count: int, mode: Mode, p: float, minimum: int = 4) -> int:
    """How many bytes of each hash the reference keeps in a list of ``count``; at least ``minimum`` (1 to 16).

    The formula, computed in floating point as there, does not grow with ``count``: 100 hashes get 8 bytes, 1000 get 4.
    Raises ValueError for numbers that no list can be made for.
    """
    probability = _as_written(p)
    if not 0 < count <= _MOST_PLANNED or not 0 < probability < 1 or minimum not in _SIZES:
        raise ValueError(
            "a list needs 1 to 2**31 - 1 hashes, a probability between 0 and 1, and entries of 1 to 16 bytes"
        )
    bits = math.ceil(math.log2(count))
    return max(math.ceil(bits / 8 + bits % 8 - mode.offset + probability), minimum)


class VariableHashList:
    """A list in memory, read from a slice or made for one."""

    __slots__ = ("_entries", "planned", "probability", "size")

    def __init__(self, probability: float, planned: int, size: int) -> None:
        """Use :meth:`parse` or :meth:`create`: nothing is checked here."""
        self.probability = probability
        self.planned = planned
        self.size = size
        self._entries: set[bytes] = set()

    @classmethod
    def parse(cls, data: bytes) -> VariableHashList:
        """The list of these bytes, its entries in any order. Raises like :func:`read_header`."""
        header = read_header(data, 0, len(data))
        found = cls(header.probability, header.planned, header.size)
        found._entries = {data[start : start + header.size] for start in range(_HEADER.size, len(data), header.size)}
        return found

    @classmethod
    def create(cls, count: int, mode: Mode, p: float, minimum: int = 4) -> VariableHashList:
        """An empty list for ``count`` hashes, whose entries are of the size that :func:`entry_size` gives.

        Raises ValueError like that.
        """
        size = entry_size(count, mode, p, minimum)
        return cls(_as_written(p), count, size)

    def add(self, element: bytes) -> None:
        """Puts ``element`` on the list. Raises ValueError for one that is shorter than the entries are."""
        if len(element) < self.size:
            raise ValueError("shorter than an entry")
        self._entries.add(element[: self.size])

    def __contains__(self, element: bytes) -> bool:
        """Whether an entry fits ``element``, as it should be written or as the reference mutilates it."""
        prefix = element[: self.size]
        return len(prefix) == self.size and (prefix in self._entries or _stripped(prefix) in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def to_bytes(self) -> bytes:
        """The list as it is published: each entry once and whole, in ascending order of unsigned numbers."""
        return _HEADER.pack(_VERSION, self.probability, self.planned, self.size) + b"".join(sorted(self._entries))


def _has(buffer: Buffer, start: int, stop: int, entry: bytes) -> bool:
    size = len(entry)
    at = buffer.find(entry, start, stop)
    # Only where an entry begins; the end of one and the start of the next may look like another.
    while at >= 0 and (over := (at - start) % size):
        at = buffer.find(entry, at + size - over, stop)
    return at >= 0


def _stripped(prefix: bytes) -> bytes:
    """How the reference writes ``prefix``: as a negative number without needless bytes, then filled up with zeros.

    That does damage where nine bits in front are set, and changes nothing elsewhere.
    """
    first = 0
    while first < len(prefix) - 1 and prefix[first] == 0xFF and prefix[first + 1] & 0x80:
        first += 1
    return prefix[first:].rjust(len(prefix), b"\0")


def _as_written(p: float) -> float:
    """A probability in the precision that a file has room for; 0 where it is none."""
    written: float = _FLOAT32.unpack(_FLOAT32.pack(p))[0] if 0 < p < 1 else 0.0
    return written


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_LIST_UNREADABLE, f"list of hashes: {detail}", Step.REVOCATION)
