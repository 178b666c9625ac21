"""The key of a certificate, with what the certificate says of it."""

from __future__ import annotations

from healthcert.lists.publickeys import load_public_key
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.keys import TrustedKey


def read_certificate(der: bytes, *, source: str = "memory") -> TrustedKey:
    """A DER certificate as a trusted key, with its own kid.

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``).
    """
    certificate = parse_certificate(der)
    load_public_key(certificate.spki)
    return key_of(certificate, source=source)


def key_of(certificate: Certificate, *, source: str = "memory") -> TrustedKey:
    """The key of a certificate, with what the certificate says of it."""
    return TrustedKey(
        kid=certificate.kid,
        spki=certificate.spki,
        country=certificate.country,
        usages=certificate.usages,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        certificate=certificate.der,
        source=source,
    )
