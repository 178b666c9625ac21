"""Entering certificates: each record gets one of each edition, whoever is first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select

from healthcert.authority.register import schema
from healthcert.authority.register.chain import Action
from healthcert.authority.register.changes import Change, mark
from healthcert.authority.register.rows import BY_ID, BY_RECORD, chunks, is_identifier, moment, sealed_as, standing
from healthcert.authority.register.values import New, Registered, Standing, State
from healthcert.errors import Code, IssueError, Step

_LAST = select(func.max(schema.certificates.c.number))
_INSERT = insert(schema.certificates)
_ANOTHERS = "the record's own identifier is that of a certificate which says something else"


class Entering:
    """One batch, within one transaction."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._standing: dict[tuple[bytes, int], Standing] = {}
        self._earlier: dict[bytes, list[Any]] = {}
        self._replaced: set[bytes] = set()
        self._record_of: dict[str, bytes] = {}
        self._rows: list[dict[str, Any]] = []

    def enter(self, new: Sequence[New]) -> list[Registered | Standing | IssueError]:
        """See :meth:`Register.enter`."""
        keys = [self._change.secret.record_key(one.record) for one in new]
        self._look_up(keys, [one.terms.certificate_id for one in new])
        given = [self._enter(one, key) for one, key in zip(new, keys, strict=True)]
        if self._rows:
            first = (self._change.connection.execute(_LAST).scalar() or 0) + 1
            numbered = [{"number": number, **row} for number, row in enumerate(self._rows, first)]
            self._change.connection.execute(_INSERT, numbered)
        return given

    def _look_up(self, keys: Sequence[bytes], identifiers: Sequence[str]) -> None:
        connection = self._change.connection
        for part in chunks(dict.fromkeys(keys)):
            for row in connection.execute(BY_RECORD, {"keys": part}):
                self._earlier.setdefault(bytes(row.record), []).append(row)
        for part in chunks(one for one in dict.fromkeys(identifiers) if is_identifier(one)):
            for row in connection.execute(BY_ID, {"keys": part}):
                self._record_of[row.certificate_id] = bytes(row.record)

    def _enter(self, new: New, key: bytes) -> Registered | Standing | IssueError:
        if there := self._there(key, new.edition) or self._revoked(new, key):
            return there
        identifier = new.terms.certificate_id
        if not is_identifier(identifier):
            return IssueError(Code.FIELD_INVALID, "certificate_id: up to 200 printable characters", Step.CONTENT)
        if self._record_of.setdefault(identifier, key) != key:
            return IssueError(Code.ISSUED_OTHERWISE, _ANOTHERS, Step.CONTENT)
        if new.replaces_earlier and key not in self._replaced:
            self._replaced.add(key)
            mark(self._change, self._earlier.get(key, ()), State.REPLACED)
        self._change.note(Action.ISSUE if new.edition == 1 else Action.REISSUE, identifier, new.kid)
        row = self._row(new, key)
        self._rows.append(row)
        entered = _registered(row, new)
        self._standing[key, new.edition] = Standing(entered, new.signature)
        return entered

    def _there(self, key: bytes, edition: int) -> Standing | None:
        if found := self._standing.get((key, edition)):
            return found
        rows = (row for row in self._earlier.get(key, ()) if row.edition == edition)
        return next((standing(row, self._change.secret) for row in rows), None)

    def _revoked(self, new: New, key: bytes) -> Standing | None:
        """The certificate that ``new`` would replace, where it was revoked meanwhile: nothing takes its place then."""
        latest = self._earlier[key][-1] if new.replaces_earlier and key in self._earlier else None
        return standing(latest, self._change.secret) if latest is not None and latest.state == State.REVOKED else None

    def _row(self, new: New, key: bytes) -> dict[str, Any]:
        terms, change = new.terms, self._change
        row: dict[str, Any] = {
            "record": key,
            "edition": new.edition,
            "certificate_id": terms.certificate_id,
            "signature_hash": new.signature_hash,
            "kid": new.kid,
            "entry_type": new.entry_type.value,
            "issued_at": int(terms.issued_at.timestamp()),
            "expires": int(terms.expires.timestamp()),
            "state": State.ISSUED.value,
            "state_at": change.now,
        }
        return row | {"signature": change.secret.seal(new.signature, sealed_as(row))}


def _registered(row: dict[str, Any], new: New) -> Registered:
    return Registered(
        certificate_id=row["certificate_id"],
        signature_hash=new.signature_hash,
        kid=new.kid,
        entry_type=new.entry_type,
        issued_at=moment(row["issued_at"]),
        expires=moment(row["expires"]),
        state=State.ISSUED,
        state_at=moment(row["state_at"]),
        edition=new.edition,
    )
