"""The register: certificates are entered, found again, counted and revoked, each with its entry in the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, bindparam, case, func, insert, select

from healthcert.authority.register import chain, schema, sqlite
from healthcert.authority.register.chain import Action, Event
from healthcert.authority.register.changes import Change
from healthcert.authority.register.database import PATIENCE, Database, unusable
from healthcert.authority.register.entering import Entering
from healthcert.authority.register.revoking import revoke
from healthcert.authority.register.rows import BY_ID, BY_RECORD, SELECTED, chunks, is_identifier, registered, standing
from healthcert.authority.register.values import Count, New, Registered, Standing, State
from healthcert.authority.secret import RegisterSecret
from healthcert.clock import Clock, SystemClock
from healthcert.errors import IssueError
from healthcert.lists.x509 import kid_of
from healthcert.model import EntryType

_MOST_ACTOR = 200
_PAGE = 1000
_TABLE = schema.certificates.c
_BY_SIGNATURE = select(*SELECTED).where(_TABLE.signature_hash == bindparam("key")).order_by(_TABLE.number)


class Register:
    """What an authority issued, in SQLite or PostgreSQL. Several processes and threads may use one at a time.

    Each change is one transaction with its entries in the audit log. Every method raises :class:`RegisterError`
    (``REGISTER_UNUSABLE``) when the database cannot be used; then nothing was changed.
    """

    def __init__(self, database: Database, secret: RegisterSecret, *, actor: str, clock: Clock) -> None:
        """See :meth:`open`."""
        self._database = database
        self._secret = secret
        self._actor = actor
        self._clock = clock

    @classmethod
    def open(
        cls,
        url: str,
        secret: RegisterSecret,
        *,
        actor: str,
        create: bool = False,
        clock: Clock | None = None,
        patience: float = PATIENCE,
    ) -> Self:
        """The register at ``url``: ``sqlite:///path``, a bare path, or ``postgresql://host/name``.

        ``actor`` is who uses it, as the audit log shall name them; ``create`` makes one where there is none, and
        refuses where there is. ``patience`` is for how many seconds another program's writing is waited for. A
        password is best left to ``PGPASSWORD`` or ``~/.pgpass``. Raises :class:`RegisterError`: ``REGISTER_UNUSABLE``
        also for another program's database, another version's register and another register's secret;
        ``EXTRA_MISSING``.
        """
        if not 0 < len(actor) <= _MOST_ACTOR or not actor.isprintable():
            raise unusable(f"the actor is a name of 1 to {_MOST_ACTOR} printable characters")
        database = Database.connect(url, create=create, patience=patience)
        register = cls(database, secret, actor=actor, clock=clock or SystemClock())
        try:
            if create:
                register._make()
            register._check()
        except BaseException:
            database.close()
            raise
        return register

    # --- What was issued ---

    def find_records(self, records: Sequence[bytes]) -> dict[bytes, Standing]:
        """The latest certificate of each of these records (:attr:`PendingCertificate.record`) that has any."""
        keys = {self._secret.record_key(record): record for record in records}
        found: dict[bytes, Standing] = {}
        with self.reading() as connection:
            for part in chunks(keys):
                for row in connection.execute(BY_RECORD, {"keys": part}):
                    found[keys[row.record]] = standing(row, self._secret)
        return found

    def enter(self, new: Sequence[New]) -> list[Registered | Standing | IssueError]:
        """Enters certificates, all in one transaction. Only what this gives back may be given out.

        In the order given, each is one of:

        * :class:`Registered`: entered now;
        * :class:`Standing`: the record has a certificate of this edition, which another process entered meanwhile, or
          which stands earlier in ``new``: it is what is to be given out, and the new one to be forgotten. Or the one
          that was to be replaced was revoked meanwhile: then it is that one, and nothing is to be given out;
        * :class:`IssueError` (``ISSUED_OTHERWISE``): the identifier is that of another record's certificate.
        """
        with self.changing() as change:
            return Entering(change).enter(new)

    def find(self, *, certificate_id: str | None = None, signature_hash: bytes | None = None) -> Registered | None:
        """The certificate with this identifier or, exactly one of them, this hash of its signature; None for none.

        Of several editions with one identifier it is the latest.
        """
        if (certificate_id is None) == (signature_hash is None):
            raise TypeError("one of certificate_id and signature_hash")
        with self.reading() as connection:
            if certificate_id is not None:
                if not is_identifier(certificate_id):
                    return None
                rows = connection.execute(BY_ID, {"keys": [certificate_id]}).all()
            else:
                rows = connection.execute(_BY_SIGNATURE, {"key": signature_hash}).all()
        return registered(rows[-1]) if rows else None

    def live(self, *, kid: bytes | None = None, at: datetime) -> Iterator[Registered]:
        """The certificates that are issued and have not expired ``at`` that moment, in the order they were entered.

        ``kid`` are those of one key alone. They are read in pages: what is entered meanwhile may be among them.
        """
        page = (
            select(*SELECTED)
            .where(_TABLE.number > bindparam("last"), _TABLE.state == State.ISSUED.value)
            .where(_TABLE.expires > bindparam("at"))
            .order_by(_TABLE.number)
            .limit(_PAGE)
        )
        if kid is not None:
            page = page.where(_TABLE.kid == kid)
        last, moment = 0, int(at.timestamp())
        while True:
            with self.reading() as connection:
                rows = connection.execute(page, {"last": last, "at": moment}).all()
            yield from map(registered, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1].number

    def revoke(self, certificate_ids: Sequence[str], *, state: State = State.REVOKED) -> list[Registered]:
        """Takes certificates out of use, all or none, and gives them as they are then, in order.

        ``state`` is ``REVOKED``, or ``REPLACED`` for those that are issued anew. What is revoked stays so, and doing
        it twice does nothing. Every edition with the identifier is meant; the latest is given. What took the place of
        a certificate that was replaced says the same, and is revoked with it: behind each one are given the later
        editions of its record that are revoked. Raises :class:`RegisterError` (``NOT_IN_REGISTER``).
        """
        if state is State.ISSUED:
            raise ValueError("what is revoked is not issued again")
        with self.changing() as change:
            return revoke(change, certificate_ids, state)

    def counts(self, *, at: datetime | None = None) -> tuple[Count, ...]:
        """How many certificates there are, by key, type and state; ``at`` is for which moment they are unexpired."""
        moment = int((at or self._clock.now()).timestamp())
        group = (_TABLE.kid, _TABLE.entry_type, _TABLE.state)
        unexpired = func.sum(case((_TABLE.expires > moment, 1), else_=0))
        with self.reading() as connection:
            rows = connection.execute(select(*group, func.count(), unexpired).group_by(*group).order_by(*group)).all()
        return tuple(
            Count(kid=kid, entry_type=EntryType(kind), state=State(state), certificates=count, unexpired=int(unexpired))
            for kid, kind, state, count, unexpired in rows
        )

    # --- The certificates of the keys ---

    def keep_certificate(self, der: bytes) -> None:
        """Keeps a DSC under which certificates are issued, so that these can be made again when its key is gone."""
        kid = kid_of(der)
        kept = select(schema.signers.c.certificate).where(schema.signers.c.kid == kid)
        with self.reading() as connection:
            if connection.execute(kept).scalar() == der:
                return
        with self.changing() as change:
            known = change.connection.execute(kept).scalar()
            if known is None:
                change.connection.execute(insert(schema.signers), {"kid": kid, "certificate": der})
                change.note(Action.KEY, kid=kid)
            elif known != der:
                raise unusable("the register has another DSC with the same kid")

    def certificate(self, kid: bytes) -> bytes | None:
        """The DSC with this kid, in DER; None for one that was never kept."""
        with self.reading() as connection:
            found = connection.execute(select(schema.signers.c.certificate).where(schema.signers.c.kid == kid)).scalar()
        if found is not None and not isinstance(found, bytes):  # SQLite keeps a value of any type in any column
            raise unusable("the register holds what no register does; restore it from a backup")
        return found

    # --- For what is kept beside, in this package ---

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees all as it is at one moment; for :mod:`healthcert.authority`."""
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """A change, done when the block ends without an error; for :mod:`healthcert.authority`."""
        with self._database.writing() as connection:
            change = Change(connection, self._secret, int(self._clock.now().timestamp()))
            yield change
            chain.append(connection, change.events, at=change.now, actor=self._actor)

    @property
    def secret(self) -> RegisterSecret:
        """What its keyed hashes and seals are made with; for :mod:`healthcert.authority`."""
        return self._secret

    @property
    def name(self) -> str:
        """Where it is, for people: the file, or the database without user and password."""
        return self._database.name

    def close(self) -> None:
        """Gives the database's connections back."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Register({self.name})"

    def _make(self) -> None:
        with self._database.making() as connection:
            if schema.is_there(connection):
                raise unusable("there is a database already where the register should be made; none is replaced")
            schema.make_tables(connection)
            if self._database.is_sqlite:
                sqlite.mark(connection)
            values = {"mark": schema.MARK, "version": schema.VERSION, "check": self._secret.check_value.hex()}
            values["claims"] = "0"
            connection.execute(insert(schema.meta), [{"name": key, "value": one} for key, one in values.items()])
            now = int(self._clock.now().timestamp())
            chain.append(connection, [Event(Action.INIT)], at=now, actor=self._actor)

    def _check(self) -> None:
        with self._database.reading() as connection:
            if self._database.is_sqlite:
                sqlite.check_marks(connection)
            schema.check(connection, self._secret.check_value.hex())
