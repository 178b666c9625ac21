"""The cases of the public suite (dgc-testdata), made anew under its names and with its meaning: Q1 to DGC8.

Some that it describes have no file there; here all have one.
"""

from __future__ import annotations

from typing import Any

from cbor2 import CBORTag

from tools.vectors import keys
from tools.vectors.case import Case, case
from tools.vectors.layers import HEADER_DEFAULT, compress
from tools.vectors.pictures import Picture
from tools.vectors.press import NOW, PAYLOAD, RECOVERY_ENTRY, TEST_ENTRY, payload, recovery, tested, vaccination

_PREFIX = "HCERT specification §4.2.2"
_ALG = "HCERT specification §3.3.2"
_KID = "HCERT specification §3.3.3"
_KID_SIZE = "HCERT specification, Appendix A.1"
_USAGE = "HCERT specification, Appendix A.4"
_SCHEMA = "DCC schema 1.3.0"
_ADVISORY = (
    "The public suite calls this invalid. From the text alone the mode cannot be told, and most barcode libraries "
    "do not report it: a verifier that can see it may warn; refusing the certificate for it is not asked of one."
)


def cases() -> list[Case]:
    """Q1 to DGC8."""
    return [*_wire(), *_cose(), *_usage(), *_claims(), *_content()]


def _wire() -> list[Case]:
    def broken(message: bytes) -> bytes:
        return compress(message)[:-4]

    return [
        case("Q1", "A damaged QR code: nothing to be read", _PREFIX, picture=Picture(damaged=True)),
        case(
            "Q2",
            "A QR code in byte mode instead of the alphanumeric one",
            _PREFIX,
            picture=Picture(alphanumeric=False),
            advisory=_ADVISORY,
        ),
        case("H1", "Another context identifier", _PREFIX, "INVALID_SCHEME_PREFIX", prefix="HL0:"),
        case("H2", "A version that is not supported", _PREFIX, "UNSUPPORTED_VERSION", prefix="HC2:"),
        case("H3", "No context identifier, only base45", _PREFIX, "INVALID_SCHEME_PREFIX", prefix=""),
        case(
            "B1",
            "A character outside the base45 alphabet",
            "RFC 9285 §6",
            "BASE_45_DECODING_FAILED",
            scanned=lambda text: text[:100] + "a" + text[101:],
        ),
        case("Z1", "A ZLIB stream without its checksum", "RFC 1950 §2.2", "DECOMPRESSION_FAILED", compress=broken),
        case("Z2", "Not compressed", "RFC 1950 §2.2", "DECOMPRESSION_FAILED", compress=lambda message: message),
    ]


def _cose() -> list[Case]:
    kid = keys.key("dsc").kid
    wrong = b"\x66\x6f\x6f"
    return [
        case("CO1", "PS256 with an RSA key of 2048 bits", f"{_ALG}; RFC 8230 §2", signer="dsc-rsa2048", alg=-37),
        case("CO2", "PS256 with an RSA key of 3072 bits", f"{_ALG}; RFC 8230 §2", signer="dsc-rsa3072", alg=-37),
        case("CO3", "ES256 with a key on P-256", f"{_ALG}; RFC 9053 §2.1; RFC 9052 §4.4", compress=_default_level),
        case("CO4", "An algorithm other than ES256 and PS256 (ES384)", _ALG, "ALGORITHM_NOT_ACCEPTED", alg=-35),
        case("CO5", "A signature of three bytes", "RFC 9053 §2.1", "SIGNATURE_INVALID", sign=_three_bytes),
        case("CO18", "kid in the protected header alone", _KID),
        case("CO19", "kid in the unprotected header alone", _KID, protected={1: -7}, unprotected={4: kid}),
        case(
            "CO20",
            "kid and alg in the unprotected header alone",
            "RFC 9052 §3.1",
            "OK",
            "ALGORITHM_UNPROTECTED",
            protected={},
            unprotected={1: -7, 4: kid},
        ),
        case(
            "CO21", "The right kid protected, a wrong one unprotected", f"{_KID}; RFC 9052 §3", unprotected={4: wrong}
        ),
        case(
            "CO22",
            "A wrong kid protected, the right one unprotected",
            f"{_KID}; RFC 9052 §3",
            "KEY_NOT_IN_TRUST_LIST",
            kid=wrong,
            unprotected={4: kid},
        ),
        case(
            "CO23",
            "A wrong kid in the unprotected header alone",
            _KID,
            "KEY_NOT_IN_TRUST_LIST",
            protected={},
            unprotected={1: -7, 4: wrong},
        ),
        case("CO24", "A signature that is too long", "RFC 9053 §2.1", "SIGNATURE_INVALID", sign=_one_byte_more),
        # The trust list has the key under that very kid, so that only the length can be why it is refused.
        _wrong_kid("CO25", "A kid of seven bytes", kid[:7], "dsc-kid-7"),
        _wrong_kid("CO26", "A kid of nine bytes", kid + b"\0", "dsc-kid-9"),
        case("CO27", "alg says PS256, the key and signature are of ES256", _ALG, "UNSUITABLE_PUBLIC_KEY_TYPE", alg=-37),
        case("CO28", "CWT tag 61 around COSE tag 18", "RFC 8392 §6", tag=lambda parts: CBORTag(61, CBORTag(18, parts))),
    ]


