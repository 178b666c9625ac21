"""Where rows go that cannot be used, in every command that does many."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from io import BufferedWriter
from pathlib import Path
from stat import S_ISREG
from typing import IO, Self

import click

from healthcert.batch.sinks.disk import known_file
from healthcert.errors import Code, HealthCertError
from healthcert_cli.options import refuse_over, refuse_over_pem
from healthcert_cli.text import printable


class Rejects:
    """Where rows go that cannot be used: their source, their number and the reason; never what they hold."""

    def __init__(self, path: Path | None, keep: Iterable[str | Path | None] = (), *, length: int | None = None) -> None:
        """``keep`` are files that are read: rows are not written over them. A file is gone on with at ``length``."""
        if path is not None:
            refuse_over(path, keep)
            refuse_over_pem(path)
        self._path, self._length = path, length
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self.counts: Counter[Code] = Counter()

    def __enter__(self) -> Self:
        """Raises :class:`BatchError` (``JOURNAL_UNUSABLE``) where the file does not go as far as it should; OSError.

        A symbolic link to a file is not followed.
        """
        if self._path is not None and self._length is not None:
            self._file = self._stack.enter_context(BufferedWriter(known_file(self._path, self._length)))
        elif self._path is not None:
            self._file = self._stack.enter_context(_begun(self._path))
            self._file.write(b"source\trow\tcode\treason\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, source: str, row: int, error: HealthCertError) -> None:
        self.counts[error.code] += 1
        line = f"{printable(source)}\t{row}\t{error.code}\t{printable(error.detail)}"
        if self._file is not None:
            self._file.write(line.encode() + b"\n")
        else:
            click.echo(f"rejected: {line.replace(chr(9), ' ')}", err=True)

    def flush(self) -> int | None:
        """Brings all of it to the disk, and says how long the file is; None without a file. Raises OSError."""
        if self._file is None:
            return None
        self._file.flush()
        if not S_ISREG(os.fstat(self._file.fileno()).st_mode):  # a pipe or a device takes it, and that is all
            return None
        os.fsync(self._file.fileno())
        return self._file.tell()


def _begun(path: Path) -> IO[bytes]:
    """An empty file, its owner's alone. Raises OSError."""
    if path.exists() and not path.is_file():  # a pipe or a device stays what it is
        return path.open("wb")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags, 0o600), "wb")
    path.chmod(0o600)  # one that others could read would stay so
    return file
