"""Private keys of the vectors, the same in every run, and signatures that are the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

FOLDER = Path(__file__).resolve().parents[2] / "test_vectors" / "keys"

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    # The curve, and the size of the digest in bytes.
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
_HASHES = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512(), 66: hashes.SHA512()}


@dataclass(frozen=True)
class Key:
    """One entry of ``keys/``: a signer's or an authority's certificate, or bare public keys under one kid."""

    name: str
    about: str
    kid: bytes
    pem: str
    private: Private
    listed: Mapping[str, str] = field(default_factory=dict)
    """What is known of the published list that it is on: ``assurance``, ``domain``, ``best_before``."""
    domain: str | None = None
    """What it may sign at all, None for whatever it fits."""
    issuer: str | None = None
    """The URL or DID under which its kid holds."""
    kid_text: str | None = None
    """The kid where it is a text, whose bytes ``kid`` are."""

    @property
    def is_certificate(self) -> bool:
        return "BEGIN CERTIFICATE" in self.pem


@cache
def private_key(name: str, kind: str) -> Private:
    """The private key of this name: ``P-256``, ``P-384``, ``P-521``, ``Ed25519`` or ``RSA``."""
    if kind == "RSA":
        key = serialization.load_pem_private_key((FOLDER / f"{name}.key.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key
    seed = hashlib.shake_256(f"healthcert test vectors: {name}".encode()).digest(32)
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return ec.derive_private_key(int.from_bytes(seed) >> 1, _CURVES[kind][0])


def sign_ecdsa(key: Private, data: bytes, size: int = 32) -> bytes:
    """RFC 9053 §2.1 with the nonce of RFC 6979; ``size`` is that of r and of s."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    scheme = ec.ECDSA(_HASHES[size], deterministic_signing=True)
    r, s = decode_dss_signature(key.sign(data, scheme))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def sign_pss(key: Private, data: bytes, *, digest: str = "sha256", salt: bytes | None = None) -> bytes:
    """RSASSA-PSS (RFC 8017 §8.1.1) with a salt that is the same every time, where a signer takes a random one."""
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    n, bits = numbers.public_numbers.n, numbers.public_numbers.n.bit_length() - 1
    size = (bits + 7) // 8
    new = hashlib.new
    salt = new(digest, b"salt" + data).digest() if salt is None else salt
    hashed = new(digest, bytes(8) + new(digest, data).digest() + salt).digest()
    block = (b"\x01" + salt).rjust(size - len(hashed) - 1, b"\0")
    mask = b"".join(new(digest, hashed + count.to_bytes(4)).digest() for count in range(len(block) // len(hashed) + 1))
    masked = int.from_bytes(bytes(a ^ b for a, b in zip(block, mask[: len(block)], strict=True)))
    masked &= (1 << (bits - 8 * (size - len(block)))) - 1
    encoded = masked.to_bytes(len(block)) + hashed + b"\xbc"
    return pow(int.from_bytes(encoded), numbers.d, n).to_bytes((n.bit_length() + 7) // 8)


def public_pem(key: Private) -> str:
    """The public key of ``key``, as it is published."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
