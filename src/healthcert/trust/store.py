"""The trust store: from the kid in a certificate to every key that may have signed it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from healthcert.errors import Code, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import parse_certificate
from healthcert.model import EntryType
from healthcert.trust import database
from healthcert.trust.authorities import Authorities, authorities_in
from healthcert.trust.database import Memory, State, Transaction
from healthcert.trust.files import read_entries, read_path
from healthcert.trust.generation import LOCAL, Generation, Head, make_generation
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Role

_Asked = tuple[bytes, frozenset[str] | None, str | None, frozenset[Assurance] | None]
# Keys that were added by hand are of no moment: they do not age.
_LOCAL_HEAD = Head(
    source=LOCAL,
    format=LOCAL,
    assurance=Assurance.LOCAL,
    digest=b"",
    signed=b"",
    fetched_at=datetime.fromtimestamp(0, UTC),
    loaded_at=datetime.fromtimestamp(0, UTC),
)


class _Index:
    """A state, its keys by kid, and what was found in it: one object, so that what is found is never kept elsewhere."""

    __slots__ = ("authorities", "by_kid", "found", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.by_kid: dict[bytes, list[tuple[Generation, int]]] = {}
        for generation in state.lists.values():
            for index, row in enumerate(generation.rows):
                self.by_kid.setdefault(row.kid, []).append((generation, index))
        self.found: dict[_Asked, tuple[TrustedKey, ...]] = {}
        self.authorities: dict[tuple[frozenset[str], frozenset[Assurance] | None], Authorities] = {}

    def named(self, kid: bytes) -> Iterator[TrustedKey]:
        """Every key with this kid, as each list has it."""
        return (generation.key(index) for generation, index in self.by_kid.get(kid, ()))


class TrustStore:
    """Trusted keys by kid, in memory and, when opened from a path, kept in one SQLite file.

    A key is there because the operator added it, or because it is on a list that a source published; see
    :func:`healthcert.install_list`. Looking a key up never touches the file: a store is as it was when it was opened,
    or last reloaded, and may be shared between threads. ``rejected`` lists the entries that were given by hand and
    could not be used.
    """

    def __init__(self, keys: Iterable[TrustedKey] = (), *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path: Path | None = None
        self._limits = limits
        self._writing = threading.RLock()
        self.rejected: list[Rejected] = []
        self._index = _Index(State({}, {}))
        self.add(keys)

    @classmethod
    def from_certificates(
        cls,
        certificates: Iterable[bytes | str] | bytes | str,
        *,
        usages: Collection[EntryType] | None = None,
        domain: str | None = None,
        issuer: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Self:
        """A store in memory of certificates in DER, PEM or base64; a PEM text may hold several.

        ``usages`` are the entry types that the list they come from is for, whatever more the certificates allow, and
        ``domain`` what it is for at all (``DCC``, ``AT-EXEMPTION`` ...), None for whatever they fit. ``issuer`` is the
        URL or DID whose keys they are, in families that key by issuer. One that cannot be read is listed in
        ``rejected``. Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``) when there were some and none could be
        read.
        """
        store = cls(limits=limits)
        given = [certificates] if isinstance(certificates, bytes | str) else list(certificates)
        entries: list[TrustedKey | Rejected] = []
        for number, certificate in enumerate(given, 1):
            entries.extend(read_entries(certificate, source=f"certificate {number}"))
        store._add_entries(entries, usages, domain, issuer)
        if given and not store:
            raise store.rejected[0].error
        return store

    @classmethod
    def from_path(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """A store of whatever ``path`` is: a trust store file, a file of certificates or keys, or a folder of those."""
        path = Path(path)
        if not _exists(path):
            raise TrustError(Code.TRUST_STORE_UNREADABLE, "there is no such file or folder", Step.TRUST)
        if path.is_file() and database.is_database(path):
            return cls.open(path, limits=limits)
        store = cls(limits=limits)
        store._add_entries(read_path(path, limits=limits))
        return store

    @classmethod
    def open(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Self:
        """The store kept in the SQLite file ``path``; an empty one, written at the first addition, if there is none.

        Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``) for any other file.
        """
        store = cls(limits=limits)
        store._path = Path(path)
        store.reload()
        return store

    def reload(self) -> None:
        """Takes in what others have written to the file since; a verifier that runs for days does so now and then.

        Raises like :meth:`open`, and is then as it was.
        """
        if self._path is not None and _exists(self._path):
            self._index = _Index(database.read_state(self._path, self._limits))

    @property
    def path(self) -> Path | None:
        """The file the store is kept in, None when it is in memory alone."""
        return self._path

    @property
    def environment(self) -> Environment | None:
        """Which environment its lists are of; None before the first one."""
        return self.state.environment

    @property
    def state(self) -> State:
        """The list in use of every source, and what is remembered of each. Not to be changed."""
        return self._index.state

    def candidates(
        self,
        kid: bytes,
        *,
        domains: frozenset[str] | None = None,
        issuer: str | None = None,
        assurances: frozenset[Assurance] | None = None,
    ) -> tuple[TrustedKey, ...]:
        """Every key with this kid. Kids are short, so two keys may share one (HCERT specification §3.3.3).

        ``domains`` are those that the certificate may be signed in, None for any; ``issuer`` the one under which the
        kid holds, in schemes that key by issuer; ``assurances`` the ways of knowing a key that are enough, None for
        any. A key that is on several such lists is narrowed to what all of them allow; others have no say.
        """
        # Another thread may take in a new state meanwhile: all of this is about one.
        index, asked = self._index, (kid, domains, issuer, assurances)
        found = index.found.get(asked)
        if found is None and kid in index.by_kid:
            fitting = (
                key
                for key in index.named(kid)
                if key.issuer == issuer
                and (domains is None or key.domain is None or key.domain in domains)
                and (assurances is None or any(one.assurance in assurances for one in key.provenance))
            )
            found = tuple(_merge(fitting, lambda key: key.spki))
            # What is not there is not remembered: who names issuers at will would make us remember them all.
            if found:
                index.found[asked] = found
        return found or ()

    def authorities(self, *, domains: frozenset[str], assurances: frozenset[Assurance] | None = None) -> Authorities:
        """The national authorities that vouch for signers in these domains, by the name that certificates give them.

        They are those on the lists of sources that are for one of these domains, and the certificates of authorities
        that were added by hand, for one of these domains or for any. ``assurances`` are as in :meth:`candidates`. The
        same object for as long as the store does not change. Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``).
        """
        index, asked = self._index, (domains, assurances)
        found = index.authorities.get(asked)
        if found is None:
            lists = index.state.lists.values()
            found = index.authorities.setdefault(asked, authorities_in(lists, domains, assurances))
        return found

    def known(self, kid: bytes) -> tuple[TrustedKey, ...]:
        """Every key with this kid, as each list has it, in any domain and of any issuer; for people who ask why."""
        return tuple(self._index.named(kid))

    def add(self, keys: Iterable[TrustedKey]) -> int:
        """Adds keys by hand and returns how many are new.

        A key that was added before under the same kid is narrowed to what both allow; to widen it, remove it first.
        Raises :class:`TrustError`: ``INPUT_TOO_LONG`` beyond the limits, ``TRUST_STORE_UNREADABLE`` when the file
        cannot be written; the store is then as it was. ValueError for keys that another store has from a list: they
        would be surer and live longer than there (see :meth:`include`).
        """
        given = list(keys)
        if any(one.source != LOCAL for key in given for one in key.provenance):
            raise ValueError("keys of a list are not added by hand: include the store that has the list")
        if not given:
            return 0
        with self.transaction() as change:
            return self._add_to(change, given)

    def _add_to(self, change: Transaction, given: Iterable[TrustedKey]) -> int:
        before = change.state.lists.get(LOCAL)
        mine = {_identity(key): key for key in before} if before else {}
        known = len(mine)
        for key in given:
            same = mine.get(_identity(key))
            mine[_identity(key)] = key.narrowed_by(same) if same else key
        self.check_size(change.state, len(mine) - known)
        change.put(make_generation(_LOCAL_HEAD, mine.values()), {}, replaces=False)
        return len(mine) - known

    def add_path(
        self,
        path: str | Path,
        *,
        usages: Collection[EntryType] | None = None,
        domain: str | None = None,
        issuer: str | None = None,
    ) -> int:
        """Adds what a file or folder holds (see :meth:`from_path`) and returns how many keys are new.

        ``usages``, ``domain`` and ``issuer`` are as in :meth:`from_certificates`: what the list is for.
        """
        return self._add_entries(read_path(Path(path), limits=self._limits), usages, domain, issuer)

    def add_public_key(
        self,
        key: bytes | str,
        *,
        kid: bytes,
        source: str = "memory",
        usages: Collection[EntryType] | None = None,
        domain: str | None = None,
        issuer: str | None = None,
    ) -> int:
        """Adds a bare public key (DER or PEM SubjectPublicKeyInfo) under ``kid``; returns 1 when it is new.

        ``usages``, ``domain`` and ``issuer`` are as in :meth:`from_certificates`: what it may sign, and whose it is.
        Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``).
        """
        if not kid:
            raise TrustError(Code.CERTIFICATE_UNREADABLE, "a bare public key needs a kid", Step.TRUST)
        entries = list(read_entries(key, source=source, kid=kid))
        for entry in entries:
            if isinstance(entry, Rejected):
                raise entry.error
            if entry.certificate is not None:
                raise TrustError(Code.CERTIFICATE_UNREADABLE, "a certificate, which has a kid of its own", Step.TRUST)
        return self._add_entries(entries, usages, domain, issuer)

    def settle(self, environment: Environment) -> None:
        """Says which environment the store is for. Raises :class:`TrustError` (``ENVIRONMENT_MIXED``)."""
        with self.transaction() as change:
            if change.state.environment not in (None, environment):
                raise TrustError(Code.ENVIRONMENT_MIXED, f"the store is for {change.state.environment}", Step.TRUST)
            change.settle(environment)

    def include(self, other: TrustStore) -> None:
        """Adds all that another store knows, its lists as lists: as sure as they are there, and no younger.

        For a store in memory that verifies with the keys of several; ValueError for one that is kept in a file, whose
        lists come from their sources. Raises :class:`TrustError` (``ENVIRONMENT_MIXED``, ``INPUT_TOO_LONG``).
        """
        if self._path is not None:
            raise ValueError("only a store in memory includes others")
        with self.transaction() as change:
            if None not in (environments := {other.environment, change.state.environment}) and len(environments) > 1:
                raise TrustError(Code.ENVIRONMENT_MIXED, "stores of different environments", Step.TRUST)
            if other.environment is not None:
                change.settle(other.environment)
            for source, generation in other.state.lists.items():
                self.check_size(change.state, len(generation.rows))
                if source == LOCAL:
                    self._add_to(change, generation)
                    continue
                name, number = source, 1
                while name in change.state.lists:
                    number += 1
                    name = f"{source}#{number}"
                change.put(generation.under(replace(generation.head, source=name)), {})
                change.remember(name, other.state.memories.get(source, Memory()))
        self.rejected += other.rejected

    def remove(self, kid: bytes) -> int:
        """Removes the keys with this kid that were added by hand; returns how many there were.

        Those that are on a source's list stay there: only the source can withdraw them.
        """
        with self.transaction() as change:
            before = change.state.lists.get(LOCAL)
            keys = list(before) if before else []
            left = [key for key in keys if key.kid != kid]
            if len(left) != len(keys):
                change.put(make_generation(_LOCAL_HEAD, left), {}, replaces=False)
        return len(keys) - len(left)

    def remove_source(self, source: str, *, forget: bool = False) -> bool:
        """Stops trusting what a source lists; whether it was known. Its older lists stay refused, unless ``forget``."""
        with self.transaction() as change:
            known = source in change.state.lists or (forget and source in change.state.memories)
            change.remove(source)
            if forget:
                change.remember(source, None)
        return known

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A change of the store: all of it or nothing, however many programs write to the file.

        For those who install lists; the state within is that of the file, not the one this store was opened with.
        """
        with self._writing:
            if self._path is None:
                state = State(dict(self.state.lists), dict(self.state.memories), self.state.environment)
                yield Transaction(state, None)
            else:
                with database.transaction(self._path, self._limits) as change:
                    yield change
                state = change.state
            # Swapped in at once, so that a reader in another thread sees the old keys or the new ones.
            self._index = _Index(state)

    def uploaders(self, *, at: datetime | None = None, grace: timedelta = timedelta(days=7)) -> tuple[TrustAnchor, ...]:
        """The countries' upload certificates on its lists that a pinned anchor vouches for.

        They sign a country's revocation batches on the EU gateway; see :func:`healthcert.load_revocation_sources`.
        Lists that are overdue for more than ``grace`` at the moment ``at`` vouch for nobody; None asks of none.
        """
        found = {
            authority.certificate: authority
            for generation in self.state.lists.values()
            for authority in generation.details.authorities
            if authority.role is Role.UPLOAD
            and generation.head.assurance is not Assurance.TLS_ONLY
            and (at is None or (end := generation.head.best_before) is None or at - end <= grace)
        }
        return tuple(
            TrustAnchor(f"upload certificate of {one.country}", parse_certificate(der).spki, der)
            for der, one in found.items()
            if der is not None
        )

    def countries_of(self, kid: bytes) -> frozenset[str]:
        """The countries whose keys have this kid, as far as they are known."""
        return frozenset(key.country for key in self.known(kid) if key.country is not None)

    def __iter__(self) -> Iterator[TrustedKey]:
        """Every key, once for each domain and issuer that it is trusted in."""
        index = self._index
        for kid in index.by_kid:
            yield from _merge(index.named(kid), _identity)

    def known_by(self, assurances: Collection[Assurance]) -> Iterator[TrustedKey]:
        """Every key as the lists that are known in one of these ways have it; others have no say."""
        index = self._index
        for kid in index.by_kid:
            sure = (key for key in index.named(kid) if any(one.assurance in assurances for one in key.provenance))
            yield from _merge(sure, _identity)

    def __len__(self) -> int:
        return len({(row.kid, row.spki, row.domain, row.issuer) for g in self.state.lists.values() for row in g.rows})

    def __bool__(self) -> bool:
        return bool(self._index.by_kid)

    def _add_entries(
        self,
        entries: Iterable[TrustedKey | Rejected],
        usages: Collection[EntryType] | None = None,
        domain: str | None = None,
        issuer: str | None = None,
    ) -> int:
        keys = []
        for entry in entries:
            if isinstance(entry, Rejected):
                self.rejected.append(entry)
                continue
            key = entry if usages is None else entry.limited_to(usages)
            keys.append(key if domain is None and issuer is None else key.within(domain, issuer=issuer))
        return self.add(keys)

    def check_size(self, state: State, more: int) -> None:
        """Raises :class:`TrustError` (``INPUT_TOO_LONG``) when so many more keys are too many."""
        if sum(len(generation.rows) for generation in state.lists.values()) + more > self._limits.trust_entries:
            raise TrustError(Code.INPUT_TOO_LONG, f"more than {self._limits.trust_entries} keys", Step.TRUST)


def _merge(keys: Iterable[TrustedKey], by: Callable[[TrustedKey], Hashable]) -> list[TrustedKey]:
    """The keys, those that are the same one narrowed to what every list allows that has it."""
    found: dict[Hashable, TrustedKey] = {}
    for key in keys:
        same = found.get(by(key))
        found[by(key)] = same.narrowed_by(key) if same is not None else key
    return list(found.values())


def _identity(key: TrustedKey) -> Hashable:
    return key.kid, key.spki, key.domain, key.issuer


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        raise TrustError(Code.TRUST_STORE_UNREADABLE, "not a path that can be read", Step.TRUST) from None
