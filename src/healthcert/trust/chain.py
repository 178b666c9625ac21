"""From a DSC up to those that are trusted to vouch for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from healthcert.errors import Code, Step, TrustError
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import Certificate
from healthcert.trust.certificates import key_of
from healthcert.trust.keys import Link, TrustedKey

_MAX_TRIES = 64  # authorities tried for one certificate: those of one name may be many


class Authorities:
    """Certificates that may vouch for others, found by the name that these name."""

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._by_name: dict[bytes, list[Certificate]] = {}
        self._by_key: dict[tuple[bytes, bytes | None], list[Certificate]] = {}
        # One certificate that is listed many times would use up what is tried.
        for certificate in {certificate.der: certificate for certificate in certificates}.values():
            self._by_name.setdefault(certificate.subject, []).append(certificate)
            self._by_key.setdefault((certificate.subject, certificate.subject_key_id), []).append(certificate)

    def issuer_of(self, certificate: Certificate) -> Certificate:
        """The one that issued ``certificate``, which belongs to the same country.

        Raises :class:`TrustError` (``KEY_NOT_CHAINED``).
        """
        problem = "no trusted authority of that name"
        # Authorities of one name may be several, as after a change of key: each is tried, those that have the key
        # identifier that the certificate names first.
        keyed = self._by_key.get((certificate.issuer, certificate.authority_key_id), [])[:_MAX_TRIES]
        for authority in keyed + self._by_name.get(certificate.issuer, [])[: _MAX_TRIES - len(keyed)]:
            found = certificate.problem_with_issuer(authority)
            # Certificate governance §3: a DSC is signed by a CSCA of the same country.
            if found is None and authority.country != certificate.country:
                found = "the authority is another country's"
            if found is None:
                return authority
            problem = found
        raise TrustError(Code.KEY_NOT_CHAINED, problem, Step.TRUST)


def chained_key(certificate: Certificate, authority: Certificate, above: Sequence[Link]) -> TrustedKey:
    """The key of a certificate that ``authority`` issued, valid no longer than the authority is (shell model)."""
    key = key_of(certificate)
    return replace(
        key,
        not_before=max(certificate.not_before, authority.not_before),
        not_after=min(certificate.not_after, authority.not_after),
        chain=(link("CSCA", authority), *above),
    )


def link(role: str, of: Certificate | TrustAnchor) -> Link:
    """One that vouches, as it is shown to people."""
    subject = of.name if isinstance(of, TrustAnchor) else of.common_name or of.country or "unnamed"
    return Link(role, subject, of.fingerprint)
