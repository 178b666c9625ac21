"""Cases of the dates and tests in SMART Health Cards, and of what stands beside them: HC-SHC-330 to 399."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_shc import BUNDLE, concept, dose, patch, shown
from tools.vectors.families_shc_events import OBSERVATION, a_test

_MODEL = 'SMART Health Cards, "Modeling a Health Card"'
_STATUS = "FHIR R4, Immunization.status"
_FINAL, _VALUE, _EFFECTIVE = (
    "FHIR R4, ObservationStatus",
    "FHIR R4, Observation.value[x]",
    "FHIR R4, Observation.effective[x]",
)
_DATES, _REFERENCES = "FHIR R4, dateTime", 'FHIR R4, "Resolving references in Bundles"'
_BAD, _UNEXPECTED, _NONE = "SCHEMA_VALIDATION_FAILED", "FIELD_UNEXPECTED", "NO_ENTRY"
_SNOMED = "http://snomed.info/sct"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


_PATIENT = BUNDLE["entry"][0]["resource"]


def cases() -> list[Case]:
    """Dates, tests, their results, and what is not read."""
    return [*_dates(), *_tests(), *_results(), *_beside()]


def _beside() -> list[Case]:
    """What stands beside a vaccination, and is not read."""
    entries, address = BUNDLE["entry"], {"fullUrl": "resource:2"}
    preliminary = {**OBSERVATION, "status": "preliminary"}
    detected = preliminary | {"valueCodeableConcept": concept(_SNOMED, "260373001")}
    deep = preliminary | {
        "valueCodeableConcept": ...,
        "component": [{"valueCodeableConcept": concept(_SNOMED, "260373001")}],
    }
    odd = preliminary | {
        "valueCodeableConcept": {"coding": [{"system": ["x"], "code": "260373001"}, {"system": _SNOMED, "code": ["x"]}]}
    }
    modified = entries[1]["resource"] | {"modifierExtension": [{"url": "x"}]}
    other = {"resourceType": "Condition", "code": concept(_SNOMED, "260373001")}

    def beside(resource: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in resource.items() if value is not ...}
        return {"bundle": BUNDLE | {"entry": [*entries, address | {"resource": kept}]}}

    return [
        *shown("HC-SHC-390", "Beside it a vaccination that an extension modifies", "FHIR R4, Extensibility", _UNEXPECTED, quirk=True, **beside(modified)),
        *shown("HC-SHC-391", "Beside it a result that is not final, and says detected", _FINAL, "UNKNOWN_CLAIM", quirk=True, **beside(detected)),
        *shown("HC-SHC-392", "Beside it a component that says detected", _FINAL, "OK", "UNKNOWN_CLAIM", **beside(deep)),
        *shown("HC-SHC-393", "Beside it a result that is not final, and does not say so", _FINAL, **beside(preliminary)),
        *shown("HC-SHC-394", "Beside it a result that is not final, in no codes", _FINAL, **beside(odd)),
        *shown("HC-SHC-397", "Beside it a vaccination that was not done, for the disease was detected", _STATUS, **beside(entries[1]["resource"] | {"status": "not-done", "statusReason": concept(_SNOMED, "260373001")})),
        *shown("HC-SHC-395", "Beside it a diagnosis", _FINAL, **beside(other)),
        *shown("HC-SHC-396", "An id that is a number, and a reference to it", _REFERENCES, _BAD, bundle=patch(0, _PATIENT, {"id": 7}) | {"entry": [patch(0, _PATIENT, {"id": 7})["entry"][0], dose(patient={"reference": "Patient/7"})["entry"][1]]}),
    ]  # fmt: skip


def _dates() -> list[Case]:
    wrong = {
        "330": ("No such day", "2021-02-30"),
        "331": ("A day in the order of days", "11.06.2021"),
        "332": ("A day with a line end", "2021-06-11\n"),
        "333": ("A time without its seconds", "2021-06-11T10:00Z"),
        "334": ("No such hour", "2021-06-11T25:00:00Z"),
        "335": ("A zone that none has", "2021-06-11T10:00:00+0200"),
        "336": ("A day in other digits", "٢٠٢١-٠٦-١١"),
    }
    return [
        *[case for n, (title, text) in wrong.items() for case in shown(f"HC-SHC-{n}", title, _DATES, _BAD, bundle=dose(occurrenceDateTime=text))],
        *shown("HC-SHC-337", "A month, where no day is known", _DATES, bundle=dose(occurrenceDateTime="2021-06")),
        *shown("HC-SHC-338", "A year, where no more is known", _DATES, bundle=dose(occurrenceDateTime="2021")),
        *shown("HC-SHC-339", "A day that has come nowhere", _DATES, "EVENT_IN_FUTURE", bundle=dose(occurrenceDateTime="2021-08-22")),
        *shown("HC-SHC-340", "A day that is today on some island", _DATES, bundle=dose(occurrenceDateTime="2021-08-21")),
    ]  # fmt: skip


def _tests() -> list[Case]:
    zoneless = "TIME_WITHOUT_ZONE"
    category = [concept(_CATEGORIES, "vital-signs")]
    wrong: list[tuple[str, str, str, str, Any]] = [
        ("350", "A result that is not final", _FINAL, _NONE, a_test(status="preliminary")),
        ("351", "A test that was cancelled", _FINAL, _NONE, a_test(status="cancelled")),
        ("352", "An Observation in components", _FINAL, _NONE, a_test(component=[])),
        ("353", "No result", _VALUE, _NONE, a_test(valueCodeableConcept=...)),
        ("354", "What is no laboratory's", _FINAL, _NONE, a_test(category=category)),
        ("355", "No test", _MODEL, _BAD, a_test(code=...)),
        ("356", "A test without code and text", _MODEL, _BAD, a_test(code={})),
        ("357", "It is about another patient", _REFERENCES, _BAD, a_test(subject={"reference": "resource:1"})),
        (
            "358",
            "A moment and a span of time",
            _EFFECTIVE,
            _BAD,
            a_test(effectivePeriod={"start": "2021-08-19T10:00:00Z"}),
        ),
        ("359", "A code and a text for the result", _VALUE, _BAD, a_test(valueString="x")),
        ("360", "At no such moment", _EFFECTIVE, _BAD, a_test(effectiveDateTime="2021-08-19T24:01:00Z")),
        ("361", "Issued at no such moment", _DATES, _BAD, a_test(issued="2021-02-30T10:00:00Z")),
        ("377", "No word of when it was", _EFFECTIVE, _BAD, a_test(effectiveDateTime=...)),
        (
            "362",
            "A test in the future",
            _EFFECTIVE,
            "EVENT_IN_FUTURE",
            a_test(effectiveDateTime="2021-08-20T10:00:01Z"),
        ),
        (
            "363",
            "A test on a day that has come nowhere",
            _EFFECTIVE,
            "EVENT_IN_FUTURE",
            a_test(effectiveDateTime="2021-08-22"),
        ),
    ]
    good: list[tuple[str, str, str, Any]] = [
        ("364", "The month of the sample alone", _EFFECTIVE, a_test(effectiveDateTime="2021-08")),
        ("370", "A test", f"{_FINAL}; {_VALUE}; {_EFFECTIVE}", a_test()),
        ("371", "A corrected result", _FINAL, a_test(status="corrected")),
        (
            "372",
            "A laboratory's, by its category",
            _FINAL,
            a_test(category=[*category, concept(_CATEGORIES, "laboratory")]),
        ),
        ("373", "A category of another system", _FINAL, a_test(category=[concept("x", "vital-signs")])),
        ("374", "The day of the sample alone", _EFFECTIVE, a_test(effectiveDateTime="2021-08-19")),
        (
            "375",
            "The beginning of a span of time",
            _EFFECTIVE,
            a_test(effectiveDateTime=..., effectivePeriod={"start": "2021-08-19T10:00:00Z"}),
        ),
        ("376", "An instant", _EFFECTIVE, a_test(effectiveDateTime=..., effectiveInstant="2021-08-19T10:00:00Z")),
        ("378", "The moment of the result besides", _DATES, a_test(issued="2021-08-19T12:00:00Z")),
    ]
    return [
        *[case for n, title, s, code, bundle in wrong for case in shown(f"HC-SHC-{n}", title, s, code, bundle=bundle)],
        *[case for n, title, s, bundle in good for case in shown(f"HC-SHC-{n}", title, s, bundle=bundle)],
        *shown("HC-SHC-379", "A time without its zone", _DATES, zoneless, bundle=a_test(effectiveDateTime="2021-08-19T10:00:00"), quirk=True),
    ]  # fmt: skip


def _results() -> list[Case]:
    positive, unknown = "TEST_RESULT_POSITIVE", "TEST_RESULT_UNKNOWN"
    detected, negative = {"system": _SNOMED, "code": "260373001"}, {"system": _SNOMED, "code": "260415000"}
    quantity: dict[str, Any] = {"valueCodeableConcept": ..., "valueQuantity": {"value": 40}}
    made: list[tuple[str, str, str, dict[str, Any]]] = [
        ("380", "Detected", positive, {"valueCodeableConcept": {"coding": [detected]}}),
        (
            "381",
            "Two codes, one of which says detected",
            positive,
            {"valueCodeableConcept": {"coding": [negative, detected]}},
        ),
        (
            "382",
            "Not detected, and interpreted as positive",
            positive,
            {"interpretation": [concept(_INTERPRETATION, "POS")]},
        ),
        ("383", "Inconclusive", unknown, {"valueCodeableConcept": concept(_SNOMED, "419984006")}),
        (
            "384",
            "Inconclusive, and interpreted as negative",
            unknown,
            {
                "valueCodeableConcept": concept(_SNOMED, "419984006"),
                "interpretation": [concept(_INTERPRETATION, "NEG")],
            },
        ),
        ("385", "A word of no code system", "OK", {"valueCodeableConcept": ..., "valueString": "Negative"}),
        ("386", "A word that says detected", positive, {"valueCodeableConcept": ..., "valueString": "detected"}),
        (
            "387",
            "A quantity, interpreted as negative",
            "OK",
            quantity | {"interpretation": [concept(_INTERPRETATION, "NEG")]},
        ),
        ("388", "A quantity that nobody interpreted", "NO_ENTRY", quantity),
        (
            "389",
            "A code beside one of an unknown system",
            "OK",
            {"valueCodeableConcept": {"coding": [{"system": "x", "code": "y"}, negative]}},
        ),
    ]
    return [
        case for n, title, code, changes in made for case in shown(f"HC-SHC-{n}", title, _VALUE, code, bundle=a_test(**changes))
    ]  # fmt: skip
