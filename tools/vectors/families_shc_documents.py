"""Cases of SMART Health Cards in parts and in documents: HC-SHC-400 to 459."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import hashlib
from typing import Any

from tools.vectors.case import Case, scan
from tools.vectors.families_keys import base64url
from tools.vectors.families_press import minified, nested
from tools.vectors.families_shc import Card, digits, shown
from tools.vectors.press import NOW

_CHUNKS, _QR, _FILE, _OPERATION = (
    f'SMART Health Cards, "{title}"'
    for title in ("Chunking Larger SHCs", "Encoding QRs", "via File Download", "$health-cards-issue Operation")
)
_JSON = "RFC 8259 §4"
_CHARS = 256 * 1024  # characters of a document (Limits.document_chars)
_INFLATED = 256 * 1024  # bytes of one card after decompression (Limits.inflated_bytes)
_CARDS = 64  # in one document (Limits.cards_per_document)


def cases() -> list[Case]:
    """Parts, documents, and damaged ones."""
    return [*_parts(), *_documents(), *_damaged()]


def _parts() -> list[Case]:
    wrong: list[tuple[str, str, str, str]] = [
        ("400", "The first part of three", "PARTS_MISSING", "1/3"),
        ("401", "The last part of two", "PARTS_MISSING", "2/2"),
        ("402", "The part of 64 in the middle", "PARTS_MISSING", "32/64"),
        ("403", "A part beyond the last one", "PARTS_INCONSISTENT", "3/2"),
        ("404", "More parts than anybody needs", "INPUT_TOO_LONG", "1/65"),
        ("405", "Parts counted from 0", "NUMERIC_DECODING_FAILED", "0/2"),
        ("406", "A zero in front of a number", "NUMERIC_DECODING_FAILED", "01/2"),
        ("407", "No number of parts", "NUMERIC_DECODING_FAILED", "1"),
        ("408", "Three numbers", "NUMERIC_DECODING_FAILED", "1/2/3"),
        ("409", "A number in other digits", "NUMERIC_DECODING_FAILED", "١/2"),
        ("410", "A number of parts that begins with a zero", "NUMERIC_DECODING_FAILED", "1/02"),
    ]
    sections = f"{_CHUNKS}; {_QR}"
    made = [
        scan(
            f"HC-SHC-{n}",
            title,
            sections,
            code,
            of=f"shc:/{numbers}/{digits(Card().jws()[:99])}",
            trust=("shc",),
            step="decode",
        )
        for n, title, code, numbers in wrong
    ]
    return [
        *made,
        *shown("HC-SHC-411", "One part of one", sections, "FIELD_UNEXPECTED", write=lambda jws: f"shc:/1/1/{digits(jws)}", quirk=True, step="decode"),
        *shown("HC-SHC-412", "One part of one, of more characters than one symbol holds", sections, "OK", "CARD_TOO_LONG", "FIELD_UNEXPECTED", write=lambda jws: f"shc:/1/1/{digits(jws)}", claims={"pad": base64url(hashlib.shake_256(b"noise").digest(700))}),
    ]  # fmt: skip


def _documents() -> list[Case]:
    good, ended, positive = Card().jws(), Card(claims={"exp": NOW}).jws(), Card(signer="shc-second").jws()
    parameters = [{"name": "verifiableCredential", "valueString": good}, {"name": "resourceLink", "part": []}]
    made: list[tuple[str, str, str, str, tuple[str, ...], Any]] = [
        ("420", "A file with one card", _FILE, "OK", (), {"verifiableCredential": [good]}),
        ("421", "A file with two cards", _FILE, "OK", ("OK",), {"verifiableCredential": [good, good]}),
        (
            "422",
            "A file with two cards, one of which has ended",
            _FILE,
            "CWT_EXPIRED",
            ("OK",),
            {"verifiableCredential": [good, ended]},
        ),
        (
            "423",
            "A file with three cards: the first that is refused counts",
            _FILE,
            "CWT_EXPIRED",
            ("OK", "SIGNATURE_INVALID"),
            {"verifiableCredential": [good, ended, positive]},
        ),
        (
            "427",
            "What the operation answers",
            _OPERATION,
            "OK",
            (),
            {"resourceType": "Parameters", "parameter": parameters},
        ),
        ("428", "A file with members beside", _FILE, "OK", (), {"x": 1, "verifiableCredential": [good]}),
    ]
    return [
        scan(f"HC-SHC-{n}", title, s, code, of=minified(document).decode(), trust=("shc",), beside=beside)
        for n, title, s, code, beside, document in made
    ]  # fmt: skip


def _file(*cards: str) -> str:
    return minified({"verifiableCredential": cards}).decode()


def _damaged() -> list[Case]:
    good, bad = Card().jws(), "JSON_DESERIALIZATION_FAILED"
    file: dict[str, Any] = {"verifiableCredential": [good]}
    text = minified(file).decode()
    large = Card(payload=Card().content().ljust(_INFLATED)).jws()
    made: list[tuple[str, str, str, str, str]] = [
        ("440", "A file without a card", _FILE, "NO_ENTRY", minified({"verifiableCredential": []}).decode()),
        (
            "441",
            "What the operation answers, without a card",
            _OPERATION,
            "NO_ENTRY",
            '{"resourceType":"Parameters","parameter":[{"name":"verifiableCredentials"}]}',
        ),
        (
            "442",
            "Parameters that are an object",
            _OPERATION,
            "NO_ENTRY",
            '{"resourceType":"Parameters","parameter":{"name":"verifiableCredential"}}',
        ),
        (
            "443",
            "A file with a number among its cards",
            _FILE,
            bad,
            minified({"verifiableCredential": [good, 7]}).decode(),
        ),
        ("444", "A file that is cut short", _FILE, bad, text[:-1]),
        ("424", "A file with a card and what is none", _FILE, bad, _file("x", good)),
        ("425", "A file with digits in the place of a token", _FILE, bad, _file(f"shc:/{digits(good)}")),
        (
            "426",
            "A file with cards that are too much once they are inflated",
            _FILE,
            "INPUT_TOO_LONG",
            _file(*[large] * 5),
        ),
        ("447", "More cards than anybody has", _FILE, "INPUT_TOO_LONG", _file(*[good] * (_CARDS + 1))),
        ("445", "The cards twice", _JSON, bad, f'{{"verifiableCredential":[],{text[1:]}'),
        ("446", "A file nested too deep", _FILE, bad, minified(file | {"x": nested(40)}).decode()),
        ("448", "More characters than a document may have", _FILE, "INPUT_TOO_LONG", text.ljust(_CHARS + 1)),
        (
            "449",
            "A presentation of other credentials",
            _FILE,
            "INVALID_SCHEME_PREFIX",
            '{"verifiableCredential":[{"type":"VerifiableCredential"}]}',
        ),
        ("450", "A credential that is no array", _FILE, "INVALID_SCHEME_PREFIX", '{"verifiableCredential":"x"}'),
        ("451", "The word in another document", _FILE, "INVALID_SCHEME_PREFIX", '{"x":"verifiableCredential"}'),
        ("452", "An array that is no file", _FILE, "INVALID_SCHEME_PREFIX", f"[{text}]"),
        (
            "453",
            "A document of another kind, of more characters than a document may have",
            _FILE,
            "INPUT_TOO_LONG",
            '{"x":1}'.ljust(_CHARS + 1),
        ),
    ]
    return [
        *[
            # What a document holds is told before any of it is examined.
            scan(f"HC-SHC-{n}", title, s, code, of=text, trust=("shc",), step="recognise")
            for n, title, s, code, text in made
        ],
        scan("HC-SHC-454", "A file of as many characters as a document may have", _FILE, of=text.ljust(_CHARS), trust=("shc",)),
        scan("HC-SHC-457", "A file with a card that is damaged", _FILE, "DECOMPRESSION_FAILED", of=_file(good, Card(deflate=lambda _: b"").jws()), trust=("shc",), beside=("OK",)),
        scan("HC-SHC-458", "A file with four cards of the most bytes that one may have", _FILE, "OK", "CARD_TOO_LONG", "FIELD_UNEXPECTED", of=_file(*[large] * 4), trust=("shc",), beside=("OK",) * 3),
        scan("HC-SHC-455", "A file with as many cards as anybody may have", _FILE, of=minified({"verifiableCredential": [good] * _CARDS}).decode(), trust=("shc",), beside=("OK",) * (_CARDS - 1)),
        scan("HC-SHC-456", "A file with spaces before it", _FILE, of=f" \t{text}", trust=("shc",)),
    ]  # fmt: skip
