"""The files of a folder, in an order that is always the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from healthcert.batch.protocol import Document, VerifyItem
from healthcert.batch.sources.files import shown
from healthcert.errors import DecodeError
from healthcert.intake.reading import RejectedRow
from healthcert.limits import Limits, read_file


def files_in(folder: str | Path) -> Iterator[str]:
    """All files in a folder and the folders in it, in order, but for hidden ones. No link is followed.

    The names of one folder at a time are in memory. Raises OSError.
    """
    return (entry.path for entry in _walked(str(folder)))


class FolderFiles:
    """A folder of pictures, PDFs and texts."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.done = 0
        self._limits = limits

    @property
    def size(self) -> int:
        """Files in it. Raises OSError."""
        return self._survey.files

    @property
    def identity(self) -> Mapping[str, Any]:
        """How many files there are, and a digest of their names and sizes. Raises OSError."""
        return {"files": self._survey.files, "digest": self._survey.digest}

    @cached_property
    def _survey(self) -> _Survey:
        files, digest = 0, hashlib.sha256()
        for entry in _walked(self.name):
            path = os.fsencode(os.path.relpath(entry.path, self.name))
            digest.update(b"%d %d " % (len(path), entry.stat(follow_symlinks=False).st_size) + path)
            files += 1
        return _Survey(files, digest.hexdigest())

    def items(self, skip: int = 0) -> Iterator[VerifyItem]:
        """The files but for the first ``skip``. Raises OSError."""
        self.done = skip
        for number, path in islice(enumerate(files_in(self.name), 1), skip, None):
            self.done = number
            yield self._file(number, path)

    def _file(self, number: int, path: str) -> VerifyItem:
        """A file, whose content is left to whoever reads it but where its name is none that results could have."""
        if (name := shown(path)) == path:
            return Document(number, path)
        try:
            return Document(number, name, read_file(path, self._limits.file_bytes))
        except DecodeError as error:
            return RejectedRow(number, error)


class _Survey(Struct, frozen=True):
    files: int
    digest: str


def _walked(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        entries = sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry
