"""Cases of the dates of CertLogic: HC-RUL-L."""

# ruff: noqa: E501 (one rule a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.press import payload
from tools.vectors.ruling import LANGUAGE, Row, judged, listed, plus, rows, rule, same_moment

_P, _F, _O = "PASSED", "FAIL", "OPEN"
_NULL, _DOB, _DOSES = {"var": "payload.none"}, {"var": "payload.dob"}, {"var": "payload.v.0.dn"}
_CLOCK = {"var": "external.validationClock"}


def cases() -> list[Case]:
    """Dates, date-times and dates of birth."""
    return [
        *_dates(),
        *_births(),
    ]


def _read(text: Any, as_: str) -> Row:
    """A text that is read as a certain moment."""
    return same_moment(plus(text), plus(as_)), _P


def _no_date(text: Any) -> Row:
    return same_moment(plus(text), plus(text)), _O


def _moved(text: str, amount: int, unit: str, to: str) -> Row:
    return same_moment(plus(text, amount, unit), plus(to)), _P


def _dates() -> list[Case]:
    one, two, three = plus("2021-01-01"), plus("2021-01-02"), plus("2021-01-03")
    return [
        rows(
            "OVERFLOW", "Months and years keep the number of the day, and run over",
            _moved("2020-02-29", 1, "year", "2021-03-01"), _moved("2020-02-29", -4, "year", "2016-02-29"),
            _moved("2021-01-31", 1, "month", "2021-03-03"), _moved("2021-03-31", -1, "month", "2021-03-03"),
            _moved("2021-12-15", 1, "month", "2022-01-15"), _moved("2021-05-31", 0, "month", "2021-05-31"),
            _moved("2021-02-28", 1, "day", "2021-03-01"), _moved("2021-03-01", -1, "hour", "2021-02-28T23:00:00Z"),
            _moved("2021-01-31T12:34:56Z", 1, "month", "2021-03-03T12:34:56Z"), _moved("2021-08-20", 365, "day", "2022-08-20"),
        ),
        rows(
            "EDGE", "There is nothing before the year 1 and after 9999",
            _moved("9999-12-30", 1, "day", "9999-12-31"), (same_moment(plus("9999-12-31", 1, "day"), one), _O),
            (same_moment(plus("0001-01-01", -1, "hour"), one), _O), (same_moment(plus("9999-12-31", 1, "month"), one), _O),
            (same_moment(plus("0001-01-01", -1, "year"), one), _O), (same_moment(plus("9999-12-31T23:00:00Z", 1, "hour"), one), _O),
            (same_moment(plus("9998-12-31", 1, "year"), plus("9999-12-31")), _P),
            ({"before": [plus(_DOB, -800_000, "day"), plus(_CLOCK)]}, _O), ({"after": [plus(_CLOCK), plus(_DOB, -800_000, "day")]}, _O),
            ({"before": [plus(_CLOCK), plus(_DOB, 90_000_000, "hour")]}, _O), ({"before": [plus(_DOB, -700_000, "day"), plus(_CLOCK)]}, _P),
            _read("0001-01-01T01:00:00+01:00", "0001-01-01"), _no_date("0001-01-01T00:59:59+01:00"),
            _read("9999-12-31T22:59:59-01:00", "9999-12-31T23:59:59Z"), _no_date("9999-12-31T23:00:00-01:00"),
        ),
        rows(
            "FORMS", "Forms of dates and date-times",
            _read("2021-08-20", "2021-08-20T00:00:00Z"), _read("2021-08-20T10:00:00", "2021-08-20T10:00:00Z"),
            _read("2021-08-20T10:00:00+02:00", "2021-08-20T08:00:00Z"), _read("2021-08-20T10:00:00-0230", "2021-08-20T12:30:00Z"),
            _read("2021-08-20T10:00:00+130", "2021-08-20T08:30:00Z"), _read("2021-08-20T10:00:00+2", "2021-08-20T08:00:00Z"),
            _read("2021-08-20T10:00:00+23:59", "2021-08-19T10:01:00Z"), _read("2021-08-20T10:00:00.12999Z", "2021-08-20T10:00:00.129Z"),
            _read("2021-08-20T10:00:00.5Z", "2021-08-20T10:00:00.500Z"), _read("2021-08-20T02:00:00+02:00", "2021-08-20"),
            ({"after": [plus("2021-08-20T10:00:00.001Z"), plus("2021-08-20T10:00:00Z")]}, _P),
        ),
        rows(
            "PARTIAL", "A partial date is its last day",
            _read("2020-02", "2020-02-29"), _read("2021-02", "2021-02-28"), _read("2004", "2004-12-31"), _read("2021-06", "2021-06-30"),
            _moved("2020-02", 1, "day", "2020-03-01"), _moved("2004", 1, "hour", "2004-12-31T01:00:00Z"),
            sections="CertLogic specification 1.3.2",
        ),
        rows(
            "NODATE", "What no calendar has, and what is no date, is an error and never false",
            *map(_no_date, (
                "2021-02-29", "2021-04-31", "2021-13", "2021-00", "2021-06-00", "0000", "0000-01", "2021-09-99",
                "2021-08-20T24:00:00Z", "2021-08-20T10:60:00Z", "2021-08-20T10:00:60Z", "2021-08-20T10:00Z", "2021-08-20t10:00:00Z",
                "2021-08-20T10:00:00z", "2021-08-20 10:00:00", " 2021-08-20", "2021-08-20 ", "2021-08-20\n", "2021-8-2", "20210820", "2021-W33-5",
                "2021-08-20T10:00:00+24:00", "2021-08-20T10:00:00+02:60", "2021-08-20T10:00:00+", "yesterday", "",
                "٢٠٢١-٠٨-٢٠", "2021-08-20T10:00:00.Z", "2021/08/20", "2021-08-20T10:00:00+24:00Z", "2021-08-20T100:00:0Z",
            )),
            *map(_no_date, (_NULL, _DOSES, {"var": "payload.nam"}, {"!": [_NULL]})),
        ),
        rows(
            "COMPARED", "Only date-times are compared as such, and they are compared with nothing else",
            ({"before": [one, two]}, _P), ({"before": [one, one]}, _F), ({"after": [two, one]}, _P), ({"after": [one, one]}, _F),
            ({"not-before": [one, one]}, _P), ({"not-before": [one, two]}, _F), ({"not-after": [one, one]}, _P), ({"not-after": [two, one]}, _F),
            ({"before": [one, two, three]}, _P), ({"before": [one, three, two]}, _F), ({"before": [two, one, three]}, _F),
            ({"not-after": [one, one, two]}, _P), ({"not-after": [one, two, one]}, _F),
            ({"before": [one, two, _DOB]}, _O), ({"before": [_DOB, two]}, _O), ({"before": [one, _DOB]}, _O), ({"before": [_DOSES, _DOSES]}, _O),
            ({"before": [_NULL, one]}, _O), ({"before": [{"if": [True, one, two]}, {"if": [False, one, two]}]}, _P),
            ({"before": [two, one, _DOB]}, _O), ({"<": [one, two]}, _O), ({"===": [one, one]}, _O), ({"===": [one, "2021-01-01"]}, _F),
            ({"if": [one, True, True]}, _O), ({"!": [one]}, _O), ({"and": [True, one]}, _O), ({"in": [one, [one]]}, _O),
        ),
    ]  # fmt: skip


