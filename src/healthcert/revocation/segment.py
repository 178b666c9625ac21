"""The file that revoked identifiers are looked up in: sorted records of one width, mapped into memory, never changed.

All numbers are big-endian but the fan-out tables, whose entries are little-endian::

    header    magic, sizes and places of what follows, SHA-256 of the rest, SHA-256 of the header itself
    data      of each section its records and a fan-out table; filters as they were published
    origins   what records came from: until when they count, of which country they may speak, how many there are
    sections  sorted by key: where each section is

A record is an identifier followed by the number of its origin in three bytes. A section holds the records of one type
of identifier, under one issuer and kid. Its fan-out table has one entry for each value of an identifier's first bits:
where the records that begin with it start. So a look-up touches two entries and a few records.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step

MAGIC = b"HCREVOC\x01"
HEADER = Layout(">8sQQIQI32s")
HEADER_BYTES = HEADER.size + 32
ORIGIN = Layout(">qq2sxxI")
ROW = Layout(">16sBBBxQQQ")
FAN = Layout("<II")
ORIGIN_BYTES = 3
TOMBSTONE = 0xFFFFFF
"""The origin of an identifier that is no longer listed, in a segment that stands before an older one."""
NEVER = 2**62
MOST_SECTIONS = 4_000_000
"""Sections and filters in one segment."""

RECORDS, BLOOM, VARHASH = 0, 1, 2
_MOST_FAN_BITS = 24


class Origin(Struct, frozen=True):
    """What a record came from. ``expires`` is the last second in which it counts.

    With ``before`` it revokes only certificates from before that second; with ``country`` only those of that country.
    """

    expires: int = NEVER
    before: int = NEVER
    country: str | None = None


class Row(Struct, frozen=True):
    """Where a section is. Of records: the first one's place, their number, and the fan-out table behind them.

    Of a filter: its place, its length, and the number of its origin.
    """

    key: bytes
    kind: int
    width: int
    fan_bits: int
    start: int
    count: int
    extra: int


def section_key(code: int, issuer: str, kid: bytes | None) -> bytes:
    """The key of the section with this type's records, of one issuer and kid; of whatever kid for None."""
    return _key(b"records", bytes((code,)), issuer.encode(), b"*" if kid is None else b"=" + kid)


def chunk_key(kid: bytes | None, partition: str | None, chunk: str) -> bytes:
    """The key of the filters for one chunk of a kid."""
    named = b"*" if kid is None else b"=" + kid
    return _key(b"slices", named, b"" if partition is None else partition.encode(), chunk.encode())


def _key(*parts: bytes) -> bytes:
    joined = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return hashlib.sha256(joined).digest()[:16]


class Section:
    """The records of one type of identifier under one kid."""

    __slots__ = ("_fan", "_first", "_map", "_shift", "_width", "count")

    def __init__(self, data: mmap.mmap, row: Row) -> None:
        self._map = data
        self._width = row.width + ORIGIN_BYTES
        self._first = row.start
        self._fan = row.extra
        self._shift = 32 - row.fan_bits
        self.count = row.count

    @property
    def width(self) -> int:
        """The bytes of an identifier."""
        return self._width - ORIGIN_BYTES

    def find(self, key: bytes) -> int | None:
        """The origin of the first record of this identifier, None when it is not listed.

        Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``), as does :meth:`find_all`.
        """
        first, last = self._bucket(key)
        if first == last:
            return None
        width, data, base = self._width, self._map, self._first
        start, stop = base + first * width, base + last * width
        at = data.find(key, start, stop)
        # Only where a record begins; the end of one and the start of the next may look like an identifier.
        while at >= 0 and (at - base) % width:
            at = data.find(key, at + 1, stop)
        if at < 0:
            return None
        end = at + width
        return int.from_bytes(data[end - ORIGIN_BYTES : end], "big")

    def find_all(self, key: bytes) -> Iterator[int]:
        """The origins of every record of this identifier."""
        first, last = self._bucket(key)
        width, base = self._width, self._first
        for start in range(base + first * width, base + last * width, width):
            record = self._map[start : start + width]
            if record.startswith(key):
                yield int.from_bytes(record[-ORIGIN_BYTES:], "big")

    def records(self, first: int = 0, last: int | None = None) -> memoryview:
        """The records from one number up to another, one after the other."""
        stop = self.count if last is None else last
        view = memoryview(self._map)
        return view[self._first + first * self._width : self._first + stop * self._width]

    def bisect(self, prefix: bytes) -> int:
        """How many records stand before the first that does not come before ``prefix``."""
        low, high, width = 0, self.count, self._width
        while low < high:
            middle = (low + high) // 2
            start = self._first + middle * width
            if self._map[start : start + len(prefix)] < prefix:
                low = middle + 1
            else:
                high = middle
        return low

    def _bucket(self, key: bytes) -> tuple[int, int]:
        """The numbers of the records among which this identifier is, if anywhere: from the first up to the last."""
        first, last = FAN.unpack_from(self._map, self._fan + 4 * (int.from_bytes(key[:4], "big") >> self._shift))
        if not first <= last <= self.count:
            raise _unreadable("a table that leads out of its section")
        return first, last


