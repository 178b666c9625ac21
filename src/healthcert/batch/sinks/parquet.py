"""Rows of results in Parquet: a folder of parts, each of so many rows, whatever happened while they were written.

A part is written at once and cannot be added to. The rows of one that is not full yet wait on the disk in a file beside
it, which goes when the part is there.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from healthcert.batch.protocol import Mark, Output
from healthcert.batch.sinks.disk import append, count_of, known_file, new_file, unusable, write_file
from healthcert.batch.sinks.tables import needed, of_parquet, of_stream, of_streams, to_parquet, to_stream
from healthcert.files import sync_folder

PART_ROWS = 20_000
"""Rows of a part. They are in memory until it is written: some 20 MB."""
_PARTS, _ROWS = "parts", "rows"
_TEMPORARY = ".writing"
_OURS = re.compile(r"part-([0-9]{5,12})\.parquet|\.waiting-([0-9]{5,12})|\.writing")


def open_parts(out: str, at: Mark | None) -> PartSink:
    """A folder of parts, new or cut back to a mark. Raises as :func:`healthcert.batch.sinks.open_sink`."""
    with needed():
        import pyarrow.parquet  # noqa: F401
    return PartSink(Path(out), at)


class PartSink:
    """A folder of parts. Where they end depends on their rows alone, and not on how these came or were flushed."""

    def __init__(self, folder: Path, at: Mark | None) -> None:
        """Raises :class:`BatchError` (``JOURNAL_UNUSABLE``), OSError: FileExistsError for a folder of other files."""
        self._folder = folder
        self._parts = 0 if at is None else count_of(at, _PARTS)
        self._rows = 0 if at is None else count_of(at, _ROWS)
        self._tables: list[Any] = []
        self._unsaved: list[Any] = []
        self._waiting: FileIO | None = None
        self._saved = 0  # bytes of the waiting file that are whole
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_folder()
        if self._rows:
            self._restore()
        self._remove_behind()

    def write(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self._take(of_stream(output.data))
        while self._rows >= PART_ROWS:
            self._end_part()

    def flush(self) -> Mark:
        if self._unsaved:
            if self._waiting is None:
                self._waiting, self._saved = new_file(self._path_waiting), 0
            data = b"".join(map(to_stream, self._unsaved))
            append(self._waiting, self._saved, data)
            os.fsync(self._waiting.fileno())
            self._saved += len(data)
            self._unsaved.clear()
        sync_folder(self._folder)
        return {_PARTS: self._parts, _ROWS: self._rows}

    def close(self) -> None:
        # Where there were no rows at all, an empty part tells the columns.
        if self._rows or (self._tables and not self._parts):
            self._end_part()

    @property
    def _path_waiting(self) -> Path:
        return self._folder / f".waiting-{self._parts:05}"

    def _path(self, part: int) -> Path:
        return self._folder / f"part-{part:05}.parquet"

    def _take(self, table: Any) -> None:
        self._tables.append(table)
        self._unsaved.append(table)
        self._rows += table.num_rows

    def _end_part(self) -> None:
        import pyarrow as pa

        table = pa.concat_tables(self._tables)
        write_file(self._folder, self._path(self._parts).name, to_parquet(table.slice(0, PART_ROWS)), _TEMPORARY)
        sync_folder(self._folder)
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
            self._path_waiting.unlink()
        self._parts += 1
        self._tables, self._unsaved, self._rows = [], [], 0
        if table.num_rows > PART_ROWS:
            self._take(table.slice(PART_ROWS))

    def _check_folder(self) -> None:
        """Raises for other files, which whoever reads the folder would read along, and for parts that are missing."""
        names = {path.name for path in self._folder.iterdir()}
        if any(_OURS.fullmatch(name) is None for name in names):
            raise FileExistsError(errno.EEXIST, "the folder holds other files", str(self._folder))
        if self._parts > len(names) or any(self._path(part).name not in names for part in range(self._parts)):
            raise unusable("a part of the output is not there")

    def _restore(self) -> None:
        """Brings back the rows of the part that was not full, which may have been filled since."""
        table = self._found().slice(0, self._rows)
        if table.num_rows < self._rows:
            raise unusable("the output does not go as far as the journal says")
        data = to_stream(table)
        write_file(self._folder, self._path_waiting.name, data, _TEMPORARY)
        self._waiting, self._saved = known_file(self._path_waiting, len(data)), len(data)
        self._tables = [table]

    def _found(self) -> Any:
        part = self._path(self._parts)
        try:
            return of_parquet(part) if part.exists() else of_streams(self._path_waiting, self._rows)
        except (ValueError, OSError):  # what pyarrow raises for a damaged file
            raise unusable("the part of the output that was being written cannot be read") from None

    def _remove_behind(self) -> None:
        """Removes what was written behind the mark."""
        kept = {self._path(part).name for part in range(self._parts)}
        if self._waiting is not None:
            kept.add(self._path_waiting.name)
        for path in self._folder.iterdir():
            if path.name not in kept:
                path.unlink()
