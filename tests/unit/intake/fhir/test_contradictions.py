"""What contradicts, withdraws or hides a result is noticed, wherever in the file it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.codings import DETECTED, NOT_DETECTED
from healthcert.errors import Code, IssueError
from healthcert.intake.reading import RejectedRow, Row
from healthcert.limits import Limits
from healthcert.model import TestResult
from tests.unit.intake.fhir.make import (
    INTERPRETATION,
    LOINC,
    SNOMED,
    Json,
    bundle,
    concept,
    document,
    immunization,
    lines,
    ndjson,
    observation,
    only_rejected,
    only_row,
    patient,
    read,
    report,
    specimen,
    to,
)

POSITIVE, NEGATIVE = concept(SNOMED, "260373001"), concept(SNOMED, "260415000")
OPEN = concept(SNOMED, "419984006")
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
N_GENE = concept(LOINC, "94533-7")
WITHDRAWN = "entered-in-error"


def told(rows: list[Row | RejectedRow]) -> list[Code | str]:
    """The code of the error, of the result, or that of a dose."""
    found: list[Code | str] = []
    for row in rows:
        if isinstance(row, RejectedRow):
            found.append(row.error.code)
        else:
            found.append(row.event.result.code if isinstance(row.event, TestResult) else "dose")
    return found


def urns(*resources: Json) -> Json:
    entries = [{"fullUrl": f"urn:uuid:{place}", "resource": one} for place, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (observation(), observation(valueCodeableConcept=POSITIVE)),
        (observation(status=WITHDRAWN), observation()),
        (immunization(), immunization(status=WITHDRAWN)),
        (immunization(status="not-done"), immunization()),
    ],
)
def test_records_of_one_id_that_differ(first: Json, second: Json) -> None:
    person = patient(id="urn") | {"id": "p1"}
    both = [Code.RECORD_UNREADABLE] * 2
    rows = lines(first, person, second)
    assert told(rows) == both
    assert all("p1" not in str(row.error) for row in rows if isinstance(row, RejectedRow))
    assert told(document(bundle(first, person, second))) == both
    assert told(document(bundle(first, person, second, base=None))) == both
    assert told(document(urns(first, person, second))) == both
    escaped = json.dumps(second).replace('"id": "', '"id": "\\u00' + f"{ord(second['id'][0]):02x}", 1)
    escaped = escaped.replace(f'{second["id"][0]}1"', '1"', 1)
    assert json.loads(escaped) == second
    assert told(lines(first, person, escaped)) == both


@pytest.mark.parametrize("record", [observation(), immunization()])
def test_the_same_record_twice_is_harmless(record: Json) -> None:
    once = told(lines(record, patient()))
    assert told(lines(record, patient(), record)) == once * 2
    assert told(document(bundle(record, patient(), record))) == once * 2


def test_one_id_of_two_servers_is_two_records() -> None:
    here, there = observation(), observation(valueCodeableConcept=POSITIVE)
    whole = bundle(patient(), here)
    other = bundle(patient(), there, base="https://other.example/fhir")
    whole["entry"] += other["entry"]
    assert told(document(whole)) == [NOT_DETECTED.code, DETECTED.code]


def test_a_report_of_a_result_that_is_there_twice() -> None:
    resources = (patient(), observation(), observation(valueCodeableConcept=POSITIVE), report())
    assert told(lines(*resources)) == [Code.RECORD_UNREADABLE] * 3
    assert told(document(bundle(*resources))) == [Code.RECORD_UNREADABLE] * 3
    by_address = urns(patient(), observation(), observation(valueCodeableConcept=POSITIVE))
    by_address["entry"].append({"resource": report(result=[to("urn:uuid:1")], subject=None)})
    found = told(document(by_address))
    assert NOT_DETECTED.code not in found
    assert found[-1] is Code.RECORD_UNREADABLE


def test_limit_of_records() -> None:
    records = [immunization(id=f"i{number}") for number in range(17)]
    limits = Limits(linked_resources=1)
    assert told(read(ndjson(patient(), *records[:16]), limits)) == ["dose"] * 16
    with pytest.raises(IssueError) as caught:
        read(ndjson(patient(), *records), limits)
    assert caught.value.code is Code.INPUT_TOO_LONG


REFERENCES = [
    "Observation/o1",
    "Observation/o1/_history/3",
    "http://s/fhir/Observation/o1",
    "HTTPS://s/fhir/Observation/o1",
    "http://s/fhir/Observation/o1/_history/3",
    "http://s/fhir/Observation/o1/",
    "http://s/fhir/Observation/o1?_format=json",
    "/Observation/o1",
    "../fhir/Observation/o1",
    "urn:uuid:o1",
]


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_withdrawn_report_owns_its_result_however_it_names_it(reference: str) -> None:
    withdrawn = report(status=WITHDRAWN, result=[to(reference)])
    person, alone = patient(), [Code.RECORD_NOT_FINAL]
    assert told(lines(observation(), withdrawn, person)) == alone
    assert told(lines(withdrawn, observation(), person)) == alone
    for base in ("http://s/fhir", "http://other/fhir", None):
        assert told(document(bundle(observation(), withdrawn, person, base=base))) == alone
    without_id = {"fullUrl": "http://s/fhir/Observation/o1", "resource": observation(id=None)}
    if reference.lower().startswith("http"):
        mixed = bundle(withdrawn, person, base=None)
        mixed["entry"].append(without_id)
        assert told(document(mixed)) == alone


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_report_tells_of_a_reference_that_leads_nowhere(reference: str) -> None:
    rows = lines(observation(), report(result=[to(reference)]), patient())
    followed = reference.startswith("Observation/")
    assert told(rows) == [NOT_DETECTED.code if followed else Code.FIELD_INVALID]


def test_a_reference_that_may_mean_several() -> None:
    """Two servers have an observation of this id, and the report does not say which it means."""
    whole = bundle(patient(), observation(), base="http://a/fhir")
    whole["entry"] += bundle(patient(), observation(valueCodeableConcept=POSITIVE), base="http://b/fhir")["entry"]
    whole["entry"].append({"resource": report(status=WITHDRAWN)})
    assert told(document(whole)) == [Code.RECORD_NOT_FINAL]


@pytest.mark.parametrize("result", [[to("Observation/o1"), {"reference": 7}], to("Observation/o1")])
def test_a_broken_report_owns_its_results_as_well(result: Any) -> None:
    broken = report(status=WITHDRAWN, result=result)
    assert told(lines(observation(), broken, patient())) == [Code.RECORD_UNREADABLE]
    assert told(document(bundle(observation(), broken, patient()))) == [Code.RECORD_UNREADABLE]


def test_a_panel_of_a_withdrawn_panel() -> None:
    inner = observation(id="inner", valueCodeableConcept=None, hasMember=[to("Observation/o1")])
    outer = observation(id="outer", valueCodeableConcept=None, hasMember=[to("Observation/inner")], status=WITHDRAWN)
    expected = [Code.RECORD_NOT_SUPPORTED, Code.RECORD_NOT_FINAL]
    assert told(lines(observation(), inner, outer, patient())) == expected
    assert told(document(bundle(observation(), inner, outer, patient()))) == expected


@pytest.mark.parametrize("code", ["POS", "DET", "ND", "IND", "E", "A", "H"])
@pytest.mark.parametrize("value", [POSITIVE, NEGATIVE])
def test_interpretations_without_a_system(code: str, value: Json) -> None:
    rows = lines(observation(valueCodeableConcept=value, interpretation=[{"coding": [{"code": code}]}]), patient())
    with_system = lines(
        observation(valueCodeableConcept=value, interpretation=[concept(INTERPRETATION, code)]), patient()
    )
    assert told(rows) == told(with_system)
    agrees = code in {"POS", "DET", "A", "H"} if value is POSITIVE else code == "ND"
    assert (told(rows) != [Code.CODE_NOT_MAPPED]) == agrees


@pytest.mark.parametrize(
    ("changes", "agrees"),
    [
        ({"interpretation": [{"text": "Negative"}]}, True),
        ({"interpretation": [{"text": "positive"}]}, False),
        ({"interpretation": [{**concept(INTERPRETATION, "N"), "text": "Positive"}]}, False),
        ({"valueCodeableConcept": {**NEGATIVE, "text": " not  DETECTED"}}, True),
        ({"valueCodeableConcept": {**NEGATIVE, "text": "Nicht nachweisbar"}}, True),
        ({"valueCodeableConcept": {**NEGATIVE, "text": "Detected"}}, False),
        ({"valueCodeableConcept": {**NEGATIVE, "text": "POSITIVE"}}, False),
        ({"component": [{"code": concept(LOINC, "94500-6"), "valueCodeableConcept": NEGATIVE}]}, True),
        ({"component": [{"code": concept(LOINC, "94500-6"), "valueCodeableConcept": POSITIVE}]}, False),
        ({"component": [{"code": concept(LOINC, "94500-6"), "valueCodeableConcept": OPEN}]}, False),
        ({"component": [{"code": concept(LOINC, "94500-6"), "valueQuantity": {"value": 17}}]}, True),
        ({"component": [{"code": N_GENE, "valueCodeableConcept": POSITIVE}]}, False),
        ({"component": [{"code": N_GENE, "valueCodeableConcept": NEGATIVE}]}, True),
        ({"component": [{"code": concept(LOINC, "8867-4"), "valueCodeableConcept": POSITIVE}]}, True),
        ({"valueCodeableConcept": POSITIVE,
          "component": [{"code": N_GENE, "valueCodeableConcept": NEGATIVE}]}, True),
    ],
)  # fmt: skip
def test_what_an_observation_says_beside_its_value(changes: Json, agrees: bool) -> None:
    rows = lines(observation(**changes), patient())
    if agrees:
        assert isinstance(only_row(rows).event, TestResult)
    else:
        assert only_rejected(rows).error.code is Code.CODE_NOT_MAPPED


@pytest.mark.parametrize(
    ("changes", "agrees"),
    [
        ({"conclusionCode": [NEGATIVE]}, True),
        ({"conclusionCode": [concept(SNOMED, "840539006")]}, True),
        ({"conclusionCode": [{"text": "see the letter"}], "conclusion": "All is well."}, True),
        ({"conclusionCode": [POSITIVE]}, False),
        ({"conclusionCode": [OPEN]}, False),
        ({"conclusionCode": [NEGATIVE, POSITIVE]}, False),
        ({"conclusionCode": [{"text": "Positive"}]}, False),
        ({"conclusionCode": [{"coding": [{"code": "POS"}]}]}, False),
        ({"conclusion": "Positive"}, False),
    ],
)
def test_conclusions_of_reports(changes: Json, agrees: bool) -> None:
    rows = lines(observation(), report(**changes), patient())
    assert told(rows) == [NOT_DETECTED.code if agrees else Code.CODE_NOT_MAPPED]


def test_conclusions_of_several_results() -> None:
    positive = observation(id="o2", valueCodeableConcept=POSITIVE, effectiveDateTime="2021-08-21T10:00:00Z")
    influenza = observation(id="o3", code=concept(LOINC, "80382-5"))
    unmapped = Code.CODE_NOT_MAPPED

    def of(conclusion: Json, *names: str) -> list[Code | str]:
        whole = report(result=[to(f"Observation/{name}") for name in names], conclusionCode=[conclusion])
        return told(
            lines(patient(), *(one for one in (observation(), positive, influenza) if one["id"] in names), whole)
        )

    assert of(POSITIVE, "o1", "o2") == [NOT_DETECTED.code, DETECTED.code]
    assert of(NEGATIVE, "o1", "o2") == [unmapped, unmapped]
    assert of(POSITIVE, "o1", "o3") == [NOT_DETECTED.code, unmapped]  # which may be about influenza
    assert of(NEGATIVE, "o2", "o3") == [unmapped, unmapped]


def test_interpretation_of_a_panel() -> None:
    panel = observation(id="panel", valueCodeableConcept=None, hasMember=[to("Observation/o1")])
    for code, expected in (("NEG", NOT_DETECTED.code), ("POS", Code.CODE_NOT_MAPPED), ("IND", Code.CODE_NOT_MAPPED)):
        rows = lines(observation(), panel | {"interpretation": [concept(INTERPRETATION, code)]}, patient())
        assert told(rows) == [expected]


@pytest.mark.parametrize(
    "resources",
    [
        (observation(_status=ABSENT),),
        (immunization(_status=ABSENT),),
        (observation(), report(_status=ABSENT)),
        (observation(specimen=to("Specimen/s1")), specimen(status="available", _status=ABSENT)),
    ],
)
def test_a_status_that_is_said_to_be_unknown(resources: tuple[Json, ...]) -> None:
    assert told(lines(patient(), *resources)) == [Code.RECORD_NOT_FINAL]
    harmless = {"extension": [{"url": "http://example.org/colour", "valueCode": "red"}]}
    rows = lines(patient(), *(one | ({"_status": harmless} if "_status" in one else {}) for one in resources))
    assert isinstance(only_row(rows), Row)


def test_a_document_whose_status_is_said_to_be_unknown() -> None:
    composition = {"resourceType": "Composition", "id": "c1", "status": "final", "_status": ABSENT}
    rejected = only_rejected(document(bundle(composition, patient(), observation(), kind="document")))
    assert rejected.error.code is Code.RECORD_NOT_FINAL
