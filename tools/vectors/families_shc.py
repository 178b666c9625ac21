"""A press for SMART Health Cards, and the cases of digits, token and header: HC-SHC-001 to 069."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case, scan, scanned_quirk
from tools.vectors.families_keys import SHC_ISSUER, thumbprint
from tools.vectors.families_press import altered, base64url, minified
from tools.vectors.layers import compress
from tools.vectors.press import ISSUED

_QR, _JWS, _COMPACT = (
    f'SMART Health Cards, "{title}"'
    for title in ("Encoding QRs", "Health Cards are encoded as JWS", "Health Cards are Compact")
)
_KEYS = 'SMART Health Cards, "Determining keys associated with an issuer"'
_FORM, _ALG, _CRIT, _KID, _BITS = (
    "RFC 7515 §7.1",
    "RFC 7515 §4.1.1",
    "RFC 7515 §4.1.11",
    "RFC 7515 §4.1.4",
    "RFC 4648 §3.5",
)
_SCHEME = "RFC 3986 §3.1"
_BAD_DIGITS, _BAD_JWS = "NUMERIC_DECODING_FAILED", "JWS_DESERIALIZATION_FAILED"

CVX = "http://hl7.org/fhir/sid/cvx"
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "resource:0",
            "resource": {"resourceType": "Patient", "name": [{"family": "Exemplaire", "given": ["Zoé"]}], "birthDate": "1984-02-29"},
        },
        {
            "fullUrl": "resource:1",
            "resource": {
                "resourceType": "Immunization",
                "status": "completed",
                "vaccineCode": {"coding": [{"system": CVX, "code": "208"}]},
                "patient": {"reference": "resource:0"},
                "occurrenceDateTime": "2021-06-11",
                "performer": [{"actor": {"display": "Example Centre"}}],
                "lotNumber": "B0001",
            },
        },
    ],
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Card:
    """One field a layer, sound unless told otherwise."""

    bundle: Any = field(default_factory=lambda: BUNDLE)
    vc: dict[str, Any] = field(default_factory=dict)
    """Changes to the member ``vc``; ``...`` removes one."""
    claims: dict[str, Any] = field(default_factory=dict)
    payload: bytes | None = None
    deflate: Callable[[bytes], bytes] = lambda payload: compress(payload)[2:-4]
    header: dict[str, Any] = field(default_factory=dict)
    head: bytes | None = None
    """The bytes of the header; without them, ``alg``, ``zip`` and ``kid`` with the changes of ``header``."""
    signer: str = "shc"
    sign: Callable[[keys.Private, bytes], bytes] = keys.sign_ecdsa
    token: Callable[[str], str] = lambda token: token

    def content(self) -> bytes:
        """The payload before it is compressed."""
        if self.payload is not None:
            return self.payload
        vc = _changed(
            {
                "type": ["https://smarthealth.cards#health-card"],
                "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": self.bundle},
            },
            self.vc,
        )
        return minified(_changed({"iss": SHC_ISSUER, "nbf": ISSUED, "vc": vc}, self.claims))

    def jws(self) -> str:
        """The token."""
        key = keys.private_key(self.signer, "P-256")
        head = self.head or minified(_changed({"alg": "ES256", "zip": "DEF", "kid": thumbprint("shc")}, self.header))
        signed = f"{base64url(head)}.{base64url(self.deflate(self.content()))}"
        return self.token(f"{signed}.{base64url(self.sign(key, signed.encode()))}")


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (values | changes).items() if value is not ...}


def patch(entry: int, resource: dict[str, Any], changes: dict[str, Any]) -> Any:
    """The bundle with this resource, so changed, in one of its entries."""
    return altered(BUNDLE, "entry", entry, "resource", to=_changed(resource, changes))


def dose(**changes: Any) -> Any:
    """The bundle with these changes to its vaccination; ``...`` removes a member."""
    return patch(1, BUNDLE["entry"][1]["resource"], changes)


def concept(system: str, code: str, **more: Any) -> dict[str, Any]:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code} | more]}


def digits(jws: str) -> str:
    """Each character as two digits."""
    return "".join(f"{ord(character) - 45:02}" for character in jws)


def shown(
    case_id: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    write: Callable[[str], str] = lambda jws: f"shc:/{digits(jws)}",
    trust: tuple[str, ...] = ("shc",),
    quirk: bool = False,
    step: str | None = None,
    circumstances: dict[str, Any] | None = None,
    **card: Any,
) -> list[Case]:
    """The case of a card, and where it is a ``quirk`` the same under the strict policy.

    ``write`` makes a text of the token, further names are fields of :class:`Card`.
    """
    made = Card(**card)
    facts: dict[str, Any] = {
        "of": write(made.jws()),
        "trust": trust,
        "step": step,
        "layers": {"json": made.content()},
        **(circumstances or {}),
    }
    if quirk:
        return scanned_quirk(case_id, title, sections, code, *warnings, **facts)
    return [scan(case_id, title, sections, code, *warnings, **facts)]


def cases() -> list[Case]:
    """The digits, the token and its header."""
    return [*_digits(), *_tokens(), *_headers()]


def _digits() -> list[Case]:
    plain = Card().jws()
    wrong: list[tuple[str, str, Callable[[str], str]]] = [
        ("010", "A digit is missing", lambda jws: f"shc:/{digits(jws)[:-1]}"),
        ("011", "A pair of digits above the largest", lambda jws: f"shc:/{digits(jws)[:-2]}78"),
        ("012", "The largest pair of digits that there is", lambda jws: f"shc:/{digits(jws)[:-2]}99"),
        ("013", "A letter among the digits", lambda jws: f"shc:/{digits(jws)[:-2]}4a"),
        ("014", "A letter of hexadecimal that would be a character", lambda jws: f"shc:/{digits(jws)[:-2]}0a"),
        ("015", "A space between two pairs", lambda jws: f"shc:/{digits(jws)[:10]} {digits(jws)[10:]}"),
        ("016", "Digits of another script", lambda jws: f"shc:/{digits(jws)[:-2]}٤٥"),
        ("017", "Nothing behind the scheme", lambda _: "shc:/"),
        ("018", "The token itself behind the scheme", lambda jws: f"shc:/{jws}"),
        ("019", "Another word between the slashes", lambda jws: f"shc:/x/1/{digits(jws)}"),
    ]
    return [
        *shown("HC-SHC-001", "A card in one QR code", f"{_QR}; {_COMPACT}; {_JWS}"),
        *shown("HC-SHC-002", "The token as it stands in files", _JWS, write=str),
        *shown("HC-SHC-003", "The scheme in capitals", _SCHEME, write=lambda jws: f"SHC:/{digits(jws)}"),
        *shown("HC-SHC-004", "The scheme without its slash, as early wallets had it", _QR, "FIELD_MISSING", write=lambda jws: f"shc:{digits(jws)}", quirk=True, step="decode"),
        *shown("HC-SHC-023", "The scheme with two slashes", _QR, "FIELD_UNEXPECTED", write=lambda jws: f"shc://{digits(jws)}", quirk=True, step="decode"),
        *shown("HC-SHC-005", "A card of as many characters as one symbol of version 22 holds", _QR, **_sized(1195)),
        *shown("HC-SHC-006", "A card of one character more", _QR, "CARD_TOO_LONG", **_sized(1196), quirk=True),
        *shown("HC-SHC-007", "A token of one character more", _QR, "CARD_TOO_LONG", **_sized(1196), write=str, quirk=True),
        *shown("HC-SHC-008", "A card that is not wanted by the policy", _QR, "FAMILY_NOT_ACCEPTED", circumstances={"policy": {"families": ["EU DCC"]}}),
        *shown("HC-SHC-009", "The scheme of another kind of text", _QR, "INVALID_SCHEME_PREFIX", write=lambda jws: f"shd:/{digits(jws)}"),
        *[case for n, title, write in wrong for case in shown(f"HC-SHC-{n}", title, _QR, _BAD_DIGITS, write=write)],
        *shown("HC-SHC-020", "More digits than any barcode holds", _QR, "INPUT_TOO_LONG", write=lambda _: "shc:/".ljust(4301, "0")),
        scan("HC-SHC-021", "A token of as many characters as a document may have", _FORM, "DECOMPRESSION_FAILED", of=plain.replace(".", "." + "A" * (256 * 1024 - len(plain)), 1), trust=("shc",)),
        scan("HC-SHC-022", "A token of one character more", _FORM, "INPUT_TOO_LONG", of=plain.replace(".", "." + "A" * (256 * 1024 - len(plain) + 1), 1), trust=("shc",)),
    ]  # fmt: skip


def _sized(size: int) -> dict[str, Any]:
    """What a card has to have besides, for its token to have ``size`` characters."""
    noise = shake_256(b"noise").hexdigest(400)
    fillings: Iterator[dict[str, Any]] = (
        {"claims": {"x": noise[:n]}, "header": {"x": "x" * m}} for n in range(800) for m in range(3)
    )
    return next(filling for filling in fillings if len(Card(**filling).jws()) == size)


def _tokens() -> list[Case]:
    def part(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
        return lambda jws: ".".join(change(p) if n == number else p for n, p in enumerate(jws.split(".")))

    wrong: list[tuple[str, str, str, Callable[[str], str]]] = [
        ("030", "Two parts", _FORM, lambda jws: jws.rpartition(".")[0]),
        ("031", "Four parts", _FORM, lambda jws: f"{jws}.AAAA"),
        (
            "032",
            "A payload of a length that no bytes have",
            _BITS,
            part(1, lambda p: p + "A" * ((5 - len(p)) % 4 or 4)),
        ),
        ("033", "A signature with padding", _BITS, part(2, lambda p: p + "==")),
        ("034", "Bits left over behind the signature", _BITS, part(2, lambda p: p[:-1] + chr(ord(p[-1]) + 1))),
        ("035", "A header that is not base64url", _FORM, part(0, lambda p: p[:3] + "=" + p[4:])),
    ]
    return [
        *[case for n, title, s, token in wrong for case in shown(f"HC-SHC-{n}", title, s, _BAD_JWS, token=token)],
        *shown("HC-SHC-036", "A character of base64 that is none of base64url, as a token", _FORM, _BAD_JWS, token=part(1, lambda p: p[:8] + "+" + p[9:]), write=str),
        *shown("HC-SHC-037", "A character that is no ASCII, as a token", _FORM, _BAD_JWS, token=part(1, lambda p: p[:8] + "Ä" + p[9:]), write=str),
        *shown("HC-SHC-038", "A token of another kind (JWT): neither compressed nor a card", _FORM, "INVALID_SCHEME_PREFIX", header={"zip": ...}, payload=minified({"iss": SHC_ISSUER, "sub": "x"}), deflate=lambda payload: payload, write=str),
        *shown("HC-SHC-043", "A token with a space before it", _FORM, _BAD_JWS, write=lambda jws: f" {jws}"),
        *shown("HC-SHC-044", "A space, and a token that begins as none does", _FORM, "INVALID_SCHEME_PREFIX", head=b'{ "alg":"ES256","zip":"DEF"}', write=lambda jws: f" {jws}"),
        *shown("HC-SHC-042", "A card that is not compressed, and does not say so", _COMPACT, "DECOMPRESSION_FAILED", header={"zip": ...}, deflate=lambda payload: payload, write=str),
        *shown("HC-SHC-039", "A token of two parts", _FORM, "INVALID_SCHEME_PREFIX", token=lambda jws: jws.rpartition(".")[0], write=str),
        *shown("HC-SHC-040", "A token whose header is longer than any", _FORM, "INVALID_SCHEME_PREFIX", header={"x": "x" * 4096}, write=str),
        *shown("HC-SHC-041", "A token whose header is no base64", _FORM, "INVALID_SCHEME_PREFIX", token=lambda jws: f"eyJÄ.{jws}".replace(".", "", 1), write=str),
    ]  # fmt: skip


def _headers() -> list[Case]:
    refused, unknown = "ALGORITHM_NOT_ACCEPTED", "KEY_NOT_IN_TRUST_LIST"
    return [
        *shown("HC-SHC-050", "A header that is an array", _ALG, _BAD_JWS, head=b'["ES256"]'),
        *shown("HC-SHC-051", "A header that is no JSON", _ALG, _BAD_JWS, head=b'{"alg"}'),
        *shown("HC-SHC-052", "kid twice in the header", "RFC 7515 §4", _BAD_JWS, head=b'{"alg":"ES256","zip":"DEF","kid":"x","kid":"%b"}' % thumbprint("shc").encode()),
        *shown("HC-SHC-053", "An alg that is a number", _ALG, _BAD_JWS, header={"alg": -7}),
        *shown("HC-SHC-054", "No alg", f"{_ALG}; {_COMPACT}", refused, header={"alg": ...}),
        *shown("HC-SHC-055", "The alg none", _COMPACT, refused, header={"alg": "none"}, sign=lambda _key, _data: b""),
        *shown("HC-SHC-056", "An algorithm that no card is signed with", _COMPACT, refused, header={"alg": "ES384"}),
        *shown("HC-SHC-057", "Another algorithm, which the policy wants", _COMPACT, refused, circumstances={"policy": {"algorithms": ["PS256"]}}),
        *shown("HC-SHC-058", "crit demands what nobody understands", _CRIT, "CRITICAL_HEADER_UNKNOWN", header={"crit": ["x"], "x": 1}),
        *shown("HC-SHC-059", "b64 says that the payload is spelt otherwise", "RFC 7797 §3", "CRITICAL_HEADER_UNKNOWN", header={"b64": False}),
        *shown("HC-SHC-060", "A kid that is a number", _KID, _BAD_JWS, header={"kid": 7}),
        *shown("HC-SHC-061", "A kid that is null", _KID, _BAD_JWS, header={"kid": None}),
        *shown("HC-SHC-062", "No kid", _KEYS, unknown, header={"kid": ...}),
        *shown("HC-SHC-063", "A header parameter that nobody knows", _COMPACT, header={"x": 1}),
        *shown("HC-SHC-064", "A header of more than 256 characters", _COMPACT, header={"x": "x" * 200}),
        *shown("HC-SHC-065", "NaN in the header", _ALG, _BAD_JWS, head=b'{"alg":"ES256","zip":"DEF","kid":"%b","x":NaN}' % thumbprint("shc").encode()),
    ]  # fmt: skip
