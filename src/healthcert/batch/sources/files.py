"""A file that is read once from its beginning to its end, with what is known of it before and meanwhile."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from healthcert.batch.protocol import Document

STDIN = "-"
TABLE = ".parquet"
"""What the names of files in Parquet, and of folders of them, end with."""


def is_part(name: str) -> bool:
    """Whether a file of a folder is one of a table, and not hidden from its readers."""
    return name.lower().endswith(TABLE) and not name.startswith((".", "_"))


def identity_of(state: os.stat_result) -> dict[str, Any]:
    """By what a file is known to be the same."""
    return {"size": state.st_size, "mtime_ns": state.st_mtime_ns}


def shown(name: str) -> str:
    """A name from a stranger as results call it: without signs that do something to a terminal, or are no text."""
    return "".join(sign if sign.isprintable() else "�" for sign in name)


class InputFile:
    """A file, or standard input for ``-``: how far it was read can be asked while it is."""

    def __init__(self, name: str) -> None:
        """Raises OSError where there is no such file."""
        state = None if name == STDIN else Path(name).stat()
        known = state is not None and stat.S_ISREG(state.st_mode)
        self.name = name
        self.size = state.st_size if state is not None and known else None
        self.identity: Mapping[str, Any] = identity_of(state) if state is not None and known else {}
        self._read = 0
        self._file: BinaryIO | None = None

    @property
    def done(self) -> int:
        """Bytes that were read so far."""
        if self._file is not None and self.size is not None:
            self._read = self._file.tell()
        return self._read

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, to be read. Raises OSError."""
        if self.name == STDIN:
            if sys.stdin is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
            yield sys.stdin.buffer
            return
        with Path(self.name).open("rb") as file:
            self._file = file
            try:
                yield file
                self._read = self.size or 0  # what stands behind the end of an archive is not read
            finally:
                self._file = None


class SingleFile(InputFile):
    """A picture, a PDF or a document: one item, which whoever reads it opens."""

    def items(self, skip: int = 0) -> Iterator[Document]:
        """The file, unless it is skipped."""
        self._read = self.size or 0
        if not skip:
            yield Document(1, self.name)
