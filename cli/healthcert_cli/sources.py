"""Certificates from wherever the user has them: pictures, text files, standard input."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from healthcert.errors import Code, DecodeError
from healthcert.families import recognise, split
from healthcert.families.shapes import is_document
from healthcert.limits import Limits, read_file
from healthcert.model import Scan

_ARCHIVE = b"PK\x03\x04"  # what the archive of a DIVOC certificate begins with


def files_in(folder: str | Path) -> list[str]:
    """All files in a folder and the folders in it, in order. Nothing outside of it is followed to."""
    root = Path(folder)
    found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def certificates_among(texts: list[str], limits: Limits) -> list[str]:
    """Those of the texts in a file that claim to be a certificate: a folder has other files, too.

    Raises DecodeError (``NO_CERTIFICATE_FOUND``) when there is none.
    """
    found = [text for text in texts if _claims_to_be_one(text, limits)]
    if not found:
        raise DecodeError(Code.NO_CERTIFICATE_FOUND, "no health certificate in it")
    return found


def _claims_to_be_one(text: str, limits: Limits) -> bool:
    # A document beyond the limits is one of thousands of entries, and no certificate; of another text the beginning
    # tells what it claims to be.
    if not is_document(text):
        text = text[: limits.text_chars]
    try:
        recognise(text, limits)
    except DecodeError as error:
        return error.code not in (Code.INVALID_SCHEME_PREFIX, Code.INPUT_TOO_LONG)
    return True


def read_source(source: str, limits: Limits) -> list[str]:
    """The texts of all certificates in a picture, text file or document; ``-`` is standard input.

    Those that were bytes in a barcode remember them (:class:`healthcert.model.Scan`). Raises DecodeError
    (``INPUT_TOO_LONG``, ``NO_BARCODE_FOUND``, ``TEXT_UNREADABLE`` ...) or OSError.
    """
    return _read(read_bytes(source, limits.file_bytes), limits)


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


def _read(data: bytes, limits: Limits) -> list[str]:
    from healthcert.barcode.read import is_image, read_barcodes

    if is_image(data):
        texts = read_barcodes(data, limits=limits)
        if not texts:
            raise DecodeError(Code.NO_BARCODE_FOUND, "no QR, Aztec or DataMatrix code in this picture")
        return [certificate for text in texts for certificate in _certificates(text, limits)]
    if data.startswith(_ARCHIVE):
        return [Scan.of(data)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError(Code.TEXT_UNREADABLE, "neither a picture nor text in UTF-8") from None
    if text.lstrip()[:5].lower() in ("<?xml", "<svg ", "<!doc", "<html"):
        raise DecodeError(Code.TEXT_UNREADABLE, "a drawing or page (SVG, HTML): give a picture of it, as PNG or JPEG")
    if is_document(text):
        return list(_certificates(text.strip(), limits))
    # Base45 has spaces, and they count: lines are split at line ends only, and never stripped of spaces.
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if len(lines) > limits.texts_per_file:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.texts_per_file} certificates in one file")
    if not lines:
        raise DecodeError(Code.TEXT_UNREADABLE, "nothing to verify: the input is empty")
    return lines


def _certificates(text: str, limits: Limits) -> Iterator[str]:
    """The certificates in a document that holds several, each by itself; any other text as it is."""
    try:
        yield from split(text, limits) or (text,)
    except DecodeError:
        yield text  # the verifier says what is wrong with it
