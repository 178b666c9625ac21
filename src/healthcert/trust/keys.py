"""A key that is trusted to sign, and what is known about it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum, unique

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from healthcert.encoding.algorithms import Algorithm, Check, PublicKey
from healthcert.lists.publickeys import load_public_key
from healthcert.model import EntryType


@unique
class Assurance(StrEnum):
    """How it is known that a key is to be trusted."""

    SIGNED_CHAIN = "signed_chain"
    """Each key is vouched for, by a national authority and an uploader that a pinned anchor vouches for."""
    SIGNED_LIST = "signed_list"
    """The list as a whole is signed with a pinned anchor."""
    TLS_ONLY = "tls_only"
    """Nothing but the name of the server that the list was fetched from."""
    LOCAL = "local"
    """The operator added it by hand."""


class Provenance(Struct, frozen=True):
    """A list of keys that a key is on. ``expires_at`` is when the list must have been replaced, None for never."""

    source: str
    assurance: Assurance
    fetched_at: datetime | None = None
    expires_at: datetime | None = None


class Link(Struct, frozen=True):
    """One that vouches for a key: a CSCA, an upload certificate, an anchor."""

    role: str
    subject: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key that document signers use, under the kid that certificates name it by.

    ``usages`` are the entry types it may sign, None for any. ``not_before`` and ``not_after`` are None when unknown,
    as they are for a bare public key. ``certificate`` is the DER of the DSC where there is one, ``source`` says
    where the key was learnt from. ``domain`` is what it may sign at all (``DCC``, ``ICVP``, ``SHC`` ...), None for
    whatever it fits; ``issuer`` the URL or DID under which its kid holds, where the scheme keys by issuer.
    ``chain`` are those that vouch for it, the nearest first. ``provenance`` are the lists that it is on, none for a key
    that the caller made.
    """

    kid: bytes
    spki: bytes = field(repr=False)
    country: str | None = None
    usages: frozenset[EntryType] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    certificate: bytes | None = field(default=None, repr=False)
    source: str = "memory"
    domain: str | None = None
    issuer: str | None = None
    chain: tuple[Link, ...] = field(default=(), repr=False)
    provenance: tuple[Provenance, ...] = field(default=(), repr=False)
    _loaded: list[tuple[PublicKey, int | None]] = field(default_factory=list, init=False, repr=False, compare=False)
    _checks: dict[Algorithm, Check | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def public_key(self) -> PublicKey:
        """The key itself, parsed once.

        Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``) when ``spki`` is not a key of a supported kind.
        """
        return self._load()[0]

    @property
    def rsa_bits(self) -> int | None:
        """The size of an RSA key; None for other keys. Raises like :attr:`public_key`."""
        return self._load()[1]

    def check_for(self, algorithm: Algorithm) -> Check | None:
        """What tells whether a signature of ``algorithm`` was made with this key; None where the two do not fit.

        Raises like :attr:`public_key`.
        """
        if algorithm not in self._checks:
            self._checks[algorithm] = algorithm.verifier(self.public_key)
        return self._checks[algorithm]

    def _load(self) -> tuple[PublicKey, int | None]:
        if not self._loaded:
            key = load_public_key(self.spki)
            self._loaded.append((key, key.key_size if isinstance(key, RSAPublicKey) else None))
        return self._loaded[0]

    def narrowed_by(self, other: TrustedKey) -> TrustedKey:
        """What both this and ``other``, the same key from another source, allow: knowing more never allows more."""
        usages = self.usages if other.usages is None else other.usages
        if self.usages is not None and other.usages is not None:
            usages = self.usages & other.usages
        starts = [moment for moment in (self.not_before, other.not_before) if moment is not None]
        ends = [moment for moment in (self.not_after, other.not_after) if moment is not None]
        return replace(
            self,
            country=self.country or other.country,
            usages=usages,
            not_before=max(starts, default=None),
            not_after=min(ends, default=None),
            certificate=self.certificate or other.certificate,
            chain=self.chain or other.chain,
            provenance=self.provenance + other.provenance,
        )

    def limited_to(self, usages: Collection[EntryType]) -> TrustedKey:
        """The key, for these entry types at most."""
        allowed = frozenset(usages) if self.usages is None else self.usages.intersection(usages)
        return replace(self, usages=allowed)

    def within(
        self, domain: str | None, *, issuer: str | None = None, country: str | None = None, chain: tuple[Link, ...] = ()
    ) -> TrustedKey:
        """The key, as one of this domain, vouched for by ``chain``; ``country`` where it does not say its own."""
        return replace(self, domain=domain, issuer=issuer, country=self.country or country, chain=chain)

    def __reduce__(self) -> tuple[object, ...]:
        # What was parsed stays behind: it cannot travel between processes, and is parsed again where it arrives.
        return TrustedKey, tuple(getattr(self, field.name) for field in fields(self) if field.init)

    def may_sign(self, types: Collection[EntryType]) -> bool:
        """Whether the key's usages cover every one of ``types``."""
        return self.usages is None or self.usages.issuperset(types)
