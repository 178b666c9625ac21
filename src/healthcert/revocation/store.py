"""Whether a certificate was revoked: asked of lists in memory-mapped files, without a network or a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.anchors import Environment
from healthcert.revocation import ledger
from healthcert.revocation.answer import RevocationAnswer
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.keylists import KeyLists
from healthcert.revocation.ledger import State
from healthcert.revocation.lookup import KeyLookup, Lookup
from healthcert.revocation.segment import Segment

LEDGER = "ledger.db"
_TRIES = 20
_KEYS = 4096  # that are kept in mind; an issuer has a few, and the EU had some hundred


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
        return self.about_key(subject.kid, subject.country, subject.issuer).ask(subject, now, grace)

    def about_key(self, kid: bytes | None, country: str | None, issuer: str | None = None) -> KeyLists:
        """The lists, as they are about the certificates of one key, and by which identifiers these may be on them.

        ``kid``, ``country`` and ``issuer`` are as in :class:`Subject`. Lists taken in later are not among them.
        """
        return self._index.about_key(kid, country, issuer)

    def __len__(self) -> int:
        """How many identifiers its lists name; those in filters cannot be counted."""
        return sum(head.records for head in self.state.lists.values())

    def __bool__(self) -> bool:
        """Whether it has lists."""
        return bool(self.state.lists)


class _Index:
    """All lists of one moment."""

    __slots__ = ("_by_key", "damaged", "lists", "missing", "state", "types")

    def __init__(self, state: State, lists: tuple[Lookup, ...], *, missing: bool = False) -> None:
        self.state = state
        self.lists = lists
        self.missing = missing
        self.types = frozenset(type_ for one in lists for type_ in one.types)
        self.damaged = frozenset(state.lists) - {one.head.source for one in lists}
        self._by_key: dict[tuple[bytes | None, str | None, str | None], KeyLists] = {}

    def about_key(self, kid: bytes | None, country: str | None, issuer: str | None) -> KeyLists:
        found = self._by_key.get((kid, country, issuer))
        if found is None:
            lists = [KeyLookup(one, kid, country, issuer) for one in self.lists]
            found = KeyLists(lists, damaged=self.damaged, types=self.types, environment=self.state.environment)
            # Whoever asks about keys that there are not must not fill the memory.
            if len(self._by_key) >= _KEYS:
                self._by_key.clear()
            self._by_key[kid, country, issuer] = found
        return found


def _read(folder: Path) -> _Index:
    """What the folder holds at this moment."""
    state, missing = ledger.read_state(folder / LEDGER), False
    lists: list[Lookup] = []
    for head in state.lists.values():
        try:
            lists.append(Lookup(head, folder))
        except FileNotFoundError:
            missing = True
        except (RevocationError, OSError, ValueError, OverflowError):
            continue  # it is told among the damaged ones
    return _Index(state, tuple(lists), missing=missing)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        raise _unreadable("not a path that can be read") from None


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
