"""The store of rules: the lists that sources publish, kept in one file, and the book that judges certificates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from healthcert.errors import Code, RuleError, Step
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import Environment
from healthcert.lists.reading import is_country
from healthcert.rules import database
from healthcert.rules.assessment import NationalRules
from healthcert.rules.book import ANYWHERE, RuleBook
from healthcert.rules.certlogic import VERSION
from healthcert.rules.combining import Conflict, combine, coverage, coverage_of, national_lists
from healthcert.rules.database import State, Transaction
from healthcert.rules.files import read_path
from healthcert.rules.generation import LOCAL, NO_MOMENT, Generation, Head, digest_of, make_documents
from healthcert.rules.rule import INVALIDATION
from healthcert.rules.ruling import Coverage, Ruling
from healthcert.rules.sources.protocol import Assurance
from healthcert.rules.subject import RuleSubject


class _View:
    """A state, and all that is made of it: one object, so that a reader never sees two states."""

    __slots__ = ("_covering", "book", "conflicts", "national", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.book, self.conflicts = combine(state.lists.values())
        self._covering: dict[str, tuple[Coverage, ...]] = {}
        self.national: dict[str, NationalRules | None] = {}

    def covering(self, country: str) -> tuple[Coverage, ...]:
        """The lists that speak for a country."""
        country = country.upper()
        found = self._covering.get(country)
        if found is None:
            found = coverage(self.state.lists.values(), country)
            # Whoever asks for what is no country shall not fill the memory.
            if found or is_country(country):
                self._covering[country] = found
        return found


class RuleStore:
    """Rules of countries and their value sets, in memory and, when opened from a path, kept in one SQLite file.

    Rules are there because they are on a list that a source published; see :func:`healthcert.install_rules`. Asking
    never touches the file: a store is as it was when it was opened, or last reloaded, and may be shared between
    threads. A rule is compiled when a certificate is first judged by it.
    """

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path: Path | None = None
        self._limits = limits
        self._writing = threading.RLock()
        self._view = _View(State({}, {}))

    @classmethod
    def open(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """The store kept in the SQLite file ``path``; an empty one, written at the first change, if there is none.

        Raises :class:`RuleError` (``RULE_STORE_UNREADABLE``, ``INPUT_TOO_LONG``) for any other file.
        """
        store = cls(limits=limits)
        store._path = Path(path)
        store.reload()
        return store

    @classmethod
    def from_path(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """A store of whatever ``path`` is: a store's file, a file of rules or value sets in JSON, or a folder of those.

        A plain file or folder is read into memory, as the word of whoever gives it; it does not age. Raises
        :class:`RuleError` (``RULE_STORE_UNREADABLE``, ``RULE_LIST_UNREADABLE``, ``INPUT_TOO_LONG``).
        """
        path = Path(path)
        if not _exists(path):
            raise RuleError(Code.RULE_STORE_UNREADABLE, "there is no such file or folder", Step.RULES)
        try:
            if path.is_file() and database.is_database(path):
                return cls.open(path, limits=limits)
            format_, parts, found = read_path(path, limits)
        except OSError as error:
            detail = f"it cannot be read: {error.strerror or type(error).__name__}"
            raise RuleError(Code.RULE_STORE_UNREADABLE, detail, Step.RULES) from None
        digest = digest_of(parts)
        head = Head(
            source=LOCAL,
            format=format_,
            assurance=Assurance.LOCAL,
            digest=digest,
            signed=(digest,),
            fetched_at=NO_MOMENT,
        )
        store = cls(limits=limits)
        store._view = _View(State({LOCAL: Generation(head, make_documents(found), limits)}, {}))
        return store

    def reload(self) -> None:
        """Takes in what others have written to the file since; a verifier that runs for days does so now and then.

        Raises like :meth:`open`, and is then as it was.
        """
        if self._path is not None and _exists(self._path):
            with self._writing:
                self._view = _View(database.read_state(self._path, self._limits))

    @property
    def path(self) -> Path | None:
        """The file the store is kept in, None when it is in memory alone."""
        return self._path

    @property
    def environment(self) -> Environment | None:
        """Which environment its lists are of; None before the first one."""
        return self._view.state.environment

    @property
    def state(self) -> State:
        """The list in use of every source, and what is remembered of each. Not to be changed."""
        return self._view.state

    @property
    def book(self) -> RuleBook:
        """All rules in use, with their value sets. The book itself never changes; after a reload there is another."""
        return self._view.book

    @property
    def lists(self) -> tuple[Head, ...]:
        """What is known of each list in use, by the name of its source."""
        return tuple(one.head for _, one in sorted(self._view.state.lists.items()))

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The rules that several sources give differently, of which one counts."""
        return self._view.conflicts

    def coverage(self, country: str) -> tuple[Coverage, ...]:
        """The lists that speak for a country, and until when; none for no list."""
        return self._view.covering(country)

    def judge(
        self,
        subject: RuleSubject,
        *,
        country: str,
        at: datetime,
        region: str | None = None,
        engine_version: str = VERSION,
    ) -> Ruling:
        """As :meth:`RuleBook.judge`, with the lists that the rules are of: whether these are overdue is not judged."""
        view = self._view
        return view.book.judge(
            subject, country=country, at=at, region=region, engine_version=engine_version, covering=view.covering
        )

    def national(self, name: str) -> NationalRules | None:
        """The national rules of this name (``ch``, ``it``, ``fr``, ``booster`` ...); None where no list has them.

        Of several lists with such a document one counts: see :meth:`national_coverage`, which also tells whether it is
        overdue. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``) for a document that is none.
        """
        from healthcert.rules.national.registry import NATIONAL

        view = self._view
        if name not in NATIONAL:
            return None
        if name not in view.national:
            view.national[name] = _national(view, name)
        return view.national[name]

    def national_coverage(self, name: str) -> tuple[Coverage, ...]:
        """The lists that the national rules of this name are taken from; none where there are no such rules."""
        return tuple(coverage_of(one, None) for one in _national_lists(self._view, name))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A change of the store: all of it or nothing, however many programs write to the file.

        For those who install lists; the state within is that of the file, not the one this store was opened with.
        """
        with self._writing:
            if self._path is None:
                before = self._view.state
                change = Transaction(State(dict(before.lists), dict(before.memories), before.environment), None)
                yield change
            else:
                with database.transaction(self._path, self._limits) as change:
                    yield change
            # Swapped in at once, so that a reader in another thread sees the old rules or the new ones.
            self._view = _View(change.state)


def _national_lists(view: _View, name: str) -> list[Generation]:
    from healthcert.rules.national.registry import OF_RULES

    return national_lists(view.state.lists.values(), name, of_rules=name in OF_RULES)


def _national(view: _View, name: str) -> NationalRules | None:
    from healthcert.rules.national.registry import OF_RULES, national_rules

    lists = _national_lists(view, name)
    if not lists:
        return None
    if name not in OF_RULES:
        return national_rules(name, lists[0].documents.national[name], view.book.value_sets)
    # Both are Germany's.
    missing = sum(view.book.unreadable.get(country, 0) for country in ("DE", ANYWHERE))
    # Rules for those who arrive are on other lists, and not what is asked of those who live there; what an issuer
    # declared invalid is so everywhere.
    own = [rule for rule in combine(lists)[0].rules if rule.type != INVALIDATION]
    invalidations = [rule for rule in view.book.rules if rule.type == INVALIDATION]
    return national_rules(name, [*own, *invalidations], view.book.value_sets, unreadable_rules=missing)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        raise RuleError(Code.RULE_STORE_UNREADABLE, "not a path that can be read", Step.RULES) from None
