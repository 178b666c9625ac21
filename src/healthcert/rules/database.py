"""The file of a store of rules: one SQLite database, in which a list is replaced whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, RuleError, Step
from healthcert.limits import Limits
from healthcert.lists import sqlite
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.rules.generation import Documents, Generation, Head, decode, encode
from healthcert.rules.rule import Rule, Version

_APPLICATION_ID = 0x48435255  # "HCRU", so that another program's database is not taken for a store of rules
_FORMAT = 1
_LONGEST = 256 * 1024 * 1024  # bytes of one value in it
_LISTS = 8  # lists of the greatest length that a store may hold
_TABLES = {
    "lists": """CREATE TABLE lists (
    source TEXT PRIMARY KEY,
    head BLOB NOT NULL,
    documents BLOB NOT NULL,      -- rules and value sets, each in its own bytes
    parts BLOB NOT NULL           -- as they were received
)""",
    "memories": "CREATE TABLE memories (source TEXT PRIMARY KEY, memory BLOB NOT NULL)",
    "settings": "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
}


class Memory(Struct, frozen=True, kw_only=True):
    """What must not be forgotten of a source, whatever becomes of its lists.

    ``highest`` is the highest counter seen, ``at_highest`` the digests of what was signed in the list that had it;
    ``newest`` the newest moment that a list without a counter gave; ``superseded`` the digests of what was signed in
    lists that were replaced; ``versions`` the highest version of each rule when it was last seen, by
    :func:`rule_name`. ``anchors`` and ``options`` are those that the last list was read under, so that it can be
    read again; secret ones are not among them.
    """

    highest: int | None = None
    at_highest: tuple[bytes, ...] = ()
    newest: int | None = None
    superseded: tuple[bytes, ...] = ()
    versions: Mapping[str, Version] = {}
    anchors: tuple[TrustAnchor, ...] = ()
    options: Mapping[str, str] = {}
    validators: Mapping[str, str] = {}
    error: tuple[int, Code, str] | None = None
    """When the last attempt failed, and why; None when it did not."""


def rule_name(rule: Rule) -> str:
    """What a rule is remembered by, whatever its version."""
    return f"{rule.country} {rule.identifier}"


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

    def put(self, generation: Generation, parts: Mapping[str, bytes]) -> None:
        """Takes a list into use in place of the one before it."""
        source = generation.head.source
        self.state.lists[source] = generation
        values = (source, *map(encode, (generation.head, generation.documents, dict(parts))))
        self._execute("INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?)", values)

    def remember(self, source: str, memory: Memory | None) -> None:
        """Keeps this in mind of a source, or nothing any more."""
        if memory is None:
            self.state.memories.pop(source, None)
            self._execute("DELETE FROM memories WHERE source = ?", (source,))
        else:
            self.state.memories[source] = memory
            self._execute("INSERT OR REPLACE INTO memories VALUES (?, ?)", (source, encode(memory)))

    def remove(self, source: str) -> None:
        """Takes the list of a source out of use. What is remembered of it stays, so that no old one can come back."""
        self.state.lists.pop(source, None)
        self._execute("DELETE FROM lists WHERE source = ?", (source,))

    def settle(self, environment: Environment) -> None:
        """Says which environment the store belongs to."""
        self.state.environment = environment
        self._execute("INSERT OR REPLACE INTO settings VALUES ('environment', ?)", (environment.value,))

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        if self._connection is not None:
            self._connection.execute(statement, values)


def is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def read_state(path: Path, limits: Limits) -> State:
    """The state in a store's file. Raises :class:`RuleError` (``RULE_STORE_UNREADABLE``, ``INPUT_TOO_LONG``)."""
    with sqlite.reading(path, _FORM) as connection:
        return State({}, {}) if connection is None else _state(connection, limits)


def read_parts(path: Path, source: str) -> Mapping[str, bytes]:
    """The parts of a source's list in use, as they were received; none for an unknown source."""
    query = "SELECT parts FROM lists WHERE source = ?"
    with sqlite.reading(path, _FORM) as connection:
        row = connection.execute(query, (source,)).fetchone() if connection is not None else None
        parts: Mapping[str, bytes] = decode(row[0], dict[str, bytes]) if row else {}
        return parts


@contextmanager
def transaction(path: Path, limits: Limits) -> Iterator[Transaction]:
    """Changes a store's file, or makes it: all that is done within, or, after any error or a crash, nothing of it.

    Raises :class:`RuleError` (``RULE_STORE_UNREADABLE``, ``INPUT_TOO_LONG``).
    """
    with sqlite.writing(path, _FORM) as connection:
        yield Transaction(_state(connection, limits), connection)
        # What is written can be read again.
        if _is_too_long(connection, limits):
            raise RuleError(Code.INPUT_TOO_LONG, f"more than {_LISTS} lists of the greatest length", Step.RULES)


def check_size(count: int, limits: Limits) -> None:
    """Raises :class:`RuleError` (``INPUT_TOO_LONG``) for more rules than a store takes."""
    if count > limits.rules:
        raise RuleError(Code.INPUT_TOO_LONG, f"more than {limits.rules} rules", Step.RULES)


def _state(connection: sqlite3.Connection, limits: Limits) -> State:
    if _is_too_long(connection, limits):
        raise ValueError("lists of a size that no list has")
    rows = connection.execute("SELECT source, head, documents FROM lists").fetchall()
    found = {source: _decoded(source, head, documents) for source, head, documents in rows}
    # Before any of them is read.
    check_size(sum(len(documents.rules) for _, documents in found.values()), limits)
    lists = {source: Generation(head, documents, limits) for source, (head, documents) in found.items()}
    memories = {
        source: decode(memory, Memory) for source, memory in connection.execute("SELECT source, memory FROM memories")
    }
    settled = connection.execute("SELECT value FROM settings WHERE name = 'environment'").fetchone()
    return State(lists, memories, Environment(settled[0]) if settled else None)


def _is_too_long(connection: sqlite3.Connection, limits: Limits) -> bool:
    (total,) = connection.execute("SELECT sum(length(head) + length(documents)) FROM lists").fetchone()
    return (total or 0) > _LISTS * limits.list_bytes


def _decoded(source: str, head: bytes, documents: bytes) -> tuple[Head, Documents]:
    found: Head = decode(head, Head)
    if found.source != source:
        raise ValueError("a list under another's name")
    kept: Documents = decode(documents, Documents)
    return found, kept


def _unusable(detail: str) -> RuleError:
    return RuleError(Code.RULE_STORE_UNREADABLE, detail, Step.RULES)


_FORM = sqlite.Form("store of rules", _APPLICATION_ID, _FORMAT, _TABLES, _LONGEST, _unusable)
