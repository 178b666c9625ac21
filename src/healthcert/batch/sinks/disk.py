"""Files of results: their owner's alone, never through a symbolic link, and on the disk when that is said."""

from __future__ import annotations

import os
import stat
from io import FileIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

from healthcert.batch.protocol import Mark
from healthcert.errors import BatchError, Code

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def new_file(path: Path) -> FileIO:
    """A new file to write to, unbuffered. Raises OSError, also where there is one of this name."""
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600), "w")


def known_file(path: Path, length: int) -> FileIO:
    """A file that goes on behind its first ``length`` bytes; what stood there is gone.

    Raises :class:`BatchError` (``JOURNAL_UNUSABLE``) where it is not there, or shorter; OSError.
    """
    try:
        file = FileIO(os.open(path, os.O_RDWR | _NO_LINK), "r+")
    except FileNotFoundError:
        raise unusable("the output is not there") from None
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode) or state.st_size < length:
        file.close()
        raise unusable("the output does not go as far as the journal says")
    file.truncate(length)
    file.seek(length)
    return file


def write_all(file: RawIOBase | BinaryIO, data: bytes) -> None:
    """Writes all of it: one call may take less than it is given. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def append(file: FileIO, length: int, data: bytes) -> None:
    """Writes all of it behind the first ``length`` bytes: behind them may be half of what failed. Raises OSError."""
    file.truncate(length)
    file.seek(length)
    write_all(file, data)


def write_file(folder: Path, name: str, data: bytes, temporary: str, *, sync: bool = True) -> None:
    """A file that is there whole or not at all, in the place of one of its name. Raises OSError."""
    (folder / temporary).unlink(missing_ok=True)  # half of one, if its writing failed or was broken off
    with new_file(folder / temporary) as file:
        write_all(file, data)
        if sync:
            os.fsync(file.fileno())
    # A link of this name is replaced itself, and not what it leads to.
    (folder / temporary).replace(folder / name)


def count_of(mark: Mark, name: str) -> int:
    """A count that a mark must have. Raises :class:`BatchError` (``JOURNAL_UNUSABLE``)."""
    value = mark.get(name)
    if type(value) is not int or value < 0:
        raise unusable(f"it does not tell how far the output was written ({name})")
    return value


def unusable(detail: str) -> BatchError:
    """What is raised where an output cannot be gone on with."""
    return BatchError(Code.JOURNAL_UNUSABLE, detail)
