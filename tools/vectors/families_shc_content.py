"""Cases of what SMART Health Cards say: HC-SHC-200 to 289."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from hashlib import shake_256
from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_press import altered
from tools.vectors.families_shc import BUNDLE, CVX, concept, dose, patch, shown

_JWS, _COMPACT, _MODEL, _DEFINITION = (
    f'SMART Health Cards, "{title}"'
    for title in (
        "Health Cards are encoded as JWS",
        "Health Cards are Compact",
        "Modeling a Health Card",
        "Content Definition",
    )
)
_DATES, _CODING = "FHIR R4, dateTime", "FHIR R4, Coding"
_BAD, _UNEXPECTED, _MISSING, _NONE = "SCHEMA_VALIDATION_FAILED", "FIELD_UNEXPECTED", "FIELD_MISSING", "NO_ENTRY"

_DOSE = ("entry", 1, "resource")


def cases() -> list[Case]:
    """The credential, the bundle and its rules, the patient."""
    return [*_credential(), *_bundles(), *_rules(), *_patients()]


def _credential() -> list[Case]:
    subject = {"fhirVersion": "4.0.1", "fhirBundle": BUNDLE}
    wrong: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("200", "vc is missing", _JWS, _BAD, {"claims": {"vc": ...}}),
        ("201", "vc is an array", _JWS, _BAD, {"claims": {"vc": []}}),
        ("202", "No type", _JWS, _BAD, {"vc": {"type": ...}}),
        ("203", "A type that is a text", _JWS, _BAD, {"vc": {"type": "https://smarthealth.cards#health-card"}}),
        ("204", "Without the type of health cards", _JWS, _BAD, {"vc": {"type": ["VerifiableCredential"]}}),
        ("205", "No subject", _DEFINITION, _BAD, {"vc": {"credentialSubject": ...}}),
        ("206", "A subject that is an array", _DEFINITION, _BAD, {"vc": {"credentialSubject": [subject]}}),
        ("207", "No version of FHIR", _DEFINITION, _BAD, {"vc": {"credentialSubject": {"fhirBundle": BUNDLE}}}),
        (
            "208",
            "A version of FHIR that is a number",
            _DEFINITION,
            _BAD,
            {"vc": {"credentialSubject": subject | {"fhirVersion": 4}}},
        ),
        (
            "209",
            "Another version of FHIR",
            _DEFINITION,
            "CONTENT_NOT_SUPPORTED",
            {"vc": {"credentialSubject": subject | {"fhirVersion": "5.0.0"}}},
        ),
        ("210", "No bundle", _DEFINITION, _BAD, {"vc": {"credentialSubject": {"fhirVersion": "4.0.1"}}}),
    ]
    return [
        *[case for n, title, s, code, card in wrong for case in shown(f"HC-SHC-{n}", title, s, code, **card)],
        *shown("HC-SHC-211", "Types beside the one of health cards, known or not", _JWS, vc={"type": ["VerifiableCredential", "https://smarthealth.cards#health-card", "https://smarthealth.cards#immunization", "x"]}),
        *shown("HC-SHC-212", "A later release of R4", _DEFINITION, vc={"credentialSubject": subject | {"fhirVersion": "4.3.0"}}),
        *shown("HC-SHC-213", "A JSON-LD context, which earlier drafts had", _COMPACT, _UNEXPECTED, vc={"@context": ["https://www.w3.org/2018/credentials/v1"]}, quirk=True),
    ]  # fmt: skip


def _bundles() -> list[Case]:
    entries = BUNDLE["entry"]
    second = altered(entries[0], "fullUrl", to="resource:2")
    wrong: list[tuple[str, str, Any]] = [
        ("220", "A bundle that is an array", [BUNDLE]),
        ("221", "A resource that is no bundle", BUNDLE | {"resourceType": "List"}),
        ("222", "No entries", BUNDLE | {"entry": []}),
        ("223", "Entries that are an object", BUNDLE | {"entry": {"0": entries[0]}}),
        ("224", "An entry that is a text", BUNDLE | {"entry": [*entries, "x"]}),
        ("225", "An entry without a resource", BUNDLE | {"entry": [*entries, {"fullUrl": "resource:2"}]}),
        ("226", "A resource without a type", BUNDLE | {"entry": [*entries, {"fullUrl": "resource:2", "resource": {}}]}),
        ("227", "A resource whose type is a number", altered(BUNDLE, *_DOSE, "resourceType", to=7)),
        ("228", "Two patients", BUNDLE | {"entry": [*entries, second]}),
        ("229", "No patient", BUNDLE | {"entry": entries[1:]}),
    ]
    return [
        *[case for n, title, bundle in wrong for case in shown(f"HC-SHC-{n}", title, f"{_MODEL}; FHIR R4, Bundle", _BAD, bundle=bundle)],
        *shown("HC-SHC-230", "A bundle of another type", _MODEL, bundle=BUNDLE | {"type": "batch"}),
        *shown("HC-SHC-231", "The patient stands last", _MODEL, bundle=BUNDLE | {"entry": [altered(entries[1], "resource", "patient", "reference", to="resource:1") | {"fullUrl": "resource:0"}, entries[0] | {"fullUrl": "resource:1"}]}),
        *shown("HC-SHC-232", "A resource of another type beside", _MODEL, bundle=BUNDLE | {"entry": [*entries, {"fullUrl": "resource:2", "resource": {"resourceType": "Location"}}]}),
        *shown("HC-SHC-233", "A patient and nothing else", _MODEL, _NONE, bundle=BUNDLE | {"entry": entries[:1]}),
        *shown("HC-SHC-234", "Two vaccinations", _MODEL, bundle=BUNDLE | {"entry": [*entries, altered(entries[1], "resource", "occurrenceDateTime", to="2021-07-11") | {"fullUrl": "resource:2"}]}),
    ]  # fmt: skip


def _rules() -> list[Case]:
    """Of cards for a QR code; a longer one need not keep them."""
    bare = altered(BUNDLE, "entry", 0, "fullUrl", to="urn:uuid:b1ab0ae2-9b5e-4d4f-8a0a-5f8c1f9a5e0b")
    full = altered(bare, *_DOSE, "patient", "reference", to="urn:uuid:b1ab0ae2-9b5e-4d4f-8a0a-5f8c1f9a5e0b")
    broken: list[tuple[str, str, Any]] = [
        ("240", "An id of the bundle", BUNDLE | {"id": "x"}),
        ("241", "An id of a resource", dose(id="x")),
        ("242", "A text of a resource", dose(text={"status": "empty"})),
        ("243", "A profile in meta", dose(meta={"profile": ["x"]})),
        ("244", "An empty meta", dose(meta={})),
        ("245", "A display of a code", dose(vaccineCode=concept(CVX, "208", display="x"))),
        ("246", "A text beside codes", dose(vaccineCode=concept(CVX, "208") | {"text": "x"})),
        ("247", "No fullUrl", altered(BUNDLE, "entry", 1, "fullUrl", to=...)),
        ("248", "A fullUrl of another scheme", altered(BUNDLE, "entry", 1, "fullUrl", to="urn:x")),
        ("249", "A fullUrl without its number", altered(BUNDLE, "entry", 1, "fullUrl", to="resource:x")),
        ("250", "A reference that is not short", dose(location={"reference": "Location/1"})),
        ("251", "A reference that is a number", dose(extension=[{"reference": 7}])),
        ("252", "A fullUrl that is a number", altered(BUNDLE, "entry", 1, "fullUrl", to=1)),
    ]
    good: list[tuple[str, str, Any]] = [
        (
            "260",
            "Security labels in meta",
            dose(meta={"security": [{"system": "https://smarthealth.cards/ial", "code": "IAL2"}]}),
        ),
        ("261", "Words that look like the members", dose(lotNumber='","display":"id":"meta":"text":')),
        (
            "262",
            "A display of somebody, which is no code's",
            dose(performer=[{"actor": {"display": "A"}}, {"actor": {"display": "B"}}]),
        ),
    ]
    security: list[tuple[str, str, Any]] = [
        ("264", "meta that is a text", dose(meta="x")),
        ("265", "Security labels that are no array", dose(meta={"security": {"code": "IAL2"}})),
        ("268", "Security labels that are a number", dose(meta={"security": 7})),
        ("269", "Codes that are a number", dose(id="x", vaccineCode={"coding": 7})),
        ("266", "A security label that is a text", dose(meta={"security": ["IAL2"]})),
        (
            "267",
            "A security label with a member that no coding has",
            dose(meta={"security": [{"code": "IAL2", "x": 1}]}),
        ),
    ]
    return [
        *[case for n, title, bundle in broken for case in shown(f"HC-SHC-{n}", title, _COMPACT, _UNEXPECTED, bundle=bundle, quirk=True)],
        *shown("HC-SHC-253", "The whole bundle with its long references", _COMPACT, "OK", _UNEXPECTED, _UNEXPECTED, bundle=full),
        *shown("HC-SHC-254", "The same in a card too long for one QR code", _COMPACT, "OK", "CARD_TOO_LONG", bundle=altered(full, *_DOSE, "note", to=[{"text": _noise()}]), write=str),
        *[case for n, title, bundle in good for case in shown(f"HC-SHC-{n}", title, _COMPACT, bundle=bundle)],
        *[case for n, title, bundle in security for case in shown(f"HC-SHC-{n}", title, f"{_CODING}; {_COMPACT}", _BAD, bundle=bundle)],
    ]  # fmt: skip


def _noise() -> str:
    """Some thousand characters that no compressor makes fewer."""
    return shake_256(b"noise").hexdigest(1000)


def _patients() -> list[Case]:
    def person(**changes: Any) -> Any:
        return patch(0, BUNDLE["entry"][0]["resource"], changes)

    wrong: list[tuple[str, str, str, Any]] = [
        ("270", "No name", _MODEL, person(name=...)),
        ("271", "A name with nothing in it", _MODEL, person(name=[{"use": "official", "family": "", "given": [""]}])),
        ("272", "A name that is a text", _MODEL, person(name="Zoé")),
        ("273", "A family name that is a number", _MODEL, person(name=[{"family": 7}])),
        ("274", "A birth date in the order of days", _DATES, person(birthDate="29.02.1984")),
        ("275", "No such day of birth", _DATES, person(birthDate="1985-02-29")),
        ("276", "A birth date with a line end", _DATES, person(birthDate="1984-02-29\n")),
        ("277", "A birth date with a time", _DATES, person(birthDate="1984-02-29T10:00:00Z")),
    ]
    return [
        *[case for n, title, s, bundle in wrong for case in shown(f"HC-SHC-{n}", title, s, _BAD, bundle=bundle)],
        *shown("HC-SHC-278", "No birth date", _MODEL, _MISSING, bundle=person(birthDate=...), quirk=True),
        *shown("HC-SHC-279", "A year of birth", _DATES, bundle=person(birthDate="1984")),
        *shown("HC-SHC-280", "The whole name as one text", "FHIR R4, NameUse", bundle=person(name=[{"use": "nickname"}, {"use": "official", "text": "Zoé Exemplaire"}])),
        *shown("HC-SHC-281", "A family name alone", _MODEL, bundle=person(name=[{"family": "Exemplaire"}])),
        *shown("HC-SHC-282", "A given name alone", _MODEL, bundle=person(name=[{"given": ["Zoé"]}])),
    ]  # fmt: skip
