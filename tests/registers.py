"""Registers for tests: in SQLite and in PostgreSQL, and certificates to be entered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.authority.register import New, Register
from healthcert.authority.secret import RegisterSecret
from healthcert.issue.pending import Terms
from healthcert.lists.x509 import kid_of
from tests.postgresql import Server, server
from tests.support import CLOCK, DAY, NOW

SECRET = RegisterSecret(bytes(range(32)))
ACTOR = "clerk"
SIGNER = b"what stands for the DSC of made-up certificates"
KID = kid_of(SIGNER)


@dataclass
class Place:
    """Where a register is, and a way to it past the register's own code."""

    url: str
    sql: Callable[[str], Any]
    opened: list[Register] = field(default_factory=list)

    def open(self, **options: Any) -> Register:
        given: dict[str, Any] = {"actor": ACTOR, "clock": CLOCK, "secret": SECRET, "patience": 5.0} | options
        self.opened.append(Register.open(self.url, given.pop("secret"), **given))
        if given.get("create"):
            self._keep_signer()
        return self.opened[-1]

    def _keep_signer(self) -> None:
        """The DSC that all of :func:`new` are under, without an entry, so that tests count what they do themselves."""
        blob = "'\\x{}'" if self.url.startswith("postgresql") else "X'{}'"
        values = ", ".join(blob.format(value.hex()) for value in (KID, SIGNER))
        self.sql(f"INSERT INTO signers (kid, certificate) VALUES ({values})")

    def close(self) -> None:
        """Gives back the connections of every register that was opened here."""
        for register in self.opened:
            register.close()


def postgresql_place(server: Server) -> Place:
    url = server.new_database()
    name = url.partition("?")[0].rpartition("/")[2]
    return Place(url, lambda statement: server.sql(statement, name))


def sqlite_place(folder: Path) -> Place:
    import sqlite3
    from contextlib import closing

    def run(statement: str) -> str:
        with closing(sqlite3.connect(folder / "register.db", timeout=30)) as connection, connection:
            rows = connection.execute(statement).fetchall()
        return "".join("|".join("" if value is None else str(value) for value in row) + "\n" for row in rows)

    return Place(str(folder / "register.db"), run)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A server for all tests of a run."""
    with server() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a register can be made, in each of the databases."""
    if request.param == "sqlite":
        found = sqlite_place(tmp_path)
    else:
        found = postgresql_place(request.getfixturevalue("postgresql_server"))
    yield found
    found.close()


def new(name: str | int, *, edition: int = 1, lasting: timedelta = 30 * DAY, **changed: Any) -> New:
    """A certificate of a record of this name; two of one name are of the same record, and differ in all else."""
    identifier = changed.pop("certificate_id", f"URN:UVCI:01:FR:{name}E{edition}N{os.urandom(4).hex().upper()}")
    values: dict[str, Any] = {
        "record": f"record {name}".encode(),
        "terms": Terms(certificate_id=identifier, issued_at=NOW, expires=NOW + lasting),
        "kid": KID,
        "entry_type": hc.EntryType.TEST,
        "signature": os.urandom(64),
        "signature_hash": os.urandom(16),
        "edition": edition,
    }
    return New(**values | changed)
