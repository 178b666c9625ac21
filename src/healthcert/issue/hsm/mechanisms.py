"""The ways of signing that a module is asked for. Always of a digest: what is signed does not reach the module."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pkcs11
from cryptography.hazmat.primitives import hashes
from pkcs11 import MGF, Mechanism

from healthcert.encoding.algorithms import Algorithm

SignDigest = Callable[[pkcs11.PrivateKey, bytes, "str | None"], bytes]
"""Key, digest, and the PIN where the key asks for it every time; gives the signature as the module has it."""

_HASHES: dict[str, tuple[Mechanism, MGF, int]] = {
    "sha256": (Mechanism.SHA256, MGF.SHA256, 32),
    "sha384": (Mechanism.SHA384, MGF.SHA384, 48),
    "sha512": (Mechanism.SHA512, MGF.SHA512, 64),
}

# RFC 8017 §9.2, note 1: what stands before the digest in a signature of PKCS #1 v1.5.
_DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
_ROOM = 1024  # bytes; the signature of an RSA key of 8192 bits


def sign_as(algorithm: Algorithm) -> SignDigest:
    """How to sign for an ECDSA or PSS ``algorithm`` of COSE. Raises KeyError for EdDSA."""
    name = "sha" + algorithm.name[2:]
    return pss(name, _HASHES[name][2]) if algorithm.name.startswith("PS") else ecdsa


def ecdsa(key: pkcs11.PrivateKey, digest: bytes, pin: str | None) -> bytes:
    """ECDSA: ``r || s``, each as long as the curve's order."""
    return _sign(key, digest, Mechanism.ECDSA, None, pin)


def pss(digest_name: str, salt_length: int) -> SignDigest:
    """RSASSA-PSS with MGF1 of the same hash. Raises KeyError for a hash that is not one of these here."""
    mechanism, mask, _ = _HASHES[digest_name]
    return partial(_sign_pss, (mechanism, mask, salt_length))


def pkcs1v15(digest_name: str) -> SignDigest:
    """RSASSA-PKCS1-v1_5. Raises KeyError for a hash that is not one of these here."""
    return partial(_sign_pkcs1v15, _DIGEST_INFO[digest_name])


def digest_of(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """The digest of ``data``."""
    context = hashes.Hash(algorithm)
    context.update(data)
    return context.finalize()


def _sign_pss(parameters: tuple[Mechanism, MGF, int], key: pkcs11.PrivateKey, digest: bytes, pin: str | None) -> bytes:
    return _sign(key, digest, Mechanism.RSA_PKCS_PSS, parameters, pin)


def _sign_pkcs1v15(head: bytes, key: pkcs11.PrivateKey, digest: bytes, pin: str | None) -> bytes:
    return _sign(key, head + digest, Mechanism.RSA_PKCS, None, pin)


def _sign(
    key: pkcs11.PrivateKey,
    data: bytes,
    mechanism: Mechanism,
    parameters: tuple[Mechanism, MGF, int] | None,
    pin: str | None,
) -> bytes:
    assert isinstance(key, pkcs11.SignMixin)
    signature: bytes = key.sign(data, mechanism=mechanism, mechanism_param=parameters, pin=pin, buffer_size=_ROOM)
    return signature
