"""One source's list, ready to be asked: its records and filters in mapped files, and whom it speaks for.

Where the records about one key's certificates are is looked for once, and not for each of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation import bloom, varhash
from healthcert.revocation.answer import Coverage
from healthcert.revocation.coordinates import Mode, place
from healthcert.revocation.identifiers import ALWAYS_THERE, EU_TYPES, IdentifierType, Subject
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

_MEASURED = 10_000  # filters whose odds are kept in mind


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
        self.modes = {kid: Mode(name) for kid, name in head.modes.items()}
        self._dead = frozenset(head.dead)
        self._kids, self._keys, self._countries = frozenset(head.kids), frozenset(head.keys), frozenset(head.countries)
        self._measured: dict[tuple[str, int], float] = {}

    def speaks_for(self, kid: bytes | None, country: str | None, issuer: str | None) -> bool:
        """Whether the list speaks for the certificates of a key."""
        if issuer is not None:
            return (issuer, kid) in self._keys
        return kid in self._kids or country in self._countries or "*" in self._countries

    def sections(self, type_: IdentifierType, issuer: str, kid: bytes | None) -> tuple[Section, ...]:
        """The records of a type under an issuer and kid, the newest first.

        Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) for a section that is damaged.
        """
        key = section_key(type_.code, issuer, kid)
        found = tuple(s for segment in self._newest_first if (s := segment.section(key)) is not None)
        if any(section.width != type_.width for section in found):
            raise _unreadable("a section of identifiers of another length than their type has")
        return found

    def filters(self, kid: bytes | None, mode: Mode, key: bytes) -> Iterator[tuple[Segment, Row]]:
        """The filters of a kid that would have an identifier."""
        where = chunk_key(kid, *place(key, mode))
        for segment in self._newest_first:
            for row in segment.rows(where):
                if row.kind != RECORDS:
                    yield segment, row

    def odds_of(self, segment: Segment, row: Row, mode: Mode) -> float:
        """The probability that a filter has an identifier that was never put in; counting its bits takes a while."""
        known = self._measured.get((segment.path.name, row.start))
        if known is None:
            known = _measure(segment, row, mode)
            if len(self._measured) < _MEASURED:
                self._measured[segment.path.name, row.start] = known
        return known

    def counts(self, number: int, subject: Subject, now: datetime) -> bool:
        """Whether what came from this origin is about this certificate, and still counts."""
        if number == TOMBSTONE or number in self._dead:
            return False
        origin = self.segments[-1].origin(number)
        if origin.expires < int(now.timestamp()):
            return False
        # A country revokes what it issued, and nobody else's.
        if origin.country is not None and subject.country is not None and origin.country != subject.country:
            return False
        # What is no number is not known to be younger, either.
        return origin.before == NEVER or subject.not_before is None or not subject.not_before >= origin.before


class KeyLookup:
    """One source's list, as far as it is about the certificates of one key.

    ``types`` are the types of identifiers that it has to be asked about. It speaks for certificates that have one of
    the types in ``speaks_by``.
    """

    __slots__ = ("_damaged", "_list", "_modes", "_sections", "coverage", "source", "speaks_by", "types")

    def __init__(self, of: Lookup, kid: bytes | None, country: str | None, issuer: str | None) -> None:
        self._list = of
        self.source = of.head.source
        self.coverage = of.coverage
        self.speaks_by = of.types if of.speaks_for(kid, country, issuer) else frozenset()
        names = _names_of_keys(kid, issuer)
        self._sections: dict[IdentifierType, tuple[tuple[Section, ...], ...]] = {}
        self._damaged: set[IdentifierType] = set()
        for type_ in of.types:
            try:
                found = tuple(sections for name in names if (sections := of.sections(type_, *name)))
            except RevocationError:
                self._damaged.add(type_)  # it is told to those who ask about it
            else:
                if found:
                    self._sections[type_] = found
        kids = dict.fromkeys((kid, None))
        self._modes = [(one, mode) for one in kids if (mode := of.modes.get(b"" if one is None else one)) is not None]
        self.types = frozenset((*self._sections, *self._damaged, *(EU_TYPES if self._modes else ())))
        if not self.speaks_by.isdisjoint(ALWAYS_THERE):
            # What each certificate has tells whether the list speaks for it: what else it goes by need not be computed.
            self.types |= {next(type_ for type_ in ALWAYS_THERE if type_ in self.speaks_by)}
        else:
            self.types |= self.speaks_by

    def names(self, subject: Subject, now: datetime) -> bool:
        """Whether a record names the certificate. Raises :class:`RevocationError` for what is damaged."""
        for type_, keys in subject.identifiers.items():
            if type_ in self._damaged:
                raise _unreadable("a section of it is damaged")
            for sections in self._sections.get(type_, ()):
                for key in keys:
                    for section in sections:
                        if section.find(key) is None:
                            continue
                        numbers = tuple(section.find_all(key))
                        if any(self._list.counts(one, subject, now) for one in numbers):
                            return True
                        if TOMBSTONE in numbers:
                            break  # what stands behind is no longer listed
        return False

    def odds(self, subject: Subject, now: datetime) -> float | None:
        """The probability of a false hit where a filter has the certificate; None where none has.

        It is that of all filters that were asked together, up to 1, and never quite 0. Raises as :meth:`names`.
        """
        asked: list[tuple[Segment, Row, Mode]] = []
        hit = False
        for kid, mode in self._modes:
            for key in (key for type_ in EU_TYPES for key in subject.identifiers.get(type_, ())):
                for segment, row in self._list.filters(kid, mode, key):
                    if self._list.counts(row.extra, subject, now):
                        asked.append((segment, row, mode))
                        hit = hit or _contains(segment, row, key)
        return max(min(sum(self._list.odds_of(*one) for one in asked), 1.0), sys.float_info.min) if hit else None


def _names_of_keys(kid: bytes | None, issuer: str | None) -> tuple[tuple[str, bytes | None], ...]:
    """Issuer and kid of the sections that a certificate may be in, from the narrowest to that of whatever key."""
    names = [(issuer or "", kid), (issuer or "", None), ("", None)]
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
