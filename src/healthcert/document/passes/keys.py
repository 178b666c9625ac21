"""The keys that passes are signed with: RSA, from files, as Apple and Google hand them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, load_pem_private_key, pkcs12

from healthcert.errors import Code, DocumentError, Step
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.files import read_entries

_LEAST_RSA_BITS = 2048


def private_key_of(data: bytes, passphrase: bytes | None = None) -> RSAPrivateKey:
    """The key in a PEM or DER file's bytes.

    Raises :class:`DocumentError` (``SIGNER_KEY_UNREADABLE``, ``UNSUITABLE_PUBLIC_KEY_TYPE``, ``PUBLIC_KEY_TOO_WEAK``).
    """
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    return rsa_key(_readable(load, data, passphrase))


def open_pkcs12(data: bytes, passphrase: bytes | None) -> tuple[RSAPrivateKey, Certificate]:
    """The key and its certificate in a PKCS #12 file's bytes (.p12, RFC 7292). Raises as :func:`private_key_of`."""
    found = _readable(pkcs12.load_pkcs12, data, passphrase)
    if found.cert is None:
        raise DocumentError(Code.CERTIFICATE_UNREADABLE, "the PKCS #12 file holds no certificate of its key")
    return rsa_key(found.key), parse_certificate(found.cert.certificate.public_bytes(Encoding.DER))


def rsa_key(key: object) -> RSAPrivateKey:
    """``key``, when it can sign passes. Raises as :func:`private_key_of`."""
    if not isinstance(key, RSAPrivateKey):
        raise DocumentError(Code.UNSUITABLE_PUBLIC_KEY_TYPE, "passes are signed with RSA keys", Step.SIGNATURE)
    if key.key_size < _LEAST_RSA_BITS:
        raise DocumentError(Code.PUBLIC_KEY_TOO_WEAK, f"RSA with {key.key_size} bits", Step.SIGNATURE)
    return key


def certificate_of(data: bytes, what: str) -> Certificate:
    """The first certificate in a PEM or DER file's bytes; ``what`` names it in errors.

    Raises :class:`DocumentError` (``CERTIFICATE_UNREADABLE``).
    """
    for entry in read_entries(data, source=what):
        if not isinstance(entry, Rejected) and entry.certificate is not None:
            return parse_certificate(entry.certificate)
    raise DocumentError(Code.CERTIFICATE_UNREADABLE, f"the file holds no readable certificate: {what}", Step.SIGNATURE)


def signing(key: RSAPrivateKey) -> Callable[[bytes], bytes]:
    """Signs with RSASSA-PKCS1-v1_5 over SHA-256 (RFC 8017 §8.2), the one method that both makers of wallets take."""
    return lambda data: key.sign(data, PKCS1v15(), hashes.SHA256())


def _readable(load: Callable[..., Any], data: bytes, passphrase: bytes | None) -> Any:
    try:
        return load(data, passphrase or None)
    except TypeError:
        detail = "it is encrypted: a passphrase is needed" if not passphrase else "it takes no passphrase"
        raise DocumentError(Code.SIGNER_KEY_UNREADABLE, f"the key file: {detail}", Step.SIGNATURE) from None
    except (ValueError, UnsupportedAlgorithm):
        detail = "not a readable private key, or the wrong passphrase"
        raise DocumentError(Code.SIGNER_KEY_UNREADABLE, detail, Step.SIGNATURE) from None
