"""Whether a signer whose certificate comes with what it sealed is to be believed (ICAO Doc 9303-12 and 9303-13).

A seal brings the certificate of its signer along, so the signature says no more than that somebody made it. What counts
is who vouches for that certificate: the operator, who added it by hand, or the country's signing authority (CSCA).

Two things are not judged. A ``privateKeyUsagePeriod`` (RFC 5280 §4.2.1.4 leaves it to other profiles) says until when a
key signs; a seal does not say when it was made, so nothing can be held against that. And certificate revocation lists,
which a CSCA may publish, are not asked: a signer that is withdrawn has to leave the store with its authority.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from healthcert.encoding import ber
from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.families.countries import SPECIMEN, alpha2
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.model import EntryType
from healthcert.trust.authorities import TrustedAuthority
from healthcert.trust.chain import chained_key
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.store import TrustStore

BARCODE_SIGNER = "2.23.136.1.1.14.2"
"""The extended key usage of those who sign health seals (ICAO VDS-NC, certificate profiles)."""

# ICAO VDS-NC, certificate profiles: NV is a proof of vaccination, NT of a test.
DOCUMENT_TYPES = {"NV": EntryType.VACCINATION, "NT": EntryType.TEST}

_MAX_TRIES = 16  # authorities of one name whose signature is checked; each country has a few
_MAX_READ = 256  # certificates that are not read again
_FREQUENT = 8 * 1024  # bytes of one worth remembering


def vouched(
    store: TrustStore,
    certificate: bytes,
    *,
    domains: frozenset[str],
    issuer: str | None,
    now: datetime,
    assurances: frozenset[Assurance] | None = None,
) -> tuple[TrustedKey, ...]:
    """The key of a signer's ``certificate`` (DER) that came with a seal, with those who vouch for it.

    ``issuer`` is the country that the seal names, in ICAO's three letters; ``domains`` are those that the seal may be
    signed in, ``assurances`` the ways of knowing an authority that are enough, None for any. Whether key and authority
    are valid ``now`` is left to those who judge times: the key ends when its authority does.

    Raises :class:`TrustError`: ``CERTIFICATE_UNREADABLE``, ``TRUST_STORE_EMPTY``, ``KEY_NOT_IN_TRUST_LIST`` where no
    authority of the name is known, ``KEY_ASSURANCE_TOO_LOW`` where one is, but not surely enough, and
    ``KEY_NOT_CHAINED`` where the authority, the country or the purpose is another.
    """
    known, asked = store.authorities(domains=domains, assurances=assurances), (certificate, issuer)
    keys = known.signers.get(asked)
    if keys is None:
        signer = (_remembered if len(certificate) <= _FREQUENT else _read)(certificate)
        pinned = _pinned(store, signer, domains, assurances)
        keys = pinned or _chained(store, signer, domains, assurances)
        _check_purpose(signer, pinned=bool(pinned))
        _check_state(signer, issuer, pinned=bool(pinned))
        # What was found is of the state that was asked first, unless another thread has changed it meanwhile.
        if store.authorities(domains=domains, assurances=assurances) is known:
            known.remember(asked, keys)
    return (_best(keys, now),)


def _best(keys: tuple[TrustedKey, ...], now: datetime) -> TrustedKey:
    """Of the same key, vouched for by several certificates of an authority: one that is valid now, and the longest."""
    return max(keys, key=lambda key: (_valid(key, now), key.not_after is None, key.not_after))


def _valid(key: TrustedKey, now: datetime) -> bool:
    return (key.not_before is None or key.not_before <= now) and (key.not_after is None or now <= key.not_after)


def _read(certificate: bytes) -> Certificate:
    found = parse_certificate(certificate)
    load_public_key(found.spki)
    return found


_remembered = lru_cache(_MAX_READ)(_read)


def _pinned(
    store: TrustStore, signer: Certificate, domains: frozenset[str], assurances: frozenset[Assurance] | None
) -> tuple[TrustedKey, ...]:
    """The key as the store itself has it, be it as this very certificate or as a bare key under its kid."""
    keys = store.candidates(signer.kid, domains=domains, assurances=assurances)
    return tuple(
        _for_documents(key, signer)
        for key in keys
        # Who adds an authority by hand adds one that vouches. Its bare key under its kid can only be meant to sign.
        if key.spki == signer.spki and (key.certificate is None or not _is_authority(signer))
    )


def _check_purpose(signer: Certificate, *, pinned: bool) -> None:
    # Doc 9303-12 §3: an authority signs certificates, and nothing else.
    if _is_authority(signer) and not pinned:
        raise _not_chained("the certificate is an authority's, which signs no seals")
    # RFC 5280 §4.2.1.12: a key is used for the purposes that its certificate states.
    if signer.extended_usages and BARCODE_SIGNER not in signer.extended_usages:
        raise _not_chained("the certificate's extended key usage is not that of seals")
    # ICAO VDS-NC, certificate profiles: every signer of seals states that it is one. The same authority certifies those
    # who sign passports and EU DCCs, and these must not sign seals.
    if not pinned and not signer.extended_usages and signer.document_types is None:
        raise _not_chained("the certificate does not say that it is for seals")


def _check_state(signer: Certificate, issuer: str | None, *, pinned: bool) -> None:
    # ICAO VDS-NC, header: the state that issues is the one that the signer belongs to.
    state = None if issuer is None else alpha2(issuer)
    if pinned and state == SPECIMEN:
        return  # seals of nowhere are made to try things out, with certificates of anywhere
    if state is None or signer.country != state:
        raise _not_chained("the signer is not of the country that the seal names")


def _chained(
    store: TrustStore, signer: Certificate, domains: frozenset[str], assurances: frozenset[Assurance] | None
) -> tuple[TrustedKey, ...]:
    """The key once for each certificate of the authority that issued the signer's."""
    candidates = _named(store, signer, domains, assurances)
    problems = [_problem(authority, signer) for authority in candidates]
    found = [authority for authority, problem in zip(candidates, problems, strict=True) if problem is None]
    if not found:
        raise _not_chained(problems[0] or "") if problems else _unknown(store, signer, domains, assurances)
    return tuple(_under(authority, signer, domains) for authority in found)


