"""A press for ICAO's visible digital seals, and the cases of their document and header: HC-VDS-001 to 049."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case, scan, scanned_quirk
from tools.vectors.families_pki import der
from tools.vectors.families_press import altered, minified, nested

_SIGNATURE, _HEADER, _STRUCTURE = (f"ICAO VDS-NC, {part}" for part in ("signature", "header", "data structure"))
_STATES = "ICAO Doc 9303-3 §5"
_ORDER = "RFC 8785 §3.2.3"
_NAMES, _DOUBLES, _UTF8 = "RFC 8259 §4", "RFC 8259 §6", "RFC 8259 §8.1"
_BAD, _ISSUER = "JSON_DESERIALIZATION_FAILED", "ISSUER_INVALID"
_CHARS = 256 * 1024  # characters of a document (Limits.document_chars)

VACCINATED: dict[str, Any] = {
    "hdr": {"t": "icao.vacc", "v": 1, "is": "FRA"},
    "msg": {
        "uvci": "FR0000000001",
        "pid": {"n": "EXEMPLAIRE  ZOE", "dob": "1984-02-29", "sex": "F", "i": "X1234567", "ai": "L4567890Z"},
        "ve": [
            {
                "des": "XM68M6",
                "nam": "Comirnaty",
                "dis": "RA01.0",
                "vd": [
                    {"dvc": "2021-05-01", "seq": 1, "ctr": "FRA", "adm": "Centre A", "lot": "L1", "dvn": "2021-05-29"},
                    {"dvc": "2021-05-29", "seq": 2, "ctr": "DEU", "adm": "Centre B", "lot": "L2"},
                ],
            }
        ],
    },
}
TESTED: dict[str, Any] = {
    "hdr": {"t": "icao.test", "v": 1, "is": "FRA"},
    "msg": {
        "utci": "FR0000000002",
        "pid": {"n": "EXEMPLAIRE  ZOE", "dob": "1984-02-29", "dt": "P", "dn": "X1234567"},
        "sp": {"spn": "Laboratoire A", "ctr": "FRA", "cd": {"p": "+33100000000", "e": "a@example.org", "a": "1 Rue A"}},
        "dat": {"sc": "2021-08-19T12:00:00+02:00", "ri": "2021-08-19T18:00:00+02:00"},
        "tr": {"tc": "molecular(PCR)", "r": "negative", "m": "saliva"},
        "opt": "ID12345",
    },
}


def canonical(data: Any) -> bytes:
    """RFC 8785 of what has nothing but ASCII in its names and whole numbers: members by name, and no spaces."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True, kw_only=True)
class Seal:
    """One field a layer, sound unless told otherwise."""

    data: Any = field(default_factory=lambda: VACCINATED)
    signer: str = "icao-bcs"
    algorithm: str = "ES256"
    signed: bytes | None = None
    """What is signed; without it, the canonical form of ``data``."""
    sign: Callable[[keys.Private, bytes], bytes] | None = None
    sig: dict[str, Any] = field(default_factory=dict)
    """Changes to ``sig``; ``...`` removes a member."""
    cer: Callable[[str], Any] = lambda text: text
    sigvl: Callable[[str], Any] = lambda text: text
    seal: dict[str, Any] = field(default_factory=dict)
    """Changes to the seal as a whole."""
    write: Callable[[Any], str] = lambda seal: minified(seal).decode()

    def layers(self) -> tuple[str, dict[str, bytes]]:
        """The text, and what of it is signed."""
        key = keys.key(self.signer)
        size = {"ES256": 32, "ES384": 48, "ES512": 66}[self.algorithm]
        signed = canonical(self.data) if self.signed is None else self.signed
        signature = self.sign(key.private, signed) if self.sign else keys.sign_ecdsa(key.private, signed, size)
        cer, sigvl = (base64.urlsafe_b64encode(part).decode() for part in (der(key), signature))
        sig = {"alg": self.algorithm, "cer": self.cer(cer), "sigvl": self.sigvl(sigvl)} | self.sig
        seal = {"data": self.data, "sig": {name: value for name, value in sig.items() if value is not ...}} | self.seal
        return self.write({name: value for name, value in seal.items() if value is not ...}), {"signed": signed}


def shown(
    number: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    trust: tuple[str, ...] = ("icao-csca",),
    quirk: bool = False,
    step: str | None = None,
    circumstances: dict[str, Any] | None = None,
    scanned: Callable[[str], str | bytes] = lambda text: text,
    **made: Any,
) -> list[Case]:
    """The case of a seal, and where it is a ``quirk`` the same under the strict policy; further names are of a seal."""
    text, layers = Seal(**made).layers()
    facts: dict[str, Any] = {
        "of": scanned(text),
        "trust": trust,
        "step": step,
        "layers": layers,
        **(circumstances or {}),
    }
    if quirk:
        return scanned_quirk(f"HC-VDS-{number}", title, sections, code, *warnings, **facts)
    return [scan(f"HC-VDS-{number}", title, sections, code, *warnings, **facts)]


def cases() -> list[Case]:
    """The document and its header."""
    return [*_documents(), *_headers()]


