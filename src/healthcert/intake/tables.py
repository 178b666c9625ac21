"""Tables in Parquet, read piece by piece within bounds. They need the extra ``parquet``.

A file tells in a directory at its end what is in it, so it is known to be whole before a row is read, and it cannot be
read from what can be read only once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, TypeVar

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.columns import NO_VALUE, converter_of, values_of
from healthcert.intake.mapping import FIELDS, invalid
from healthcert.limits import Limits

T = TypeVar("T")
Numbered = tuple[int, dict[str, Any] | None]
"""The number of a row, from 1, and its values; None for one that is damaged."""

_MARK = b"PAR1"
_ROWS = 512  # in memory at a time
# A column of one value takes next to nothing, whatever its rows: what is far beyond any table of records is none.
_ROWS_OF_ANY, _ROWS_OF_BYTE = 10_000_000, 1000
# What a page unpacks to is in memory: beyond this size no table of records is packed so well.
_LARGE, _PACKED = 64 * 1024 * 1024, 250


class TableFile:
    """A file in Parquet, checked against the limits before anything is read of its rows."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        """Raises :class:`IssueError` (``RECORD_UNREADABLE``, ``EXTRA_MISSING``), OSError."""
        try:
            import pyarrow.parquet as pq
        except ModuleNotFoundError:
            detail = "tables in Parquet are read with the package pyarrow: pip install 'healthcert[parquet]'"
            raise IssueError(Code.EXTRA_MISSING, detail, Step.CONTENT) from None
        self._limits = limits
        size = _checked_size(file, limits)
        self._table: Any = _guarded(
            lambda: pq.ParquetFile(
                file,
                buffer_size=1024 * 1024,  # so that not all of a column is read at once
                thrift_string_size_limit=limits.bundle_bytes,
                thrift_container_size_limit=max(limits.table_groups, limits.table_columns),
            )
        )
        self._groups = _guarded(lambda: _groups_of(self._table.metadata, size, limits))
        self._schema: Any = _guarded(lambda: self._table.schema_arrow)
        self.names: list[str] = _guarded(lambda: list(self._schema.names))
        self.size = sum(self._groups)
        """Rows in it."""

    @property
    def groups(self) -> Sequence[int]:
        """How many rows each group has: what is read and unpacked by itself."""
        return self._groups

    def check(self, columns: Sequence[str]) -> None:
        """Raises :class:`IssueError` (``MAPPING_INVALID``) for columns that hold nothing a field can be made of."""
        for place, column in enumerate(columns):
            if converter_of(self._schema.field(column).type) is None:
                known = column if column in FIELDS else f"number {place + 1} of those that are used"
                raise invalid(f"columns: {known} holds no texts, whole numbers, days or moments")

    def rows(self, columns: Sequence[str], *, skip: int = 0) -> Iterator[Numbered]:
        """The rows but for the first ``skip``, numbered from 1, as values of these columns; None for a damaged row.

        A value that is none of its kind, or longer than a record may be, is ``BROKEN``. Raises OSError.
        """
        number = 0
        for group, size in enumerate(self._groups):
            if number + size > skip:
                yield from self._group(group, columns, number, max(0, skip - number))
            number += size

    def _group(self, group: int, columns: Sequence[str], number: int, skip: int) -> Iterator[Numbered]:
        end = number + self._groups[group]
        batches = _guarded_batches(
            self._table.iter_batches(_ROWS, row_groups=[group], columns=list(columns), use_threads=False)
        )
        for batch in batches:
            found = min(batch.num_rows, end - number)
            if skip < found:
                part = batch.slice(skip, found - skip)
                values = [values_of(part.column(name), self._limits.record_bytes) for name in columns]
                for place, row in enumerate(zip(*values, strict=True), number + skip + 1):
                    yield place, dict(zip(columns, row, strict=True))
            skip = max(0, skip - found)
            number += found
        for place in range(number + skip, end):
            yield place + 1, None


def _checked_size(file: BinaryIO, limits: Limits) -> int:
    """The size of a file whose directory is not too long. Raises :class:`IssueError` (``RECORD_UNREADABLE``)."""
    if not file.seekable():
        raise _unreadable("Parquet cannot be read from what can be read only once")
    size = file.seek(0, os.SEEK_END)
    # Apache Parquet, "File Format": the mark at both ends, and before the last one the length of the directory.
    file.seek(max(0, size - 8))
    tail = file.read(8)
    if size < 12 or tail[4:] != _MARK:
        raise _unreadable("no table in Parquet, or one that is cut off")
    if int.from_bytes(tail[:4], "little") > limits.bundle_bytes:
        raise _unreadable(f"a table with a directory of more than {limits.bundle_bytes} bytes")
    file.seek(0)
    return size


def _groups_of(metadata: Any, size: int, limits: Limits) -> list[int]:
    """How many rows each group has. Raises :class:`IssueError` (``RECORD_UNREADABLE``) beyond the limits."""
    if metadata.num_columns > limits.table_columns:
        raise _unreadable(f"a table of more than {limits.table_columns} columns")
    if metadata.num_row_groups > limits.table_groups:
        raise _unreadable(f"a table of more than {limits.table_groups} groups of rows")
    groups = []
    for place in range(metadata.num_row_groups):
        group = metadata.row_group(place)
        groups.append(group.num_rows)
        # Of single columns nothing is asked: where they are damaged, pyarrow would end the process.
        if group.total_byte_size > max(_LARGE, _PACKED * size):
            raise _unreadable(f"a table that unpacks to more than {_PACKED} times its size")
    if min(groups, default=0) < 0 or sum(groups) > max(_ROWS_OF_ANY, _ROWS_OF_BYTE * size):
        raise _unreadable("a table of more rows than its size has room for")
    return groups


def _guarded(do: Callable[[], T]) -> T:
    """What ``do`` gives. Raises :class:`IssueError` (``RECORD_UNREADABLE``) where pyarrow makes nothing of the file."""
    try:
        return do()
    except _damage() as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _unreadable("a damaged table") from None


def _guarded_batches(batches: Iterator[Any]) -> Iterator[Any]:
    """Batches up to the first that is damaged."""
    try:
        yield from batches
    except _damage() as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise


def _damage() -> tuple[type[Exception], ...]:
    from pyarrow import ArrowException

    # pyarrow has an OSError without a number for what it cannot decode.
    return (ArrowException, OSError, *NO_VALUE)


def _unreadable(detail: str) -> IssueError:
    return IssueError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)
