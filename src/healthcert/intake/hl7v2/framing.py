"""Files of HL7 v2 messages to single messages: framed by MLLP, one after the other, or in batches.

Nothing is decoded here. A file is read in blocks, and no more of it is held than one message may be long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

_BLOCK = 256 * 1024
# HL7 v2.5.1, appendix C.4.2 (minimal lower layer protocol): a block is <VT> data <FS> <CR>.
_START, _END = b"\x0b", b"\x1c"
_FRAMED = re.compile(rb"[\x0b\x1c]")
# A line that begins a message or belongs to a batch. A name that is written on, as in MSHX, begins one as well: what
# follows a damaged line must not become part of the message before it.
_PLAIN = re.compile(rb"[\x0b\x1c]|[\r\n](?=MSH|FHS|BHS|BTS|FTS)")
_LINE_BEGIN = 4  # bytes of the end of a line and of the name behind it
_UTF8_MARK = b"\xef\xbb\xbf"


class Piece(Struct, frozen=True):
    """A message, or a line of a batch, as it stands in the file.

    ``data`` is None where it is longer than allowed. ``framed`` tells that MLLP says where it begins; ``complete`` that
    it is known to be whole: its block or its last segment was ended.
    """

    data: bytes | None
    framed: bool
    complete: bool


def split(file: BinaryIO, most: int) -> Iterator[Piece]:
    """The pieces of a file, in order, none of more than ``most`` bytes. Empty lines between them are left out."""
    buffer = file.read(_BLOCK).removeprefix(_UTF8_MARK)
    start = position = 0  # where the piece begins; where the next boundary is looked for
    framed = too_long = False
    while True:
        while bound := (_FRAMED if framed else _PLAIN).search(buffer, position):
            mark = bound[0]
            # The end of a line belongs to the piece, the marks of MLLP to none.
            end = bound.start() if mark in (_START, _END) else bound.end()
            yield from _piece(buffer[start:end], framed, ended=mark == _END, too_long=too_long or end - start > most)
            framed, too_long = mark == _START, False
            start = position = bound.end()
        position = max(position, len(buffer) - _LINE_BEGIN + 1)
        if len(buffer) - start > most:
            # Of what is too long nothing is kept but its end, which may be where the next line begins.
            too_long, start = True, max(start, position)
        buffer, position, start = buffer[start:], position - start, 0
        if not (block := file.read(_BLOCK)):
            break
        buffer += block
    yield from _piece(buffer, framed, ended=False, too_long=too_long)


def _piece(data: bytes, framed: bool, *, ended: bool, too_long: bool) -> Iterator[Piece]:
    if too_long:
        yield Piece(None, framed, ended)
    elif framed or data.strip(b"\r\n\t "):
        yield Piece(data, framed, ended or (not framed and data.endswith((b"\r", b"\n"))))
