"""The database of a register: SQLite in a file, or PostgreSQL. Changes are whole or not at all, one after the other."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from healthcert.authority.register import postgresql, schema, sqlite
from healthcert.errors import Code, HealthCertError, RegisterError

PATIENCE = 30.0
"""Seconds that one program waits for another's writing, which takes a fraction of one."""

_LOCK = select(schema.meta.c.value).where(schema.meta.c.name == "version").with_for_update()


class Database:
    """Hands out connections within a transaction. May be shared between threads, and used on after a fork."""

    def __init__(self, engine: Engine, name: str) -> None:
        """``name`` is the database for people, without a password."""
        self._engine = engine
        self.name = name
        self._process = os.getpid()
        self._forking = threading.Lock()

    @classmethod
    def connect(cls, url: str, *, create: bool, patience: float = PATIENCE) -> Self:
        """The database that ``url`` names; a bare path is a SQLite file. With ``create`` the file may be made.

        Raises :class:`RegisterError` (``REGISTER_UNUSABLE``, ``EXTRA_MISSING``).
        """
        parsed = _parsed(url)
        if parsed.get_backend_name() == "sqlite":
            path = sqlite.path_of(parsed)
            with told():
                sqlite.prepare(path, create=create)
                return cls(sqlite.engine(path, patience=patience), str(path))
        try:
            engine = postgresql.engine(parsed, patience=patience)
        except ModuleNotFoundError:
            detail = "PostgreSQL is reached with the package psycopg: pip install 'healthcert[postgresql]'"
            raise RegisterError(Code.EXTRA_MISSING, detail) from None
        return cls(engine, postgresql.name_of(parsed))

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the database as it is at one moment."""
        with told(), self._own().connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that nobody else writes beside: all that is done within, or, after any error, nothing."""
        with self.making() as connection:
            # PostgreSQL locks this row for the transaction; SQLite locked the whole file when it began.
            if connection.execute(_LOCK).scalar() != schema.VERSION:
                raise unusable("the register is another version's: bring it up to date, or this software")
            yield connection

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """As :meth:`writing`, for a database that is no register yet."""
        with told(), self._own().connect().execution_options(register_writes=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Gives the connections back. The database may be used on."""
        self._engine.dispose()

    def _own(self) -> Engine:
        if os.getpid() != self._process:
            with self._forking:
                if os.getpid() != self._process:
                    # A connection of the parent must be neither used nor closed here.
                    self._engine.dispose(close=False)
                    self._process = os.getpid()
        return self._engine

    def __repr__(self) -> str:
        return f"Database({self.name})"


@contextmanager
def told() -> Iterator[None]:
    """Makes what a database raises into a sentence: its own words may hold values, addresses and passwords."""
    try:
        yield
    except HealthCertError:
        raise
    except DBAPIError as error:
        raise unusable(_reason(error)) from None
    except sqlite3.Error as error:
        raise unusable(sqlite.reason(error) or "the register's file cannot be used") from None
    except (ValueError, TypeError, OverflowError):
        # SQLite gives whatever stands in a damaged file.
        raise unusable("the register holds what no register does; restore it from a backup") from None
    except (SQLAlchemyError, OSError) as error:
        raise unusable(_otherwise(error)) from None


def unusable(detail: str) -> RegisterError:
    """What is raised of a register that cannot be used."""
    return RegisterError(Code.REGISTER_UNUSABLE, detail)


def _reason(error: DBAPIError) -> str:
    reasons: Callable[[Any], str | None] = (
        sqlite.reason if type(error.orig).__module__ == "sqlite3" else postgresql.reason
    )
    if found := reasons(error.orig):
        return found
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return "the database cannot be reached or does not let this user in, or the connection was lost; try again"
    return "the database refused; its own log tells more. Nothing was left half done"


def _otherwise(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the register's file cannot be used: {os.strerror(error.errno or 0)}"
    return "the database cannot be reached, or answers in no time"


def _parsed(url: str) -> URL:
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError, SQLAlchemyError):
        # The text may hold a password.
        raise unusable("the register's URL cannot be read; it is as sqlite:///path or postgresql://host/name") from None
    if backend not in ("sqlite", "postgresql"):
        raise unusable("a register is kept in SQLite or PostgreSQL: sqlite:///path or postgresql://host/name")
    return parsed
