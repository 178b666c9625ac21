"""The audit log of a register: read, handed on, and held against itself and against what is registered."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from typing import Any

from healthcert.authority.register import Action, Entry, Register, State  # first: it says which extra is missing

# isort: split
import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select

from healthcert.authority.register.chain import START
from healthcert.authority.register.rows import standing
from healthcert.authority.register.schema import audit, certificates, signers
from healthcert.errors import Code, RegisterError
from healthcert.lists.x509 import kid_of

_PAGE = 1000
_TYPES: dict[str, Any] = {
    "number": int,
    "at": int,
    "actor": str,
    "action": str,
    "subject": str | None,
    "kid": bytes | None,
    "previous": bytes,
    "hash": bytes,
}
_NEXT = (
    select(*(audit.c[name] for name in Entry.__struct_fields__))
    .where(audit.c.number > bindparam("last"))
    .order_by(audit.c.number)
    .limit(_PAGE)
)
_CERTIFICATES = (
    select(certificates).where(certificates.c.number > bindparam("last")).order_by(certificates.c.number).limit(_PAGE)
)


class AuditState(Struct, frozen=True):
    """A log that holds: how many entries it has, and the hash of the last, its head, to be noted elsewhere."""

    count: int
    head: bytes


def entries(register: Register, *, after: int = 0) -> Iterator[Entry]:
    """The entries of the log from the one after number ``after`` on, in order, whether they hold or not.

    Raises :class:`RegisterError` (``REGISTER_UNUSABLE``; ``AUDIT_BROKEN`` for an entry that is none).
    """
    while True:
        with register.reading() as connection:
            page = list(_page(connection, after))
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].number


def audit_lines(register: Register, *, after: int = 0) -> Iterator[str]:
    """The log as JSON Lines, one object an entry; hashes and kids in hexadecimal. Raises as :func:`entries`."""
    for entry in entries(register, after=after):
        told = {name: _told(getattr(entry, name)) for name in Entry.__struct_fields__}
        yield msgspec.json.encode(told).decode()


def verify_audit(register: Register, *, head: bytes | None = None) -> AuditState:
    """Holds the log against itself, and what is in the register against the log, against seals and against kids.

    ``head`` is one that was noted before: without it nobody can tell that the end of the log was cut off, or that all
    of it was written anew. Raises :class:`RegisterError`: ``AUDIT_BROKEN`` with the number of the first entry that does
    not fit, and ``REGISTER_UNUSABLE``.
    """
    with register.reading() as connection:
        found = verify_entries(_all(connection), head=head)
        _check_certificates(connection)
        _check_signers(connection)
        _check_seals(connection, register)
    return found


def verify_entries(entries: Iterable[Entry], *, head: bytes | None = None) -> AuditState:
    """Holds a log from its first entry on against itself. Raises :class:`RegisterError` (``AUDIT_BROKEN``)."""
    count, last = 0, START
    seen = head is None
    for count, entry in enumerate(entries, 1):
        if entry.number != count:
            raise _broken(f"entry {count} does not fit: an entry was removed, or put in")
        if entry.previous != last:
            raise _broken(f"entry {count} does not fit: it does not follow the one before")
        if not hmac.compare_digest(entry.digest(), entry.hash):
            raise _broken(f"entry {count} does not fit: it was changed")
        last = entry.hash
        seen = seen or last == head
    if not count:
        raise _broken("entry 1 does not fit: there is none")
    if not seen:
        raise _broken(f"entry {count} is the last, and none has the head that was noted: the log was cut or rewritten")
    return AuditState(count, last)


def _all(connection: Connection) -> Iterator[Entry]:
    after = 0
    while page := list(_page(connection, after)):
        yield from page
        after = page[-1].number


def _page(connection: Connection, after: int) -> Iterator[Entry]:
    for row in connection.execute(_NEXT, {"last": after}):
        # SQLite keeps a value of any type in any column.
        values = dict(zip(Entry.__struct_fields__, row, strict=True))
        if not all(isinstance(value, _TYPES[name]) for name, value in values.items()):
            raise _broken(f"entry {row.number} does not fit: it is no entry")
        yield Entry(**values)


def _check_certificates(connection: Connection) -> None:
    issued = audit.c.action.in_([Action.ISSUE.value, Action.REISSUE.value])
    rows = select(certificates.c.certificate_id, certificates.c.kid)
    logged = select(audit.c.subject, audit.c.kid).where(issued)
    for one, other in ((rows, logged), (logged, rows)):
        if connection.execute(one.except_(other).limit(1)).first() is not None:
            raise _broken("certificates and log do not agree: one was removed, or put in, without an entry")
    counts = select(func.count()).select_from(certificates), select(func.count()).select_from(audit).where(issued)
    if connection.execute(counts[0]).scalar() != connection.execute(counts[1]).scalar():
        raise _broken("certificates and log do not agree: one was removed, or put in, without an entry")
    for action, states in (
        (Action.REVOKE, [State.REVOKED.value]),
        (Action.REPLACE, [State.REPLACED.value, State.REVOKED.value]),
    ):
        marked = select(certificates.c.certificate_id).where(certificates.c.state == states[0])
        told = select(audit.c.subject).where(audit.c.action == action.value)
        allowed = select(certificates.c.certificate_id).where(certificates.c.state.in_(states))
        for query in (marked.except_(told), told.except_(allowed)):
            if connection.execute(query.limit(1)).first() is not None:
                raise _broken("certificates and log do not agree: one has a state that its entries do not tell")


def _check_signers(connection: Connection) -> None:
    """Whether the DSC of each key that was taken into use, or issued under, is there: it is its own proof."""
    taken = select(audit.c.kid).where(audit.c.action == Action.KEY.value)
    used = select(certificates.c.kid).union(taken).subquery()
    found = select(used.c.kid, signers.c.certificate).outerjoin(signers, signers.c.kid == used.c.kid)
    for kid, der in connection.execute(found):
        # HCERT specification, Appendix A.1: a kid is the beginning of its certificate's hash.
        if not isinstance(der, bytes) or kid_of(der) != kid:
            raise _broken("signers and log do not agree: the DSC of a key was removed or changed without an entry")


def _check_seals(connection: Connection, register: Register) -> None:
    """Whether each certificate is as it was entered: its end and its hashes are in its seal, and not in the log."""
    last = 0
    while rows := connection.execute(_CERTIFICATES, {"last": last}).all():
        for row in rows:
            last = row.number
            try:
                standing(row, register.secret)
            except (RegisterError, TypeError, ValueError):
                raise _broken(f"certificate {row.number} of the register was changed after it was entered") from None


def _told(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _broken(detail: str) -> RegisterError:
    return RegisterError(Code.AUDIT_BROKEN, detail)
