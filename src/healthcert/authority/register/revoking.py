"""Taking certificates out of use, and with one that was replaced what took its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from healthcert.authority.register.changes import Change, mark
from healthcert.authority.register.rows import BY_ID, BY_RECORD, chunks, is_identifier, registered
from healthcert.authority.register.values import Registered, State
from healthcert.errors import Code, RegisterError


def revoke(change: Change, certificate_ids: Sequence[str], state: State) -> list[Registered]:
    """See :meth:`Register.revoke`."""
    found = _by_identifier(change, certificate_ids)
    for number, one in enumerate(certificate_ids, 1):
        if one not in found:
            raise RegisterError(Code.NOT_IN_REGISTER, f"there is none with identifier {number} of those given")
    rows = [row for each in found.values() for row in each]
    later = _later(change, rows) if state is State.REVOKED else {}
    # A new edition of what was revoked is no replacement: it was asked for, and stays.
    replacing = [one for row in rows if row.state == State.REPLACED for one in later.get(row.certificate_id, ())]
    mark(change, {row.number: row for row in (*rows, *replacing)}.values(), state)
    followers = {name: [one.certificate_id for one in each] for name, each in later.items()}
    named = [*found, *(one for each in followers.values() for one in each)]
    changed = {name: registered(each[-1]) for name, each in _by_identifier(change, named).items()}
    given: list[Registered] = []
    for name in certificate_ids:
        given.append(changed[name])
        # Also those that were revoked before: whoever does it again gets all that he got the first time.
        given += [changed[one] for one in followers.pop(name, ()) if changed[one].state is State.REVOKED]
    return given


def _by_identifier(change: Change, names: Iterable[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in chunks(one for one in dict.fromkeys(names) if is_identifier(one)):
        for row in change.connection.execute(BY_ID, {"keys": part}):
            found.setdefault(row.certificate_id, []).append(row)
    return found


def _later(change: Change, rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Of each certificate that is out of use, the later editions of its record that have another identifier."""
    editions: dict[bytes, list[Any]] = {}
    for part in chunks(dict.fromkeys(bytes(row.record) for row in rows if row.state != State.ISSUED)):
        for row in change.connection.execute(BY_RECORD, {"keys": part}):
            editions.setdefault(bytes(row.record), []).append(row)
    found: dict[str, list[Any]] = {}
    for row in rows:
        for one in editions.get(bytes(row.record), ()) if row.state != State.ISSUED else ():
            if one.edition > row.edition and one.certificate_id != row.certificate_id:
                found.setdefault(row.certificate_id, []).append(one)
    return found
