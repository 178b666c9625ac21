"""DIVOC certificates: recognised, their proofs taken apart, and their content told as far as it is signed."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

import healthcert as hc
from healthcert.codings import ICD_11, NOT_DETECTED, finding
from healthcert.encoding import jsonld
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.divoc.archive import write
from healthcert.families.divoc.family import DIVOC
from healthcert.families.protocol import Decoded, Finding
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import Coding, HealthCertificate, Scan, TestResult, Vaccination
from tests.support_divoc import (
    CREDENTIALS,
    DID,
    DOCUMENT,
    NOW,
    TEST_DOCUMENT,
    V1,
    V2,
    b64,
    changed,
    scan,
    signed,
    store,
    swapped,
    text,
    verifier,
)


def decode(document: Any) -> Decoded:
    return DIVOC.decode(text(document), DEFAULT_LIMITS)


def read(document: Any) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    return DIVOC.parse(decode(signed(document)), DIVOC.kinds)


def event(document: Any) -> Any:
    (found,) = read(document)[0].events
    return found


def findings(document: Any) -> list[Code]:
    return [one.code for one in read(document)[1]]


def not_decoded(what: Any, limits: Limits = DEFAULT_LIMITS) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        DIVOC.decode(what if isinstance(what, str) else text(what), limits)
    assert caught.value.step is Step.DECODE
    return caught.value


def not_read(document: Any) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        read(document)
    assert caught.value.step is Step.CONTENT
    return caught.value


# --- Recognition ---


@pytest.mark.parametrize(
    "what",
    [
        text(signed()),
        text([signed()]),
        scan(signed()),
        "B64:UEsDBA",
        text(DOCUMENT | {"proof": {}, "@context": [CREDENTIALS, "https://x.example/credentials/vaccination/v7"]}),
        text(DOCUMENT | {"proof": {}, "@context": [CREDENTIALS, "https://x.example/a/credentials/testCertificate/v1"]}),
    ],
)
def test_it_is_recognised(what: str) -> None:
    assert DIVOC.recognises(what)


@pytest.mark.parametrize(
    "what",
    [
        "",
        "PK",
        text(DOCUMENT),
        text([signed(), signed()]),
        text({"proof": {}, "@context": [CREDENTIALS]}),
        text({"proof": {}, "x": V1}),
        text({"proof": {}, "@context": [CREDENTIALS, "https://x.example/credentials/vaccination"]}),
        text({"proof": {}, "@context": [CREDENTIALS, "https://x.example/?/credentials/vaccination/v1x"]}),
        '{"proof": {}, "@context": "' + V1,
        Scan.of(b"HC1:PK\x03\x04"),
    ],
)
def test_anything_else_is_not(what: str) -> None:
    assert not DIVOC.recognises(what)


# --- What is taken apart ---


@pytest.mark.parametrize("rsa_key", [True, False])
def test_it_is_taken_apart(rsa_key: bool) -> None:
    for decoded in (decode(signed(rsa_key=rsa_key)), DIVOC.decode(scan(signed(rsa_key=rsa_key)), DEFAULT_LIMITS)):
        assert decoded.kinds == ("DIVOC",)
        assert decoded.kid == DID.encode()
        assert decoded.issuer == DID
        assert decoded.domains == frozenset(("DIVOC",))
        assert decoded.algorithm is (Algorithm.PS256 if rsa_key else Algorithm.EdDSA)
        assert decoded.algorithms == {Algorithm.PS256, Algorithm.EdDSA}
        assert decoded.claims.issuer == "https://health.example/"
        assert decoded.claims.issued_at == datetime(2021, 6, 12, 4, 28, 46, 12000, tzinfo=UTC).timestamp()
        assert decoded.claims.expires_at is None
        assert decoded.needs == frozenset()
        assert decoded.findings == ()
        assert DIVOC.check_signer(decoded) is None
        assert DIVOC.entry_types(decoded) == {hc.EntryType.VACCINATION}
    assert DIVOC.entry_types(decode(signed(TEST_DOCUMENT))) == {hc.EntryType.TEST}


def test_a_fragment_belongs_to_the_key_and_not_to_its_owner() -> None:
    decoded = decode(signed(verificationMethod=f"{DID}#key-1"))
    assert (decoded.kid, decoded.issuer) == (f"{DID}#key-1".encode(), DID)


@pytest.mark.parametrize(
    ("proof", "label"),
    [
        ({"type": "RsaSignature2018"}, "EdDSA"),
        ({"type": "RsaSignature2018", "header": {"alg": "RS256", "b64": False, "crit": ["b64"]}}, "RS256"),
        ({"header": {"alg": "PS256", "b64": False, "crit": ["b64"]}}, "PS256"),
        ({"header": {"alg": "none", "b64": False, "crit": ["b64"]}}, "none"),
        ({"header": {"alg": "Asha Example\n", "b64": False, "crit": ["b64"]}}, "unreadable"),
        ({"header": {"alg": ["PS256"], "b64": False, "crit": ["b64"]}}, "unreadable"),
        ({"header": {"b64": False, "crit": ["b64"]}}, "unreadable"),
    ],
)
def test_each_suite_has_one_algorithm(proof: dict[str, Any], label: str) -> None:
    """RsaSignature2018 is PS256 here and never RS256."""
    decoded = decode(signed(**proof))
    assert (decoded.algorithm, decoded.algorithm_label) == (None, label)


def test_a_suite_that_no_context_knows_is_refused() -> None:
    document = changed(signed(), "proof", "type", value="JsonWebSignature2020")
    assert not_decoded(document).code is Code.CANONICALIZATION_FAILED


@pytest.mark.parametrize(
    ("jws", "code"),
    [
        ("", Code.JWS_DESERIALIZATION_FAILED),
        ("a.b", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}.{s}", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}.e30.{s}", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}..{s}.", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}..{s}=", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}..{s}B", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}..{s}!", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}==..{s}", Code.JWS_DESERIALIZATION_FAILED),
        ("{h}..é", Code.JWS_DESERIALIZATION_FAILED),
        (b64(b"[]") + "..{s}", Code.JWS_DESERIALIZATION_FAILED),
        (b64(b'{"alg":"EdDSA"}') + "..{s}", Code.CRITICAL_HEADER_UNKNOWN),
        (b64(b'{"alg":"EdDSA","b64":false}') + "..{s}", Code.CRITICAL_HEADER_UNKNOWN),
        (b64(b'{"alg":"EdDSA","b64":false,"crit":["b64","exp"]}') + "..{s}", Code.CRITICAL_HEADER_UNKNOWN),
        (b64(b'{"alg":"EdDSA","b64":false,"crit":[]}') + "..{s}", Code.CRITICAL_HEADER_UNKNOWN),
        (b64(b'{"alg":"EdDSA","b64":false,"crit":"b64"}') + "..{s}", Code.CRITICAL_HEADER_UNKNOWN),
        (b64(b'{"alg":"EdDSA","crit":["b64"]}') + "..{s}", Code.JWS_DESERIALIZATION_FAILED),
        (b64(b'{"alg":"EdDSA","b64":true,"crit":["b64"]}') + "..{s}", Code.JWS_DESERIALIZATION_FAILED),
        (b64(b'{"alg":"EdDSA","b64":0,"crit":["b64"]}') + "..{s}", Code.JWS_DESERIALIZATION_FAILED),
        (b64(b'{"alg":"none","alg":"EdDSA","b64":false,"crit":["b64"]}') + "..{s}", Code.JWS_DESERIALIZATION_FAILED),
    ],
)
def test_the_signature_is_detached_and_spelt_in_one_way(jws: str, code: Code) -> None:
    document = signed()
    head, _, signature = document["proof"]["jws"].split(".")
    value = jws.replace("{h}", head).replace("{s}", signature)
    assert not_decoded(changed(document, "proof", "jws", value=value)).code is code


def test_padding_is_let_through() -> None:
    document = signed()
    padded = document["proof"]["jws"] + "=="
    assert decode(changed(document, "proof", "jws", value=padded)).signature == decode(document).signature


@pytest.mark.parametrize(
    "proof",
    [
        ...,
        None,
        [],
        {},
        {"jws": 1},
        {"created": ...},
        {"created": 1},
        {"proofPurpose": None},
        {"verificationMethod": {"id": DID}},
        {"verificationMethod": "india"},
        {"verificationMethod": "did:a b"},
        {"verificationMethod": "did:é"},
        {"verificationMethod": "sec:key"},
        {"verificationMethod": "did:" + "a" * 1100},
        {"domain": "example.org"},
        {"@context": []},
        {"expires": "2021-06-12T04:28:46Z"},
    ],
)
def test_other_proofs_are_refused(proof: Any) -> None:
    document = signed()
    if isinstance(proof, dict) and proof:
        for name, value in proof.items():
            document = changed(document, "proof", name, value=value)
    else:
        document = changed(document, "proof", value=proof)
    assert not_decoded(document).code is Code.JWS_DESERIALIZATION_FAILED


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.JSON_DESERIALIZATION_FAILED),
        (b"{}", Code.CANONICALIZATION_FAILED),
        (b"[]", Code.JSON_DESERIALIZATION_FAILED),
        (b"[1]", Code.JSON_DESERIALIZATION_FAILED),
        (b"\xef\xbb\xbf{}", Code.JSON_DESERIALIZATION_FAILED),
        (b'{"a": 1, "a": 1}', Code.JSON_DESERIALIZATION_FAILED),
        (b'{"a": NaN}', Code.JSON_DESERIALIZATION_FAILED),
        (b"\xff", Code.JSON_DESERIALIZATION_FAILED),
        (b"[" * 50 + b"]" * 50, Code.JSON_DESERIALIZATION_FAILED),
    ],
)
def test_the_document_has_one_reading(data: bytes, code: Code) -> None:
    assert not_decoded(Scan.of(write(data))).code is code


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 10**22, 10**400], ids=["more", "less", "double", "none"])
def test_numbers_that_several_texts_would_be_are_refused(number: int) -> None:
    document = changed(signed(), "credentialSubject", "address", "postalCode", value=number)
    assert not_decoded(document).code is Code.CANONICALIZATION_FAILED


def test_a_lone_surrogate_has_no_form() -> None:
    document = text(signed()).replace("Asha", "\\ud800")
    assert not_decoded(document).code is Code.JSON_DESERIALIZATION_FAILED


def test_a_document_is_as_long_as_an_archive_may_hold() -> None:
    document = text(signed())
    limits = Limits(archive_bytes=len(document))
    assert DIVOC.decode(document, limits).kid is not None
    assert not_decoded(document + " ", limits).code is Code.INPUT_TOO_LONG


@pytest.mark.parametrize(
    ("name", "value", "claim"),
    [
        ("issuanceDate", "2021-06-12", "iat"),
        ("issuanceDate", "yesterday", "iat"),
        ("issuanceDate", "2021-13-12T00:00:00Z", "iat"),
        ("issuanceDate", "1960-01-01T00:00:00Z", "iat"),
        ("issuanceDate", "2021-06-12T04:28:46.Z", "iat"),
        ("issuanceDate", "2021-06-12T04:28:46+24:00", "iat"),
        ("issuanceDate", "", "iat"),
        ("expirationDate", "2021-W23-6T00:00:00Z", "exp"),
        ("expirationDate", "0001-01-01T00:00:00+14:00", "exp"),
    ],
)
def test_what_is_no_moment_is_told(name: str, value: str, claim: str) -> None:
    assert decode(signed(DOCUMENT | {name: value})).claims.invalid == (claim,)


@pytest.mark.parametrize("value", ["2021-06-12T04:28:46Z", "2021-06-12T09:58:46+05:30", "2021-06-12T04:28:46.000000Z"])
def test_moments_have_many_spellings(value: str) -> None:
    claims = decode(signed(DOCUMENT | {"issuanceDate": value, "expirationDate": value})).claims
    assert claims.issued_at == claims.expires_at == datetime(2021, 6, 12, 4, 28, 46, tzinfo=UTC).timestamp()


def test_a_moment_without_a_zone_is_a_departure() -> None:
    decoded = decode(signed(DOCUMENT | {"issuanceDate": "2021-06-12T04:28:46"}))
    assert [one.code for one in decoded.findings] == [Code.TIME_WITHOUT_ZONE]
    assert decoded.claims.issued_at == datetime(2021, 6, 12, 4, 28, 46, tzinfo=UTC).timestamp()


# --- The signer ---


@pytest.mark.parametrize(
    ("issuer", "method", "problem"),
    [
        ("https://cowin.gov.in/", "did:india", None),
        ("https://www.cowin.gov.in/", "did:india#1", None),
        ("https://cvstatus.icmr.gov.in/", "did:india", None),
        ("https://www.pedulilindungi.id/", "did:indonesia", None),
        ("https://divoc.lgcc.gov.lk/", "did:srilanka:moh", None),
        ("https://cowin.gov.ph/", "did:philippines", None),
        ("did:india", "did:india", None),
        ("https://jamcovid.example/", "did:india", "a country that the issuer is not of"),
        ("https://cowin.gov.in.example/", "did:india", "a country that the issuer is not of"),
        ("https://mycowin.gov.in/", "did:india", "a country that the issuer is not of"),
        ("https://cowin.gov.in@evil.example/", "did:india", "a country that the issuer is not of"),
        ("urn:cowin.gov.in", "did:india", "a country that the issuer is not of"),
        ("https://cowin.gov.in/", "did:jamaica", "does not name"),
        ("https://COWIN.gov.in/", "did:jamaica", "does not name"),
        ("https://cowin.gov.in/", "did:indonesia", "a country that the issuer is not of"),
        ("https://health.example/", "https://health.example/key", "no DID"),
    ],
)
def test_a_key_speaks_for_its_own_country(issuer: str, method: str, problem: str | None) -> None:
    found = DIVOC.check_signer(decode(signed(DOCUMENT | {"issuer": issuer}, verificationMethod=method)))
    assert (found is None) if problem is None else (found is not None and problem in found)


def test_a_proof_is_made_for_an_assertion() -> None:
    found = DIVOC.check_signer(decode(signed(proofPurpose="https://w3id.org/security#authenticationMethod")))
    assert found is not None
    assert "another purpose" in found


# --- The content ---


def test_a_vaccination_in_full() -> None:
    certificate, noted = read(DOCUMENT)
    (vaccination,) = certificate.events
    assert noted == ()
    assert certificate.family == "DIVOC"
    assert certificate.version == V2
    assert certificate.issuer == "https://health.example/"
    assert certificate.issued_at == datetime(2021, 6, 12, 4, 28, 46, 12000, tzinfo=UTC)
    assert certificate.expires_at is None
    assert certificate.identifiers == ("92047670169",)
    assert certificate.raw["evidence"] == DOCUMENT["evidence"]
    holder = certificate.holder
    assert (holder.name, holder.birth_date, holder.nationality) == ("Asha Example", "1985-03-04", "Indian")
    assert holder.sex == Coding("", "Female")
    assert holder.other["refId"] == "39791185041847"
    assert (holder.other["age"], holder.other["uhid"]) == ("36", "7")
    assert holder.other["id"] == "did:Identity Card:****1234"
    assert "name" not in holder.other
    assert vaccination == Vaccination(
        vaccine=Coding(ICD_11, "XM68M6"),
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
        other={
            "id": "https://health.example/vaccine/92047670169",
            "feedbackUrl": "https://health.example/?92047670169",
            "infoUrl": "https://health.example/i?92047670169",
            "date": "2021-06-11T04:28:43.134Z",
            "effectiveStart": "2021-06-25",
            "effectiveUntil": "2022-06-11",
            "facility": {
                "address": {
                    name: value
                    for name, value in DOCUMENT["evidence"][0]["facility"]["address"].items()
                    if name != "addressCountry"
                }
            },
        },
    )
    assert vaccination.vaccine is not None
    assert vaccination.vaccine.display == "COVID-19 vaccine"


def test_a_test_in_full() -> None:
    certificate, noted = read(TEST_DOCUMENT)
    (test,) = certificate.events
    assert noted == ()
    assert isinstance(test, TestResult)
    assert finding(test.result) == NOT_DETECTED
    assert test.sampled_at == datetime(2021, 8, 19, 19, 21, 19, 646000, tzinfo=UTC)
    assert test.resulted_at == datetime(2021, 8, 20, 7, 21, 19, 646000, tzinfo=UTC)
    assert (test.disease, test.test_type) == (Coding("", "COVID-19"), Coding("", "RT-PCR"))
    assert (test.name, test.centre, test.country) == ("Example qPCR", "Example Laboratory", "IN")
    assert test.other["manufacturer"] == "Example Biotech"
    assert test.other["sampleOrigin"] == "nasal swab"
    assert certificate.identifiers == ("204604148",)


@pytest.mark.parametrize("value", ["", "-", " ", None, ...])
def test_what_is_not_said_stays_unknown(value: Any) -> None:
    document = DOCUMENT
    for name in ("gender", "dob", "nationality"):
        document = changed(document, "credentialSubject", name, value=value)
    for name in ("vaccine", "manufacturer", "batch", "icd11Code", "prophylaxis", "dose", "totalDoses", "facility"):
        nothing = {} if name == "facility" and value is not ... else value
        document = changed(document, "evidence", 0, name, value=nothing)
    if value == " ":
        document = changed(changed(document, "evidence", 0, "dose", value=...), "evidence", 0, "totalDoses", value=...)
    certificate, _ = read(document)
    holder, (vaccination,) = certificate.holder, certificate.events
    assert (holder.sex, holder.birth_date, holder.nationality) == (None, "", None)
    assert isinstance(vaccination, Vaccination)
    assert (vaccination.vaccine, vaccination.product, vaccination.manufacturer) == (None, None, None)
    assert (vaccination.dose, vaccination.series, vaccination.batch) == (None, None, None)
    assert (vaccination.centre, vaccination.country) == (None, None)


@pytest.mark.parametrize("name", ["", "-", "  ", None, ..., 0])
def test_a_person_has_a_name(name: Any) -> None:
    if name == 0:
        assert read(changed(DOCUMENT, "credentialSubject", "name", value=name))[0].holder.name == "0"
    else:
        assert "name" in not_read(changed(DOCUMENT, "credentialSubject", "name", value=name)).detail


def test_a_person_that_the_proof_does_not_cover_is_nobody() -> None:
    error = not_read(changed(DOCUMENT, "credentialSubject", "id", value="962433308V"))
    assert error.code is Code.SCHEMA_VALIDATION_FAILED
    assert "does not cover" in error.detail


@pytest.mark.parametrize("evidence", [[], None, ...])
def test_no_entry(evidence: Any) -> None:
    document = changed(DOCUMENT, "evidence", value=evidence)
    assert not_read(document).code is Code.NO_ENTRY
    assert DIVOC.entry_types(decode(signed(document))) == frozenset()


def test_several_entries_are_several_events() -> None:
    entry = DOCUMENT["evidence"][0]
    second = {name: value for name, value in entry.items() if name != "id"} | {
        "dose": 2,
        "certificateId": "92047670170",
    }
    second = {name: value for name, value in second.items() if not name.endswith("Url")}
    certificate, _ = read(DOCUMENT | {"evidence": [entry, second]})
    assert [one.dose for one in certificate.events if isinstance(one, Vaccination)] == [1, 2]
    assert certificate.identifiers == ("92047670169", "92047670170")


@pytest.mark.parametrize(
    ("dob", "read_as"),
    [("1985", "1985"), ("1985-03", "1985-03"), ("1985-03-04T00:00:00.000Z", "1985-03-04"), (1985, "1985")],
)
def test_a_birth_date_may_be_partial(dob: Any, read_as: str) -> None:
    document = changed(DOCUMENT, "credentialSubject", "dob", value=dob)
    assert read(document)[0].holder.birth_date == read_as
    assert findings(document) == ([Code.DATE_WITH_TIME] if len(str(dob)) > 10 else [])


@pytest.mark.parametrize("dob", ["04/03/1985", "1985-13", "1985-02-30", "85", "1985-03-04T", "1985-03-04 x", "１985"])
def test_what_is_no_birth_date_is_refused(dob: str) -> None:
    assert "dob" in not_read(changed(DOCUMENT, "credentialSubject", "dob", value=dob)).detail


def test_two_words_for_one_thing_are_one_when_they_agree() -> None:
    """To the proof ``sex`` and ``gender`` are the same, so that either may have been put in by anybody."""
    same = changed(DOCUMENT, "credentialSubject", "sex", value="Female")
    assert read(same)[0].holder.sex == Coding("", "Female")
    differ = read(changed(DOCUMENT, "credentialSubject", "sex", value="Male"))[0].holder
    assert differ.sex is None
    assert (differ.other["sex"], differ.other["gender"]) == ("Male", "Female")


@pytest.mark.parametrize("country", ["IN", "IND"])
def test_a_country_is_told_as_it_is_written(country: str) -> None:
    document = changed(DOCUMENT, "evidence", 0, "facility", "address", "addressCountry", value=country)
    assert event(document).country == country


@pytest.mark.parametrize("country", ["India", "in", "I", "INDI", "-"])
def test_other_words_for_a_country_are_not(country: str) -> None:
    document = changed(DOCUMENT, "evidence", 0, "facility", "address", "addressCountry", value=country)
    assert event(document).country is None


@pytest.mark.parametrize("code", ["XM68M6", "1E32", "RA01.0"])
def test_codes_of_icd_11(code: str) -> None:
    document = changed(DOCUMENT, "evidence", 0, "icd11Code", value=code)
    assert event(document).vaccine == Coding(ICD_11, code)


@pytest.mark.parametrize("code", ["COVISHIELD", "XM68M", "xm68m6", "4121Z008"])
def test_what_is_no_code_has_no_system(code: str) -> None:
    assert event(changed(DOCUMENT, "evidence", 0, "icd11Code", value=code)).vaccine == Coding("", code)


def test_a_vaccine_may_have_a_name_alone() -> None:
    assert event(changed(DOCUMENT, "evidence", 0, "icd11Code", value="")).vaccine == Coding("", "COVID-19 vaccine")


@pytest.mark.parametrize(("written", "number"), [(3, 3), ("3", 3), (99, 99)])
def test_numbers_may_be_texts(written: Any, number: int) -> None:
    document = changed(DOCUMENT, "evidence", 0, "totalDoses", value=written)
    assert event(document).series == number


@pytest.mark.parametrize("number", [0, -1, 100, "0", "100", "one", "1.0", "+1", "١", 10**15])
def test_other_numbers_are_refused(number: Any) -> None:
    assert "dose" in not_read(changed(DOCUMENT, "evidence", 0, "dose", value=number)).detail


@pytest.mark.parametrize(
    "day", ["2021-06", "11.06.2021", "2021-06-31", "2021-06-11T", "2021-06-11T25:00:00Z", "20210611"]
)
def test_what_is_no_day_is_refused(day: str) -> None:
    assert "date" in not_read(changed(DOCUMENT, "evidence", 0, "date", value=day)).detail


@pytest.mark.parametrize("name", ["issuanceDate", "date", "certificateId"])
def test_what_should_be_there_is_missed(name: str) -> None:
    path: tuple[Any, ...] = (name,) if name == "issuanceDate" else ("evidence", 0, name)
    assert findings(changed(DOCUMENT, *path, value=...)) == [Code.FIELD_MISSING]


@pytest.mark.parametrize("result", ["", "-", None, ...])
def test_a_test_has_a_result(result: Any) -> None:
    assert "result" in not_read(changed(TEST_DOCUMENT, "evidence", 0, "result", value=result)).detail


@pytest.mark.parametrize("moment", ["2021-08-19", "x", "19:21", "2021-08-19T25:00:00Z"])
def test_a_sample_has_a_moment(moment: str) -> None:
    document = changed(TEST_DOCUMENT, "evidence", 0, "sampleCollectionTimestamp", value=moment)
    assert "sampleCollectionTimestamp" in not_read(document).detail


def test_a_sample_without_a_zone_has_a_day() -> None:
    document = changed(TEST_DOCUMENT, "evidence", 0, "sampleCollectionTimestamp", value="2021-08-19T19:21:19")
    document = changed(document, "evidence", 0, "resultTimestamp", value="2021-08-20T07:21:19")
    test = event(document)
    assert (test.sampled_at, test.sampled_on, test.resulted_at) == (None, date(2021, 8, 19), None)
    assert test.other["sampleCollectionTimestamp"] == "2021-08-19T19:21:19"
    assert test.other["resultTimestamp"] == "2021-08-20T07:21:19"
    assert findings(document) == [Code.TIME_WITHOUT_ZONE] * 2
    assert "older" in not_read(swapped(document, "sampleCollectionTimestamp", "resultTimestamp")).detail


def test_moments_that_are_not_there_stay_unknown() -> None:
    document = changed(TEST_DOCUMENT, "evidence", 0, "sampleCollectionTimestamp", value="")
    test = event(changed(document, "evidence", 0, "resultTimestamp", value=...))
    assert (test.sampled_at, test.sampled_on, test.resulted_at) == (None, None, None)


# --- What anybody can exchange ---


def exchanged(document: dict[str, Any], one: str, other: str) -> dict[str, Any]:
    """A signed document with two members exchanged, under the signature that it had."""
    original = signed(document)
    forged = swapped(original, one, other)
    assert decode(forged).signed == decode(original).signed
    assert decode(forged).signature == decode(original).signature
    return forged


def parse(document: dict[str, Any]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    return DIVOC.parse(decode(document), DIVOC.kinds)


def test_a_first_dose_of_two_is_not_a_second_of_one() -> None:
    certificate, noted = parse(exchanged(DOCUMENT, "dose", "totalDoses"))
    (vaccination,) = certificate.events
    assert isinstance(vaccination, Vaccination)
    assert (vaccination.dose, vaccination.series) == (None, None)
    assert [one.code for one in noted] == [Code.DOSE_OUT_OF_RANGE]


@pytest.mark.parametrize("member", ["effectiveStart", "effectiveUntil"])
def test_the_day_of_the_effect_is_not_that_of_the_dose(member: str) -> None:
    certificate, noted = parse(exchanged(DOCUMENT, "date", member))
    assert [one.day for one in certificate.events if isinstance(one, Vaccination)] == [None]
    assert [one.code for one in noted] == [Code.FIELD_MISSING]
    assert "date" not in certificate.events[0].other


@pytest.mark.parametrize(
    ("day", "start", "until", "known"),
    [
        ("2021-06-11T04:28:43Z", "2021-06-25", "2022-06-11", True),
        ("2021-06-11T04:28:43Z", None, None, True),
        ("2021-06-11", None, "", True),
        ("2021-06-11", "2021-06-11", "2021-06-11", True),
        ("2021-06-11", "2021-06-11", None, True),
        ("2021-06-11T04:28:43Z", "2021-06-11T00:00:00Z", "2021-06-11", True),
        ("2021-06-11", "2021-06-25", None, False),
        ("2021-06-11", "2021-06-11", "2022-06-11", False),
        ("2021-06-11T04:28:43Z", "2021-06-25T00:00:00Z", None, False),
        ("2021-06-11", "2021-06-10T04:00:00Z", None, False),
    ],
)
def test_when_the_day_can_be_told(day: str, start: str | None, until: str | None, known: bool) -> None:
    document = changed(DOCUMENT, "evidence", 0, "date", value=day)
    document = changed(document, "evidence", 0, "effectiveStart", value=start)
    document = changed(document, "evidence", 0, "effectiveUntil", value=until)
    assert event(document).date == (date(2021, 6, 11) if known else None)


def test_a_result_is_not_its_sample() -> None:
    """A sample of yesterday would be one of today."""
    with pytest.raises(VerificationError, match="does not tell the two apart"):
        parse(exchanged(TEST_DOCUMENT, "sampleCollectionTimestamp", "resultTimestamp"))


@pytest.mark.parametrize("member", ["batch", "vaccine", "manufacturer", "icd11Code"])
def test_the_number_of_the_certificate_is_in_its_links(member: str) -> None:
    with pytest.raises(VerificationError, match="exchanged"):
        parse(exchanged(DOCUMENT, "certificateId", member))
    for link in ("id", "feedbackUrl"):
        document = DOCUMENT
        for other in {"id", "feedbackUrl", "infoUrl"} - {link}:
            document = changed(document, "evidence", 0, other, value=...)
        with pytest.raises(VerificationError, match="exchanged"):
            parse(exchanged(document, "certificateId", member))


def test_links_that_say_nothing_are_let_be() -> None:
    document = changed(DOCUMENT, "evidence", 0, "infoUrl", value="https://health.example/")
    assert event(document).certificate_id == "92047670169"


# --- From end to end ---


@pytest.mark.parametrize("rsa_key", [True, False])
@pytest.mark.parametrize("document", [DOCUMENT, TEST_DOCUMENT], ids=["vaccination", "test"])
def test_it_is_accepted(document: dict[str, Any], rsa_key: bool) -> None:
    made = signed(document, rsa_key=rsa_key)
    for what in (scan(made), text(made), "B64:" + base64.b64encode(scan(made).data).decode()):
        report = verifier().examine(what)
        assert (report.outcome, report.code) == (hc.Outcome.ACCEPTED, Code.OK), report.steps
        assert report.certificate is not None
        assert report.certificate.holder.name == "Asha Example"
        assert hc.Verifier(store(), policy=hc.Policy.strict(), clock=hc.FixedClock(NOW)).examine(what).step in (
            None,
            Step.REVOCATION,
            Step.RULES,
        )


@pytest.mark.parametrize(
    ("document", "code", "step"),
    [
        (changed(signed(), "evidence", 0, "dose", value=2), Code.SIGNATURE_INVALID, Step.SIGNATURE),
        (changed(signed(), "credentialSubject", "name", value="Mallory"), Code.SIGNATURE_INVALID, Step.SIGNATURE),
        (changed(signed(), "proof", "created", value="2021-06-13T04:28:46Z"), Code.SIGNATURE_INVALID, Step.SIGNATURE),
        (signed(verificationMethod="did:example:other"), Code.ISSUER_INVALID, Step.TRUST),
        (signed(proofPurpose="https://w3id.org/security#keyAgreementMethod"), Code.ISSUER_INVALID, Step.TRUST),
        (signed(DOCUMENT | {"issuer": "https://cowin.gov.in/"}), Code.ISSUER_INVALID, Step.TRUST),
        (signed(type="RsaSignature2018"), Code.ALGORITHM_NOT_ACCEPTED, Step.SIGNATURE),
        (signed(DOCUMENT | {"issuanceDate": "2021-08-21T00:00:00Z"}), Code.CWT_NOT_YET_VALID, Step.TIME),
        (signed(DOCUMENT | {"expirationDate": "2021-08-19T00:00:00Z"}), Code.CWT_EXPIRED, Step.TIME),
        (signed(DOCUMENT | {"expirationDate": "soon"}), Code.CWT_TIME_INVALID, Step.TIME),
        (signed(changed(DOCUMENT, "evidence", value=[])), Code.NO_ENTRY, Step.CONTENT),
        (
            signed(changed(DOCUMENT, "evidence", 0, "date", value="2021-08-30T00:00:00Z")),
            Code.EVENT_IN_FUTURE,
            Step.CONTENT,
        ),
        (
            signed(changed(TEST_DOCUMENT, "evidence", 0, "result", value="Positive")),
            Code.TEST_RESULT_POSITIVE,
            Step.CONTENT,
        ),
        (
            signed(changed(TEST_DOCUMENT, "evidence", 0, "result", value="pending")),
            Code.TEST_RESULT_UNKNOWN,
            Step.CONTENT,
        ),
        (DOCUMENT, Code.INVALID_SCHEME_PREFIX, Step.RECOGNISE),
    ],
)
def test_it_is_refused_where_it_errs(document: dict[str, Any], code: Code, step: Step) -> None:
    report = verifier().examine(text(document))
    if code is Code.ISSUER_INVALID and document["proof"]["verificationMethod"] == "did:example:other":
        code = Code.KEY_NOT_IN_TRUST_LIST
    assert (report.code, report.step) == (code, step)
    assert report.outcome is not hc.Outcome.ACCEPTED
    assert "Mallory" not in json.dumps(report.to_dict()["steps"])


@pytest.mark.parametrize("where", [{"issuer": "did:other"}, {"domain": "SHC"}, {"kid": "did:example"}])
def test_a_key_of_another_issuer_or_domain_is_none(where: dict[str, str]) -> None:
    report = hc.Verifier(store(**where), clock=hc.FixedClock(NOW)).examine(text(signed()))
    assert (report.code, report.step) == (Code.KEY_NOT_IN_TRUST_LIST, Step.TRUST)


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pyld.jsonld", None)
    jsonld._library.cache_clear()
    yield
    jsonld._library.cache_clear()


def test_without_the_extra_it_cannot_be_told(request: pytest.FixtureRequest) -> None:
    document = text(signed())
    request.getfixturevalue("without_extra")
    error = not_decoded(document)
    assert error.code is Code.EXTRA_MISSING
    assert "pip install 'healthcert[divoc]'" in error.detail
    assert verifier().examine(document).outcome is hc.Outcome.UNDETERMINED
    assert [layer.name for layer in DIVOC.layers(document, DEFAULT_LIMITS)] == ["JSON-LD", "proof"]


def test_its_layers_are_shown() -> None:
    made = signed()
    zipped, document, proof = DIVOC.layers(scan(made), DEFAULT_LIMITS)
    assert (zipped.name, zipped.size) == ("ZIP", len(scan(made).data))
    assert (document.name, document.content) == ("JSON-LD", DOCUMENT)
    assert proof.name == "proof"
    assert proof.content["header"] == {"alg": "EdDSA", "b64": False, "crit": ["b64"]}
    assert proof.size == 64
    with pytest.raises(DecodeError):
        list(DIVOC.layers("B64:UEsD", DEFAULT_LIMITS))
