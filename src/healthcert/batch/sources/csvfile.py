"""Certificates in a column of a table in CSV (RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from healthcert.batch.protocol import VerifyItem
from healthcert.batch.sources.files import InputFile
from healthcert.batch.sources.lines import of_cell, rejected
from healthcert.errors import Code, DecodeError, Step
from healthcert.intake.lines import read_lines
from healthcert.limits import Limits

_TABS = ".tsv"


class CsvFile(InputFile):
    """A table in UTF-8 with a header, in which each row is a line."""

    def __init__(self, name: str, column: str, limits: Limits) -> None:
        """Raises OSError where there is no such file."""
        super().__init__(name)
        self._column, self._limits = column, limits
        self._delimiter = "\t" if name.lower().endswith(_TABS) else ","

    def items(self, skip: int = 0) -> Iterator[VerifyItem]:
        """The certificates but for the first ``skip``. Raises DecodeError (``RECORD_UNREADABLE``), OSError."""
        with self.opened() as file:
            yield from islice(self._rows(file), skip, None)

    def _rows(self, file: BinaryIO) -> Iterator[VerifyItem]:
        lines = read_lines(file, self._limits.record_bytes)
        _, first = next(lines, (1, b""))
        header = [] if first is None else self._cells(first)
        if not isinstance(header, list) or header.count(self._column) != 1 or len(header) > self._limits.table_columns:
            detail = "a table whose first line does not name the column of certificates, or names it several times"
            raise DecodeError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)
        place = header.index(self._column)
        for number, line in lines:
            if line is None:
                yield rejected(number, f"a line of more than {self._limits.record_bytes} bytes")
            elif line.strip():
                cells = self._cells(line)
                if isinstance(cells, str):
                    yield rejected(number, cells)
                elif len(cells) != len(header):
                    yield rejected(number, f"a row of {len(cells)} cells in a table of {len(header)}")
                else:
                    yield of_cell(number, cells[place], self._column)

    def _cells(self, line: bytes) -> list[str] | str:
        """The cells of a line, or what is wrong with it."""
        try:
            # Without its end: where a cell goes on in the next line, that is a row without its quote.
            text = line.rstrip(b"\r\n").decode("utf-8")
            if '"' not in text:
                return text.split(self._delimiter)
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except UnicodeDecodeError:
            return "a row that is not UTF-8"
        except (csv.Error, StopIteration):
            return "a quote that is not closed on its line, or has text behind it"
