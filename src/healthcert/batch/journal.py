"""The journal of a run: how far it came, on the disk, so that it can be gone on with after a crash or a power cut.

What it says was done is on the disk: it is written after the results, and replaced whole. It names no person and holds
no secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta, Struct, field

from healthcert.batch.sinks.disk import new_file, write_all
from healthcert.errors import BatchError, Code
from healthcert.files import lock, sync_folder

VERSION = 1
_MOST_BYTES = 1024 * 1024
_Count = Annotated[int, Meta(ge=0)]


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a run came.

    ``run`` is the fingerprint of what it does. ``since`` is from when on work may have been done that is not told
    here. ``source`` is the number of the source it was at, from 0, and ``items`` how many of it were done; ``rows`` and
    ``counts`` are those of all sources until there. ``mark`` is where the output is gone on with, None for at its
    beginning, and ``rejects`` how long the file of rejected rows is. ``seconds`` are those it took.
    """

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)] = VERSION
    run: str
    since: datetime
    source: _Count = 0
    items: _Count = 0
    rows: _Count = 0
    counts: dict[str, _Count] = field(default_factory=dict)
    mark: dict[str, Any] | None = None
    rejects: _Count | None = None
    seconds: Annotated[float, Meta(ge=0)] = 0.0

    def __post_init__(self) -> None:
        if self.since.tzinfo is None:
            raise ValueError("a moment without a time zone")


class Journal:
    """The file of a journal, which one run at a time has: who holds its lock writes to the outputs that it is of."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """See :meth:`begin` and :meth:`resume`."""
        self._path, self._descriptor = path, descriptor

    @classmethod
    def begin(cls, path: Path, entry: Entry) -> Self:
        """The journal of a new run. Raises :class:`BatchError` (``JOURNAL_UNUSABLE``) where there is one; OSError."""
        try:
            with new_file(path) as file:
                descriptor = os.dup(file.fileno())
        except FileExistsError:
            raise _unusable("there is one of a run that was broken off, or goes on still: go on with it") from None
        journal = cls(path, descriptor)
        try:
            lock(descriptor)
            journal.write(entry)
        except BaseException:
            journal.remove()
            raise
        return journal

    @classmethod
    def resume(cls, path: Path, run: str) -> tuple[Self, Entry] | None:
        """The journal of a run that was broken off, and how far that came; None where there is none.

        Raises :class:`BatchError` (``JOURNAL_UNUSABLE``) for one that is damaged, or another run's, or that another
        program works by; OSError.
        """
        try:
            # A pipe in its place would be waited for, for ever.
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unusable("it is no file")
            _take(descriptor, path)
            if not os.fstat(descriptor).st_size:  # that run was broken off before it could write a word
                path.unlink()
                os.close(descriptor)
                return None
            entry = _read(descriptor)
            if entry.run != run:
                detail = "it is that of a run with other input, options or settings; say the same, or remove it"
                raise _unusable(detail)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor), entry

    def write(self, entry: Entry) -> None:
        """Replaces what it says, once that is on the disk. Raises OSError; then it says what it said before."""
        beside = self._path.with_name(f".{self._path.name}.new")
        beside.unlink(missing_ok=True)
        try:
            with new_file(beside) as file:
                write_all(file, msgspec.json.encode(entry))
                os.fsync(file.fileno())
                lock(file.fileno())
                descriptor = os.dup(file.fileno())  # it has the same lock
            beside.replace(self._path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor = descriptor
        sync_folder(self._path.parent)

    def remove(self) -> None:
        """The run is complete. Raises OSError."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leaves it for whoever goes on with the run. May be done twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def fingerprint(what: Mapping[str, Any]) -> str:
    """By what a run is known to be the same: a hash of its inputs, options and settings, in values of JSON."""
    # In ASCII: the name of a file need not be UTF-8, and is a text with lone surrogates then.
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode("ascii")).hexdigest()


def _take(descriptor: int, path: Path) -> None:
    """Takes the lock of a journal that is there. One that is replaced meanwhile belongs to a run that goes on."""
    try:
        lock(descriptor)
        taken = os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except (BlockingIOError, FileNotFoundError):
        taken = False
    if not taken:
        raise _unusable("another program is at this run")


def _read(descriptor: int) -> Entry:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    try:
        return msgspec.json.decode(data[:_MOST_BYTES], type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unusable("it is damaged: remove it, and begin anew; what was issued comes out once more") from None


def _unusable(detail: str) -> BatchError:
    return BatchError(Code.JOURNAL_UNUSABLE, f"the journal: {detail}")
