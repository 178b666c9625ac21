"""Cases of the proof of DIVOC certificates, its key, its signature, and their times: HC-DIV-001 to 129."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case
from tools.vectors.families_divoc import DOCUMENT, SECURITY, Certificate, changed, shown
from tools.vectors.families_keys import DIVOC_ELSEWHERE, DIVOC_ISSUER
from tools.vectors.families_press import altered, nested

_PROOF, _OPTIONS, _PURPOSE = (
    "Linked Data Proofs 1.0 §5.3",
    "Linked Data Proofs 1.0 §5.1",
    "Verifiable Credentials Data Model 1.0 §8",
)
_DETACHED, _CRIT, _ENCODING, _BITS = "RFC 7797 §5.2", "RFC 7797 §6", "RFC 7515 §2", "RFC 4648 §3.5"
_BAD, _UNKNOWN, _INVALID = "JWS_DESERIALIZATION_FAILED", "KEY_NOT_IN_TRUST_LIST", "ISSUER_INVALID"


def cases() -> list[Case]:
    """The proof and its options, the token in it, the key, the signature, times."""
    return [*_proofs(), *_tokens(), *_signers(), *_signatures(), *_times()]


def _proofs() -> list[Case]:
    wrong: list[tuple[str, str, Callable[[dict[str, Any]], Any]]] = [
        ("010", "A proof that is an array", lambda proof: [proof]),
        ("011", "No jws", lambda proof: {name: value for name, value in proof.items() if name != "jws"}),
        ("012", "A jws that is a number", lambda proof: proof | {"jws": 7}),
        ("013", "No created", lambda proof: {name: value for name, value in proof.items() if name != "created"}),
        ("014", "A context in the proof", lambda proof: {"@context": SECURITY} | proof),
        ("015", "A member by a prefix in the proof", lambda proof: proof | {"sec:domain": "x"}),
        ("016", "An option that DIVOC does not have", lambda proof: proof | {"domain": "x"}),
        ("017", "A proofPurpose that is null", lambda proof: proof | {"proofPurpose": None}),
    ]
    return [
        *shown("001", "A certificate of a vaccination, signed with PS256", f"{_PROOF}; {_OPTIONS}; {_PURPOSE}; {_DETACHED}"),
        *shown("002", "A certificate of a vaccination, signed with Ed25519", _PROOF, signer="divoc-ed25519", trust=("divoc-ed25519",)),
        *shown("003", "The JSON-LD document itself", _PROOF, scanned=lambda _: Certificate().layers()[1]["json"].decode()),
        *shown("004", "The document in an array of one", _PROOF, scanned=lambda _: f"[{Certificate().layers()[1]['json'].decode()}]"),
        *shown("005", "A certificate that the policy does not want", _PROOF, "FAMILY_NOT_ACCEPTED", circumstances={"policy": {"families": ["EU DCC"]}}),
        *[case for n, title, proof in wrong for case in shown(n, title, _OPTIONS, _BAD, proof=proof)],
        *shown("018", "A verificationMethod that is no URI", _OPTIONS, _BAD, options={"verificationMethod": "key-1"}),
        *shown("019", "A verificationMethod with a space", _OPTIONS, _BAD, options={"verificationMethod": "did:example:a b"}, signed_options={"proofPurpose": "assertionMethod"}),
        *shown("020", "A verificationMethod that is not ASCII", _OPTIONS, _BAD, options={"verificationMethod": "did:example:é"}),
        *shown("021", "A verificationMethod of more than 1024 characters", _OPTIONS, _BAD, options={"verificationMethod": "did:example:" + "x" * 1024}),
        *shown("022", "A proof for another purpose", _PURPOSE, _INVALID, options={"proofPurpose": "https://w3id.org/security#authenticationMethod"}),
        *shown("023", "A proof that is true in the place of an object", _OPTIONS, _BAD, proof=lambda _: True),
    ]  # fmt: skip


def _tokens() -> list[Case]:
    def part(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
        return lambda jws: ".".join(change(p) if n == number else p for n, p in enumerate(jws.split(".")))

    wrong: list[tuple[str, str, str, Callable[[str], Any]]] = [
        ("030", "A content between the dots", _DETACHED, part(1, lambda _: "AAAA")),
        ("031", "Two parts", _DETACHED, lambda jws: jws.replace("..", ".")),
        ("032", "Four parts", _DETACHED, lambda jws: f"{jws}.AAAA"),
        ("033", "Bits left over behind the signature", _BITS, part(2, lambda p: p[:-1] + chr(ord(p[-1]) + 1))),
        ("034", "A header with padding", _ENCODING, part(0, lambda p: p + "=")),
        ("035", "A signature that is not ASCII", _ENCODING, part(2, lambda p: "Ä" + p[1:])),
        ("036", "A signature in plain base64", _ENCODING, part(2, lambda p: "+" + p[1:])),
        ("037", "A signature with too much padding", _ENCODING, part(2, lambda p: p + "===")),
    ]
    crit = "CRITICAL_HEADER_UNKNOWN"
    return [
        *[case for n, title, s, jws in wrong for case in shown(n, title, s, _BAD, jws=jws)],
        *shown("038", "A signature with its padding", _ENCODING, jws=part(2, lambda p: p + "=" * (-len(p) % 4))),
        *shown("040", "A header that is an array", _DETACHED, _BAD, head=b"[]"),
        *shown("041", "A header that is no JSON", _DETACHED, _BAD, head=b"{"),
        *shown("042", "alg twice in the header", "RFC 8259 §4", _BAD, head=b'{"alg":"none","alg":"PS256","b64":false,"crit":["b64"]}'),
        *shown("043", "A header nested too deep", _DETACHED, _BAD, header={"x": nested(9)}),
        *shown("044", "No crit", _CRIT, crit, header={"crit": ...}),
        *shown("045", "crit lists something else besides", _CRIT, crit, header={"crit": ["b64", "x"], "x": 1}),
        *shown("046", "b64 is true", _CRIT, _BAD, header={"b64": True}),
        *shown("047", "No b64", _CRIT, _BAD, header={"b64": ...}),
    ]  # fmt: skip


def _signers() -> list[Case]:
    india: dict[str, Any] = {"signer": "divoc-india", "trust": ("divoc-india",)}

    def by(issuer: str) -> dict[str, Any]:
        return {"document": DOCUMENT | {"issuer": issuer}}

    return [
        *shown("050", "No trusted keys at all", _PROOF, "TRUST_STORE_EMPTY", trust=()),
        *shown("051", "The key of a DID that nobody has", _PROOF, _UNKNOWN, options={"verificationMethod": DIVOC_ELSEWHERE}),
        *shown("052", "The kid is known as a key of another DID", _PROOF, _UNKNOWN, trust=("divoc-elsewhere",)),
        *shown("053", "The key is one for seals", "WHO trust domains", _UNKNOWN, trust=("divoc-other-domain",)),
        *shown("054", "A verificationMethod that is a URL", _PROOF, _INVALID, options={"verificationMethod": "https://health.example/key"}),
        *shown("055", "The issuer is the DID that signs", _PROOF, **by(DIVOC_ISSUER)),
        *shown("056", "India's key, for a certificate of India", _PROOF, **india, **by("https://www.cowin.gov.in/")),
        *shown("057", "India's key, for a certificate of another country", _PROOF, _INVALID, **india, **by("https://health.gov.example/")),
        *shown("058", "Another key, for a certificate of India", _PROOF, _INVALID, **by("https://CoWIN.gov.in")),
        *shown("059", "India's key, and India's DID as the issuer", _PROOF, **india, **by("did:india")),
        *shown("060", "India's key, for a host whose name ends like India's", _PROOF, _INVALID, **india, **by("https://notcowin.gov.in/")),
        *shown("062", "The issuer is another DID than the one that signs", "DID Core §5.3.2", _INVALID, **by(DIVOC_ELSEWHERE)),
        *shown("063", "The DID that signs in other letters", "DID Core §5.3.2", _INVALID, **by(DIVOC_ISSUER.replace("did", "DID"))),
        *shown("064", "Another key, and an issuer whose address reads like India's", _PROOF, _INVALID, **by("https://health.example/cowin.gov.in")),
        *shown("065", "Another key, and India's address with an escape", _PROOF, _INVALID, **by("https://cowin%2Egov.in/")),
        *shown("066", "India's key, and India's address in the place of a user's name", _PROOF, _INVALID, **india, **by("https://www.cowin.gov.in@health.example/")),
        *shown("061", "India's key, for the key of another country", _PROOF, _INVALID, **india, **by("https://www.pedulilindungi.id/")),
    ]  # fmt: skip


def _signatures() -> list[Case]:
    bad, refused = "SIGNATURE_INVALID", "ALGORITHM_NOT_ACCEPTED"

    def flipped(key: keys.Private, data: bytes) -> bytes:
        signature = keys.sign_pss(key, data)
        return signature[:-1] + bytes((signature[-1] ^ 1,))

    return [
        *shown("070", "A bit of the signature differs", _PROOF, bad, sign=flipped),
        *shown("071", "Signed with another key", _PROOF, bad, sign=lambda _, data: keys.sign_pss(keys.private_key("rsa3072", "RSA"), data)),
        *shown("072", "A value was exchanged", _PROOF, bad, shown=lambda document: altered(document, "credentialSubject", "name", to="Somebody Else")),
        *shown("073", "A value was removed", _PROOF, bad, shown=lambda document: altered(document, "evidence", 0, "batch", to=...)),
        *shown("074", "Two options were exchanged after they were signed", _OPTIONS, bad, options={"created": "2021-06-13T00:00:00Z"}, signed_options={"type": "RsaSignature2018", "created": "2021-06-12T04:28:46Z", "verificationMethod": DIVOC_ISSUER, "proofPurpose": "assertionMethod"}),
        *shown("075", "Ed25519 is named, and the key is RSA", _PROOF, "UNSUITABLE_PUBLIC_KEY_TYPE", options={"type": "Ed25519Signature2018"}, header={"alg": "EdDSA"}),
        *shown("076", "RsaSignature2018 with RS256, as its draft had it", _PROOF, refused, header={"alg": "RS256"}),
        *shown("077", "The algorithm of another suite", _PROOF, refused, header={"alg": "EdDSA"}),
        *shown("078", "A suite that is not known", _PROOF, refused, options={"type": "https://w3id.org/security#JsonWebSignature2020"}),
        *shown("085", "A suite by a word that no context knows", _OPTIONS, "CANONICALIZATION_FAILED", options={"type": "ExampleSignature2018"}),
        *shown("079", "The algorithm none", _PROOF, refused, header={"alg": "none"}),
        *shown("080", "An algorithm that is a number", _PROOF, refused, header={"alg": 1}),
        *shown("081", "An RSA key that is too weak", _PROOF, "PUBLIC_KEY_TOO_WEAK", signer="divoc-rsa1024", trust=("divoc-rsa1024",)),
        *shown("082", "The members in another order, which says the same", _PROOF, shown=lambda document: dict(reversed(document.items()))),
        *shown("083", "An algorithm of more letters than any has", _PROOF, refused, header={"alg": "PS256" * 9}),
        *shown("084", "The key of the same issuer with another name", _PROOF, "UNSUITABLE_PUBLIC_KEY_TYPE", options={"verificationMethod": f"{DIVOC_ISSUER}#ed25519"}, trust=("divoc", "divoc-ed25519")),
    ]  # fmt: skip


def _times() -> list[Case]:
    early, late, invalid, bare = "CWT_NOT_YET_VALID", "CWT_EXPIRED", "CWT_TIME_INVALID", "TIME_WITHOUT_ZONE"
    times = "Verifiable Credentials Data Model 1.0 §4.6"

    def at(**members: Any) -> dict[str, Any]:
        return {"document": changed(DOCUMENT, members)}

    return [
        *shown("090", "Issued at this moment", times, **at(issuanceDate="2021-08-20T10:00:00Z")),
        *shown("091", "Issued a second later", times, early, **at(issuanceDate="2021-08-20T10:00:01Z")),
        *shown("092", "Issued at this moment, in another zone", times, **at(issuanceDate="2021-08-20T15:30:00+05:30")),
        *shown("093", "With an end", times, **at(expirationDate="2022-06-12T00:00:00Z")),
        *shown("094", "It ends at this moment", times, **at(expirationDate="2021-08-20T10:00:00Z")),
        *shown("095", "It has ended", times, late, **at(expirationDate="2021-08-20T09:59:59Z")),
        *shown("096", "Issued at no such moment", times, invalid, **at(issuanceDate="2021-02-30T10:00:00Z")),
        *shown("097", "Issued on a day", times, invalid, **at(issuanceDate="2021-06-12")),
        *shown("098", "Issued before 1970", times, invalid, **at(issuanceDate="1969-06-12T10:00:00Z")),
        *shown("099", "An end that is none", times, invalid, **at(expirationDate="never")),
        *shown("100", "Issued at a moment without its zone", times, bare, **at(issuanceDate="2021-06-12T04:28:46"), quirk=True, step="decode"),
        *shown("101", "Ends at a moment without its zone", times, bare, **at(expirationDate="2022-06-12T04:28:46"), quirk=True, step="decode"),
        *shown("102", "Not told when it was issued", times, "FIELD_MISSING", **at(issuanceDate=...), quirk=True),
    ]  # fmt: skip
