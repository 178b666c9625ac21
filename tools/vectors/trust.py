"""Cases of keys, signatures, usages and policies: HC-TRUST, HC-SIG, HC-USAGE, HC-POL."""

from __future__ import annotations

from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tools.vectors import keys
from tools.vectors.case import Case, case
from tools.vectors.press import Press, recovery, tested, vaccination

_ALG, _KID = "HCERT specification §3.3.2", "HCERT specification §3.3.3"
_KID_SIZE, _USAGE = "HCERT specification, Appendix A.1", "HCERT specification, Appendix A.4"
_ECDSA, _PSS, _NUMBERS, _DER = "RFC 9053 §2.1", "RFC 8230 §2", "RFC 9053 §2", "RFC 3279 §2.2.3"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


def cases() -> list[Case]:
    """Which key, whether it signed, and what it may sign."""
    return [*_trust(), *_algorithms(), *_ecdsa(), *_pss(), *_usages(), *_policies()]


def _trust() -> list[Case]:
    unknown, bare = "KEY_NOT_IN_TRUST_LIST", "KEY_DATES_UNKNOWN"
    return [
        case("HC-TRUST-01", "A kid that nobody has", _KID, unknown, kid=b"12345678"),
        case("HC-TRUST-02", "No kid at all", _KID, unknown, protected={1: -7}),
        case("HC-TRUST-03", "A DSC that is not on the list", _KID, unknown, signer="stranger", trust=("dsc",)),
        case("HC-TRUST-04", "The authority is on the list, its DSC is not", _KID, unknown, trust=("csca",)),
        case("HC-TRUST-05", "No trusted keys at all", _KID, "TRUST_STORE_EMPTY", trust=()),
        case("HC-TRUST-06", "Two keys share the kid; the second one signed", _KID, trust=("twin", "dsc")),
        case("HC-TRUST-07", "Two keys share the kid; the first one signed", _KID, trust=("dsc", "twin")),
        case("HC-TRUST-08", "Two keys share the kid; one is of another kind", _KID, trust=("twin-rsa1024", "dsc")),
        case("HC-TRUST-09", "A key of the same kid that did not sign", _KID, "SIGNATURE_INVALID", trust=("twin",)),
        case("HC-TRUST-10", "Sixteen keys share the kid", _KID, "OK", bare, signer="crowd"),
        case(
            "HC-TRUST-11",
            "Too many keys share the kid",
            _KID,
            unknown,
            signer="crowd",
            trust=("crowd", "crowd-one-more"),
        ),
        case("HC-TRUST-12", "A bare key without dates", _KID, "OK", bare, signer="bare"),
        case(
            "HC-TRUST-13",
            "A bare key without dates, under the strict policy",
            _KID,
            bare,
            signer="bare",
            policy="strict",
        ),
        case("HC-TRUST-14", "An empty kid", _KID_SIZE, unknown, kid=b""),
    ]


def _algorithms() -> list[Case]:
    refused, unsuitable = "ALGORITHM_NOT_ACCEPTED", "UNSUITABLE_PUBLIC_KEY_TYPE"
    eddsa = partial(_sign_ed25519)
    es384, es512 = partial(keys.sign_ecdsa, size=48), partial(keys.sign_ecdsa, size=66)
    return [
        case("HC-SIG-01", "An algorithm that nobody knows", _ALG, refused, alg=-65535),
        case("HC-SIG-02", "An algorithm by its name", _ALG, refused, alg="ES256"),
        case("HC-SIG-03", "No algorithm", _ALG, refused, protected={4: keys.key("dsc").kid}),
        case("HC-SIG-04", "An algorithm that is a float", _ALG, refused, alg=-7.0),
        case("HC-SIG-05", "HMAC instead of a signature", _ALG, refused, alg=5),
        case("HC-SIG-06", "EdDSA with an Ed25519 key", _ALG, refused, signer="dsc-ed25519", alg=-8, sign=eddsa),
        case("HC-SIG-07", "ES384 with a key on P-384", _ALG, refused, signer="dsc-p384", alg=-35, sign=es384),
        case("HC-SIG-08", "PS512 with an RSA key", _ALG, refused, signer="dsc-rsa2048", alg=-39, sign=_sign_ps512),
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


def _sign_ed25519(key: keys.Private, data: bytes) -> bytes:
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key.sign(data)


def _sign_ps512(key: keys.Private, data: bytes) -> bytes:
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
        case("HC-SIG-34", "One bit flipped", _ECDSA, bad, sign=lambda k, d: _flipped(sign(k, d))),
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


def _flipped(signature: bytes) -> bytes:
    return signature[:-1] + bytes((signature[-1] ^ 1,))


def _padded(raw: bytes) -> bytes:
    return b"\0" + raw[:32] + b"\0" + raw[32:]


def _signed_with(wanted: Any) -> dict[str, Any]:
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
        case("HC-SIG-51", "One bit flipped (PS256)", _PSS, bad, **rsa, sign=lambda k, d: _flipped(pss(k, d))),
        case("HC-SIG-52", "A shorter salt than the hash", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d, salt=b"salt")),
        case("HC-SIG-53", "No salt", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d, salt=b"")),
        case("HC-SIG-54", "SHA-512 for SHA-256", _PSS, bad, **rsa, sign=_sign_ps512),
        case("HC-SIG-55", "A byte more (PS256)", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d) + b"\0"),
        case("HC-SIG-56", "A byte short (PS256)", _PSS, bad, **rsa, sign=lambda k, d: pss(k, d)[:-1]),
        case("HC-SIG-57", "No signature (PS256)", _PSS, bad, **rsa, sign=lambda _k, _d: b""),
    ]


