"""ZIP archives that lists come in: what all that read them hold against an attacker."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from healthcert.lists.reading import unreadable

_DIRECTORY_ENTRY = b"PK\1\2"
_END, _END_64, _LOCATOR_64 = struct.Struct("<4s8xL4xH"), struct.Struct("<4s36xQ8x"), struct.Struct("<4s4xQ4x")
_LONGEST_COMMENT = 0xFFFF
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # also for ways of packing that it does not know
    EOFError,
    ValueError,
    struct.error,
)
"""What the reader raises for damaged archives; some of them lead it to an OSError as well."""


def entry_count(data: bytes) -> int:
    """At least how many files an archive has. The reader makes an object of each before it tells how many there are."""
    return data.count(_DIRECTORY_ENTRY)


def directory_length(file: IO[bytes], *, comment: bool = False) -> int | None:
    """How many bytes the directory of an archive says that it has, found as the reader finds it.

    The reader makes an object of each entry before anything else can be held against them. None for what is no archive,
    or has anything behind its end but, where that is allowed, a ``comment``. Raises OSError.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END.size - (_LONGEST_COMMENT if comment else 0))
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        return None
    _, length, behind = _END.unpack_from(tail, at)
    if at + _END.size + behind != len(tail):
        return None
    place = start + at - _LOCATOR_64.size - _END_64.size
    if place < 0:
        return int(length)
    file.seek(place)
    mark_64, length_64 = _END_64.unpack(file.read(_END_64.size))
    locator, place_64 = _LOCATOR_64.unpack(file.read(_LOCATOR_64.size))
    if locator != b"PK\6\7":
        return int(length)
    # Some readers look where the locator leads, and others right before it; so there must be one place.
    return int(length_64) if (mark_64, place_64) == (b"PK\6\6", place) else None


@contextmanager
def opened(data: bytes) -> Iterator[zipfile.ZipFile]:
    """An archive to read from. Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``), also when that fails later."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except (*DAMAGED, OSError):
        raise unreadable("a damaged archive") from None


def check_method(entry: zipfile.ZipInfo) -> None:
    """Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``) for a compression that archives of lists do not use."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unreadable("an archive that is compressed in another way than it should be")
