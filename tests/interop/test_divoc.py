"""DIVOC certificates that others publish, from the barcode to the verdict, at a moment when they were young."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.errors import Code, Step
from healthcert.families.divoc.family import DIVOC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan, Vaccination
from healthcert.trust.keys import TrustedKey
from tests.support_divoc import DID, changed, signed, store, text
from tests.unit.encoding.test_jsonld import by_published_contexts, form

NOW = datetime(2022, 8, 1, tzinfo=UTC)
SAMPLES = "divoc/ddcc-validator"


@pytest.fixture(scope="module")
def india(interop: Path) -> hc.TrustStore:
    """India's key under the name that certificates have for it."""
    pem = (interop / "divoc/khealthcertificate/did-india.pem").read_bytes()
    der = base64.b64decode(b"".join(pem.split(b"-----")[2].split()))
    return hc.TrustStore([TrustedKey(kid=b"did:india", spki=der, domain="DIVOC", issuer="did:india")])


def examine(what: str, trust: hc.TrustStore) -> hc.Report:
    return hc.Verifier(trust, clock=hc.FixedClock(NOW)).examine(what)


def check_accepted(report: hc.Report) -> None:
    assert (report.outcome, report.code) == (hc.Outcome.ACCEPTED, Code.OK), report.steps
    assert report.certificate is not None
    (vaccination,) = report.certificate.events
    assert isinstance(vaccination, Vaccination)
    assert (vaccination.dose, vaccination.series) == (1, 2)
    assert vaccination.product is not None
    assert vaccination.product.code == "COVISHIELD"
    assert report.certificate.identifiers == ("92047670169",)
    assert report.family == "DIVOC"


def test_the_text_from_india_is_accepted(india: hc.TrustStore, interop: Path) -> None:
    check_accepted(examine((interop / SAMPLES / "DIVOCQR1Contents.txt").read_text(), india))


def test_its_picture_is_accepted(india: hc.TrustStore, interop: Path) -> None:
    """The barcode holds the archive in bytes, of which a scanner makes no text."""
    (scan,) = hc.read_barcodes(interop / SAMPLES / "PROD-DIVOC-INDIA.png")
    assert isinstance(scan, Scan)
    assert scan.data.startswith(b"PK\x03\x04")
    check_accepted(examine(scan, india))


def test_the_document_alone_is_accepted(india: hc.TrustStore, interop: Path) -> None:
    check_accepted(examine((interop / SAMPLES / "DIVOCQR1Unpacked.json").read_text(), india))


def test_a_value_changed_by_hand_is_refused(india: hc.TrustStore, interop: Path) -> None:
    document = json.loads((interop / SAMPLES / "DIVOCQR1Unpacked.json").read_text())
    report = examine(text(changed(document, "evidence", 0, "dose", value=2)), india)
    assert (report.code, report.step) == (Code.SIGNATURE_INVALID, Step.SIGNATURE)


def test_a_second_dose_of_one_is_not_shown(india: hc.TrustStore, interop: Path) -> None:
    """The real signature holds over it, for it does not tell the two numbers apart."""
    document = json.loads((interop / SAMPLES / "DIVOCQR1Unpacked.json").read_text())
    entry = document["evidence"][0] | {"dose": 2, "totalDoses": 1}
    report = examine(text(changed(document, "evidence", 0, value=entry)), india)
    assert report.certificate is not None
    (vaccination,) = report.certificate.events
    assert isinstance(vaccination, Vaccination)
    assert (vaccination.dose, vaccination.series) == (None, None)
    assert Code.DOSE_OUT_OF_RANGE in [one.code for one in report.warnings]


def test_a_signature_of_zeros_is_refused(india: hc.TrustStore, interop: Path) -> None:
    folder = interop / "divoc/khealthcertificate/divoc"
    for what in (
        Scan.of((folder / "partial-vaccination.bin").read_bytes()),
        (folder / "partial-vaccination.bin").read_bytes().decode("latin-1"),
        (folder / "partial-vaccination.json").read_text(),
    ):
        report = examine(what, india)
        assert (report.code, report.step) == (Code.SIGNATURE_INVALID, Step.SIGNATURE)
        assert report.certificate is None


def test_a_certificate_of_a_country_without_a_key_is_not_accepted(india: hc.TrustStore, interop: Path) -> None:
    report = examine((interop / SAMPLES / "DIVOCIndonesiaContents.txt").read_text(), india)
    assert (report.code, report.step) == (Code.KEY_NOT_IN_TRUST_LIST, Step.TRUST)


def indonesian(interop: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((interop / SAMPLES / "DIVOCIndonesiaUnpacked.json").read_text())
    return found


def test_the_certificate_from_indonesia_under_our_key(interop: Path) -> None:
    """Its own key is not at hand; what is signed of it is, and the content is read under a key of the test."""
    document = indonesian(interop)
    proof = document.pop("proof")
    made = signed(document, verificationMethod="did:indonesia", created=proof["created"])
    report = examine(text(made), store("did:indonesia", issuer="did:indonesia"))
    assert (report.outcome, report.code) == (hc.Outcome.ACCEPTED, Code.OK), report.steps
    assert report.certificate is not None
    (vaccination,) = report.certificate.events
    assert isinstance(vaccination, Vaccination)
    assert (vaccination.dose, vaccination.series, vaccination.country) == (3, 3, "IDN")
    assert vaccination.manufacturer is None
    assert report.certificate.holder.birth_date == "1988-05-15"
    decoded = DIVOC.decode((interop / SAMPLES / "DIVOCIndonesiaContents.txt").read_text(), DEFAULT_LIMITS)
    # Behind the dot are the digests of the options and of the document.
    ours = DIVOC.decode(text(made), DEFAULT_LIMITS)
    assert ours.signed.partition(b".")[2] == decoded.signed.partition(b".")[2]


def test_the_forms_are_those_of_the_published_contexts(interop: Path) -> None:
    folder = interop / "divoc/jsonld-contexts"
    for name in ("DIVOCQR1Unpacked.json", "DIVOCIndonesiaUnpacked.json"):
        document = json.loads((interop / SAMPLES / name).read_text())
        del document["proof"]
        ours = DIVOC.decode(text(signed(document)), DEFAULT_LIMITS).signed
        first, context = document["@context"]
        published = context if "cowin" in context else "https://cowin.gov.in/credentials/vaccination/v2"
        as_published = document | {"@context": [first, published]}
        assert form(as_published) == by_published_contexts(as_published, folder)
        assert DIVOC.decode(text(signed(as_published)), DEFAULT_LIMITS).signed == ours


def test_a_draft_without_contexts_is_no_certificate(india: hc.TrustStore, interop: Path) -> None:
    """Examples of a mapping write ``context`` for ``@context``, under which nothing is signed."""
    for name in ("example-divoc-payload-vaccine.json", "example-divoc-test-result.json"):
        document = json.loads((interop / "divoc/who-ddcc-fixtures" / name).read_text())
        assert not DIVOC.recognises(text(document))
        assert examine(text(document), india).outcome is not hc.Outcome.ACCEPTED
        document["@context"] = document.pop("context")
        bare = {member: value for member, value in document.items() if member != "proof"}
        report = examine(text(signed(bare | {"issuer": DID})), store())
        if "test" in name:
            assert (report.code, report.step) == (Code.TEST_RESULT_POSITIVE, Step.CONTENT)
        else:
            # Its person has the bare number of an identity card, of which nothing is signed.
            assert (report.code, report.step) == (Code.SCHEMA_VALIDATION_FAILED, Step.CONTENT)
