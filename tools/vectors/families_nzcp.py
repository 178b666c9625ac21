"""A press for NZ COVID Passes, and the cases from the text to the signature: HC-NZCP-001 to 079."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cbor2 import CBORTag, dumps

from tools.vectors import keys
from tools.vectors.case import Case, scan, scanned_quirk
from tools.vectors.families_keys import NZCP_ELSEWHERE, NZCP_ISSUER
from tools.vectors.press import EXPIRES, ISSUED, tagged_18

_BARCODE, _STEPS, _ALGORITHMS, _HEADERS, _CLAIMS, _DOCUMENT = (
    f'NZ COVID Pass, "{title}"'
    for title in (
        "2D Barcode Encoding",
        "Steps to verify",
        "Cryptographic Digital Signature Algorithm Selection",
        "CWT Headers",
        "CWT Claims",
        "DID Document",
    )
)
_ALPHABET, _BITS, _BASE32, _DID = "RFC 4648 §3.3", "RFC 4648 §3.5", "RFC 4648 §6", "DID Core §3.1"
_BAD_TEXT, _BAD_COSE, _BAD_CBOR = (
    "BASE_32_DECODING_FAILED",
    "COSE_DESERIALIZATION_FAILED",
    "CBOR_DESERIALIZATION_FAILED",
)

PASS: dict[str, Any] = {
    "@context": ["https://www.w3.org/2018/credentials/v1", "https://nzcp.covid19.health.nz/contexts/v1"],
    "version": "1.0.0",
    "type": ["VerifiableCredential", "PublicCovidPass"],
    "credentialSubject": {"givenName": "Zoé", "familyName": "Exemplaire", "dob": "1984-02-29"},
}


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One field a layer, sound unless told otherwise; changes to ``...`` remove a member."""

    subject: dict[str, Any] = field(default_factory=dict)
    vc: dict[str, Any] = field(default_factory=dict)
    claims: dict[Any, Any] = field(default_factory=dict)
    cwt: bytes | None = None
    protected: dict[int, Any] = field(default_factory=dict)
    unprotected: dict[int, Any] = field(default_factory=dict)
    sign: Callable[[keys.Private, bytes], bytes] = keys.sign_ecdsa
    signer: str = "nzcp"
    tag: Callable[[list[Any]], Any] = tagged_18
    cose: Callable[[bytes], bytes] = lambda message: message
    armour: Callable[[bytes], str] = lambda data: base64.b32encode(data).decode().rstrip("=")
    prefix: str = "NZCP:/1/"

    def layers(self) -> tuple[str, dict[str, bytes]]:
        """The text and what is below it."""
        vc = _changed(PASS | {"credentialSubject": _changed(PASS["credentialSubject"], self.subject)}, self.vc)
        claims = {1: NZCP_ISSUER, 4: EXPIRES, 5: ISSUED, 7: bytes(range(16)), "vc": vc}
        cwt = dumps(_changed(claims, self.claims)) if self.cwt is None else self.cwt
        protected = dumps(_changed({4: b"key-1", 1: -7}, self.protected))
        # RFC 9052 §4.4.
        signature = self.sign(keys.private_key(self.signer, "P-256"), dumps(["Signature1", protected, b"", cwt]))
        message = self.cose(dumps(self.tag([protected, self.unprotected, cwt, signature])))
        return self.prefix + self.armour(message), {"cwt": cwt, "cose": message}


def _changed(values: dict[Any, Any], changes: dict[Any, Any]) -> dict[Any, Any]:
    return {name: value for name, value in (values | changes).items() if value is not ...}


def shown(
    number: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    trust: tuple[str, ...] = ("nzcp",),
    scanned: Callable[[str], str] = lambda text: text,
    quirk: bool = False,
    step: str | None = None,
    policy: dict[str, Any] | None = None,
    **made: Any,
) -> list[Case]:
    """The case of a pass, and where it is a ``quirk`` the same under the strict policy.

    ``scanned`` turns the text into what the scanner delivers; further names are fields of :class:`Pass`.
    """
    text, layers = Pass(**made).layers()
    facts: dict[str, Any] = {"of": scanned(text), "trust": trust, "step": step, "layers": layers}
    if quirk:
        return scanned_quirk(f"HC-NZCP-{number}", title, sections, code, *warnings, **facts)
    circumstances: dict[str, Any] = {} if policy is None else {"policy": policy}
    return [scan(f"HC-NZCP-{number}", title, sections, code, *warnings, **facts, **circumstances)]


