"""Days of central Europe's clocks, compared with the database of time zones where there is one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.rules.national.daytime import local_day, midnight

zoneinfo = pytest.importorskip("zoneinfo")


def test_a_day_begins_an_hour_earlier_in_winter_and_two_in_summer() -> None:
    assert midnight(date(2022, 1, 10)) == datetime(2022, 1, 9, 23, tzinfo=UTC)
    assert midnight(date(2022, 7, 10)) == datetime(2022, 7, 9, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        ("2022-03-27", "2022-03-26T23:00"),  # on which summer begins, at two in the morning
        ("2022-03-28", "2022-03-27T22:00"),
        ("2022-10-30", "2022-10-29T22:00"),  # on which it ends, at three
        ("2022-10-31", "2022-10-30T23:00"),
    ],
)
def test_clocks_are_changed_after_midnight(day: str, begins: str) -> None:
    assert midnight(date.fromisoformat(day)) == datetime.fromisoformat(begins).replace(tzinfo=UTC)


@given(st.datetimes(datetime(1997, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_days_are_those_of_the_time_zone(moment: datetime) -> None:
    try:
        rome = zoneinfo.ZoneInfo("Europe/Rome")
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("no database of time zones")
    there = moment.astimezone(rome)
    assert local_day(moment) == there.date()
    begins = midnight(there.date())
    assert begins == there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    assert local_day(begins) == there.date()
    assert local_day(begins - timedelta(microseconds=1)) == there.date() - timedelta(days=1)
