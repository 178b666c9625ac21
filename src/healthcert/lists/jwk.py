"""Public keys as JSON Web Keys (RFC 7517), both ways; EC, RSA and Ed25519."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.encoding.algorithms import PublicKey
from healthcert.errors import Code, Step, TrustError
from healthcert.lists.publickeys import load_any_key

_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_NAMES = {curve.name: name for name, curve in _CURVES.items()}


def public_key_of_jwk(jwk: Mapping[str, Any]) -> bytes:
    """The DER SubjectPublicKeyInfo of a public JWK.

    Coordinates with a zero byte in front, as some software writes them, are read as the numbers they are. Raises
    :class:`TrustError` (``CERTIFICATE_UNREADABLE``), also for a JWK that holds a private key.
    """
    if any(member in jwk for member in ("d", "p", "q", "k")):
        raise _unreadable("the JWK holds a private key")
    kind = jwk.get("kty")
    key: PublicKey | None = None
    try:
        if kind == "EC":
            curve = _CURVES[jwk["crv"]]
            # RFC 7518 §6.2.1: x and y are the coordinates; a point off the curve is refused by the library.
            key = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), curve).public_key()
        elif kind == "RSA":
            key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        elif kind == "OKP" and jwk["crv"] == "Ed25519":
            key = Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unreadable("a member of the JWK is missing or wrong") from None
    if key is None:
        raise _unreadable("a JWK of an unknown kind of key")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def jwk_of(spki: bytes) -> dict[str, str]:
    """The members of a JWK that are the key: kty and its numbers (RFC 7518 §6). Raises :class:`TrustError`."""
    key = load_any_key(spki)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _NAMES:
        numbers, size = key.public_numbers(), (key.key_size + 7) // 8
        x, y = (encode(number.to_bytes(size, "big")) for number in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": _NAMES[key.curve.name], "x": x, "y": y}
    if isinstance(key, rsa.RSAPublicKey):
        e, n = ((number.bit_length() + 7) // 8 for number in (key.public_numbers().e, key.public_numbers().n))
        numbers_ = key.public_numbers()
        return {"kty": "RSA", "n": encode(numbers_.n.to_bytes(n, "big")), "e": encode(numbers_.e.to_bytes(e, "big"))}
    if isinstance(key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    raise _unreadable("no JWK has a key on this curve")


def thumbprint(spki: bytes) -> str:
    """The JWK thumbprint of a key, with SHA-256, in base64url (RFC 7638)."""
    canonical = json.dumps(jwk_of(spki), sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(canonical.encode()).digest())


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """base64 or base64url, padded or not. Raises ValueError, TypeError."""
    plain = text.translate(_TO_STANDARD).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


_TO_STANDARD = str.maketrans("-_", "+/")


def _number(text: Any) -> int:
    if not isinstance(text, str) or not text:
        raise ValueError("a number in base64url is expected")
    return int.from_bytes(decode(text), "big")


def key_bytes(key: PublicKey) -> bytes:
    """The DER SubjectPublicKeyInfo of a key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _unreadable(detail: str) -> TrustError:
    return TrustError(Code.CERTIFICATE_UNREADABLE, detail, Step.TRUST)
