"""Cases of the signature in seals, from its base64 to the canonical form that it covers: HC-VDS-050 to 129."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import json
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case
from tools.vectors.families_press import altered, minified
from tools.vectors.families_vds import VACCINATED, Seal, canonical, shown

_SIGNATURE = "ICAO VDS-NC, signature"
_URL, _BITS = "RFC 4648 §5", "RFC 4648 §3.5"
_TEXTS, _ORDER, _NUMBERS = "RFC 8785 §3.2.2.2", "RFC 8785 §3.2.3", "RFC 8785 §3.2.2.3"
_BAD = "JSON_DESERIALIZATION_FAILED"


def cases() -> list[Case]:
    """Certificate and signature as texts, the canonical form, the signature."""
    return [*_forms(), *_signatures(), *_encodings()]


def _encodings() -> list[Case]:
    def plain(text: str) -> str:
        return text.replace("-", "+").replace("_", "/")

    wrong: list[tuple[str, str, str, dict[str, Any]]] = [
        ("050", "No certificate", _SIGNATURE, {"sig": {"cer": ...}}),
        ("051", "A certificate that is a number", _SIGNATURE, {"sig": {"cer": 7}}),
        ("052", "A certificate of no characters", _SIGNATURE, {"sig": {"cer": ""}}),
        ("053", "A certificate that is not ASCII", _SIGNATURE, {"cer": lambda text: "Ä" + text[1:]}),
        ("054", "A certificate with a space in it", _SIGNATURE, {"cer": lambda text: text[:64] + " " + text[64:]}),
        ("055", "No signature", _SIGNATURE, {"sig": {"sigvl": ...}}),
        ("056", "A signature with a character of plain base64", _URL, {"sigvl": lambda text: "+" + text[1:]}),
        ("057", "A signature of a length that no bytes have", _URL, {"sigvl": lambda text: text.rstrip("=")[:-1]}),
        ("058", "A signature with too little padding", _URL, {"sigvl": lambda text: text[:-1]}),
        ("059", "A signature with too much padding", _URL, {"sigvl": lambda text: text + "="}),
        (
            "060",
            "Bits left over behind the signature",
            _BITS,
            {"sigvl": lambda text: text[:-3] + chr(ord(text[-3]) + 1) + "=="},
        ),
        ("061", "A certificate in both alphabets at once", _URL, {"cer": lambda text: text.replace("-", "+")}),
        ("062", "Padding in the middle", _URL, {"sigvl": lambda text: text[:8] + "=" + text[8:]}),
    ]
    return [
        *[case for n, title, s, made in wrong for case in shown(n, title, s, _BAD, **made)],
        *shown("067", "A signature in plain base64", _URL, _BAD, sigvl=plain),
        *shown("068", "A signature in plain base64, of whose characters one tells", _URL, _BAD, **_slashed()),
        *shown("063", "A certificate in plain base64", _SIGNATURE, cer=plain),
        *shown("064", "Certificate and signature without padding", _SIGNATURE, cer=lambda text: text.rstrip("="), sigvl=lambda text: text.rstrip("=")),
        *shown("065", "Bytes that are no certificate", _SIGNATURE, "CERTIFICATE_UNREADABLE", cer=lambda _: "AAAA"),
        *shown("066", "A certificate that is cut short", _SIGNATURE, "CERTIFICATE_UNREADABLE", cer=lambda text: text[:400]),
    ]  # fmt: skip


def _slashed() -> dict[str, Any]:
    """A seal whose signature has an underscore and no hyphen, which is written as a solidus."""
    said = (altered(VACCINATED, "msg", "uvci", to=f"FR{n:010}") for n in range(500))
    texts = ((data, json.loads(Seal(data=data).layers()[0])["sig"]["sigvl"]) for data in said)
    data = next(data for data, text in texts if "_" in text and "-" not in text)
    return {"data": data, "sigvl": lambda text: text.replace("_", "/")}


def _forms() -> list[Case]:
    emoji, private = "\U0001f600", "\ue000"  # beyond the basic plane, and at its end
    two = VACCINATED | {"msg": VACCINATED["msg"] | {private: 1, emoji: 2}}
    ordered = {name: VACCINATED[name] for name in ("hdr", "msg")}
    ordered["msg"] = {name: two["msg"][name] for name in ("pid", "uvci", "ve", emoji, private)}
    escapes = altered(VACCINATED, "msg", "pid", "ai", to='"\\\b\f\n\r\t\x01\x7f/é€' + emoji)
    number = altered(VACCINATED, "msg", "x", to=1)

    def of(value: str, canonical_value: str) -> dict[str, Any]:
        signed = canonical(number).replace(b'"x":1', f'"x":{canonical_value}'.encode())
        return {
            "data": number,
            "signed": signed,
            "write": lambda seal: json.dumps(seal).replace('"x": 1', f'"x": {value}'),
        }

    unexpected = "FIELD_UNEXPECTED"
    numbers = {
        "070": ("A number that is a fraction", "0.5e0", "0.5"),
        "071": ("A number of 21 digits, the last that is written out", "1e20", "100000000000000000000"),
        "072": ("A number of 22 digits", "1e21", "1e+21"),
        "073": ("A number of seven places, which is written with an exponent", "0.0000001", "1e-7"),
        "074": ("A number of six places, the last that is written out", "0.000001", "0.000001"),
        "075": ("Negative zero", "-0.0", "0"),
        "076": ("A whole number beyond those that doubles have", "9007199254740993", "9007199254740992"),
        "077": ("A fraction that is a whole number", "-12.0", "-12"),
        "078": ("A fraction with digits on both sides and an exponent", "-1.25e-9", "-1.25e-9"),
        "079": ("A number with digits on both sides of its point", "333333333.33333329", "333333333.3333333"),
    }
    return [
        *[case for n, (title, value, form) in numbers.items() for case in shown(n, title, _NUMBERS, "OK", unexpected, **of(value, form))],
        *shown("080", "Members in the order of UTF-16 code units", _ORDER, "OK", unexpected, data=two, signed=_unsorted(ordered)),
        *shown("081", "Texts with what has to be escaped, and what has not", _TEXTS, "OK", "TEXT_TOO_LONG", data=altered(escapes, "msg", "pid", "n", to="x" * 40)),
        *shown("082", "Half a surrogate pair", _TEXTS, "INVALID_SCHEME_PREFIX", write=lambda seal: json.dumps(seal).replace("Centre A", "\\ud800")),
        *shown("083", "A whole number beyond the range of a double", _NUMBERS, "CANONICALIZATION_FAILED", data=altered(VACCINATED, "msg", "x", to=10**309)),
        *shown("084", "Signed as it is written, and not in its canonical form", _ORDER, "SIGNATURE_INVALID", signed=minified(VACCINATED)),
        *shown("085", "true, false and null", _TEXTS, "OK", unexpected, data=altered(VACCINATED, "msg", "x", to=[True, False, None, 0.5])),
    ]  # fmt: skip


def _unsorted(data: Any) -> bytes:
    """The members in the order in which they stand, and those of deeper levels by name."""
    inner = {name: json.loads(canonical(value)) for name, value in data["msg"].items()}
    return minified({"hdr": json.loads(canonical(data["hdr"])), "msg": inner})


def _signatures() -> list[Case]:
    bad, refused, unsuitable = "SIGNATURE_INVALID", "ALGORITHM_NOT_ACCEPTED", "UNSUITABLE_PUBLIC_KEY_TYPE"

    def flipped(key: keys.Private, data: bytes) -> bytes:
        signature = keys.sign_ecdsa(key, data)
        return signature[:-1] + bytes((signature[-1] ^ 1,))

    return [
        *shown("100", "A bit of the signature differs", _SIGNATURE, bad, sign=flipped),
        *shown("101", "Signed with another key than the certificate's", _SIGNATURE, bad, sign=lambda _, data: keys.sign_ecdsa(keys.private_key("forger", "P-256"), data)),
        *shown("102", "A member of the message was exchanged", _SIGNATURE, bad, signed=canonical(altered(VACCINATED, "msg", "pid", "n", to="SOMEBODY ELSE"))),
        *shown("103", "No signature in sigvl", _SIGNATURE, bad, sigvl=lambda _: ""),
        *shown("104", "ES384 on P-384", _SIGNATURE, signer="icao-bcs-p384", algorithm="ES384"),
        *shown("105", "ES512 on P-521", _SIGNATURE, signer="icao-bcs-p521", algorithm="ES512"),
        *shown("106", "ES256 is named, and the key is on P-384", _SIGNATURE, unsuitable, signer="icao-bcs-p384", algorithm="ES384", sig={"alg": "ES256"}),
        *shown("107", "ES256 is named, and the key is RSA", _SIGNATURE, unsuitable, signer="icao-bcs-rsa", sign=keys.sign_pss),
        *shown("108", "PS256, with a key that is RSA", _SIGNATURE, refused, signer="icao-bcs-rsa", sign=keys.sign_pss, sig={"alg": "PS256"}),
        *shown("109", "No algorithm", _SIGNATURE, refused, sig={"alg": ...}),
        *shown("110", "An algorithm that is a number", _SIGNATURE, refused, sig={"alg": -7}),
        *shown("111", "An algorithm of more letters than any has", _SIGNATURE, refused, sig={"alg": "ES256" * 9}),
        *shown("112", "An algorithm in small letters", _SIGNATURE, refused, sig={"alg": "es256"}),
    ]  # fmt: skip
