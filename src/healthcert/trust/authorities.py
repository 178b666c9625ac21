"""The authorities (CSCA) in a trust store that vouch for signers whose certificate comes with what they sealed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from msgspec import Struct, field

from healthcert.errors import TrustError
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.model import EntryType
from healthcert.trust.generation import LOCAL, Generation
from healthcert.trust.keys import Assurance, Provenance, TrustedKey
from healthcert.trust.sources.protocol import Role

_MAX_KNOWN = 1024  # signers remembered; a country has a handful


class TrustedAuthority(Struct, frozen=True):
    """A certificate that vouches for others, and how it came to be trusted.

    ``usages`` are the entry types that those under it may sign, None for any; an operator who adds it by hand may say.
    """

    certificate: Certificate
    provenance: Provenance
    usages: frozenset[EntryType] | None = None


class Authorities(Struct, frozen=True):
    """Those of one state of a store, by the name that certificates name their issuer by.

    ``signers`` are the keys they were found to vouch for, by what was asked: an authority's signature is checked once.
    """

    by_name: dict[bytes, tuple[TrustedAuthority, ...]]
    signers: dict[tuple[bytes, str | None], tuple[TrustedKey, ...]] = field(default_factory=dict)

    def remember(self, asked: tuple[bytes, str | None], keys: tuple[TrustedKey, ...]) -> None:
        """Keeps what was found, and forgets the rest where that has become too much."""
        if len(self.signers) >= _MAX_KNOWN:
            self.signers.clear()
        self.signers[asked] = keys


def authorities_in(
    lists: Collection[Generation], domains: frozenset[str], assurances: frozenset[Assurance] | None
) -> Authorities:
    """The authorities on these lists, for these domains and known in one of these ways; None for any.

    Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``) for a damaged store.
    """
    found: dict[bytes, list[TrustedAuthority]] = {}
    for generation in lists:
        if assurances is None or generation.head.assurance in assurances:
            listed = _by_hand if generation.head.source == LOCAL else _on_list
            for authority in listed(generation, domains):
                found.setdefault(authority.certificate.subject, []).append(authority)
    return Authorities({name: tuple(several) for name, several in found.items()})


def _on_list(generation: Generation, domains: frozenset[str]) -> Iterator[TrustedAuthority]:
    provenance = generation.head.provenance()
    for authority in generation.details.authorities:
        # WHO trust domains, as for keys: an authority for one kind of certificate vouches for no other.
        if authority.role is Role.CSCA and authority.domain in domains and authority.certificate is not None:
            with suppress(TrustError):
                yield TrustedAuthority(parse_certificate(authority.certificate), provenance)


def _by_hand(generation: Generation, domains: frozenset[str]) -> Iterator[TrustedAuthority]:
    provenance = generation.head.provenance()
    for index, row in enumerate(generation.rows):
        if row.domain is not None and row.domain not in domains:
            continue
        key = generation.key(index)
        with suppress(TrustError):
            certificate = None if key.certificate is None else parse_certificate(key.certificate)
            # RFC 5280 §4.2.1.9: what does not say that it is an authority is none. Most that are added are signers.
            if certificate is not None and certificate.ca is True:
                yield TrustedAuthority(certificate, provenance, key.usages)
