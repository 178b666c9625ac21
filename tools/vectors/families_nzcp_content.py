"""Cases of the times and the content of NZ COVID Passes: HC-NZCP-080 to 199."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from cbor2 import CBORTag

from tools.vectors.case import Case
from tools.vectors.families_nzcp import PASS, shown
from tools.vectors.press import EXPIRES, ISSUED, NOW

_CLAIMS, _CREDENTIAL, _SUBJECT, _JTI = (
    f'NZ COVID Pass, "{title}"'
    for title in ("CWT Claims", "Verifiable Credential Claim Structure", "PublicCovidPass", "Mapping JTI <-> CTI")
)
_TIMES, _END = "RFC 8392 §2", "RFC 7519 §4.1.4"
_BAD = "SCHEMA_VALIDATION_FAILED"


def cases() -> list[Case]:
    """Times, the credential, the person."""
    return [*_times(), *_credentials(), *_subjects()]


def _times() -> list[Case]:
    invalid, early, late = "CWT_TIME_INVALID", "CWT_NOT_YET_VALID", "CWT_EXPIRED"
    made: list[tuple[str, str, str, str, dict[int, Any]]] = [
        ("080", "It begins at this moment", _CLAIMS, "OK", {5: NOW}),
        ("081", "It begins a second later", _CLAIMS, early, {5: NOW + 1}),
        ("082", "It ends at this moment, and has therefore ended", f"{_CLAIMS}; {_END}", late, {4: NOW}),
        ("083", "It ends a second later", _END, "OK", {4: NOW + 1}),
        ("084", "It has ended", _CLAIMS, late, {4: NOW - 1}),
        ("085", "No exp", _CLAIMS, invalid, {4: ...}),
        ("086", "No nbf", _CLAIMS, invalid, {5: ...}),
        ("087", "nbf as text", _TIMES, invalid, {5: str(ISSUED)}),
        ("088", "exp in milliseconds", _TIMES, invalid, {4: EXPIRES * 1000}),
        ("089", "iat after this moment", "RFC 8392 §3.1.6", early, {6: NOW + 1}),
    ]
    return [
        *[case for n, title, s, code, claims in made for case in shown(n, title, s, code, claims=claims)],
        *shown("090", "exp as a floating-point number", _CLAIMS, "FLOAT_TIME", claims={4: float(EXPIRES)}, quirk=True),
        *shown("091", "nbf in tag 1", _CLAIMS, "TAGGED_TIME", claims={5: CBORTag(1, ISSUED)}, quirk=True),
    ]  # fmt: skip


def _credentials() -> list[Case]:
    contexts, types = PASS["@context"], PASS["type"]
    wrong: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("100", "vc is missing", _CREDENTIAL, _BAD, {"claims": {"vc": ...}}),
        ("101", "vc is an array", _CREDENTIAL, _BAD, {"claims": {"vc": [PASS]}}),
        ("102", "No context", _CREDENTIAL, _BAD, {"vc": {"@context": ...}}),
        ("103", "A context that is a text", _CREDENTIAL, _BAD, {"vc": {"@context": contexts[0]}}),
        ("104", "No contexts in the array", _CREDENTIAL, _BAD, {"vc": {"@context": []}}),
        ("105", "The contexts in another order", _CREDENTIAL, _BAD, {"vc": {"@context": contexts[::-1]}}),
        ("106", "A context that is a number", _CREDENTIAL, _BAD, {"vc": {"@context": [contexts[0], 7]}}),
        ("107", "No type", _CREDENTIAL, _BAD, {"vc": {"type": ...}}),
        ("108", "A type that is a text", _CREDENTIAL, _BAD, {"vc": {"type": "xy"}}),
        ("109", "One type", _CREDENTIAL, _BAD, {"vc": {"type": types[:1]}}),
        ("110", "Three types", _CREDENTIAL, _BAD, {"vc": {"type": [*types, "x"]}}),
        ("111", "A type that is a number", _CREDENTIAL, _BAD, {"vc": {"type": [types[0], 7]}}),
        ("112", "The types in another order", _CREDENTIAL, _BAD, {"vc": {"type": types[::-1]}}),
        (
            "113",
            "Another type of pass",
            _CREDENTIAL,
            "CONTENT_NOT_SUPPORTED",
            {"vc": {"type": [types[0], "PrivateCovidPass"]}},
        ),
        ("114", "Another version", _CREDENTIAL, _BAD, {"vc": {"version": "2.0.0"}}),
        ("115", "No version", _CREDENTIAL, _BAD, {"vc": {"version": ...}}),
        ("116", "No subject", _CREDENTIAL, _BAD, {"vc": {"credentialSubject": ...}}),
        ("117", "No cti", _JTI, _BAD, {"claims": {7: ...}}),
        ("118", "A cti of 15 bytes", _JTI, _BAD, {"claims": {7: bytes(15)}}),
        ("119", "A cti of text", _JTI, _BAD, {"claims": {7: "0123456789abcdef"}}),
    ]
    return [
        *[case for n, title, s, code, made in wrong for case in shown(n, title, s, code, **made)],
        *shown("122", "Where tests alone are wanted: a pass does not say what it is of", _CREDENTIAL, "ENTRY_TYPE_NOT_ACCEPTED", policy={"entry_types": ["test"]}),
        *shown("120", "The context of the credentials alone", _CREDENTIAL, vc={"@context": contexts[:1]}),
        *shown("121", "Claims, and members, that nobody knows", _CREDENTIAL, claims={99: 1, "x": 2}, vc={"x": 3}, subject={"y": 4}),
    ]  # fmt: skip


def _subjects() -> list[Case]:
    wrong: dict[str, tuple[str, dict[str, Any]]] = {
        "130": ("No given name", {"givenName": ...}),
        "131": ("A given name of spaces", {"givenName": " "}),
        "132": ("A given name that is a number", {"givenName": 7}),
        "133": ("A family name that is a number", {"familyName": 7}),
        "134": ("No birth date", {"dob": ...}),
        "135": ("No such day of birth", {"dob": "1985-02-29"}),
        "136": ("A birth date in the order of days", {"dob": "29-02-1984"}),
        "137": ("A birth date without hyphens", {"dob": "19840229"}),
        "138": ("A birth date with a line end", {"dob": "1984-02-29\n"}),
        "139": ("A birth date in other digits", {"dob": "١٩٨٤-٠٢-٢٩"}),
        "140": ("A birth date by its week", {"dob": "1984-W09-3"}),
        "141": ("A year of birth", {"dob": "1984"}),
        "142": ("A birth date that is a number", {"dob": 19840229}),
        "146": ("A birth date of ten characters by its week", {"dob": "1984W09-03"}),
    }
    return [
        *[case for n, (title, changes) in wrong.items() for case in shown(n, title, _SUBJECT, _BAD, subject=changes)],
        *shown("143", "No family name", _SUBJECT, subject={"familyName": ...}),
        *shown("144", "A family name that is null", _SUBJECT, "NULL_FIELD", subject={"familyName": None}, quirk=True),
        *shown("145", "A given name of 101 characters", _SUBJECT, "TEXT_TOO_LONG", subject={"givenName": "x" * 101}, quirk=True),
        *shown("147", "A given name of 100 characters", _SUBJECT, subject={"givenName": "é" * 100}),
        *shown("148", "A given name that is null", _SUBJECT, _BAD, subject={"givenName": None}),
    ]  # fmt: skip