def _problem(authority: TrustedAuthority, signer: Certificate) -> str | None:
    """Why the authority cannot have issued the certificate, or not for this state; None when it did."""
    if problem := signer.problem_with_issuer(authority.certificate):
        return problem
    # Doc 9303-12 §7.1.1: issuer and subject are of the same country.
    return None if authority.certificate.country == signer.country else "the authority is another country's"


def _named(
    store: TrustStore, signer: Certificate, domains: frozenset[str], assurances: frozenset[Assurance] | None
) -> list[TrustedAuthority]:
    """The authorities that the certificate names, those that have the key identifier it names first."""
    several = store.authorities(domains=domains, assurances=assurances).by_name.get(signer.issuer, ())
    keyed = [one for one in several if one.certificate.subject_key_id == signer.authority_key_id]
    others = [one for one in several if one.certificate.subject_key_id != signer.authority_key_id]
    return (keyed + others)[:_MAX_TRIES]


def _under(authority: TrustedAuthority, signer: Certificate, domains: frozenset[str]) -> TrustedKey:
    # RFC 5280 §6.1.3 (a)(2): each certificate of the path is valid at the moment of validation. Doc 9303-12 §4 has an
    # authority live longer than all that it signs, so an honest signer loses nothing by ending with its authority.
    key = chained_key(signer, authority.certificate, ())
    key = replace(
        key,
        usages=authority.usages,
        source=authority.provenance.source,
        domain=next(iter(domains)) if len(domains) == 1 else None,
        provenance=(authority.provenance,),
    )
    return _for_documents(key, signer)


def _unknown(
    store: TrustStore, signer: Certificate, domains: frozenset[str], assurances: frozenset[Assurance] | None
) -> TrustError:
    """Why nobody vouches: the first reason that the operator can do something about."""
    if not store and not any(generation.details.authorities for generation in store.state.lists.values()):
        return TrustError(Code.TRUST_STORE_EMPTY, "neither keys nor authorities are loaded", Step.TRUST)
    unsure = _named(store, signer, domains, None) if assurances is not None else []
    if known_by := {one.provenance.assurance for one in unsure if _problem(one, signer) is None}:
        named = ", ".join(sorted(known_by))
        detail = f"the policy does not accept authorities known by: {named}"
        return TrustError(Code.KEY_ASSURANCE_TOO_LOW, detail, Step.TRUST)
    detail = "neither the signer's certificate nor an authority of the name that it gives is in the trust store"
    return TrustError(Code.KEY_NOT_IN_TRUST_LIST, detail, Step.TRUST)


def _is_authority(certificate: Certificate) -> bool:
    return certificate.ca is True or certificate.signs_certificates is True


def _for_documents(key: TrustedKey, signer: Certificate) -> TrustedKey:
    """The key, for the types of document that its certificate lists, where it lists any."""
    if signer.document_types is None:
        return key
    return key.limited_to({DOCUMENT_TYPES[name] for name in _document_types(signer.document_types)})


def _document_types(extension: bytes) -> Iterator[str]:
    # Doc 9303-12 §7.1.1.6: a version, which is 0, and a set of types; those of passports and visas are not for here.
    try:
        version, types = ber.read(extension, ber.SEQUENCE).children()
        if (version.tag, version.body, types.tag) != (ber.INTEGER, b"\0", ber.SET):
            raise ber.unreadable("no list of document types")
        names = [element.body.decode("ascii") for element in types.children()]
    except (DecodeError, ValueError):
        raise TrustError(
            Code.CERTIFICATE_UNREADABLE, "the certificate's document types cannot be read", Step.TRUST
        ) from None
    return (name for name in names if name in DOCUMENT_TYPES)


def _not_chained(problem: str) -> TrustError:
    return TrustError(Code.KEY_NOT_CHAINED, problem, Step.TRUST)
