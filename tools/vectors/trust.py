"""Cases of trusted keys, their usages, and policies: HC-TRUST, HC-USAGE, HC-POL."""

from __future__ import annotations

from functools import partial
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case, case
from tools.vectors.press import recovery, tested, vaccination
from tools.vectors.signatures import flipped, sign_ed25519, sign_ps512

_ALG, _KID = "HCERT specification §3.3.2", "HCERT specification §3.3.3"
_KID_SIZE, _USAGE = "HCERT specification, Appendix A.1", "HCERT specification, Appendix A.4"
_ECDSA, _PSS, _DER = "RFC 9053 §2.1", "RFC 8230 §2", "RFC 3279 §2.2.3"


def cases() -> list[Case]:
    """Which key is meant, what it may sign, and what a policy wants."""
    return [*_trust(), *_usages(), *_policies()]


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
        case("HC-TRUST-15", "Too many bare keys share the kid of a certificate", _KID, trust=("crowd-of-dsc", "dsc")),
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
    bad = "SIGNATURE_INVALID"

    def wrong(key: keys.Private, data: bytes) -> bytes:
        return flipped(sign_ed25519(key, data))

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
            sign=sign_ed25519,
            policy=accepts_all,
        ),
        case(
            "HC-POL-09",
            "EdDSA is accepted, one bit is flipped",
            "RFC 9053 §2.2",
            bad,
            signer="dsc-ed25519",
            alg=-8,
            sign=wrong,
            policy=accepts_all,
        ),
        case(
            "HC-POL-10", "PS512 is accepted", _PSS, signer="dsc-rsa2048", alg=-39, sign=sign_ps512, policy=accepts_all
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
