"""What the tests of DIVOC build certificates from: documents that are nobody's, and keys of the day."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.encoding.algorithms import Algorithm
from healthcert.families.divoc.archive import write
from healthcert.families.divoc.document import proof_options
from healthcert.families.divoc.proof import signing_input
from healthcert.model import Scan
from healthcert.trust.keys import TrustedKey

NOW = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
DID = "did:example:health"
V1, V2 = (f"https://cowin.gov.in/credentials/vaccination/v{number}" for number in (1, 2))
TEST_V1 = "https://cowin.gov.in/credentials/testCertificate/v1"
CREDENTIALS = "https://www.w3.org/2018/credentials/v1"

ADDRESS = {
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
        "id": "did:Identity Card:****1234",
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
            "manufacturer": "Serum Institute of India",
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
TEST_DOCUMENT: dict[str, Any] = DOCUMENT | {
    "@context": [CREDENTIALS, TEST_V1],
    "type": ["VerifiableCredential", "ProofOfTestCertificateCredential"],
    "credentialSubject": {
        name: value for name, value in DOCUMENT["credentialSubject"].items() if name not in ("age", "id")
    },
    "evidence": [
        {
            "id": "https://health.example/test/204604148",
            "certificateId": "204604148",
            "type": ["TestDetails"],
            "batch": "AB348F",
            "testName": "Example qPCR",
            "testType": "RT-PCR",
            "manufacturer": "Example Biotech",
            "disease": "COVID-19",
            "sampleOrigin": "nasal swab",
            "sampleCollectionTimestamp": "2021-08-19T19:21:19.646Z",
            "resultTimestamp": "2021-08-20T07:21:19.646Z",
            "result": "Negative",
            "verifier": {"name": "A. Nurse"},
            "facility": {"name": "Example Laboratory", "address": ADDRESS},
        }
    ],
    "issuanceDate": "2021-08-20T08:00:00Z",
}


@cache
def ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@cache
def rsa2048() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def store(kid: str = DID, *, issuer: str = DID, domain: str = "DIVOC") -> hc.TrustStore:
    """A store that trusts both keys of the tests under one name."""
    spkis = [
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in (rsa2048(), ed25519())
    ]
    return hc.TrustStore([TrustedKey(kid=kid.encode(), spki=one, domain=domain, issuer=issuer) for one in spkis])


def verifier(at: datetime = NOW, **policy: Any) -> hc.Verifier:
    return hc.Verifier(store(), policy=hc.Policy(**policy), clock=hc.FixedClock(at))


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(
    document: Mapping[str, Any] = DOCUMENT,
    *,
    rsa_key: bool = False,
    header: Mapping[str, Any] | None = None,
    **proof: Any,
) -> dict[str, Any]:
    """A document with a proof; members of the proof's options may be given, and its header."""
    algorithm = Algorithm.PS256 if rsa_key else Algorithm.EdDSA
    options = {
        "type": "RsaSignature2018" if rsa_key else "Ed25519Signature2018",
        "created": "2021-06-12T04:28:46Z",
        "verificationMethod": DID,
        "proofPurpose": "assertionMethod",
    } | proof
    protected = b64(json.dumps(header or {"alg": algorithm.name, "b64": False, "crit": ["b64"]}).encode())
    data = signing_input(document, proof_options(options), protected)
    signature = algorithm.sign(rsa2048() if rsa_key else ed25519(), data)
    return dict(document) | {"proof": options | {"jws": f"{protected}..{b64(signature)}"}}


def text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


def scan(document: Mapping[str, Any]) -> Scan:
    return Scan.of(write(text(document).encode()))


def changed(document: Mapping[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    """A copy of a document with another value at a path, or without it where the value is ``...``."""
    copy: Any = deepcopy(dict(document))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    found: dict[str, Any] = copy
    return found


def swapped(document: Mapping[str, Any], one: str, other: str) -> dict[str, Any]:
    """A copy of a document with two members of its first entry exchanged, as anybody can do."""
    entry = document["evidence"][0]
    return changed(document, "evidence", 0, value=entry | {one: entry[other], other: entry[one]})
