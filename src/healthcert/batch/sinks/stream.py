"""Outputs that are one file to which more is added at its end."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from io import FileIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

from healthcert.batch.protocol import Mark, Output, Sink
from healthcert.batch.sinks.disk import append, count_of, known_file, new_file, write_all
from healthcert.files import sync_folder

_LENGTH = "bytes"


def open_stream(out: str, at: Mark | None) -> Sink:
    """A file of rows; ``-`` is standard output. Raises as :func:`healthcert.batch.sinks.open_sink`."""
    if out == "-":
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard output")
        return _Pipe(sys.stdout.buffer, keep=True)
    path = Path(out)
    if path.exists() and not path.is_file():  # a pipe or a device stays what it is
        return _Pipe(path.open("wb", buffering=0), keep=False)
    return File(path, at)


class File:
    """A file that can be cut back to where it was whole."""

    def __init__(self, path: Path, at: Mark | None) -> None:
        """Raises :class:`BatchError` (``JOURNAL_UNUSABLE``), OSError."""
        self._path = path
        self._length = 0 if at is None else count_of(at, _LENGTH)
        self._is_new = at is None
        if at is None:
            path.unlink(missing_ok=True)  # one that others could read would stay so
        self._file: FileIO = new_file(path) if at is None else known_file(path, self._length)

    def write(self, outputs: Sequence[Output]) -> None:
        self.add(b"".join([output.data for output in outputs]))

    def add(self, data: bytes) -> None:
        """Writes bytes at the end. Raises OSError."""
        append(self._file, self._length, data)
        self._length += len(data)

    def flush(self) -> Mark:
        self._file.truncate(self._length)  # half of what failed to be written is no part of it
        os.fsync(self._file.fileno())
        if self._is_new:
            sync_folder(self._path.parent)
            self._is_new = False
        return {_LENGTH: self._length}

    def close(self) -> None:
        if not self._file.closed:
            with self._file:
                self.flush()


class _Pipe:
    """What takes rows and never gives them back: nothing is known of how far it came, and all of it is gone on with."""

    def __init__(self, file: RawIOBase | BinaryIO, *, keep: bool) -> None:
        self._file, self._keep = file, keep

    def write(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            write_all(self._file, output.data)
        self._file.flush()

    def flush(self) -> Mark:
        return {}

    def close(self) -> None:
        if not self._keep:
            self._file.close()
