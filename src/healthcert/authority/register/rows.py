"""Rows of the table of certificates, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from healthcert.authority.register import schema
from healthcert.authority.register.values import Registered, Standing, State
from healthcert.authority.secret import RegisterSecret
from healthcert.errors import Code, RegisterError
from healthcert.model import EntryType

CHUNK = 500  # values of one statement; SQLite was once built for no more than 999
_MOST_ID = 200
_SEALED = ("record", "edition", "certificate_id", "signature_hash", "kid", "entry_type", "issued_at", "expires")
_TABLE = schema.certificates.c

SELECTED = tuple(schema.certificates.c)
BY_RECORD = select(*SELECTED).where(_TABLE.record.in_(bindparam("keys", expanding=True))).order_by(_TABLE.edition)
BY_ID = select(*SELECTED).where(_TABLE.certificate_id.in_(bindparam("keys", expanding=True))).order_by(_TABLE.edition)


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """``values`` in parts that one statement can ask for."""
    rest = iter(values)
    while part := list(islice(rest, CHUNK)):
        yield part


def is_identifier(text: str) -> bool:
    """Whether this could be a certificate's identifier: what is not is never asked of a database."""
    return 0 < len(text) <= _MOST_ID and text.isprintable()


def registered(row: Any) -> Registered:
    """What a row tells without the secret. Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) for a damaged one."""
    try:
        return Registered(
            certificate_id=row.certificate_id,
            signature_hash=bytes(row.signature_hash),
            kid=bytes(row.kid),
            entry_type=EntryType(row.entry_type),
            issued_at=moment(row.issued_at),
            expires=moment(row.expires),
            state=State(row.state),
            state_at=moment(row.state_at),
            edition=row.edition,
        )
    except (ValueError, TypeError, OverflowError, OSError):
        detail = "the register holds what no register does; restore it from a backup"
        raise RegisterError(Code.REGISTER_UNUSABLE, detail) from None


def standing(row: Any, secret: RegisterSecret) -> Standing:
    """What a row tells with the secret. Raises :class:`RegisterError` (``REGISTER_UNUSABLE``)."""
    return Standing(
        registered(row), secret.unseal(bytes(row.signature), sealed_as({name: getattr(row, name) for name in _SEALED}))
    )


def sealed_as(row: Mapping[str, Any]) -> str:
    """What a signature is sealed as, so that it opens in its own row alone, and while nothing of that was changed.

    The state is not part of it: it changes, and the log tells how.
    """
    values = (row[name] for name in _SEALED)
    told = ["signature", *(value if isinstance(value, str | int) else bytes(value).hex() for value in values)]
    return msgspec.json.encode(told).decode()


def moment(seconds: int) -> datetime:
    """The moment of these seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
