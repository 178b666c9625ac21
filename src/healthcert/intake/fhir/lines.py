"""NDJSON: a resource or a Bundle a line (FHIR Bulk Data Access), in any order.

The file is gone through more than once: first for where the resources are that others refer to, then for the records.
So a person may stand behind, or far from, what was done; and no more of the file is in memory than an index of places.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import BinaryIO

from healthcert.errors import Code, DecodeError, Step
from healthcert.intake.fhir.parse import header_of
from healthcert.intake.fhir.places import Item, Store, named_by, results_in
from healthcert.intake.fhir.resources import LINKED, RECORDS, Header
from healthcert.intake.reading import RejectedRow
from healthcert.limits import Limits

_CHUNK = 1 << 16
_RECORDS_OF_LINKED = 16  # a record takes 16 bytes of memory, where a resource that others refer to takes 250
_MOST_AT_ONCE = 1_000_000


class LineStore(Store):
    """The resources of an NDJSON file that can be read at any place. A Bundle in a line is a world of its own."""

    def __init__(self, file: BinaryIO, start: int, limits: Limits) -> None:
        """Goes through the file. Raises :class:`DecodeError` (``INPUT_TOO_LONG``) for too many records or results."""
        super().__init__(limits)
        self._file, self._start = file, start
        self._of_reports: set[str] = set()
        self._of_panels: set[str] = set()
        self._twice: frozenset[int] = frozenset()
        self._index_linked()
        if self._of_reports or self._of_panels:
            self._index_results()

    def items(self) -> Iterator[Item | RejectedRow]:
        for number, position, line in self._lines():
            if line is None:
                detail = f"a line of more than {self.limits.bundle_bytes} bytes"
                yield RejectedRow(number, DecodeError(Code.INPUT_TOO_LONG, detail, Step.DECODE))
            elif line:
                yield Item(number, position, line)

    def raw_at(self, position: int) -> bytes:
        self._file.seek(position)
        return self._file.readline(self.limits.bundle_bytes).strip()

    def full_url_at(self, position: int) -> None:
        return None

    def is_owned(self, item: Item, header: Header) -> bool:
        key = f"Observation/{header.id}"
        return key in self._of_reports or (key in self._of_panels and not header.is_panel)

    def is_inner(self, item: Item, header: Header) -> bool:
        key = f"Observation/{header.id}"
        return header.is_panel and key in self._of_panels and key not in self._of_reports

    def is_twice(self, item: Item, header: Header) -> bool:
        return bool(header.id) and _hash(header) in self._twice

    def _index_linked(self) -> None:
        names, texts = array("q"), array("q")  # hashes, as there are many more records than other resources
        for _, position, line in self._lines():
            header = header_of(line) if line else None
            if line is None or header is None:
                continue
            if header.id and header.resource_type in RECORDS:
                names.append(_hash(header))
                texts.append(hash(line))
            if header.resource_type in LINKED and header.id:
                self.note(f"{header.resource_type}/{header.id}", position, line)
            elif header.resource_type == "DiagnosticReport":
                self._of_reports.update(_names_in(header))
            elif header.resource_type == "Observation" and header.is_panel:
                self._of_panels.update(_names_in(header))
            self._check_room(len(names))
        self._twice = _differing(names, texts)

    def _check_room(self, records: int) -> None:
        limit = self.limits.linked_resources
        if len(self._of_reports) + len(self._of_panels) > limit:
            raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limit} results of reports in one file", Step.DECODE)
        if records > limit * _RECORDS_OF_LINKED:
            detail = f"more than {limit * _RECORDS_OF_LINKED} records in one file"
            raise DecodeError(Code.INPUT_TOO_LONG, detail, Step.DECODE)

    def _index_results(self) -> None:
        for _, position, line in self._lines():
            header = header_of(line) if line else None
            if line is not None and header is not None and header.resource_type == "Observation":
                key = f"Observation/{header.id}"
                if key in self._of_reports or key in self._of_panels:
                    self.note(key, position, line)

    def _lines(self) -> Iterator[tuple[int, int, bytes | None]]:
        """Number, place and text of each line; None for one that is too long."""
        file, limit = self._file, self.limits.bundle_bytes
        number, position = 0, self._start
        while True:
            file.seek(position)  # others may have read elsewhere meanwhile
            line = file.readline(limit + 1)
            if not line:
                return
            number += 1
            size = len(line)
            if size > limit and not line.endswith(b"\n"):
                while (more := file.readline(_CHUNK)) and not more.endswith(b"\n"):
                    size += len(more)
                yield number, position, None
                position += size + len(more)
                continue
            yield number, position, line.strip()
            position += size


def _hash(header: Header) -> int:
    return hash((header.resource_type, header.id))


def _names_in(header: Header) -> Iterator[str]:
    """Kind and id of what may be its results. No line has an address, so that nothing else leads to one."""
    return (name for text in results_in(header) if (name := named_by(text)) is not None)


def _differing(names: array[int], texts: array[int]) -> frozenset[int]:
    """The names that stand for several texts. They are gone through in parts, so that no set of them all is built."""
    found: set[int] = set()
    parts = 1 + len(names) // _MOST_AT_ONCE
    for part in range(parts):
        first: dict[int, int] = {}
        for name, text in zip(names, texts, strict=True):
            if name % parts == part and first.setdefault(name, text) != text:
                found.add(name)
    return frozenset(found)
