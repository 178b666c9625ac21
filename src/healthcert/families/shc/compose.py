"""The smallest FHIR bundle that says what is certified: the way back of ``fhir.py``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from healthcert import codings
from healthcert.codings import COVID_19
from healthcert.errors import Code, IssueError, Step
from healthcert.families.shc.fhir import GENDER, IMMUNIZATION, OBSERVATION
from healthcert.model import Coding, Event, Holder, TestResult, Vaccination

_TYPES = "https://smarthealth.cards#"
_PATIENT = {"reference": "resource:0"}
_BORN = re.compile(r"(19|20)[0-9]{2}(-[0-9]{2}(-[0-9]{2})?)?", re.ASCII)
_GENDERS = ("male", "female", "other", "unknown")  # FHIR R4, AdministrativeGender
_CODE = re.compile(r"[!-~]{1,80}", re.ASCII)
_MAX_TEXT = 200  # beyond it no card fits into a code
_FIRST_YEAR = 1900

# What a card has no place for, and so must not be given.
_NO_PLACE: dict[type, tuple[str, ...]] = {
    Holder: ("family_name_icao", "given_name_icao", "nationality", "document_number", "guardian", "other"),
    Vaccination: ("partial_date", "product", "country", "issuer", "certificate_id", "clinician", "other"),
    TestResult: ("partial_date", "disease", "name", "country", "issuer", "certificate_id", "other"),
}


def bundle_for(events: Sequence[Event], holder: Holder) -> dict[str, Any]:
    """The bundle. Raises :class:`IssueError` (``FIELD_INVALID``), naming the field, its rule and an example."""
    if not events:
        raise invalid("events", "a vaccination or a test at least", "Vaccination(...)")
    resources = [_patient(holder)]
    for event in events:
        match event:
            case Vaccination():
                resources.append(_immunization(event))
            case TestResult():
                resources.append(_observation(event))
            case _:
                raise invalid("events", "vaccinations and tests", "Vaccination(...)")
    # "Health Cards are Compact": fullUrl with short resource-scheme URIs.
    entries = [{"fullUrl": f"resource:{number}", "resource": one} for number, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def types_for(events: Sequence[Event]) -> list[str]:
    """The types that say what a card is about. Verifiers of before version 1.4.0, which lets them go, look for them."""
    found = []
    if any(isinstance(event, Vaccination) for event in events):
        found.append(f"{_TYPES}immunization")
    if any(isinstance(event, TestResult) for event in events):
        found.append(f"{_TYPES}laboratory")
    diseases = [_disease(event) for event in events if isinstance(event, Vaccination)]
    return [*found, f"{_TYPES}covid19"] if COVID_19 in diseases else found


def _patient(holder: Holder) -> dict[str, Any]:
    _refuse_what_has_no_place(holder)
    name: dict[str, Any] = {}
    if holder.family_name:
        name["family"] = _text("family_name", holder.family_name, "Anyperson")
    if holder.given_name:
        name["given"] = [_text("given_name", holder.given_name, "John B.")]
    if holder.full_name and name:
        raise invalid("full_name", "only where given and family name are not told apart", "None")
    if holder.full_name:
        name["text"] = _text("full_name", holder.full_name, "John B. Anyperson")
    if not name:
        raise invalid("family_name", "a name at least", "Anyperson")
    if not _BORN.fullmatch(holder.birth_date):
        raise invalid("birth_date", "a date as YYYY-MM-DD, YYYY-MM or YYYY", "1951-01-20")
    patient = {"resourceType": "Patient", "name": [name], "birthDate": holder.birth_date}
    if holder.sex is not None:
        if holder.sex.system != GENDER or holder.sex.code not in _GENDERS:
            raise invalid("sex", f"a code of {GENDER}", 'Coding(..., "female")')
        patient["gender"] = holder.sex.code
    return patient


def _immunization(event: Vaccination) -> dict[str, Any]:
    _refuse_what_has_no_place(event)
    found: dict[str, Any] = {
        "resourceType": IMMUNIZATION,
        "status": "completed",
        "vaccineCode": _concept("vaccine", event.vaccine, 'Coding("http://hl7.org/fhir/sid/cvx", "207")'),
        "patient": _PATIENT,
        "occurrenceDateTime": _day("date", event.date),
    }
    if event.manufacturer is not None:
        found["manufacturer"] = _reference("manufacturer", event.manufacturer)
    if event.batch is not None:
        found["lotNumber"] = _text("batch", event.batch, "0000001")
    if event.centre is not None:
        found["performer"] = [{"actor": {"display": _text("centre", event.centre, "ABC General Hospital")}}]
    protocol: dict[str, Any] = {}
    # What the code of the vaccine says already need not be said again.
    if event.disease is not None and event.disease != _of_vaccine(event):
        protocol["targetDisease"] = [
            _concept("disease", event.disease, 'Coding("http://snomed.info/sct", "840539006")')
        ]
    if event.dose is not None:
        protocol["doseNumberPositiveInt"] = _number("dose", event.dose)
    if event.series is not None:
        protocol["seriesDosesPositiveInt"] = _number("series", event.series)
    # FHIR R4, Immunization.protocolApplied: doseNumber is required.
    if protocol and event.dose is None:
        raise invalid("dose", "its number, where the disease or the number of doses is told", "2")
    return found | {"protocolApplied": [protocol]} if protocol else found


def _observation(event: TestResult) -> dict[str, Any]:
    _refuse_what_has_no_place(event)
    found: dict[str, Any] = {
        "resourceType": OBSERVATION,
        "status": "final",
        "code": _concept("test_type", event.test_type, 'Coding("http://loinc.org", "94558-4")'),
        "subject": _PATIENT,
        "valueCodeableConcept": _concept("result", event.result, 'Coding("http://snomed.info/sct", "260415000")'),
    }
    if (event.sampled_at is None) == (event.sampled_on is None):
        raise invalid("sampled_at", "either it or sampled_on", "2021-08-20T10:03:12+02:00")
    if event.sampled_at is not None:
        found["effectiveDateTime"] = _moment("sampled_at", event.sampled_at)
    else:
        found["effectiveDateTime"] = _day("sampled_on", event.sampled_on)
    if event.resulted_at is not None:
        found["issued"] = _moment("resulted_at", event.resulted_at)
    if event.device is not None:
        found["device"] = _reference("device", event.device)
    if event.centre is not None:
        found["performer"] = [{"display": _text("centre", event.centre, "ABC General Hospital")}]
    return found


def _of_vaccine(event: Vaccination) -> Coding | None:
    return None if event.vaccine is None else codings.disease_of(event.vaccine)


def _disease(event: Vaccination) -> Coding | None:
    return event.disease or _of_vaccine(event)


def _refuse_what_has_no_place(values: Holder | Vaccination | TestResult) -> None:
    """Nothing that was to be certified may be left out in silence."""
    for name in _NO_PLACE[type(values)]:
        if getattr(values, name):
            raise invalid(name, "a card has no place for it, so it must be left out", "None")


def _concept(name: str, value: Coding | None, example: str) -> dict[str, Any]:
    if value is None or not value.system or not _CODE.fullmatch(value.code):
        raise invalid(name, "a code of 1 to 80 characters without spaces, with its system", example)
    # "Health Cards are Compact": without Coding.display.
    return {"coding": [{"system": _text(name, value.system, example), "code": value.code}]}


def _reference(name: str, value: Coding) -> dict[str, Any]:
    code = _text(name, value.code, 'Coding("http://hl7.org/fhir/sid/mvx", "MOD")')
    if not value.system:
        return {"display": code}
    return {"identifier": {"system": _text(name, value.system, "http://hl7.org/fhir/sid/mvx"), "value": code}}


def _text(name: str, value: object, example: str) -> str:
    text = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    if text != text.strip() or not 1 <= len(text) <= _MAX_TEXT or not text.isprintable():
        raise invalid(name, f"text of 1 to {_MAX_TEXT} printable characters", example)
    return text


def _number(name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= 99:
        raise invalid(name, "a whole number from 1 to 99", "2")
    return value


def _day(name: str, value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime) or value.year < _FIRST_YEAR:
        raise invalid(name, f"a day (datetime.date) from {_FIRST_YEAR} on", "2021-05-29")
    return value.isoformat()


def _moment(name: str, value: object) -> str:
    offset = value.utcoffset() if isinstance(value, datetime) else None
    if not isinstance(value, datetime) or offset is None or offset.total_seconds() % 60 or value.year < _FIRST_YEAR:
        raise invalid(name, "a moment with its time zone", "2021-08-20T10:03:12+02:00")
    text = value.isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def invalid(name: str, rule: str, example: str) -> IssueError:
    """The refusal of what an issuer was given."""
    return IssueError(Code.FIELD_INVALID, f"{name}: {rule}; for example {example}", Step.CONTENT)
