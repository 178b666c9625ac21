"""Reading a tar archive (POSIX.1-2001 with GNU's long names) from its beginning to its end, whatever stands in it.

Headers are taken apart here and not by ``tarfile.open``, which reads an extended header of any length into memory and
takes a damaged one for the end of the archive.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

Read = Callable[[int], bytes]

GZIP = b"\x1f\x8b"
_BLOCK = tarfile.BLOCKSIZE
_ZEROS = bytes(_BLOCK)
_HEADER_BYTES = 16 * 1024  # of an extended header: a name has some hundred
_PIECE = 64 * 1024
# What is packed better than this is no archive of pictures and texts; deflate reaches a thousand.
_PACKED, _LARGE = 200, 64 * 1024 * 1024
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE)
_EXTENDED = (*_PAX, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
# Entries that have a size without having a content.
_BARE = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)


class DamagedError(Exception):
    """An archive that cannot be read any further. Its text says why, and nothing of what is in it."""


class Archive:
    """The entries of an archive, one after the other. What they hold is read only where it is asked for."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = 0

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Raises :class:`DamagedError` where the archive is cut off or damaged, OSError."""
        name: str | None = None
        size: int | None = None
        while (block := self._block()) is not None:
            entry = _entry(block)
            if entry.type in _EXTENDED:
                body = self._extension(entry.size)
                if entry.type == tarfile.GNUTYPE_LONGNAME:
                    name = _text(body.rstrip(b"\0"))
                elif entry.type in _PAX:
                    named, sized = _of_pax(body)
                    if entry.type != tarfile.XGLTYPE:
                        name, size = named or name, size if sized is None else sized
                continue
            if entry.type == tarfile.GNUTYPE_SPARSE:
                raise DamagedError("a file with holes in the archive; nothing behind it was read")
            entry.name, entry.size = name or entry.name, entry.size if size is None else size
            name = size = None
            self._left = 0 if entry.type in _BARE else _padded(entry.size)
            yield entry
            self._skip()

    def content(self, entry: tarfile.TarInfo) -> bytes:
        """The content of the entry that was given last. Raises :class:`DamagedError`, OSError."""
        data = self._exactly(entry.size)
        self._left -= entry.size
        return data

    def _block(self) -> bytes | None:
        """The next header; None at the end."""
        block = self._exactly(_BLOCK)
        return None if block == _ZEROS else block

    def _extension(self, size: int) -> bytes:
        if size > _HEADER_BYTES:
            raise DamagedError(f"a header of more than {_HEADER_BYTES} bytes in the archive")
        return self._exactly(_padded(size))[:size]

    def _skip(self) -> None:
        while self._left:
            piece = min(self._left, _PIECE)
            self._exactly(piece)
            self._left -= piece

    def _exactly(self, size: int) -> bytes:
        data = self._read(size)
        if len(data) < size:
            raise DamagedError("the archive is cut off")
        return data


def unpacked(file: BinaryIO) -> Read:
    """What reads an archive that gzip packed. It raises :class:`DamagedError`, OSError."""
    stream, read = gzip.GzipFile(fileobj=file), 0

    def take(size: int) -> bytes:
        nonlocal read
        try:
            data = stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise DamagedError("the archive is cut off or damaged") from None
        read += len(data)
        if read > _LARGE and read > _PACKED * file.tell():
            raise DamagedError(f"the archive unpacks to more than {_PACKED} times its size")
        return data

    return take


def _padded(size: int) -> int:
    return size + -size % _BLOCK


def _entry(block: bytes) -> tarfile.TarInfo:
    try:
        entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        raise DamagedError("the archive is damaged; nothing behind that was read") from None
    if entry.size < 0:
        raise DamagedError("the archive is damaged; nothing behind that was read")
    return entry


def _of_pax(body: bytes) -> tuple[str | None, int | None]:
    """Name and size of the next file, where a pax header tells them."""
    found: dict[bytes, bytes] = {}
    while body:
        # POSIX.1-2001, pax, "pax Extended Header": records of "%d %s=%s\n", the length of all of it first.
        digits, _, _ = body[:12].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = body[len(digits) + 1 : length]
        if not record.endswith(b"\n") or len(record) + len(digits) + 1 != length:
            raise DamagedError("the archive is damaged; nothing behind that was read")
        key, _, value = record[:-1].partition(b"=")
        found[key] = value
        body = body[length:]
    if any(key.startswith(b"GNU.sparse.") for key in found):
        raise DamagedError("a file with holes in the archive; nothing behind it was read")
    size = found.get(b"size")
    if size is not None and not (size.isdigit() and len(size) < 20):
        raise DamagedError("the archive is damaged; nothing behind that was read")
    path = found.get(b"path")
    return None if path is None else _text(path), None if size is None else int(size)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
