"""A press for French 2D-Docs, and the cases from the text to the signature and its day: HC-2DD-001 to 129."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case, scan, scanned_quirk

_HEADER, _SIGNATURE, _MESSAGE, _TYPES = (
    f"2D-Doc specification, {part}" for part in ("header", "signature", "message", "annex of types")
)
_VALIDITY = "2D-Doc specification §6"
_ALPHABET, _BITS, _BASE32 = "RFC 4648 §3.3", "RFC 4648 §3.5", "RFC 4648 §6"
_BAD, _BAD_TEXT = "TWODDOC_DESERIALIZATION_FAILED", "BASE_32_DECODING_FAILED"
GS, RS, US = "\x1d", "\x1e", "\x1f"
_EPOCH = date(2000, 1, 1)

VACCINATED: dict[str, str] = {
    "L0": "EXEMPLAIRE",
    "L1": "ZOE",
    "L2": "29021984",
    "L3": "COVID-19",
    "L4": "J07BX03",
    "L5": "COMIRNATY PFIZER/BIONTECH",
    "L6": "COMIRNATY PFIZER/BIONTECH",
    "L7": "1",
    "L8": "2",
    "L9": "11062021",
    "LA": "CO",
}
TESTED: dict[str, str] = {
    "F0": "ZOE",
    "F1": "EXEMPLAIRE",
    "F2": "29021984",
    "F3": "F",
    "F4": "945006",
    "F5": "N",
    "F6": "190820211000",
}
_FIXED = {"L2": 8, "L7": 1, "L8": 1, "L9": 8, "LA": 2, "F2": 8, "F3": 1, "F5": 1, "F6": 12, "06": 6, "08": 4}
_TO_FR = {32: "FR000001", 48: "FR000384", 66: "FR000521"}


def days(day: date | None) -> str:
    """A day as the header has it."""
    return "FFFF" if day is None else f"{(day - _EPOCH).days:04X}"


def message(fields: dict[str, str]) -> str:
    """Fields one after the other; a separator behind those whose length may vary."""
    return "".join(name + value + ("" if name in _FIXED else GS) for name, value in fields.items())


@dataclass(frozen=True, kw_only=True)
class Document:
    """One part a field, sound unless told otherwise."""

    fields: dict[str, str] = field(default_factory=lambda: VACCINATED)
    message: str | None = None
    version: str = "04"
    kid: str | None = None
    dated: str = days(date(2021, 6, 11))
    on: str = days(date(2021, 8, 12))
    type: str = "L1"
    tail: str | None = None
    """Perimeter and country; without it, those of the version."""
    signer: str = "twoddoc"
    size: int = 32
    """Bytes of r, and of s."""
    sign: Callable[[keys.Private, bytes], bytes] | None = None
    signature: Callable[[str], str] = lambda text: text
    """What becomes of the signature in base32."""
    annex: str = ""

    def parts(self) -> tuple[str, str]:
        """What is signed, and the whole text."""
        tail = {"01": "", "02": "", "03": "01", "04": "01FR"}[self.version] if self.tail is None else self.tail
        kid = _TO_FR[self.size] if self.kid is None else self.kid
        text = message(self.fields) if self.message is None else self.message
        signed = f"DC{self.version}{kid}{self.dated}{self.on}{self.type}{tail}{text}"
        key = keys.key(self.signer).private
        signature = self.sign(key, signed.encode()) if self.sign else keys.sign_ecdsa(key, signed.encode(), self.size)
        shown = (
            signature.decode("latin-1") if self.version == "01" else base64.b32encode(signature).decode().rstrip("=")
        )
        return signed, f"{signed}{US}{self.signature(shown)}{self.annex}"


def shown(
    number: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    trust: tuple[str, ...] | None = None,
    quirk: bool = False,
    step: str | None = None,
    scanned: Callable[[str], str | bytes] = lambda text: text,
    circumstances: dict[str, Any] | None = None,
    **made: Any,
) -> list[Case]:
    """The case of a document, and where it is a ``quirk`` the same under the strict policy."""
    signed, text = Document(**made).parts()
    facts: dict[str, Any] = {"of": scanned(text), "trust": (made.get("signer", "twoddoc"),) if trust is None else trust}
    facts |= {"step": step, "layers": {"signed": signed.encode()}, **(circumstances or {})}
    if quirk:
        return scanned_quirk(f"HC-2DD-{number}", title, sections, code, *warnings, **facts)
    return [scan(f"HC-2DD-{number}", title, sections, code, *warnings, **facts)]


def cases() -> list[Case]:
    """Versions, header, separators, signature, key, days."""
    return [*_versions(), *_headers(), *_spellings(), *_encodings(), *_signers(), *_days()]


def _versions() -> list[Case]:
    return [
        *shown("001", "An attestation of vaccination, version 4", f"{_HEADER}; {_SIGNATURE}; {_MESSAGE}; {_BASE32}"),
        *shown("002", "Version 3", _HEADER, version="03"),
        *shown("003", "Version 2", _HEADER, version="02"),
        *shown("004", "Version 1, whose signature is bytes", _SIGNATURE, version="01", scanned=lambda text: text.encode("latin-1")),
        *shown("005", "Version 1, each byte of the signature a character", _SIGNATURE, version="01"),
        *shown("006", "Version 1 with something behind the signature that it does not cover", _SIGNATURE, version="01", annex=f"{GS}X", scanned=lambda text: text.encode("latin-1")),
        *shown("018", "Version 1 with a line end as the last byte of its signature, which is not the scanner's", _SIGNATURE, scanned=lambda text: text.encode("latin-1"), **_line_end()),
        *shown("007", "A version that is a byte", _HEADER, "INVALID_SCHEME_PREFIX", scanned=lambda text: f"DC\x04{text[4:]}"),
        *shown("008", "A document that the policy does not want", _HEADER, "FAMILY_NOT_ACCEPTED", circumstances={"policy": {"families": ["EU DCC"]}}),
        *shown("009", "A test for COVID-19", f"{_HEADER}; {_TYPES}", "OK", "TIME_WITHOUT_ZONE", fields=TESTED, type="B2"),
    ]  # fmt: skip


def _line_end() -> dict[str, Any]:
    """What a document has to say for the last byte of its signature to be a line end."""
    said: Iterator[dict[str, Any]] = ({"version": "01", "dated": f"{n:04X}"} for n in range(8000))
    return next(one for one in said if Document(**one).parts()[1].endswith("\n"))


def _headers() -> list[Case]:
    unknown = "INVALID_SCHEME_PREFIX"
    wrong: list[tuple[str, str, Callable[[str], str]]] = [
        ("010", "A version that nobody knows", lambda text: "DC05" + text[4:]),
        ("011", "A header in lower case", lambda text: text[:26].lower() + text[26:]),
        ("012", "A day with a digit that is none", lambda text: text[:12] + "111G" + text[16:]),
        ("013", "Nothing but the beginning", lambda text: text[:20]),
        ("014", "A space in the name of the authority", lambda text: text[:4] + "FR 0" + text[8:]),
        ("015", "A type with a letter beyond the alphabet", lambda text: text[:20] + "Lé" + text[22:]),
    ]
    return [
        *[case for n, title, scanned in wrong for case in shown(n, title, _HEADER, unknown, scanned=scanned)],
        *shown("016", "No signature", _SIGNATURE, _BAD, scanned=lambda text: text.partition(US)[0]),
        *shown("017", "Another type of document", _TYPES, "CONTENT_NOT_SUPPORTED", type="A0", message="01X"),
        *shown("019", "The type of a vaccination in another perimeter", _TYPES, "CONTENT_NOT_SUPPORTED", tail="02FR"),
    ]  # fmt: skip


def _spellings() -> list[Case]:
    spelt = {
        "030": ("Separators in angle brackets", "<GS>", "<US>"),
        "031": ("Separators in braces", "{gs}", "{us}"),
        "032": ("Separators as pictures", "\u241d", "\u241f"),
        "033": ("Separators as escapes of a URL", "%1D", "%1F"),
        "034": ("Separators as escapes of a string", "\\u001d", "\\x1f"),
        "035": ("Separators by the name of their function", "<FNC1>", "<US>"),
    }

    def spell(gs: str, us: str) -> Callable[[str], str]:
        return lambda text: text.replace(GS, gs).replace(US, us)

    accent = VACCINATED | {"L1": "ZOÉ"}
    return [
        *[case for n, (title, gs, us) in spelt.items() for case in shown(n, title, _MESSAGE, scanned=spell(gs, us))],
        *shown("036", "A link of the French wallet, with the document as its fragment", _MESSAGE, scanned=lambda text: "https://bonjour.tousanticovid.gouv.fr/app/wallet2d#" + _escaped(text)),
        *shown("037", "A link of the French wallet, with the document as its parameter", _MESSAGE, scanned=lambda text: "https://bonjour.tousanticovid.gouv.fr/app/wallet?v=" + _escaped(text)),
        *shown("038", "A link of the French wallet without a document", _MESSAGE, "INVALID_SCHEME_PREFIX", scanned=lambda _: "https://bonjour.tousanticovid.gouv.fr/app/wallet?x=1"),
        *shown("039", "A link of another host", _MESSAGE, "INVALID_SCHEME_PREFIX", scanned=lambda text: "https://tousanticovid.example/app/wallet2d#" + _escaped(text)),
        *shown("040", "A link with what is no UTF-8", _MESSAGE, "INVALID_SCHEME_PREFIX", scanned=lambda text: "https://bonjour.tousanticovid.gouv.fr/app/wallet2d#%FF" + _escaped(text)),
        *shown("041", "Letters beyond ASCII", _MESSAGE, fields=accent),
        *shown("042", "Letters beyond ASCII, as the bytes of a barcode", _MESSAGE, fields=accent, scanned=lambda text: text.encode() + b"\r\n"),
        *shown("043", "Letters beyond ASCII, signed in Latin-1", _MESSAGE, fields=accent, sign=lambda key, data: keys.sign_ecdsa(key, data.decode().encode("latin-1")), scanned=lambda text: text.encode("latin-1")),
        *shown("044", "A character that no barcode has held, in version 1", _MESSAGE, _BAD, version="01", scanned=lambda text: text.replace("ZOE", "ZO\u4e00")),
        *shown("046", "A link to a page of the French wallet with a word too many", _MESSAGE, "INVALID_SCHEME_PREFIX", scanned=lambda text: "https://bonjour.tousanticovid.gouv.fr/app/wallets#" + _escaped(text)),
        *shown("047", "A link with spaces as +", _MESSAGE, scanned=lambda text: "https://bonjour.tousanticovid.gouv.fr/app/wallet?x=1&v=" + _escaped(text).replace("%20", "+")),
    ]  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def _encodings() -> list[Case]:
    def spare(text: str) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]

    return [
        *shown("050", "A signature in lower case", _ALPHABET, _BAD_TEXT, signature=str.lower),
        *shown("051", "A symbol that base32 does not have", _ALPHABET, _BAD_TEXT, signature=lambda text: text[:-1] + "1"),
        *shown("052", "A signature of a length that no bytes have", _BASE32, _BAD_TEXT, signature=lambda text: text[:-1]),
        *shown("053", "Bits left over behind the signature", _BITS, _BAD_TEXT, signature=spare),
        *shown("054", "A signature with its padding, as some wallets have it", _SIGNATURE, signature=lambda text: text + "="),
        *shown("055", "Something behind the signature that it does not cover", _SIGNATURE, annex=f"{GS}X0Y"),
        *shown("056", "A signature of a length that no algorithm has", _SIGNATURE, "ALGORITHM_NOT_ACCEPTED", sign=lambda key, data: keys.sign_ecdsa(key, data)[:60]),
        *shown("057", "No signature behind its separator", _SIGNATURE, "ALGORITHM_NOT_ACCEPTED", signature=lambda _: ""),
        *shown("058", "A binary signature of a length that none has", _SIGNATURE, _BAD, version="01", signature=lambda text: text[:-1]),
        *shown("059", "A binary signature and something behind it that is no annex", _SIGNATURE, _BAD, version="01", annex="X"),
        *shown("060", "A second signature", _SIGNATURE, _BAD_TEXT, annex=f"{US}AAAA"),
    ]  # fmt: skip


def _signers() -> list[Case]:
    bad, unknown, refused = "SIGNATURE_INVALID", "KEY_NOT_IN_TRUST_LIST", "UNSUITABLE_PUBLIC_KEY_TYPE"

    def flipped(key: keys.Private, data: bytes) -> bytes:
        signature = keys.sign_ecdsa(key, data)
        return signature[:-1] + bytes((signature[-1] ^ 1,))

    return [
        *shown("070", "No trusted keys at all", _HEADER, "TRUST_STORE_EMPTY", trust=()),
        *shown("071", "Another certificate of the authority", _HEADER, unknown, kid="FR000002"),
        *shown("072", "A certificate of another authority", _HEADER, unknown, kid="FR030001"),
        *shown("073", "The key is one for seals", "WHO trust domains", unknown, trust=("twoddoc-other-domain",)),
        *shown("074", "A bit of the signature differs", _SIGNATURE, bad, sign=flipped),
        *shown("075", "A letter of the message differs", _SIGNATURE, bad, scanned=lambda text: text.replace("ZOE", "ZOA")),
        *shown("076", "The day of the header differs", _SIGNATURE, bad, scanned=lambda text: text[:15] + "0" + text[16:]),
        *shown("077", "Signed with another key", _SIGNATURE, bad, sign=lambda _, data: keys.sign_ecdsa(keys.private_key("forger", "P-256"), data)),
        *shown("078", "P-384", _SIGNATURE, signer="twoddoc-p384", size=48),
        *shown("079", "P-521", _SIGNATURE, signer="twoddoc-p521", size=66),
        *shown("080", "A signature of P-384's length, and a key on P-256", _SIGNATURE, refused, sign=lambda key, data: keys.sign_ecdsa(key, data) + bytes(32)),
        *shown("081", "Another algorithm, which the policy wants", _SIGNATURE, "ALGORITHM_NOT_ACCEPTED", circumstances={"policy": {"algorithms": ["PS256"]}}),
        *shown("082", "The public key alone, whose dates nobody knows", _VALIDITY, "KEY_DATES_UNKNOWN", trust=("twoddoc-bare",), quirk=True),
    ]  # fmt: skip


def _days() -> list[Case]:
    today, early = date(2021, 8, 20), "CWT_NOT_YET_VALID"
    return [
        *shown("090", "Signed today", _VALIDITY, on=days(today)),
        *shown("091", "Signed tomorrow, which has begun on some island", _VALIDITY, on=days(date(2021, 8, 21)), circumstances={"clock": "2021-08-20T12:00:00Z"}),
        *shown("092", "Signed tomorrow, a second before it begins anywhere in France", _VALIDITY, early, on=days(date(2021, 8, 21)), circumstances={"clock": "2021-08-20T11:59:59Z"}),
        *shown("093", "Signed on a day to come", _VALIDITY, early, on=days(date(2022, 1, 1))),
        *shown("094", "Not told when it was signed", _HEADER, "TIME_ABSENT", on=days(None), quirk=True),
        *shown("095", "Not told when the document is of", _HEADER, dated=days(None)),
        *shown("096", "The certificate has ended since", _VALIDITY, trust=("twoddoc-ended",), on=days(date(2021, 8, 10))),
        *shown("097", "The certificate ended on the day of the signature", _VALIDITY, trust=("twoddoc-ended",), on=days(date(2021, 8, 11))),
        *shown("098", "The certificate had ended on the day of the signature", _VALIDITY, "PUBLIC_KEY_EXPIRED", trust=("twoddoc-ended",), on=days(date(2021, 8, 12))),
        *shown("099", "The certificate begins on the day of the signature", _VALIDITY, trust=("twoddoc-to-come",), on=days(date(2021, 8, 19))),
        *shown("100", "The certificate begins after the day of the signature", _VALIDITY, "PUBLIC_KEY_NOT_YET_VALID", trust=("twoddoc-to-come",), on=days(date(2021, 8, 18))),
        *shown("101", "Not told when it was signed, and the certificate has ended", _VALIDITY, "PUBLIC_KEY_EXPIRED", "TIME_ABSENT", trust=("twoddoc-ended",), on=days(None)),
        *shown("102", "Years after it was signed, and after its certificate", _VALIDITY, circumstances={"clock": "2031-08-20T10:00:00Z"}),
    ]  # fmt: skip
