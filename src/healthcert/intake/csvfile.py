"""Records in CSV (RFC 4180), as a mapping describes the table.

The number of a row is that of the line where it starts. Cells are taken without the white space around them, and empty
ones are as if they were not there.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Self

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.lines import read_lines
from healthcert.intake.mapped import RecordReader
from healthcert.intake.mapping import FIELDS, KindColumn, RecordMapping, Table, invalid
from healthcert.intake.reading import RejectedRow, Rows, rejected
from healthcert.limits import Limits

if TYPE_CHECKING:
    from healthcert.intake.records import IntakeOptions

_TYPE = "type"
"""The column that says what a row is about, where the columns have the names of the fields."""


def read_csv(file: BinaryIO, options: IntakeOptions) -> Rows:
    """The rows of a table. Without a mapping, its columns have the names of the fields, and ``type``.

    Raises :class:`IssueError` before the first row: ``MAPPING_INVALID`` where the mapping does not fit the table, and
    ``RECORD_UNREADABLE`` for a file without a header. OSError is raised whenever the file does.
    """
    mapping = options.mapping or RecordMapping()
    reader = RecordReader(options)
    lines = _Lines(file, mapping.table, options.limits)
    cells = csv.reader(
        lines,
        delimiter=mapping.table.delimiter,
        quotechar=mapping.table.quote or None,
        quoting=csv.QUOTE_MINIMAL if mapping.table.quote else csv.QUOTE_NONE,
        strict=True,
    )
    header = _header(lines, cells) if mapping.table.header else None
    return _rows(lines, cells, reader, _Layout(mapping, header))


class _UnclosedError(Exception):
    """A row does not end where rows must."""


class _Lines:
    """The lines of one row at a time, as text; and what is wrong with them, for the csv module to know nothing of."""

    def __init__(self, file: BinaryIO, table: Table, limits: Limits) -> None:
        self._lines = read_lines(file, limits.record_bytes)
        self._decode = codecs.getdecoder("utf-8" if table.encoding == "utf-8-sig" else table.encoding)
        self._limits = limits
        self._most = limits.record_lines if table.multiline else 1
        # Whether a line may be a piece of a cell.
        self.multiline = table.multiline and table.quote != ""
        self.begin()

    def begin(self) -> None:
        """A row starts with the next line."""
        self.start = 0
        self.taken = 0
        self._size = 0
        self.fault = ""
        self.is_long = False

    @property
    def is_lost(self) -> bool:
        """Whether it cannot be told, after a broken row, if the next line is one or a piece of a cell."""
        return self.multiline and (self.taken > 1 or self.is_long)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self.taken == self._most:
            raise _UnclosedError
        number, line = next(self._lines)
        self.taken += 1
        if self.taken == 1:
            self.start = number
        self._size += len(line or b"")
        if line is None or self._size > self._limits.record_bytes:
            self.is_long = True
            self.fault = f"a row of more than {self._limits.record_bytes} bytes"
            raise _UnclosedError
        try:
            text = self._decode(line)[0]
        except UnicodeDecodeError:
            self.fault = "a row that is not in the encoding of the table"
            text = line.decode("latin-1")
        if "\0" in text:
            self.fault = "a row with a NUL"
        return text


class _Layout:
    """Where in a row the fields are."""

    def __init__(self, mapping: RecordMapping, header: Sequence[str] | None) -> None:
        self.width = len(header) if header is not None else mapping.table.cells or 0
        columns: Mapping[str, Sequence[str | int]] = mapping.columns
        kind: str | int | None = mapping.kind.column if isinstance(mapping.kind, KindColumn) else None
        if not columns:
            names = [*(header or ())]
            columns = {name: (name,) for name in names if name in FIELDS and name not in mapping.constants}
            kind = _TYPE if mapping.kind is None and _TYPE in names else kind
            if not columns:
                raise invalid("columns: none is mapped, and none of the table has the name of a field")
            if unknown := set(names) - {*columns, *mapping.constants, *([_TYPE] if kind == _TYPE else ())}:
                # One of them may say that a row was withdrawn: who leaves it aside says so in a mapping.
                raise invalid(f"columns: {len(unknown)} of the table are no fields; name those that count in [columns]")
        self.kind = None if kind is None else _place("kind.column", kind, header)
        found = {name: [_place(f"columns.{name}", one, header) for one in given] for name, given in columns.items()}
        self.single = [(name, places[0]) for name, places in found.items() if len(places) == 1]
        self.joined = [(name, places) for name, places in found.items() if len(places) > 1]

    def record(self, cells: Sequence[str]) -> dict[str, str]:
        """The record of a row by the names of its fields."""
        record = {name: text for name, place in self.single if (text := cells[place].strip())}
        for name, places in self.joined:
            if text := " ".join(cells[place].strip() for place in places).strip():
                record[name] = text
        return record


def _rows(lines: _Lines, cells: Iterator[list[str]], reader: RecordReader, layout: _Layout) -> Rows:
    while True:
        lines.begin()
        try:
            row = next(cells)
        except StopIteration:
            return
        except (_UnclosedError, csv.Error):
            yield _broken(lines)
            # Where a quote opened and did not close, a line behind it may be a record or a piece of a cell, and what a
            # patient wrote into a cell must not become a record.
            if lines.is_lost:
                return
            continue
        if lines.fault:
            yield rejected(lines.start, Code.RECORD_UNREADABLE, lines.fault)
        elif not any(row):
            continue
        elif len(row) != layout.width:
            detail = f"a row of {len(row)} cells in a table of {layout.width}{_over(lines)}"
            yield rejected(lines.start, Code.RECORD_UNREADABLE, detail)
        else:
            said = None if layout.kind is None else row[layout.kind].strip()
            yield reader.read(lines.start, said, layout.record(row))


def _broken(lines: _Lines) -> RejectedRow:
    detail = lines.fault or "a quote that is not closed, or has text behind it"
    if lines.is_lost:
        detail += f"{_over(lines)}; nothing behind it was read"
    return rejected(lines.start, Code.RECORD_UNREADABLE, detail)


def _over(lines: _Lines) -> str:
    return f", over {lines.taken} lines" if lines.taken > 1 else ""


def _header(lines: _Lines, cells: Iterator[list[str]]) -> list[str]:
    try:
        header = [cell.strip() for cell in next(cells, [])]
    except (_UnclosedError, csv.Error):
        header = []
    if lines.fault or not any(header):
        raise IssueError(Code.RECORD_UNREADABLE, "a table whose first line is no header", Step.CONTENT)
    return header


def _place(key: str, column: str | int, header: Sequence[str] | None) -> int:
    """Where in a row a column is; raises :class:`IssueError` (``MAPPING_INVALID``)."""
    if isinstance(column, str):
        count = 0 if header is None else header.count(column)
        if header is None or count != 1:
            raise invalid(f"{key}: the table has {count} columns of this name")
        return header.index(column)
    if header is not None and column > len(header):
        raise invalid(f"{key}: the table has {len(header)} columns")
    return column - 1
