"""Files of results in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from healthcert.batch.protocol import Mark, Output
from healthcert.batch.sinks.disk import count_of, unusable, write_file
from healthcert.batch.sinks.naming import checked
from healthcert.files import sync_folder

_FILES = "files"
_TEMPORARY = ".writing"
# Files that may wait for the disk at a time.
_UNSAFE = 1000


def open_folder(out: str, at: Mark | None) -> FolderSink:
    """A folder, made where there is none. Raises as :func:`healthcert.batch.sinks.open_sink`."""
    return FolderSink(Path(out), at)


class FolderSink:
    """A folder of files, each there whole or not at all. One that is there already of the same name is replaced.

    A run that goes on gives the files behind its mark the names that they had, so nothing need be removed.
    """

    def __init__(self, folder: Path, at: Mark | None) -> None:
        """Raises :class:`BatchError` (``JOURNAL_UNUSABLE``), OSError."""
        self._folder = folder
        self._count = 0 if at is None else count_of(at, _FILES)
        if at is not None and not folder.is_dir():
            raise unusable("the output is not there")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _TEMPORARY).unlink(missing_ok=True)  # of a run that was broken off
        self._unsafe: list[str] = []

    def write(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            name = checked(output.name)
            write_file(self._folder, name, output.data, _TEMPORARY, sync=False)
            self._unsafe.append(name)
            if len(self._unsafe) >= _UNSAFE:
                self.flush()
        self._count += len(outputs)

    def flush(self) -> Mark:
        for name in self._unsafe:
            descriptor = os.open(self._folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._unsafe.clear()
        sync_folder(self._folder)
        return {_FILES: self._count}

    def close(self) -> None:
        self.flush()
