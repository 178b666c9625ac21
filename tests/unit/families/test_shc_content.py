"""What a card says: the FHIR bundle as health data, and what is no bundle about one person."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

import healthcert as hc
from healthcert.codings import COVID_19, NOT_DETECTED
from healthcert.families.shc.family import SHC, bundle_of, rid_of
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding, EntryType
from tests.support_shc import (
    CARD,
    CVX,
    DOSE,
    ISSUER,
    NAME,
    NBF,
    PATIENT,
    SNOMED,
    TEST,
    Press,
    bundle,
    certificate,
    claims,
    examine,
    refused,
    verifier,
    with_,
)

SCHEMA = "SCHEMA_VALIDATION_FAILED"
LOINC = "http://loinc.org"
REFERENCE_TO_ALL = "Patient/42"


def vaccination(**changes: Any) -> hc.Vaccination:
    (event,) = certificate(bundle(with_(DOSE, **changes))).events
    assert isinstance(event, hc.Vaccination)
    return event


def test_(*warnings: str, **changes: Any) -> hc.TestResult:
    (event,) = certificate(bundle(with_(TEST, **changes)), *warnings).events
    assert isinstance(event, hc.TestResult)
    return event


test_.__test__ = False  # type: ignore[attr-defined]


# --- The certificate ---


def test_a_card_is_read_in_full() -> None:
    found = certificate(bundle(DOSE, with_(DOSE, occurrenceDateTime="2021-03-01")))
    assert (found.family, found.version, found.issuer) == (NAME, "4.0.1", ISSUER)
    assert (found.issued_at, found.expires_at) == (datetime.fromtimestamp(NBF, UTC), None)
    assert (found.identifiers, found.links, found.beside, found.other) == ((), (), (), {})
    assert found.raw == claims(bundle(DOSE, with_(DOSE, occurrenceDateTime="2021-03-01")))
    assert found.holder == hc.Holder(family_name="Exemplaire", given_name="Zoé M.", birth_date="1984-02-29")
    first, second = found.events
    assert first == hc.Vaccination(
        disease=COVID_19,
        vaccine=Coding(CVX, "207"),
        date=date(2021, 1, 29),
        batch="0000007",
        centre="Example Hospital",
    )
    assert day_of(second) == date(2021, 3, 1)


def test_what_decides_nothing_is_ignored() -> None:
    vc = claims()["vc"] | {"type": ["VerifiableCredential", CARD, "https://example.org#new", 7]}
    assert examine(Press(claims(vc=vc)).text()).code == "OK"
    vc = claims()["vc"] | {"@context": ["https://www.w3.org/2018/credentials/v1"]}
    report = examine(Press(claims(vc=vc)).text())
    assert report.code == "OK"
    assert "FIELD_UNEXPECTED" in [warning.code for warning in report.warnings]


@pytest.mark.parametrize(
    "vc",
    [
        None,
        [],
        {},
        claims()["vc"] | {"type": CARD},
        claims()["vc"] | {"type": ["https://smarthealth.cards#immunization"]},
        claims()["vc"] | {"type": [[CARD]]},
        claims()["vc"] | {"credentialSubject": []},
        claims()["vc"] | {"credentialSubject": {"fhirBundle": bundle()}},
        claims()["vc"] | {"credentialSubject": {"fhirVersion": 4, "fhirBundle": bundle()}},
        claims()["vc"] | {"credentialSubject": {"fhirVersion": "4.0.1"}},
        claims()["vc"] | {"rid": "a.b"},
        claims()["vc"] | {"rid": ""},
        claims()["vc"] | {"rid": "x" * 25},
        claims()["vc"] | {"rid": 7},
        claims()["vc"] | {"rid": None},
    ],
)
def test_what_is_no_credential_of_a_card_is_refused(vc: Any) -> None:
    report = examine(Press(claims(vc=vc)).text())
    assert (report.code, report.step) == (SCHEMA, "content")


def test_another_version_of_fhir_is_not_read_as_this_one() -> None:
    for version in ("1.0.2", "3.0.1", "5.0.0", "4", ""):
        subject = {"fhirVersion": version, "fhirBundle": bundle()}
        report = examine(Press(claims(vc={"type": [CARD], "credentialSubject": subject})).text())
        assert (report.code, report.step) == ("CONTENT_NOT_SUPPORTED", "content")


def test_what_names_the_card_for_revocation() -> None:
    decoded = SHC.decode(Press(claims(vc=claims()["vc"] | {"rid": "MKyCxh7p6uQ"})).text(), DEFAULT_LIMITS)
    assert (rid_of(decoded), bundle_of(decoded)) == ("MKyCxh7p6uQ", bundle())
    broken: list[Any] = [None, [], {"rid": 7}, {"rid": "a.b"}, {"credentialSubject": 1}]
    for vc in [*broken, {"credentialSubject": {"fhirBundle": 1}}]:
        decoded = SHC.decode(Press(claims(vc=vc)).text(), DEFAULT_LIMITS)
        assert (rid_of(decoded), bundle_of(decoded)) == (None, None)


def test_the_kinds_of_entry_are_told_from_the_shape_alone() -> None:
    for of, types in (
        (bundle(DOSE), {EntryType.VACCINATION}),
        (bundle(DOSE, TEST), {EntryType.VACCINATION, EntryType.TEST}),
        (bundle(with_(DOSE, resourceType="Condition")), set()),
        ({"entry": [1, {}, {"resource": 1}, {"resource": {"resourceType": ["Immunization"]}}]}, set()),
        ({"entry": {}}, set()),
    ):
        decoded = SHC.decode(Press(claims(of)).text(), DEFAULT_LIMITS)
        assert SHC.entry_types(decoded) == types


# --- The bundle ---


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        with_(bundle(), resourceType="List"),
        with_(bundle(), "entry"),
        with_(bundle(), entry=[]),
        with_(bundle(), entry={}),
        with_(bundle(), entry=[1]),
        with_(bundle(), entry=[{"resource": 1}]),
        with_(bundle(), entry=[{"resource": {}}]),
        with_(bundle(), entry=[{"resource": {"resourceType": 1}}]),
        with_(bundle(), entry=bundle()["entry"][1:]),
        bundle(DOSE, PATIENT),
    ],
)
def test_what_is_no_bundle_about_one_patient_is_refused(given: Any) -> None:
    subject = {"fhirVersion": "4.0.1", "fhirBundle": given}
    report = examine(Press(claims(vc={"type": [CARD], "credentialSubject": subject})).text())
    assert (report.code, report.step) == (SCHEMA, "content")


@pytest.mark.parametrize("reference", ["resource:1", "resource:7", "Patient/1", "", "0"])
@pytest.mark.parametrize(("resource", "name"), [(DOSE, "patient"), (TEST, "subject")])
def test_what_is_about_another_patient_is_refused(resource: dict[str, Any], name: str, reference: str) -> None:
    assert refused(bundle(with_(resource, **{name: {"reference": reference}})))[0] == SCHEMA


def test_a_reference_may_be_missing_but_is_missed() -> None:
    assert certificate(bundle(with_(DOSE, "patient")), "FIELD_MISSING").events
    assert certificate(bundle(with_(TEST, subject={"display": "Zoé"})), "FIELD_MISSING").events


def test_the_other_ways_of_referring_to_the_patient() -> None:
    for url, patient, reference in (
        ("https://example.org/fhir/Patient/42", PATIENT, REFERENCE_TO_ALL),
        ("https://example.org/fhir/Patient/42", PATIENT, "https://example.org/fhir/Patient/42"),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", PATIENT, "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"),
        (None, with_(PATIENT, id="42"), REFERENCE_TO_ALL),
        (None, PATIENT, "resource:0"),
    ):
        of = bundle(with_(DOSE, patient={"reference": reference}), patient=patient)
        of["entry"][0]["fullUrl"] = url
        report = examine(Press(claims(of)).text())
        assert report.code == "OK"
        assert {warning.code for warning in report.warnings} >= {"FIELD_UNEXPECTED"}


META = {"security": [{"system": "https://smarthealth.cards/ial", "code": "IAL1.2"}]}
DISPLAYED = {"coding": [{"system": CVX, "code": "207", "display": "Moderna"}]}


@pytest.mark.parametrize(
    ("resource", "rules"),
    [
        (DOSE, 0),
        (with_(DOSE, meta=META), 0),
        (with_(DOSE, note=[{"text": 'not a "text":"x", "id":"y"'}]), 0),
        (with_(DOSE, id="1"), 1),
        (with_(DOSE, text={"status": "generated"}), 1),
        (with_(DOSE, meta=META | {"versionId": "1"}), 1),
        (with_(DOSE, meta={}), 1),
        (with_(DOSE, vaccineCode=DISPLAYED), 1),
        (with_(DOSE, vaccineCode=DOSE["vaccineCode"] | {"text": "Moderna"}), 1),
        (with_(DOSE, location={"reference": "Location/1"}), 1),
        (with_(DOSE, id="1", text={}, vaccineCode=DISPLAYED | {"text": "Moderna"}), 4),
    ],
)
def test_the_rules_for_cards_in_a_code_are_warnings_and_strictly_refusals(resource: dict[str, Any], rules: int) -> None:
    of = bundle(resource)
    assert certificate(of, *["FIELD_UNEXPECTED"] * rules).events
    report = examine(Press(claims(of)).text(), hc.Policy.strict())
    assert (str(report.code), report.step) == (("FIELD_UNEXPECTED", "content") if rules else ("OK", None))


def test_a_card_that_no_code_holds_need_not_keep_them() -> None:
    long = with_(DOSE, id="1", note=[{"text": random.Random(7).randbytes(1000).hex()}])
    report = examine(Press(claims(bundle(long))).jws())
    assert report.code == "OK"
    assert [str(one.code) for one in report.warnings if one.code != "REVOCATION_UNKNOWN"] == ["CARD_TOO_LONG"]


@pytest.mark.parametrize("meta", ["x", [], {"security": "x"}, {"security": [1]}, {"security": [{"badKey": "IAL1"}]}])
def test_labels_that_are_none_are_refused(meta: Any) -> None:
    assert refused(bundle(with_(DOSE, meta=meta)))[0] == SCHEMA


def test_short_addresses_are_asked_for_everywhere() -> None:
    for url in ("resource:x", "Patient/1", None, 7):
        of = bundle(TEST, DOSE)
        of["entry"][1]["fullUrl"] = url
        assert certificate(of, "FIELD_UNEXPECTED").events


# --- The patient ---


def test_which_of_several_names_counts() -> None:
    names = [{"use": use, "family": use} for use in ("nickname", "old", "usual", "official")]
    for _ in range(4):
        holder = certificate(bundle(patient=with_(PATIENT, name=names))).holder
        assert holder.name == ("official" if len(names) == 4 else holder.name)
        if len(names) > 1:
            assert holder.other == {"name": names}
    holder = certificate(bundle(patient=with_(PATIENT, name=[names[0], {"family": "plain"}]))).holder
    assert holder.name == "plain"


def test_names_of_all_kinds() -> None:
    for name, shown in (
        ({"text": "Zoé Exemplaire"}, "Zoé Exemplaire"),
        ({"family": "Exemplaire"}, "Exemplaire"),
        ({"given": ["Zoé"]}, "Zoé"),
        ({"family": "BADSHAW", "given": ["PRINCE", "KENT"], "suffix": ["SR"]}, "PRINCE KENT BADSHAW"),
        ({"family": "Exemplaire", "text": "Dr Exemplaire"}, "Exemplaire"),
    ):
        holder = certificate(bundle(patient=with_(PATIENT, name=[name]))).holder
        assert holder.name == shown
        assert ("name" in holder.other) == bool(name.keys() - {"family", "given"})


@pytest.mark.parametrize(
    "name", [None, [], {}, "x", [{}], [{"family": ""}], [{"given": []}], [{"given": "Zoé"}], [{"family": 7}]]
)
def test_a_card_of_nobody_is_refused(name: Any) -> None:
    assert refused(bundle(patient=with_(PATIENT, name=name)))[0] == SCHEMA


@pytest.mark.parametrize("born", ["1984", "1984-02", "1984-02-29"])
def test_partial_dates_of_birth_are_dates(born: str) -> None:
    assert certificate(bundle(patient=with_(PATIENT, birthDate=born))).holder.birth_date == born


@pytest.mark.parametrize(
    "born", ["84", "1984-2-29", "1983-02-29", "1984-02-29T00:00:00Z", "29.02.1984", "1984\n", "", 1984]
)
def test_what_is_no_date_of_birth_is_refused(born: Any) -> None:
    assert refused(bundle(patient=with_(PATIENT, birthDate=born)))[0] == SCHEMA


def test_what_else_is_said_of_the_patient_is_kept() -> None:
    assert certificate(bundle(patient=with_(PATIENT, "birthDate")), "FIELD_MISSING").holder.birth_date == ""
    holder = certificate(bundle(patient=with_(PATIENT, gender="female", telecom=[{"value": "1"}]))).holder
    assert holder.sex == Coding("http://hl7.org/fhir/administrative-gender", "female")
    assert holder.other == {"telecom": [{"value": "1"}]}


# --- Vaccinations ---


@pytest.mark.parametrize(
    "change",
    [
        {"status": "not-done"},
        {"status": "entered-in-error"},
        {"status": "Completed"},
        {"status": None},
        {"status": ["completed"]},
        {"isSubpotent": True},
        {"vaccineCode": {"coding": [{"system": CVX, "code": "998"}]}},
        {"resourceType": "MedicationAdministration"},
    ],
)
def test_what_is_no_dose_is_no_event(change: dict[str, Any]) -> None:
    code, detail = refused(bundle(with_(DOSE, **change)))
    assert (code, detail) == ("NO_ENTRY", "no completed vaccination and no final test result in the bundle")
    found = certificate(bundle(DOSE, with_(DOSE, **change)))
    assert len(found.events) == 1
    assert [content for _, content in found.other.items()] == [with_(DOSE, **change)]


def test_codes_of_vaccines() -> None:
    other = {"system": SNOMED, "code": "1119349007"}
    for codings, shown in (
        ([other], Coding(SNOMED, "1119349007")),
        ([other, {"system": CVX, "code": "208"}], Coding(CVX, "208")),
        (
            [{"system": "https://example.org/own", "code": "X1", "display": "Own"}],
            Coding("https://example.org/own", "X1"),
        ),
        ([{"code": "X1"}], Coding("", "X1")),
    ):
        event = certificate_of_codes({"coding": codings})
        assert event.vaccine == shown
        assert ("vaccineCode" in event.other) == (len(codings) > 1)
    assert certificate_of_codes({"text": "Example vaccine"}).vaccine == Coding("", "Example vaccine")
    own = certificate_of_codes(
        {"coding": [{"system": "https://example.org/own", "code": "X1", "display": "Own"}]}
    ).vaccine
    assert own is not None
    assert str(own) == "Own"
    assert certificate_of_codes({"coding": [{"code": "X1"}]}).disease is None


def certificate_of_codes(concept: dict[str, Any]) -> hc.Vaccination:
    report = examine(Press(claims(bundle(with_(DOSE, vaccineCode=concept)))).text())
    assert report.code == "OK"
    assert report.certificate is not None
    (event,) = report.certificate.events
    assert isinstance(event, hc.Vaccination)
    return event


@pytest.mark.parametrize(
    "concept",
    [
        None,
        "207",
        [],
        {},
        {"coding": []},
        {"coding": {}},
        {"coding": [1]},
        {"coding": [{"system": CVX}]},
        {"coding": [{"code": 207}]},
    ],
)
def test_a_dose_of_nothing_is_refused(concept: Any) -> None:
    assert refused(bundle(with_(DOSE, vaccineCode=concept)))[0] == SCHEMA


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2021-01-29", date(2021, 1, 29)),
        ("2021-01-29T23:59:59Z", date(2021, 1, 29)),
        ("2021-01-29T23:59:59.123456789+14:00", date(2021, 1, 29)),
        ("2021-01-29T23:59:59", date(2021, 1, 29)),
    ],
)
def test_days_of_doses(given: str, day: date) -> None:
    event = vaccination(occurrenceDateTime=given)
    assert (event.date, event.partial_date) == (day, None)
    assert event.other == ({} if given == "2021-01-29" else {"occurrenceDateTime": given})


@pytest.mark.parametrize("given", ["2021-01", "2021"])
def test_months_and_years_of_doses(given: str) -> None:
    event = vaccination(occurrenceDateTime=given)
    assert (event.date, event.day, event.partial_date, event.other) == (None, None, given, {})


@pytest.mark.parametrize("given", ["2021-09", "2022", "2022-01"])
def test_a_month_or_year_that_is_still_to_come_is_in_the_future(given: str) -> None:
    for resource in (with_(DOSE, occurrenceDateTime=given), with_(TEST, effectiveDateTime=given)):
        assert refused(bundle(resource))[0] == "EVENT_IN_FUTURE"


def test_a_positive_test_that_is_not_read_is_told() -> None:
    positive = with_(TEST, valueCodeableConcept=concept((SNOMED, "260373001")))
    for hidden in (
        with_(positive, status="preliminary"),
        with_(TEST, "valueCodeableConcept", component=[{"valueCodeableConcept": concept((SNOMED, "260373001"))}]),
    ):
        assert len(certificate(bundle(DOSE, hidden), "UNKNOWN_CLAIM").events) == 1
    assert len(certificate(bundle(DOSE, with_(TEST, status="preliminary"))).events) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"occurrenceDateTime": None},
        {"occurrenceDateTime": "01-01-2021"},
        {"occurrenceDateTime": "2021-02-29"},
        {"occurrenceDateTime": "2021-13"},
        {"occurrenceDateTime": "2021-01-29T25:00:00Z"},
        {"occurrenceDateTime": "2021-01-29 10:00:00Z"},
        {"occurrenceDateTime": "2021-W04-5"},
        {"occurrenceDateTime": "20210129"},
        {"occurrenceDateTime": "2021-01-29\n"},
        {"occurrenceDateTime": "2021-01T10:00:00Z"},
        {"occurrenceDateTime": "0000"},
        {"occurrenceString": "in winter"},
        {"lotNumber": 7},
        {"performer": {}},
        {"performer": [{"actor": "x"}]},
        {"protocolApplied": [{"doseNumberPositiveInt": 0}]},
        {"protocolApplied": [{"doseNumberPositiveInt": "1"}]},
        {"protocolApplied": [{"seriesDosesPositiveInt": 1.5}]},
        {"isSubpotent": "no"},
    ],
)
def test_what_is_no_immunization_as_fhir_has_it_is_refused(change: dict[str, Any]) -> None:
    code, detail = refused(bundle(with_(DOSE, **change)))
    assert code == SCHEMA
    assert detail.startswith("entry[1]")


def test_a_time_in_words_is_kept() -> None:
    (event,) = certificate(bundle(with_(DOSE, "occurrenceDateTime", occurrenceString="in winter"))).events
    assert (day_of(event), event.other) == (None, {"occurrenceString": "in winter"})


def test_a_dose_in_the_future_is_refused() -> None:
    assert refused(bundle(with_(DOSE, occurrenceDateTime="2021-08-22")))[0] == "EVENT_IN_FUTURE"


def test_what_else_a_dose_may_say() -> None:
    applied = {
        "targetDisease": [{"coding": [{"system": SNOMED, "code": "56717001"}]}],
        "doseNumberPositiveInt": 3,
        "seriesDosesPositiveInt": 2,
    }
    event = vaccination(
        manufacturer={"identifier": {"system": "http://hl7.org/fhir/sid/mvx", "value": "MOD"}},
        protocolApplied=[applied],
    )
    assert (event.disease, event.dose, event.series) == (Coding(SNOMED, "56717001"), 3, 2)
    assert event.manufacturer == Coding("http://hl7.org/fhir/sid/mvx", "MOD")
    assert event.other["protocolApplied"] == [applied]
    event = vaccination(protocolApplied=[applied, applied], manufacturer={"display": "Example Ltd"})
    assert (event.dose, event.manufacturer) == (None, Coding("", "Example Ltd"))
    performers = [{"actor": {"display": one}} for one in ("A", "B")]
    event = vaccination(performer=performers, location={"display": "Hall 3"})
    assert (event.centre, event.other["performer"]) == ("Hall 3", performers)
    assert vaccination(performer=[]).centre is None


# --- Tests ---


def test_a_test_is_read_in_full() -> None:
    event = test_(issued="2021-08-19T16:00:00Z", device={"display": "Example device"})
    assert (event.test_type, event.result) == (Coding(LOINC, "94558-4"), NOT_DETECTED)
    assert event.sampled_at == datetime(2021, 8, 19, 8, 30, tzinfo=timezone(timedelta(hours=2)))
    assert event.resulted_at == datetime(2021, 8, 19, 16, tzinfo=UTC)
    assert (event.centre, event.device) == ("Example Hospital", Coding("", "Example device"))
    assert (event.sampled_on, event.disease) == (None, None)


def test_when_the_sample_was_taken() -> None:
    day = date(2021, 8, 19)
    assert test_(effectiveDateTime="2021-08-19").sampled_on == day
    event = test_("TIME_WITHOUT_ZONE", effectiveDateTime="2021-08-19T10:00:00")
    assert (event.sampled_at, event.sampled_on) == (None, day)
    partial = test_(effectiveDateTime="2021-08")
    assert (partial.sampled_at, partial.sampled_on, partial.partial_date) == (None, None, "2021-08")
    assert partial.other == {}
    span = {"start": "2021-08-18", "end": "2021-08-19"}
    (event_,) = certificate(bundle(with_(TEST, "effectiveDateTime", effectivePeriod=span))).events
    assert (day_of(event_), event_.other) == (date(2021, 8, 18), {"effectivePeriod": span})
    (event_,) = certificate(bundle(with_(TEST, "effectiveDateTime", effectiveInstant="2021-08-19T10:00:00Z"))).events
    assert day_of(event_) == day
    code, detail = refused(bundle(with_(TEST, "effectiveDateTime")))
    assert (code, detail) == (SCHEMA, "the test does not say when the sample was taken")


def day_of(event: hc.Event) -> date | None:
    assert isinstance(event, (hc.Vaccination, hc.TestResult))
    return event.day


def concept(*codes: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for system, code in codes]}


GOOD, BAD, OWN = (SNOMED, "260415000"), (SNOMED, "260373001"), ("https://example.org/own", "N")
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valueCodeableConcept": concept(GOOD)}, "OK"),
        ({"valueCodeableConcept": concept(OWN, GOOD)}, "OK"),
        ({"valueCodeableConcept": concept(BAD)}, "TEST_RESULT_POSITIVE"),
        ({"valueCodeableConcept": concept(GOOD, BAD)}, "TEST_RESULT_POSITIVE"),
        ({"valueCodeableConcept": concept(OWN)}, "TEST_RESULT_UNKNOWN"),
        ({"valueCodeableConcept": {"text": "see the letter"}}, "TEST_RESULT_UNKNOWN"),
        (
            {"valueCodeableConcept": concept(GOOD), "interpretation": [concept((INTERPRETATION, "POS"))]},
            "TEST_RESULT_POSITIVE",
        ),
        (
            {"valueCodeableConcept": concept(OWN), "interpretation": [concept((INTERPRETATION, "NEG"))]},
            "TEST_RESULT_UNKNOWN",
        ),
    ],
)
def test_results(changes: dict[str, Any], code: str) -> None:
    assert examine(Press(claims(bundle(with_(TEST, **changes)))).text()).code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valueString": "Not detected"}, "OK"),
        ({"valueString": "Detected"}, "TEST_RESULT_POSITIVE"),
        ({"valueString": "not nothing"}, "TEST_RESULT_UNKNOWN"),
        ({"valueQuantity": {"value": 38}}, "NO_ENTRY"),
        ({"valueQuantity": {"value": 38}, "interpretation": [concept((INTERPRETATION, "NEG"))]}, "OK"),
        (
            {"valueQuantity": {"value": 12}, "interpretation": [concept((INTERPRETATION, "POS"))]},
            "TEST_RESULT_POSITIVE",
        ),
        ({"valueQuantity": {"value": 12}, "interpretation": [concept((INTERPRETATION, "H"))]}, "NO_ENTRY"),
        ({}, "NO_ENTRY"),
        ({"component": [{"valueString": "Not detected"}]}, "NO_ENTRY"),
        ({"valueString": "Not detected", "component": [{"valueString": "Detected"}]}, "NO_ENTRY"),
    ],
)
def test_results_that_are_no_code(changes: dict[str, Any], code: str) -> None:
    assert examine(Press(claims(bundle(with_(TEST, "valueCodeableConcept", **changes)))).text()).code == code


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "preliminary"}, "NO_ENTRY"),
        ({"status": "registered"}, "NO_ENTRY"),
        ({"status": "cancelled"}, "NO_ENTRY"),
        ({"status": "entered-in-error"}, "NO_ENTRY"),
        ({"status": "unknown"}, "NO_ENTRY"),
        ({"status": None}, "NO_ENTRY"),
        ({"status": ["final"]}, "NO_ENTRY"),
        ({"status": "amended"}, "OK"),
        ({"status": "corrected"}, "OK"),
        ({"category": [concept((CATEGORY, "social-history"))]}, "NO_ENTRY"),
        ({"category": [concept((CATEGORY, "laboratory"))]}, "OK"),
        ({"category": [concept(("https://example.org/own", "x"))]}, "OK"),
        ({"resourceType": "DiagnosticReport"}, "NO_ENTRY"),
        ({"code": {}}, SCHEMA),
        ({"code": None}, SCHEMA),
        ({"effectiveInstant": "2021-08-19T10:00:00Z"}, SCHEMA),
        ({"valueString": "Not detected"}, SCHEMA),
        ({"effectiveDateTime": "yesterday"}, SCHEMA),
        ({"effectiveDateTime": "2021-08-21"}, "OK"),
        ({"effectiveDateTime": "2021-08-22"}, "EVENT_IN_FUTURE"),
        ({"effectiveDateTime": "2021-08-20T10:00:01Z"}, "EVENT_IN_FUTURE"),
    ],
)
def test_which_observations_are_test_results(changes: dict[str, Any], code: str) -> None:
    assert examine(Press(claims(bundle(with_(TEST, **changes)))).text()).code == code


def test_a_list_for_a_status_is_no_crash() -> None:
    report = verifier().examine(Press(claims(bundle(with_(TEST, status={})))).text())
    assert report.code == "NO_ENTRY"


def test_an_exemption_is_nothing_that_is_known() -> None:
    condition = {
        "resourceType": "Condition",
        "category": [concept(("https://example.org/exemptions", "vaccine-exemption"))],
        "subject": {"reference": "resource:0"},
    }
    assert refused(bundle(condition))[0] == "NO_ENTRY"
    assert certificate(bundle(DOSE, condition)).other == {"Condition entry[2]": condition}
