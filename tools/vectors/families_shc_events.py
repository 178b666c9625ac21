"""Cases of the vaccinations in SMART Health Cards, and of the types of what is read: HC-SHC-300 to 329, 500 to 529."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_press import altered
from tools.vectors.families_shc import BUNDLE, CVX, concept, dose, patch, shown

_MODEL = 'SMART Health Cards, "Modeling a Health Card"'
_STATUS, _SUBPOTENT, _OCCURRENCE = (
    f"FHIR R4, Immunization.{name}" for name in ("status", "isSubpotent", "occurrence[x]")
)
_DATES, _REFERENCES = "FHIR R4, dateTime", 'FHIR R4, "Resolving references in Bundles"'
_BAD, _UNEXPECTED, _MISSING, _NONE = "SCHEMA_VALIDATION_FAILED", "FIELD_UNEXPECTED", "FIELD_MISSING", "NO_ENTRY"
_SNOMED, _LOINC = "http://snomed.info/sct", "http://loinc.org"

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": _LOINC, "code": "94558-4"}]},
    "subject": {"reference": "resource:0"},
    "effectiveDateTime": "2021-08-19T10:00:00Z",
    "performer": [{"display": "Example Centre"}],
    "valueCodeableConcept": {"coding": [{"system": _SNOMED, "code": "260415000"}]},
}


_PATIENT = BUNDLE["entry"][0]["resource"]


def cases() -> list[Case]:
    """Vaccinations, and types."""
    return [*_vaccinations(), *_wrong_types()]


def a_test(**changes: Any) -> Any:
    """A bundle with a test instead."""
    return patch(1, OBSERVATION, changes)


def _vaccinations() -> list[Case]:
    other = {"reference": "resource:1"}
    reference = altered(
        dose(patient={"reference": "Patient/7"}), "entry", 0, "fullUrl", to="https://cards.example/Patient/7"
    )
    wrong: list[tuple[str, str, str, str, Any]] = [
        ("300", "It was not done", _STATUS, _NONE, dose(status="not-done")),
        ("301", "It was entered in error", _STATUS, _NONE, dose(status="entered-in-error")),
        ("302", "No status", _STATUS, _NONE, dose(status=...)),
        ("303", "A dose that was too small to count", _SUBPOTENT, _NONE, dose(isSubpotent=True)),
        ("304", "No vaccine was administered, says the code", _MODEL, _NONE, dose(vaccineCode=concept(CVX, "998"))),
        ("305", "No vaccine", _MODEL, _BAD, dose(vaccineCode=...)),
        ("306", "A vaccine without code and text", _MODEL, _BAD, dose(vaccineCode={})),
        ("307", "A code of a vaccine that is a number", _MODEL, _BAD, dose(vaccineCode=concept(CVX, 208))),  # type: ignore[arg-type]
        ("308", "It is about another patient", _REFERENCES, _BAD, dose(patient=other)),
        ("309", "Neither a date nor a text in its place", _OCCURRENCE, _BAD, dose(occurrenceDateTime=...)),
        ("310", "A date, and a text in its place", _OCCURRENCE, _BAD, dose(occurrenceString="x")),
        ("311", "Dose 0", _MODEL, _BAD, dose(protocolApplied=[{"doseNumberPositiveInt": 0}])),
        ("312", "Dose 1.5", _MODEL, _BAD, dose(protocolApplied=[{"doseNumberPositiveInt": 1.5}])),
        ("313", "A series of 0 doses", _MODEL, _BAD, dose(protocolApplied=[{"seriesDosesPositiveInt": 0}])),
        ("314", "A lot that is a number", _MODEL, _BAD, dose(lotNumber=7)),
        ("315", "isSubpotent as text", _SUBPOTENT, _BAD, dose(isSubpotent="false")),
        (
            "317",
            "A reference that ends as the patient's address does, without its slash",
            _REFERENCES,
            _BAD,
            altered(reference, "entry", 1, "resource", "patient", "reference", to="nt/7"),
        ),
    ]
    good: list[tuple[str, str, str, tuple[str, ...], Any]] = [
        ("320", "A vaccine as text", _MODEL, (), dose(vaccineCode={"text": "x"})),
        (
            "321",
            "A text in the place of the date",
            _OCCURRENCE,
            (),
            dose(occurrenceDateTime=..., occurrenceString="summer"),
        ),
        (
            "322",
            "Two codes of one vaccine",
            _MODEL,
            (),
            dose(vaccineCode={"coding": [{"system": "x", "code": "y"}, {"system": CVX, "code": "208"}]}),
        ),
        (
            "323",
            "Against a disease, dose 1 of 2",
            _MODEL,
            (),
            dose(
                protocolApplied=[
                    {
                        "targetDisease": [concept(_SNOMED, "840539006")],
                        "doseNumberPositiveInt": 1,
                        "seriesDosesPositiveInt": 2,
                    }
                ]
            ),
        ),
        ("324", "The patient by the address of the bundle", _REFERENCES, (_UNEXPECTED, _UNEXPECTED), reference),
        (
            "325",
            "The patient by its type and id",
            _REFERENCES,
            (_UNEXPECTED, _UNEXPECTED),
            altered(dose(patient={"reference": "Patient/7"}), "entry", 0, "resource", "id", to="7"),
        ),
        ("326", "The day, told by a moment", _DATES, (), dose(occurrenceDateTime="2021-06-11T23:30:00.1234567+02:00")),
    ]
    modified: list[tuple[str, str, dict[str, Any]]] = [
        ("327", "An extension that modifies the vaccination", {"modifierExtension": [{"url": "x"}]}),
        ("328", "Rules for the vaccination that nobody knows", {"implicitRules": "https://cards.example/rules"}),
        ("329", "An extension that modifies one of its parts", {"performer": [{"modifierExtension": [{"url": "x"}]}]}),
    ]
    return [
        *[case for n, title, changes in modified for case in shown(f"HC-SHC-{n}", title, "FHIR R4, Extensibility", _NONE, bundle=dose(**changes))],
        *[case for n, title, s, code, bundle in wrong for case in shown(f"HC-SHC-{n}", title, s, code, bundle=bundle)],
        *shown("HC-SHC-316", "A policy that wants tests alone", _MODEL, "ENTRY_TYPE_NOT_ACCEPTED", circumstances={"policy": {"entry_types": ["test"]}}),
        *shown("HC-SHC-319", "A policy that wants vaccinations alone", _MODEL, circumstances={"policy": {"entry_types": ["vaccination"]}}),
        *shown("HC-SHC-318", "Without a reference to the patient", _REFERENCES, _MISSING, bundle=dose(patient={"display": "x"}), quirk=True),
        *[case for n, title, s, warned, bundle in good for case in shown(f"HC-SHC-{n}", title, s, "OK", *warned, bundle=bundle)],
    ]  # fmt: skip


def _wrong_types() -> list[Case]:
    """Something else in each member that is read."""
    patient = [("use", 7), ("given", "Zoé"), ("text", 7)]
    vaccination: list[tuple[str, Any]] = [
        ("vaccineCode", {"coding": [{"system": 7, "code": "208"}]}),
        ("vaccineCode", {"coding": [{"code": "208", "display": 7}]}),
        ("vaccineCode", {"text": 7}),
        ("manufacturer", {"identifier": {"system": 7, "value": "PFR"}}),
        ("manufacturer", {"identifier": {"value": 7}}),
        ("manufacturer", {"identifier": "PFR"}),
        ("manufacturer", {"display": 7}),
        ("manufacturer", "PFR"),
        ("patient", {"reference": 7}),
        ("occurrenceDateTime", 20210611),
        ("location", "Example Centre"),
        ("performer", [7]),
    ]
    test: list[tuple[str, Any]] = [
        ("effectiveDateTime", 20210819),
        ("issued", 20210819),
        ("device", "Example qPCR"),
        ("subject", "resource:0"),
    ]
    instead: list[tuple[str, Any]] = [("effectiveInstant", 7), ("effectivePeriod", {"start": 7})]
    bundles = [
        *[
            (f"name.{name}", patch(0, _PATIENT, {"name": [{"family": "Exemplaire", name: value}]}))
            for name, value in patient
        ],
        ("gender", patch(0, _PATIENT, {"gender": 7})),
        *[(name, dose(**{name: value})) for name, value in vaccination],
        ("occurrenceString", dose(occurrenceDateTime=..., occurrenceString=7)),
        *[(name, a_test(**{name: value})) for name, value in test],
        *[(name, a_test(effectiveDateTime=..., **{name: value})) for name, value in instead],
        ("valueString", a_test(valueCodeableConcept=..., valueString=7)),
    ]
    return [
        case
        for number, (name, bundle) in enumerate(bundles, 500)
        for case in shown(f"HC-SHC-{number}", f"Something else than its type for {name}", _MODEL, _BAD, bundle=bundle)
    ]  # fmt: skip
