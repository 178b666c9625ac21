"""Dates by pattern, and moments by the clocks of a place."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.intake.dates import (
    Ambiguous,
    Pattern,
    _steady,
    check_pattern,
    in_zone,
    read_birth_date,
    read_day,
    read_moment,
)

PARIS = ZoneInfo("Europe/Paris")


def patterns(*texts: str) -> tuple[Pattern, ...]:
    return tuple(map(Pattern, texts))


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("DD/MM/YYYY", "05/04/2021", date(2021, 4, 5)),
        ("D.M.YYYY", "5.4.2021", date(2021, 4, 5)),
        ("D.M.YYYY", "15.12.2021", date(2021, 12, 15)),
        ("YYYYMMDD", "20210405", date(2021, 4, 5)),
        ("MM-DD-YYYY", "04-05-2021", date(2021, 4, 5)),
    ],
)
def test_days(pattern: str, text: str, day: date) -> None:
    assert read_day("date", patterns(pattern), text) == day


@pytest.mark.parametrize("text", ["31/02/2021", "5/4/2021", "05/04/21", "2021-04-05", " 05/04/2021", "05/04/2021 ", ""])
def test_no_such_day(text: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read_day("date", patterns("DD/MM/YYYY"), text)
    assert caught.value.detail == "date: a date of the calendar, written as DD/MM/YYYY"


@pytest.mark.parametrize(
    ("text", "birth_date"),
    [
        ("12/08/1964", "1964-08-12"),
        ("08/1964", "1964-08"),
        ("1964", "1964"),
        ("00/08/1964", "1964-08"),
        ("00/00/1964", "1964"),
    ],
)
def test_birth_dates_may_be_partial(text: str, birth_date: str) -> None:
    assert read_birth_date(patterns("DD/MM/YYYY", "MM/YYYY", "YYYY"), text) == birth_date


def test_a_date_that_two_patterns_read_differently_is_none() -> None:
    both = patterns("DD/MM/YYYY", "MM/DD/YYYY")
    for text in ("03/04/1964", "13/04/1964", "04/13/1964"):
        with pytest.raises(hc.IssueError, match="another day in another of its forms"):
            read_birth_date(both, text)
        with pytest.raises(hc.IssueError, match="another day in another of its forms"):
            read_moment(patterns("DD/MM/YYYY HH:mm", "MM/DD/YYYY HH:mm"), f"{text} 10:00")
    assert read_birth_date(both, "04/04/1964") == "1964-04-04"
    assert read_birth_date(patterns("DD/MM/YYYY", "D/M/YYYY"), "03/04/1964") == "1964-04-03"


@pytest.mark.parametrize("text", ["12/00/1964", "00/13/1964", "13/1964", "31/02/1964", "64"])
def test_no_such_birth_date(text: str) -> None:
    with pytest.raises(hc.IssueError, match="birth_date: a date of the calendar"):
        read_birth_date(patterns("DD/MM/YYYY", "MM/YYYY", "YYYY"), text)


@pytest.mark.parametrize(
    ("pattern", "text", "iso"),
    [
        ("DD/MM/YYYY HH:mm", "20/08/2021 10:03", "2021-08-20T10:03:00"),
        ("YYYYMMDDHHmmss", "20210820100312", "2021-08-20T10:03:12"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2021-08-20T10:03:12+0200", "2021-08-20T10:03:12+02:00"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2021-08-20T10:03:12-03:30", "2021-08-20T10:03:12-03:30"),
        ("YYYY-MM-DD H:mmZ", "2021-08-20 9:03Z", "2021-08-20T09:03:00+00:00"),
    ],
)
def test_moments(pattern: str, text: str, iso: str) -> None:
    assert read_moment(patterns(pattern), text).isoformat() == iso


@pytest.mark.parametrize("text", ["2021-08-20 24:00+0100", "2021-08-20 10:60+0100", "2021-08-20 10:03+9999"])
def test_no_such_moment(text: str) -> None:
    with pytest.raises(hc.IssueError, match="sampled_at: a date of the calendar"):
        read_moment(patterns("YYYY-MM-DD HH:mmZ"), text)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("DD/MM/YY", "parts are"), ("DD MMM YYYY", "twice"), ("DD/MM", "its year"), ("DD/YYYY", "its month"),
        ("YYYY-YYYY", "twice"), ("", "its year"), ("YYYY年", "parts are"), ("%Y", "parts are"), ("YYYY(", "parts are"),
    ],
)  # fmt: skip
def test_what_is_no_pattern(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("field", "pattern"),
    [
        ("date", "MM/YYYY"), ("date", "DD/MM/YYYY HH:mm"), ("sampled_at", "DD/MM/YYYY"), ("sampled_at", "YYYY"),
        ("birth_date", "DD/MM/YYYY HH:mm"), ("sampled_at", "DD/MM/YYYY HH"),
    ],
)  # fmt: skip
def test_a_pattern_that_does_not_tell_what_the_field_needs(field: str, pattern: str) -> None:
    with pytest.raises(ValueError, match=r"needs|day|birth date"):
        check_pattern(field, Pattern(pattern))


def local(text: str, ambiguous: Ambiguous | None = None, zone: ZoneInfo | None = PARIS) -> str:
    return in_zone(datetime.fromisoformat(text), zone, ambiguous).isoformat()


def test_moments_of_a_place() -> None:
    assert local("2021-08-20T10:03") == "2021-08-20T10:03:00+02:00"
    assert local("2021-12-20T10:03") == "2021-12-20T10:03:00+01:00"
    assert local("2021-08-20T10:03-05:00") == "2021-08-20T10:03:00-05:00"
    assert local("2021-10-31T02:30", Ambiguous.EARLIER) == "2021-10-31T02:30:00+02:00"
    assert local("2021-10-31T02:30", Ambiguous.LATER) == "2021-10-31T02:30:00+01:00"
    assert local("2021-10-31T01:59") == "2021-10-31T01:59:00+02:00"


@pytest.mark.parametrize(
    ("text", "ambiguous", "zone", "said"),
    [
        ("2021-10-31T02:30", None, PARIS, "showed twice"),
        ("2021-03-28T02:30", None, PARIS, "left out"),
        ("2021-03-28T02:30", Ambiguous.LATER, PARIS, "left out"),
        ("2021-08-20T10:03", None, None, "with its time zone"),
    ],
)
def test_moments_that_a_place_does_not_tell(
    text: str, ambiguous: Ambiguous | None, zone: ZoneInfo | None, said: str
) -> None:
    with pytest.raises(hc.IssueError, match=said):
        local(text, ambiguous, zone)


@given(st.datetimes())
def test_a_moment_of_a_place_has_the_offset_that_the_place_had(moment: datetime) -> None:
    with contextlib.suppress(hc.IssueError):
        found = in_zone(moment, PARIS, None)
        assert found.replace(tzinfo=None) == moment
        assert found.utcoffset() == moment.replace(tzinfo=PARIS).utcoffset()
        assert abs(found.utcoffset() or timedelta(0)) <= timedelta(hours=2)


@pytest.mark.parametrize("name", ["Europe/Paris", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"])
def test_clocks_that_are_steady_all_day_are_so_at_every_hour(name: str) -> None:
    zone = ZoneInfo(name)
    changing = 0
    for number in range(date(1970, 1, 1).toordinal(), date(2030, 1, 1).toordinal()):
        day = date.fromordinal(number)
        if (steady := _steady.__wrapped__(zone, day)) is None:
            changing += 1
            continue
        for hour in (3, 13, 23):
            assert datetime(day.year, day.month, day.day, hour, tzinfo=zone).utcoffset() == steady.utcoffset(None)
    assert 0 < changing < 400


def test_the_last_days_of_the_calendar() -> None:
    assert local("9999-12-31T23:59") == "9999-12-31T23:59:00+01:00"
    assert local("0001-01-01T00:00").startswith("0001-01-01T00:00:00+00:09")


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(hc.IssueError):
        assert read_moment(patterns("YYYY-MM-DD HH:mmZ", "D.M.YYYY H:mm"), text) is not None
    with contextlib.suppress(hc.IssueError):
        assert read_birth_date(patterns("DD/MM/YYYY", "MM/YYYY", "YYYY"), text)
    with contextlib.suppress(ValueError):
        assert Pattern(text).parts
