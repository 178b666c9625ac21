"""DIVOC certificates as they are issued: read back without a departure, and with nothing left out in silence."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import COVID_19, DETECTED, ICD_11, NAAT, NOT_DETECTED, finding
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError
from healthcert.families.divoc.encode import unsigned
from healthcert.families.divoc.family import DIVOC
from healthcert.families.protocol import Wire
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding, Event, HealthCertificate, Holder, Recovery, Scan, TestResult, Vaccination
from tests.support_divoc import DID, NOW, ed25519, rsa2048, verifier

HOLDER = Holder(full_name="Asha Müller", birth_date="1985-03-04", sex=Coding("", "Female"), nationality="Indian")
VACCINATION = Vaccination(
    vaccine=Coding(ICD_11, "XM68M6", "COVID-19 vaccine"),
    product=Coding("", "COVISHIELD"),
    manufacturer=Coding("", "Serum Institute of India"),
    dose=1,
    series=2,
    date=date(2021, 6, 11),
    country="IN",
    certificate_id="92047670169",
    batch="B-17",
    centre="Example Centre",
    clinician="A. Nurse",
)
TEST = TestResult(
    disease=Coding("", "COVID-19"),
    test_type=Coding("", "RT-PCR"),
    name="Example qPCR",
    sampled_at=datetime(2021, 8, 19, 19, 21, 19, tzinfo=UTC),
    resulted_at=datetime(2021, 8, 20, 7, 21, 19, tzinfo=UTC),
    result=Coding("", "Negative"),
    centre="Example Laboratory",
    country="IN",
    certificate_id="204604148",
)


def issue(event: Event = VACCINATION, holder: Holder = HOLDER, **given: Any) -> Wire:
    message = unsigned(**arguments(event, holder, **given))
    algorithm = given.get("algorithm", Algorithm.EdDSA)
    return message.assemble(
        algorithm.sign(rsa2048() if algorithm is Algorithm.PS256 else ed25519(), message.to_be_signed)
    )


def arguments(event: Event, holder: Holder, **given: Any) -> Any:
    return {
        "event": event,
        "holder": holder,
        "issuer": DID,
        "method": DID,
        "issued_at": NOW,
        "expires_at": None,
        "algorithm": Algorithm.EdDSA,
    } | given


def read(wire: Wire) -> HealthCertificate:
    decoded = DIVOC.decode(Scan.of(wire.binary), DEFAULT_LIMITS)
    certificate, findings = DIVOC.parse(decoded, DIVOC.kinds)
    assert decoded.findings == findings == ()
    assert DIVOC.check_signer(decoded) is None
    return certificate


def refused(event: Event = VACCINATION, holder: Holder = HOLDER, **given: Any) -> str:
    with pytest.raises(IssueError) as caught:
        unsigned(**arguments(event, holder, **given))
    assert caught.value.code is Code.FIELD_INVALID
    assert "; for example " in caught.value.detail
    return caught.value.detail.partition(":")[0]


@pytest.mark.parametrize("algorithm", [Algorithm.EdDSA, Algorithm.PS256])
@pytest.mark.parametrize("event", [VACCINATION, TEST])
def test_it_is_read_back_as_it_was_given(event: Event, algorithm: Algorithm) -> None:
    wire = issue(event, algorithm=algorithm, expires_at=NOW + timedelta(days=30))
    certificate = read(wire)
    assert certificate.holder == HOLDER
    assert certificate.events == (event,)
    assert (certificate.issuer, certificate.issued_at) == (DID, NOW)
    assert certificate.expires_at == NOW + timedelta(days=30)
    for text in (Scan.of(wire.binary), wire.text):
        assert verifier().examine(text).outcome is hc.Outcome.ACCEPTED
        late = verifier(NOW + timedelta(days=31)).examine(text)
        assert late.code is Code.CWT_EXPIRED


def test_the_barcode_holds_the_archive() -> None:
    wire = issue()
    assert wire.segments == (wire.binary,)
    assert wire.text.encode("latin-1") == wire.binary
    assert (wire.symbol, wire.media_type) == ("qr", "application/zip")
    assert len(wire.binary) < 1200
    assert issue().binary == wire.binary


def test_as_little_as_there_has_to_be() -> None:
    event = Vaccination(product=Coding("", "COVISHIELD"), dose=1, series=1, date=date(2021, 6, 11), certificate_id="1")
    holder = Holder(full_name="Asha")
    certificate = read(issue(event, holder))
    assert (certificate.holder, certificate.events) == (holder, (event,))
    test = TestResult(
        disease=Coding("", "COVID-19"),
        test_type=Coding("", "RT-PCR"),
        sampled_at=NOW,
        result=Coding("", "Negative"),
        certificate_id="1",
    )
    assert read(issue(test, holder)).events == (test,)


def test_codes_are_written_by_their_names() -> None:
    event = replace(
        VACCINATION,
        product=Coding("https://example.org", "EU/1/20/1528", "Comirnaty"),
        manufacturer=Coding("https://example.org", "ORG-1"),
        vaccine=Coding("", "a vaccine"),
    )
    (vaccination,) = read(issue(event)).events
    assert isinstance(vaccination, Vaccination)
    assert vaccination.product == Coding("", "Comirnaty")
    assert vaccination.manufacturer == Coding("", "ORG-1")
    assert vaccination.vaccine == Coding("", "a vaccine")
    for result in (NOT_DETECTED, DETECTED):
        (test,) = read(issue(replace(TEST, result=result, disease=COVID_19, test_type=NAAT))).events
        assert isinstance(test, TestResult)
        assert finding(test.result) == result
        assert test.disease == Coding("", "COVID-19")


def test_the_names_of_other_families_make_one() -> None:
    certificate = read(issue(holder=Holder(given_name="Zoé", family_name="Exemplaire")))
    assert certificate.holder.full_name == "Zoé Exemplaire"


def test_a_key_may_have_a_name() -> None:
    decoded = DIVOC.decode(Scan.of(issue(method=f"{DID}#key-1").binary), DEFAULT_LIMITS)
    assert (decoded.kid, decoded.issuer) == (f"{DID}#key-1".encode(), DID)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer": "https://health.example/"}, "issuer"),
        ({"issuer": "did:a b", "method": "did:a b"}, "issuer"),
        ({"method": "did:example:other"}, "method"),
        ({"method": f"{DID}# 1"}, "method"),
        ({"algorithm": Algorithm.ES256}, "algorithm"),
        ({"issued_at": NOW.replace(tzinfo=None)}, "issued_at"),
        ({"issued_at": datetime(1960, 8, 20, tzinfo=UTC)}, "issued_at"),
        ({"expires_at": NOW.replace(tzinfo=None)}, "expires_at"),
        (
            {
                "event": Recovery(
                    disease=COVID_19,
                    first_positive=date(2021, 5, 1),
                    valid_from=date(2021, 5, 12),
                    valid_until=date(2021, 10, 1),
                )
            },
            "event",
        ),
        ({"holder": replace(HOLDER, full_name=None)}, "full_name"),
        ({"holder": replace(HOLDER, full_name="-")}, "full_name"),
        ({"holder": replace(HOLDER, full_name="a\nb")}, "full_name"),
        ({"holder": replace(HOLDER, full_name="a" * 201)}, "full_name"),
        ({"holder": replace(HOLDER, given_name="Zoé")}, "full_name"),
        ({"holder": replace(HOLDER, birth_date="85")}, "birth_date"),
        ({"holder": replace(HOLDER, birth_date="04.03.1985")}, "birth_date"),
        ({"holder": replace(HOLDER, document_number="Z123")}, "document_number"),
        ({"holder": replace(HOLDER, guardian="Zoé")}, "guardian"),
        ({"holder": replace(HOLDER, family_name_icao="MUELLER")}, "family_name_icao"),
        ({"holder": replace(HOLDER, other={"age": 3})}, "other"),
        ({"event": replace(VACCINATION, other={"x": 1})}, "other"),
        ({"event": replace(VACCINATION, issuer="x")}, "issuer"),
        ({"event": replace(VACCINATION, disease=COVID_19, vaccine=None)}, "disease"),
        ({"event": replace(VACCINATION, vaccine=Coding("http://snomed.info/sct", "1"))}, "vaccine"),
        ({"event": replace(VACCINATION, vaccine=Coding("", "-"))}, "vaccine"),
        ({"event": replace(VACCINATION, product=None)}, "product"),
        ({"event": replace(VACCINATION, date=None)}, "date"),
        ({"event": replace(VACCINATION, date=NOW)}, "date"),
        ({"event": replace(VACCINATION, dose=None)}, "dose"),
        ({"event": replace(VACCINATION, dose=0)}, "dose"),
        ({"event": replace(VACCINATION, dose=True)}, "dose"),
        ({"event": replace(VACCINATION, series=None)}, "series"),
        ({"event": replace(VACCINATION, series=100)}, "series"),
        ({"event": replace(VACCINATION, dose=3)}, "dose"),
        ({"event": replace(VACCINATION, country="India")}, "country"),
        ({"event": replace(VACCINATION, certificate_id=None)}, "certificate_id"),
        ({"event": replace(VACCINATION, batch="")}, "batch"),
        ({"event": replace(TEST, sampled_at=None)}, "sampled_at"),
        ({"event": replace(TEST, sampled_on=date(2021, 8, 19))}, "sampled_on"),
        ({"event": replace(TEST, sampled_at=NOW.replace(tzinfo=None))}, "sampled_at"),
        ({"event": replace(TEST, resulted_at=datetime(2021, 8, 19, tzinfo=UTC))}, "resulted_at"),
        ({"event": replace(TEST, device=Coding("", "x"))}, "device"),
        ({"event": replace(TEST, result=Coding("http://snomed.info/sct", "1"))}, "result"),
        ({"event": replace(TEST, result=Coding("", ""))}, "result"),
        ({"event": replace(TEST, disease=None)}, "disease"),
        ({"event": replace(TEST, test_type=None)}, "test_type"),
        ({"event": replace(TEST, certificate_id=None)}, "certificate_id"),
    ],
)
def test_what_it_has_no_place_for_is_refused(change: dict[str, Any], field: str) -> None:
    assert refused(**change) == field


def test_what_a_vaccine_is_against_needs_no_place() -> None:
    event = replace(VACCINATION, disease=COVID_19, vaccine=Coding(ICD_11, "XM68M6"))
    (vaccination,) = read(issue(event)).events
    assert isinstance(vaccination, Vaccination)
    assert vaccination.vaccine == event.vaccine
    assert vaccination.disease is None


def test_moments_are_told_in_utc() -> None:
    certificate = read(issue(issued_at=NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))))
    assert certificate.issued_at == NOW
    assert certificate.raw["issuanceDate"] == "2021-08-20T10:00:00Z"


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from healthcert.encoding import jsonld

    def missing() -> Any:
        raise ImportError

    monkeypatch.setattr(jsonld, "_library", missing)
    with pytest.raises(IssueError) as caught:
        unsigned(**arguments(VACCINATION, HOLDER))
    assert caught.value.code is Code.EXTRA_MISSING


@pytest.mark.parametrize("algorithm", [Algorithm.EdDSA, Algorithm.PS256])
def test_a_second_opinion_verifies_it(algorithm: Algorithm, interop: Path) -> None:
    """PyLD with the published contexts, and the steps of Linked Data Proofs 1.0 written out."""
    wire = issue(algorithm=algorithm)
    with zipfile.ZipFile(io.BytesIO(wire.binary)) as archive:
        document = json.loads(archive.read("certificate.json"))
    folder = interop / "divoc/jsonld-contexts"
    files = {
        "https://www.w3.org/2018/credentials/v1": "W32018CredentialsV1.json",
        "https://cowin.gov.in/credentials/vaccination/v2": "DIVOCVaccinationContextV2.json",
        "https://w3id.org/security/v2": "security-v2.jsonld",
        "https://w3id.org/security/v1": "security-v1.jsonld",
    }

    def load(url: str, options: Any = None) -> dict[str, Any]:
        return {"document": json.loads((folder / files[url]).read_text()), "documentUrl": url, "contextUrl": None}

    def digest(value: dict[str, Any]) -> bytes:
        options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
        return sha256(import_module("pyld.jsonld").normalize(value, options).encode()).digest()

    proof = document.pop("proof")
    header, _, signature = proof.pop("jws").split(".")
    proof["@context"] = "https://w3id.org/security/v2"
    data = header.encode() + b"." + digest(proof) + digest(document)
    raw = import_module("base64").urlsafe_b64decode(signature + "==")
    key = rsa2048().public_key() if algorithm is Algorithm.PS256 else ed25519().public_key()
    assert algorithm.verify(key, raw, data)
