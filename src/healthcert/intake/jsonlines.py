"""Records in JSON Lines: each line an object with the names of the fields, and ``type``, what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError
from healthcert.intake.lines import read_lines
from healthcert.intake.mapped import RecordReader
from healthcert.intake.mapping import KindColumn, RecordMapping, invalid
from healthcert.intake.reading import Rows, rejected

if TYPE_CHECKING:
    from healthcert.intake.records import IntakeOptions

_TYPE = "type"
_DEPTH = 2  # a record is flat; one level more, so that what is wrong with a nested one is told by its field


def read_jsonl(file: BinaryIO, options: IntakeOptions) -> Rows:
    """The records of a file; lines without anything are passed over. OSError is raised whenever the file does.

    A mapping's ``columns`` name members where they are called otherwise; others are then passed over. Raises
    :class:`IssueError` (``MAPPING_INVALID``) before the first row.
    """
    mapping = options.mapping or RecordMapping()
    kind: str | int = mapping.kind.column if isinstance(mapping.kind, KindColumn) else _TYPE
    names = (kind, *(one for columns in mapping.columns.values() for one in columns))
    if any(isinstance(name, int) for name in names):
        raise invalid("columns: members of JSON have names, not numbers")
    return _rows(file, options.limits.record_bytes, RecordReader(options), mapping.columns, kind)


def _rows(
    file: BinaryIO, limit: int, reader: RecordReader, columns: Mapping[str, tuple[str | int, ...]], kind: str | int
) -> Rows:
    for number, line in read_lines(file, limit):
        if line is None:
            yield rejected(number, Code.RECORD_UNREADABLE, f"a line of more than {limit} bytes")
            continue
        if not (text := line.strip(b" \t\r\n")):
            continue
        try:
            record = jsontext.read(text, max_depth=_DEPTH)
        except DecodeError as error:
            yield rejected(number, Code.RECORD_UNREADABLE, error.detail)
            continue
        if not isinstance(record, dict):
            yield rejected(number, Code.RECORD_UNREADABLE, "a line is one object of JSON")
            continue
        said = record.pop(kind, None)
        yield reader.read(number, said, _renamed(record, columns) if columns else record)


def _renamed(record: Mapping[str | int, Any], columns: Mapping[str, tuple[str | int, ...]]) -> dict[str, Any]:
    """The members that the mapping names, by the names of the fields."""
    found: dict[str, Any] = {}
    for name, members in columns.items():
        values = [value for member in members if (value := record.get(member)) is not None]
        if len(values) > 1 and all(isinstance(value, str) for value in values):
            found[name] = " ".join(values)
        elif values:
            # Several that are not all texts are of the wrong form together.
            found[name] = values[0] if len(values) == 1 else values
    return found
