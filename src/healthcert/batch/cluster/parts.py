"""Parts of a result that several machines write to one folder: each is there whole or not at all, and once.

A part is written to a name that nobody reads and renamed when it is on the disk. What a part holds of which rows it
says itself, so that a run that was broken off is gone on with by what is there.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct

from healthcert.batch.cluster.spans import Span
from healthcert.batch.protocol import Refusal
from healthcert.batch.sinks import Columns, Kind
from healthcert.batch.sinks.disk import new_file
from healthcert.batch.sinks.tables import of_stream, schema_of, table_of
from healthcert.files import sync_folder

REJECTED: Columns = {"source": Kind.TEXT, "row": Kind.NUMBER, "code": Kind.TEXT, "reason": Kind.TEXT}
"""A row that could not be used, and why: the columns of the table of rejected rows."""

_GROUP_ROWS = 10_000  # what is written at once, and can be read by itself
_KEY = b"healthcert"
_PART = re.compile(r"part-[0-9]{5,12}\.parquet")
_OURS = re.compile(r"(\.?part-[0-9]{5,12}\.parquet|\.waiting-[0-9]{5,12}|\.writing)(\.[0-9a-f]{8})?")


class Told(Struct, frozen=True):
    """What a part says of itself: the run that it is of, the rows it was made of, and what became of them."""

    run: str
    span: Span
    counts: dict[str, int]


class Folder:
    """A folder of parts that several processes write to at once."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path, self._schema = path, schema_of(columns)

    def prepare(self) -> None:
        """Makes it, its owner's alone. Raises OSError: FileExistsError for a folder of other files."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(_OURS.fullmatch(one.name) is None for one in self.path.iterdir()):
            # Whoever reads the folder would read them along.
            raise FileExistsError(errno.EEXIST, "the folder holds other files", str(self.path))

    def find(self, part: str) -> Told | None:
        """What a part that is there says of itself."""
        return told_by(self.path / part)

    def tries(self, part: str) -> int:
        """How often this part was begun and not finished, by processes that have ended since."""
        return sum(1 for _ in self.path.glob(f".{part}.*"))

    @contextmanager
    def writing(self, part: str) -> Iterator[Part]:
        """A part that takes its name when all of it was written. Raises OSError."""
        temporary = self.path / f".{part}.{secrets.token_hex(4)}"
        one = Part(temporary, self._schema)
        try:
            with one:
                yield one
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        temporary.replace(self.path / part)
        sync_folder(self.path)

    def remove(self, part: str) -> None:
        """Removes a part, where it is there, and what was begun of it. Raises OSError."""
        for path in (self.path / part, *self.path.glob(f".{part}.*")):
            path.unlink(missing_ok=True)

    def keep(self, parts: Collection[str]) -> None:
        """Removes all but these parts. Raises OSError."""
        for path in self.path.iterdir():
            if path.name not in parts and _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)
        sync_folder(self.path)

    def done(self, run: str) -> list[Told]:
        """What was finished of a run, in order. A part that is not whole, or of another run, is passed over."""
        found = (told_by(path) for path in self.path.iterdir() if _PART.fullmatch(path.name))
        done: list[Told] = []
        for told in sorted((one for one in found if one and one.run == run), key=lambda one: one.span):
            # Of a whole and its pieces, both of which hold the same, one counts.
            if not done or told.span.at >= done[-1].span.end:
                done.append(told)
        return done


class Part:
    """A file to which tables are added."""

    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._tables: list[Any] = []
        self._file = new_file(path)
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")

    def add(self, data: bytes) -> None:
        """Adds the rows of a stream of Arrow's."""
        self._add(of_stream(data))

    def add_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Adds rows of the table of rejected rows."""
        self._add(table_of([_rejected(one) for one in refusals], REJECTED))

    def _add(self, table: Any) -> None:
        self._tables.append(table)
        if sum(one.num_rows for one in self._tables) >= _GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.concat_tables(self._tables))
        self._tables.clear()

    def tell(self, told: Told) -> None:
        """Says what it holds."""
        self._writer.add_key_value_metadata({_KEY: msgspec.json.encode(told)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            if self._tables:
                self._write()
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())


def told_by(path: Path) -> Told | None:
    """What a part says of itself; None where it cannot be read, or says nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata: Mapping[bytes, bytes] = pq.read_metadata(path).metadata or {}
        return msgspec.json.decode(metadata.get(_KEY, b""), type=Told)
    except (OSError, pa.ArrowException, msgspec.DecodeError):
        return None


def _rejected(one: Refusal) -> dict[str, Any]:
    return {"source": one.source, "row": one.number, "code": one.error.code.value, "reason": one.error.detail}
