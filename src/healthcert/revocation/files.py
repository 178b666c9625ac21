"""The files that a list is read from: one file, a folder, or an archive, by their names; nothing outside of it."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from healthcert.errors import Code, DecodeError, RevocationError, Step
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.lists.archive import DAMAGED, directory_length

_MOST_FILES = 1_000_000
_LONGEST_DIRECTORY = 16 << 20  # bytes of an archive's directory: about 150,000 files of the names that lists have
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Files(Protocol):
    """Files by name. Names have forward slashes and never lead out of where they are."""

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        ...

    def read(self, name: str) -> bytes | None:
        """The content; None when there is no such file. Raises :class:`RevocationError` (``INPUT_TOO_LONG`` ...)."""
        ...


class Given:
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._files))

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)


class _Folder:
    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path.resolve()
        self._limits = limits

    def names(self) -> tuple[str, ...]:
        found = []
        for path in self._path.rglob("*"):
            name = path.relative_to(self._path).as_posix()
            if _is_plain(name) and path.is_file() and not path.is_symlink():
                found.append(name)
                if len(found) > _MOST_FILES:
                    raise _refused(f"a folder of more than {_MOST_FILES} files", Code.INPUT_TOO_LONG)
        return tuple(sorted(found))

    def read(self, name: str) -> bytes | None:
        if not _is_plain(name):
            return None
        path = self._path / name
        try:
            # A link could lead to any file of this machine; what is neither file nor folder may never end.
            if not path.is_file() or not path.resolve().is_relative_to(self._path):
                return None
        except OSError:
            return None  # a name that is too long is no file's
        return _read(path, self._limits)


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > _MOST_FILES:
            raise _refused(f"an archive of more than {_MOST_FILES} files", Code.INPUT_TOO_LONG)
        self._entries = {entry.filename: entry for entry in entries if _is_plain(entry.filename)}
        if len(self._entries) != len(entries):
            raise _refused("an archive with two files of one name, or one whose name leads out of it")

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._entries))

    def read(self, name: str) -> bytes | None:
        if name not in self._entries:
            return None
        if self._entries[name].compress_type not in _METHODS:
            raise _refused("an archive that is compressed in another way than it should be")
        with _whole(), self._archive.open(self._entries[name]) as file:
            data = file.read(self._limits.list_bytes + 1)
        if len(data) > self._limits.list_bytes:
            raise _refused("a file in the archive is too long", Code.INPUT_TOO_LONG)
        return data


def _check_directory(file: IO[bytes]) -> None:
    """Refuses an archive with a long directory: the reader makes an object of each entry before they are counted."""
    length = directory_length(file, comment=True)
    if length is None:
        raise _refused("a damaged archive, or something stands behind it")
    if length > _LONGEST_DIRECTORY:
        raise _refused("an archive of too many files", Code.INPUT_TOO_LONG)


@contextmanager
def open_files(path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Files]:
    """The files in a folder or archive (ZIP, gzipped tar), or one file alone, under its own name.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``, ``INPUT_TOO_LONG``), OSError.
    """
    path = Path(path)
    if path.is_dir():
        yield _Folder(path, limits)
    elif path.exists() and not path.is_file():
        raise _refused("neither a file nor a folder")
    elif zipfile.is_zipfile(path):
        with path.open("rb") as file:
            _check_directory(file)
            with _whole():
                archive = zipfile.ZipFile(file)
            with archive:
                yield _Zip(archive, limits)
    elif path.name.endswith((".tgz", ".tar.gz")):
        yield Given(dict(tar_members(_read(path, limits), limits)))
    else:
        yield Given({path.name: _read(path, limits)})


def tar_members(data: bytes, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The files in a gzipped tar archive, which may lack its end (the EU's distribution service never writes one).

    Together they are no longer than a list may be. Raises like :func:`open_files`.
    """
    with _whole():
        with gzip.GzipFile(fileobj=BytesIO(data)) as packed:
            unpacked = packed.read(limits.list_bytes + 1)
        if len(unpacked) > limits.list_bytes:
            raise _refused("an archive that unpacks to more than a list may have", Code.INPUT_TOO_LONG)
        seen = set()
        with tarfile.open(fileobj=BytesIO(unpacked), mode="r:") as archive:
            for member in archive:
                # Folders say nothing; links and devices have no place here.
                if member.isdir():
                    continue
                # A file with holes is longer than what was read, and one of less than no bytes would lead back.
                plain = member.isreg() and not member.issparse() and member.size >= 0 and member.name not in seen
                file = archive.extractfile(member) if plain else None
                # A kid in base64 may have slashes anywhere, so that a name may begin with one.
                if file is None or not _is_plain(member.name.replace("/", "")) or ".." in member.name.split("/"):
                    raise _refused(
                        "an archive with a file whose name leads out of it, or is another's, or that is none"
                    )
                seen.add(member.name)
                content = file.read()
                if len(content) != member.size:
                    raise _refused("an archive that was cut off")
                yield member.name, content
            # The reader stops without a word at a header that is damaged or cut off.
            if any(unpacked[archive.offset :]):
                raise _refused("an archive that was cut off, or is damaged")


def only(files: Files) -> bytes:
    """The content of the one file there is. Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``)."""
    names = files.names()
    if len(names) != 1:
        raise _refused(f"{len(names)} files where one belongs")
    return files.read(names[0]) or b""


def _read(path: Path, limits: Limits) -> bytes:
    try:
        return read_file(path, limits.list_bytes)
    except DecodeError as error:
        raise _refused(error.detail, error.code) from None


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return bool(name) and "\\" not in name and "\0" not in name and ":" not in name and not {"", ".", ".."} & set(parts)


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except RevocationError:
        raise
    except (*DAMAGED, OSError, tarfile.TarError):
        raise _refused("a damaged archive") from None


def _refused(detail: str, code: Code = Code.REVOCATION_LIST_UNREADABLE) -> RevocationError:
    return RevocationError(code, detail, Step.REVOCATION)
