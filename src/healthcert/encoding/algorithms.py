"""The closed table of signature algorithms, by COSE number and JOSE name, on top of ``cryptography``.

An algorithm is bound to one kind of key: the key decides what may be verified with it, and a message whose
``alg`` says otherwise is refused before any arithmetic (RFC 9053 §2, and against algorithm confusion).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from msgspec import Struct

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey
Check = Callable[[bytes, bytes], bool]  # signature, data
Sign = Callable[[bytes], bytes]  # data to signature
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey

_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()


class _Ecdsa(Struct, frozen=True):
    digest: hashes.HashAlgorithm
    curve: str
    size: int  # of r and of s, in bytes


class _RsaPss(Struct, frozen=True):
    digest: hashes.HashAlgorithm


class _EdDsa(Struct, frozen=True):
    pass


_SCHEMES: dict[str, _Ecdsa | _RsaPss | _EdDsa] = {
    "ES256": _Ecdsa(_SHA256, "secp256r1", 32),
    "ES384": _Ecdsa(_SHA384, "secp384r1", 48),
    "ES512": _Ecdsa(_SHA512, "secp521r1", 66),
    "PS256": _RsaPss(_SHA256),
    "PS384": _RsaPss(_SHA384),
    "PS512": _RsaPss(_SHA512),
    "EdDSA": _EdDsa(),
}


class Algorithm(Enum):
    """A signature algorithm; the value is its COSE number (RFC 9053 §2.1, §2.2; RFC 8230 §2)."""

    ES256 = -7
    ES384 = -35
    ES512 = -36
    EdDSA = -8
    PS256 = -37
    PS384 = -38
    PS512 = -39

    __hash__ = object.__hash__  # members are single; Enum's own hash is a function in Python

    @classmethod
    def from_cose(cls, number: object) -> Algorithm | None:
        """The algorithm of a COSE ``alg`` value, or None for any other value."""
        return _BY_NUMBER.get(number) if type(number) is int else None

    @classmethod
    def for_key(cls, key: PublicKey) -> Algorithm | None:
        """The algorithm that a key of this kind signs HCERTs with, or None."""
        if isinstance(key, ec.EllipticCurvePublicKey):
            return next((a for a in (cls.ES256, cls.ES384, cls.ES512) if a.fits(key)), None)
        return cls.PS256 if isinstance(key, rsa.RSAPublicKey) else cls.EdDSA

    def fits(self, key: PublicKey) -> bool:
        """Whether ``key`` is of the type and curve of this algorithm."""
        scheme = _SCHEMES[self.name]
        if isinstance(scheme, _Ecdsa):
            return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == scheme.curve
        return isinstance(key, rsa.RSAPublicKey if isinstance(scheme, _RsaPss) else Ed25519PublicKey)

    def verify(self, key: PublicKey, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` (raw ``r || s`` for ECDSA) over ``data`` was made with ``key``.

        False too for a key that does not fit and for a signature of the wrong length; never raises.
        """
        check = self.verifier(key)
        return check is not None and check(signature, data)

    def verifier(self, key: PublicKey) -> Check | None:
        """:meth:`verify` for one key, made ready once for many signatures; None for a key that does not fit."""
        if not self.fits(key):
            return None
        scheme = _SCHEMES[self.name]
        if isinstance(scheme, _Ecdsa) and isinstance(key, ec.EllipticCurvePublicKey):
            ecdsa, size, verify_ecdsa = ec.ECDSA(scheme.digest), scheme.size, key.verify

            def check(signature: bytes, data: bytes) -> bool:
                # RFC 9053 §2.1: r and s, each of the curve's size, one after the other; never DER.
                if len(signature) != 2 * size:
                    return False
                try:
                    verify_ecdsa(_to_der(signature, size), data, ecdsa)
                except (InvalidSignature, ValueError):
                    return False
                return True
        elif isinstance(scheme, _RsaPss) and isinstance(key, rsa.RSAPublicKey):
            # RFC 8230 §2: PSS with MGF1 of the same hash and a salt as long as the hash.
            pss, digest, verify_pss = _pss(scheme.digest), scheme.digest, key.verify

            def check(signature: bytes, data: bytes) -> bool:
                try:
                    verify_pss(signature, data, pss, digest)
                except (InvalidSignature, ValueError):
                    return False
                return True
        else:
            assert isinstance(key, Ed25519PublicKey)
            verify_eddsa = key.verify

            def check(signature: bytes, data: bytes) -> bool:
                try:
                    verify_eddsa(signature, data)
                except (InvalidSignature, ValueError):
                    return False
                return True

        return check

    def digest(self, data: bytes) -> bytes:
        """The digest of ``data`` that a signature of this algorithm is made over.

        Raises ValueError for EdDSA, which has none.
        """
        scheme = _SCHEMES[self.name]
        if isinstance(scheme, _EdDsa):
            raise ValueError("EdDSA signs the data themselves")
        return hashlib.new(scheme.digest.name, data).digest()

    def sign(self, key: PrivateKey, data: bytes, *, prehashed: bool = False) -> bytes:
        """A signature over ``data``, or over the message whose digest ``data`` is when ``prehashed``.

        Raises ValueError when ``key`` is not of this algorithm's kind, or ``data`` is no digest of its hash.
        """
        return self.signing(key, prehashed=prehashed)(data)

    def signing(self, key: PrivateKey, *, prehashed: bool = False) -> Sign:
        """:meth:`sign` for one key, made ready once for many signatures. Raises ValueError as it does."""
        scheme = _SCHEMES[self.name]
        if (
            isinstance(scheme, _Ecdsa)
            and isinstance(key, ec.EllipticCurvePrivateKey)
            and key.curve.name == scheme.curve
        ):
            ecdsa, size, sign_ecdsa = ec.ECDSA(_hash(scheme.digest, prehashed)), scheme.size, key.sign
            return lambda data: _to_raw(sign_ecdsa(data, ecdsa), size)
        if isinstance(scheme, _RsaPss) and isinstance(key, rsa.RSAPrivateKey):
            pss, digest, sign_pss = _pss(scheme.digest), _hash(scheme.digest, prehashed), key.sign
            return lambda data: sign_pss(data, pss, digest)
        if isinstance(scheme, _EdDsa) and isinstance(key, Ed25519PrivateKey) and not prehashed:
            return key.sign
        raise ValueError(f"{self.name} cannot sign with this key")


