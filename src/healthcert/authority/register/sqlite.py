"""A register in a SQLite file, as SQLAlchemy's engine: what is confirmed outlasts a kill and a power cut."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event

from healthcert.authority.register import schema
from healthcert.errors import Code, RegisterError

APPLICATION_ID = 0x48435247  # "HCRG", so that another program's database is not taken for a register
FORMAT = int(schema.VERSION)
_MAGIC = b"SQLite format 3\0"
_REASONS = {
    sqlite3.SQLITE_BUSY: "another program holds the register's file; try again",
    sqlite3.SQLITE_LOCKED: "another program holds the register's file; try again",
    sqlite3.SQLITE_FULL: "the disk is full; make room. Nothing was left half done",
    sqlite3.SQLITE_READONLY: "the register's file, or its folder, may not be written to",
    sqlite3.SQLITE_CANTOPEN: "the register's file cannot be opened, or is gone",
    sqlite3.SQLITE_PERM: "the register's file may not be read",
    sqlite3.SQLITE_IOERR: "the disk failed, or is full. Nothing was left half done",
    sqlite3.SQLITE_CORRUPT: "the register's file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the register's file is no register, or is damaged",
    sqlite3.SQLITE_ERROR: "the register's file lacks what a register has; restore it from a backup",
}


def path_of(url: URL) -> Path:
    """The file that a URL names. Raises :class:`RegisterError` (``REGISTER_UNUSABLE``)."""
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:") or url.query or url.host or "\0" in name:
        detail = "a register in SQLite is a file: give its path, or sqlite:///path"
        raise RegisterError(Code.REGISTER_UNUSABLE, detail)
    return Path(name).absolute()


def prepare(path: Path, *, create: bool) -> None:
    """Makes an empty file, for its owner alone, or sees whether it could be one.

    Raises :class:`RegisterError` (``REGISTER_UNUSABLE``), OSError, sqlite3.Error.
    """
    if create:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(_address(path), uri=True, isolation_level=None)) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                detail = "there is a database already where the register should be made; none is replaced"
                raise RegisterError(Code.REGISTER_UNUSABLE, detail)
            # The file remembers it. Readers do not wait for writers, and a batch is one write to the disk.
            connection.execute("PRAGMA journal_mode = WAL")
        return
    if not path.is_file():
        detail = "there is no register: make one first (healthcert init), or name the file it is in"
        raise RegisterError(Code.REGISTER_UNUSABLE, detail)
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) not in (_MAGIC, b""):
            raise RegisterError(Code.REGISTER_UNUSABLE, _REASONS[sqlite3.SQLITE_NOTADB])


def engine(path: Path, *, patience: float) -> Engine:
    """An engine for the file. Nothing is opened yet. Raises OSError."""
    identity = _identity(path)

    def connect() -> sqlite3.Connection:
        # Never makes a file: one that is gone is told, and no empty one takes its place.
        connection = sqlite3.connect(
            _address(path), uri=True, timeout=patience, isolation_level=None, check_same_thread=False
        )
        # A commit is on the disk before it is confirmed, whatever becomes of the program or the power.
        for setting in ("synchronous = FULL", "fullfsync = ON", "checkpoint_fullfsync = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    def begin(connection: Connection) -> None:
        # The driver would begin by itself, too late: a transaction that reads first and writes then may find itself
        # overtaken.
        if not connection.get_execution_options().get("register_writes"):
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        # A file that was removed can be written to for as long as it is open, and nobody would find it again.
        if _identity(path) != identity:
            detail = "the register's file is gone, or another is in its place; restore it from a backup"
            raise RegisterError(Code.REGISTER_UNUSABLE, detail)

    made = create_engine("sqlite+pysqlite://", creator=connect, hide_parameters=True, poolclass=QueuePool, pool_size=5)
    event.listen(made, "begin", begin)
    return made


def _address(path: Path) -> str:
    return f"{path.as_uri()}?mode=rw"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def mark(connection: Connection) -> None:
    """Writes into the head of the file what it is, within the transaction."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")


def check_marks(connection: Connection) -> None:
    """Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) for a file that does not say that it is a register."""
    names = ("application_id", "user_version")
    application, version = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)
    if application != APPLICATION_ID:
        raise RegisterError(Code.REGISTER_UNUSABLE, _REASONS[sqlite3.SQLITE_NOTADB])
    if version != FORMAT:
        detail = "the register is another version's: bring it up to date, or this software"
        raise RegisterError(Code.REGISTER_UNUSABLE, detail)


def reason(error: Any) -> str | None:
    """Why SQLite refused, for people."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else _REASONS.get(code & 0xFF)
