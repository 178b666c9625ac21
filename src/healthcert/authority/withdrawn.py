"""What a register has of the certificates under one DSC that were replaced or revoked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from healthcert.authority.register import Register, Registered, State, schema  # first: it says which extra is missing

# isort: split
from sqlalchemy import bindparam, select

from healthcert.authority.register.rows import chunks, registered
from healthcert.publish.revoked import RevokedEntry
from healthcert.revocation.identifiers import IdentifierType

_PAGE = 1000
_OLD, _NEW = schema.certificates.alias("old"), schema.certificates.alias("new")
# The editions under the DSC that were replaced, by the identifiers of those that replaced them.
_REPLACED = (
    select(*_OLD.c, _NEW.c.certificate_id.label("by"))
    .where(_NEW.c.certificate_id.in_(bindparam("keys", expanding=True)), _NEW.c.record == _OLD.c.record)
    .where(_OLD.c.edition < _NEW.c.edition, _OLD.c.kid == bindparam("old_kid"))
    .where(_OLD.c.state == State.REPLACED.value)
    .order_by(_OLD.c.edition)
)
_TABLE = schema.certificates.c
_WITHDRAWN = (
    select(*schema.certificates.c)
    .where(_TABLE.number > bindparam("last"), _TABLE.kid == bindparam("old_kid"))
    .where(_TABLE.state != State.ISSUED.value, _TABLE.expires > bindparam("at"))
    .order_by(_TABLE.number)
    .limit(_PAGE)
)


def withdrawn(register: Register, kid: bytes, *, at: datetime) -> Iterator[Registered]:
    """The certificates under the DSC that were replaced or revoked and have not expired, in the order of entering.

    They are what belongs into revocation lists, and are the same however often a re-issue was stopped and done again.
    """
    last, moment = 0, int(at.timestamp())
    while True:
        with register.reading() as connection:
            rows = connection.execute(_WITHDRAWN, {"last": last, "old_kid": kid, "at": moment}).all()
        yield from map(registered, rows)
        if len(rows) < _PAGE:
            return
        last = rows[-1].number


def revocation_of(one: Registered, country: str) -> RevokedEntry:
    """What revokes a certificate in the lists of others: by its signature, which tells nobody whose it was."""
    return RevokedEntry(IdentifierType.SIGNATURE, one.signature_hash, one.kid, country, one.expires)


def replaced_by(register: Register, kid: bytes, identifiers: Sequence[str]) -> dict[str, Registered]:
    """What these certificates replaced, by their identifiers, where it was issued under the DSC."""
    if not identifiers:
        return {}
    with register.reading() as connection:
        return {
            row.by: registered(row)
            for part in chunks(identifiers)
            for row in connection.execute(_REPLACED, {"keys": part, "old_kid": kid})
        }