def _usages() -> list[Case]:
    wrong = "KEY_USAGE_MISMATCH"
    both, other, mixed = "dsc-test-recovery", "dsc-test-other-arc", "dsc-mixed-usage"
    return [
        case("HC-USAGE-01", "No usages: a test", _USAGE, payload=tested()),
        case("HC-USAGE-02", "No usages: a vaccination", _USAGE, payload=vaccination()),
        case("HC-USAGE-03", "An empty list of usages", _USAGE, signer="dsc-empty-usage"),
        case("HC-USAGE-04", "Only a foreign usage", _USAGE, signer="dsc-foreign-usage"),
        case("HC-USAGE-05", "A test by a DSC for tests and recoveries", _USAGE, signer=both, payload=tested()),
        case("HC-USAGE-06", "A recovery by a DSC for tests and recoveries", _USAGE, signer=both, payload=recovery()),
        case("HC-USAGE-07", "A vaccination by a DSC for tests and recoveries", _USAGE, wrong, signer=both),
        case(
            "HC-USAGE-08",
            "The arc issued by mistake: a test by a DSC for tests",
            _USAGE,
            signer=other,
            payload=tested(),
        ),
        case("HC-USAGE-09", "The arc issued by mistake: a vaccination by a DSC for tests", _USAGE, wrong, signer=other),
        case("HC-USAGE-10", "A foreign usage beside tests: a test", _USAGE, signer=mixed, payload=tested()),
        case("HC-USAGE-11", "A foreign usage beside tests: a vaccination", _USAGE, wrong, signer=mixed),
    ]


def _policies() -> list[Case]:
    """What only another policy than the two that have names brings to light."""
    accepts_all: dict[str, Any] = {"algorithms": ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS512"]}
    es384, es512 = partial(keys.sign_ecdsa, size=48), partial(keys.sign_ecdsa, size=66)
    bad, eddsa = "SIGNATURE_INVALID", _sign_ed25519

    def flipped(key: keys.Private, data: bytes) -> bytes:
        return _flipped(eddsa(key, data))

    return [
        case(
            "HC-POL-01",
            "A family that is not wanted",
            "HCERT specification §4.2.2",
            "FAMILY_NOT_ACCEPTED",
            policy={"families": []},
        ),
        case(
            "HC-POL-02",
            "A kind of entry that is not wanted",
            "DCC schema 1.3.0",
            "ENTRY_TYPE_NOT_ACCEPTED",
            policy={"entry_types": ["test"]},
        ),
        case(
            "HC-POL-03",
            "Revocation must be checked, and there is no list",
            "HCERT specification §3.3.3",
            "REVOCATION_UNKNOWN",
            policy={"revocation": "required"},
        ),
        case("HC-POL-04", "PS256 alone is accepted", _ALG, "ALGORITHM_NOT_ACCEPTED", policy={"algorithms": ["PS256"]}),
        case(
            "HC-POL-05", "RSA of 1024 bits is accepted", _PSS, signer="dsc-rsa1024", alg=-37, policy={"rsa_bits": 1024}
        ),
        case("HC-POL-06", "ES384 is accepted", _ECDSA, signer="dsc-p384", alg=-35, sign=es384, policy=accepts_all),
        case(
            "HC-POL-07",
            "ES512 is accepted",
            f"{_ECDSA}; {_DER}",
            signer="dsc-p521",
            alg=-36,
            sign=es512,
            policy=accepts_all,
        ),
        case(
            "HC-POL-08",
            "EdDSA is accepted",
            "RFC 9053 §2.2",
            signer="dsc-ed25519",
            alg=-8,
            sign=eddsa,
            policy=accepts_all,
        ),
        case(
            "HC-POL-09",
            "EdDSA is accepted, one bit is flipped",
            "RFC 9053 §2.2",
            bad,
            signer="dsc-ed25519",
            alg=-8,
            sign=flipped,
            policy=accepts_all,
        ),
        case(
            "HC-POL-10", "PS512 is accepted", _PSS, signer="dsc-rsa2048", alg=-39, sign=_sign_ps512, policy=accepts_all
        ),
        case(
            "HC-POL-11",
            "EdDSA is accepted, the key is on P-256",
            "RFC 9053 §2.2",
            "UNSUITABLE_PUBLIC_KEY_TYPE",
            alg=-8,
            policy=accepts_all,
        ),
    ]
