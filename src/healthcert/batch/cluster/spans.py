"""A source in stretches of rows: what one worker of a cluster does by itself, and leaves whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from healthcert.batch.sources.tables import parts_in
from healthcert.intake.tables import TableFile
from healthcert.limits import DEFAULT_LIMITS, Limits

SPAN_ROWS = 50_000
"""Rows that a worker is given at once, at most: what is done again when it ends, and what a part of the results has."""


class Span(Struct, frozen=True, order=True):
    """So many rows that stand together: ``at`` is how many of all sources' stand before them, ``first`` of their own's.

    ``source`` is the place of their source among those of the run.
    """

    at: int
    rows: int
    source: int
    first: int

    @property
    def end(self) -> int:
        """How many rows of all sources have been there after these."""
        return self.at + self.rows

    @property
    def part(self) -> str:
        """The name of the file for what comes of it: names in order are rows in order.

        It tells where the span begins and not where it ends, so that what comes of its first piece takes its place.
        """
        return f"part-{self.at:012}.parquet"

    def pieces(self, rows: int) -> Iterator[Span]:
        """The same rows, so many at a time."""
        for done in range(0, self.rows, rows):
            yield self.within(self.at + done, min(rows, self.rows - done))

    def within(self, at: int, rows: int) -> Span:
        """Some of its rows."""
        return Span(at, rows, self.source, self.first + at - self.at)


def spans_of(sources: Iterable[Iterable[int]], most: int) -> Iterator[Span]:
    """The spans of sources, each given as the rows of its groups.

    A span ends where a group does, for a group is read as a whole: one that has more than ``most`` rows is one span.
    """
    at = 0
    for source, groups in enumerate(sources):
        first = rows = 0
        for group in groups:
            if rows and rows + group > most:
                yield Span(at, rows, source, first)
                at, first, rows = at + rows, first + rows, 0
            rows += group
        if rows:
            yield Span(at, rows, source, first)
            at += rows


def row_groups(name: str, limits: Limits = DEFAULT_LIMITS) -> list[int]:
    """How many rows each group has of a file in Parquet, or of all files of a folder, in the order of their rows.

    Raises :class:`IssueError` (``RECORD_UNREADABLE``, ``EXTRA_MISSING``), OSError.
    """
    groups: list[int] = []
    for path in parts_in(name) if Path(name).is_dir() else [Path(name)]:
        with path.open("rb") as file:
            groups += TableFile(file, limits).groups
    return groups


def rest_of(spans: Iterable[Span], done: Sequence[Span]) -> Iterator[Span]:
    """What is left of ``spans`` without those that are done; ``done`` do not overlap, and are in order."""
    ends = iter(done)
    one = next(ends, None)
    for span in spans:
        at = span.at
        while one is not None and one.at < span.end:
            if one.at > at:
                yield span.within(at, one.at - at)
            at = max(at, one.end)
            if one.end > span.end:
                break
            one = next(ends, None)
        if at < span.end:
            yield span.within(at, span.end - at)
