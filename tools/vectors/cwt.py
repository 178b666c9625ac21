"""Cases of the claims and their times: HC-CWT, HC-TIME."""

from __future__ import annotations

from typing import Any

from cbor2 import CBORTag, dumps

from tools.vectors.case import Case, case
from tools.vectors.press import EXPIRES, ISSUED, NOW, payload, recovery

_MAP, _HCERT = "RFC 8392 §2", "HCERT specification §3.3.7"
_EXP, _IAT, _NBF = "HCERT specification §3.3.5", "HCERT specification §3.3.6", "RFC 8392 §3.1.5"
_VALIDITY = "RFC 5280 §4.1.2.5"
_BAD = "CBOR_DESERIALIZATION_FAILED"
_DAY = 86400
_KEY_BEGIN, _KEY_END = 1627689600, 1690761600  # 2021-07-31 and 2023-07-31


def cases() -> list[Case]:
    """The claims as a map, the hcert claim, and the times."""
    return [*_claims(), *_hcert(), *_moments(), *_window(), *_key_window()]


def _claims() -> list[Case]:
    whole: dict[Any, Any] = {1: "FR", 4: EXPIRES, 6: ISSUED, -260: {1: payload()}}
    streamed = b"\xbf" + b"".join(dumps(key) + dumps(value) for key, value in whole.items()) + b"\xff"
    repeated = b"\xa5" + dumps(whole)[1:] + dumps(4) + dumps(EXPIRES + _DAY)
    return [
        case("HC-CWT-01", "Claims of indefinite length", "RFC 9052 §9", cwt=streamed),
        case("HC-CWT-02", "Claims in another order", _MAP, cwt=dumps(dict(reversed(whole.items())))),
        case("HC-CWT-03", "Further claims: sub, cti, and one by name", _MAP, claims={2: "x", 7: b"\1", "jti": 1}),
        case("HC-CWT-04", "The byte of undefined inside a byte string", "RFC 8949 §3.3", claims={7: b"\xf7"}),
        case("HC-CWT-11", "The claims are an array", _MAP, _BAD, cwt=b"\x80"),
        case("HC-CWT-12", "The claims are empty", _HCERT, _BAD, cwt=b"\xa0"),
        case("HC-CWT-13", "No payload at all", _MAP, _BAD, cwt=b""),
        case("HC-CWT-14", "A byte after the claims", _MAP, _BAD, cwt=dumps(whole) + b"\0"),
        case("HC-CWT-15", "A claim twice", _MAP, _BAD, cwt=repeated),
        case(
            "HC-CWT-16",
            "The claim key 4.0 for 4",
            _MAP,
            _BAD,
            cwt=dumps(whole).replace(b"\x04\x1a", b"\xf9\x44\x00\x1a", 1),
        ),
        case("HC-CWT-17", "The claim key true for 1", _MAP, _BAD, cwt=dumps({True: "FR", 4: EXPIRES} | whole)),
        case("HC-CWT-18", "Nested too deep", _MAP, _BAD, cwt=b"\x81" * 10_000 + b"\0"),
        case("HC-CWT-19", "A claim key that is a byte string", _MAP, _BAD, claims={b"\4": 1}),
        case("HC-CWT-20", "The last byte of the claims is missing", _MAP, _BAD, cwt=dumps(whole)[:-1]),
        case("HC-CWT-21", "Text that is no UTF-8", _MAP, _BAD, cwt=dumps(whole).replace(b"\x62FR", b"\x62\xff\xfe", 1)),
    ]


def _hcert() -> list[Case]:
    return [
        case("HC-CWT-31", "No hcert claim", _HCERT, _BAD, claims={-260: ...}),
        case("HC-CWT-32", "The hcert claim is an array", _HCERT, _BAD, claims={-260: [payload()]}),
        case("HC-CWT-33", "The hcert claim is text", _HCERT, _BAD, claims={-260: "x"}),
        case("HC-CWT-34", "A text key in the hcert claim", _HCERT, _BAD, claims={-260: {1: payload(), "x": 1}}),
        case("HC-CWT-35", "true for key 1 of the hcert claim", _HCERT, _BAD, claims={-260: {True: payload()}}),
        case("HC-CWT-36", "The EU DCC is an array", _HCERT, _BAD, payload=[payload()]),
        case("HC-CWT-37", "The EU DCC is null", _HCERT, _BAD, payload=None),
        case(
            "HC-CWT-38",
            "Another key beside the EU DCC",
            _HCERT,
            "OK",
            "UNKNOWN_CLAIM",
            claims={-260: {1: payload(), 99: {}}},
        ),
        case(
            "HC-CWT-39", "No EU DCC but another key", _HCERT, "CONTENT_NOT_SUPPORTED", claims={-260: {99: {"n": "X"}}}
        ),
        case(
            "HC-CWT-41", "No issuer, which is a choice", "HCERT specification §3.3.4", policy="strict", claims={1: ...}
        ),
        case("HC-CWT-40", "An empty hcert claim", _HCERT, "CONTENT_NOT_SUPPORTED", claims={-260: {}}),
    ]


