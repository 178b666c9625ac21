"""ZIP archives that lists come in: what both formats that use them hold against an attacker."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from healthcert.lists.reading import unreadable

_DIRECTORY_ENTRY = b"PK\1\2"
# What the reader raises for archives that are damaged, or made in a way that it does not know.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
)


def entry_count(data: bytes) -> int:
    """At least how many files an archive has. The reader makes an object of each before it tells how many there are."""
    return data.count(_DIRECTORY_ENTRY)


@contextmanager
def opened(data: bytes) -> Iterator[zipfile.ZipFile]:
    """An archive to read from. Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``), also when that fails later."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except _DAMAGED:
        raise unreadable("a damaged archive") from None


def check_method(entry: zipfile.ZipInfo) -> None:
    """Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``) for a compression that archives of lists do not use."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unreadable("an archive that is compressed in another way than it should be")
