"""Cases of the EU DCC itself: HC-DCC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cbor2 import CBORTag

from tools.vectors.case import Case, case
from tools.vectors.press import PAYLOAD, RECOVERY_ENTRY, TEST_ENTRY, payload, recovery, tested, vaccination

_FIRST = "DCC schema 1.0.0"
_SCHEMA, _NAMES = "DCC schema 1.3.0", "DCC schema 1.3.2"
_BAD = "SCHEMA_VALIDATION_FAILED"
_OPTIONAL = frozenset(("nm", "tc", "ma"))

Change = Callable[..., dict[str, Any]]


def cases() -> list[Case]:
    """Groups and entries, required fields, types and forms of fields, holders, events."""
    return [*_entries(), *_required(), *_wrong_types(), *_forms(), *_dates(), *_holders(), *_events()]


def _entries() -> list[Case]:
    twice = payload(v=PAYLOAD["v"] * 2)
    wrong: list[tuple[str, str, str, Any]] = [
        ("01", "No entry", "NO_ENTRY", payload(v=...)),
        ("02", "Two vaccinations", "MULTIPLE_ENTRIES", twice),
        ("03", "A vaccination and a test", "MULTIPLE_ENTRIES", payload(t=[TEST_ENTRY])),
        ("04", "A group that is a map", _BAD, payload(v={"0": PAYLOAD["v"][0]})),
        ("05", "An entry that is text", _BAD, payload(v=["yes"])),
        ("06", "An entry that is null", _BAD, payload(v=[None])),
        ("07", "A group that is text", _BAD, payload(v="none")),
        ("08", "An empty payload", _BAD, {}),
    ]
    made = [case(f"HC-DCC-{n}", title, _SCHEMA, code, payload=content) for n, title, code, content in wrong]
    extra = vaccination(ic="X") | {"meta": {"reference": "R1"}, "pid": 7}
    return [*made, case("HC-DCC-09", "Fields that the schema does not name", _SCHEMA, payload=extra)]


def _required() -> list[Case]:
    made: list[Case] = []
    groups: tuple[tuple[str, Change, dict[str, Any]], ...] = (
        ("V", vaccination, PAYLOAD["v"][0]),
        ("T", tested, TEST_ENTRY),
        ("R", recovery, RECOVERY_ENTRY),
    )
    for letter, change, entry in groups:
        for name in entry:
            if letter == "V" or name not in _OPTIONAL:
                title = f"{letter.lower()} without {name}"
                case_id = f"HC-DCC-{letter}-{name.upper()}"
                made.append(case(case_id, title, _SCHEMA, _BAD, payload=change(**{_safe(name): ...})))
    made += [
        case(f"HC-DCC-{name.upper()}", f"No {name}", _SCHEMA, _BAD, payload=payload(**{name: ...}))
        for name in ("ver", "nam", "dob")
    ]
    return [
        *made,
        case("HC-DCC-T-OPTIONAL", "t with its required fields only", _SCHEMA, payload=tested(nm=..., tc=...)),
    ]


def _safe(name: str) -> str:
    return name + "_" if name == "is" else name


def _wrong_types() -> list[Case]:
    """A number where text belongs, in every field of text."""
    made: list[Case] = []
    groups: tuple[tuple[str, Change, tuple[str, ...]], ...] = (
        ("V", vaccination, ("tg", "vp", "mp", "ma", "dt", "co", "is", "ci")),
        ("T", tested, ("tg", "tt", "nm", "ma", "sc", "dr", "tr", "tc", "co", "is", "ci")),
        ("R", recovery, ("tg", "fr", "df", "du", "co", "is", "ci")),
    )
    for letter, change, names in groups:
        made += [
            case(
                f"HC-DCC-{letter}-{name.upper()}-NUMBER",
                f"{letter.lower()}: a number for {name}",
                _SCHEMA,
                _BAD,
                payload=change(**{_safe(name): 7}),
            )
            for name in names
        ]
    for name in ("fn", "gn", "fnt", "gnt"):
        content = payload(nam=PAYLOAD["nam"] | {name: 7})
        made.append(
            case(f"HC-DCC-NAM-{name.upper()}-NUMBER", f"nam: a number for {name}", _SCHEMA, _BAD, payload=content)
        )
    made += [
        case(f"HC-DCC-{name.upper()}-NUMBER", f"A number for {name}", _SCHEMA, _BAD, payload=payload(**{name: 1984}))
        for name in ("ver", "nam", "dob")
    ]
    return made


def _forms() -> list[Case]:
    wrong: list[tuple[str, str, Any]] = [
        ("21", "Dose 0", vaccination(dn=0)),
        ("22", "Dose -1", vaccination(dn=-1)),
        ("23", "A dose as text", vaccination(dn="2")),
        ("24", "A dose that is true", vaccination(dn=True)),
        ("25", "Dose 1.5", vaccination(dn=1.5)),
        ("29", "A dose beyond counting", vaccination(dn=1e300)),
        ("26", "A series of -1", vaccination(sd=-1)),
        ("27", "A series as text", vaccination(sd="2")),
        ("28", "A series of 1.5", vaccination(sd=1.5)),
        ("31", "A country in lower case (v)", vaccination(co="fr")),
        ("32", "A country in lower case (t)", tested(co="fr")),
        ("33", "A country in lower case (r)", recovery(co="fr")),
        ("34", "A country of eleven letters", vaccination(co="ABCDEFGHIJK")),
        ("35", "A country with a line end", vaccination(co="FR\n")),
        ("36", "A version of words", payload(ver="latest")),
        ("37", "A version of two numbers", payload(ver="1.3")),
        ("38", "A version with a line end", payload(ver="1.3.0\n")),
        ("39", "A version whose dots are others", payload(ver="1-3-0")),
    ]
    good: list[tuple[str, str, Any]] = [
        ("41", "A booster: dose 3 of a series of 2", vaccination(dn=3)),
        ("42", "Dose 10", vaccination(dn=10, sd=10)),
        ("44", "Schema version 1.3.3", payload(ver="1.3.3")),
        (
            "45",
            "Names and issuer of 80 characters",
            vaccination(is_="x" * 80) | {"nam": {"fn": "é" * 80, "fnt": "E" * 80}},
        ),
    ]
    return [
        *[case(f"HC-DCC-{n}", title, _SCHEMA, _BAD, payload=content) for n, title, content in wrong],
        *[case(f"HC-DCC-{n}", title, _SCHEMA, payload=content) for n, title, content in good],
        case("HC-DCC-43", "Schema version 1.0.0", _FIRST, payload=payload(ver="1.0.0")),
    ]


def _dates() -> list[Case]:
    wrong: list[tuple[str, str, Any]] = [
        ("51", "No such day (v/dt)", vaccination(dt="2021-02-30")),
        ("52", "Month 13 (v/dt)", vaccination(dt="2021-13-01")),
        ("53", "A day with a line end (v/dt)", vaccination(dt="2021-06-11\n")),
        ("54", "A day in other digits (v/dt)", vaccination(dt="٢٠٢١-٠٦-١١")),
        ("55", "A month for a day (v/dt)", vaccination(dt="2021-06")),
        ("56", "An empty day (v/dt)", vaccination(dt="")),
        ("57", "A day without hyphens (v/dt)", vaccination(dt="20210611")),
        ("58", "A day of the week (v/dt)", vaccination(dt="2021-W23-5")),
        ("61", "No such day (r/fr)", recovery(fr="2021-02-30")),
        ("62", "No such day (r/df)", recovery(df="2021-02-30")),
        ("63", "No such day (r/du)", recovery(du="2021-02-30")),
        ("64", "A month for a day (r/fr)", recovery(fr="2021-05")),
        ("65", "A month for a day (r/df)", recovery(df="2021-05")),
        ("66", "A month for a day (r/du)", recovery(du="2021-10")),
        ("67", "A day without hyphens (r/fr)", recovery(fr="20210501")),
        ("68", "A day without hyphens (r/df)", recovery(df="20210512")),
        ("69", "A day without hyphens (r/du)", recovery(du="20211028")),
        ("71", "A sample without a time", tested(sc="2021-08-19")),
        ("72", "A sample at 25 o'clock", tested(sc="2021-08-19T25:00:00Z")),
        ("73", "A sample without seconds", tested(sc="2021-08-19T10:00Z")),
        ("74", "A sample with a line end", tested(sc="2021-08-19T10:00:00Z\n")),
        ("75", "A sample in a zone of 99 hours", tested(sc="2021-08-19T10:00:00+99:00")),
        ("77", "A sample in a CBOR tag other than 0", tested(sc=CBORTag(1004, "2021-08-19T10:00:00Z"))),
        ("78", "A number in CBOR tag 0", tested(sc=CBORTag(0, 1629367200))),
        ("79", "A country in CBOR tag 0", tested(co=CBORTag(0, "FR"))),
        ("76", "A sample on no such day", tested(sc="2021-02-30T10:00:00Z")),
    ]
    good: list[tuple[str, str, Any]] = [
        ("81", "A sample two hours ahead of UTC", tested(sc="2021-08-19T12:00:00+02:00")),
        ("82", "A zone without a colon", tested(sc="2021-08-19T12:00:00+0200")),
        ("83", "A zone of hours alone", tested(sc="2021-08-19T12:00:00+02")),
        ("84", "Fractions of a second", tested(sc="2021-08-19T10:00:00.25Z")),
        ("85", "Small letters and a comma", tested(sc="2021-08-19t10:00:00,007z")),
        ("86", "The time of the result, which later schemas dropped", tested(dr="2021-08-19T12:00:00Z")),
        ("87", "A leap day", vaccination(dt="2020-02-29")),
    ]
    return [
        *[case(f"HC-DCC-{n}", title, _SCHEMA, _BAD, payload=content) for n, title, content in wrong],
        *[case(f"HC-DCC-{n}", title, _SCHEMA, payload=content) for n, title, content in good],
    ]


def _holders() -> list[Case]:
    wrong: list[tuple[str, str, str, Any]] = [
        ("101", "No name", _NAMES, payload(nam={})),
        ("102", "Empty names", _NAMES, payload(nam={"fn": "", "gn": ""})),
        ("103", "Names of fillers", _NAMES, payload(nam={"fnt": "<", "gn": " "})),
        ("104", "A name that is text", _SCHEMA, payload(nam="Exemplaire")),
        ("111", "A birth date without a century", _SCHEMA, payload(dob="84-02-29")),
        ("112", "A birth date in 1899", _SCHEMA, payload(dob="1899-12-31")),
        ("113", "A birth date in 2100", _SCHEMA, payload(dob="2100-01-01")),
        ("114", "No such day of birth", _SCHEMA, payload(dob="1985-02-29")),
        ("115", "Born in month 13", _SCHEMA, payload(dob="1984-13")),
        ("116", "A day of birth that is 00 for no reason", _SCHEMA, payload(dob="1963-05-00-00")),
        ("117", "A month of birth of 00 and a day", _SCHEMA, payload(dob="1963-00-05")),
        ("118", "A birth date with a line end", _SCHEMA, payload(dob="1984-02-29\n")),
        ("119", "A birth date in the order of days", _SCHEMA, payload(dob="29.02.1984")),
        ("120", "A year of birth that is 0000", _SCHEMA, payload(dob="0000-00")),
    ]
    good: list[tuple[str, str, str, Any]] = [
        ("121", "A year of birth", _SCHEMA, payload(dob="1984")),
        ("122", "A month of birth", _SCHEMA, payload(dob="1984-02")),
        ("123", "No birth date known", _SCHEMA, payload(dob="")),
        ("124", "Only a transliterated surname", _NAMES, payload(nam={"fnt": "EXEMPLAIRE"})),
        ("125", "Only a transliterated forename", _NAMES, payload(nam={"gnt": "ZOE"}, ver="1.3.2")),
        ("126", "Fillers in the transliterated name", _NAMES, payload(nam={"fnt": "EXEMPLAIRE<<ZOE<ANNE"})),
        ("127", "Born on the last day of 2099", _SCHEMA, payload(dob="2099-12-31")),
        ("128", "Born on the first day of 1900", _SCHEMA, payload(dob="1900-01-01")),
    ]
    return [
        *[case(f"HC-DCC-{n}", title, sections, _BAD, payload=content) for n, title, sections, content in wrong],
        *[case(f"HC-DCC-{n}", title, sections, payload=content) for n, title, sections, content in good],
    ]


def _events() -> list[Case]:
    future, unknown = "EVENT_IN_FUTURE", "TEST_RESULT_UNKNOWN"
    return [
        case(
            "HC-DCC-141",
            "A dose on a day that has begun nowhere",
            _SCHEMA,
            future,
            payload=vaccination(dt="2021-08-22"),
        ),
        case("HC-DCC-142", "A dose on a day that has begun in the east", _SCHEMA, payload=vaccination(dt="2021-08-21")),
        case("HC-DCC-143", "A first positive test in the future", _SCHEMA, future, payload=recovery(fr="2021-08-22")),
        case("HC-DCC-144", "A sample at this second", _SCHEMA, payload=tested(sc="2021-08-20T10:00:00Z")),
        case(
            "HC-DCC-145",
            "A sample a minute ahead, with a minute allowed",
            _SCHEMA,
            payload=tested(sc="2021-08-20T10:01:00Z"),
            policy={"clock_skew_seconds": 60},
        ),
        case("HC-DCC-146", "A result that is no result", _SCHEMA, unknown, payload=tested(tr="373121007")),
        case("HC-DCC-147", "An empty result", _SCHEMA, unknown, "EMPTY_CODE", payload=tested(tr="")),
    ]