def _documents() -> list[Case]:
    text = Seal().layers()[0]
    inner = text[1:-1]
    wrong: list[tuple[str, str, str, str, str, str]] = [
        ("010", "data twice", _NAMES, _BAD, "decode", "{" + inner.partition(',"sig":')[0] + "," + inner + "}"),
        (
            "011",
            "A member of the message twice",
            _NAMES,
            _BAD,
            "decode",
            text.replace('"uvci":', '"uvci":"x","uvci":', 1),
        ),
        ("012", "A second value behind the seal", _UTF8, "INVALID_SCHEME_PREFIX", "recognise", text + "{}"),
        (
            "014",
            "NaN in the message",
            _DOUBLES,
            "INVALID_SCHEME_PREFIX",
            "recognise",
            text.replace('"seq":1', '"seq":NaN', 1),
        ),
        (
            "015",
            "A number beyond the range of a double",
            _DOUBLES,
            _BAD,
            "decode",
            text.replace('"seq":1', '"seq":1e999', 1),
        ),
        ("016", "Nested too deep", _UTF8, _BAD, "decode", minified(json.loads(text) | {"x": nested(40)}).decode()),
        ("017", "An array of two seals", _STRUCTURE, "INVALID_SCHEME_PREFIX", "recognise", f"[{text},{text}]"),
        ("018", "The seal as a text in JSON", _STRUCTURE, "INVALID_SCHEME_PREFIX", "recognise", json.dumps(text)),
        (
            "019",
            "Without sig",
            _STRUCTURE,
            "INVALID_SCHEME_PREFIX",
            "recognise",
            minified({"data": VACCINATED}).decode(),
        ),
        (
            "020",
            "A sig that is a text",
            _STRUCTURE,
            _BAD,
            "decode",
            minified({"data": VACCINATED, "sig": "x"}).decode(),
        ),
        (
            "021",
            "The word ICAO in another document",
            _STRUCTURE,
            "INVALID_SCHEME_PREFIX",
            "recognise",
            '{"data":{"hdr":{"t":"x"},"msg":"icao.vacc"},"sig":{},"x":"\\"icao."}',
        ),
        (
            "022",
            "data beside, of another shape",
            _STRUCTURE,
            "INVALID_SCHEME_PREFIX",
            "recognise",
            text.replace('"hdr":{', '"x":1,"hdr":[{', 1).replace('},"msg"', '}],"msg"', 1),
        ),
        (
            "023",
            "More characters than a document may have",
            _STRUCTURE,
            "INPUT_TOO_LONG",
            "recognise",
            text.ljust(_CHARS + 1),
        ),
    ]
    return [
        *shown("001", "A seal of a vaccination", f"{_STRUCTURE}; {_HEADER}; {_SIGNATURE}; {_STATES}; ICAO VDS-NC, proof of vaccination"),
        *shown("002", "A seal of a test", f"{_STRUCTURE}; ICAO VDS-NC, proof of testing", data=TESTED),
        *shown("003", "A seal in an array of one", _STRUCTURE, write=lambda seal: f"[{json.dumps(seal)}]"),
        *shown("004", "A seal with spaces and line ends in it", _ORDER, write=lambda seal: f" \n{json.dumps(seal, indent=1)}\r\n"),
        *shown("005", "The bytes of a barcode, in UTF-8", _UTF8, data=altered(VACCINATED, "msg", "pid", "n", to="EXEMPLAIRE  ZOÉ"), scanned=str.encode),
        *shown("006", "A seal that the policy does not want", _STRUCTURE, "FAMILY_NOT_ACCEPTED", circumstances={"policy": {"families": ["EU DCC"]}}),
        *[scan(f"HC-VDS-{n}", title, s, code, of=text, trust=("icao-csca",), step=step) for n, title, s, code, step, text in wrong],
        *shown("013", "A byte order mark before the seal", _UTF8, scanned=lambda text: "\ufeff" + text),
        *shown("024", "As many characters as a document may have", _STRUCTURE, scanned=lambda text: text.ljust(_CHARS)),
        *shown("025", "A member beside data and sig, which nothing signs", _STRUCTURE, "FIELD_UNEXPECTED", seal={"x": 1}, quirk=True, step="decode"),
        *shown("026", "A member in sig, which nothing signs", _STRUCTURE, "FIELD_UNEXPECTED", sig={"x": 1}, quirk=True, step="decode"),
    ]  # fmt: skip


def _headers() -> list[Case]:
    wrong: list[tuple[str, str, str, str, str, Any]] = [
        ("030", "Another kind of seal", "t", "FAMILY_NOT_SUPPORTED", "decode", "icao.visa"),
        ("031", "Version 2", "v", "UNSUPPORTED_VERSION", "decode", 2),
        ("032", "Version 0", "v", "UNSUPPORTED_VERSION", "decode", 0),
        ("033", "A version that is true", "v", "UNSUPPORTED_VERSION", "decode", True),
        ("034", "A version as text", "v", "UNSUPPORTED_VERSION", "decode", "1"),
        ("035", "No version", "v", "UNSUPPORTED_VERSION", "decode", ...),
        ("036", "No issuer", "is", _ISSUER, "trust", ...),
        ("037", "An issuer that is a number", "is", _ISSUER, "trust", 7),
        ("038", "An issuer in small letters", "is", _ISSUER, "trust", "fra"),
        ("039", "An issuer of two letters", "is", _ISSUER, "trust", "FR"),
        ("040", "An issuer with a line end", "is", _ISSUER, "trust", "FRA\n"),
    ]
    return [
        *[
            case
            for n, title, member, code, step, value in wrong
            for case in shown(n, title, f"{_HEADER}; {_STATES}", code, step=step, data=altered(VACCINATED, "hdr", member, to=value))
        ],
        *shown("041", "A version that is 1.0", _HEADER, data=altered(VACCINATED, "hdr", "v", to=1.0), signed=canonical(VACCINATED)),
    ]  # fmt: skip
