"""France: the certificates and keys that sign 2D-Docs, in JSON, under the names that documents have for them.

Form: ``{"FR03/AHP1": base64}``: the authority and the certificate as the header of a document names them, and the
certificate, or the bare public key, in DER. Nobody publishes such a list whole; an operator makes one of what the
authorities' directories answer, and keeps it where it is loaded from.

Nothing in the list is signed. With the trusted list of 2D-Doc beside it (the part ``tsl``; see
:mod:`healthcert.trust.sources.tsl`), only what an authority on that list has certified is taken, under that
authority's own name. Without, the list is as sure as the place that it came from, and policies do not accept that
unless they say so; a single key that an operator is sure of is added by hand instead
(``TrustStore.add_public_key(key, kid=b"FR03AHP1", domain="2D-DOC")``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists import jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, read_json
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.certificates import key_of
from healthcert.trust.chain import chained_key, link
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.plain import der_of, unsigned
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected
from healthcert.trust.sources.tsl import DOMAIN, Tsl, read_tsl

_NAME = re.compile(r"([0-9A-Z]{4})/?([0-9A-Z]{4})", re.ASCII)
_ALGORITHMS = (Algorithm.ES256, Algorithm.ES384, Algorithm.ES512)


class SigningCertificates:
    """See the module. The option ``tsl`` is the address of the trusted list, whose signer has to be pinned then."""

    name = "2d-doc"
    title = "France (2D-Doc): signing certificates by name, in JSON, with the trusted list beside them"
    parts = ("list", "tsl")
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        items = read_json(part(parts, "list"), dict)
        check_size(len(items), context.limits)
        tsl = read_tsl(parts["tsl"], context) if "tsl" in parts else None
        entries = [_entry(f"entry {n}", name, value, tsl) for n, (name, value) in enumerate(items.items(), 1)]
        if tsl is None:
            return unsigned(entries)
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            assurance=Assurance.SIGNED_CHAIN,
            skipped=(*(entry for entry in entries if isinstance(entry, Rejected)), *tsl.skipped),
            authorities=tsl.listed(),
            # The trusted list has a number; what stands beside it has not, and may change without it.
            documents={"tsl": tsl.sequence},
            issued_at=tsl.issued_at,
            expires_at=tsl.expires_at,
            signer=tsl.signer,
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        addresses = {"list": url} | ({"tsl": context.options["tsl"]} if "tsl" in context.options else {})
        found: dict[str, bytes | None] = {}
        validators: dict[str, str] = {}
        for name, address in addresses.items():
            found[name], more = get(fetcher, address, known, context.limits)
            validators |= more
        if all(body is None for body in found.values()) and found.keys() <= known.parts.keys():
            return None
        # What has not changed is what is known, unless a server says so that was not asked.
        whole = {name: part(known.parts, name) if body is None else body for name, body in found.items()}
        return Fetched(whole, validators)


def _entry(where: str, name: str, value: Any, tsl: Tsl | None) -> TrustedKey | Rejected:
    named = _NAME.fullmatch(name)
    if named is None:
        return rejected(where, "its name is not that of an authority and a certificate")
    der = der_of(value)
    if der is None:
        return rejected(where, "neither a certificate nor a public key in base64")
    kid = "".join(named.groups()).encode("ascii")
    try:
        try:
            certificate = parse_certificate(der)
        except TrustError:
            return _bare(where, kid, der, tsl)
        if problem := _unfit(certificate.spki):
            return rejected(where, problem)
        # RFC 5280 §4.2.1.9: an authority certifies; it signs no documents.
        if certificate.ca is True:
            return rejected(where, "an authority, which signs no documents", Code.KEY_NOT_CHAINED)
        key = key_of(certificate) if tsl is None else _chained(certificate, named[1], tsl)
    except TrustError as error:
        return Rejected(where, error)
    return replace(key, kid=kid, usages=None).within(DOMAIN, chain=key.chain)


def _bare(where: str, kid: bytes, der: bytes, tsl: Tsl | None) -> TrustedKey | Rejected:
    if problem := _unfit(der):
        return rejected(where, problem)
    if tsl is not None:
        return rejected(where, "a bare public key, which no authority has certified", Code.KEY_NOT_CHAINED)
    # Written anew, so that one key has one spelling.
    return TrustedKey(kid=kid, spki=jwk.key_bytes(load_public_key(der)), domain=DOMAIN)


def _unfit(spki: bytes) -> str | None:
    # 2D-Doc specification, signature: ECDSA on these three curves.
    key = load_public_key(spki)
    return None if any(algorithm.fits(key) for algorithm in _ALGORITHMS) else "not a key on P-256, P-384 or P-521"


def _chained(certificate: Certificate, authority: str, tsl: Tsl) -> TrustedKey:
    """The key, where the authority of this name has certified it; valid for no longer than the authority is."""
    problem = "no authority of that name on the trusted list"
    for above in tsl.authorities.get(authority, ()):
        found = certificate.problem_with_issuer(above)
        if found is None:
            return chained_key(certificate, above, (link("TSL", tsl.signer),))
        problem = found
    raise TrustError(Code.KEY_NOT_CHAINED, problem)