_BY_NUMBER = {algorithm.value: algorithm for algorithm in Algorithm}


def _to_der(signature: bytes, size: int) -> bytes:
    """The ECDSA-Sig-Value (RFC 3279 §2.2.3) of a raw ``r || s``."""
    r, s = signature[:size].lstrip(b"\0"), signature[size:].lstrip(b"\0")
    # X.690 §8.3: an integer has one byte at least, and one whose highest bit is set is negative.
    if not r or r[0] & 0x80:
        r = b"\0" + r
    if not s or s[0] & 0x80:
        s = b"\0" + s
    length = len(r) + len(s) + 4
    return b"\x30%b%c\x02%c%b\x02%c%b" % (b"" if length < 0x80 else b"\x81", length, len(r), r, len(s), s)


def _to_raw(der: bytes, size: int) -> bytes:
    """The raw ``r || s`` of an ECDSA-Sig-Value that was made in this process (RFC 9053 §2.1)."""
    # A length of more than 127 takes two bytes, of the whole on the largest curve; each integer's takes one.
    start = 5 if der[1] & 0x80 else 4
    end = start + der[start - 1]
    return der[start:end][-size:].rjust(size, b"\0") + der[end + 2 :][-size:].rjust(size, b"\0")


def _pss(digest: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)


def _hash(digest: hashes.HashAlgorithm, prehashed: bool) -> hashes.HashAlgorithm | Prehashed:
    return Prehashed(digest) if prehashed else digest
