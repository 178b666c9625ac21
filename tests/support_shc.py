"""A press for SMART Health Cards that can be told to err at any layer, and a verifier that trusts its key."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.encoding import deflate
from healthcert.encoding.algorithms import Algorithm
from healthcert.families.shc.encode import _base64url
from healthcert.families.shc.forms import to_digits
from healthcert.lists import jwk

NAME = "SMART Health Card"
ISSUER = "https://cards.example.org/issuer"
NOW = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
NBF = 1629000000
CARD = "https://smarthealth.cards#health-card"
CVX = "http://hl7.org/fhir/sid/cvx"
SNOMED = "http://snomed.info/sct"

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"family": "Exemplaire", "given": ["Zoé", "M."]}],
    "birthDate": "1984-02-29",
}
DOSE: dict[str, Any] = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": CVX, "code": "207"}]},
    "patient": {"reference": "resource:0"},
    "occurrenceDateTime": "2021-01-29",
    "performer": [{"actor": {"display": "Example Hospital"}}],
    "lotNumber": "0000007",
}
TEST: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "94558-4"}]},
    "subject": {"reference": "resource:0"},
    "effectiveDateTime": "2021-08-19T08:30:00+02:00",
    "performer": [{"display": "Example Hospital"}],
    "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "260415000"}]},
}


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(0x5EED, ec.SECP256R1())


@cache
def spki() -> bytes:
    return key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def kid() -> str:
    return jwk.thumbprint(spki())


def with_(resource: dict[str, Any], *without: str, **changes: Any) -> dict[str, Any]:
    """A resource with other members, and without some."""
    return {name: value for name, value in (copy.deepcopy(resource) | changes).items() if name not in without}


def bundle(*resources: dict[str, Any], patient: dict[str, Any] | None = None) -> dict[str, Any]:
    everything = (patient or PATIENT, *(resources or (DOSE,)))
    entries = [{"fullUrl": f"resource:{number}", "resource": one} for number, one in enumerate(everything)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def claims(of: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    subject = {"fhirVersion": "4.0.1", "fhirBundle": of or bundle()}
    return {"iss": ISSUER, "nbf": NBF, "vc": {"type": [CARD], "credentialSubject": subject}} | changes


@dataclass
class Press:
    """Makes a card layer by layer; a layer that is given replaces what would have been made."""

    claims: dict[str, Any] = field(default_factory=claims)
    header: dict[str, Any] = field(default_factory=lambda: {"zip": "DEF", "alg": "ES256", "kid": kid()})
    payload: bytes | None = None
    compressed: bytes | None = None
    signature: bytes | None = None

    def jws(self) -> str:
        payload = json.dumps(self.claims, separators=(",", ":")).encode() if self.payload is None else self.payload
        compressed = deflate.deflate(payload, raw=True) if self.compressed is None else self.compressed
        signing_input = _base64url(json.dumps(self.header).encode()) + b"." + _base64url(compressed)
        signature = Algorithm.ES256.sign(key(), signing_input) if self.signature is None else self.signature
        return (signing_input + b"." + _base64url(signature)).decode()

    def text(self) -> str:
        return "shc:/" + to_digits(self.jws().encode())

    def parts(self, total: int) -> list[str]:
        """The card in as many parts, of about one size."""
        token = self.jws().encode()
        ends = [len(token) * number // total for number in range(total + 1)]
        return [
            f"shc:/{number}/{total}/{to_digits(token[ends[number - 1] : ends[number]])}"
            for number in range(1, total + 1)
        ]


def store() -> hc.TrustStore:
    return hc.TrustStore([hc.TrustedKey(kid=kid().encode(), spki=spki(), domain="SHC", issuer=ISSUER)])


def verifier(policy: hc.Policy | None = None, *, at: datetime = NOW) -> hc.Verifier:
    return hc.Verifier(store(), policy=policy, clock=hc.FixedClock(at))


def examine(text: str, policy: hc.Policy | None = None) -> hc.Report:
    return verifier(policy).examine(text)


def certificate(of: dict[str, Any], *warnings: str) -> hc.HealthCertificate:
    """What an accepted card with this bundle says; its warnings are these and no others."""
    report = examine(Press(claims(of)).text())
    assert (report.code, report.detail) == ("OK", "")
    found = [str(warning.code) for warning in report.warnings if warning.code != "REVOCATION_UNKNOWN"]
    assert sorted(found) == sorted(warnings)
    assert report.certificate is not None
    return report.certificate


def refused(of: dict[str, Any]) -> tuple[str, str]:
    """The code and the detail with which a card with this bundle fails its content."""
    report = examine(Press(claims(of)).text())
    assert report.outcome is not hc.Outcome.ACCEPTED
    assert report.step == "content"
    return str(report.code), report.detail
