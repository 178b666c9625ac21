"""Revoking what an authority's register has: it is marked there, and told to others by its signature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import structs

from healthcert.authority.register import Register, Registered, State
from healthcert.authority.withdrawn import revocation_of, withdrawn
from healthcert.errors import Code, RegisterError, Step
from healthcert.publish.revoked import RevokedEntry, entries_of_uvci
from healthcert.revocation.identifiers import IdentifierType
from healthcert_cli.commands.register.naming import registered_as
from healthcert_cli.commands.revocation.entries import Wanted, entries_of, read_rows
from healthcert_cli.rejects import Rejects

_AT_ONCE = 500  # certificates marked in one transaction


def revoke_registered(
    register: Register, sources: Sequence[str], wanted: Wanted, rejects: Rejects, *, now: datetime, unregistered: bool
) -> Iterator[RevokedEntry]:
    """Marks as revoked what the sources name, and gives what revokes it elsewhere.

    A row that the register does not have goes to ``rejects``; with ``unregistered`` it is revoked as without a
    register. What has expired is marked, and needs no entry.
    """
    assert wanted.country is not None
    found: dict[str, Registered] = {}

    def read(row: str | bytes) -> Iterator[RevokedEntry]:
        one = registered_as(register, row.strip()) if isinstance(row, str) else None
        if one is not None:
            found[one.certificate_id] = one
        elif unregistered:
            yield from entries_of(row, wanted)
        else:
            raise RegisterError(Code.NOT_IN_REGISTER, "the register has no such certificate", Step.REVOCATION)

    yield from read_rows(sources, rejects, read)
    names = list(found)
    for at in range(0, len(names), _AT_ONCE):
        for one in register.revoke(names[at : at + _AT_ONCE]):
            yield from _entries(one, wanted, now)


def withdrawn_entries(register: Register, kid: bytes, wanted: Wanted, *, now: datetime) -> Iterator[RevokedEntry]:
    """What revokes elsewhere all that was revoked or replaced under a DSC and has not expired."""
    by_signature = structs.replace(wanted, types=None)
    for one in withdrawn(register, kid, at=now):
        # A record that names its own identifier keeps it: by the identifier, the new one would be revoked as well.
        kept = bool(wanted.types) and _is_live(register, one.certificate_id)
        yield from _entries(one, by_signature if kept else wanted, now)


def _entries(one: Registered, wanted: Wanted, now: datetime) -> Iterator[RevokedEntry]:
    assert wanted.country is not None
    if one.expires <= now:
        return
    types = wanted.types or (IdentifierType.SIGNATURE,)
    if IdentifierType.SIGNATURE in types:
        yield revocation_of(one, wanted.country)
    others = [type_ for type_ in types if type_ is not IdentifierType.SIGNATURE]
    yield from entries_of_uvci(
        one.certificate_id, country=wanted.country, expires=one.expires, types=others, kid=one.kid
    )


def _is_live(register: Register, certificate_id: str) -> bool:
    latest = register.find(certificate_id=certificate_id)
    return latest is not None and latest.state is State.ISSUED
