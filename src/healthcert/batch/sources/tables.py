"""Tables in Parquet, one file or a folder of parts: records to issue, and certificates to verify."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from healthcert.batch.protocol import IssueItem, VerifyItem
from healthcert.batch.sources.files import identity_of, is_part
from healthcert.batch.sources.lines import of_cell, rejected
from healthcert.errors import Code, DecodeError, Step
from healthcert.intake.parquet import RecordTable
from healthcert.intake.records import IntakeOptions, with_recoveries
from healthcert.intake.tables import TableFile
from healthcert.limits import Limits


class _Tables:
    """A file, or all files of a folder by their names. How far they were read is told in rows."""

    def __init__(self, name: str, limits: Limits) -> None:
        """Raises OSError, DecodeError (``RECORD_UNREADABLE``) for a folder that has none of them."""
        self.name = name
        self.done = 0
        self._limits = limits
        self._paths = parts_in(name) if Path(name).is_dir() else [Path(name)]
        if not self._paths:
            raise DecodeError(Code.RECORD_UNREADABLE, "a folder without files in Parquet", Step.CONTENT)
        told = [[path.name, identity_of(path.stat())] for path in self._paths]
        self.identity: Mapping[str, Any] = {
            "files": len(told),
            "digest": hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        }

    @cached_property
    def size(self) -> int:
        """Rows in all files. Raises as :class:`TableFile`."""
        return sum(size for _, size, _ in self._opened())

    def _opened(self, skip: int = 0) -> Iterator[tuple[TableFile, int, int]]:
        """Each file that has rows behind the first ``skip``, how many rows it has, and how many those before it."""
        before = 0
        for path in self._paths:
            with path.open("rb") as file:
                table = TableFile(file, self._limits)
                if before + table.size > skip:
                    yield table, table.size, before
                before += table.size


class RecordTables(_Tables):
    """Records to issue certificates of."""

    def __init__(self, name: str, options: IntakeOptions) -> None:
        """Raises OSError, DecodeError (``RECORD_UNREADABLE``) for a folder that has none of them."""
        super().__init__(name, options.limits)
        self._options = options

    def items(self, skip: int = 0) -> Iterator[IssueItem]:
        """The records but for the first ``skip``. Raises as :func:`healthcert.intake.parquet.read_parquet`."""
        reader = RecordTable(self._options)
        for table, _, before in self._opened(skip):
            rows = reader.rows(table, skip=max(0, skip - before), before=before)
            for row in with_recoveries(rows, self._options.recovery):
                self.done = row.number
                yield row


class CertificateTables(_Tables):
    """Certificates to verify, in a column of texts."""

    def __init__(self, name: str, column: str, limits: Limits) -> None:
        """Raises OSError, DecodeError (``RECORD_UNREADABLE``) for a folder that has none of them."""
        super().__init__(name, limits)
        self._column = column

    def items(self, skip: int = 0) -> Iterator[VerifyItem]:
        """The certificates but for the first ``skip``. Raises HealthCertError, OSError."""
        for table, _, before in self._opened(skip):
            if table.names.count(self._column) != 1:
                detail = "a table that has no column of this name, or several"
                raise DecodeError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)
            table.check([self._column])
            for number, row in table.rows([self._column], skip=max(0, skip - before)):
                self.done = before + number
                if row is None:
                    yield rejected(self.done, "a row in a damaged piece of the file")
                else:
                    yield of_cell(self.done, row[self._column], self._column)


def parts_in(folder: str) -> list[Path]:
    """The files in Parquet that a folder has, in the order of their names. Raises OSError."""
    with os.scandir(folder) as found:
        names = [one.name for one in found if one.is_file(follow_symlinks=False) and is_part(one.name)]
    return [Path(folder, name) for name in sorted(names)]
