"""A SQLite file of a form of our own: opened with care, since it may be anybody's, and changed whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from healthcert.errors import HealthCertError

_PATIENCE = 30.0  # seconds that one program waits for another's writing, which takes a fraction of one


class Form(Struct, frozen=True):
    """What a file must be: the marks in its head, its tables with the statements that made them, no longer values.

    ``error`` makes what is raised of a sentence; ``name`` is what the file is called in it.
    """

    name: str
    application_id: int
    version: int
    tables: Mapping[str, str]
    longest: int
    error: Callable[[str], HealthCertError]


@contextmanager
def reading(path: Path, form: Form) -> Iterator[sqlite3.Connection | None]:
    """A file to read from, all of it as at one moment; None while its first transaction is not complete."""
    with (
        _errors(form, f"not a {form.name}, or a damaged one"),
        closing(_connect(path, form, create=False)) as connection,
    ):
        connection.execute("BEGIN")
        if _is_empty(connection):
            yield None
        else:
            _check(connection, form)
            yield connection


@contextmanager
def writing(path: Path, form: Form) -> Iterator[sqlite3.Connection]:
    """A file to change, made if there is none: all that is done within, or, after any error or a crash, nothing."""
    with (
        _errors(form, f"the {form.name} cannot be written"),
        closing(_connect(path, form, create=True)) as connection,
        connection,
    ):
        connection.execute("BEGIN IMMEDIATE")
        if _is_empty(connection):
            marks = (f"application_id = {form.application_id}", f"user_version = {form.version}")
            for statement in (*form.tables.values(), *(f"PRAGMA {mark}" for mark in marks)):
                connection.execute(statement)
        _check(connection, form)
        yield connection


def _connect(path: Path, form: Form, *, create: bool) -> sqlite3.Connection:
    # Opened for writing even to read, which repairs what a killed writer left; where that is not allowed, SQLite
    # opens it for reading.
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, form.longest)
    return connection


def _check(connection: sqlite3.Connection, form: Form) -> None:
    found = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if found != (form.application_id, form.version):
        raise ValueError("another program's database, or another version's")
    # A view, a computed column or a trigger could work without end: there is what there should be, and nothing else.
    made = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    if dict(made) != form.tables or len(made) != len(form.tables):
        raise ValueError("its tables are not those that it should have")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


@contextmanager
def _errors(form: Form, otherwise: str) -> Iterator[None]:
    try:
        yield
    except HealthCertError:
        raise
    except (sqlite3.Error, ValueError, TypeError, OverflowError, OSError, MemoryError) as error:
        locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        raise form.error(f"another program is writing to the {form.name}; try again" if locked else otherwise) from None
