"""Cases of SMART Health Cards from the compressed payload to its times: HC-SHC-070 to 149."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case
from tools.vectors.families_keys import SHC_ELSEWHERE, SHC_ISSUER
from tools.vectors.families_press import altered, minified, nested
from tools.vectors.families_shc import BUNDLE, Card, shown
from tools.vectors.layers import compress
from tools.vectors.press import EXPIRES, ISSUED, NOW

_JWS, _COMPACT = (
    'SMART Health Cards, "Health Cards are encoded as JWS"',
    'SMART Health Cards, "Health Cards are Compact"',
)
_KEYS = 'SMART Health Cards, "Determining keys associated with an issuer"'
_KID, _BLOCKS, _TIMES, _END = "RFC 7515 §4.1.4", "RFC 1951 §3.2.3", "RFC 7519 §2", "RFC 7519 §4.1.4"
_NAMES, _NUMBERS, _UTF8 = "RFC 8259 §4", "RFC 8259 §6", "RFC 8259 §8.1"
_BAD_JSON, _BAD_STREAM = "JSON_DESERIALIZATION_FAILED", "DECOMPRESSION_FAILED"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_INFLATED = 256 * 1024  # bytes after decompression (Limits.inflated_bytes)


def cases() -> list[Case]:
    """Compression, JSON, issuer and key, signature, times."""
    return [*_streams(), *_json(), *_signers(), *_signatures(), *_times()]


def _streams() -> list[Case]:
    raw = Card().deflate
    return [
        *shown("HC-SHC-070", "No zip in the header", _COMPACT, _BAD_STREAM, header={"zip": ...}),
        *shown("HC-SHC-071", "A zip that is not DEF", _COMPACT, _BAD_STREAM, header={"zip": "GZ"}),
        *shown("HC-SHC-072", "A ZLIB stream instead of bare DEFLATE", _COMPACT, _BAD_STREAM, deflate=compress),
        *shown("HC-SHC-073", "A payload that is not compressed", _COMPACT, _BAD_STREAM, deflate=lambda payload: payload),
        *shown("HC-SHC-074", "Cut short in the middle", _BLOCKS, _BAD_STREAM, deflate=lambda payload: raw(payload)[:200]),
        *shown("HC-SHC-075", "A byte after the stream", _BLOCKS, _BAD_STREAM, deflate=lambda payload: raw(payload) + b"\0"),
        *shown("HC-SHC-076", "More than anybody needs after decompression", _BLOCKS, _BAD_STREAM, payload=b" " * (_INFLATED + 1), write=str),
        *shown("HC-SHC-077", "Codes that the block brings along", _BLOCKS, deflate=lambda payload: compress(payload, form="brought")[2:-4]),
        *shown("HC-SHC-078", "A stored block", "RFC 1951 §3.2.4", deflate=lambda payload: compress(payload, form="stored")[2:-4]),
        *shown("HC-SHC-079", "Nothing compressed at all", _COMPACT, _BAD_STREAM, deflate=lambda _: b""),
    ]  # fmt: skip


def _json() -> list[Case]:
    plain = Card().content()
    wrong: list[tuple[str, str, str, bytes]] = [
        ("080", "A payload that is no JSON", _UTF8, plain[:-1]),
        ("081", "A payload that is an array", _UTF8, b"[%b]" % plain),
        ("082", "A byte order mark before the payload", _UTF8, b"\xef\xbb\xbf" + plain),
        ("083", "A payload that is not UTF-8", _UTF8, plain.decode().encode("latin-1")),
        ("084", "A second value behind the first", _UTF8, plain + b"{}"),
        ("085", "iss twice", _NAMES, plain.replace(b'{"iss":', b'{"iss":"https://cards.example/x","iss":', 1)),
        ("086", "NaN in the payload", _NUMBERS, plain.replace(b'"nbf":', b'"x":NaN,"nbf":', 1)),
        ("087", "A number beyond the range of a double", _NUMBERS, plain.replace(b'"nbf":', b'"x":1e999,"nbf":', 1)),
        ("088", "A payload nested too deep", _UTF8, minified({"iss": SHC_ISSUER, "nbf": ISSUED, "x": nested(40)})),
        ("089", "A payload nested too deep, with spaces", _UTF8, b'{"iss": 1, "x": %b}' % minified(nested(40))),
        ("096", "More values than any card has", _UTF8, minified({"x": [0] * 17000})),
        ("097", "More values than any card has, with spaces", _UTF8, b'{"x": %b}' % minified([0] * 17000)),
        ("095", "Half a surrogate pair in a text", "RFC 8259 §8.2", plain.replace(b"B0001", b"\\ud800")),
        (
            "090",
            "A payload nested beyond any reader",
            _UTF8,
            minified({"x": 0}).replace(b"0", b"[" * 5000 + b"]" * 5000),
        ),
    ]
    return [
        *[case for n, title, s, payload in wrong for case in shown(f"HC-SHC-{n}", title, s, _BAD_JSON, payload=payload)],
        *shown("HC-SHC-091", "A payload with a line end behind it", _COMPACT, "FIELD_UNEXPECTED", payload=plain + b"\n", quirk=True, step="decode"),
        *shown("HC-SHC-092", "A payload with a space before it", _COMPACT, "FIELD_UNEXPECTED", payload=b" " + plain, quirk=True, step="decode"),
        *shown("HC-SHC-093", "A fraction of 20 digits, which no double has", _NUMBERS, claims={"x": 1.5, "y": 10**20}),
        *shown("HC-SHC-094", "Brackets in a text", _UTF8, claims={"x": "[{" * 40}),
    ]  # fmt: skip


def _signers() -> list[Case]:
    unknown, invalid = "KEY_NOT_IN_TRUST_LIST", "ISSUER_INVALID"
    return [
        *shown("HC-SHC-100", "No trusted keys at all", _KEYS, "TRUST_STORE_EMPTY", trust=()),
        *shown("HC-SHC-101", "The kid is another key's of the issuer", _KEYS, unknown, trust=("shc-second",)),
        *shown("HC-SHC-102", "The kid is known as a key of another issuer", _KEYS, unknown, trust=("shc-elsewhere",)),
        *shown("HC-SHC-103", "Another issuer takes the kid of this one", _KEYS, unknown, claims={"iss": SHC_ELSEWHERE}),
        *shown("HC-SHC-104", "The key is one for passes of New Zealand", "WHO trust domains", unknown, trust=("shc-other-domain",)),
        *shown("HC-SHC-105", "On a list that only its server's name vouches for", _KEYS, "KEY_ASSURANCE_TOO_LOW", trust=("shc-tls-only",)),
        *shown("HC-SHC-106", "The same, which the policy accepts", _KEYS, trust=("shc-tls-only",), circumstances={"policy": {"assurances": ["tls_only"]}}),
        *shown("HC-SHC-107", "An issuer with a slash at its end", _KEYS, invalid, claims={"iss": f"{SHC_ISSUER}/"}),
        *shown("HC-SHC-108", "An issuer without TLS", _KEYS, invalid, claims={"iss": SHC_ISSUER.replace("https", "http")}),
        *shown("HC-SHC-109", "An issuer that is no URL", _KEYS, invalid, claims={"iss": "FR"}),
        *shown("HC-SHC-114", "An issuer of more characters than any has", _KEYS, invalid, claims={"iss": SHC_ISSUER.ljust(1025, "x")}),
        *shown("HC-SHC-115", "A list of EU DCCs is too old to tell, of which no card's key is on", "Certificate governance §3.3", unknown, trust=("list-dcc-expired",)),
        *shown("HC-SHC-110", "No issuer", _KEYS, unknown, claims={"iss": ...}),
        *shown("HC-SHC-111", "An issuer that is a number", _KEYS, unknown, claims={"iss": 7}),
        *shown("HC-SHC-112", "A kid that is not ASCII", f"{_KID}; {_KEYS}", unknown, header={"kid": "clé"}),
        *shown("HC-SHC-113", "A DSC with no issuer under the same name", _KEYS, unknown, trust=("dsc",)),
    ]  # fmt: skip


def _signatures() -> list[Case]:
    bad = "SIGNATURE_INVALID"

    def der(key: keys.Private, data: bytes) -> bytes:
        numbers = keys.sign_ecdsa(key, data)
        parts = [b"\0" * (part[0] >> 7) + part for part in (numbers[:32], numbers[32:])]
        body = b"".join(b"\x02" + bytes((len(part),)) + part for part in parts)
        return b"\x30" + bytes((len(body),)) + body

    return [
        *shown("HC-SHC-120", "A bit of the signature differs", _JWS, bad, sign=lambda key, data: _flipped(keys.sign_ecdsa(key, data))),
        *shown("HC-SHC-121", "The signature in DER", _COMPACT, bad, sign=der),
        *shown("HC-SHC-122", "Signed with another key of the same issuer, under the kid of this one", _KEYS, bad, signer="shc-second"),
        *shown("HC-SHC-123", "The payload was signed, and not header and payload", _JWS, bad, sign=lambda key, data: keys.sign_ecdsa(key, data.partition(b".")[2])),
        *shown("HC-SHC-124", "The payload was signed before it was compressed", _COMPACT, bad, sign=lambda key, _: keys.sign_ecdsa(key, Card().content())),
        *shown("HC-SHC-125", "The key under the kid is on another curve", _COMPACT, "UNSUITABLE_PUBLIC_KEY_TYPE", trust=("shc-p384",)),
        *shown("HC-SHC-126", "No signature", _JWS, bad, sign=lambda _key, _data: b""),
        *shown("HC-SHC-127", "The other valid signature with the same r", _JWS, sign=_high_s),
    ]  # fmt: skip


def _flipped(signature: bytes) -> bytes:
    return signature[:-1] + bytes((signature[-1] ^ 1,))


def _high_s(key: keys.Private, data: bytes) -> bytes:
    signature = keys.sign_ecdsa(key, data)
    return signature[:32] + (_ORDER - int.from_bytes(signature[32:])).to_bytes(32)


def _times() -> list[Case]:
    invalid, early, late = "CWT_TIME_INVALID", "CWT_NOT_YET_VALID", "CWT_EXPIRED"
    made: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("130", "It begins at this moment", _JWS, "OK", {"nbf": NOW}),
        ("131", "It begins a second later", _JWS, early, {"nbf": NOW + 1}),
        ("132", "It begins a fraction of a second later", _TIMES, early, {"nbf": NOW + 0.25}),
        ("133", "A fraction of a second in nbf, as many have it", _TIMES, "OK", {"nbf": ISSUED + 0.924}),
        ("134", "With an end", _END, "OK", {"exp": EXPIRES}),
        ("135", "It ends at this moment, and has therefore ended", _END, late, {"exp": NOW}),
        ("136", "It ends a second later", _END, "OK", {"exp": NOW + 1}),
        ("137", "It has ended", _END, late, {"exp": NOW - 1}),
        ("138", "No nbf", _JWS, invalid, {"nbf": ...}),
        ("139", "nbf is null", _TIMES, invalid, {"nbf": None}),
        ("140", "nbf in milliseconds", _TIMES, invalid, {"nbf": ISSUED * 1000}),
        ("141", "exp in milliseconds", _TIMES, invalid, {"exp": EXPIRES * 1000}),
        ("142", "exp as text", _TIMES, invalid, {"exp": str(EXPIRES)}),
        ("143", "nbf that is true", _TIMES, invalid, {"nbf": True}),
        ("144", "nbf before 1970", _TIMES, invalid, {"nbf": -1}),
        ("145", "iat after this moment", _TIMES, early, {"iat": NOW + 1}),
        ("146", "iat that is no moment", _TIMES, invalid, {"iat": "today"}),
    ]
    return [
        *[case for n, title, s, code, claims in made for case in shown(f"HC-SHC-{n}", title, s, code, claims=claims)],
        *shown("HC-SHC-147", "It has ended, and the policy bears what clocks err", _END, claims={"exp": NOW - 9}, circumstances={"policy": {"clock_skew_seconds": 10}}),
        *shown("HC-SHC-148", "It has ended by as much as the policy bears", _END, late, claims={"exp": NOW - 10}, circumstances={"policy": {"clock_skew_seconds": 10}}),
        *shown("HC-SHC-149", "A card from long ago, which has no end", _JWS, claims={"nbf": 0}, bundle=altered(BUNDLE, "entry", 1, "resource", "lotNumber", to=...)),
    ]  # fmt: skip
