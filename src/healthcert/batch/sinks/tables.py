"""Rows of results as tables of Arrow, whose columns are always the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from healthcert.batch.sinks.rows import Columns, Kind
from healthcert.errors import BatchError, Code


@contextmanager
def needed() -> Iterator[None]:
    """Around imports. Raises :class:`BatchError` (``EXTRA_MISSING``) where pyarrow is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pyarrow":
            raise
        detail = "tables in Parquet need the package pyarrow: pip install 'healthcert[parquet]'"
        raise BatchError(Code.EXTRA_MISSING, detail) from None


def schema_of(columns: Columns) -> Any:
    """The schema of a table of these columns."""
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.NUMBER: pa.int64(),
        Kind.FLAG: pa.bool_(),
        Kind.MOMENT: pa.timestamp("us", "UTC"),
    }
    return pa.schema([pa.field(name, types[kind]) for name, kind in columns.items()])


def table_of(rows: Sequence[Mapping[str, Any]], columns: Columns) -> Any:
    """Rows as a table. What a row lacks is null, and what no column is for is left out."""
    import pyarrow as pa

    return pa.Table.from_pydict({name: [row.get(name) for row in rows] for name in columns}, schema_of(columns))


def table_bytes(rows: Sequence[Mapping[str, Any]], columns: Columns) -> bytes:
    """The table of :func:`table_of` as a stream. Raises :class:`BatchError` (``EXTRA_MISSING``)."""
    with needed():
        import pyarrow as pa  # noqa: F401
    return to_stream(table_of(rows, columns))


def to_stream(table: Any) -> bytes:
    """A table as a stream of Arrow's own format."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def of_stream(data: bytes) -> Any:
    """The table of a stream."""
    import pyarrow as pa

    with pa.ipc.open_stream(pa.BufferReader(data)) as reader:
        return reader.read_all()


def of_streams(path: Path, rows: int) -> Any:
    """The table of the first streams in a file, so many that they have ``rows`` rows; of all where there are fewer."""
    import pyarrow as pa

    tables = []
    with pa.OSFile(str(path)) as file:
        while rows > 0 and file.tell() < file.size():
            with pa.ipc.open_stream(file) as reader:
                tables.append(reader.read_all())
            rows -= tables[-1].num_rows
    return pa.concat_tables(tables)


def to_parquet(table: Any) -> bytes:
    """A table as a file in Parquet, the same for the same rows however they came together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table.combine_chunks(), sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def of_parquet(path: Path) -> Any:
    """The table of a file that :func:`to_parquet` made."""
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        return pq.read_table(file)
