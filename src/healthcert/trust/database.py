"""The file of a trust store: one SQLite database, in which a list is replaced whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, Step, TrustError
from healthcert.limits import Limits
from healthcert.lists import sqlite
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.trust.generation import Generation, Head, Row, decode, encode

_APPLICATION_ID = 0x48434552  # "HCER", so that another program's database is not taken for a trust store
_FORMAT = 2
_LONGEST = 256 * 1024 * 1024  # bytes of one value in it
_LISTS = 8  # lists of the greatest length that a store may hold
_TABLES = {
    "lists": """CREATE TABLE lists (
    source TEXT NOT NULL,
    generation INTEGER NOT NULL,  -- 0 is the one in use, 1 the one before
    head BLOB NOT NULL,
    keys BLOB NOT NULL,
    details BLOB NOT NULL,
    parts BLOB NOT NULL,          -- as they were received
    PRIMARY KEY (source, generation)
)""",
    "memories": "CREATE TABLE memories (source TEXT PRIMARY KEY, memory BLOB NOT NULL)",
    "settings": "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
}


class Memory(Struct, frozen=True, kw_only=True):
    """What must not be forgotten of a source, whatever becomes of its lists.

    ``highest`` is the highest counter seen, ``at_highest`` the digest of what was signed in the list that had it;
    ``newest`` the newest moment that a list without a counter gave; ``superseded`` the digests of what was signed in
    lists that were replaced; ``documents`` the highest counter of each document of a list that comes in several.
    ``anchors`` and ``options`` are those that the last list was read under, so that it can be read again.
    """

    highest: int | None = None
    at_highest: bytes = b""
    newest: int | None = None
    superseded: tuple[bytes, ...] = ()
    documents: Mapping[str, int] = {}
    anchors: tuple[TrustAnchor, ...] = ()
    options: Mapping[str, str] = {}
    validators: Mapping[str, str] = {}
    error: tuple[int, Code, str] | None = None
    """When the last attempt failed, and why; None when it did not."""


class State(Struct):
    """What a store knows: the list in use of every source, what is remembered of each, and its environment."""

    lists: dict[str, Generation]
    memories: dict[str, Memory]
    environment: Environment | None = None


class Transaction:
    """The state as it is while nobody else can change it, and what is to be changed."""

    def __init__(self, state: State, connection: sqlite3.Connection | None) -> None:
        self.state = state
        self._connection = connection

    def put(self, generation: Generation, parts: Mapping[str, bytes], *, replaces: bool = True) -> None:
        """Takes a list into use. The one before it is kept, unless this is the same one renewed."""
        source = generation.head.source
        self.state.lists[source] = generation
        if self._connection is None:
            return
        if replaces:
            self._connection.execute("DELETE FROM lists WHERE source = ? AND generation = 1", (source,))
            self._connection.execute("UPDATE lists SET generation = 1 WHERE source = ? AND generation = 0", (source,))
        self._connection.execute(
            "INSERT OR REPLACE INTO lists VALUES (?, 0, ?, ?, ?, ?)",
            (source, *map(encode, (generation.head, generation.rows, generation.details, dict(parts)))),
        )

    def remember(self, source: str, memory: Memory | None) -> None:
        """Keeps this in mind of a source, or nothing any more."""
        if memory is None:
            self.state.memories.pop(source, None)
            if self._connection is not None:
                self._connection.execute("DELETE FROM memories WHERE source = ?", (source,))
            return
        self.state.memories[source] = memory
        if self._connection is not None:
            self._connection.execute("INSERT OR REPLACE INTO memories VALUES (?, ?)", (source, encode(memory)))

    def remove(self, source: str) -> None:
        """Takes the lists of a source out of use. What is remembered of it stays, so that no old one can come back."""
        self.state.lists.pop(source, None)
        if self._connection is not None:
            self._connection.execute("DELETE FROM lists WHERE source = ?", (source,))

    def settle(self, environment: Environment) -> None:
        """Says which environment the store belongs to."""
        self.state.environment = environment
        if self._connection is not None:
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES ('environment', ?)", (environment.value,))


def is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def read_state(path: Path, limits: Limits) -> State:
    """The state in a store's file. Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``)."""
    with sqlite.reading(path, _FORM) as connection:
        return State({}, {}) if connection is None else _state(connection, limits)


def read_parts(path: Path, source: str) -> Mapping[str, bytes]:
    """The parts of a source's list in use, as they were received; none for an unknown source."""
    query = "SELECT parts FROM lists WHERE source = ? AND generation = 0"
    with sqlite.reading(path, _FORM) as connection:
        row = connection.execute(query, (source,)).fetchone() if connection is not None else None
        parts: Mapping[str, bytes] = decode(row[0], dict[str, bytes]) if row else {}
        return parts


def read_previous(path: Path, source: str) -> Generation | None:
    """The list that a source's list in use replaced."""
    query = "SELECT source, head, keys, details FROM lists WHERE source = ? AND generation = 1"
    with sqlite.reading(path, _FORM) as connection:
        row = connection.execute(query, (source,)).fetchone() if connection is not None else None
        return _generation(row) if row else None


@contextmanager
def transaction(path: Path, limits: Limits) -> Iterator[Transaction]:
    """Changes a store's file, or makes it: all that is done within, or, after any error or a crash, nothing of it.

    Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``).
    """
    with sqlite.writing(path, _FORM) as connection:
        yield Transaction(_state(connection, limits), connection)


def _state(connection: sqlite3.Connection, limits: Limits) -> State:
    size = "sum(length(head) + length(keys) + length(details))"
    (total,) = connection.execute(f"SELECT {size} FROM lists WHERE generation = 0").fetchone()  # noqa: S608
    if (total or 0) > _LISTS * limits.list_bytes:
        raise ValueError("lists of a size that no list has")
    rows = connection.execute("SELECT source, head, keys, details FROM lists WHERE generation = 0").fetchall()
    lists = {row[0]: _generation(row) for row in rows}
    if sum(len(generation.rows) for generation in lists.values()) > limits.trust_entries:
        raise TrustError(Code.INPUT_TOO_LONG, f"more than {limits.trust_entries} keys", Step.TRUST)
    memories = {
        source: decode(memory, Memory) for source, memory in connection.execute("SELECT source, memory FROM memories")
    }
    found = connection.execute("SELECT value FROM settings WHERE name = 'environment'").fetchone()
    return State(lists, memories, Environment(found[0]) if found else None)


def _generation(row: tuple[str, bytes, bytes, bytes]) -> Generation:
    source, head, keys, details = row
    found: Head = decode(head, Head)
    if found.source != source or not isinstance(details, bytes):
        raise ValueError("a list under another's name")
    return Generation(found, decode(keys, tuple[Row, ...]), details)


def _unusable(detail: str) -> TrustError:
    return TrustError(Code.TRUST_STORE_UNREADABLE, detail, Step.TRUST)


_FORM = sqlite.Form("trust store", _APPLICATION_ID, _FORMAT, _TABLES, _LONGEST, _unusable)
