"""Writing the files of :mod:`healthcert.revocation.segment`: what came in is sorted in pieces, then merged."""

from __future__ import annotations

import hashlib
import mmap
import os
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from struct import iter_unpack
from typing import BinaryIO

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation.segment import (
    BLOOM,
    HEADER,
    HEADER_BYTES,
    MAGIC,
    MOST_SECTIONS,
    ORIGIN,
    ORIGIN_BYTES,
    RECORDS,
    ROW,
    TOMBSTONE,
    VARHASH,
    Origin,
    Row,
    Section,
    Segment,
)

_AT_ONCE = 500_000  # records sorted in memory
_A_BUCKET = 8  # records that share an entry of the fan-out table, about
_MOST_BITS = 20
_GONE = TOMBSTONE.to_bytes(ORIGIN_BYTES, "big")


class Filter(Struct, frozen=True):
    """A filter that waits to be written: where its bytes are, and its origin."""

    key: bytes
    kind: int
    origin: int
    start: int
    size: int


class Run:
    """Sorted records of many sections in a temporary file, one section after the other."""

    def __init__(self, path: Path, rows: dict[bytes, Row]) -> None:
        self._rows = rows
        with path.open("rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if rows else None

    def __len__(self) -> int:
        """How many sections there are."""
        return len(self._rows)

    def sections(self) -> Iterator[tuple[bytes, int, Section]]:
        """Key, width of an identifier, and records."""
        for key, row in self._rows.items():
            assert self.map is not None
            yield key, row.width, Section(self.map, row)

    @classmethod
    def write(cls, path: Path, sections: dict[bytes, tuple[int, bytearray]]) -> Run:
        """Sorts what was gathered by section key: the width of an identifier, and records in any order."""
        rows = {}
        with path.open("wb") as file:
            for key, (width, data) in sections.items():
                if not data:
                    continue
                records = sorted(_split(data, width + ORIGIN_BYTES))
                rows[key] = Row(key, RECORDS, width, 0, file.tell(), len(records), 0)
                file.write(b"".join(records))
        return cls(path, rows)


class Old:
    """A segment that is in use, as one layer of a new one."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment

    def sections(self) -> Iterator[tuple[bytes, int, Section]]:
        for row in self.segment.all_rows():
            if row.kind == RECORDS:
                yield row.key, row.width, Section(self.segment.map, row)

    def filters(self) -> Iterator[Filter]:
        for row in self.segment.all_rows():
            if row.kind in (BLOOM, VARHASH):
                yield Filter(row.key, row.kind, row.extra, row.start, row.count)


class Written(Struct, frozen=True):
    """A new segment's length, and the SHA-256 of its content."""

    size: int
    digest: bytes


def alive(segments: Sequence[Segment], dead: Collection[int], moment: int) -> tuple[int, int]:
    """How many identifiers and filters a list has that have not expired.

    Its segments are given the oldest first, with the origins that are dead in them.
    """
    if not segments:
        return 0, 0
    newest = segments[-1]
    good = {n for n in range(newest.origin_count) if n not in dead and newest.origin(n).expires >= moment}
    records = sum(segment.recorded(number) for segment in segments for number in good)
    filters = sum(entry.origin in good for segment in segments for entry in Old(segment).filters())
    for over in segments[1:]:
        for key, width, section in Old(over).sections():
            behind = segments[0].section(key)
            if behind is not None:
                removed = (
                    r[:-ORIGIN_BYTES] for r in _split(section.records(), width + ORIGIN_BYTES) if r.endswith(_GONE)
                )
                records -= sum(number in good for one in removed for number in behind.find_all(one))
    return records, filters


def write_segment(
    path: Path,
    layers: Sequence[Run | Old],
    filters: Iterable[tuple[Filter, memoryview]],
    origins: Sequence[Origin],
    *,
    dead: AbstractSet[int] = frozenset(),
    overlay: bool = False,
) -> Written:
    """Writes a segment of the layers, oldest first, to ``path``, and sees that it is on the disk.

    Records of ``dead`` origins are left out, and what a later layer says is no longer listed; in an ``overlay`` that
    is kept, because older segments stand behind it. Raises :class:`RevocationError` (``INPUT_TOO_LONG``) for more
    sections than a segment may have, OSError.
    """
    with path.open("wb") as file:
        file.write(bytes(HEADER_BYTES))
        out = _Output(file)
        rows: list[Row] = []
        tally: Counter[bytes] = Counter()
        found: dict[bytes, tuple[int, list[Section]]] = {}
        for layer in layers:
            for key, width, section in layer.sections():
                found.setdefault(key, (width, []))[1].append(section)
        for key in sorted(found):
            width, sections = found.pop(key)
            if row := _write_section(out, key, width, sections, dead, tally, overlay=overlay):
                rows.append(row)
        for entry, data in filters:
            rows.append(Row(entry.key, entry.kind, 0, 0, out.place, entry.size, entry.origin))
            out.write(data)
        if len(rows) > MOST_SECTIONS:
            raise RevocationError(Code.INPUT_TOO_LONG, f"more than {MOST_SECTIONS} kids and filters", Step.REVOCATION)
        out.pad(8)
        origins_at = out.place
        for number, origin in enumerate(origins):
            country = origin.country.encode("ascii") if origin.country else b"\0\0"
            count = tally[number.to_bytes(ORIGIN_BYTES, "big")]
            out.write(ORIGIN.pack(origin.expires, origin.before, country, count))
        out.pad(8)
        rows_at = out.place
        rows.sort(key=lambda row: row.key)
        for row in rows:
            out.write(ROW.pack(row.key, row.kind, row.width, row.fan_bits, row.start, row.count, row.extra))
        digest = out.digest.digest()
        header = HEADER.pack(MAGIC, out.place, origins_at, len(origins), rows_at, len(rows), digest)
        file.seek(0)
        file.write(header + hashlib.sha256(header).digest())
        file.flush()
        os.fsync(file.fileno())
    return Written(out.place, digest)


class _Output:
    """A file, how far it is written, and the digest of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.place = HEADER_BYTES
        self.digest = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.digest.update(data)
        self.place += len(data)

    def pad(self, to: int) -> None:
        self.write(bytes(-self.place % to))


def _write_section(
    out: _Output,
    key: bytes,
    width: int,
    sections: Sequence[Section],
    dead: AbstractSet[int],
    tally: Counter[bytes],
    *,
    overlay: bool,
) -> Row | None:
    total = sum(section.count for section in sections)
    bits = min((total // _A_BUCKET).bit_length(), _MOST_BITS)
    start, count, fan, shift = out.place, 0, array("I"), 32 - bits
    for pieces in _pieces(sections, [(0, section.count) for section in sections]):
        records = _merged([_split(piece, width + ORIGIN_BYTES) for piece in pieces], dead, overlay=overlay)
        if records:
            last = int.from_bytes(records[-1][:4], "big") >> shift
            at = 0
            for bucket in range(len(fan), last + 1):
                at = bisect_left(records, (bucket << shift).to_bytes(4, "big"), at)
                fan.append(count + at)
            out.write(b"".join(records))
            count += len(records)
            tally.update(record[-ORIGIN_BYTES:] for record in records)
    if not count:
        return None
    fan.extend([count] * ((1 << bits) + 1 - len(fan)))
    if sys.byteorder == "big":
        fan.byteswap()
    out.pad(8)
    row = Row(key, RECORDS, width, bits, start, count, out.place)
    out.write(fan.tobytes())
    return row


def _pieces(
    sections: Sequence[Section], parts: Sequence[tuple[int, int]], prefix: bytes = b""
) -> Iterator[list[memoryview]]:
    """Those parts of all sections that begin with ``prefix``, in pieces that fit into memory, in order.

    All records of an identifier are in one piece.
    """
    total = sum(end - begin for begin, end in parts)
    if total <= _AT_ONCE or len(prefix) == sections[0].width:
        if total:
            yield [section.records(*part) for section, part in zip(sections, parts, strict=True)]
        return
    starts = [begin for begin, _ in parts]
    for octet in range(256):
        ends = [
            section.bisect(prefix + bytes((octet + 1,))) if octet < 255 else end
            for section, (_, end) in zip(sections, parts, strict=True)
        ]
        yield from _pieces(sections, list(zip(starts, ends, strict=True)), prefix + bytes((octet,)))
        starts = ends


def _merged(layers: Sequence[list[bytes]], dead: AbstractSet[int], *, overlay: bool) -> list[bytes]:
    """The records of layers, oldest first, sorted, each once."""
    alive: list[bytes] = []
    for records in layers:
        gone = {record[:-ORIGIN_BYTES] for record in records if record.endswith(_GONE)}
        if gone:
            alive = [record for record in alive if record[:-ORIGIN_BYTES] not in gone]
        alive += records if overlay or not gone else [record for record in records if not record.endswith(_GONE)]
    if dead:
        alive = [r for r in alive if int.from_bytes(r[-ORIGIN_BYTES:], "big") not in dead]
    alive.sort()
    # An identifier that one origin lists twice would be found twice.
    return list(dict.fromkeys(alive)) if len(layers) > 1 or _has_twins(alive) else alive


def _has_twins(records: Sequence[bytes]) -> bool:
    return any(map(bytes.__eq__, records, records[1:]))


def _split(data: bytearray | memoryview, width: int) -> list[bytes]:
    return [record for (record,) in iter_unpack(f"{width}s", data)]