class Segment:
    """A file of sections, open for reading. It may be unlinked meanwhile, and shared between threads and processes.

    Nobody may change or shorten it meanwhile: the system ends a program that reads where its file has been cut off.
    """

    def __init__(self, path: Path) -> None:
        """Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``), OSError."""
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
            size = file.seek(0, 2)
            if len(head) < HEADER_BYTES or hashlib.sha256(head[: HEADER.size]).digest() != head[HEADER.size :]:
                raise _unreadable("its header is damaged")
            header = HEADER.unpack(head[: HEADER.size])
            magic, stated, self._origins, self._origin_count, self._rows, self._row_count, self._digest = header
            if magic != MAGIC or stated != size or self._row_count > MOST_SECTIONS:
                raise _unreadable("of another size or format than it should be")
            ends = self._rows + self._row_count * ROW.size, self._origins + self._origin_count * ORIGIN.size
            if max(ends) > size:
                raise _unreadable("of another size or format than it should be")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.path = path
        self.size = size

    @property
    def map(self) -> mmap.mmap:
        """The bytes that filters lie in."""
        return self._map

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what stands behind the header, as the header has it; :meth:`check` computes it."""
        digest: bytes = self._digest
        return digest

    @property
    def origin_count(self) -> int:
        count: int = self._origin_count
        return count

    def section(self, key: bytes) -> Section | None:
        """The records under this key."""
        for row in self.rows(key):
            if row.kind == RECORDS:
                return Section(self._map, row)
        return None

    def rows(self, key: bytes) -> Iterator[Row]:
        """Every section and filter under this key."""
        low, high = 0, self._row_count
        while low < high:
            middle = (low + high) // 2
            start = self._rows + middle * ROW.size
            if self._map[start : start + 16] < key:
                low = middle + 1
            else:
                high = middle
        for number in range(low, self._row_count):
            row = self._row(number)
            if row.key != key:
                return
            yield row

    def all_rows(self) -> Iterator[Row]:
        """Every section and filter, in the order of their keys."""
        return map(self._row, range(self._row_count))

    def origin(self, number: int) -> Origin:
        """Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) for a number that there is not."""
        expires, before, country, _ = self._origin(number)
        try:
            return Origin(expires, before, country.decode("ascii") if country != b"\0\0" else None)
        except UnicodeDecodeError:
            raise _unreadable("an origin whose country is none") from None

    def recorded(self, number: int) -> int:
        """How many of its records came from an origin; 0 for one that it does not know."""
        count: int = self._origin(number)[3] if number < self._origin_count else 0
        return count

    def check(self) -> None:
        """Reads all of it.

        Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) when any byte has changed.
        """
        header, digest = self._map[: HEADER.size], hashlib.sha256()
        if hashlib.sha256(header).digest() != self._map[HEADER.size : HEADER_BYTES]:
            raise _unreadable("its header is damaged")
        with memoryview(self._map) as view:
            for start in range(HEADER_BYTES, self.size, 1 << 20):
                digest.update(view[start : min(start + (1 << 20), self.size)])
        if digest.digest() != self._digest:
            raise _unreadable("its content is damaged")

    def _row(self, number: int) -> Row:
        try:
            row = Row(*ROW.unpack_from(self._map, self._rows + number * ROW.size))
        except LayoutError:
            raise _unreadable("a section outside the file") from None
        width = row.width + ORIGIN_BYTES if row.kind == RECORDS else 1
        if row.start + row.count * width > self.size or row.fan_bits > _MOST_FAN_BITS:
            raise _unreadable("a section outside the file")
        if row.kind not in (RECORDS, BLOOM, VARHASH):
            raise _unreadable("a section of no kind that is known")
        if row.kind == RECORDS and row.extra + 4 * ((1 << row.fan_bits) + 1) > self.size:
            raise _unreadable("a section outside the file")
        return row

    def _origin(self, number: int) -> tuple[int, int, bytes, int]:
        if number >= self._origin_count:
            raise _unreadable("a record of no origin")
        found: tuple[int, int, bytes, int] = ORIGIN.unpack_from(self._map, self._origins + number * ORIGIN.size)
        return found


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
