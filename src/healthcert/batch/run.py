"""A bulk run: sources are read in chunks, an engine does them, and what comes of them is written in order.

Nothing is kept of a row once it was written. What the journal tells was done is on the disk, and what was done and is
not told there yet is done again after a crash, to the same result.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from msgspec.structs import replace

from healthcert.batch.journal import Entry, Journal
from healthcert.batch.protocol import Chunk, ChunkResult, Document, Given, Refusal, Sink, Source, Text
from healthcert.batch.summary import Summary
from healthcert.clock import Clock, SystemClock
from healthcert.errors import HealthCertError
from healthcert.pool import Done, Lost

ItemT = TypeVar("ItemT")
Engine = Callable[[Iterable[Sequence[Given[ItemT]]]], Iterator[Done[Given[ItemT], ChunkResult]]]
"""Does chunks and gives them back in order with what came of them, as :meth:`healthcert.pool.Pool.map`."""

RECORDS = 500
"""Records of a chunk: they are entered in one transaction."""
TEXTS = 500
"""Certificates of a chunk."""
DOCUMENTS = 16
"""Pictures, PDFs and other files of a chunk: each takes as long as hundreds of texts."""
ROOM = 4_000_000
"""Bytes of a chunk. One of large items has fewer of them."""
_EVERY = 1.0  # seconds between two entries of the journal


class Rejects(Protocol):
    """Where rows go that cannot be used."""

    def add(self, source: str, row: int, error: HealthCertError) -> None:
        """Takes one. Raises OSError."""
        ...

    def flush(self) -> int | None:
        """Brings all that was taken to the disk. Gives the length of the file, None where there is none."""
        ...


class BulkRun(Generic[ItemT]):
    """One run over all sources, from where ``entry`` says that it is."""

    def __init__(
        self,
        sources: Sequence[Source[ItemT]],
        sink: Sink,
        rejects: Rejects,
        *,
        entry: Entry,
        journal: Journal | None = None,
        resumed: bool = False,
        clock: Clock | None = None,
        progress: Callable[[BulkRun[ItemT]], None] | None = None,
    ) -> None:
        """``progress`` is called after each chunk. Without a ``journal`` the run cannot be gone on with."""
        self.sources = sources
        self._sink, self._rejects, self._journal = sink, rejects, journal
        self._clock, self._progress = clock or SystemClock(), progress
        self._entry, self._resumed = entry, resumed
        self._rows_before = entry.rows
        self._counts = Counter(entry.counts)
        self._begun: deque[tuple[int, datetime]] = deque()  # of each chunk that is under way: its source, and when
        self._saved = self._started = time.monotonic()
        self._is_whole = True  # not so while results are being written
        self._stopping = self._is_read = self._is_complete = False

    @property
    def rows(self) -> int:
        """How many were done since it was begun, or gone on with."""
        return self._entry.rows - self._rows_before

    @property
    def read(self) -> int:
        """How much of the sources was read, in their own measure."""
        before = self._entry.source
        return sum(one.size or 0 for one in self.sources[:before]) + sum(one.done for one in self.sources[before:])

    def stop(self) -> None:
        """No further chunk is begun. To be called from a signal's handler."""
        self._stopping = True

    def go(self, engine: Engine[ItemT]) -> None:
        """Does all that is left, or less when it is stopped.

        Raises what a source, the engine, the sink and the journal raise. Whatever happens, what the journal tells is
        so, and it is as new as can be.
        """
        try:
            for done in engine(self._chunks()):
                self._take(done)
                if self._journal is not None and time.monotonic() - self._saved >= _EVERY:
                    self._save(self._journal)
                if self._progress is not None:
                    self._progress(self)
            self._end()
        except BaseException:
            self._break_off()
            raise

    def summary(self) -> Summary:
        """What was done until now."""
        return Summary(
            rows=self._entry.rows,
            counts=self._counts,
            seconds=self._seconds(),
            resumed=self._resumed,
            stopped=self._stopping and not self._is_complete,
        )

    def _chunks(self) -> Iterator[Chunk[ItemT]]:
        skip = self._entry.items
        for place in range(self._entry.source, len(self.sources)):
            source = self.sources[place]
            chunk: list[Given[ItemT]] = []
            room = ROOM
            for item in source.items(skip):
                if self._stopping:
                    return
                chunk.append((source.name, item))
                room -= _room_of(item)
                if room <= 0:
                    yield self._begin(place, chunk)
                    chunk, room = [], ROOM
            if chunk:
                yield self._begin(place, chunk)
            skip = 0
        self._is_read = True

    def _begin(self, place: int, chunk: list[Given[ItemT]]) -> Chunk[ItemT]:
        begun = self._clock.now().replace(microsecond=0)
        self._begun.append((place, begun))
        return Chunk(chunk, begun)

    def _take(self, done: Done[Given[ItemT], ChunkResult]) -> None:
        place, _ = self._begun.popleft()
        self._is_whole = False
        for one in done.results:
            result = _lost(one) if isinstance(one, Lost) else one
            if done.redone and result.redone is not None:
                result = result.redone
            self._sink.write(result.outputs)
            for refusal in result.refusals:
                self._rejects.add(refusal.source, refusal.number, refusal.error)
            self._counts.update(result.counts)
        items = len(done.items) + (self._entry.items if place == self._entry.source else 0)
        self._entry = replace(self._entry, source=place, items=items, rows=self._entry.rows + len(done.items))
        self._is_whole = True

    def _save(self, journal: Journal) -> None:
        # What is under way may have been done already, and what is begun from now on.
        since = self._begun[0][1] if self._begun else self._clock.now().replace(microsecond=0)
        entry = replace(
            self._entry,
            since=self._entry.since if self._resumed else since,
            mark=dict(self._sink.flush()),
            rejects=self._rejects.flush(),
            counts=dict(self._counts),
            seconds=self._seconds(),
        )
        journal.write(entry)
        self._saved = time.monotonic()

    def _end(self) -> None:
        if self._journal is not None:
            self._save(self._journal)
        self._sink.close()
        if self._journal is not None:
            if self._is_read:
                self._journal.remove()
            else:
                self._journal.close()
        self._is_complete = self._is_read  # and all that was read was written

    def _break_off(self) -> None:
        """Of a disk that is full, or an output that nobody reads, no more can be told than what was told before."""
        with suppress(OSError, HealthCertError):
            if self._is_whole and self._journal is not None:
                self._save(self._journal)
        with suppress(OSError, HealthCertError):
            self._sink.close()
        if self._journal is None:
            return
        if self._resumed or self._begun or self._entry.rows:
            self._journal.close()
        else:  # nothing was begun that could be gone on with
            self._journal.remove()

    def _seconds(self) -> float:
        return self._entry.seconds + time.monotonic() - self._started


def _room_of(item: object) -> int:
    match item:
        case Text():
            return max(ROOM // TEXTS, len(item.text))
        case Document():
            return max(ROOM // DOCUMENTS, len(item.data or b""))
    return ROOM // RECORDS


def _lost(lost: Lost) -> ChunkResult:
    """What is told of an item that no worker survived."""
    source, item = lost.item
    source, number = (item.name, 1) if isinstance(item, Document) else (source, item.number)
    counts = {"verdict:rejected": 1, f"code:{lost.error.code.value}": 1}
    return ChunkResult(outputs=(), refusals=(Refusal(source, number, lost.error),), counts=counts)
