"""Where the results of a bulk run go: JSON Lines, parts in Parquet, a folder of files, or an archive of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

from healthcert.batch.protocol import Mark, Sink
from healthcert.batch.sinks.naming import file_name
from healthcert.batch.sinks.rows import Columns, Kind, json_lines, sound
from healthcert.batch.sinks.stream import open_stream

__all__ = ["Columns", "Form", "Kind", "encode_rows", "file_name", "form_of", "open_sink"]


@unique
class Form(StrEnum):
    """How results are written: as rows in JSON Lines or Parquet, or as files in a folder or a tar archive."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    FOLDER = "folder"
    TAR = "tar"


def form_of(out: str) -> Form:
    """The form that the name of an output asks for; ``-``, standard output, takes JSON Lines."""
    if out.endswith(".tar"):
        return Form.TAR
    if out.rstrip("/").endswith(".parquet"):
        return Form.PARQUET
    return Form.FOLDER if out.endswith("/") or (out != "-" and Path(out).is_dir()) else Form.JSONL


def encode_rows(form: Form, rows: Sequence[Mapping[str, Any]], columns: Columns) -> bytes:
    """The rows of a chunk as an output of this form takes them, JSON Lines or Parquet.

    Raises :class:`BatchError` (``EXTRA_MISSING``) for Parquet where pyarrow is not installed.
    """
    if form is Form.PARQUET:
        from healthcert.batch.sinks.tables import table_bytes as encode
    else:
        encode = json_lines
    try:
        return encode(rows, columns)
    except UnicodeEncodeError:  # the name of a file may be no text, nor what a stranger signed
        return encode([sound(row) for row in rows], columns)


def open_sink(out: str, form: Form, at: Mark | None = None) -> Sink:
    """An output, new, or cut back to how it was at a mark. What is there already of that name is replaced.

    Nobody but their owner can read the files, for they are health data. Raises :class:`BatchError`
    (``JOURNAL_UNUSABLE``) where the output does not go as far as the mark, and ``EXTRA_MISSING`` for Parquet where
    pyarrow is not installed; OSError.
    """
    if form is Form.PARQUET:
        from healthcert.batch.sinks.parquet import open_parts

        return open_parts(out, at)
    if form is Form.FOLDER:
        from healthcert.batch.sinks.folder import open_folder

        return open_folder(out, at)
    if form is Form.TAR:
        from healthcert.batch.sinks.tar import open_tar

        return open_tar(out, at)
    return open_stream(out, at)
