"""What may change the answer of rules: ways to look at the clock by which a change could be overlooked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.rules import turning
from healthcert.rules.book import RuleBook
from healthcert.rules.forecast import forecast
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject
from tests.unit.rules.test_forecast import CLOCK, COMPARISONS, FAIL, OPEN, PASSED, plus, rule, spans, subject

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
START, END = datetime(2023, 3, 11, tzinfo=UTC), datetime(2023, 3, 12, tzinfo=UTC)  # one day, and no midnight in it


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2023-03-11T{text}+00:00")


def on_the_day(logic: Any, **payload: Any) -> list[tuple[datetime, RulingOutcome]]:
    found: list[tuple[datetime, RulingOutcome]] = spans(logic, of=subject(payload=payload), start=START, end=END)
    return found


# --- Changes within a day, which asking at every midnight does not find ---


def test_a_date_with_the_longest_fraction_is_one() -> None:
    sampled = f"2023-03-11T09:00:00.{'0' * 38}+01:00"
    assert len(sampled) == 64
    test = {"var": "payload.t.0.sc"}
    logic = {"not-after": [plus(test, 1, "hour"), CLOCK, plus(test, 2, "hour")]}
    found = on_the_day(logic, t=[{"sc": sampled}])
    assert found == [(START, FAIL), (at("09:00:00"), PASSED), (at("10:00:01"), FAIL)]


def test_a_date_within_an_identifier_is_one() -> None:
    day = {"extractFromUVCI": [{"var": "payload.r.0.ci"}, 2]}
    logic = {"not-after": [plus(day, 5, "hour"), CLOCK, plus(day, 6, "hour")]}
    found = on_the_day(logic, r=[{"ci": "URN:UVCI:01:FR:2023-03-11"}])
    assert found == [(START, FAIL), (at("05:00:00"), PASSED), (at("06:00:01"), FAIL)]


def test_the_clock_may_go_through_a_reduction() -> None:
    later = plus({"var": "accumulator"}, 5, "hour")
    step = {"before": [plus("2023-03-11T20:00:00Z", 0, "day"), later, plus("2023-03-11T21:00:00Z", 0, "day")]}
    logic = {"reduce": [[1], step, CLOCK]}
    assert on_the_day(logic) == [(START, FAIL), (at("15:00:01"), PASSED), (at("16:00:00"), FAIL)]
    through_the_array = {"reduce": [[CLOCK], _current(step), True]}
    assert on_the_day(through_the_array) == on_the_day(logic)


def _current(expression: Any) -> Any:
    """The expression with the item read in the place of the accumulator."""
    if isinstance(expression, dict):
        return {name: _current(value) for name, value in expression.items()}
    if isinstance(expression, list):
        return [_current(one) for one in expression]
    return "current" if expression == "accumulator" else expression


def test_a_clock_that_is_a_text_is_equal_for_one_second() -> None:
    logic = {"===": [CLOCK, "2023-03-11T12:00:00Z"]}
    assert on_the_day(logic) == [(START, FAIL), (at("12:00:00"), PASSED), (at("12:00:01"), FAIL)]
    among = {"in": [CLOCK, ["x", "2023-03-11T12:00:00Z"]]}
    assert on_the_day(among) == on_the_day(logic)


def test_a_clock_that_is_moved_beyond_the_calendar_is_open() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    hours = (last - at("10:30:00")) // HOUR
    logic = {"after": [plus(CLOCK, hours, "hour"), "2024"]}
    assert on_the_day(logic) == [(START, PASSED), (last - hours * HOUR + SECOND, OPEN)]
    logic = {"before": [plus(CLOCK, -2022, "year"), "2024"]}
    found = spans(logic, start=datetime(2022, 12, 31, tzinfo=UTC), end=END)
    assert found == [(datetime(2022, 12, 31, tzinfo=UTC), OPEN), (datetime(2023, 1, 1, tzinfo=UTC), PASSED)]


def test_a_clock_that_takes_another_month_at_midnight_passes_a_date_then() -> None:
    # 28 February and a month is 28 March, and 1 March and a month is 1 April: the 31st is passed at midnight.
    march = datetime(2023, 3, 1, tzinfo=UTC)
    logic = {"before": [plus(CLOCK, 1, "month"), "2023-03-31T12:00:00Z"]}
    found = turning.turning_points([rule(logic)], subject(), 0, 2**33, turning.Effort(9), daily=False)
    assert int(march.timestamp()) in found


# --- What cannot be foretold is not told ---


_MINUTES = {"extractFromUVCI": [{"var": "accumulator"}, 1]}


@pytest.mark.parametrize(
    "logic",
    [
        {"===": [{"extractFromUVCI": [CLOCK, 1]}, "30"]},
        {"===": [{"reduce": [[1], _MINUTES, CLOCK]}, "30"]},
    ],
)
def test_a_rule_that_takes_the_clock_apart_is_refused(logic: Any) -> None:
    with pytest.raises(RuleError, match="takes the clock apart") as caught:
        on_the_day(logic)
    assert caught.value.code == "CERTLOGIC_LIMIT"


def test_a_reduction_that_does_not_touch_the_clock_may_take_apart_what_it_likes() -> None:
    step = {"extractFromUVCI": [{"var": "current.ci"}, 1]}
    logic = {"===": [{"reduce": [{"var": "payload.r"}, step, ""]}, "FR"]}
    assert on_the_day(logic, r=[{"ci": "URN:UVCI:01:FR:X"}]) == [(START, PASSED)]


def test_a_clock_that_is_compared_with_itself_changes_at_midnight() -> None:
    clock = CLOCK
    logic = {"before": [plus(clock, 1, "month"), plus(clock, 30, "day")]}  # in a February of 28 days alone
    found = spans(logic, start=datetime(2023, 1, 1, tzinfo=UTC), end=datetime(2023, 12, 1, tzinfo=UTC))
    book = RuleBook([rule(logic)])
    for hour in range(0, 300 * 24, 5):
        moment = datetime(2023, 1, 1, 0, 30, tzinfo=UTC) + hour * HOUR
        told = [outcome for start, outcome in found if start <= moment][-1]
        assert told is book.judge(subject(), country="FR", at=moment).outcome
    assert len(found) > 2
    with pytest.raises(RuleError, match="compares the clock with itself"):
        turning.turning_points([rule(logic)], subject(), 0, 2**33, turning.Effort(9), daily=False)


# --- Bounds ---

_DEAR = {"reduce": [[1] * 90, {"+": [{"var": "accumulator"}, {"reduce": [[1] * 20, {"+": [1, 1]}, 0]}]}, 0]}
_TRUE, _FALSE, _UNDEFINED = {">": [_DEAR, -1]}, {"<": [_DEAR, -1]}, {"<": [_DEAR, "1"]}


@pytest.mark.parametrize(("logic", "outcome"), [(_TRUE, PASSED), (_FALSE, FAIL), (_UNDEFINED, OPEN)])
def test_a_dear_rule_is_asked_once_where_it_does_not_look_at_the_clock(
    logic: Any, outcome: RulingOutcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "SECONDS", 1.0)  # asked about each day it takes three of them
    five = datetime(2022, 3, 11, tzinfo=UTC)
    assert spans(logic, start=five, end=five + timedelta(days=1826)) == [(five, outcome)]


def test_a_dear_rule_that_looks_at_the_clock_ends_the_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "SECONDS", 0.05)
    logic = {"if": [{"before": [CLOCK, "2023-03-12"]}, _TRUE, _FALSE]}
    with pytest.raises(RuleError, match="take too long") as caught:
        spans(logic, start=datetime(2021, 3, 11, tzinfo=UTC), end=END)
    assert caught.value.code == "CERTLOGIC_LIMIT"


# --- Against every second, and every day ---

DATES = st.sampled_from([
    CLOCK, {"var": "payload.t.0.sc"}, {"var": "external.exp"}, {"var": "external.iat"},
    {"extractFromUVCI": [{"var": "payload.t.0.ci"}, 2]}, "2023-03-11T07:00:00.250Z", "2023-03", "2023-02-28T23:30:00Z",
    {"if": [{"var": "payload.t.0.sc"}, CLOCK, "2023"]},
])  # fmt: skip
SHIFTS = st.one_of(
    st.tuples(st.integers(-30, 30), st.sampled_from(["hour", "day"])),
    st.tuples(st.integers(-3, 3), st.sampled_from(["month", "year"])),
)
MOVED = st.one_of(
    st.builds(lambda date, shift: plus(date, *shift), DATES, SHIFTS),
    st.just({"dccDateOfBirth": [{"var": "payload.dob"}]}),
)
COMPARED = st.one_of(
    st.builds(
        lambda name, operands: {name: operands},
        st.sampled_from(COMPARISONS),
        st.lists(MOVED, min_size=2, max_size=3),
    ),
    st.builds(
        lambda name, shift, other: {
            "reduce": [[1], {name: [plus({"var": "accumulator"}, *shift), _literal(other)]}, CLOCK]
        },
        st.sampled_from(COMPARISONS),
        SHIFTS,
        st.sampled_from(["2023-03-11T09:10:00Z", "2023-03-31"]),
    ),
)  # fmt: skip
LOGIC = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.builds(lambda one: {"!": [one]}, inner),
        st.builds(lambda one, other: {"and": [one, other]}, inner, inner),
        st.builds(lambda *three: {"if": list(three)}, inner, inner, inner),
    ),
    max_leaves=6,
)


def _literal(date: str) -> Any:
    return plus(date, 0, "day")


SUBJECT = subject(
    payload={"t": [{"sc": "2023-03-11T08:13:45.5+01:00", "ci": "URN:UVCI:01:FR:2023-03-11#1"}], "dob": "2005-03"},
    issued_at=datetime(2023, 3, 11, 7, 30, 0, 1, tzinfo=UTC),
    expires_at=datetime(2024, 1, 15, 8, 20, tzinfo=UTC),
)


def _brute(book: RuleBook, certificate: RuleSubject, moment: datetime) -> RulingOutcome:
    assert certificate.issued_at is not None
    assert certificate.expires_at is not None
    if moment < certificate.issued_at or moment >= certificate.expires_at + SECOND:
        return FAIL
    return book.judge(certificate, country="FR", at=moment).outcome


@settings(max_examples=25, deadline=None)
@given(st.lists(LOGIC, min_size=1, max_size=2), st.integers(-30, 40), st.sampled_from([SECOND, 37 * SECOND, 24 * HOUR]))
def test_a_forecast_is_that_of_asking_again_and_again(logics: list[Any], offset: int, step: timedelta) -> None:
    """Every second of 40 minutes, every 37 seconds of a day, or every day of four years."""
    book = RuleBook([rule(one, number=at) for at, one in enumerate(logics)])
    start = datetime(2023, 3, 11, 7, 0, tzinfo=UTC) + offset * HOUR
    end = start + min(2400 * step, timedelta(days=1460))
    found = forecast(book, SUBJECT, country="FR", start=start, end=end)
    place, moment = 0, start
    while moment < end:
        while found[place].end <= moment:
            place += 1
        assert _brute(book, SUBJECT, moment) is found[place].outcome, moment
        moment += step
    for span in found[1:]:
        assert _brute(book, SUBJECT, span.start - SECOND) is not span.outcome