def cases() -> list[Case]:
    """Prefix, base32, COSE, headers, issuer and key, signature."""
    return [*_texts(), *_messages(), *_signers(), *_signatures()]


def _texts() -> list[Case]:
    def spare(text: str) -> str:
        """A last symbol with a bit that belongs to no byte."""
        bits = 5 * (len(text) - 8) % 8
        assert bits, "this content leaves no bit free: take another"
        return text[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(text[-1]) | 1]

    prefixes = {
        "010": ("NZCP:/2/", "A later version", "UNSUPPORTED_VERSION"),
        "011": ("NZCP:/0/", "Version 0", "UNSUPPORTED_VERSION"),
        "012": ("NZCP:/01/", "A version with a zero in front", "INVALID_SCHEME_PREFIX"),
        "013": ("NZCP:/", "No version", "INVALID_SCHEME_PREFIX"),
        "014": ("NZCP:/x/", "A version that is a letter", "INVALID_SCHEME_PREFIX"),
    }
    return [
        *shown("001", "A pass", f"{_BARCODE}; {_BASE32}; {_ALGORITHMS}; {_HEADERS}; {_CLAIMS}; {_DID}"),
        *shown("002", "A line end of the scanner after the text", _BARCODE, scanned=lambda text: text + "\r\n"),
        *shown("003", "A pass that the policy does not want", _BARCODE, "FAMILY_NOT_ACCEPTED", policy={"families": ["EU DCC"]}),
        *[case for n, (prefix, title, code) in prefixes.items() for case in shown(n, title, f"{_STEPS}; {_BARCODE}", code, prefix=prefix, step="decode")],
        *shown("015", "The prefix in lower case", _BARCODE, "INVALID_SCHEME_PREFIX", prefix="nzcp:/1/"),
        *shown("016", "Lower case", _ALPHABET, _BAD_TEXT, scanned=lambda text: text[:8] + text[8:].lower()),
        *shown("017", "With the padding", _ALPHABET, _BAD_TEXT, armour=lambda data: base64.b32encode(data + b"\0" * (4 - len(data) % 5)).decode()),
        *shown("018", "A symbol that base32 does not have", _ALPHABET, _BAD_TEXT, scanned=lambda text: text[:20] + "1" + text[21:]),
        *shown("019", "A character that is no ASCII", _ALPHABET, _BAD_TEXT, scanned=lambda text: text[:20] + "Ä" + text[21:]),
        *shown("020", "A space in the text", _ALPHABET, _BAD_TEXT, scanned=lambda text: text[:20] + " " + text[21:]),
        *shown("021", "An underscore in the text", _ALPHABET, _BAD_TEXT, scanned=lambda text: text[:20] + "_" + text[21:]),
        *shown("022", "A length that no bytes have", _BASE32, _BAD_TEXT, scanned=lambda text: text[: len(text) // 8 * 8] + "A"),
        *shown("023", "A bit set behind the last byte", _BITS, _BAD_TEXT, scanned=spare, **_uneven()),
        *shown("024", "Nothing behind the version", _BARCODE, _BAD_COSE, armour=lambda _: ""),
    ]  # fmt: skip


def _uneven() -> dict[str, Any]:
    """What a pass has to say for its last symbol to have bits to spare."""
    return next(
        {"subject": {"givenName": "Zoé" + "e" * n}}
        for n in range(5)
        if (len(Pass(subject={"givenName": "Zoé" + "e" * n}).layers()[0]) - 8) % 8
    )


def _messages() -> list[Case]:
    return [
        *shown("030", "Without tag 18", _ALGORITHMS, _BAD_COSE, tag=lambda parts: parts),
        *shown("031", "CWT tag 61 around tag 18", _ALGORITHMS, _BAD_COSE, tag=lambda parts: CBORTag(61, CBORTag(18, parts))),
        *shown("032", "A COSE_Mac0", _ALGORITHMS, _BAD_COSE, tag=lambda parts: CBORTag(17, parts)),
        *shown("033", "A byte after the message", "RFC 9052 §4.2", _BAD_COSE, cose=lambda message: message + b"\0"),
        *shown("034", "Three parts", "RFC 9052 §4.2", _BAD_COSE, tag=lambda parts: CBORTag(18, parts[:3])),
        *shown("035", "Claims that are an array", _CLAIMS, _BAD_CBOR, cwt=dumps([1, 2])),
        *shown("036", "Claims that are no CBOR", _CLAIMS, _BAD_CBOR, cwt=b"\xff"),
        *shown("037", "A kid that is a text, as the specification has it", _HEADERS, protected={4: "key-1"}),
        *shown("038", "A kid that is a number", _HEADERS, _BAD_COSE, protected={4: 1}),
        *shown("039", "A header that nobody knows", _HEADERS, protected={99: b"x"}),
        *shown("040", "A protected header of more than 64 bytes", _HEADERS, protected={99: bytes(64)}),
        *shown("041", "A kid in a tag", _HEADERS, _BAD_COSE, protected={4: CBORTag(99, "x")}),
    ]  # fmt: skip


def _signers() -> list[Case]:
    unknown, invalid = "KEY_NOT_IN_TRUST_LIST", "ISSUER_INVALID"
    return [
        *shown("050", "No trusted keys at all", _DOCUMENT, "TRUST_STORE_EMPTY", trust=()),
        *shown("051", "The kid of another key of the issuer", _DOCUMENT, unknown, protected={4: b"key-2"}),
        *shown("052", "The kid is known as a key of another issuer", _DOCUMENT, unknown, trust=("nzcp-elsewhere",)),
        *shown("053", "Another issuer with a kid of the same name", _DOCUMENT, unknown, claims={1: NZCP_ELSEWHERE}),
        *shown("054", "The key is one for SMART Health Cards", "WHO trust domains", unknown, trust=("nzcp-other-domain",)),
        *shown("055", "No kid", _HEADERS, unknown, protected={4: ...}),
        *shown("056", "A kid in the unprotected header", _HEADERS, unknown, protected={4: ...}, unprotected={4: b"key-1"}),
        *shown("057", "No issuer", _CLAIMS, unknown, claims={1: ...}),
        *shown("058", "An issuer that is a number", _CLAIMS, unknown, claims={1: 7}),
        *shown("059", "An issuer that is a URL", _DID, invalid, claims={1: "https://pass.example"}),
        *shown("060", "A DID of another method", _DID, invalid, claims={1: "did:key:pass.example"}),
        *shown("061", "A DID with a fragment", _DID, invalid, claims={1: f"{NZCP_ISSUER}#key-1"}),
        *shown("062", "A DID with a path of its own, which nobody knows", _DID, unknown, claims={1: f"{NZCP_ISSUER}:passes:nz"}),
        *shown("063", "A DID with a line end", _DID, invalid, claims={1: f"{NZCP_ISSUER}\n"}),
        *shown("064", "A kid that does not print", _DOCUMENT, unknown, protected={4: b"\xff\x00"}),
    ]  # fmt: skip


def _signatures() -> list[Case]:
    bad, refused = "SIGNATURE_INVALID", "ALGORITHM_NOT_ACCEPTED"

    def flipped(key: keys.Private, data: bytes) -> bytes:
        signature = keys.sign_ecdsa(key, data)
        return signature[:-1] + bytes((signature[-1] ^ 1,))

    return [
        *shown("070", "A bit of the signature differs", _STEPS, bad, sign=flipped),
        *shown("071", "Signed with another key", _STEPS, bad, signer="nzcp-forger"),
        *shown("072", "A byte is missing from the signature", _STEPS, bad, sign=lambda key, data: keys.sign_ecdsa(key, data)[:-1]),
        *shown("073", "Another algorithm is named", _ALGORITHMS, refused, protected={1: -37}),
        *shown("074", "No algorithm is named", _HEADERS, refused, protected={1: ...}),
        *shown("075", "The algorithm in the unprotected header", _HEADERS, refused, protected={1: ...}, unprotected={1: -7}),
        *shown("076", "An algorithm by a name", _ALGORITHMS, refused, protected={1: "ES256"}),
        *shown("077", "An algorithm of a number that nobody has", _ALGORITHMS, refused, protected={1: -(10**9)}),
    ]  # fmt: skip
