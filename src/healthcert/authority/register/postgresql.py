"""A register in PostgreSQL, as SQLAlchemy's engine."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

_CONNECT_SECONDS = 10
_REASONS = {
    "23": "the database refused a row that is there already; do the same again",
    "25006": "the database is for reading alone",
    "42501": "the database's user may not do this",
    "42": "the database lacks what a register has: make a register first (healthcert init), or name its database",
    "53": "the database is out of room, memory or connections. Nothing was left half done",
    "55P03": "another program holds the register; try again",
    "57014": "the database gave up on it for its time. Nothing was left half done",
}


def engine(url: URL, *, patience: float) -> Engine:
    """An engine for the database; nothing is opened yet. Raises ModuleNotFoundError without psycopg."""
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=5,
        pool_pre_ping=True,
        pool_timeout=patience,
        connect_args={"connect_timeout": _CONNECT_SECONDS},
    )
    milliseconds = int(patience * 1000)

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("register_writes"):
            # Each statement sees what was committed before it, so that what is read after the lock is the latest.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            # Whatever the server's own setting is: what is confirmed is on its disk.
            connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    event.listen(made, "begin", begin)
    return made


def name_of(url: URL) -> str:
    """The database for people: without user, password and options."""
    return URL.create("postgresql", host=url.host, port=url.port, database=url.database).render_as_string()


def reason(error: Any) -> str | None:
    """Why PostgreSQL refused, for people; None where it did not answer at all."""
    state = getattr(error, "sqlstate", None)
    return None if state is None else _REASONS.get(state) or _REASONS.get(state[:2])
