"""Cases of the COSE message: HC-COSE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cbor2 import CBORTag, dumps

from tools.vectors import keys
from tools.vectors.case import Case, case
from tools.vectors.press import payload

_SIGN1, _HEADERS, _COMMON, _LABEL = "RFC 9052 §4.2", "RFC 9052 §3", "RFC 9052 §3.1", "RFC 9052 §1.5"
_SIGNED, _LENGTHS, _CWT_TAG = "RFC 9052 §4.4", "RFC 9052 §9", "RFC 8392 §6"
_BAD = "COSE_DESERIALIZATION_FAILED"
_CRIT_BAD = "CRITICAL_HEADER_UNKNOWN"

Parts = list[Any]
_RSA: dict[str, Any] = {"signer": "dsc-rsa2048", "alg": -37}


def cases() -> list[Case]:
    """The message, its headers, and what is signed of it."""
    return [*_forms(), *_not_sign1(), *_headers(), *_crit(), *_protected()]


def _forms() -> list[Case]:
    return [
        case("HC-COSE-01", "Without a tag", _SIGN1, tag=lambda parts: parts),
        case("HC-COSE-02", "An array of indefinite length", _LENGTHS, cose=_indefinite),
        case("HC-COSE-03", "A byte string in two pieces", _LENGTHS, cose=_in_pieces),
        case("HC-COSE-04", "A head with a longer length than needed", _LENGTHS, cose=_long_head),
        case(
            "HC-COSE-05", "A header parameter that nobody knows, unprotected", _HEADERS, unprotected={99: "x", "y": 1}
        ),
        case("HC-COSE-06", "A protected header parameter that nobody knows", _HEADERS, protected=_plus({99: b"x"})),
        case("HC-COSE-07", "A content type in the protected header", _HEADERS, protected=_plus({3: 60})),
        case("HC-COSE-08", "A protected header of indefinite length", _SIGNED, protected=_streamed()),
        case("HC-COSE-09", "A protected header in another order", _SIGNED, protected=dumps({4: _kid(), 1: -7})),
        case(
            "HC-COSE-10",
            "An empty map as protected header, signed as the empty string",
            f"{_HEADERS}; {_SIGNED}",
            "OK",
            "ALGORITHM_UNPROTECTED",
            protected=b"\xa0",
            signed=lambda _: b"",
            unprotected={1: -7, 4: _kid()},
        ),
        case("HC-COSE-12", "A payload of more than 64 KiB", _SIGNED, payload=payload(meta="x" * 0x10000)),
        case("HC-COSE-11", "A protected header of more than 64 bytes", _HEADERS, protected=_plus({99: bytes(60)})),
    ]


def _indefinite(message: bytes) -> bytes:
    return b"\xd2\x9f" + message[2:] + b"\xff"


def _in_pieces(message: bytes) -> bytes:
    """The signature, the last 64 bytes, as two strings of 32."""
    return message[:-66] + b"\x5f\x58\x20" + message[-64:-32] + b"\x58\x20" + message[-32:] + b"\xff"


def _long_head(message: bytes) -> bytes:
    """The signature's length in four bytes."""
    return message[:-66] + b"\x5a\x00\x00\x00\x40" + message[-64:]


def _not_sign1() -> list[Case]:
    def head(first: bytes, tag: bytes = b"\xd2") -> Callable[[bytes], bytes]:
        return lambda message: tag + first + message[2:]

    wrong: list[tuple[str, str, str, Callable[[Parts], Any]]] = [
        ("21", "A COSE_Mac0", _SIGN1, lambda parts: CBORTag(17, parts)),
        ("22", "A COSE_Sign", _SIGN1, lambda parts: CBORTag(98, parts)),
        ("23", "CWT tag 61 around no COSE tag", _CWT_TAG, lambda parts: CBORTag(61, parts)),
        ("24", "CWT tag 61 around a COSE_Mac0", _CWT_TAG, lambda parts: CBORTag(61, CBORTag(17, parts))),
        ("25", "Tag 18 twice", _SIGN1, lambda parts: CBORTag(18, CBORTag(18, parts))),
        ("26", "CWT tag 61 twice", _CWT_TAG, lambda parts: CBORTag(61, CBORTag(61, CBORTag(18, parts)))),
        ("27", "Five parts", _SIGN1, lambda parts: CBORTag(18, [*parts, b""])),
        ("28", "Three parts", _SIGN1, lambda parts: CBORTag(18, parts[:3])),
        ("29", "A map instead of an array", _SIGN1, lambda parts: CBORTag(18, dict(enumerate(parts)))),
        ("30", "Text of four characters instead of an array", _SIGN1, lambda _: CBORTag(18, "abcd")),
        ("31", "A detached payload", f"{_SIGN1}; RFC 8392 §7.1", lambda p: CBORTag(18, [p[0], p[1], None, p[3]])),
        ("32", "A payload that is no byte string", _SIGN1, lambda p: CBORTag(18, [p[0], p[1], {1: "FR"}, p[3]])),
        ("33", "A protected header that is no byte string", _SIGN1, lambda p: CBORTag(18, [{1: -7}, *p[1:]])),
        ("34", "A signature that is no byte string", _SIGN1, lambda p: CBORTag(18, [*p[:3], p[3].hex()])),
        ("35", "An array as unprotected header", _SIGN1, lambda p: CBORTag(18, [p[0], [], *p[2:]])),
        ("36", "Null as unprotected header", _SIGN1, lambda p: CBORTag(18, [p[0], None, *p[2:]])),
        ("47", "The tag of self-described CBOR around it", _SIGN1, lambda p: CBORTag(55799, CBORTag(18, p))),
        ("37", "A number and no message", _SIGN1, lambda _: 18),
    ]
    made = [case(f"HC-COSE-{n}", title, sections, _BAD, tag=tag) for n, title, sections, tag in wrong]
    return [
        *made,
        case("HC-COSE-38", "A byte after the message", _SIGN1, _BAD, cose=lambda message: message + b"\0"),
        case("HC-COSE-39", "A byte after a message without a tag", _SIGN1, _BAD, cose=lambda m: m[1:] + b"\0"),
        case("HC-COSE-40", "The last byte is missing", _SIGN1, _BAD, cose=lambda message: message[:-1]),
        case("HC-COSE-41", "No CBOR at all", _SIGN1, _BAD, cose=lambda _: b"\xff" * 20),
        case("HC-COSE-42", "Empty", _SIGN1, _BAD, cose=lambda _: b""),
        case("HC-COSE-44", "A byte after the message, signed with RSA", _SIGN1, _BAD, cose=lambda m: m + b"\0", **_RSA),
        case(
            "HC-COSE-45", "A signature that is text, as long as one of RSA", _SIGN1, _BAD, tag=_text_signature, **_RSA
        ),
        case("HC-COSE-46", "Nothing but the heads of tag and array", _SIGN1, _BAD, cose=lambda message: message[:2]),
        case("HC-COSE-43", "The head of an array of five on four parts", _SIGN1, _BAD, cose=head(b"\x85")),
    ]


