"""The files in a tar archive, read as they come and never unpacked to the disk."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from itertools import islice

from healthcert.batch.protocol import Document, VerifyItem
from healthcert.batch.sources.archive import GZIP, Archive, DamagedError, unpacked
from healthcert.batch.sources.files import InputFile, shown
from healthcert.errors import Code, DecodeError
from healthcert.intake.reading import RejectedRow
from healthcert.limits import Limits

_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


class TarFile(InputFile):
    """An archive of pictures, PDFs and texts, plain or packed with gzip. Hidden files are passed over, and folders."""

    def __init__(self, name: str, limits: Limits) -> None:
        """Raises OSError where there is no such file."""
        super().__init__(name)
        self._limits = limits

    def items(self, skip: int = 0) -> Iterator[VerifyItem]:
        """The files but for the first ``skip``. Raises OSError.

        A link, a device, or a file that is too long is a rejected row, as is the place where the archive is cut off.
        """
        with self.opened() as file:
            is_packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            yield from islice(self._files(Archive(unpacked(file) if is_packed else file.read)), skip, None)

    def _files(self, archive: Archive) -> Iterator[VerifyItem]:
        number = 0
        try:
            for entry in archive:
                if entry.type == tarfile.DIRTYPE or (entry.type in _FILES and _is_hidden(entry.name)):
                    continue
                item = self._item(archive, entry, number + 1)
                number += 1
                yield item
        except DamagedError as error:
            yield _rejected(number + 1, Code.ARCHIVE_UNREADABLE, str(error))

    def _item(self, archive: Archive, entry: tarfile.TarInfo, number: int) -> VerifyItem:
        if entry.type not in _FILES:
            return _rejected(number, Code.ARCHIVE_UNREADABLE, "an entry that is no file: a link, a device or the like")
        if entry.size > self._limits.file_bytes:
            return _rejected(number, Code.INPUT_TOO_LONG, f"a file of more than {self._limits.file_bytes} bytes")
        return Document(number, f"{self.name}/{shown(entry.name)}", archive.content(entry))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def _rejected(number: int, code: Code, detail: str) -> RejectedRow:
    return RejectedRow(number, DecodeError(code, detail))
