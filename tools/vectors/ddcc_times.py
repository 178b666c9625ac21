"""Cases of how long a DDCC core data set is valid, and of what is mended in one: HC-DDCC-70 and on."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from cbor2 import CBORTag

from tools.vectors.case import Case, case
from tools.vectors.press import EXPIRES, ISSUED
from tools.vectors.who import DDCC, DDCC_TEST

_WHO, _CLAIM, _NUMBER = "WHO HCERT specification 1.1.1", "HCERT specification §3.3.7", "RFC 8392 §2"
_ABSENT, _ENDED, _UNREADABLE = "TIME_ABSENT", "CWT_EXPIRED", "CWT_TIME_INVALID"


def cases() -> list[Case]:
    """Ends and beginnings in every notation, and departures that are mended as in an EU DCC."""
    return [*_readable(), *_unreadable(), *_several(), *_mended()]


def _bare(core: dict[Any, Any]) -> dict[str, Any]:
    return {"claims": {1: ..., 4: ..., 6: ..., -260: ...} | core}


def _until(value: Any) -> dict[str, Any]:
    return _bare(DDCC | {"valid_until": value})


def _from(value: Any) -> dict[str, Any]:
    return _bare(DDCC | {"valid_from": value})


def _readable() -> list[Case]:
    ends: list[tuple[str, str, Any, bool]] = [
        ("70", "The year it ends in", "2021", True),
        ("71", "The year it ended in", "2020", False),
        ("72", "The month it ends in", "2021-08", True),
        ("73", "The month it ended in", "2021-07", False),
        ("74", "The moment it ends at", "2021-08-20T10:00:01Z", True),
        ("75", "The moment it ended at", "2021-08-20T09:59:59Z", False),
        ("76", "A moment in another zone", "2021-08-20T11:59:59+02:00", False),
        ("77", "A moment without a zone, over everywhere", "2021-08-19T21:59:59", False),
        ("78", "A moment without a zone, not over everywhere", "2021-08-19T22:00:00", True),
        ("79", "A tagged day", CBORTag(1004, "2021-08-18"), False),
        ("80", "A tagged moment", CBORTag(0, "2021-08-20T09:59:59Z"), False),
        ("84", "An end in meta", ..., False),
    ]
    starts: list[tuple[str, str, Any, bool]] = [
        ("85", "The year it begins in", "2021", True),
        ("86", "The year it will begin in", "2022", False),
        ("87", "The moment it begins at", "2021-08-20T10:00:01Z", False),
        ("88", "The day that has just begun somewhere", "2021-08-21", True),
        ("89", "The day that has begun", "2021-08-20", True),
    ]
    meta = _bare(DDCC | {"meta": {"valid_until": "2021-08-18"}})
    return [
        *[
            case(f"HC-DDCC-{n}", title, _WHO, *(("OK", _ABSENT) if good else (_ENDED,)), **(meta if value is ... else _until(value)))
            for n, title, value, good in ends
        ],
        *[
            case(f"HC-DDCC-{n}", title, _WHO, *(("OK", _ABSENT) if good else ("CWT_NOT_YET_VALID",)), **_from(value))
            for n, title, value, good in starts
        ],
    ]  # fmt: skip


def _unreadable() -> list[Case]:
    ends: list[tuple[str, str, Any]] = [
        ("90", "An end in the order of days", "18.08.2021"),
        ("91", "An end as a number", 1629280800),
        ("92", "An end by its week", "2021-W33-3"),
        ("93", "An end without hyphens", "20210818"),
        ("94", "An end that no calendar has", "2021-02-30"),
        ("95", "An end in a map", {"value": "2021-08-18"}),
        ("96", "An end after a space", " 2021-08-18"),
        ("97", "An end under a tag of numbers", CBORTag(1, 1629280800)),
        ("100", "An end under a tag that has no date", CBORTag(999, "2022-08-18")),
    ]
    return [
        *[case(f"HC-DDCC-{n}", title, _NUMBER, _UNREADABLE, **_until(value)) for n, title, value in ends],
        case("HC-DDCC-98", "A beginning that cannot be read", _NUMBER, _UNREADABLE, **_from("soon")),
        *[
            case(
                f"HC-DDCC-{n}",
                "No end that a calendar could show",
                _WHO,
                "OK",
                _ABSENT,
                "EXPIRES_AFTER_KEY",
                **_until(value),
            )
            for n, value in (("81", "9999-12-31"), ("82", "9999-12"), ("83", "9999"))
        ],
        case("HC-DDCC-99", "An end that is not there", _WHO, "OK", _ABSENT, **_until("undefined")),
    ]


def _several() -> list[Case]:
    ended = {"valid_until": "2021-08-18"}
    times = {4: EXPIRES, 6: ISSUED}
    return [
        case("HC-DDCC-101", "It ends before exp", _WHO, _ENDED, claims=times | {-260: {3: DDCC | ended}}),
        case("HC-DDCC-102", "exp comes before its end", _WHO, _ENDED, clock="2031-01-01T00:00:00Z", claims=times | {-260: {3: DDCC | {"valid_until": "2040"}}}, trust=("dsc",)),
        case("HC-DDCC-103", "Two core data sets, of which the second has ended", _WHO, _ENDED, claims=times | {-260: {3: DDCC, 4: DDCC_TEST | ended}}),
        case("HC-DDCC-104", "A vaccination and a test in one", _WHO, "MULTIPLE_ENTRIES", claims=times | {-260: {3: DDCC | {"test": DDCC_TEST["test"]}}}),
        case("HC-DDCC-105", "A test and a vaccine in one", _WHO, "MULTIPLE_ENTRIES", claims=times | {-260: {4: DDCC_TEST | {"vaccine": "XM0GQ8"}}}),
        case("HC-DDCC-106", "A vaccination with an empty test", _WHO, "OK", _ABSENT, **_bare(DDCC | {"test": {}})),
        case("HC-DDCC-108", "What it tells itself counts before meta", _WHO, "OK", _ABSENT, **_bare(DDCC | {"valid_until": "2022", "meta": {"valid_until": "2021-08-18"}})),
        case("HC-DDCC-107", "The claim of the Swiss light beside the core data set", _CLAIM, "CBOR_DESERIALIZATION_FAILED", **_bare(DDCC | {-250: {1: {}}})),
    ]  # fmt: skip


def _mended() -> list[Case]:
    missing = "FIELD_MISSING"
    good: list[tuple[str, str, list[str], dict[str, Any]]] = [
        ("111", "A float for the dose", ["FLOAT_DOSE"], {"dose": 2.0}),
        ("112", "A birth date with a time", ["DATE_WITH_TIME"], {"birthDate": "1984-02-29T00:00:00"}),
        ("113", "A birth date with an unknown day as 00", ["BIRTH_DATE_PADDED"], {"birthDate": "1984-02-00"}),
        ("114", "A lot as the name of a coding", [], {"lot": {"coding": {"display": "B0001"}}}),
        ("115", "A vaccine as a coding in a list", [], {"vaccine": {"coding": [{"code": "XM0GQ8"}]}}),
        ("116", "A lot that cannot be found in its map", [missing], {"lot": {"type": "lot"}}),
        ("118", "A lot as an empty list of codings", [missing], {"lot": {"coding": []}}),
        ("117", "No dose", [missing], {"dose": None}),
    ]
    claims = {4: EXPIRES, 6: ISSUED}
    return [
        case(f"HC-DDCC-{n}", title, _WHO, "OK", *warnings, claims=claims | {-260: {3: DDCC | changes}})
        for n, title, warnings, changes in good
    ]
