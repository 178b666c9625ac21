"""Whether a certificate was revoked: asked of lists in memory-mapped files, without a network or a database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Self

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.anchors import Environment
from healthcert.revocation import bloom, ledger, varhash
from healthcert.revocation.coordinates import Mode, place
from healthcert.revocation.identifiers import EU_TYPES, IdentifierType, Subject
from healthcert.revocation.ledger import Head, State
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

LEDGER = "ledger.db"
_TRIES = 20
_MISSES = 10_000  # sections that are not there, kept in mind; and filters that were measured


@unique
class Standing(StrEnum):
    """What lists say of a certificate."""

    HIT = "hit"
    """A list names it."""
    POSSIBLE = "possible"
    """A filter has it, which errs now and then: see :attr:`RevocationAnswer.odds`."""
    CLEAR = "clear"
    """Lists that speak for its issuer are there and fresh, and none has it."""
    UNKNOWN = "unknown"
    """No such list is there, or all of them are overdue."""


class Coverage(Struct, frozen=True):
    """A list that speaks for a certificate's issuer. ``fresh_until`` is None where it says no end."""

    source: str
    format: str
    fetched_at: datetime
    fresh_until: datetime | None
    signed: bool


class RevocationAnswer(Struct, frozen=True):
    """What the lists say of one certificate.

    ``source`` is the list that has it. ``odds`` is the probability that a certificate which is not revoked would have
    been answered in the same way: 0 for a hit, that of the filters asked for a possible one. ``lists`` are the fresh
    lists that speak for its issuer, ``overdue`` those that are not fresh any more.
    """

    standing: Standing
    source: str | None = None
    odds: float = 0.0
    lists: tuple[Coverage, ...] = ()
    overdue: tuple[Coverage, ...] = ()

    @property
    def fresh_until(self) -> datetime | None:
        """When the last of the fresh lists ends; None where one of them says no end, or there is none."""
        ends = [one.fresh_until for one in self.lists]
        return None if None in ends else max((end for end in ends if end is not None), default=None)


class RevocationStore:
    """Lists of revoked certificates, kept in a folder, asked in memory.

    ``RevocationStore()`` is one without lists. Asking never touches the network or the ledger: a store is as it was
    when it was opened, or last reloaded, and may be shared between threads; its files are shared between processes.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._index = _Index(State({}, {}), ())

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The store kept in the folder ``path``; an empty one, made at the first update, if there is none.

        A list whose file is damaged is among :attr:`damaged`, and nothing is clear until it is updated or removed.
        Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) when it cannot be told which lists there are.
        """
        store = cls()
        store._path = Path(path)
        store.reload()
        return store

    def reload(self) -> None:
        """Takes in what others have written since. Raises like :meth:`open`, and is then as it was."""
        if self._path is None or not _exists(self._path):
            return
        if not self._path.is_dir():
            raise _unreadable("not a folder")
        if not _exists(self._path / LEDGER):
            return
        for _ in range(_TRIES):
            self._index = _read(self._path)
            if not self._index.missing:
                return
            # Most likely a list was replaced between reading the ledger and opening its files.

    @property
    def path(self) -> Path | None:
        """The folder the store is kept in, None for one without lists."""
        return self._path

    @property
    def state(self) -> State:
        """The lists in use, and what is remembered of each source. Not to be changed."""
        return self._index.state

    @property
    def environment(self) -> Environment | None:
        """Which environment its lists are of; None before the first one."""
        return self._index.state.environment

    @property
    def types(self) -> frozenset[IdentifierType]:
        """The types of identifiers that its lists go by; no others need be computed."""
        return self._index.types

    @property
    def damaged(self) -> frozenset[str]:
        """The sources whose lists cannot be read."""
        return self._index.damaged

    @property
    def file_names(self) -> frozenset[str]:
        """The files of its folder that its lists are in."""
        return frozenset(file.name for head in self.state.lists.values() for file in head.files)

    def segments(self, source: str) -> tuple[Segment, ...]:
        """The files of a source's list, the oldest first."""
        return next((one.segments for one in self._index.lists if one.head.source == source), ())

    def ask(self, subject: Subject, now: datetime, *, grace: timedelta = timedelta(0)) -> RevocationAnswer:
        """What the lists say of a certificate at this moment. A list counts as fresh for ``grace`` after its end.

        Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) when a file is damaged, unless another has it.
        """
        # Another thread may take in new lists meanwhile: all of this is about those of one moment.
        index, moment = self._index, int(now.timestamp())
        damaged = set(index.damaged)
        lists: list[Coverage] = []
        overdue: list[Coverage] = []
        where, odds = None, 0.0
        for one in index.lists:
            end = one.coverage.fresh_until
            fresh = end is None or now - end <= grace
            try:
                named = one.names(subject, moment)
                # Not by the number of its filters, for those that ended of late are not among them.
                found = one.odds(subject, moment) if one.head.modes and not named else None
            except RevocationError:
                damaged.add(one.head.source)
                continue
            if named:
                on = (one.coverage,)
                return RevocationAnswer(Standing.HIT, one.head.source, 0.0, *((on, ()) if fresh else ((), on)))
            if found is not None:
                where, odds = (one, found) if where is None or found < odds else (where, odds)
            if one.covers(subject):
                (lists if fresh else overdue).append(one.coverage)
        if damaged:
            raise _unreadable(f"update or remove what is damaged of it: {', '.join(sorted(damaged))}")
        if where is not None:
            return RevocationAnswer(Standing.POSSIBLE, where.head.source, odds, tuple(lists), tuple(overdue))
        return RevocationAnswer(Standing.CLEAR if lists else Standing.UNKNOWN, None, 0.0, tuple(lists), tuple(overdue))

    def __len__(self) -> int:
        """How many identifiers its lists name; those in filters cannot be counted."""
        return sum(head.records for head in self.state.lists.values())

    def __bool__(self) -> bool:
        """Whether it has lists."""
        return bool(self.state.lists)


class _Index:
    """All lists of one moment."""

    __slots__ = ("damaged", "lists", "missing", "state", "types")

    def __init__(self, state: State, lists: tuple[_List, ...], *, missing: bool = False) -> None:
        self.state = state
        self.lists = lists
        self.missing = missing
        self.types = frozenset(type_ for one in lists for type_ in one.types)
        self.damaged = frozenset(state.lists) - {one.head.source for one in lists}


def _read(folder: Path) -> _Index:
    """What the folder holds at this moment."""
    state, lists, missing = ledger.read_state(folder / LEDGER), [], False
    for head in state.lists.values():
        try:
            lists.append(_List(head, folder))
        except FileNotFoundError:
            missing = True
        except (RevocationError, OSError, ValueError, OverflowError):
            continue  # it is told among the damaged ones
    return _Index(state, tuple(lists), missing=missing)


class _List:
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


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        raise _unreadable("not a path that can be read") from None


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
