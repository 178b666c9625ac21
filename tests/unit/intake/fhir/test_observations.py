"""Observations and reports: which test, when the sample was taken, what was found, and by whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from healthcert.codings import DETECTED, NAAT, NOT_DETECTED, RAPID_ANTIGEN
from healthcert.errors import Code
from healthcert.intake.reading import RejectedRow, Row
from healthcert.model import Coding, TestResult
from tests.unit.intake.fhir.make import (
    INTERPRETATION,
    JRC,
    LOINC,
    SNOMED,
    Json,
    concept,
    device,
    lines,
    observation,
    only_rejected,
    only_row,
    organization,
    patient,
    report,
    specimen,
    to,
)

POSITIVE, NEGATIVE = concept(SNOMED, "260373001"), concept(SNOMED, "260415000")
FLAG_POS, FLAG_NEG = concept(INTERPRETATION, "POS"), concept(INTERPRETATION, "NEG")
NO_VALUE: dict[str, Any] = {"valueCodeableConcept": None}


def result(record: Json, *others: Json) -> TestResult:
    event = only_row(lines(record, patient(), *others)).event
    assert isinstance(event, TestResult)
    return event


def codes_of(*resources: Json) -> list[tuple[int, Code | str]]:
    """Number, and code of the error or of the result, of each row."""
    found: list[tuple[int, Code | str]] = []
    for row in lines(*resources):
        if isinstance(row, RejectedRow):
            found.append((row.number, row.error.code))
        else:
            assert isinstance(row.event, TestResult)
            found.append((row.number, row.event.result.code))
    return found


def test_a_result() -> None:
    event = result(observation())
    assert event.test_type == NAAT
    assert event.sampled_at == datetime.fromisoformat("2021-08-20T10:03:12+02:00")
    assert event.result == NOT_DETECTED
    assert (event.centre, event.name, event.device) == ("Labor Nord", None, None)
    assert (event.country, event.issuer, event.resulted_at) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"valueCodeableConcept": POSITIVE}, DETECTED),
        ({"valueCodeableConcept": POSITIVE, "interpretation": [FLAG_POS]}, DETECTED),
        ({"valueCodeableConcept": POSITIVE, "interpretation": [concept(INTERPRETATION, "A")]}, DETECTED),
        ({"interpretation": [concept(INTERPRETATION, "N")]}, NOT_DETECTED),
        ({"valueCodeableConcept": {"text": "Positive"}}, DETECTED),
        ({**NO_VALUE, "valueString": "Not detected"}, NOT_DETECTED),
        ({**NO_VALUE, "interpretation": [FLAG_NEG]}, NOT_DETECTED),
        ({**NO_VALUE, "component": [{"code": concept(LOINC, "94500-6"), "valueCodeableConcept": POSITIVE}]}, DETECTED),
        ({**NO_VALUE, "interpretation": [FLAG_POS],
          "component": [{"code": concept(LOINC, "94500-6"), "valueCodeableConcept": POSITIVE}] * 2}, DETECTED),
    ],
)  # fmt: skip
def test_results(changes: Json, expected: Coding) -> None:
    assert result(observation(**changes)).result == expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        *[({"status": status}, Code.RECORD_NOT_FINAL)
          for status in ("registered", "preliminary", "cancelled", "entered-in-error", "unknown", "Final", None)],
        ({"valueCodeableConcept": POSITIVE, "interpretation": [FLAG_NEG]}, Code.CODE_NOT_MAPPED),
        ({"interpretation": [FLAG_POS]}, Code.CODE_NOT_MAPPED),
        ({"interpretation": [concept(INTERPRETATION, "A")]}, Code.CODE_NOT_MAPPED),
        ({"interpretation": [concept(INTERPRETATION, "IND")]}, Code.CODE_NOT_MAPPED),
        ({"interpretation": [{"coding": [{"code": "POS"}]}]}, Code.CODE_NOT_MAPPED),
        ({"interpretation": [{"coding": [{"code": "IND"}]}]}, Code.CODE_NOT_MAPPED),
        ({"valueCodeableConcept": {**POSITIVE, "text": "Negative"}}, Code.CODE_NOT_MAPPED),
        ({**NO_VALUE, "interpretation": [concept(INTERPRETATION, "N")]}, Code.CODE_NOT_MAPPED),
        (NO_VALUE, Code.CODE_NOT_MAPPED),
        ({"valueCodeableConcept": {}}, Code.CODE_NOT_MAPPED),
        ({"valueCodeableConcept": {}, "interpretation": [FLAG_NEG]}, Code.CODE_NOT_MAPPED),
        ({"valueCodeableConcept": concept(SNOMED, "419984006")}, Code.CODE_NOT_MAPPED),
        ({"valueString": "Negative"}, Code.FIELD_INVALID),
        ({"valueQuantity": {"value": 17}}, Code.FIELD_INVALID),
        ({**NO_VALUE, "valueString": "all well"}, Code.CODE_NOT_MAPPED),
        ({**NO_VALUE, "valueQuantity": {"value": 17}}, Code.CODE_NOT_MAPPED),
        ({**NO_VALUE, "valueBoolean": False}, Code.CODE_NOT_MAPPED),
        ({**NO_VALUE, "valueInteger": 0}, Code.CODE_NOT_MAPPED),
        ({"dataAbsentReason": {"text": "spoilt"}}, Code.RECORD_NOT_SUPPORTED),
        ({**NO_VALUE, "component": [
            {"code": concept(LOINC, "94500-6"), "valueCodeableConcept": POSITIVE},
            {"code": concept(LOINC, "94500-6"), "valueCodeableConcept": NEGATIVE}]}, Code.CODE_NOT_MAPPED),
        ({**NO_VALUE, "component": [{"code": concept(LOINC, "94500-6"), "dataAbsentReason": {}}]},
         Code.RECORD_NOT_SUPPORTED),
        ({"code": concept(LOINC, "85354-9")}, Code.CODE_NOT_MAPPED),
        ({"code": {"text": "PCR"}}, Code.CODE_NOT_MAPPED),
        ({"effectiveDateTime": "2021-08-20"}, Code.FIELD_INVALID),
        ({"effectiveDateTime": "2021-08-20T10:03:12"}, Code.FIELD_INVALID),
        ({"effectiveDateTime": "2021-08-20T10:03+02:00"}, Code.FIELD_INVALID),
        ({"effectiveDateTime": "2021-08-20T10:03:60+02:00"}, Code.FIELD_INVALID),
        ({"effectiveDateTime": None}, Code.FIELD_INVALID),
        ({"effectiveInstant": "2021-08-20T10:03:12+02:00"}, Code.FIELD_INVALID),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2021-08-20T10:03:12+02:00"}}, Code.FIELD_INVALID),
        ({"effectiveDateTime": None, "effectiveTiming": {}}, Code.FIELD_INVALID),
        ({"focus": [to("Patient/p2")]}, Code.RECORD_NOT_SUPPORTED),
        ({"subject": to("Group/1")}, Code.HOLDER_UNKNOWN),
        ({"subject": None}, Code.HOLDER_UNKNOWN),
    ],
)  # fmt: skip
def test_refused(changes: Json, code: Code) -> None:
    rejected = only_rejected(lines(observation(**changes), patient()))
    assert rejected.error.code is code, str(rejected.error)


def test_instant_counts() -> None:
    event = result(observation(effectiveDateTime=None, effectiveInstant="2021-08-20T08:03:12.5Z"))
    assert event.sampled_at == datetime.fromisoformat("2021-08-20T08:03:12.500000+00:00")


def test_specimen_tells_when() -> None:
    event = result(observation(specimen=to("Specimen/s1")), specimen())
    assert event.sampled_at == datetime.fromisoformat("2021-08-20T08:00:00+02:00")
    assert result(observation(specimen=to("Specimen/gone"))).sampled_at == result(observation()).sampled_at


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"collection": {"collectedDateTime": "2021-08-20"}}, Code.FIELD_INVALID),
        ({"collection": {"collectedPeriod": {"start": "2021-08-20T08:00:00Z"}}}, Code.FIELD_INVALID),
        ({"status": "unsatisfactory"}, Code.RECORD_NOT_FINAL),
        ({"status": "entered-in-error"}, Code.RECORD_NOT_FINAL),
        ({"subject": to("Patient/p2")}, Code.HOLDER_UNKNOWN),
        ({"modifierExtension": [{}]}, Code.RECORD_NOT_SUPPORTED),
    ],
)
def test_specimens_refused(changes: Json, code: Code) -> None:
    others = (patient(), patient(id="p2"), specimen(**changes))
    rejected = only_rejected(lines(observation(specimen=to("Specimen/s1")), *others))
    assert rejected.error.code is code, str(rejected.error)


def test_device() -> None:
    rapid = observation(code=concept(LOINC, "94558-4"), device=to("Device/v1"))
    event = result(rapid, device())
    assert event.test_type == RAPID_ANTIGEN
    assert event.device == Coding(JRC, "1232")
    assert event.name == "Panbio COVID-19 Ag"
    r5 = device(deviceName=None, name=[{"value": "Panbio COVID-19 Ag", "type": "registered-name", "display": True}])
    assert result(rapid, r5) == event
    named = observation(code=concept(LOINC, "94558-4"), device={"identifier": {"system": JRC, "value": "1232"}})
    assert result(named).device == event.device
    two = device(identifier=[{"system": JRC, "value": "1232"}, {"system": JRC, "value": "1331"}])
    assert only_rejected(lines(rapid, patient(), two)).error.code is Code.FIELD_INVALID


def test_centre_is_an_organisation_and_never_a_person() -> None:
    assert result(observation(), organization()).centre == "Labor Süd"
    person = {"reference": "Practitioner/1", "display": "Dr. Geheim"}
    assert result(observation(performer=[person])).centre is None
    assert result(observation(performer=[person, to("Organization/l1")]), organization()).centre == "Labor Süd"
    role = {"resourceType": "PractitionerRole", "id": "r1", "organization": to("Organization/l1")}
    assert result(observation(performer=[to("PractitionerRole/r1")]), role, organization()).centre == "Labor Süd"
    two = [to("Organization/l1"), to("Organization/l2")]
    assert result(observation(performer=two), organization(), organization(id="l2", name="B")).centre is None


def test_country_of_the_organisation() -> None:
    assert result(observation(), organization(address=[{"country": "DEU"}])).country == "DE"
    assert result(observation(), organization(contact=[{"address": {"country": "AT"}}])).country == "AT"
    for address in ([{"country": "Elbonia"}], [{"country": "FR"}, {"country": "DE"}]):
        rows = lines(observation(), patient(), organization(address=address))
        assert only_rejected(rows).error.code is Code.FIELD_INVALID


def test_report_and_its_results() -> None:
    positive = observation(id="o2", valueCodeableConcept=POSITIVE, effectiveDateTime="2021-08-21T10:00:00Z")
    both = report(result=[to("Observation/o1"), to("Observation/o2")])
    expected = [(4, NOT_DETECTED.code), (4, DETECTED.code)]
    assert codes_of(observation(), positive, patient(), both) == expected
    assert codes_of(both, patient(), positive, observation())[0][0] == 1


def test_report_says_what_its_results_leave_open() -> None:
    bare = observation(subject=None, effectiveDateTime=None, performer=None)
    whole = report(
        effectiveDateTime="2021-08-20T10:03:12+02:00", performer=[{"reference": "Organization/l1", "display": "Labor"}]
    )
    event = only_row(lines(bare, whole, patient())).event
    assert isinstance(event, TestResult)
    assert event.centre == "Labor"
    by_specimen = report(specimen=[to("Specimen/s1")])
    event = only_row(lines(bare, by_specimen, patient(), specimen())).event
    assert isinstance(event, TestResult)
    assert event.sampled_at == datetime.fromisoformat("2021-08-20T08:00:00+02:00")
    several = report(specimen=[to("Specimen/s1"), to("Specimen/s2")])
    assert codes_of(bare, several, patient(), specimen(), specimen(id="s2")) == [(2, Code.FIELD_INVALID)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "preliminary"}, Code.RECORD_NOT_FINAL),
        ({"status": "partial"}, Code.RECORD_NOT_FINAL),
        ({"status": "entered-in-error"}, Code.RECORD_NOT_FINAL),
        ({"status": None}, Code.RECORD_NOT_FINAL),
        ({"result": []}, Code.RECORD_NOT_SUPPORTED),
        ({"subject": to("Patient/p2")}, Code.HOLDER_UNKNOWN),
        ({"modifierExtension": [{}]}, Code.RECORD_NOT_SUPPORTED),
        ({"result": [to("Observation/o1")] * 257}, Code.INPUT_TOO_LONG),
    ],
)
def test_reports_refused_with_what_they_own(changes: Json, code: Code) -> None:
    found = codes_of(patient(), patient(id="p2"), report(**changes), observation())
    if changes.get("result") == []:
        assert found == [(3, code), (4, NOT_DETECTED.code)]
    else:
        assert found == [(3, code)]


def test_results_that_contradict_each_other_are_none() -> None:
    other_gene = observation(id="o2", valueCodeableConcept=POSITIVE)
    both = report(result=[to("Observation/o1"), to("Observation/o2")])
    expected = [(3, Code.CODE_NOT_MAPPED)] * 2
    assert codes_of(observation(), other_gene, both, patient()) == expected
    twice = report(result=[to("Observation/o1"), to("Observation/o1")])
    assert codes_of(observation(), twice, patient()) == [(2, NOT_DETECTED.code)]


def test_panels() -> None:
    panel = observation(id="panel", valueCodeableConcept=None, hasMember=[to("Observation/o1")])
    assert codes_of(observation(), panel, patient()) == [(2, NOT_DETECTED.code)]
    whole = report(result=[to("Observation/panel")])
    assert codes_of(observation(), panel, patient(), whole) == [(4, NOT_DETECTED.code)]
    withdrawn = panel | {"status": "entered-in-error"}
    assert codes_of(observation(), withdrawn, patient()) == [(2, Code.RECORD_NOT_FINAL)]
    valued = panel | {"valueCodeableConcept": NEGATIVE}
    assert codes_of(observation(), valued, patient()) == [(2, Code.RECORD_NOT_SUPPORTED)]


def test_rings_end() -> None:
    first = observation(id="a", valueCodeableConcept=None, hasMember=[to("Observation/b")])
    second = observation(id="b", valueCodeableConcept=None, hasMember=[to("Observation/a")])
    unsupported = Code.RECORD_NOT_SUPPORTED
    assert codes_of(first, second, patient()) == [(1, unsupported), (2, unsupported)]
    own = observation(id="a", valueCodeableConcept=None, hasMember=[to("Observation/a")])
    assert codes_of(own, patient()) == [(1, unsupported)]


def test_a_result_that_is_not_there() -> None:
    assert codes_of(report(), patient()) == [(1, Code.FIELD_INVALID)]
    assert codes_of(report(result=[{"display": "PCR"}]), patient()) == [(1, Code.FIELD_INVALID)]


def test_contained_resources() -> None:
    inside = observation(contained=[patient(id="p"), specimen(id="s", subject=to("#p"))], subject=to("#p"))
    row = only_row(lines(inside | {"specimen": to("#s")}))
    assert isinstance(row, Row)
    assert isinstance(row.event, TestResult)
    assert row.event.sampled_at == datetime.fromisoformat("2021-08-20T08:00:00+02:00")
    twice = observation(contained=[patient(id="p"), patient(id="p", birthDate="1970-01-01")], subject=to("#p"))
    assert only_rejected(lines(twice)).error.code is Code.RECORD_UNREADABLE
    for fragment in ("#", "#gone", "#p/x"):
        outside = observation(contained=[patient(id="p")], subject=to(fragment))
        assert only_rejected(lines(outside)).error.code is Code.HOLDER_UNKNOWN
