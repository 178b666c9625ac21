"""Records to issue certificates of, through the door for foreign records."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from healthcert.batch.protocol import IssueItem
from healthcert.batch.sources.files import InputFile
from healthcert.intake.lines import read_lines
from healthcert.intake.reading import RecordFormat
from healthcert.intake.records import IntakeOptions, read_records

_JSONL = ".jsonl"


class RecordFile(InputFile):
    """A file of records in any form that is taken in, or standard input."""

    def __init__(self, name: str, options: IntakeOptions) -> None:
        """Raises OSError where there is no such file."""
        super().__init__(name)
        self._options = options

    def items(self, skip: int = 0) -> Iterator[IssueItem]:
        """The records but for the first ``skip``. Raises as :func:`healthcert.intake.records.read_records`."""
        with self.opened() as file:
            if skip and self._is_lines():
                blanked: Any = _Blanked(file, skip, self._options.limits.record_bytes)
                yield from read_records(blanked, self._options, self.name)
            else:
                yield from islice(read_records(file, self._options, self.name), skip, None)

    def _is_lines(self) -> bool:
        """Whether it is known that each record is a line."""
        told = self._options.format or (self._options.mapping and self._options.mapping.format)
        return told is RecordFormat.JSONL or (told is None and self.name.lower().endswith(_JSONL))


class _Blanked:
    """A file whose first lines are empty, for the reader to pass over: nothing is made of records that were done."""

    def __init__(self, file: BinaryIO, skip: int, limit: int) -> None:
        self._file, self._skip = file, skip
        self._lines = read_lines(file, limit)

    def readline(self, size: int) -> bytes:
        if not self._skip:
            return self._file.readline(size)
        line = next(self._lines, (0, b""))[1]
        if line is None or line.strip(b" \t\r\n"):
            self._skip -= 1
        return b"" if line == b"" else b"\n"
