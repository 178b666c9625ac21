"""Cases of what the proof of a DIVOC certificate covers: HC-DIV-300 to 381."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_divoc import ADDRESS, CREDENTIALS, DOCUMENT, TEST_V1, V1, V2, shown
from tools.vectors.families_press import altered

_CONTEXTS, _ISSUER = (f"Verifiable Credentials Data Model 1.0 §4.{part}" for part in (1, 5))
_SHORT, _SCOPES, _KEYWORDS = (f"JSON-LD 1.1 §{part}" for part in ("4.1.5", "4.1.8", "9"))
_SUBJECTS, _IRI = "RDF 1.1 §3.1", "RFC 3986 §3.1"
_BAD, _NO_FORM = "SCHEMA_VALIDATION_FAILED", "CANONICALIZATION_FAILED"
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
    """Contexts, members, identifiers, types."""
    return [*_contexts(), *_members(), *_identifiers(), *_types()]


def _unsigned(
    number: str, title: str, sections: str, code: str, *path: str | int, to: Any, data: Any = DOCUMENT, **more: Any
) -> list[Case]:
    """A document that is changed after it was signed: what is refused before any signature is looked at."""
    return shown(
        number, title, sections, code, document=data, shown=lambda document: altered(document, *path, to=to), **more
    )


def said(
    number: str,
    title: str,
    sections: str,
    *codes: str,
    path: tuple[str | int, ...],
    to: Any,
    data: Any = DOCUMENT,
    **more: Any,
) -> list[Case]:
    """A document that says something else, and is signed."""
    return shown(number, title, sections, *codes, document=altered(data, *path, to=to), **more)


def _contexts() -> list[Case]:
    wrong: list[tuple[str, str, Any]] = [
        ("300", "A context that nobody has", [CREDENTIALS, "https://health.example/credentials/vaccination/v1"]),
        ("301", "The contexts in another order", [V2, CREDENTIALS]),
        ("302", "The context of the certificate alone", [V2]),
        ("303", "A third context", [CREDENTIALS, V2, V1]),
        ("304", "A context in the document itself", [CREDENTIALS, {"name": "https://schema.org/description"}]),
        ("305", "Another first context", [V1, V2]),
    ]
    return [
        *[case for n, title, contexts in wrong for case in _unsigned(n, title, _CONTEXTS, _NO_FORM, "@context", to=contexts)],
        *_unsigned("306", "A bare document of another kind of credential", _CONTEXTS, "FAMILY_NOT_SUPPORTED", "@context", to=["https://www.w3.org/2018/credentials/v1"], scanned=_document),
        *_unsigned("309", "Values in many small arrays, more of them than any certificate has", _CONTEXTS, _NO_FORM, "x", to=[[0] * 300] * 30),
        *_unsigned("310", "A bare document without a proof", _CONTEXTS, "INVALID_SCHEME_PREFIX", "x", to=["proof"], scanned=lambda archive: _document(archive).replace('"proof":', '"prove":')),
        *_unsigned("311", "A bare document that is cut short", _CONTEXTS, "INVALID_SCHEME_PREFIX", "x", to=1, scanned=lambda archive: _document(archive)[:-1]),
        *shown("307", "The first context of vaccinations", _CONTEXTS, document=altered(altered(altered(altered(DOCUMENT, "@context", to=[CREDENTIALS, V1]), *_ENTRY, "icd11Code", to=...), *_ENTRY, "prophylaxis", to=...), _PERSON, "dob", to=...)),
        *_unsigned("308", "More values than any certificate has", _CONTEXTS, _NO_FORM, "x", to=[0] * 600),
    ]  # fmt: skip


def _document(archive: bytes) -> str:
    """The document in an archive, as it travels without one."""
    import io
    import zipfile

    return zipfile.ZipFile(io.BytesIO(archive)).read("certificate.json").decode()


def _members() -> list[Case]:
    unexpected = "FIELD_UNEXPECTED"
    wrong: list[tuple[str, str, str, tuple[str | int, ...], Any]] = [
        ("320", "A statement by a prefix, beside the dose", _SHORT, (*_ENTRY, "schema:doseValue"), 1),
        ("321", "A statement by a whole IRI", _SHORT, (_PERSON, "https://schema.org/name"), "x"),
        ("322", "A keyword in the document", _KEYWORDS, ("@graph",), []),
        ("323", "A keyword in the entry", _KEYWORDS, (*_ENTRY, "@id"), "https://health.example/x"),
        ("324", "A member of the facility in the credential", _SCOPES, ("evidence", 0, "facility", "vac"), "x"),
        (
            "325",
            "A term of the context of credentials, where it has no place",
            _SCOPES,
            (_PERSON, "VerifiableCredential"),
            "x",
        ),
        ("326", "A term of the facility in its address", _SCOPES, (*_ENTRY, "facility", "address", "name"), "x"),
        ("327", "A verifier that is a text", _SCOPES, (*_ENTRY, "verifier"), "x"),
        ("328", "A name that is an array", _SCOPES, (_PERSON, "name"), ["x"]),
        ("329", "A dose that is a fraction", _SCOPES, (*_ENTRY, "dose"), 1.5),
        ("330", "A dose that is true", _SCOPES, (*_ENTRY, "dose"), True),
        ("331", "An address that is an array", _SCOPES, (_PERSON, "address"), []),
        ("332", "No person", _SCOPES, (_PERSON,), ...),
        ("333", "A person that is an array", _SCOPES, (_PERSON,), []),
        ("334", "Evidence that is an object", _SCOPES, ("evidence",), DOCUMENT["evidence"][0]),
        ("347", "Evidence that is a number", _SCOPES, ("evidence",), 7),
        ("335", "An entry that is a text", _SCOPES, _ENTRY, "x"),
        ("336", "issuanceDate that is a number", _SCOPES, ("issuanceDate",), 20210612),
        ("337", "expirationDate that is an object", _SCOPES, ("expirationDate",), {}),
        ("338", "nonTransferable that is a number", _SCOPES, ("nonTransferable",), 1),
        (
            "339",
            "A whole number beyond those that doubles have",
            "JSON-LD 1.1 API §8.2.2",
            (_PERSON, "address", "postalCode"),
            2**53 + 1,
        ),
    ]
    return [
        *[case for n, title, s, path, value in wrong for case in _unsigned(n, title, s, _NO_FORM, *path, to=value)],
        *said("340", "A member that no context knows, which is not signed", _SCOPES, "OK", unexpected, path=("programId",), to="x"),
        *said("340-STRICT", "The same, under the strict policy", _SCOPES, unexpected, path=("programId",), to="x", step="decode", circumstances={"policy": "strict"}),
        *said("341", "A member of the entry that no context knows", _SCOPES, "OK", unexpected, path=(*_ENTRY, "x"), to="x"),
        *said("342", "A member that is null, which is not signed", _SCOPES, "NULL_FIELD", path=(*_ENTRY, "batch"), to=None, quirk=True, step="decode"),
        *said("343", "nonTransferable that is true", _SCOPES, path=("nonTransferable",), to=True),
        *shown("344", "More entries than there may be", _SCOPES, _NO_FORM, shown=lambda document: altered(document, "evidence", to=[altered(DOCUMENT["evidence"][0], "id", to=f"https://health.example/{n}") for n in range(5)])),
        *shown("345", "Two entries", _SCOPES, document=DOCUMENT | {"evidence": [DOCUMENT["evidence"][0], altered(DOCUMENT["evidence"][0], "id", to="https://health.example/x/92047670169") | {"dose": 2}]}),
        *shown("346", "Members beside the known ones, that were added to a signed certificate", _SCOPES, "OK", unexpected, shown=lambda document: document | {"programId": "x"}),
    ]  # fmt: skip


def _identifiers() -> list[Case]:
    wrong: list[tuple[str, str, str, tuple[str | int, ...], Any]] = [
        ("350", "An issuer that is no URI", _ISSUER, ("issuer",), "Example"),
        ("351", "An issuer that is an object", _ISSUER, ("issuer",), {"id": "https://health.example/"}),
        ("352", "No issuer", _ISSUER, ("issuer",), ...),
        ("353", "An issuer by a prefix", _SHORT, ("issuer",), "schema:name"),
        ("354", "An issuer with a space", _IRI, ("issuer",), "https://health example/"),
        ("367", "A person whose id is a number", _IRI, (_PERSON, "id"), 7),
        ("355", "An entry whose id is no URI", _IRI, (*_ENTRY, "id"), "92047670169"),
        ("356", "An entry whose id is a number", _IRI, (*_ENTRY, "id"), 92047670169),
        ("357", "An entry whose id is by a prefix", _SHORT, (*_ENTRY, "id"), "vac:x"),
        ("358", "An entry with the id of the person", _SCOPES, (*_ENTRY, "id"), "did:example:7"),
        ("359", "A person whose id has a line end", _IRI, (_PERSON, "id"), "did:example:7\n"),
        ("360", "A person whose id is a node without a name", _SHORT, (_PERSON, "id"), "_:b0"),
    ]
    return [
        *[case for n, title, s, path, value in wrong for case in _unsigned(n, title, s, _NO_FORM, *path, to=value)],
        *said("361", "A person without an id", _SUBJECTS, path=(_PERSON, "id"), to=...),
        *said("362", "A person whose id is a bare number, so that nothing is signed that is said of them", _SUBJECTS, _BAD, path=(_PERSON, "id"), to="1234"),
        *said("366", "A person whose id has spaces, as India's have", _IRI, path=(_PERSON, "id"), to="did:Identity Card:1234"),
        *said("363", "An id of the credential", _IRI, path=("id",), to="https://health.example/1"),
        *said("364", "A verifier with an id", _SCOPES, path=(*_ENTRY, "verifier", "id"), to="7"),
        *said("365", "A facility with an id", _IRI, path=(*_ENTRY, "facility", "id"), to="https://health.example/f"),
    ]  # fmt: skip


def _types() -> list[Case]:
    person = DOCUMENT["credentialSubject"]
    wrong: list[tuple[str, str, tuple[str | int, ...], Any]] = [
        ("370", "No type", ("type",), ...),
        ("371", "One type of two", ("type",), ["VerifiableCredential"]),
        (
            "372",
            "The type of another kind of certificate",
            ("type",),
            ["VerifiableCredential", "ProofOfTestCertificateCredential"],
        ),
        ("373", "A type twice", ("type",), ["VerifiableCredential", "VerifiableCredential"]),
        ("374", "A type that is an object", ("type",), {"VerifiableCredential": 1}),
        ("381", "A type in an array of its own", ("type",), [["VerifiableCredential"], "ProofOfVaccinationCredential"]),
        (
            "382",
            "Three types, one of them twice",
            ("type",),
            ["VerifiableCredential", "ProofOfVaccinationCredential", "VerifiableCredential"],
        ),
        ("375", "A person of another type", (_PERSON, "type"), "Organization"),
        (
            "376",
            "A person without a type",
            (_PERSON,),
            {name: value for name, value in person.items() if name != "type"},
        ),
        ("377", "An entry of another type", (*_ENTRY, "type"), ["TestDetails"]),
        ("378", "An entry with a type that is a number", (*_ENTRY, "type"), [7]),
    ]
    return [
        *[case for n, title, path, value in wrong for case in _unsigned(n, title, _SCOPES, _NO_FORM, *path, to=value)],
        *said("379", "The types in another order", _SCOPES, path=("type",), to=["ProofOfVaccinationCredential", "VerifiableCredential"]),
        *said("380", "The type of an entry as a text", _SCOPES, path=(*_ENTRY, "type"), to="Vaccination"),
    ]  # fmt: skip
