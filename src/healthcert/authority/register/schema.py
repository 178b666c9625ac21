"""The tables of a register, the same in both databases, and the triggers that keep its log append-only."""

from __future__ import annotations

import hmac

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
)

from healthcert.errors import Code, RegisterError

VERSION = "1"
MARK = "healthcert register"

metadata = MetaData()

# Moments are seconds since 1970, in UTC. Numbers are given by the one who holds the lock, so that they have no gaps.
meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
certificates = Table(
    "certificates",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("record", LargeBinary, nullable=False),  # HMAC of what was certified
    Column("edition", Integer, nullable=False),
    Column("certificate_id", Text, nullable=False),
    Column("signature_hash", LargeBinary, nullable=False),
    Column("kid", LargeBinary, nullable=False),
    Column("entry_type", Text, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),  # sealed
    UniqueConstraint("record", "edition", name="certificates_record"),
    # Editions of a record that names its own identifier share it.
    UniqueConstraint("certificate_id", "edition", name="certificates_id"),
    Index("certificates_signature", "signature_hash"),
    Index("certificates_kid", "kid", "number"),
)
signers = Table(
    "signers",
    metadata,
    Column("kid", LargeBinary, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),  # the DSC, in DER
)
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),  # the certificate's identifier
    Column("kid", LargeBinary),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
claim_codes = Table(
    "claim_codes",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("certificate_id", Text, nullable=False),
    Column("code", LargeBinary, nullable=False),  # HMAC of it
    Column("expires", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),  # wrong ones
    Column("used", Integer, nullable=False),  # 0 or 1
    Index("claim_codes_certificate", "certificate_id"),
)
bindings = Table(
    "bindings",
    metadata,
    Column("certificate_id", Text, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),  # sealed
    Column("bound_at", BigInteger, nullable=False),
)

_SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER audit_{event.lower()} BEFORE {event} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
    for event in ("UPDATE", "DELETE")
)
_POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$""",
    """CREATE TRIGGER audit_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)
TRIGGERS = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}


def make_tables(connection: Connection) -> None:
    """Makes all that a register consists of, within the transaction of ``connection``."""
    metadata.create_all(connection, checkfirst=False)
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def is_there(connection: Connection) -> bool:
    """Whether the database has a table or view of a name that a register needs."""
    seen = inspect(connection)
    return not set(metadata.tables).isdisjoint([*seen.get_table_names(), *seen.get_view_names()])


def check(connection: Connection, check_value: str) -> None:
    """Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) for a database that is no register of this version, or
    that was made with another secret."""
    seen = inspect(connection)
    if not seen.has_table(meta.name):
        raise _unusable("the database is no register: make one first (healthcert init), or name its database")
    found = {row.name: row.value for row in connection.execute(select(meta))}
    if found.get("mark") != MARK:
        raise _unusable("the database is another program's")
    if found.get("version") != VERSION:
        raise _unusable("the register is another version's: bring it up to date, or this software")
    if not set(metadata.tables) <= set(seen.get_table_names()):
        raise _unusable("the register lacks tables; restore it from a backup")
    if not _has_triggers(connection):
        raise _unusable("the audit log is not protected any more (its triggers are gone): find out who did that")
    if not hmac.compare_digest(found.get("check", "").encode(), check_value.encode()):
        raise _unusable("the secret is not that of this register; it is needed to know records again")


def _has_triggers(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        return set(TRIGGERS["sqlite"]) == set(connection.exec_driver_sql(sql).scalars())
    # "O": fires in sessions as usual. One that was switched off has "D".
    sql = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND tgenabled = 'O' AND NOT tgisinternal"
    return list(connection.exec_driver_sql(sql).scalars()) == ["audit_change"]


def _unusable(detail: str) -> RegisterError:
    return RegisterError(Code.REGISTER_UNUSABLE, detail)