def _text_signature(parts: Parts) -> CBORTag:
    return CBORTag(18, [*parts[:3], "x" * 256])


def _headers() -> list[Case]:
    return [
        case("HC-COSE-51", "A kid of text", _COMMON, _BAD, kid="abcdefgh"),
        case("HC-COSE-52", "A kid that is a number", _COMMON, _BAD, kid=12345678),
        case("HC-COSE-53", "A label that is a byte string", _LABEL, _BAD, unprotected={b"x": 1}),
        case("HC-COSE-54", "A label that is true, in the unprotected header", _LABEL, _BAD, unprotected={True: 1}),
        case("HC-COSE-55", "A label that is a float, in the protected header", _LABEL, _BAD, protected=_plus({9.0: 1})),
        case("HC-COSE-56", "kid twice in the protected header", _LABEL, _BAD, protected=_twice()),
        case("HC-COSE-57", "A protected header that is an array", _HEADERS, _BAD, protected=dumps([1, -7])),
        case(
            "HC-COSE-58", "A protected header with a byte after it", _HEADERS, _BAD, protected=dumps(_usual()) + b"\0"
        ),
        case("HC-COSE-59", "A protected header that is no CBOR", _HEADERS, _BAD, protected=b"\xff"),
        case("HC-COSE-60", "A kid that is null", _COMMON, "KEY_NOT_IN_TRUST_LIST", protected={1: -7, 4: None}),
        case("HC-COSE-61", "A header nested too deep", _HEADERS, _BAD, unprotected={99: _nested(20)}),
        case("HC-COSE-62", "A protected header nested too deep", _HEADERS, _BAD, protected=_plus({99: _nested(20)})),
        case("HC-COSE-63", "A label that is null", _LABEL, _BAD, protected=_plus({None: 1})),
    ]


def _crit() -> list[Case]:
    wrong: list[tuple[str, str, str, dict[Any, Any]]] = [
        ("73", "crit demands what nobody understands", _CRIT_BAD, {2: [99], 99: 1}),
        ("74", "crit demands one known and one unknown parameter", _CRIT_BAD, {2: [1, 99], 99: 1}),
        ("75", "crit demands a parameter by name", _CRIT_BAD, {2: ["alg"], "alg": -7}),
        ("76", "crit lists what is not there", _BAD, {2: [3]}),
        ("77", "crit is empty", _BAD, {2: []}),
        ("78", "crit is no array", _BAD, {2: 1}),
        ("79", "crit lists true for 1", _BAD, {2: [True]}),
        ("80", "crit lists a byte string", _BAD, {2: [b"x"]}),
        ("81", "crit is text", _BAD, {2: "alg"}),
        ("82", "crit is null", _BAD, {2: None}),
        ("83", "crit is an empty map", _BAD, {2: {}}),
    ]
    return [
        case("HC-COSE-71", "crit demands alg and kid, which are understood", _COMMON, protected=_plus({2: [1, 4]})),
        case("HC-COSE-72", "crit in the unprotected header", _COMMON, _BAD, unprotected={2: [1]}),
        *[case(f"HC-COSE-{n}", title, _COMMON, code, protected=_plus(more)) for n, title, code, more in wrong],
    ]


def _protected() -> list[Case]:
    other, bad = dumps({1: -7}), "SIGNATURE_INVALID"
    return [
        case("HC-COSE-91", "Another protected header was signed", _SIGNED, bad, signed=lambda _: other),
        case(
            "HC-COSE-92",
            "The protected header was signed re-encoded",
            _SIGNED,
            bad,
            protected=_streamed(),
            signed=lambda _: dumps(_usual()),
        ),
        case(
            "HC-COSE-93",
            "An empty map as protected header, signed as it stands",
            f"{_HEADERS}; {_SIGNED}",
            bad,
            "ALGORITHM_UNPROTECTED",
            protected=b"\xa0",
            unprotected={1: -7, 4: _kid()},
        ),
    ]


def _kid() -> bytes:
    return keys.key("dsc").kid


def _usual() -> dict[Any, Any]:
    return {1: -7, 4: _kid()}


def _plus(more: dict[Any, Any]) -> dict[Any, Any]:
    return _usual() | more


def _streamed() -> bytes:
    return b"\xbf" + dumps(_usual())[1:] + b"\xff"


def _twice() -> bytes:
    return b"\xa3" + dumps(_usual())[1:] + b"\x04\x48" + _kid()


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value
