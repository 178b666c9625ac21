"""Certificates from wherever the user has them: pictures, text files, standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits


def read_source(source: str, limits: Limits) -> list[str]:
    """The texts of all certificates in a picture or text file; ``-`` is standard input.

    Raises DecodeError (``INPUT_TOO_LONG``, ``NO_BARCODE_FOUND``, ``TEXT_UNREADABLE`` ...) or OSError.
    """
    if source == "-":
        data = sys.stdin.buffer.read(limits.file_bytes + 1)
    else:
        with Path(source).open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.file_bytes} bytes")
    return _read(data, limits)


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
    if not lines:
        raise DecodeError(Code.TEXT_UNREADABLE, "nothing to verify: the input is empty")
    return lines
