"""The lines of a file of records, none longer than a record may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

BOM = b"\xef\xbb\xbf"
_PIECE = 64 * 1024


def read_lines(file: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file with their numbers, from 1, and their ends; None for one of more than ``limit`` bytes.

    No more than a line is held at a time, however long the file's are. Raises OSError.
    """
    number = 0
    while line := file.readline(limit + 2):
        number += 1
        if len(line.rstrip(b"\r\n")) <= limit:
            yield number, line.removeprefix(BOM) if number == 1 else line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_PIECE)
        yield number, None