def _moments() -> list[Case]:
    bad = "CWT_TIME_INVALID"
    wrong: list[tuple[str, str, dict[Any, Any]]] = [
        ("01", "No exp", {4: ...}),
        ("02", "No iat", {6: ...}),
        ("03", "exp is not a number", {4: float("nan")}),
        ("04", "exp is infinite", {4: float("inf")}),
        ("05", "exp is true", {4: True}),
        ("06", "exp in milliseconds", {4: EXPIRES * 1000}),
        ("07", "exp is text", {4: "2030-01-01"}),
        ("08", "exp is null", {4: None}),
        ("09", "iat is negative", {6: -1}),
        ("10", "iat is false", {6: False}),
        ("11", "nbf is text", {5: "2021-08-01"}),
        ("12", "exp is a big number", {4: CBORTag(2, b"\x01" + bytes(8))}),
        ("13", "exp in another tag", {4: CBORTag(0, "2030-01-01T00:00:00Z")}),
        ("14", "iat is infinite below", {6: float("-inf")}),
        ("15", "exp is true in CBOR tag 1", {4: CBORTag(1, True)}),
    ]
    sections = {"01": _EXP, "02": _IAT}
    noted = {"03": "FLOAT_TIME", "04": "FLOAT_TIME", "14": "FLOAT_TIME", "15": "TAGGED_TIME"}
    return [
        case(f"HC-TIME-{n}", title, sections.get(n, _MAP), bad, *[noted[n]] if n in noted else [], claims=claims)
        for n, title, claims in wrong
    ]


def _window() -> list[Case]:
    early, late = "CWT_NOT_YET_VALID", "CWT_EXPIRED"
    minute = {"clock_skew_seconds": 60}
    return [
        case("HC-TIME-21", "At the second of iat", "RFC 8392 §3.1.6", claims={6: NOW}),
        case("HC-TIME-22", "At the second of exp", _EXP, claims={4: NOW}),
        case("HC-TIME-23", "At the second of nbf", _NBF, claims={5: NOW}),
        case("HC-TIME-24", "A second before nbf", _NBF, early, claims={5: NOW + 1}),
        case("HC-TIME-25", "nbf before iat does not move it", _NBF, early, claims={5: NOW - _DAY, 6: NOW + 1}),
        case("HC-TIME-26", "Half a second before iat", _IAT, early, "FLOAT_TIME", claims={6: NOW + 0.5}),
        case("HC-TIME-27", "A minute before iat, with a minute allowed", _IAT, claims={6: NOW + 60}, policy=minute),
        case("HC-TIME-28", "More before iat than is allowed", _IAT, early, claims={6: NOW + 61}, policy=minute),
        case("HC-TIME-29", "A minute after exp, with a minute allowed", _EXP, claims={4: NOW - 60}, policy=minute),
        case("HC-TIME-30", "More after exp than is allowed", _EXP, late, claims={4: NOW - 61}, policy=minute),
        case("HC-TIME-31", "The clock in another zone", _EXP, claims={4: NOW}, clock="2021-08-20T12:00:00+02:00"),
        case(
            "HC-TIME-32", "Valid though the recovery it certifies has run out", _EXP, payload=recovery(du="2021-08-01")
        ),
    ]


def _key_window() -> list[Case]:
    before, after = "2021-07-30T23:59:59Z", "2023-07-31T00:00:01Z"
    early = {6: _KEY_BEGIN - _DAY}
    return [
        case(
            "HC-TIME-41", "Before the DSC is valid", _VALIDITY, "PUBLIC_KEY_NOT_YET_VALID", clock=before, claims=early
        ),
        case(
            "HC-TIME-42",
            "After the end of the DSC",
            _VALIDITY,
            "PUBLIC_KEY_EXPIRED",
            clock=after,
            claims={4: _KEY_END + _DAY},
        ),
        case("HC-TIME-43", "Issued before the DSC was valid", _IAT, "ISSUED_BEFORE_KEY", claims=early),
        case("HC-TIME-44", "Issued at the first second of the DSC", _IAT, claims={6: _KEY_BEGIN}),
        case("HC-TIME-45", "Valid to the last second of the DSC", _EXP, claims={4: _KEY_END}),
        case(
            "HC-TIME-46",
            "At the last second of the DSC",
            _EXP,
            clock="2023-07-31T00:00:00Z",
            claims={4: _KEY_END},
        ),
    ]
