"""Cases of the fields of 2D-Docs, of what they say, and of their revocation: HC-2DD-200 to 399."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import hashlib
from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_twoddoc import GS, RS, TESTED, VACCINATED, Document, message, shown
from tools.vectors.press import without

_MESSAGE, _TYPES, _MANDATORY = (
    f"2D-Doc specification, {part}" for part in ("message", "annex of types", "annex of mandatory data")
)
_REVOKED = "dgc-gateway"
_BROKEN, _BAD, _MISSING = "TWODDOC_DESERIALIZATION_FAILED", "SCHEMA_VALIDATION_FAILED", "FIELD_MISSING"
_LONG, _UNEXPECTED, _UNKNOWN, _ZONE = "TEXT_TOO_LONG", "FIELD_UNEXPECTED", "UNKNOWN_CODE", "TIME_WITHOUT_ZONE"
_TEST: dict[str, Any] = {"type": "B2"}
_FRESH = "2021-08-21T10:00:00Z"


def cases() -> list[Case]:
    """The form of fields, vaccinations, tests, revocation."""
    return [*_fields(), *_lengths(), *_vaccinations(), *_tests(), *_revocation()]


def _fields() -> list[Case]:
    plain = message(VACCINATED)
    wrong: list[tuple[str, str, str]] = [
        ("200", "A field twice", plain + "L71"),
        ("201", "A field of variable length twice", plain + f"L1ANNA{GS}"),
        ("202", "A field of fixed length that is cut off", message(without(VACCINATED, "LA")) + "LAT"),
        ("203", "A separator in a field of fixed length", plain.replace("29021984", f"2902{GS}984")),
        ("204", "Something that is no field", plain + "l0x"),
        ("205", "A separator and nothing before it", GS + plain),
        ("206", "The end of a truncated value in a field of fixed length", plain.replace("29021984", f"2902{RS}984")),
        ("207", "Half an identifier", plain + "0"),
    ]
    reordered = dict(reversed(VACCINATED.items()))
    return [
        *[case for n, title, text in wrong for case in shown(n, title, _MESSAGE, _BROKEN, message=text)],
        *shown("210", "The fields in another order", _MESSAGE, fields=reordered),
        *shown("211", "The last field without a separator", _MESSAGE, message=message(reordered)[:-1]),
        *shown("212", "A value that was cut short", _MESSAGE, message=plain.replace(f"ZOE{GS}", f"ZOE{RS}")),
        *shown("213", "A separator behind a field of fixed length", _MESSAGE, _UNEXPECTED, message=plain.replace("29021984", f"29021984{GS}"), quirk=True, step="decode"),
        *shown("214", "A field of another type", _MANDATORY, _UNEXPECTED, message=plain + f"F0ZOE{GS}", quirk=True),
        *shown("215", "A field that no type has", _MANDATORY, _UNEXPECTED, message=plain + f"ZZX{GS}", quirk=True),
        *shown("216", "Complementary fields, which any type may have", _MESSAGE, fields=VACCINATED | {"01": "0123456789", "08": "1F40"}),
        *shown("217", "A complementary field of fixed length that is cut off", _MESSAGE, _BROKEN, message=plain + "081F"),
    ]  # fmt: skip


def _lengths() -> list[Case]:
    plain = message(VACCINATED)
    code = "X" * 15  # as long as L4 may be
    return [
        *shown("220", "A value of the greatest length without a separator", _MESSAGE, "OK", _UNKNOWN, message=plain.replace(f"J07BX03{GS}", code)),
        *shown("221", "A value of the greatest length with its separator", _MESSAGE, "OK", _UNKNOWN, message=plain.replace("J07BX03", code)),
        *shown("222", "A name that is longer than it may be", _MESSAGE, _LONG, fields=VACCINATED | {"L1": "Z" * 81}, quirk=True, step="decode"),
        *shown("223", "A name of the greatest length at the end", _MESSAGE, message=message(without(VACCINATED, "L1")) + "L1" + "Z" * 80),
        *shown("224", "A name that is longer, at the end", _MESSAGE, "OK", _LONG, message=message(without(VACCINATED, "L1")) + "L1" + "Z" * 81),
    ]  # fmt: skip


def _vaccinations() -> list[Case]:
    wrong: dict[str, tuple[str, str, dict[str, str]]] = {
        "230": ("Neither family name nor given name", _BAD, {"L0": "", "L1": " "}),
        "231": ("Neither agent nor vaccine", _BAD, {"L4": "", "L5": ""}),
        "232": ("No such day of birth", _BAD, {"L2": "29021985"}),
        "233": ("Month 13 of birth", _BAD, {"L2": "00131984"}),
        "234": ("A year of birth before all who live", _BAD, {"L2": "00001899"}),
        "235": ("A birth date in letters", _BAD, {"L2": "2902198O"}),
        "242": ("A year of birth in letters, and no day", _BAD, {"L2": "0002198O"}),
        "236": ("No such day of the dose", _BAD, {"L9": "30022021"}),
        "237": ("A day of the dose in letters", _BAD, {"L9": "1106202O"}),
        "238": ("A dose that is a letter", _BAD, {"L7": "A"}),
        "239": ("A number of doses that is a letter", _BAD, {"L8": "A"}),
        "240": ("A day that has come nowhere", "EVENT_IN_FUTURE", {"L9": "22082021"}),
        "241": ("A dose in a digit of another script", _BAD, {"L7": "١"}),
    }
    tolerated: dict[str, tuple[str, str, dict[str, str]]] = {
        "250": ("No family name", _MISSING, {"L0": ""}),
        "251": ("No given name", _MISSING, {"L1": ""}),
        "252": ("No disease", _MISSING, {"L3": ""}),
        "253": ("No agent", _MISSING, {"L4": ""}),
        "254": ("No manufacturer", _MISSING, {"L6": ""}),
        "255": ("A state of the cycle that there is not", _UNKNOWN, {"LA": "XX"}),
        "256": ("An agent that is no code of ATC", _UNKNOWN, {"L4": "J7BX3"}),
        "257": ("A birth date of spaces", _MISSING, {"L2": " " * 8}),
        "258": ("A day of the dose of spaces", _MISSING, {"L9": " " * 8}),
        "259": ("A dose that is a space", _MISSING, {"L7": " "}),
        "260": ("A state of the cycle of spaces", _MISSING, {"LA": "  "}),
        "261": ("No vaccine", _MISSING, {"L5": ""}),
    }
    good: dict[str, tuple[str, dict[str, str]]] = {
        "270": ("The cycle is complete with one dose of two", {"LA": "TE"}),
        "271": ("Another disease", {"L3": "GRIPPE"}),
        "272": ("Several given names", {"L1": "ZOE/ANNE"}),
        "273": ("The month of birth", {"L2": "00021984"}),
        "274": ("The year of birth", {"L2": "00001984"}),
        "275": ("A group of agents", {"L4": "J07BX"}),
        "276": ("A day that is today on some island", {"L9": "21082021"}),
    }
    return [
        *[case for n, (title, code, changes) in wrong.items() for case in shown(n, title, _MANDATORY, code, fields=VACCINATED | changes)],
        *[case for n, (title, code, changes) in tolerated.items() for case in shown(n, title, _MANDATORY, code, fields=VACCINATED | changes, quirk=True)],
        *[case for n, (title, changes) in good.items() for case in shown(n, title, _TYPES, fields=VACCINATED | changes)],
        *shown("262", "A field that is left out", _MANDATORY, "OK", _MISSING, fields=without(VACCINATED, "L6")),
        *shown("277", "A vaccination, where tests alone are wanted", _TYPES, "ENTRY_TYPE_NOT_ACCEPTED", circumstances={"policy": {"entry_types": ["test"]}}),
    ]  # fmt: skip


def _tests() -> list[Case]:
    positive, unknown = "TEST_RESULT_POSITIVE", "TEST_RESULT_UNKNOWN"
    wrong: dict[str, tuple[str, str, dict[str, str]]] = {
        "300": ("Positive", positive, {"F5": "P"}),
        "301": ("Indeterminate", unknown, {"F5": "I"}),
        "302": ("The sample could not be used", unknown, {"F5": "X"}),
        "303": ("A letter that says nothing", unknown, {"F5": "Q"}),
    }
    broken: dict[str, tuple[str, dict[str, str]]] = {
        "310": ("Neither family name nor given name", {"F0": "", "F1": ""}),
        "311": ("No result", {"F5": " "}),
        "312": ("No such day of birth", {"F2": "29021985"}),
        "313": ("No such day of the sample", {"F6": "300220211000"}),
        "314": ("No such hour", {"F6": "190820212500"}),
        "315": ("No such minute", {"F6": "190820211060"}),
        "317": ("A moment with signs for digits", {"F6": "19082021+1+0"}),
        "316": ("A moment in letters", {"F6": "19082021100O"}),
    }
    tolerated: dict[str, tuple[str, str, dict[str, str]]] = {
        "320": ("No family name", _MISSING, {"F1": ""}),
        "321": ("A sex that there is not", _UNKNOWN, {"F3": "X"}),
        "322": ("No sex", _MISSING, {"F3": " "}),
        "323": ("No analysis", _MISSING, {"F4": ""}),
        "324": ("An analysis with a wrong check digit", _UNKNOWN, {"F4": "945005"}),
        "325": ("An analysis that is no code of LOINC", _UNKNOWN, {"F4": "PCR"}),
        "326": ("An analysis without its check digit", _UNKNOWN, {"F4": "94500"}),
    }
    good: dict[str, tuple[str, dict[str, str]]] = {
        "330": ("An analysis with its hyphen", {"F4": "94500-6"}),
        "331": ("A sex that nobody knows", {"F3": "U"}),
        "332": ("In winter", {"F6": "100120211000"}),
        "333": ("In the hour that comes twice", {"F6": "251020200230"}),
        "334": ("On the day on which summer begins, before it does", {"F6": "280320210159"}),
        "335": ("On the day on which summer begins", {"F6": "280320210300"}),
    }
    return [
        *[case for n, (title, code, changes) in wrong.items() for case in shown(n, title, _TYPES, code, _ZONE, fields=TESTED | changes, **_TEST)],
        *[case for n, (title, changes) in broken.items() for case in shown(n, title, _MANDATORY, _BAD, fields=TESTED | changes, **_TEST)],
        *[case for n, (title, code, changes) in tolerated.items() for case in shown(n, title, _MANDATORY, "OK", _ZONE, code, fields=TESTED | changes, **_TEST)],
        *[case for n, (title, changes) in good.items() for case in shown(n, title, _TYPES, "OK", _ZONE, fields=TESTED | changes, **_TEST)],
        *shown("340", "At this moment, by a clock in Paris", _TYPES, "OK", _ZONE, fields=TESTED | {"F6": "200820211200"}, **_TEST),
        *shown("341", "A minute later, by a clock in Paris", _TYPES, "EVENT_IN_FUTURE", _ZONE, fields=TESTED | {"F6": "200820211201"}, **_TEST),
        *shown("342", "A minute later in winter, by a clock in Paris", _TYPES, "EVENT_IN_FUTURE", _ZONE, fields=TESTED | {"F6": "200120221101"}, circumstances={"clock": "2022-01-20T10:00:00Z"}, **_TEST),
        *shown("343", "At this moment in winter, by a clock in Paris", _TYPES, "OK", _ZONE, fields=TESTED | {"F6": "200120221100"}, circumstances={"clock": "2022-01-20T10:00:00Z"}, **_TEST),
        *shown("344", "The hour that comes twice: the first of the two", _TYPES, "OK", _ZONE, fields=TESTED | {"F6": "311020210230"}, circumstances={"clock": "2021-10-31T00:30:00Z"}, **_TEST),
        *shown("345", "No moment of the sample", _MANDATORY, _BAD, _MISSING, fields=TESTED | {"F6": " " * 12}, **_TEST),
        *shown("346", "A test, under the strict policy", _TYPES, _ZONE, fields=TESTED, circumstances={"policy": "strict"}, **_TEST),
        *shown("347", "A day of the sample in digits of another script", _MANDATORY, _BAD, fields=TESTED | {"F6": "١٩0820211000"}, **_TEST),
        *shown("348", "A test, where vaccinations alone are wanted", _TYPES, "ENTRY_TYPE_NOT_ACCEPTED", _ZONE, fields=TESTED, circumstances={"policy": {"entry_types": ["vaccination"]}}, **_TEST),
    ]  # fmt: skip


def _revocation() -> list[Case]:
    signed, _ = Document().parts()
    digest, other = hashlib.sha256(signed.encode()).hexdigest(), hashlib.sha256(b"x").hexdigest()

    def listed(key: str, **changes: Any) -> list[dict[str, Any]]:
        return [{"countries": ["FR"], "best_before": _FRESH, "entries": [{"type": "FR-2DDOC", "key": key}]} | changes]

    required = {"policy": {"revocation": "required"}}
    return [
        *shown("350", "The hash of what is signed is listed", _REVOKED, "REVOKED", circumstances={"revocation": listed(digest)}),
        *shown("351", "Another hash is listed", _REVOKED, circumstances={"revocation": listed(other)} | required),
        *shown("352", "Listed, and the signature was written otherwise", _REVOKED, "REVOKED", circumstances={"revocation": listed(digest)}, signature=lambda text: text + "="),
        *shown("353", "A list of another country", _REVOKED, "REVOCATION_UNKNOWN", circumstances={"revocation": listed(other, countries=["DE"])} | required),
        *shown("354", "A list of EU DCCs alone", _REVOKED, "REVOCATION_UNKNOWN", circumstances={"revocation": listed("00" * 16, entries=[{"type": "UCI", "key": "00" * 16}])} | required),
    ]  # fmt: skip
