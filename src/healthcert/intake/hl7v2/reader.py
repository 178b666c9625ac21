"""Files of HL7 v2 messages to rows: each message by its number in the file, and the counts of batches checked."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from healthcert.errors import Code
from healthcert.intake.hl7v2.framing import Piece, split
from healthcert.intake.hl7v2.messages import MessageReader
from healthcert.intake.hl7v2.values import Clocks
from healthcert.intake.reading import Rows, rejected
from healthcert.intake.records import IntakeOptions

_COUNT = re.compile(rb"[0-9]{1,9}")
_OUTER, _INNER = (b"FHS", b"FTS"), (b"BHS", b"BTS")
_CUT = "the message may be cut off: neither its block (MLLP) nor its last segment is ended"


def read_hl7v2(file: BinaryIO, options: IntakeOptions) -> Rows:
    """The rows of a file of ORU^R01 and VXU^V04 messages, of versions 2.3 to 2.8.2.

    Messages stand one after the other, in batches (FHS, BHS), or each in a block of MLLP, which alone tells for certain
    where one ends. ``Row.number`` is the number of the message. What is no message counts as one, and is rejected; so
    is a batch that does not have as many messages as it says, under the number of its last one.
    """
    mapping = options.mapping
    clocks = Clocks() if mapping is None else Clocks(None, mapping.zone, mapping.ambiguous)
    messages = MessageReader(options.codes, clocks, options.limits)
    most = options.limits.message_bytes
    batches = _Batches()
    number = 0
    for piece in _pieces(file, most):
        if piece.data is not None and piece.data[:3] in (*_OUTER, *_INNER):
            for fault in batches.line(piece.data):
                yield rejected(max(number, 1), Code.RECORD_UNREADABLE, fault)
            continue
        number += 1
        batches.messages += 1
        if piece.data is None:
            yield rejected(number, Code.INPUT_TOO_LONG, f"a message of more than {most} bytes")
        elif not piece.data.startswith(b"MSH"):
            yield rejected(number, Code.RECORD_UNREADABLE, "a message begins with MSH")
        elif not piece.complete:
            yield rejected(number, Code.RECORD_UNREADABLE, _CUT)
        else:
            yield from messages.rows(piece.data, number)
    for fault in batches.end():
        yield rejected(max(number, 1), Code.RECORD_UNREADABLE, fault)


def _pieces(file: BinaryIO, most: int) -> Iterator[Piece]:
    """The pieces of a file, and those of a batch that was put into one block of MLLP as a whole."""
    for piece in split(file, most):
        data = piece.data
        if piece.framed and data is not None:
            data = data.lstrip(b"\r\n")
            if data[:3] in (_OUTER[0], _INNER[0]):
                yield from split(io.BytesIO(data), most)
                continue
            yield Piece(data, framed=True, complete=piece.complete)
        else:
            yield piece


class _Batches:
    """The batches of a file: which are open, and how much they have. A file has one, unless it holds several."""

    def __init__(self) -> None:
        self.messages = 0  # since the batch began
        self._batches = 0  # since the file's header
        self._open: list[bytes] = []

    def line(self, data: bytes) -> Iterator[str]:
        """Takes in a header or trailer, and tells what is wrong with it."""
        line, *more = [line for line in re.split(rb"[\r\n]+", data) if line.strip()]
        name = line[:3]
        if more:
            yield f"{name.decode()}: is followed by a message, a batch or the end"
        if name in (_OUTER[0], _INNER[0]):
            yield from self._begin(name)
        elif name == _INNER[1]:
            yield from self._close(_INNER, line, self.messages, "messages")
            self._batches += 1
            self.messages = 0
        else:
            yield from self._close(_OUTER, line, self._batches, "batches")

    def end(self) -> Iterator[str]:
        """What is still open at the end of the file."""
        for name in reversed(self._open):
            yield f"{name.decode()}: its end is missing; messages may be missing as well"

    def _begin(self, name: bytes) -> Iterator[str]:
        if name in self._open or (name == _OUTER[0] and self._open):
            yield f"{name.decode()}: stands in a batch whose end is missing; messages may be missing as well"
            self._open = self._open[: self._open.index(name)] if name in self._open else []
        self._open.append(name)
        self.messages = 0
        if name == _OUTER[0]:
            self._batches = 0

    def _close(self, names: tuple[bytes, bytes], line: bytes, counted: int, what: str) -> Iterator[str]:
        begin, end = (name.decode() for name in names)
        if not self._open or self._open[-1] != names[0]:
            yield f"{end}: {begin} does not stand before it, or a batch in it is not ended"
        if names[0] in self._open:
            self._open = self._open[: self._open.index(names[0])]
        # HL7 v2.8.2, 2.14.3.1 and 2.14.7.1: how many there are; it need not be told.
        stated = line[4:].split(line[3:4] or b"|", 1)[0]
        if not stated:
            return
        if not _COUNT.fullmatch(stated) or int(stated) != counted:
            yield f"{end}-1: does not count the {counted} {what} that are there; some may be missing"
