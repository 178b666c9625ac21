"""Dates of CertLogic: what is one, what the partial ones mean, and arithmetic as JavaScript has it."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from time import process_time
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules import certlogic
from healthcert.rules.certlogic import DateTime, Moment
from healthcert.rules.certlogic.dates import LONGEST, UNITS, milliseconds_of, shifted
from tests.unit.rules.certlogic.raising import invalid, limited, undefined


def plus(text: Any, amount: int = 0, unit: str = "day") -> str:
    """The date-time as text, with its milliseconds where it has some."""
    value = certlogic.evaluate({"plusTime": [{"var": "date"}, amount, unit]}, {"date": text})
    assert type(value) is DateTime
    assert value.moment.tzinfo is UTC
    return value.moment.isoformat(timespec="milliseconds").removesuffix("+00:00").removesuffix(".000")


def birth(text: Any) -> str:
    value = certlogic.evaluate({"dccDateOfBirth": [{"var": "date"}]}, {"date": text})
    assert type(value) is DateTime
    return value.moment.isoformat().removesuffix("+00:00")


# --- Texts that are dates ---

NOON = "2021-05-04T12:00:00"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        # Partial dates are rounded up to the last day they may mean, at its beginning.
        ("2004", "2004-12-31T00:00:00"),
        ("2020-02", "2020-02-29T00:00:00"),
        ("2021-02", "2021-02-28T00:00:00"),
        ("1900-02", "1900-02-28T00:00:00"),
        ("2000-02", "2000-02-29T00:00:00"),
        ("2021-12", "2021-12-31T00:00:00"),
        ("2021-05-04", "2021-05-04T00:00:00"),
        ("0001", "0001-12-31T00:00:00"),
        ("9999", "9999-12-31T00:00:00"),
        ("0001-01-01", "0001-01-01T00:00:00"),
        # Without a zone it is UTC.
        (NOON, NOON),
        (f"{NOON}Z", NOON),
        (f"{NOON}+00:00", NOON),
        (f"{NOON}-00:00", NOON),
        # h, hh, hmm, hhmm, h:mm, hh:mm
        (f"{NOON}+2", "2021-05-04T10:00:00"),
        (f"{NOON}+02", "2021-05-04T10:00:00"),
        (f"{NOON}+130", "2021-05-04T10:30:00"),
        (f"{NOON}-130", "2021-05-04T13:30:00"),
        (f"{NOON}+0130", "2021-05-04T10:30:00"),
        (f"{NOON}+1:30", "2021-05-04T10:30:00"),
        (f"{NOON}+01:30", "2021-05-04T10:30:00"),
        (f"{NOON}-01:30", "2021-05-04T13:30:00"),
        (f"{NOON}+23:59", "2021-05-03T12:01:00"),
        (f"{NOON}-23:59", "2021-05-05T11:59:00"),
        # Fractions are cut off.
        (f"{NOON}.1Z", "2021-05-04T12:00:00.100"),
        (f"{NOON}.001", "2021-05-04T12:00:00.001"),
        (f"{NOON}.0009Z", NOON),
        (f"{NOON}.9999Z", "2021-05-04T12:00:00.999"),
        (f"{NOON}.123999999999999999999+01:00", "2021-05-04T11:00:00.123"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
        ("0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999"),
    ],
)
def test_dates(text: str, meant: str) -> None:
    assert plus(text) == meant
    assert plus(text, 0, "month") == meant


NO_DATES = [
    "", " ", "x", "20", "202", "20210", "2021-", "2021-5", "2021-5-4", "2021-05-4", "2021-05-04T", "2021/05/04",
    "20210504",
    "2021-W18-2", "2021-124", "+2021-05-04", "-2021-05-04", "12021-05-04", "021-05-04",
    "2021-00", "2021-13", "2021-00-01", "2021-13-01", "2021-05-00", "2021-05-32", "2021-02-29", "2021-02-30",
    "2021-04-31", "2021-09-99",
    "1963-00", "0000", "0000-01", "0000-01-01", f"0000-01-01{NOON[10:]}Z", "10000", "10000-01-01",
    "2021-05-04 12:00:00", "2021-05-04t12:00:00Z", "2021-05-04T12:00:00z", "2021-05-04T12:00Z", "2021-05-04T12Z",
    "2021-05-04T120000Z",
    "2021-05-04T24:00:00Z", "2021-05-04T24:00:00", "2021-05-04T24:00:00+01:00", "2021-05-04T25:00:00Z",
    "2021-05-04T12:60:00Z",
    "2021-05-04T23:59:60Z", "2021-05-04T23:59:60", "2021-05-04T23:59:60.5+01:00", "2021-02-30T12:00:00Z",
    f"{NOON}.Z", f"{NOON}.", f"{NOON},5Z", f"{NOON}+", f"{NOON}+24:00", f"{NOON}-24:00",
    f"{NOON}+24", f"{NOON}+01:60", f"{NOON}+0160",
    f"{NOON}+160", f"{NOON}+1:5", f"{NOON}+01:", f"{NOON}+:30", f"{NOON}+00001", f"{NOON}+01:00:00",
    f"{NOON}ZZ", f"{NOON}Z+01:00",
    f"{NOON}UTC", f"{NOON} Z", f" {NOON}Z", f"{NOON}Z ", f"{NOON}\N{MINUS SIGN}01:00",
    # $ would match before a line feed, and \d other digits.
    "2021\n", "2021-05\n", "2021-05-04\n", f"{NOON}\n", f"{NOON}Z\n", "\n2021-05-04", "2021-05-04\x00",
    "٢٠٢١", "٢٠٢١-٠٥-٠٤", "2021-05-0٤", "２０２１-05-04", f"{NOON}.٥Z",
    f"{NOON}+0٥", "2021-05-04T12:00:0٠Z", "²021-05-04",
    # In UTC these are outside the calendar.
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_DATES)
def test_no_dates(text: str) -> None:
    undefined({"plusTime": [{"var": ""}, 0, "day"]}, text)
    undefined({"plusTime": [text, 1, "month"]})
    undefined({"dccDateOfBirth": [text]})


@pytest.mark.parametrize("value", [None, True, 0, 2021, 2021.0, 1.5, [], ["2021-05-04"], {}, {"a": "2021-05-04"}])
def test_what_is_no_text_is_no_date(value: Any) -> None:
    undefined({"plusTime": [{"var": "date"}, 1, "day"]}, {"date": value})
    undefined({"dccDateOfBirth": [{"var": "date"}]}, {"date": value})


def test_a_date_that_was_made_is_not_moved_again() -> None:
    undefined({"plusTime": [{"plusTime": ["2021-05-04", 1, "day"]}, 1, "day"]})
    undefined({"dccDateOfBirth": [{"dccDateOfBirth": ["2021"]}]})


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1964", "1964-12-31"), ("1964-02", "1964-02-29"), ("1964-08-12", "1964-08-12"), ("9999", "9999-12-31")],
)
def test_dates_of_birth(text: str, meant: str) -> None:
    assert birth(text) == f"{meant}T00:00:00"


@pytest.mark.parametrize("text", [NOON, f"{NOON}Z", "1964-08-12T00:00:00"])
def test_a_date_of_birth_has_no_time(text: str) -> None:
    undefined({"dccDateOfBirth": [text]})


def test_longest_date() -> None:
    longest = f"{NOON}.{'1' * (LONGEST - len(NOON) - 2)}Z"
    assert len(longest) == LONGEST
    assert plus(longest) == "2021-05-04T12:00:00.111"
    undefined({"plusTime": [longest.replace("Z", "1Z"), 0, "day"]})


def test_a_long_text_costs_nothing_however_often_it_is_read() -> None:
    kept = {"if": [{"before": [{"plusTime": [{"var": "accumulator"}, 0, "day"]}] * 2}, "", {"var": "accumulator"}]}
    start = process_time()
    undefined(
        {"reduce": [{"var": "items"}, kept, {"var": "text"}]}, {"items": [0] * 5000, "text": f"{NOON}.{'1' * 10**6}"}
    )
    assert process_time() - start < 1


# --- Arithmetic ---


@pytest.mark.parametrize(
    ("text", "amount", "unit", "meant"),
    [
        ("2020-02-29", 1, "year", "2021-03-01"),
        ("2020-02-29", -1, "year", "2019-03-01"),
        ("2020-02-29", 4, "year", "2024-02-29"),
        ("1896-02-29", 4, "year", "1900-03-01"),
        ("2021-01-31", 1, "month", "2021-03-03"),
        ("2020-01-31", 1, "month", "2020-03-02"),
        ("2021-01-29", 1, "month", "2021-03-01"),
        ("2021-03-31", -1, "month", "2021-03-03"),
        ("2020-03-31", -1, "month", "2020-03-02"),
        ("2021-05-31", -1, "month", "2021-05-01"),
        ("2021-12-31", 2, "month", "2022-03-03"),
        ("2021-12-15", 1, "month", "2022-01-15"),
        ("2021-01-15", -1, "month", "2020-12-15"),
        ("2021-01-15", -13, "month", "2019-12-15"),
        ("2021-08-31", 30, "month", "2024-03-02"),
        ("2021-05-04", 12, "month", "2022-05-04"),
        ("2021-05-04", 270, "day", "2022-01-29"),
        ("2021-03-01", -1, "day", "2021-02-28"),
        ("2021-05-04", 48, "hour", "2021-05-06"),
        ("2020-02", 1, "year", "2021-03-01"),
        ("2004", 18, "year", "2022-12-31"),
        ("1970-01-01", -1, "day", "1969-12-31"),
        ("9999-12-31", 0, "year", "9999-12-31"),
        ("9999-12-30", 1, "day", "9999-12-31"),
        ("0001-01-02", -1, "day", "0001-01-01"),
        ("0001-01-01", 9998, "year", "9999-01-01"),
        ("9999-12-31", -9998, "year", "0001-12-31"),
        ("0001-02-01", -1, "month", "0001-01-01"),
    ],
)
def test_arithmetic_is_that_of_javascript(text: str, amount: int, unit: str, meant: str) -> None:
    assert plus(text, amount, unit) == f"{meant}T00:00:00"


def test_time_of_day_stays() -> None:
    assert plus("2021-01-31T23:59:59.999+02:00", 1, "month") == "2021-03-03T21:59:59.999"
    assert plus("2020-02-29T12:30:00Z", 1, "year") == "2021-03-01T12:30:00"
    assert plus("2021-05-04T23:30:00Z", 1, "hour") == "2021-05-05T00:30:00"
    assert plus("2021-05-04T00:30:00.5Z", -1, "hour") == "2021-05-03T23:30:00.500"
    # It is the day in UTC that is moved: 1 February here, and 31 January where it was written.
    assert plus("2021-01-31T23:00:00-02:00", 1, "month") == "2021-03-01T01:00:00"


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("9999-12-31", 1, "day"), ("9999-12-31T23:00:00Z", 1, "hour"), ("9999-12-01", 1, "month"), ("9999-01-01", 1,
        "year"),
        ("9999-12-31", 2, "month"), ("9998-12-31", 14, "month"),
        ("0001-01-01", -1, "day"), ("0001-01-01", -1, "hour"), ("0001-01-31", -1, "month"), ("0001-12-31", -1, "year"),
        ("2021-05-04", 2**53, "year"), ("2021-05-04", -(2**53), "year"), ("2021-05-04", 2**53, "month"),
        ("2021-05-04", 2**53, "day"),
        ("2021-05-04", 2**53, "hour"), ("2021-05-04", 10**6, "month"),
    ],
)  # fmt: skip
def test_outside_the_calendar(text: str, amount: int, unit: str) -> None:
    undefined({"plusTime": [text, amount, unit]})


def test_amounts() -> None:
    assert plus("2021-05-04", 2.0, "day") == "2021-05-06T00:00:00"  # type: ignore[arg-type]
    limited({"plusTime": ["2021-05-04", 2**53 + 1, "day"]})
    limited({"plusTime": ["2021-05-04", -(2**53) - 1, "day"]})
    limited({"plusTime": ["2021-05-04", 10**400, "day"]})
    for amount in (1.5, True, "1", None, [1], {"var": "n"}, float("inf"), float("nan")):
        invalid({"plusTime": ["2021-05-04", amount, "day"]}, {"n": 1})
    for unit in ("days", "Day", "week", "minute", "second", "", None, 1, ["day"], {"var": "u"}):
        invalid({"plusTime": ["2021-05-04", 1, unit]}, {"u": "day"})
    assert [plus("2021-05-04", 1, unit)[:13] for unit in UNITS] == [
        "2022-05-04T00", "2021-06-04T00", "2021-05-05T00", "2021-05-04T01",
    ]  # fmt: skip


# --- Comparison ---


def compare(operator: str, *texts: str) -> Any:
    return certlogic.evaluate({operator: [{"plusTime": [text, 0, "day"]} for text in texts]}, {})


def test_instants_are_compared() -> None:
    """Equal instants are equal whatever zone they are written in: some implementations order them by local time."""
    early, late = "2021-05-04T02:00:00+02:00", "2021-05-04T00:00:00Z"
    for one, other in ((early, late), (late, early)):
        assert [compare(name, one, other) for name in ("before", "after", "not-before", "not-after")] == [
            False, False, True, True,
        ]  # fmt: skip
    assert compare("before", "2021-05-04T00:00:00.001Z", "2021-05-04T00:00:00.002Z") is True
    assert compare("after", "2021-05-04T00:00:00.0019Z", "2021-05-04T00:00:00.001Z") is False
    assert compare("before", "2021-05-04T23:00:00Z", "2021-05-05T00:00:00+02:00") is False


@pytest.mark.parametrize(
    ("operator", "days", "expected"),
    [
        ("before", "123", True), ("before", "122", False), ("before", "112", False), ("before", "213", False),
        ("not-after", "122", True), ("not-after", "121", False), ("after", "321", True), ("after", "322", False),
        ("not-before", "322", True), ("not-before", "323", False),
    ],
)  # fmt: skip
def test_three_dates(operator: str, days: str, expected: bool) -> None:
    assert compare(operator, *(f"2021-05-0{day}" for day in days)) is expected


@pytest.mark.parametrize("operator", ["before", "after", "not-before", "not-after"])
def test_only_date_times_are_compared_so(operator: str) -> None:
    date = {"plusTime": ["2021-05-04", 0, "day"]}
    for other in ("2021-05-04", 0, True, [], {"var": "none"}, [date], {"extractFromUVCI": ["a", 0]}):
        undefined({operator: [date, other]}, {})
        undefined({operator: [other, date]}, {})
        undefined({operator: [date, date, other]}, {})
    chosen = {"if": [True, date, 0]}
    assert type(certlogic.evaluate({operator: [chosen, date]}, {})) is bool


# --- The values themselves ---


def test_date_times_are_no_json() -> None:
    value = certlogic.evaluate({"plusTime": ["1964-08-12", 0, "day"]}, {})
    assert value.milliseconds == -170035200000
    assert value == DateTime(-170035200000)
    assert "1964" not in repr(value)
    assert "170035" not in repr(value)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2021, 5, 4, 12, tzinfo=UTC), "2021-05-04T12:00:00Z"),
        (datetime(2021, 5, 4, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2021-05-03T22:30:00Z"),
        (datetime(2021, 5, 4, 12, 0, 59, 999999, tzinfo=UTC), "2021-05-04T12:00:59Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "9999-12-31T23:59:59Z"),
    ],
)
def test_moments(moment: datetime, text: str) -> None:
    made = Moment(moment)
    assert made == text
    assert milliseconds_of(made) == milliseconds_of(text) == milliseconds_of(f"{text[:-1]}.000Z") == made.milliseconds
    for kept in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert (kept, kept.milliseconds) == (text, made.milliseconds)
    assert certlogic.evaluate({"===": [{"var": ""}, text]}, made) is True
    assert certlogic.evaluate({"in": [{"var": ""}, [text]]}, made) is True
    assert certlogic.evaluate({"!": [{"var": ""}]}, made) is False


def test_shifted_is_bounded() -> None:
    with pytest.raises(RuleError) as caught:
        shifted(0, 10**30, "day")
    assert caught.value.code is Code.CERTLOGIC_UNDEFINED
