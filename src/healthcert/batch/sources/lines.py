"""Certificates in lines: of text, a certificate each, or of JSON, an object each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from healthcert.batch.protocol import Text, VerifyItem
from healthcert.batch.sources.files import InputFile
from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError
from healthcert.intake.lines import read_lines
from healthcert.intake.reading import RejectedRow
from healthcert.limits import Limits

_Read = Callable[[int, bytes], VerifyItem]
_SUFFIXES = (".jsonl", ".ndjson")


class LineFile(InputFile):
    """A file of certificates, one on each line; standard input, too. Lines without anything are passed over."""

    def __init__(self, name: str, column: str, limits: Limits) -> None:
        """Raises OSError where there is no such file."""
        super().__init__(name)
        self._column, self._limits = column, limits

    def items(self, skip: int = 0) -> Iterator[VerifyItem]:
        """The certificates but for the first ``skip``. Raises OSError."""
        limit = self._limits.record_bytes
        with self.opened() as file:
            lines = ((number, line) for number, line in read_lines(file, limit) if line is None or line.strip())
            first = next(lines, None)
            if first is None:
                return
            read = self._reader(first[1] or b"")
            for place, (number, line) in enumerate(chain((first,), lines)):
                if place >= skip:
                    yield rejected(number, f"a line of more than {limit} bytes") if line is None else read(number, line)

    def _reader(self, first: bytes) -> _Read:
        """How the lines are to be read: as JSON where the name or the first of them says so."""
        is_json = self.name.lower().endswith(_SUFFIXES) or _is_row(first, self._column)
        return self._of_json if is_json else _text_of

    def _of_json(self, number: int, line: bytes) -> VerifyItem:
        try:
            row = jsontext.read(line.strip(b" \t\r\n"), max_depth=self._limits.json_depth)
        except DecodeError as error:
            return rejected(number, error.detail)
        return of_cell(number, row.get(self._column) if isinstance(row, dict) else None, self._column)


def _is_row(line: bytes, column: str) -> bool:
    """Whether a line looks like an object of JSON that has this member, and not like a certificate that is JSON."""
    return line.lstrip().startswith(b"{") and f'"{column}"'.encode() in line


def _text_of(number: int, line: bytes) -> VerifyItem:
    """A line as the certificate that it is. Base45 has spaces, and they count."""
    try:
        return Text(number, line.rstrip(b"\r\n").decode("utf-8"))
    except UnicodeDecodeError:
        return rejected(number, "a line that is not UTF-8")


def of_cell(number: int, value: object, column: str) -> VerifyItem:
    """What stands in a row in the place of its certificate."""
    if not isinstance(value, str) or not value:
        return rejected(number, f"a row without a text in {column!a}")
    return Text(number, value)


def rejected(number: int, detail: str) -> RejectedRow:
    """A row that holds nothing that could be verified; ``detail`` says nothing of what it holds."""
    return RejectedRow(number, DecodeError(Code.RECORD_UNREADABLE, detail))
