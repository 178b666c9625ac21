"""Certificates from wherever the user has them: pictures, PDFs, text files, standard input."""

from __future__ import annotations

import errno
import os
import sys

from healthcert.batch.sources.documents import certificates_among, read_texts
from healthcert.batch.sources.folder import files_in
from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits, read_file

__all__ = ["certificates_among", "files_in", "read_bytes", "read_source"]


def read_source(source: str, limits: Limits, *, password: str | None = None) -> list[str]:
    """The texts of all certificates in a picture, PDF, text file or document; ``-`` is standard input.

    A PDF may open with a ``password``. Those that were bytes in a barcode remember them
    (:class:`healthcert.model.Scan`). Raises DecodeError (``INPUT_TOO_LONG``, ``NO_BARCODE_FOUND``,
    ``TEXT_UNREADABLE`` ...) or OSError.
    """
    return read_texts(read_bytes(source, limits.file_bytes), limits, password=password)


def read_bytes(source: str, limit: int) -> bytes:
    """The content of a file, or of standard input for ``-``, up to ``limit`` bytes.

    Raises DecodeError (``INPUT_TOO_LONG``) or OSError.
    """
    if source != "-":
        return read_file(source, limit)
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limit} bytes")
    return data
