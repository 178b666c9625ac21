"""The ledger of a revocation store: which files are in use, which batches they hold, what must not be forgotten.

One SQLite file in the store's folder. It is read when a store is opened and written when a list was taken in, and
never asked about a certificate.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists import sqlite
from healthcert.lists.anchors import Environment
from healthcert.revocation.batch import Held

_APPLICATION_ID = 0x48435256  # "HCRV"
_FORMAT = 1
_LONGEST = 64 * 1024 * 1024  # bytes of one value in it
_MOST_SOURCES = 1000
_TABLES = {
    "lists": "CREATE TABLE lists (source TEXT PRIMARY KEY, head BLOB NOT NULL)",
    "memories": "CREATE TABLE memories (source TEXT PRIMARY KEY, memory BLOB NOT NULL)",
    "batches": """CREATE TABLE batches (
    source TEXT NOT NULL,
    batch TEXT NOT NULL,
    first INTEGER NOT NULL,   -- its origins in the source's files: from the first up to, and without, the last
    last INTEGER NOT NULL,
    records INTEGER NOT NULL,
    mark TEXT NOT NULL,       -- what tells whether it has changed
    date TEXT NOT NULL,       -- when it was uploaded, as its source says
    PRIMARY KEY (source, batch)
) WITHOUT ROWID""",
    "settings": "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
}

T = TypeVar("T", bound=Struct)
Moment = Annotated[datetime, Meta(tz=True)]


class File(Struct, frozen=True):
    """A segment's file: its name in the store's folder, its length, and the SHA-256 of its content."""

    name: str
    size: int
    digest: bytes


class Head(Struct, frozen=True, kw_only=True):
    """A source's list in use.

    ``files`` are its segments, the oldest first. ``types`` are the codes of the identifiers it goes by; ``kids``,
    ``keys`` (an issuer's URL and the kid under it) and ``countries`` whose certificates it speaks for, ``*`` being all
    countries; ``modes`` how the filters of a kid are divided. ``expires_at`` is the list's own end, ``max_age`` for how
    many seconds it stands without being fetched again. ``signer`` is the anchor that vouches for it, None where only
    its server's name does. When it is not ``complete``, something is missing of what its source had last: it speaks
    for whom it spoke before, and no longer than then.
    """

    source: str
    format: str
    generation: int
    files: tuple[File, ...]
    dead: tuple[int, ...] = ()
    types: bytes = b""
    kids: tuple[bytes, ...] = ()
    keys: tuple[tuple[str, bytes], ...] = ()
    countries: tuple[str, ...] = ()
    modes: Mapping[bytes, str] = {}
    records: int = 0
    filters: int = 0
    signed: bytes = b""
    complete: bool = True
    fetched_at: Moment
    loaded_at: Moment
    issued_at: Moment | None = None
    expires_at: Moment | None = None
    max_age: int | None = None
    counter: int | None = None
    signer: str | None = None

    @property
    def best_before(self) -> datetime | None:
        """When the list must have been replaced; None for never."""
        ends = [] if self.expires_at is None else [self.expires_at]
        if self.max_age is not None:
            with suppress(OverflowError):  # that is beyond the year 9999
                ends.append(self.fetched_at + timedelta(seconds=self.max_age))
        return min(ends, default=None)


class Memory(Struct, frozen=True, kw_only=True):
    """What must not be forgotten of a source, whatever becomes of its lists; as in the trust store."""

    highest: int | None = None
    at_highest: bytes = b""
    superseded: tuple[bytes, ...] = ()
    validators: Mapping[str, str] = {}
    state: Mapping[str, str] = {}
    """Whatever the format has to keep in mind from one update to the next."""
    options: bytes = b""
    """The SHA-256 of where the list came from and which options of the format it was asked for with."""
    error: tuple[int, Code, str] | None = None
    """When the last attempt failed, and why; None when it did not."""


class State(Struct):
    """What a ledger says at one moment."""

    lists: dict[str, Head]
    memories: dict[str, Memory]
    environment: Environment | None = None


class Entry:
    """The ledger while nobody else can change it."""

    def __init__(self, state: State, connection: sqlite3.Connection) -> None:
        self.state = state
        self._connection = connection

    def put(self, head: Head, batches: Mapping[str, Held], before: Mapping[str, Held]) -> None:
        """Takes a list into use with its batches; ``before`` are those of the list that it replaces.

        Raises :class:`RevocationError` (``REVOCATION_CONFIG_INVALID``) for more lists than a store may have.
        """
        if head.source not in self.state.lists and len(self.state.lists) >= _MOST_SOURCES:
            detail = f"a store has at most {_MOST_SOURCES} lists"
            raise RevocationError(Code.REVOCATION_CONFIG_INVALID, detail, Step.REVOCATION)
        self.state.lists[head.source] = head
        self._connection.execute("INSERT OR REPLACE INTO lists VALUES (?, ?)", (head.source, _encode(head)))
        self._connection.executemany(
            "DELETE FROM batches WHERE source = ? AND batch = ?",
            ((head.source, name) for name in before if name not in batches),
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (head.source, name, held.first, held.last, held.records, held.mark, held.date)
                for name, held in batches.items()
                if before.get(name) != held
            ),
        )

    def remember(self, source: str, memory: Memory | None) -> None:
        """Keeps this in mind of a source, or nothing any more."""
        if memory is None:
            self.state.memories.pop(source, None)
            self._connection.execute("DELETE FROM memories WHERE source = ?", (source,))
            return
        self.state.memories[source] = memory
        self._connection.execute("INSERT OR REPLACE INTO memories VALUES (?, ?)", (source, _encode(memory)))

    def remove(self, source: str) -> None:
        """Takes a source's list out of use."""
        self.state.lists.pop(source, None)
        for table in ("lists", "batches"):
            self._connection.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608

    def settle(self, environment: Environment) -> None:
        """Says which environment the store belongs to."""
        self.state.environment = environment
        self._connection.execute("INSERT OR REPLACE INTO settings VALUES ('environment', ?)", (environment.value,))


def read_state(path: Path) -> State:
    """What a ledger says. Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``)."""
    with sqlite.reading(path, _FORM) as connection:
        return State({}, {}) if connection is None else _state(connection)


def read_batches(path: Path, source: str) -> dict[str, Held]:
    """The batches in use of a source. Raises like :func:`read_state`."""
    with sqlite.reading(path, _FORM) as connection:
        if connection is None:
            return {}
        columns = "batch, first, last, records, mark, date"
        rows: Iterable[tuple[Any, ...]] = connection.execute(
            f"SELECT {columns} FROM batches WHERE source = ?",  # noqa: S608
            (source,),
        )
        return {row[0]: msgspec.convert(dict(zip(Held.__struct_fields__, row[1:], strict=True)), Held) for row in rows}


@contextmanager
def transaction(path: Path) -> Iterator[Entry]:
    """Changes a ledger, or makes it: all that is done within, or, after any error or a crash, nothing of it.

    Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``).
    """
    with sqlite.writing(path, _FORM) as connection:
        yield Entry(_state(connection), connection)


def _state(connection: sqlite3.Connection) -> State:
    lists: dict[str, Head] = {}
    for source, head in connection.execute("SELECT source, head FROM lists LIMIT ?", (_MOST_SOURCES,)):
        found = lists[source] = _decode(head, Head)
        if found.source != source or not found.files:
            raise ValueError("a list under another's name")
        if any("/" in file.name or "\\" in file.name or file.name.startswith(".") for file in found.files):
            raise ValueError("a file outside the store")
    memories = {str(s): _decode(m, Memory) for s, m in connection.execute("SELECT source, memory FROM memories")}
    row = connection.execute("SELECT value FROM settings WHERE name = 'environment'").fetchone()
    return State(lists, memories, Environment(row[0]) if row else None)


def _encode(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def _decode(data: Any, kind: type[T]) -> T:
    return msgspec.msgpack.decode(data, type=kind)


def _unusable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)


_FORM = sqlite.Form("revocation store", _APPLICATION_ID, _FORMAT, _TABLES, _LONGEST, _unusable)
