"""What is done to a register in one transaction, and what the log will say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, update

from healthcert.authority.register import schema
from healthcert.authority.register.chain import Action, Event
from healthcert.authority.register.values import State
from healthcert.authority.secret import RegisterSecret

_MARK = (
    update(schema.certificates)
    .where(schema.certificates.c.number == bindparam("found"))
    .values(state=bindparam("new_state"), state_at=bindparam("new_state_at"))
)


class Change:
    """The register while nobody else can change it. ``now`` is in seconds since 1970."""

    def __init__(self, connection: Connection, secret: RegisterSecret, now: int) -> None:
        self.connection = connection
        self.secret = secret
        self.now = now
        self.events: list[Event] = []

    def note(self, action: Action, subject: str | None = None, kid: bytes | None = None) -> None:
        """What will be written into the log with it."""
        self.events.append(Event(action, subject, kid))


def mark(change: Change, rows: Iterable[Any], state: State) -> None:
    """Gives those of ``rows`` that do not have it another state, and notes it. What is revoked stays revoked."""
    marked: list[Mapping[str, Any]] = []
    for row in rows:
        if row.state not in (state, State.REVOKED):
            marked.append({"found": row.number, "new_state": state.value, "new_state_at": change.now})
            action = Action.REVOKE if state is State.REVOKED else Action.REPLACE
            change.note(action, row.certificate_id, bytes(row.kid))
    if marked:
        change.connection.execute(_MARK, marked)
