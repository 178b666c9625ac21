"""What an update brings, kept in a temporary folder while it grows, and made into a segment at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, HealthCertError, RevocationError, Step
from healthcert.limits import Limits
from healthcert.lists.reading import Rejected, is_country
from healthcert.revocation.batch import Held, Place
from healthcert.revocation.bloom import read_header as read_bloom
from healthcert.revocation.segment import (
    BLOOM,
    NEVER,
    ORIGIN_BYTES,
    TOMBSTONE,
    VARHASH,
    Origin,
    Segment,
    chunk_key,
)
from healthcert.revocation.spool import Spool
from healthcert.revocation.varhash import read_header as read_varhash
from healthcert.revocation.writer import Filter, Old, Run, Written, alive, write_segment

_LINGERING = 86_400  # seconds that what has expired stays, for clocks that are told to be behind
_SKIPPED = 1000  # entries that are told one by one
_OVERLAY = 100  # an overlay has at most one record for so many of the segment behind it
_SMALL = 100_000  # records that are written anew rather than laid over
_FILTER_BYTES = 16  # room for filters, for each identifier that a list may have: what exact ones would take


class Gathered(Struct, frozen=True):
    """A new segment, and what the list then has in all: its identifiers, and its filters.

    When ``overlaid``, it stands before a segment that stays in use; ``dead`` are the origins that end there.
    """

    written: Written
    overlaid: bool
    dead: frozenset[int]
    records: int
    filters: int


class Gathering:
    """The batches of one source: those it had, and what an update does to them.

    A batch is whatever the source hands out as one: a signed batch, a chunk of a tree, a filter, a whole list. It goes
    by an identifier of the source's choice; ``mark`` is whatever tells whether it has changed. Batches that were there
    stay; when the list is ``whole``, only those that were kept or added.
    """

    def __init__(self, folder: Path, held: Mapping[str, Held], segments: Sequence[Segment], limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._held = dict(held)
        self._segments = segments
        self._origins = list(_origins(segments))
        self._free = self._unused()
        self._kept: set[str] = set()
        self._gone: dict[str, Held] = {}
        self._spool = Spool(folder, limits.revocation_entries, self._number)
        self._filters: list[Filter] = []
        self._blobs = (folder / "filters").open("wb+")
        self.skipped: list[Rejected] = []
        self.skipped_count = 0
        self.added = 0

    def mark(self, batch: str) -> str | None:
        """The mark that a batch in use was given; None when there is no such batch."""
        found = self._held.get(batch)
        return None if found is None else found.mark

    def held(self) -> tuple[str, ...]:
        """The identifiers of the batches in use."""
        return tuple(self._held)

    def keep(self, batch: str) -> None:
        """Says that a batch in use is still on a list that is read whole."""
        self._kept.add(batch)

    def add(
        self,
        batch: str,
        place: Place,
        keys: Iterable[bytes],
        origin: Origin,
        *,
        mark: str = "",
        date: str = "",
    ) -> None:
        """Takes a batch of identifiers in, in place of the one of the same name.

        Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``, ``INPUT_TOO_LONG``); there is then none of the
        batch, and the one of the same name stays. An identifier that was removed before is listed again.
        """
        number = self._number(origin, reuse=True)
        count = self._spool.add(((place, key, origin) for key in keys), {origin: number.to_bytes(ORIGIN_BYTES, "big")})
        self._note(batch, Held(number, number + 1, count, mark, date))

    def add_each(
        self, batch: str, entries: Iterable[tuple[Place, bytes, Origin]], *, mark: str = "", date: str = ""
    ) -> None:
        """As :meth:`add`, of a batch whose identifiers are of several places and origins."""
        # What came in before a fault stays without a batch that has its origins, and is left out when all is written.
        first = len(self._origins)
        count = self._spool.add(entries, {})
        self._note(batch, Held(first, len(self._origins), count, mark, date))

    def add_filter(
        self,
        batch: str,
        kid: bytes | None,
        partition: str | None,
        chunk: str,
        data: bytes,
        origin: Origin,
        *,
        bloom: bool,
        mark: str = "",
    ) -> None:
        """Takes a filter in as it is, in place of the one of the same name. Raises like :meth:`add`."""
        (read_bloom if bloom else read_varhash)(data, 0, len(data))
        if self._blobs.tell() + len(data) > _FILTER_BYTES * self._limits.revocation_entries:
            raise RevocationError(Code.INPUT_TOO_LONG, "more filters than a list may have", Step.REVOCATION)
        number = self._number(origin, reuse=True)
        kind = BLOOM if bloom else VARHASH
        self._filters.append(Filter(chunk_key(kid, partition, chunk), kind, number, self._blobs.tell(), len(data)))
        self._blobs.write(data)
        self._note(batch, Held(number, number + 1, 0, mark))

    def withdraw(self, batch: str) -> None:
        """Takes a batch out of use, once it turns out that all of the list could be had."""
        found = self._held.pop(batch, None)
        if found is not None:
            self._gone[batch] = found

    def remove(self, place: Place, keys: Iterable[bytes]) -> None:
        """Says of single identifiers that they are no longer listed, whichever batch brought them before.

        Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``, ``INPUT_TOO_LONG``); then of none of them.
        """
        self._spool.remove(place, keys)

    def skip(self, where: str, error: HealthCertError) -> None:
        """Notes an entry that could not be used; the rest is."""
        self.skipped_count += 1
        if len(self.skipped) < _SKIPPED:
            self.skipped.append(Rejected(where, error))

    def stop(self) -> None:
        """Not all of the list could be had: what was withdrawn stays, for what takes its place may be missing."""
        for batch, held in self._gone.items():
            self._held.setdefault(batch, held)
        self._gone = {}

    def finish_whole(self) -> None:
        """The list was read whole: what was neither kept nor added is no longer on it."""
        for batch in [one for one in self._held if one not in self._kept]:
            self.withdraw(batch)

    @property
    def withdrawn(self) -> int:
        """How many batches are gone."""
        return len(self._gone)

    @property
    def batches(self) -> Mapping[str, Held]:
        """The batches in use when all is done."""
        return self._held

    @property
    def builds(self) -> bool:
        """Whether it builds on a list in use, rather than on nothing."""
        return bool(self._segments)

    @property
    def unchanged(self) -> bool:
        return not (self.added or self.withdrawn or self._spool.tombstones)

    def write(self, path: Path, now: int) -> Gathered:
        """Writes what is new to a segment, and leaves out what expired a day ago.

        What has expired since is there for whoever asks about an earlier moment, and is not counted.
        Raises :class:`RevocationError` (``INPUT_TOO_LONG``; ``REVOCATION_STORE_UNREADABLE`` when a segment in use is
        damaged), OSError.
        """
        runs = self._spool.runs()
        oldest = now - _LINGERING
        self._expire(oldest)
        behind = self._segments[0] if self._segments else None
        over = self._segments[1:]
        self._blobs.flush()
        new = self._spool.records + sum(_count(segment) for segment in over)
        base = _count(behind) if behind is not None else 0
        dead = frozenset() if behind is None else frozenset(_present(behind) - self._in_use())
        dying = sum(behind.recorded(number) for number in dead) if behind is not None else 0
        lay = base >= _SMALL and new * _OVERLAY <= base and dying * _OVERLAY <= base
        old = over if lay else self._segments
        for segment in old:
            # What is damaged must not get a new digest.
            segment.check()
        layers: list[Run | Old] = [Old(segment) for segment in old]
        gone = {n for n, origin in enumerate(self._origins) if origin.expires < oldest} | self._without_batch()
        written = write_segment(
            path, [*layers, *runs], self._all_filters(layers, gone), self._origins, dead=gone, overlay=lay
        )
        dead = dead if lay else frozenset()
        stack = (behind, Segment(path)) if lay and behind is not None else (Segment(path),)
        # What lingers takes room as well, and a list whose entries all end at once must not grow without end.
        if alive(stack, dead, oldest)[0] > self._limits.revocation_entries:
            raise self._spool.too_many()
        return Gathered(written, lay, dead, *alive(stack, dead, now))

    def close(self) -> None:
        self._blobs.close()

    def _expire(self, oldest: int) -> None:
        """Forgets batches of which nothing is left, so that one is taken in again if it turns up with a later end."""
        for batch, held in list(self._held.items()):
            numbers = range(held.first, held.last)
            if numbers and all(self._origins[number].expires < oldest for number in numbers):
                del self._held[batch]

    def _in_use(self) -> set[int]:
        """The origins of all batches."""
        return {number for held in self._held.values() for number in range(held.first, held.last)}

    def _without_batch(self) -> set[int]:
        """The origins of batches that were withdrawn, replaced, or not taken in to the end."""
        return set(range(len(self._origins))) - self._in_use()

    def _unused(self) -> list[int]:
        """The numbers of origins of which nothing is left in any segment, the lowest last."""
        unused = self._without_batch().difference(*map(_present, self._segments))
        return sorted(unused, reverse=True)

    def _all_filters(self, layers: Sequence[Run | Old], gone: set[int]) -> Iterator[tuple[Filter, memoryview]]:
        for layer in layers:
            if isinstance(layer, Old):
                view = memoryview(layer.segment.map)
                for entry in layer.filters():
                    if entry.origin not in gone:
                        yield entry, view[entry.start : entry.start + entry.size]
        for entry in self._filters:
            if entry.origin not in gone:
                self._blobs.seek(entry.start)
                yield entry, memoryview(self._blobs.read(entry.size))

    def _note(self, batch: str, held: Held) -> None:
        self._held[batch] = held
        self._gone.pop(batch, None)
        self._kept.add(batch)
        self.added += 1

    def _number(self, origin: Origin, *, reuse: bool = False) -> int:
        if not -NEVER <= origin.expires <= NEVER or not -NEVER <= origin.before <= NEVER:
            raise _unreadable("a moment that is none")
        if origin.country is not None and not is_country(origin.country):
            raise _unreadable("a country that is none")
        if reuse and self._free:
            number = self._free.pop()
            self._origins[number] = origin
            return number
        if len(self._origins) >= TOMBSTONE:
            raise RevocationError(Code.INPUT_TOO_LONG, "more batches than a list may have", Step.REVOCATION)
        self._origins.append(origin)
        return len(self._origins) - 1


def _origins(segments: Sequence[Segment]) -> Iterator[Origin]:
    """Those of the newest segment, which has all that the ones behind it have."""
    if segments:
        newest = segments[-1]
        yield from map(newest.origin, range(newest.origin_count))


def _present(segment: Segment) -> set[int]:
    """The origins of which there is anything in a segment."""
    filters = {entry.origin for entry in Old(segment).filters()}
    return {number for number in range(segment.origin_count) if segment.recorded(number)} | filters


def _count(segment: Segment) -> int:
    return sum(section.count for _, _, section in Old(segment).sections())


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION)
