"""Records in Parquet, one a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, BinaryIO

from healthcert.errors import Code
from healthcert.intake.columns import BROKEN
from healthcert.intake.mapped import RecordReader
from healthcert.intake.mapping import FIELDS, KindColumn, RecordMapping, invalid
from healthcert.intake.reading import Rows, rejected
from healthcert.intake.tables import Numbered, TableFile

if TYPE_CHECKING:
    from healthcert.intake.records import IntakeOptions

_TYPE = "type"


def read_parquet(file: BinaryIO, options: IntakeOptions) -> Rows:
    """The records of a file. Without a mapping, its columns have the names of the fields, and ``type``.

    A column may hold texts, whole numbers, days, or moments. Raises :class:`IssueError` before the first row:
    ``MAPPING_INVALID`` where the mapping does not fit the table or a column holds something else,
    ``RECORD_UNREADABLE`` for a file that is damaged or no Parquet, ``EXTRA_MISSING``. OSError is raised whenever the
    file does.
    """
    return RecordTable(options).rows(TableFile(file, options.limits))


class RecordTable:
    """How the records of one or several files are read."""

    def __init__(self, options: IntakeOptions) -> None:
        """Raises :class:`IssueError` (``MAPPING_INVALID``)."""
        self._mapping = options.mapping or RecordMapping()
        self._reader = RecordReader(options)

    def rows(self, table: TableFile, *, skip: int = 0, before: int = 0) -> Rows:
        """The records but for the first ``skip``; rows are counted from 1 behind the ``before`` of files before it.

        Raises :class:`IssueError` (``MAPPING_INVALID``) before the first row, OSError.
        """
        fields, kind = self._layout(table.names)
        used = sorted({one for columns in fields.values() for one in columns} | ({kind} if kind else set()))
        table.check(used)
        return self._rows(table.rows(used, skip=skip), fields, kind, before)

    def _rows(
        self,
        rows: Iterable[Numbered],
        fields: Mapping[str, Sequence[str]],
        kind: str | None,
        before: int,
    ) -> Rows:
        plain = all(columns == (name,) for name, columns in fields.items())
        for number, row in rows:
            if row is None:
                yield rejected(before + number, Code.RECORD_UNREADABLE, "a row in a damaged piece of the file")
                continue
            said = None if kind is None else row[kind]
            record = row if plain else {name: _joined(row, columns) for name, columns in fields.items()}
            if kind is not None and kind not in fields:
                record.pop(kind, None)
            if isinstance(born := record.get("birth_date"), date):
                record["birth_date"] = born.isoformat()
            yield self._reader.read(before + number, said, record)

    def _layout(self, names: Sequence[str]) -> tuple[Mapping[str, tuple[str, ...]], str | None]:
        """The columns of each field, and the one that says what a row is about."""
        mapping = self._mapping
        kind = mapping.kind.column if isinstance(mapping.kind, KindColumn) else None
        fields = mapping.columns
        if not fields:
            fields = {name: (name,) for name in names if name in FIELDS and name not in mapping.constants}
            kind = _TYPE if mapping.kind is None and _TYPE in names else kind
            if not fields:
                raise invalid("columns: none is mapped, and none of the table has the name of a field")
            if unknown := set(names) - {*fields, *mapping.constants, *([_TYPE] if kind == _TYPE else ())}:
                # One of them may say that a row was withdrawn: who leaves it aside says so in a mapping.
                raise invalid(f"columns: {len(unknown)} of the table are no fields; name those that count in [columns]")
        for field, columns in {**fields, **({} if kind is None else {"kind": (kind,)})}.items():
            for column in columns:
                if not isinstance(column, str) or names.count(column) != 1:
                    raise invalid(f"columns.{field}: the table has no column of this name, or several")
        return {name: tuple(map(str, columns)) for name, columns in fields.items()}, None if kind is None else str(kind)


def _joined(row: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The values of a field's columns in one."""
    values = [value for column in columns if (value := row[column]) is not None]
    if len(values) > 1:
        return " ".join(values) if all(isinstance(value, str) for value in values) else BROKEN
    return values[0] if values else None
