"""Cases of what is recognised, and refused or left open with a word on what it is: HC-REC; and HC1 in links."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import json
from typing import Any

from tools.vectors.case import Case, case, scan
from tools.vectors.press import Press

_PREFIX, _LINK = "HCERT specification §4.2.2", 'SMART Health Links, "Construct a SMART Health Link"'
_ATTESTATION, _LINKED = "OpenAttestation 2.0", "Linked Data Proofs 1.0 §5.1"
_OTHER, _UNSIGNED, _UNKNOWN = "FAMILY_NOT_SUPPORTED", "NOT_SIGNED", "INVALID_SCHEME_PREFIX"
_BEARER = "eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0"
_WALLET = "https://bonjour.tousanticovid.gouv.fr/app/wallet"


def cases() -> list[Case]:
    """Prefixes, documents, links, and what only looks like one of these."""
    return [*_prefixes(), *_documents(), *_links(), *_wallets()]


def _made(rows: list[tuple[str, str, str, str, str | bytes]]) -> list[Case]:
    return [
        scan(f"HC-REC-{n}", title, sections, code, of=text, trust=("dsc",)) for n, title, sections, code, text in rows
    ]


def _prefixes() -> list[Case]:
    israeli = "A" * 342 + '==#{"id":"01/IL/0123456789"'
    return _made(
        [
            ("001", "A Dutch domestic pass", _PREFIX, _OTHER, "NL2:0123456789"),
            ("002", "A Dutch domestic pass of the first form", _PREFIX, _OTHER, "NL1:0123456789"),
            ("003", "A Dutch domestic pass of a form to come", _PREFIX, _OTHER, "NL9:0123456789"),
            ("004", "The letters of the Netherlands and no digit", _PREFIX, _UNKNOWN, "NLX:0123456789"),
            ("005", "A French activity pass", _PREFIX, _OTHER, "HCFR1:0123456789"),
            ("006", "A French exemption pass", _PREFIX, _OTHER, "EX1:0123456789"),
            ("007", "A PathCheck paper credential", _PREFIX, _OTHER, "CRED:BADGE:1:EXAMPLE:0123456789"),
            ("008", "An Israeli green pass", _PREFIX, _OTHER, israeli + "}"),
            (
                "009",
                "A hash where an Israeli green pass has it, and no pass",
                _PREFIX,
                _UNKNOWN,
                israeli.replace("01/IL", "02/IL") + "}",
            ),
            ("010", "A French INS DataMatrix", _PREFIX, _UNSIGNED, "IS01" + "0" * 22 + "S1012345678901234"),
            ("011", "The beginning of an INS DataMatrix alone", _PREFIX, _UNKNOWN, "IS01FR03"),
            ("012", "A 2D-Doc in bytes throughout", _PREFIX, _OTHER, b"\xdc\x04" + bytes(40)),
            ("013", "Bytes that begin otherwise", _PREFIX, _UNKNOWN, b"\xdc\x05" + bytes(40)),
            ("014", "A later version of HCERT", _PREFIX, "UNSUPPORTED_VERSION", "HC2:0123456789"),
            ("015", "A version of HCERT beyond 9", _PREFIX, "UNSUPPORTED_VERSION", "HCA:0123456789"),
            (
                "016",
                "A token of another kind, of three parts",
                _PREFIX,
                _UNKNOWN,
                "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.AAAA",
            ),
        ]
    )


def _documents() -> list[Case]:
    attestation: dict[str, Any] = {
        "version": "https://schema.openattestation.com/2.0/schema.json",
        "data": {},
        "signature": {"type": "SHA3MerkleProof"},
    }
    credential: dict[str, Any] = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": "VerifiableCredential",
        "proof": {},
    }
    return _made(
        [
            (
                "039",
                "An OpenAttestation document that is cut short",
                _ATTESTATION,
                _UNKNOWN,
                json.dumps(attestation)[:-1],
            ),
            ("020", "An OpenAttestation document", _ATTESTATION, _OTHER, json.dumps(attestation)),
            (
                "021",
                "An OpenAttestation document, told by its version",
                _ATTESTATION,
                _OTHER,
                json.dumps(attestation | {"signature": {}}),
            ),
            (
                "022",
                "An OpenAttestation document, told by its signature",
                _ATTESTATION,
                _OTHER,
                json.dumps(attestation | {"version": 7}),
            ),
            (
                "023",
                "The words of OpenAttestation in another document",
                _ATTESTATION,
                _UNKNOWN,
                json.dumps({"x": attestation["version"], "y": "SHA3MerkleProof"}),
            ),
            (
                "024",
                "A link to an OpenAttestation document",
                _ATTESTATION,
                _OTHER,
                "https://action.openattestation.com/?q=%7B%7D",
            ),
            (
                "025",
                "A signature of another type",
                _ATTESTATION,
                _UNKNOWN,
                json.dumps({"signature": {"type": "SHA4MerkleProof openattestation"}}),
            ),
            ("026", "A credential in JSON-LD of another kind", _LINKED, _OTHER, json.dumps(credential)),
            (
                "027",
                "A credential with one context, which is no array",
                _LINKED,
                _OTHER,
                json.dumps(credential | {"@context": "https://www.w3.org/2018/credentials/v1"}),
            ),
            (
                "028",
                "A credential whose contexts are numbers",
                _LINKED,
                _OTHER,
                json.dumps(credential | {"@context": [7]}),
            ),
            (
                "029",
                "The word proof in another document",
                _LINKED,
                _UNKNOWN,
                json.dumps({"x": '"proof"', "y": ["proof"]}),
            ),
            ("030", "Two credentials in an array", _LINKED, _UNKNOWN, json.dumps([credential, credential])),
            ("031", "A credential in an array of one", _LINKED, _OTHER, json.dumps([credential])),
            ("032", "A document of no kind that is known", _LINKED, _UNKNOWN, '{"x":1}'),
            ("033", "A document that is cut short", _LINKED, _UNKNOWN, '{"proof":{}'),
            ("034", "An array of nothing", _LINKED, _UNKNOWN, "[]"),
            (
                "035",
                "A document nested beyond any reader",
                _LINKED,
                _UNKNOWN,
                '{"proof":' + "[" * 5000 + "]" * 5000 + "}",
            ),
            (
                "037",
                "A credential with more spaces before it than anybody writes",
                _LINKED,
                _UNKNOWN,
                " " * 1024 + json.dumps(credential),
            ),
            ("036", "A credential with spaces before it", _LINKED, _OTHER, f" \t{json.dumps(credential)}"),
        ]
    )


def _links() -> list[Case]:
    return _made(
        [
            ("040", "A health link alone", _LINK, _UNSIGNED, f"shlink:/{_BEARER}"),
            ("041", "A health link in capitals", _LINK, _UNSIGNED, f"SHLINK:/{_BEARER}"),
            ("042", "A verifiable health link alone", _LINK, _UNSIGNED, f"vhlink:/{_BEARER}"),
            (
                "043",
                "A health link behind the address of a viewer",
                _LINK,
                _UNSIGNED,
                f"https://viewer.example/#shlink:/{_BEARER}",
            ),
            (
                "044",
                "A health link behind an address without TLS",
                _LINK,
                _UNKNOWN,
                f"http://viewer.example/#shlink:/{_BEARER}",
            ),
            ("045", "An address and something else behind it", _LINK, _UNKNOWN, f"https://viewer.example/#{_BEARER}"),
        ]
    )


def _wallets() -> list[Case]:
    text = Press().layers()[0]
    escaped = "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)
    assert {"+", " "} <= set(text), "symbols that links spell otherwise: take another payload"
    made = {
        "050": ("A link of the French wallet with an EU DCC as its fragment", f"{_WALLET}dcc#{escaped}"),
        "051": ("A link of the French wallet with an EU DCC as its parameter", f"{_WALLET}?v={escaped}"),
        "052": ("An EU DCC in a link that nothing was escaped in", f"{_WALLET}dcc#{text}"),
    }
    return [
        *[case(f"HC-REC-{n}", title, _PREFIX, scanned=lambda _, link=link: link) for n, (title, link) in made.items()],  # type: ignore[misc]
        case("HC-REC-053", "A link in a link", _PREFIX, _UNKNOWN, scanned=lambda _: f"{_WALLET}dcc#{_WALLET}dcc%23{escaped}"),
        case("HC-REC-054", "A link of the French wallet with nothing in it", _PREFIX, _UNKNOWN, scanned=lambda _: f"{_WALLET}dcc#"),
        case("HC-REC-056", "A link of more characters than any certificate makes it", _PREFIX, "INPUT_TOO_LONG", scanned=lambda _: f"{_WALLET}?x={'x' * 16384}&v={escaped}"),
        case("HC-REC-057", "A link of the French wallet in which the prefix alone was not escaped", _PREFIX, scanned=lambda _: f"{_WALLET}dcc#HC1:{escaped.removeprefix('HC1%3A')}"),
        case("HC-REC-055", "A link with another parameter", _PREFIX, _UNKNOWN, scanned=lambda _: f"{_WALLET}?w={escaped}"),
    ]  # fmt: skip
