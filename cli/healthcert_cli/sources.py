"""Certificates from wherever the user has them: pictures, text files, standard input."""

from __future__ import annotations

import errno
import os
import sys

from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits, read_file


def read_source(source: str, limits: Limits) -> list[str]:
    """The texts of all certificates in a picture or text file; ``-`` is standard input.

    Raises DecodeError (``INPUT_TOO_LONG``, ``NO_BARCODE_FOUND``, ``TEXT_UNREADABLE`` ...) or OSError.
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
        return texts
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError(Code.TEXT_UNREADABLE, "neither a picture nor text in UTF-8") from None
    if text.lstrip()[:5].lower() in ("<?xml", "<svg ", "<!doc", "<html"):
        raise DecodeError(Code.TEXT_UNREADABLE, "a drawing or page (SVG, HTML): give a picture of it, as PNG or JPEG")
    # Base45 has spaces, and they count: lines are split at line ends only, and never stripped of spaces.
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if len(lines) > limits.texts_per_file:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.texts_per_file} certificates in one file")
    if not lines:
        raise DecodeError(Code.TEXT_UNREADABLE, "nothing to verify: the input is empty")
    return lines
