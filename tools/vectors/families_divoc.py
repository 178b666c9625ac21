"""A press for DIVOC certificates.

The canonical form is made by PyLD, which nobody tests here, from the contexts that are part of this project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.vectors import keys
from tools.vectors.case import Case, scan, scanned_quirk
from tools.vectors.families_press import base64url, minified
from tools.vectors.families_zip import Archive

_CONTEXTS = Path(__file__).resolve().parents[2] / "src" / "healthcert" / "data" / "contexts"
_COWIN = "https://cowin.gov.in/credentials/"
CREDENTIALS, SECURITY = "https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/v2"
V1, V2, TEST_V1 = (f"{_COWIN}{name}" for name in ("vaccination/v1", "vaccination/v2", "testCertificate/v1"))
_FILES = {
    CREDENTIALS: "credentials-v1",
    SECURITY: "security-v2",
    V1: "divoc-vaccination-v1",
    V2: "divoc-vaccination-v2",
    TEST_V1: "divoc-test-v1",
}

_SPACE, _NOWHERE = "stand-in-for-a-space", "nowhere://none/"


ADDRESS: dict[str, Any] = {
    "streetAddress": "1 Example Road",
    "streetAddress2": "",
    "district": "Example",
    "city": "",
    "addressRegion": "Region",
    "addressCountry": "IN",
    "postalCode": 100001,
}
DOCUMENT: dict[str, Any] = {
    "@context": [CREDENTIALS, V2],
    "type": ["VerifiableCredential", "ProofOfVaccinationCredential"],
    "credentialSubject": {
        "type": "Person",
        "id": "did:example:7",
        "refId": "39791185041847",
        "name": "Asha Example",
        "uhid": "7",
        "gender": "Female",
        "age": "36",
        "dob": "1985-03-04",
        "nationality": "Indian",
        "address": ADDRESS,
    },
    "issuer": "https://health.example/",
    "issuanceDate": "2021-06-12T04:28:46.012Z",
    "evidence": [
        {
            "id": "https://health.example/vaccine/92047670169",
            "feedbackUrl": "https://health.example/?92047670169",
            "infoUrl": "https://health.example/i?92047670169",
            "certificateId": "92047670169",
            "type": ["Vaccination"],
            "batch": "B-17",
            "vaccine": "COVISHIELD",
            "manufacturer": "Example Institute",
            "date": "2021-06-11T04:28:43.134Z",
            "icd11Code": "XM68M6",
            "prophylaxis": "COVID-19 vaccine",
            "effectiveStart": "2021-06-25",
            "effectiveUntil": "2022-06-11",
            "dose": 1,
            "totalDoses": 2,
            "verifier": {"name": "A. Nurse"},
            "facility": {"name": "Example Centre", "address": ADDRESS | {"streetAddress": "2 Example Road"}},
        }
    ],
    "nonTransferable": "true",
}


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """One field a layer, sound unless told otherwise."""

    document: Any = field(default_factory=lambda: DOCUMENT)
    shown: Callable[[Any], Any] = lambda document: document
    """What becomes of the document after it was signed."""
    signer: str = "divoc"
    options: dict[str, Any] = field(default_factory=dict)
    """Changes to the proof's options; ``...`` removes one."""
    signed_options: dict[str, Any] | None = None
    """What is signed of them, where that is something else."""
    header: dict[str, Any] = field(default_factory=dict)
    head: bytes | None = None
    sign: Callable[[keys.Private, bytes], bytes] | None = None
    proof: Callable[[dict[str, Any]], Any] = lambda proof: proof
    jws: Callable[[str], Any] = lambda jws: jws
    json: bytes | None = None
    archive: Callable[[Archive], bytes] = Archive.bytes

    def layers(self) -> tuple[bytes, dict[str, bytes]]:
        """The archive, the document in it, and what of that is signed."""
        edwards = self.signer == "divoc-ed25519"
        usual = {"type": "Ed25519Signature2018" if edwards else "RsaSignature2018", "created": "2021-06-12T04:28:46Z"}
        usual |= {"verificationMethod": keys.key(self.signer).kid.decode(), "proofPurpose": "assertionMethod"}
        options = changed(usual, self.options)
        head = self.head or minified(
            changed({"alg": "EdDSA" if edwards else "PS256", "b64": False, "crit": ["b64"]}, self.header)
        )
        signed_options = {"@context": SECURITY} | (self.signed_options or options)
        digests = b"".join(
            hashlib.sha256(canonical(part)).digest() for part in (json.dumps(signed_options), json.dumps(self.document))
        )
        signed = base64url(head).encode() + b"." + digests
        private = keys.key(self.signer).private
        if self.sign:
            signature = self.sign(private, signed)
        else:
            signature = (
                private.sign(signed) if isinstance(private, Ed25519PrivateKey) else keys.sign_pss(private, signed)
            )
        proof = self.proof(options | {"jws": self.jws(f"{base64url(head)}..{base64url(signature)}")})
        content = minified(changed(self.shown(self.document), {"proof": proof})) if self.json is None else self.json
        return self.archive(Archive(content)), {"json": content, "signed": signed}


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Members with these changes; ``...`` removes one."""
    return {name: value for name, value in (values | changes).items() if value is not ...}


@cache
def canonical(document: str) -> bytes:
    """The canonical N-Quads (URDNA2015) of a JSON-LD document, as the libraries of 2021 made them.

    Those took an identifier with a space as it is, and left out what is said of a relative one.
    """
    library, canon = import_module("pyld.jsonld"), import_module("pyld.canon")

    def load(url: str, _options: Any = None) -> dict[str, Any]:
        context = json.loads((_CONTEXTS / f"{_FILES[url]}.json").read_text("utf-8"))["@context"]
        return {
            "document": {"@context": context},
            "documentUrl": url,
            "contextUrl": None,
            "contentType": "application/ld+json",
        }

    value = json.loads(document)
    subject = value.get("credentialSubject", {})
    if isinstance(subject, dict) and isinstance(subject.get("id"), str):
        subject["id"] = subject["id"].replace(" ", _SPACE)
    dataset = library.to_rdf(value, {"base": _NOWHERE, "documentLoader": load, "processingMode": "json-ld-1.1"})
    for name, graph in dataset.items():
        for statement in graph:
            for term in statement.values():
                term["value"] = term["value"].replace(_SPACE, " ")
        dataset[name] = [one for one in graph if not any(term["value"].startswith(_NOWHERE) for term in one.values())]
    form: str = canon.URDNA2015().main(dataset, {"format": "application/n-quads"})
    return form.encode()


def shown(
    number: str,
    title: str,
    sections: str,
    code: str = "OK",
    *warnings: str,
    trust: tuple[str, ...] = ("divoc",),
    quirk: bool = False,
    step: str | None = None,
    scanned: Callable[[bytes], str | bytes] = lambda archive: archive,
    circumstances: dict[str, Any] | None = None,
    **made: Any,
) -> list[Case]:
    """The case of a certificate, and where it is a ``quirk`` the same under the strict policy.

    A barcode has the bytes of the archive; ``scanned`` is what else is scanned. Keys are bare, so that nobody knows
    their dates, and none are needed.
    """
    archive, layers = Certificate(**made).layers()
    facts: dict[str, Any] = {
        "of": scanned(archive),
        "trust": trust,
        "step": step,
        "layers": layers,
        **(circumstances or {}),
    }
    if quirk:
        return scanned_quirk(f"HC-DIV-{number}", title, sections, code, *warnings, **facts)
    return [scan(f"HC-DIV-{number}", title, sections, code, *warnings, **facts)]
