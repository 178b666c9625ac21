"""Cases of algorithms and signatures: HC-SIG."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tools.vectors import keys
from tools.vectors.case import Case, case
from tools.vectors.press import Press, vaccination

_ALG, _NUMBERS = "HCERT specification §3.3.2", "RFC 9053 §2"
_ECDSA, _PSS, _DER = "RFC 9053 §2.1", "RFC 8230 §2", "RFC 3279 §2.2.3"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


def cases() -> list[Case]:
    """Whether alg is accepted and fits the key, and whether the key signed."""
    return [*_algorithms(), *_ecdsa(), *_pss()]


def _algorithms() -> list[Case]:
    refused, unsuitable = "ALGORITHM_NOT_ACCEPTED", "UNSUITABLE_PUBLIC_KEY_TYPE"
    eddsa = sign_ed25519
    es384, es512 = partial(keys.sign_ecdsa, size=48), partial(keys.sign_ecdsa, size=66)
    return [
        case("HC-SIG-01", "An algorithm that nobody knows", _ALG, refused, alg=-65535),
        case("HC-SIG-02", "An algorithm by its name", _ALG, refused, alg="ES256"),
        case("HC-SIG-03", "No algorithm", _ALG, refused, protected={4: keys.key("dsc").kid}),
        case("HC-SIG-04", "An algorithm that is a float", _ALG, refused, alg=-7.0),
        case("HC-SIG-05", "HMAC instead of a signature", _ALG, refused, alg=5),
        case("HC-SIG-06", "EdDSA with an Ed25519 key", _ALG, refused, signer="dsc-ed25519", alg=-8, sign=eddsa),
        case("HC-SIG-07", "ES384 with a key on P-384", _ALG, refused, signer="dsc-p384", alg=-35, sign=es384),
        case("HC-SIG-08", "PS512 with an RSA key", _ALG, refused, signer="dsc-rsa2048", alg=-39, sign=sign_ps512),
        case("HC-SIG-09", "PKCS #1 v1.5 with an RSA key", _ALG, refused, signer="dsc-rsa2048", alg=-257),
        case("HC-SIG-11", "ES256 with an RSA key", _NUMBERS, unsuitable, signer="dsc-rsa2048"),
        case("HC-SIG-12", "ES256 with a key on P-384", _NUMBERS, unsuitable, signer="dsc-p384", sign=es384),
        case("HC-SIG-13", "ES256 with an Ed25519 key", _NUMBERS, unsuitable, signer="dsc-ed25519", sign=eddsa),
        case("HC-SIG-14", "PS256 with an Ed25519 key", _NUMBERS, unsuitable, signer="dsc-ed25519", sign=eddsa, alg=-37),
        case("HC-SIG-15", "ES256 with a key on P-521", _NUMBERS, unsuitable, signer="dsc-p521", sign=es512),
        case("HC-SIG-16", "An RSA key of 1024 bits", _ALG, "PUBLIC_KEY_TOO_WEAK", signer="dsc-rsa1024", alg=-37),
        case(
            "HC-SIG-17", "null as algorithm, and a good one unprotected", _ALG, refused, alg=None, unprotected={1: -7}
        ),
    ]


def sign_ed25519(key: keys.Private, data: bytes) -> bytes:
    """EdDSA (RFC 9053 §2.2)."""
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key.sign(data)


def sign_ps512(key: keys.Private, data: bytes) -> bytes:
    """PS512 (RFC 8230 §2)."""
    return keys.sign_pss(key, data, digest="sha512")


def _ecdsa() -> list[Case]:
    bad = "SIGNATURE_INVALID"
    sign = keys.sign_ecdsa

    def in_der(key: keys.Private, data: bytes) -> bytes:
        raw = sign(key, data)
        return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))

    def twin(_key: keys.Private, data: bytes) -> bytes:
        return sign(keys.key("twin").private, data)

    def mirrored(key: keys.Private, data: bytes) -> bytes:
        """(r, n - s): as good as (r, s), and so a second form of every certificate."""
        raw = sign(key, data)
        return raw[:32] + (_ORDER - int.from_bytes(raw[32:])).to_bytes(32)

    small_s = _signed_with(lambda raw: raw[32] == 0)
    return [
        case("HC-SIG-21", "r begins with a zero byte", f"{_ECDSA}; {_DER}", payload=_signed_with(lambda s: s[0] == 0)),
        case("HC-SIG-22", "s begins with a zero byte", f"{_ECDSA}; {_DER}", payload=small_s),
        case(
            "HC-SIG-23",
            "r and s with their highest bit set",
            f"{_ECDSA}; {_DER}",
            payload=_signed_with(lambda s: s[0] > 127 and s[32] > 127),
        ),
        case("HC-SIG-24", "n - s for s, which verifies too", _ECDSA, sign=mirrored),
        case("HC-SIG-31", "No signature", _ECDSA, bad, sign=lambda _k, _d: b""),
        case("HC-SIG-32", "A signature of zeros", _ECDSA, bad, sign=lambda _k, _d: bytes(64)),
        case("HC-SIG-33", "A signature in DER", _ECDSA, bad, sign=in_der),
        case("HC-SIG-34", "One bit flipped", _ECDSA, bad, sign=lambda k, d: flipped(sign(k, d))),
        case("HC-SIG-35", "Another key's signature", _ECDSA, bad, sign=twin),
        case("HC-SIG-36", "A byte short", _ECDSA, bad, sign=lambda k, d: sign(k, d)[:-1]),
        case("HC-SIG-37", "Something else was signed", "RFC 9052 §4.4", bad, sign=lambda k, d: sign(k, d + b"\0")),
        case("HC-SIG-38", "r and s as large as they can be written", _ECDSA, bad, sign=lambda _k, _d: b"\xff" * 64),
        case("HC-SIG-39", "r and s exchanged", _ECDSA, bad, sign=lambda k, d: (raw := sign(k, d))[32:] + raw[:32]),
        case("HC-SIG-40", "A zero byte before r and before s", _ECDSA, bad, sign=lambda k, d: _padded(sign(k, d))),
        case(
            "HC-SIG-41",
            "A zero byte before s",
            _ECDSA,
            bad,
            sign=lambda k, d: (raw := sign(k, d))[:32] + b"\0" + raw[32:],
        ),
        case("HC-SIG-42", "s without the zero byte it begins with", _ECDSA, bad, sign=_short_s, payload=small_s),
    ]


def _short_s(key: keys.Private, data: bytes) -> bytes:
    raw = keys.sign_ecdsa(key, data)
    return raw[:32] + raw[33:]


def flipped(signature: bytes) -> bytes:
    """The signature with its last bit the other way."""
    return signature[:-1] + bytes((signature[-1] ^ 1,))


def _padded(raw: bytes) -> bytes:
    return b"\0" + raw[:32] + b"\0" + raw[32:]


def _signed_with(wanted: Callable[[bytes], bool]) -> dict[str, Any]:
    """The first payload whose signature is ``wanted``."""
    seen: list[bytes] = []

    def sign(key: keys.Private, data: bytes) -> bytes:
        seen.append(keys.sign_ecdsa(key, data))
        return seen[-1]

    for dose in range(1, 5000):
        made = vaccination(dn=dose)
        Press(payload=made, sign=sign, compress=lambda data: data, armour=lambda _: "").layers()
        if wanted(seen[-1]):
            return made
    raise AssertionError("not among the first")


def _pss() -> list[Case]:
    bad = "SIGNATURE_INVALID"
    rsa: dict[str, Any] = {"signer": "dsc-rsa2048", "alg": -37}
    pss = keys.sign_pss
    return [
        case("HC-SIG-51", "One bit flipped (PS256)", _PSS, bad, **rsa, sign=lambda k, d: flipped(pss(k, d))),
        case("HC-SIG-52", "A shorter salt than the hash", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d, salt=b"salt")),
        case("HC-SIG-53", "No salt", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d, salt=b"")),
        case("HC-SIG-54", "SHA-512 for SHA-256", _PSS, bad, **rsa, sign=sign_ps512),
        case("HC-SIG-55", "A byte more (PS256)", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d) + b"\0"),
        case("HC-SIG-56", "A byte short (PS256)", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d)[:-1]),
        case("HC-SIG-57", "No signature (PS256)", _PSS, bad, **rsa, sign=lambda _k, _d: b""),
    ]
