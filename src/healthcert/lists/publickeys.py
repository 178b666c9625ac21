"""Public keys as certificates and lists hold them: SubjectPublicKeyInfo, in DER."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.errors import Code, Step, TrustError


def load_public_key(spki: bytes) -> PublicKey:
    """The public key of a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``) for anything that is not an EC, RSA or Ed25519 key.
    """
    key = load_any_key(spki)
    if Algorithm.for_key(key) is None:
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "not a key that can sign health certificates", Step.TRUST)
    return key


def load_any_key(spki: bytes) -> PublicKey:
    """As :func:`load_public_key`, for those who sign keys and lists, whose curve may be another (Brainpool ...)."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "the public key cannot be read", Step.TRUST) from None
    if not isinstance(key, PublicKey):
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "not an EC, RSA or Ed25519 key", Step.TRUST)
    return key
