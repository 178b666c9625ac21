"""One source's list, ready to be asked: its records and filters in mapped files, and whom it speaks for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation import bloom, varhash
from healthcert.revocation.answer import Coverage
from healthcert.revocation.coordinates import Mode, place
from healthcert.revocation.identifiers import EU_TYPES, IdentifierType, Subject
from healthcert.revocation.ledger import Head
from healthcert.revocation.segment import (
    BLOOM,
    NEVER,
    RECORDS,
    TOMBSTONE,
    Row,
    Section,
    Segment,
    chunk_key,
    section_key,
)

_MISSES = 10_000  # sections that are not there, kept in mind; and filters that were measured


class Lookup:
    """One source's list, ready to be asked."""

    def __init__(self, head: Head, folder: Path) -> None:
        self.head = head
        self.segments = tuple(Segment(folder / file.name) for file in head.files)
        for segment, file in zip(self.segments, head.files, strict=True):
            if (segment.size, segment.digest) != (file.size, file.digest):
                raise _unreadable("a file of it is not the one that was written")
        self.coverage = Coverage(head.source, head.format, head.fetched_at, head.best_before, head.signer is not None)
        self._newest_first = self.segments[::-1]
        self.types = frozenset(type_ for code in head.types if (type_ := IdentifierType.from_code(code)))
        self._dead = frozenset(head.dead)
        self._modes = {kid: Mode(name) for kid, name in head.modes.items()}
        self._kids, self._keys, self._countries = frozenset(head.kids), frozenset(head.keys), frozenset(head.countries)
        self._measured: dict[tuple[str, int], float] = {}
        self._sections: dict[tuple[IdentifierType, str, bytes | None], tuple[Section, ...]] = {}

    def names(self, subject: Subject, moment: int) -> bool:
        """Whether a record names the certificate."""
        for type_, keys in subject.identifiers.items():
            if type_ not in self.types:
                continue
            for issuer, kid in _names_of_keys(subject):
                sections = self._sections.get((type_, issuer, kid))
                if sections is None:
                    sections = self._open(type_, issuer, kid)
                for key in keys:
                    for section in sections:
                        number = section.find(key)
                        if number is None:
                            continue
                        numbers = tuple(section.find_all(key))
                        if any(self._counts(one, subject, moment) for one in numbers):
                            return True
                        if TOMBSTONE in numbers:
                            break  # what stands behind is no longer listed
        return False

    def odds(self, subject: Subject, moment: int) -> float | None:
        """The probability of a false hit where a filter has the certificate; None where none has.

        It is that of all filters that were asked together, up to 1, and never quite 0.
        """
        asked: list[tuple[Segment, Row, Mode]] = []
        hit = False
        for kid in (subject.kid, None) if subject.kid is not None else (None,):
            mode = self._modes.get(b"" if kid is None else kid)
            if mode is None:
                continue
            for key in (key for type_ in EU_TYPES for key in subject.identifiers.get(type_, ())):
                for segment, row in self._filters(kid, mode, key):
                    if self._counts(row.extra, subject, moment):
                        asked.append((segment, row, mode))
                        hit = hit or _contains(segment, row, key)
        return max(min(sum(self._odds_of(*one) for one in asked), 1.0), sys.float_info.min) if hit else None

    def covers(self, subject: Subject) -> bool:
        """Whether the list speaks for the certificate's issuer."""
        if not any(keys and type_ in self.types for type_, keys in subject.identifiers.items()):
            return False
        if subject.issuer is not None:
            return (subject.issuer, subject.kid) in self._keys
        return subject.kid in self._kids or subject.country in self._countries or "*" in self._countries

    def _open(self, type_: IdentifierType, issuer: str, kid: bytes | None) -> tuple[Section, ...]:
        key = section_key(type_.code, issuer, kid)
        found = tuple(s for segment in self._newest_first if (s := segment.section(key)) is not None)
        if any(section.width != type_.width for section in found):
            raise _unreadable("a section of identifiers of another length than their type has")
        # Whoever asks about kids that there are not must not fill the memory.
        if found or len(self._sections) < _MISSES:
            self._sections[type_, issuer, kid] = found
        return found

    def _filters(self, kid: bytes | None, mode: Mode, key: bytes) -> Iterator[tuple[Segment, Row]]:
        where = chunk_key(kid, *place(key, mode))
        for segment in self._newest_first:
            for row in segment.rows(where):
                if row.kind != RECORDS:
                    yield segment, row

    def _odds_of(self, segment: Segment, row: Row, mode: Mode) -> float:
        """The probability that a filter has an identifier that was never put in; counting its bits takes a while."""
        known = self._measured.get((segment.path.name, row.start))
        if known is None:
            known = _measure(segment, row, mode)
            if len(self._measured) < _MISSES:
                self._measured[segment.path.name, row.start] = known
        return known

    def _counts(self, number: int, subject: Subject, moment: int) -> bool:
        """Whether what came from this origin is about this certificate, and still counts."""
        if number == TOMBSTONE or number in self._dead:
            return False
        origin = self.segments[-1].origin(number)
        if origin.expires < moment:
            return False
        # A country revokes what it issued, and nobody else's.
        if origin.country is not None and subject.country is not None and origin.country != subject.country:
            return False
        # What is no number is not known to be younger, either.
        return origin.before == NEVER or subject.not_before is None or not subject.not_before >= origin.before


def _names_of_keys(subject: Subject) -> tuple[tuple[str, bytes | None], ...]:
    """Issuer and kid of the sections that a certificate may be in, from the narrowest to that of whatever key."""
    names = [(subject.issuer or "", subject.kid), (subject.issuer or "", None), ("", None)]
    return tuple(dict.fromkeys(names))


def _contains(segment: Segment, row: Row, key: bytes) -> bool:
    with _whole_filter():
        if row.kind == BLOOM:
            header = bloom.read_header(segment.map, row.start, row.count)
            return bloom.contains(segment.map, row.start, header.rounds, header.words, key)
        return varhash.find(segment.map, row.start, row.count, key) is not None


def _measure(segment: Segment, row: Row, mode: Mode) -> float:
    with _whole_filter():
        if row.kind == BLOOM:
            return bloom.measure(segment.map, row.start, row.count)
        header = varhash.read_header(segment.map, row.start, row.count)
        return varhash.odds(header.count, header.size, mode.digits)


@contextmanager
def _whole_filter() -> Iterator[None]:
    try:
        yield
    except RevocationError:
        # It was whole when it was taken in.
        raise _unreadable("a filter is damaged") from None


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