def _wrong_kid(name: str, title: str, kid: bytes, entry: str) -> Case:
    return case(name, title, _KID_SIZE, "KEY_NOT_IN_TRUST_LIST", kid=kid, trust=("dsc", entry))


def _default_level(message: bytes) -> bytes:
    return compress(message, header=HEADER_DEFAULT)


def _three_bytes(key: keys.Private, data: bytes) -> bytes:
    return keys.sign_ecdsa(key, data)[:3]


def _one_byte_more(key: keys.Private, data: bytes) -> bytes:
    return keys.sign_ecdsa(key, data) + b"\0"


_KINDS: dict[str, tuple[str, Any]] = {
    "test": ("dsc-test", tested()),
    "vaccination": ("dsc-vaccination", vaccination()),
    "recovery": ("dsc-recovery", recovery()),
}


def _usage() -> list[Case]:
    crossed = (
        ("CO6", "test", "vaccination"),
        ("CO7", "test", "recovery"),
        ("CO8", "vaccination", "test"),
        ("CO9", "vaccination", "recovery"),
        ("CO10", "recovery", "vaccination"),
        ("CO11", "recovery", "test"),
    )
    made = [
        case(
            name,
            f"A DSC for {may.removesuffix('y') + 'ies' if may == 'recovery' else may + 's'} signs a {does}",
            _USAGE,
            "KEY_USAGE_MISMATCH",
            signer=_KINDS[may][0],
            payload=_KINDS[does][1],
        )
        for name, may, does in crossed
    ]
    made += [
        case(name, f"A DSC signs the kind that it may sign: a {kind}", _USAGE, signer=_KINDS[kind][0], payload=content)
        for (name, kind), content in zip(
            (("CO12", "test"), ("CO13", "vaccination"), ("CO14", "recovery")),
            (tested(), vaccination(), recovery()),
            strict=True,
        )
    ]
    return [*made, case("CO15", "A DSC without usages signs a recovery", _USAGE, payload=recovery())]


def _claims() -> list[Case]:
    return [
        case(
            "CO16",
            "The clock before iat",
            "HCERT specification §3.3.6; RFC 8392 §3.1.6",
            "CWT_NOT_YET_VALID",
            claims={6: NOW + 1},
        ),
        case("CO17", "The clock after exp", "HCERT specification §3.3.5", "CWT_EXPIRED", claims={4: NOW - 1}),
        case(
            "CBO1",
            "Under the claim -260/1 stand bytes that are no CBOR map",
            "HCERT specification §3.3.7",
            "CBOR_DESERIALIZATION_FAILED",
            payload=b"\xa1\x63ver",
        ),
        case("CBO2", "The signed payload is no CBOR", "RFC 8392 §2", "CBOR_DESERIALIZATION_FAILED", cwt=b"\xff\xff"),
    ]


def _content() -> list[Case]:
    three = payload(t=[TEST_ENTRY], r=[RECOVERY_ENTRY])
    rapid = tested(tt="LP217198-3", nm=..., ma="1341")
    only_names = {"ver": "1.3.0", "nam": PAYLOAD["nam"]}
    return [
        case("DGC1", "Nothing but a version and a name", _SCHEMA, "SCHEMA_VALIDATION_FAILED", payload=only_names),
        case("DGC2", "A vaccination, a test and a recovery in one", _SCHEMA, "MULTIPLE_ENTRIES", payload=three),
        case("DGC3", "A test (NAAT)", _SCHEMA, payload=tested()),
        case("DGC4", "A rapid antigen test", _SCHEMA, payload=rapid),
        case("DGC5", "A recovery", _SCHEMA, payload=recovery()),
        case("DGC6", "A vaccination", _SCHEMA, payload=vaccination()),
        case(
            "DGC7", "A test that detected the disease", _SCHEMA, "TEST_RESULT_POSITIVE", payload=tested(tr="260373001")
        ),
        case(
            "DGC8",
            "A test sampled in the future",
            _SCHEMA,
            "EVENT_IN_FUTURE",
            payload=tested(sc="2021-08-20T10:00:01Z"),
        ),
    ]