def _births() -> list[Case]:
    def born(name: str, title: str, text: str, *rows: Row, warnings: tuple[str, ...] = ()) -> Case:
        lists = listed(*[rule(logic, number=number) for number, (logic, _) in enumerate(rows, 1)])
        states = {f"GR-FR-{number:04}": state for number, (_, state) in enumerate(rows, 1)}
        return judged(f"L-{name}", title, lists, states, None, *warnings, sections=LANGUAGE, payload=payload(dob=text))

    def is_(text: str) -> Row:
        return same_moment({"dccDateOfBirth": [_DOB]}, plus(text)), _P

    adult = {"not-after": [{"dccDateOfBirth": [_DOB]}, plus("2003-08-20")]}
    never = {"dccDateOfBirth": [_DOSES]}
    return [
        born("BORN", "A whole date of birth", "1984-02-29", is_("1984-02-29"), (adult, _P), (same_moment(never, never), _O)),
        born("BORN-MONTH", "A year and a month of birth are their last day", "1984-02", is_("1984-02-29"), _read(_DOB, "1984-02-29"), (adult, _P)),
        born("BORN-YEAR", "A year of birth is its last day", "2003", is_("2003-12-31"), _read(_DOB, "2003-12-31"), (adult, _F)),
        born("BORN-NOBODY", "A date of birth that no calendar has", "1963-00", (adult, _O), _no_date(_DOB), warnings=("BIRTH_DATE_PADDED",)),
        born("BORN-EMPTY", "No date of birth", "", (adult, _O), _no_date(_DOB)),
        born(
            "BORN-TIME", "A date of birth has no time, and no spaces", "1984-02-29",
            *[(same_moment({"dccDateOfBirth": [text]}, {"dccDateOfBirth": [text]}), _O) for text in ("1984-02-29T00:00:00Z", " 1984", "1984-02-30", "84", "0000")],
            (same_moment({"dccDateOfBirth": [_NULL]}, plus("1984")), _O),
        ),
    ]  # fmt: skip
