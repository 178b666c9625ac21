"""Made-up FHIR records for the tests, and the reader over them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from healthcert.intake.fhir import read_fhir
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from healthcert.limits import DEFAULT_LIMITS, Limits

CVX = "http://hl7.org/fhir/sid/cvx"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
JRC = "https://covid-19-diagnostics.jrc.ec.europa.eu/devices"
Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def to(target: str) -> Json:
    return {"reference": target}


def patient(**changes: Any) -> Json:
    return without_none(
        {
            "resourceType": "Patient",
            "id": "p1",
            "name": [{"use": "official", "family": "Müller-Lüdenscheidt", "given": ["Zoé", "Anaïs"]}],
            "gender": "female",
            "birthDate": "1964-08-12",
        }
        | changes
    )


def immunization(**changes: Any) -> Json:
    """In R4."""
    return without_none(
        {
            "resourceType": "Immunization",
            "id": "i1",
            "status": "completed",
            "vaccineCode": concept(CVX, "208"),
            "patient": to("Patient/p1"),
            "occurrenceDateTime": "2021-05-29",
            "protocolApplied": [
                {
                    "targetDisease": [concept(SNOMED, "840539006")],
                    "doseNumberPositiveInt": 1,
                    "seriesDosesPositiveInt": 2,
                }
            ],
        }
        | changes
    )


def immunization_r5(**changes: Any) -> Json:
    told: Json = {
        "protocolApplied": [{"targetDisease": [concept(SNOMED, "840539006")], "doseNumber": "1", "seriesDoses": "2"}],
        "manufacturer": {"concept": concept("http://hl7.org/fhir/sid/mvx", "PFR")},
    }
    return immunization(**(told | changes))


def observation(**changes: Any) -> Json:
    return without_none(
        {
            "resourceType": "Observation",
            "id": "o1",
            "status": "final",
            "code": concept(LOINC, "94500-6"),
            "subject": to("Patient/p1"),
            "effectiveDateTime": "2021-08-20T10:03:12+02:00",
            "valueCodeableConcept": concept(SNOMED, "260415000"),
            "performer": [{"reference": "Organization/l1", "display": "Labor Nord"}],
        }
        | changes
    )


def report(**changes: Any) -> Json:
    return without_none(
        {
            "resourceType": "DiagnosticReport",
            "id": "d1",
            "status": "final",
            "code": concept(LOINC, "94531-1"),
            "subject": to("Patient/p1"),
            "result": [to("Observation/o1")],
        }
        | changes
    )


def organization(**changes: Any) -> Json:
    return without_none({"resourceType": "Organization", "id": "l1", "name": "Labor Süd"} | changes)


def specimen(**changes: Any) -> Json:
    return without_none(
        {
            "resourceType": "Specimen",
            "id": "s1",
            "subject": to("Patient/p1"),
            "collection": {"collectedDateTime": "2021-08-20T08:00:00+02:00"},
        }
        | changes
    )


def device(**changes: Any) -> Json:
    return without_none(
        {
            "resourceType": "Device",
            "id": "v1",
            "identifier": [{"system": JRC, "value": "1232"}],
            "deviceName": [{"name": "Panbio COVID-19 Ag", "type": "user-friendly-name"}],
        }
        | changes
    )


def bundle(
    *resources: Json, kind: str = "collection", base: str | None = "http://example.org/fhir", **other: Any
) -> Json:
    entries: list[Json] = []
    for one in resources:
        url = {} if base is None else {"fullUrl": f"{base}/{one['resourceType']}/{one.get('id', 'none')}"}
        entries.append({**url, "resource": one})
    return {"resourceType": "Bundle", "type": kind, "entry": entries} | other


def without_none(record: Json) -> Json:
    return {name: value for name, value in record.items() if value is not None}


def ndjson(*resources: Json | str | bytes) -> bytes:
    return b"".join(_line(one) + b"\n" for one in resources)


def _line(one: Json | str | bytes) -> bytes:
    if isinstance(one, bytes):
        return one
    return (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, separators=(",", ":"))).encode()


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Row | RejectedRow]:
    return list(read_fhir(io.BytesIO(data), IntakeOptions(limits=limits)))


def lines(*resources: Json | str | bytes) -> list[Row | RejectedRow]:
    """What comes of these as NDJSON."""
    return read(ndjson(*resources))


def document(resource: Json) -> list[Row | RejectedRow]:
    """What comes of a file that is this resource or Bundle, as people print it."""
    return read(json.dumps(resource, indent=2).encode())


def only_row(rows: Iterable[Row | RejectedRow]) -> Row:
    found = list(rows)
    assert len(found) == 1, [str(one.error) if isinstance(one, RejectedRow) else one for one in found]
    assert isinstance(found[0], Row), str(found[0].error)
    return found[0]


def only_rejected(rows: Iterable[Row | RejectedRow]) -> RejectedRow:
    found = list(rows)
    assert len(found) == 1
    assert isinstance(found[0], RejectedRow)
    return found[0]
