"""Stretches of time: what is told of them, and what several certificates come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import Code, RuleError
from healthcert.rules.national.segments import (
    FAIL,
    NO_RULES,
    OPEN,
    PASSED,
    Segment,
    Timeline,
    always,
    assess_each,
    at_moment,
    best,
    between,
    spliced,
    together,
    told,
    undetermined,
)
from healthcert.rules.subject import RuleSubject
from tests.unit.rules.national.cases import moment, of, subject

START, END = moment("2022-01-10"), moment("2022-02-10")
SECOND = timedelta(seconds=1)
MONTH = between(START, END, before="too early", during="now", after="too late")
OUTCOMES = (PASSED, FAIL, OPEN, NO_RULES)


@pytest.mark.parametrize(
    ("at", "outcome", "reason", "bounds"),
    [
        (START - SECOND, FAIL, "too early", (START, END)),
        (START, PASSED, "now", (START, END)),
        (END - SECOND, PASSED, "now", (START, END)),
        (END, FAIL, "too late", (None, None)),
    ],
)
def test_the_time_around_a_moment_or_the_next_one_is_told(
    at: datetime, outcome: object, reason: str, bounds: tuple[datetime | None, datetime | None]
) -> None:
    found = told(MONTH, at)
    assert found.outcome is outcome
    assert found.reasons == (reason,)
    assert (found.valid_from, found.valid_until) == bounds


def test_a_time_that_ends_before_it_begins_is_none() -> None:
    found = told(between(END, START, before="b", during="d", after="a"), START)
    assert (found.outcome, found.valid_from, found.reasons) == (FAIL, None, ("a",))


def test_neighbours_of_one_answer_are_one_stretch_and_another_status_is_another_answer() -> None:
    middle = moment("2022-01-20")
    same = (*MONTH[:2], Segment(middle, PASSED, ("for another reason",)), MONTH[2])
    assert told(same, START).valid_until == END
    other = (*MONTH[:2], Segment(middle, PASSED, ("now",), "better"), MONTH[2])
    assert told(other, START).valid_until == middle
    assert told(other, middle).status == "better"


def test_of_several_certificates_the_best_counts_at_each_time() -> None:
    later = between(moment("2022-02-01"), moment("2022-03-01"), before="b", during="the other", after="a")
    both = together([MONTH, later], best)
    assert (told(both, START).valid_from, told(both, START).valid_until) == (START, moment("2022-03-01"))
    assert told(both, moment("2022-02-20")).reasons == ("the other",)
    assert told(together([MONTH, always(OPEN, "who knows")], best), END).outcome is OPEN


def test_what_cannot_be_told_is_open_and_no_certificate_counts_outside_its_own_time() -> None:
    one = subject(of("v"), issued_at=moment("2022-01-15"), expires_at=moment("2022-01-20"))
    good = assess_each([one], moment("2022-01-16"), lambda _: MONTH)
    assert (good.valid_from, good.valid_until) == (moment("2022-01-15"), moment("2022-01-20") + SECOND)
    assert assess_each([one], moment("2022-01-20") + SECOND, lambda _: MONTH).outcome is FAIL
    assert assess_each([one], moment("2022-01-14"), lambda _: MONTH).outcome is FAIL

    def unable(_: RuleSubject) -> Timeline:
        raise undetermined("nobody knows")

    found = assess_each([one], moment("2022-01-16"), unable)
    assert (found.outcome, found.reasons, found.valid_from) == (OPEN, ("nobody knows",), None)


def test_certificates_of_several_holders_are_not_judged_together() -> None:
    other = subject(of("t"), born="1990-01-01")
    found = assess_each([subject(of("v")), other], START, lambda _: MONTH)
    assert found.outcome is OPEN
    assert "not of one holder" in found.reasons[0]
    assert assess_each([], START, lambda _: MONTH).outcome is OPEN


@pytest.mark.parametrize("at", [datetime(2022, 1, 1), datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])  # noqa: DTZ001
def test_moments_that_cannot_be_meant_are_refused(at: datetime) -> None:
    with pytest.raises(RuleError) as caught:
        assess_each([subject(of("v"))], at, lambda _: MONTH)
    assert caught.value.code is Code.FIELD_INVALID


DAYS = st.integers(0, 40).map(lambda days: START + timedelta(days=days))
STRETCHES = st.lists(st.tuples(DAYS, st.sampled_from(OUTCOMES)), max_size=5, unique_by=lambda one: one[0])


def timeline(starts: list[tuple[datetime, object]]) -> Timeline:
    rest = [Segment(start, outcome, (str(outcome),)) for start, outcome in sorted(starts, key=lambda one: one[0])]  # type: ignore[arg-type]
    return (Segment(None, FAIL, ("first",)), *rest)


@given(STRETCHES, STRETCHES, DAYS, DAYS)
def test_timelines_are_put_together_as_they_are_at_each_moment(
    one: list[tuple[datetime, object]], other: list[tuple[datetime, object]], cut: datetime, at: datetime
) -> None:
    first, second = timeline(one), timeline(other)
    joined = at_moment(spliced(first, cut, second), at)
    assert joined.outcome is at_moment(first if at < cut else second, at).outcome
    both = at_moment(together([first, second], best), at)
    assert both.outcome is best([at_moment(first, at), at_moment(second, at)]).outcome


@given(STRETCHES, DAYS)
def test_what_is_told_agrees_with_every_moment(starts: list[tuple[datetime, object]], at: datetime) -> None:
    line = timeline(starts)
    found = told(line, at)
    assert found.outcome is at_moment(line, at).outcome
    if found.outcome is PASSED:
        assert found.valid_from is not None
        assert found.valid_from <= at
        assert found.valid_until is None or at < found.valid_until
    if found.valid_from is not None:
        assert at_moment(line, found.valid_from).outcome is PASSED
        assert at_moment(line, found.valid_from - SECOND).outcome is not PASSED
    if found.valid_until is not None:
        assert at_moment(line, found.valid_until).outcome is not PASSED
    if found.valid_from is None:
        assert all(at_moment(line, at + timedelta(days=day)).outcome is not PASSED for day in range(45))
