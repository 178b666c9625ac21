"""The trust store: from the kid in a certificate to every key that may have signed it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from healthcert.errors import Code, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import EntryType
from healthcert.trust.files import Rejected, read_entries, read_path
from healthcert.trust.keys import TrustedKey

_APPLICATION_ID = 0x48434552  # "HCER", so that another program's database is not taken for a trust store
_FORMAT = 1
_SCHEMA = (
    """CREATE TABLE keys (
    kid BLOB NOT NULL,
    spki BLOB NOT NULL,
    country TEXT,
    usages TEXT,              -- space separated; NULL for any
    not_before INTEGER,       -- seconds since 1970; NULL when unknown
    not_after INTEGER,
    certificate BLOB,
    source TEXT NOT NULL,
    PRIMARY KEY (kid, spki)
) WITHOUT ROWID""",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_FORMAT}",
)
_COLUMNS = "kid, spki, country, usages, not_before, not_after, certificate, source"


class TrustStore:
    """Trusted keys by kid, in memory and, when opened from a path, kept in one SQLite file.

    Looking a key up never touches the file, so a store may be shared between threads. ``rejected`` lists the
    entries that were given and could not be used.
    """

    def __init__(self, keys: Iterable[TrustedKey] = (), *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._by_kid: dict[bytes, tuple[TrustedKey, ...]] = {}
        self._size = 0
        self._path: Path | None = None
        self._limits = limits
        self.rejected: list[Rejected] = []
        self._by_kid, self._size = self._indexed(keys)

    @classmethod
    def from_certificates(
        cls,
        certificates: Iterable[bytes | str] | bytes | str,
        *,
        usages: Collection[EntryType] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Self:
        """A store in memory of certificates in DER, PEM or base64; a PEM text may hold several.

        ``usages`` are the entry types that the list they come from is for, whatever more the certificates allow. One
        that cannot be read is listed in ``rejected``. Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``) when
        there were some and none could be read.
        """
        store = cls(limits=limits)
        given = [certificates] if isinstance(certificates, bytes | str) else list(certificates)
        for number, certificate in enumerate(given, 1):
            store._take(read_entries(certificate, source=f"certificate {number}"), usages)
        if given and not store:
            raise store.rejected[0].error
        return store

    @classmethod
    def from_path(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """A store of whatever ``path`` is: a trust store file, a file of certificates or keys, or a folder of those."""
        path = Path(path)
        if not _exists(path):
            raise TrustError(Code.TRUST_STORE_UNREADABLE, "there is no such file or folder", Step.TRUST)
        if path.is_file() and _is_database(path):
            return cls.open(path, limits=limits)
        store = cls(limits=limits)
        store._take(read_path(path, limits=limits))
        return store

    @classmethod
    def open(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """The store kept in the SQLite file ``path``; an empty one, written at the first addition, if there is none.

        Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``) for any other file.
        """
        path = Path(path)
        store = cls(_load(path, limits) if _exists(path) else (), limits=limits)
        store._path = path
        return store

    def candidates(self, kid: bytes) -> tuple[TrustedKey, ...]:
        """Every key with this kid. Kids are short, so two keys may share one (HCERT specification §3.3.3)."""
        return self._by_kid.get(kid, ())

    def add(self, keys: Iterable[TrustedKey]) -> int:
        """Adds keys and returns how many are new.

        A key that is known under the same kid is narrowed to what both sources allow; to widen it, build a new store.
        Raises :class:`TrustError`: ``INPUT_TOO_LONG`` beyond the limits, ``TRUST_STORE_UNREADABLE`` when the file
        cannot be written; the store is then as it was.
        """
        before = self._size
        index, size = self._indexed(keys)
        if self._path is not None:
            changed = [key for kid, found in index.items() if found is not self._by_kid.get(kid) for key in found]
            if changed:
                _save(self._path, changed)
        # Swapped in at once, so that a reader in another thread sees the old index or the new one.
        self._by_kid, self._size = index, size
        return size - before

    def add_path(self, path: str | Path, *, usages: Collection[EntryType] | None = None) -> int:
        """Adds what a file or folder holds (see :meth:`from_path`) and returns how many keys are new.

        ``usages`` are the entry types that the list is for, whatever more its certificates allow: exemptions alone for
        the keys of Austrian exemptions, none at all for those of the Swiss light.
        """
        return self._take(read_path(Path(path), limits=self._limits), usages)

    def add_public_key(
        self, key: bytes | str, *, kid: bytes, source: str = "memory", usages: Collection[EntryType] | None = None
    ) -> int:
        """Adds a bare public key (DER or PEM SubjectPublicKeyInfo) under ``kid``; returns 1 when it is new.

        ``usages`` are the entry types it may sign, None for any.
        Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``).
        """
        entries = list(read_entries(key, source=source, kid=kid))
        for entry in entries:
            if isinstance(entry, Rejected):
                raise entry.error
            if entry.certificate is not None:
                raise TrustError(Code.CERTIFICATE_UNREADABLE, "a certificate, which has a kid of its own", Step.TRUST)
        return self._take(entries, usages)

    def __iter__(self) -> Iterator[TrustedKey]:
        for keys in self._by_kid.values():
            yield from keys

    def __len__(self) -> int:
        return self._size

    def _take(self, entries: Iterable[TrustedKey | Rejected], usages: Collection[EntryType] | None = None) -> int:
        keys = []
        for entry in entries:
            if isinstance(entry, Rejected):
                self.rejected.append(entry)
            else:
                keys.append(entry if usages is None else entry.limited_to(usages))
        return self.add(keys)

    def _indexed(self, keys: Iterable[TrustedKey]) -> tuple[dict[bytes, tuple[TrustedKey, ...]], int]:
        """The index with ``keys`` in it, and how many keys it then has."""
        index, size = dict(self._by_kid), self._size
        for key in keys:
            same = [known for known in index.get(key.kid, ()) if known.spki == key.spki]
            others = tuple(known for known in index.get(key.kid, ()) if known.spki != key.spki)
            index[key.kid] = (*others, key.narrowed_by(same[0]) if same else key)
            size += not same
            if size > self._limits.trust_entries:
                raise TrustError(Code.INPUT_TOO_LONG, f"more than {self._limits.trust_entries} keys", Step.TRUST)
        return index, size


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        raise TrustError(Code.TRUST_STORE_UNREADABLE, "not a path that can be read", Step.TRUST) from None


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    mode = "rwc" if create else "ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)


def _load(path: Path, limits: Limits) -> list[TrustedKey]:
    try:
        with closing(_connect(path, create=False)) as connection:
            _check_format(connection)
            rows = connection.execute(f"SELECT {_COLUMNS} FROM keys LIMIT ?", (limits.trust_entries + 1,))  # noqa: S608
            return [_from_row(row) for row in rows]
    except (sqlite3.Error, ValueError, TypeError, OverflowError, OSError) as error:
        raise _unusable(error, "not a trust store, or a damaged one") from None


def _save(path: Path, keys: list[TrustedKey]) -> None:
    try:
        with closing(_connect(path, create=True)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in _SCHEMA:
                    connection.execute(statement)
            _check_format(connection)
            connection.executemany(
                f"INSERT OR REPLACE INTO keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                map(_to_row, keys),
            )
    except (sqlite3.Error, ValueError, OSError) as error:
        raise _unusable(error, "the trust store cannot be written") from None


def _check_format(connection: sqlite3.Connection) -> None:
    found = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if found != (_APPLICATION_ID, _FORMAT):
        raise ValueError("another program's database, or another version's")
    # A view of the same name could compute without end.
    (kind,) = connection.execute("SELECT type FROM sqlite_master WHERE name = 'keys'").fetchone() or (None,)
    if kind != "table":
        raise ValueError("the keys are not a table")


def _unusable(error: Exception, otherwise: str) -> TrustError:
    locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
    detail = "another program is writing to the trust store; try again" if locked else otherwise
    return TrustError(Code.TRUST_STORE_UNREADABLE, detail, Step.TRUST)


def _to_row(key: TrustedKey) -> tuple[Any, ...]:
    return (
        key.kid,
        key.spki,
        key.country,
        None if key.usages is None else " ".join(sorted(key.usages)),
        None if key.not_before is None else int(key.not_before.timestamp()),
        None if key.not_after is None else int(key.not_after.timestamp()),
        key.certificate,
        key.source,
    )


def _from_row(row: tuple[Any, ...]) -> TrustedKey:
    kid, spki, country, usages, not_before, not_after, certificate, source = row
    for value, wanted in ((kid, bytes), (spki, bytes), (country, str | None), (usages, str | None), (source, str)):
        if not isinstance(value, wanted):
            raise TypeError("a column holds another type than it was made for")
    if not isinstance(certificate, bytes | None):
        raise TypeError("the certificate is a byte string")
    return TrustedKey(
        kid=kid,
        spki=spki,
        country=country,
        usages=None if usages is None else frozenset(EntryType(usage) for usage in usages.split()),
        not_before=None if not_before is None else datetime.fromtimestamp(not_before, UTC),
        not_after=None if not_after is None else datetime.fromtimestamp(not_after, UTC),
        certificate=certificate,
        source=source,
    )
