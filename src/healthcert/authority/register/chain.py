"""The audit log: entries that each bear the hash of the one before, written with what they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum, unique
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from healthcert.authority.register import schema

START = bytes(32)
"""What stands for the hash of the entry before the first one."""


@unique
class Action(StrEnum):
    """What was done. ``ISSUE`` is of a record's first edition, ``REISSUE`` of a further one; ``KEY`` of a DSC that
    was taken into use."""

    INIT = "init"
    KEY = "key"
    ISSUE = "issue"
    REISSUE = "reissue"
    REVOKE = "revoke"
    REPLACE = "replace"
    CLAIM_CODE = "claim-code"
    CLAIM = "claim"

    __hash__ = str.__hash__  # as that of every enumeration here


class Entry(Struct, frozen=True, kw_only=True):
    """An entry of the log. ``subject`` is a certificate's identifier, ``kid`` the key; None where there is none.

    ``at`` is in seconds since 1970; ``action`` is one of :class:`Action`, or whatever another hand wrote there.
    """

    number: int
    at: int
    actor: str
    action: str
    subject: str | None
    kid: bytes | None
    previous: bytes
    hash: bytes

    @property
    def moment(self) -> datetime:
        """When it was written, as the clock of the writing machine had it."""
        return datetime.fromtimestamp(self.at, UTC)

    def digest(self) -> bytes:
        """What its hash must be: SHA-256 over all else, as one JSON array without spaces, hashes in hexadecimal."""
        return _digest(self.number, self.at, self.actor, self.action, self.subject, self.kid, self.previous)


class Event(Struct, frozen=True):
    """What is to be written into the log."""

    action: Action
    subject: str | None = None
    kid: bytes | None = None


_INSERT = insert(schema.audit)
_LAST = select(schema.audit.c.number, schema.audit.c.hash).order_by(schema.audit.c.number.desc()).limit(1)


def append(connection: Connection, events: Sequence[Event], *, at: int, actor: str) -> None:
    """Writes entries at the end. The transaction holds the register's lock, so that the chain does not fork."""
    if not events:
        return
    last = connection.execute(_LAST).first()
    before, previous = (0, START) if last is None else (last.number, bytes(last.hash))
    rows: list[dict[str, Any]] = []
    for number, event in enumerate(events, before + 1):
        found = _digest(number, at, actor, event.action, event.subject, event.kid, previous)
        rows.append(
            {
                "number": number,
                "at": at,
                "actor": actor,
                "action": event.action.value,
                "subject": event.subject,
                "kid": event.kid,
                "previous": previous,
                "hash": found,
            }
        )
        previous = found
    connection.execute(_INSERT, rows)


def _digest(
    number: int, at: int, actor: str, action: str, subject: str | None, kid: bytes | None, previous: bytes
) -> bytes:
    told = (number, at, actor, str(action), subject, None if kid is None else kid.hex(), previous.hex())
    return sha256(msgspec.json.encode(told)).digest()
