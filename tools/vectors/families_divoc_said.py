"""Cases of what DIVOC certificates say of persons, vaccinations and tests: HC-DIV-388 to 499."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_divoc import ADDRESS, CREDENTIALS, DOCUMENT, TEST_V1, shown
from tools.vectors.families_divoc_content import said
from tools.vectors.families_press import altered

_ISSUED, _SCOPES = "Verifiable Credentials Data Model 1.0 §4.6", "JSON-LD 1.1 §4.1.8"
_ICD = "ICD-11 Reference Guide §2.4"
_BAD, _MISSING = "SCHEMA_VALIDATION_FAILED", "FIELD_MISSING"
_PERSON, _ENTRY = "credentialSubject", ("evidence", 0)

TEST_DOCUMENT: dict[str, Any] = DOCUMENT | {
    "@context": [CREDENTIALS, TEST_V1],
    "type": ["VerifiableCredential", "ProofOfTestCertificateCredential"],
    "credentialSubject": {
        name: value for name, value in DOCUMENT["credentialSubject"].items() if name not in ("age", "id")
    },
    "evidence": [
        {
            "id": "https://health.example/test/204604148",
            "certificateId": "204604148",
            "type": ["TestDetails"],
            "batch": "AB348F",
            "testName": "Example qPCR",
            "testType": "RT-PCR",
            "manufacturer": "Example Biotech",
            "disease": "COVID-19",
            "sampleOrigin": "nasal swab",
            "sampleCollectionTimestamp": "2021-08-19T19:21:19.646Z",
            "resultTimestamp": "2021-08-20T07:21:19.646Z",
            "result": "Negative",
            "verifier": {"name": "A. Nurse"},
            "facility": {"name": "Example Laboratory", "address": ADDRESS},
        }
    ],
    "issuanceDate": "2021-08-20T08:00:00Z",
}


def cases() -> list[Case]:
    """Persons, vaccinations, what was exchanged, tests."""
    return [*_persons(), *_vaccinations(), *_swapped(), *_tests()]


def _persons() -> list[Case]:
    wrong: list[tuple[str, str, str, Any]] = [
        ("390", "No name", "name", ...),
        ("391", "A name of spaces", "name", "  "),
        ("392", "A name that is a hyphen", "name", "-"),
        ("389", "A birth date with words behind it", "dob", "1985-03-04 or so"),
        ("393", "No such day of birth", "dob", "1985-02-29"),
        ("394", "A birth date in the order of days", "dob", "29.02.1984"),
        ("395", "A birth date in other digits", "dob", "١٩٨٤-٠٢-٢٩"),
    ]
    return [
        *[case for n, title, name, value in wrong for case in said(n, title, _SCOPES, _BAD, path=(_PERSON, name), to=value)],
        *said("388", "A name that is a number", _SCOPES, path=(_PERSON, "name"), to=7),
        *said("396", "A birth date with a time", _SCOPES, "DATE_WITH_TIME", path=(_PERSON, "dob"), to="1985-03-04T00:00:00", quirk=True),
        *said("397", "A year of birth", _SCOPES, path=(_PERSON, "dob"), to="1985"),
        *said("398", "No birth date", _SCOPES, path=(_PERSON, "dob"), to=...),
        *said("399", "A sex beside the gender", _SCOPES, path=(_PERSON, "sex"), to="F"),
    ]  # fmt: skip


def _vaccinations() -> list[Case]:
    wrong: list[tuple[str, str, str, str, Any]] = [
        ("400", "Dose 0", "dose", _BAD, 0),
        ("401", "Dose 100", "dose", _BAD, 100),
        ("402", "A dose of words", "dose", _BAD, "first"),
        ("403", "A dose in other digits", "dose", _BAD, "١"),
        ("404", "A series of 0", "totalDoses", _BAD, 0),
        ("405", "No such day", "date", _BAD, "2021-02-30"),
        ("407", "A day without hyphens", "date", _BAD, "20210611T042843Z"),
        ("406", "A day in the order of days", "date", _BAD, "11/06/2021"),
    ]
    tolerated: list[tuple[str, str, str, str, Any]] = [
        ("410", "A dose beyond the series, which may be the other way round", "dose", "DOSE_OUT_OF_RANGE", 3),
        ("411", "No date", "date", _MISSING, ...),
        (
            "412",
            "A day as bare as those of the effect, which it could be exchanged with",
            "date",
            _MISSING,
            "2021-06-11",
        ),
        ("413", "No number of the certificate", "certificateId", _MISSING, ...),
    ]
    good: list[tuple[str, str, str, Any]] = [
        ("420", "A dose as text", "dose", "1"),
        ("421", "No dose", "dose", ...),
        ("433", "A dose, and no series", "totalDoses", ...),
        ("422", "A dose that is a hyphen", "dose", "-"),
        ("423", "A code that ICD-11 does not have", "icd11Code", "x"),
        ("424", "No code of a vaccine", "icd11Code", ...),
        ("425", "No facility", "facility", ...),
        ("426", "No verifier", "verifier", ...),
    ]
    bare = altered(
        altered(altered(DOCUMENT, *_ENTRY, "date", to="2021-06-11"), *_ENTRY, "effectiveStart", to=...),
        *_ENTRY,
        "effectiveUntil",
        to=...,
    )
    future = altered(bare, *_ENTRY, "date", to="2021-08-22")
    return [
        *[case for n, title, name, code, value in wrong for case in said(n, title, _SCOPES, code, path=(*_ENTRY, name), to=value)],
        *[case for n, title, name, code, value in tolerated for case in said(n, title, _SCOPES, code, path=(*_ENTRY, name), to=value, quirk=True)],
        *[case for n, title, name, value in good for case in said(n, title, f"{_SCOPES}; {_ICD}", path=(*_ENTRY, name), to=value)],
        *shown("427", "A day, and none of its effect", _SCOPES, document=bare),
        *shown("428", "A day that has come nowhere", _SCOPES, "EVENT_IN_FUTURE", document=future),
        *said("429", "No evidence", _ISSUED, "NO_ENTRY", path=("evidence",), to=[]),
        *said("430", "No evidence at all", _ISSUED, "NO_ENTRY", path=("evidence",), to=...),
        *said("431", "A vaccination, where tests alone are wanted", _SCOPES, "ENTRY_TYPE_NOT_ACCEPTED", path=(*_ENTRY, "dose"), to=2, circumstances={"policy": {"entry_types": ["test"]}}),
        *shown("432", "A day as bare as those of its effect, which are the same", _SCOPES, document=altered(altered(altered(DOCUMENT, *_ENTRY, "date", to="2021-06-11"), *_ENTRY, "effectiveStart", to="2021-06-11"), *_ENTRY, "effectiveUntil", to="2021-06-11")),
    ]  # fmt: skip


def _swapped() -> list[Case]:
    """Values that change places with others of one meaning, after they were signed: the signature holds."""
    entry = DOCUMENT["evidence"][0]

    def exchange(first: str, second: str, data: Any = DOCUMENT) -> dict[str, Any]:
        values = data["evidence"][0]
        return {
            "document": data,
            "shown": lambda document: altered(
                document, "evidence", 0, to=values | {first: values[second], second: values[first]}
            ),
        }

    return [
        *shown("440", "Number and batch were exchanged", _SCOPES, _BAD, **exchange("certificateId", "batch")),
        *shown("441", "Dose and series were exchanged", _SCOPES, "OK", "DOSE_OUT_OF_RANGE", **exchange("dose", "totalDoses")),
        *shown("442", "Date and end of the effect were exchanged", _SCOPES, "OK", _MISSING, **exchange("date", "effectiveUntil")),
        *shown("443", "Sample and result were exchanged in time", _SCOPES, _BAD, **exchange("sampleCollectionTimestamp", "resultTimestamp", TEST_DOCUMENT)),
        *shown("444", "Links that end otherwise than any of the numbers", _SCOPES, document=DOCUMENT | {"evidence": [entry | {"id": "https://health.example/a", "feedbackUrl": "https://health.example/b", "infoUrl": "https://health.example/c"}]}),
        *shown("446", "Links that end with the number, whose end is the batch", _SCOPES, document=altered(DOCUMENT, *_ENTRY, "batch", to="0169")),
        *shown("445", "The number took the place of the batch, and there is none in its own", _SCOPES, _BAD, document=altered(DOCUMENT, *_ENTRY, "batch", to=...), shown=lambda document: altered(altered(document, *_ENTRY, "batch", to=entry["certificateId"]), *_ENTRY, "certificateId", to=...)),
    ]  # fmt: skip


def _tests() -> list[Case]:
    bare = "TIME_WITHOUT_ZONE"
    sampled, resulted = "sampleCollectionTimestamp", "resultTimestamp"
    made: list[tuple[str, str, tuple[str, ...], str, Any]] = [
        ("450", "No result", (_BAD,), "result", ...),
        ("451", "A result that is a hyphen", (_BAD,), "result", "-"),
        ("452", "Positive", ("TEST_RESULT_POSITIVE",), "result", "Positive"),
        ("453", "A result that nobody knows", ("TEST_RESULT_UNKNOWN",), "result", "Normal"),
        ("454", "No moment of the sample", (_BAD,), sampled, ...),
        ("455", "A day for the moment of the sample", (_BAD,), sampled, "2021-08-19"),
        ("456", "No such moment of the sample", (_BAD,), sampled, "2021-02-30T10:00:00Z"),
        ("457", "No moment of the result", (), resulted, ...),
        ("458", "The moment of the sample without its zone", ("OK", bare), sampled, "2021-08-19T19:21:19"),
        ("459", "The moment of the result without its zone", ("OK", bare), resulted, "2021-08-20T07:21:19"),
        ("460", "No kind of test", (), "testType", ...),
        ("461", "No disease", (), "disease", ...),
    ]
    later = altered(altered(TEST_DOCUMENT, *_ENTRY, sampled, to="2021-08-20T10:00:01Z"), *_ENTRY, resulted, to=...)
    day = altered(altered(TEST_DOCUMENT, *_ENTRY, sampled, to="2021-08-22T10:00:00"), *_ENTRY, resulted, to=...)
    return [
        *shown("449", "A certificate of a test", _SCOPES, document=TEST_DOCUMENT),
        *[case for n, title, codes, name, value in made for case in said(n, title, _SCOPES, *codes, path=(*_ENTRY, name), to=value, data=TEST_DOCUMENT)],
        *shown("465", "Sample and result in different zones", _SCOPES, document=altered(altered(TEST_DOCUMENT, *_ENTRY, sampled, to="2021-08-20T10:00:00+05:30"), *_ENTRY, resulted, to="2021-08-20T05:00:00Z")),
        *shown("462", "A test in the future", _SCOPES, "EVENT_IN_FUTURE", document=later),
        *shown("463", "A test on a day that has come nowhere", _SCOPES, "EVENT_IN_FUTURE", bare, document=day),
        *shown("464", "A test, where vaccinations alone are wanted", _SCOPES, "ENTRY_TYPE_NOT_ACCEPTED", document=TEST_DOCUMENT, circumstances={"policy": {"entry_types": ["vaccination"]}}),
    ]  # fmt: skip
