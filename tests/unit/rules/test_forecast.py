"""Forecasts: without gaps, to the second, bounded, and never longer than the certificate itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import RuleError
from healthcert.rules import forecast as forecasts
from healthcert.rules import turning
from healthcert.rules.assessment import Assessment
from healthcert.rules.book import RuleBook
from healthcert.rules.forecast import Span, accepted, forecast
from healthcert.rules.holder import best_of, subject_holder
from healthcert.rules.rule import Rule
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
SAMPLED = datetime(2023, 3, 11, 7, 13, 45, tzinfo=UTC)
START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
CLOCK = {"var": "external.validationClock"}
SC, DF = {"var": "payload.t.0.sc"}, {"var": "payload.r.0.df"}
COMPARISONS = ("before", "after", "not-before", "not-after")
PASSED, FAIL, OPEN, NO_RULES = RulingOutcome


def rule(logic: Any, *, number: int = 1, **changes: Any) -> Rule:
    return Rule(
        **{
            "identifier": f"GR-FR-{number:04}",
            "type": "Acceptance",
            "country": "FR",
            "version": "1.0.0",
            "schema_version": "1.0.0",
            "engine": "CERTLOGIC",
            "engine_version": "1.0.0",
            "certificate_type": "General",
            "descriptions": (("en", "It is what this test says it is."),),
            "valid_from": datetime(2021, 1, 1, tzinfo=UTC),
            "valid_to": datetime(2030, 1, 1, tzinfo=UTC),
            "affected_fields": (),
            "logic": spelled(logic),
            **changes,
        }
    )


def spelled(logic: Any) -> Any:
    """The expression with every date that it compares made one, as the language asks for."""
    if isinstance(logic, list):
        return [spelled(one) for one in logic]
    if not isinstance(logic, dict):
        return logic
    ((operator, operands),) = logic.items()
    if operator not in COMPARISONS:
        return {operator: spelled(operands)}
    return {operator: [one if is_date(one) else plus(one, 0, "day") for one in operands]}


def is_date(logic: Any) -> bool:
    return isinstance(logic, dict) and not logic.keys().isdisjoint(("plusTime", "dccDateOfBirth"))


def plus(date: Any, amount: int, unit: str) -> dict[str, Any]:
    return {"plusTime": [date, amount, unit]}


def subject(**changes: Any) -> RuleSubject:
    payload = {
        "ver": "1.3.0",
        "nam": {"fnt": "EXEMPLAIRE", "gnt": "ZOE"},
        "dob": "1984-02-29",
        "t": [{"sc": "2023-03-11T08:13:45+01:00", "tg": "840539006"}],
    }
    return RuleSubject(payload=payload | changes.pop("payload", {}), issuer="FR", **changes)


def spans(*logics: Any, of: RuleSubject | None = None, start: datetime = START, end: datetime = END) -> list[Any]:
    rules = [logic if isinstance(logic, Rule) else rule(logic, number=at) for at, logic in enumerate(logics, 1)]
    found = forecast(RuleBook(rules), of or subject(), country="fr", start=start, end=end)
    check(found, start, end)
    return [(span.start, span.outcome) for span in found]


def check(found: tuple[Span, ...], start: datetime, end: datetime) -> None:
    assert (found[0].start, found[-1].end) == (start, end)
    for one, next_ in pairwise(found):
        assert one.end == next_.start
        assert one.outcome is not next_.outcome
    assert all(span.start < span.end for span in found)


# --- Changes ---


def test_a_test_is_good_for_its_hours_to_the_second() -> None:
    logic = {"not-after": [SC, CLOCK, plus(SC, 72, "hour")]}
    assert spans(logic) == [(START, FAIL), (SAMPLED, PASSED), (SAMPLED + 72 * HOUR + SECOND, FAIL)]
    logic = {"and": [{"not-before": [CLOCK, SC]}, {"before": [CLOCK, plus(SC, 72, "hour")]}]}
    assert spans(logic) == [(START, FAIL), (SAMPLED, PASSED), (SAMPLED + 72 * HOUR, FAIL)]


def test_changes_within_one_day_are_found() -> None:
    logic = {"before": [plus(SC, 1, "hour"), CLOCK, plus(SC, 2, "hour")]}
    assert spans(logic) == [(START, FAIL), (SAMPLED + HOUR + SECOND, PASSED), (SAMPLED + 2 * HOUR, FAIL)]


def test_a_single_second_is_found() -> None:
    logic = {"not-after": [SC, CLOCK, SC]}
    assert spans(logic) == [(START, FAIL), (SAMPLED, PASSED), (SAMPLED + SECOND, FAIL)]


def test_dates_of_the_rule_count_and_months() -> None:
    logic = {"before": ["2023-02-10T12:00:00+02:00", CLOCK, plus("2023-01-31", 1, "month")]}
    assert spans(logic) == [
        (START, FAIL),
        (datetime(2023, 2, 10, 10, 0, 1, tzinfo=UTC), PASSED),
        (datetime(2023, 3, 3, tzinfo=UTC), FAIL),
    ]


def test_a_clock_that_is_moved_by_months_may_run_back() -> None:
    # 29, 30 and 31 January and a month are 1, 2 and 3 March; 1 February and a month is 1 March again.
    logic = {"not-before": [plus(CLOCK, 1, "month"), "2023-03-02T12:00:00Z"]}
    assert spans(logic) == [
        (START, FAIL),
        (datetime(2023, 1, 30, 12, tzinfo=UTC), PASSED),
        (datetime(2023, 2, 1, tzinfo=UTC), FAIL),
        (datetime(2023, 2, 2, 12, tzinfo=UTC), PASSED),
    ]


@pytest.mark.parametrize(
    ("amount", "unit", "moment"), [(-3, "day", SAMPLED + 3 * DAY), (36, "hour", SAMPLED - 36 * HOUR)]
)
def test_a_clock_that_is_moved(amount: int, unit: str, moment: datetime) -> None:
    assert spans({"not-before": [plus(CLOCK, amount, unit), SC]}) == [(START, FAIL), (moment, PASSED)]


def test_a_date_that_no_field_holds_whole_is_found_by_the_days() -> None:
    uvci = "URN:UVCI:01:FR:2023-06-07"
    logic = {"not-before": [CLOCK, plus({"extractFromUVCI": [{"var": "payload.r.0.ci"}, 2]}, 5, "hour")]}
    found = spans(logic, of=subject(payload={"r": [{"ci": uvci}]}))
    assert found == [(START, FAIL), (datetime(2023, 6, 7, 5, tzinfo=UTC), PASSED)]


def test_rules_begin_and_end() -> None:
    begin, end = datetime(2023, 5, 1, 1, 2, 3, tzinfo=UTC), datetime(2023, 5, 1, 4, 5, 6, tzinfo=UTC)
    true = {"===": [1, 1]}
    found = spans(rule(true, valid_from=begin, valid_to=end))
    assert found == [(START, NO_RULES), (begin, PASSED), (end, NO_RULES)]
    later = rule({"===": [1, 2]}, version="1.1.0", valid_from=begin, valid_to=end)
    assert spans(rule(true), later) == [(START, PASSED), (begin, FAIL), (end, PASSED)]


def test_what_cannot_be_told_is_open_all_along() -> None:
    assert spans({"before": [{"var": "payload.t.0.none"}, CLOCK]}) == [(START, OPEN)]
    assert spans(rule({"===": [1, 1]}, country="DE")) == [(START, NO_RULES)]
    assert spans(rule({"plusTime": ["2023", 1, "day"]})) == [(START, OPEN)]


def test_rules_of_invalidation_of_the_issuer_count() -> None:
    logic = {"before": [CLOCK, "2023-07-01"]}
    invalid = rule(logic, type="Invalidation", country="FR", identifier="IR-FR-0001")
    assert spans({"===": [1, 1]}, invalid) == [(START, PASSED), (datetime(2023, 7, 1, tzinfo=UTC), FAIL)]


# --- The certificate's own times ---


def test_nothing_is_accepted_before_a_certificate_is_issued_or_after_it_expires() -> None:
    issued, expires = datetime(2023, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC)
    for logics in ([{"===": [1, 1]}], []):
        found = spans(*logics, of=subject(issued_at=issued, expires_at=expires))
        # A certificate is valid in the second that exp names, and not in the next one.
        assert found == [(START, FAIL), (issued, PASSED if logics else NO_RULES), (expires + SECOND, FAIL)]


def test_times_of_a_certificate_that_are_no_whole_seconds() -> None:
    issued, expires = SAMPLED + SECOND / 4, SAMPLED + 10 * SECOND + SECOND / 2
    found = spans({"===": [1, 1]}, of=subject(issued_at=issued, expires_at=expires))
    assert found == [(START, FAIL), (SAMPLED + SECOND, PASSED), (SAMPLED + 11 * SECOND, FAIL)]


# --- Bounds ---


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, START),
        (END, START),
        (START, START + forecasts.LONGEST + SECOND),
        (START.replace(tzinfo=None), END),
        (START, END.replace(tzinfo=None)),
        (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_ranges_that_are_none(start: datetime, end: datetime) -> None:
    with pytest.raises(RuleError) as caught:
        forecast(RuleBook(), subject(), country="FR", start=start, end=end)
    assert (caught.value.code, caught.value.step) == ("FIELD_INVALID", "rules")


def test_the_longest_range_and_the_edges_of_the_calendar() -> None:
    always = {"===": [1, 1]}
    assert spans(always, end=START + forecasts.LONGEST) == [(START, PASSED)]
    last = datetime.max.replace(tzinfo=UTC, microsecond=0)
    assert spans(always, start=last - DAY, end=last) == [(last - DAY, NO_RULES)]
    first = datetime(1, 1, 1, tzinfo=UTC)
    assert spans(always, start=first, end=first + SECOND) == [(first, NO_RULES)]
    half = START + SECOND / 2
    assert spans(always, start=half, end=half + SECOND / 8) == [(half, PASSED)]


def test_dates_beyond_the_calendar_are_no_turning_points() -> None:
    logic = {"if": [{"before": [CLOCK, plus("9999-12-31", 9999, "year")]}, True, False]}
    assert spans(logic) == [(START, OPEN)]


def test_a_forecast_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    logic = {"not-after": [SC, CLOCK, plus(SC, 72, "hour")]}
    monkeypatch.setattr(forecasts, "JUDGEMENTS", 300)
    with pytest.raises(RuleError, match="CERTLOGIC_LIMIT"):
        spans(logic)
    monkeypatch.undo()
    monkeypatch.setattr(turning, "PRODUCTS", 3)
    with pytest.raises(RuleError, match="CERTLOGIC_LIMIT"):
        spans(logic)


def test_a_rule_that_is_too_large_is_open_and_no_trouble() -> None:
    deep: Any = CLOCK
    for _ in range(200):
        deep = {"!": [deep]}
    assert spans(rule(plus(deep, 1, "day")), {"===": [1, 1]}) == [(START, OPEN)]


# --- Against every second ---

moments = st.sampled_from([CLOCK, SC, "2023-03-12", "2023-02-28T23:59:59Z", "2023"])
moved = st.one_of(
    moments.map(lambda date: plus(date, 0, "day")),
    st.builds(
        plus,
        moments,
        st.integers(-40, 40),
        st.sampled_from(["hour", "day"]),
    ),
    st.builds(plus, moments, st.integers(-3, 3), st.sampled_from(["month", "year"])),
)
compared = st.builds(
    lambda operator, operands: {operator: operands},
    st.sampled_from(COMPARISONS),
    st.lists(moved, min_size=2, max_size=3),
)
logic = st.recursive(
    compared,
    lambda inner: st.one_of(
        st.builds(lambda one: {"!": [one]}, inner),
        st.builds(lambda one, other: {"and": [one, other]}, inner, inner),
        st.builds(lambda *three: {"if": list(three)}, inner, inner, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(logic, min_size=1, max_size=3), st.data())
def test_a_forecast_is_what_the_rules_say_at_any_second(logics: list[Any], data: st.DataObject) -> None:
    start, end = datetime(2022, 12, 25, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)
    certificate = subject(issued_at=datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC), expires_at=SAMPLED + 30 * DAY)
    book = RuleBook([rule(one, number=at) for at, one in enumerate(logics)])
    found = forecast(book, certificate, country="FR", start=start, end=end)
    check(found, start, end)
    near = [span.start for span in found] + [SAMPLED + hours * HOUR for hours in range(-50, 50)]
    asked = [moment + seconds * SECOND for moment in near for seconds in (-1, 0, 1)]
    asked += [start + seconds * SECOND for seconds in data.draw(st.lists(st.integers(0, 150 * 86_400), max_size=50))]
    assert certificate.issued_at is not None
    assert certificate.expires_at is not None
    for at in asked:
        if start <= at < end:
            said = next(span.outcome for span in found if span.end > at)
            inside = certificate.issued_at <= at <= certificate.expires_at
            assert said is (book.judge(certificate, country="FR", at=at).outcome if inside else FAIL)


# --- The time around a moment ---


def asked(at: datetime, *logics: Any, of: RuleSubject | None = None) -> Assessment:
    book = RuleBook([rule(logic, number=number) for number, logic in enumerate(logics, 1)])
    return accepted(book, of or subject(), country="FR", at=at)


def test_the_window_around_a_moment_the_next_one_or_none() -> None:
    logic = {"not-after": [SC, CLOCK, plus(SC, 72, "hour")]}
    window = (SAMPLED, SAMPLED + 72 * HOUR + SECOND)
    for at, outcome, expected in (
        (SAMPLED - DAY, FAIL, window),
        (SAMPLED, PASSED, window),
        (SAMPLED + 72 * HOUR + SECOND / 2, PASSED, window),
        (SAMPLED + 72 * HOUR + SECOND, FAIL, (None, None)),
    ):
        found = asked(at, logic)
        assert (found.outcome, (found.valid_from, found.valid_until)) == (outcome, expected)
    assert found.reasons == (
        "GR-FR-0001 is not met: It is what this test says it is.",
        "there is no time ahead at which it is accepted",
    )


def test_what_is_always_accepted_has_no_bounds() -> None:
    found = asked(SAMPLED, {"===": [1, 1]})
    assert (found.outcome, found.valid_from, found.valid_until) == (PASSED, None, None)
    assert found.reasons == ("all rules are met",)


def test_reasons_name_no_data() -> None:
    expired = asked(SAMPLED, {"===": [1, 1]}, of=subject(expires_at=SAMPLED - DAY))
    assert (expired.outcome, expired.reasons[0]) == (FAIL, "the certificate has expired")
    early = asked(SAMPLED, {"===": [1, 1]}, of=subject(issued_at=SAMPLED + DAY))
    assert (early.valid_from, early.reasons[0]) == (SAMPLED + DAY, "the certificate is not valid yet")
    broken = asked(SAMPLED, {"before": [{"var": "payload.nam.fnt"}, CLOCK]})
    assert broken.outcome is OPEN
    assert broken.reasons[0].startswith("GR-FR-0001 could not be evaluated: ")
    assert "EXEMPLAIRE" not in str(broken.reasons)
    assert asked(SAMPLED).reasons[0] == "there are no rules about such a certificate"
    unreadable = accepted(RuleBook([rule({"===": [1, 1]})], None, {"FR": 2}), subject(), country="FR", at=SAMPLED)
    assert (unreadable.outcome, unreadable.reasons[0]) == (OPEN, "2 rules could not be read")


@pytest.mark.parametrize(
    "at",
    [
        SAMPLED.replace(tzinfo=None),
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(HOUR)),
        datetime(9999, 1, 1, tzinfo=UTC),
    ],
)
def test_moments_that_cannot_be_asked_about(at: datetime) -> None:
    with pytest.raises(RuleError, match="FIELD_INVALID"):
        asked(at)


# --- The best of several ---

RECOVERED = {
    "if": [DF, {"not-after": [DF, CLOCK, plus(DF, 30, "day")]}, {"not-after": [SC, CLOCK, plus(SC, 2, "day")]}]
}


def recovery(day: str, **changes: Any) -> RuleSubject:
    return subject(payload={"t": [], "r": [{"df": day}], **changes})


def best(at: datetime, *subjects: RuleSubject, logic: Any = RECOVERED) -> int | None:
    found = best_of(RuleBook([rule(logic)]), subjects, country="FR", at=at)
    if found is None:
        return None
    assert found.subject is subjects[found.place]
    return found.place


def test_the_best_is_accepted_now_and_for_longest_or_else_soonest() -> None:
    given_ = (subject(), recovery("2023-03-01"), recovery("2023-02-20"), recovery("2023-05-01"))
    assert best(SAMPLED, *given_) == 1
    assert best(SAMPLED, *reversed(given_)) == 2
    assert best(datetime(2023, 4, 15, tzinfo=UTC), *given_) == 3
    assert best(datetime(2023, 2, 1, tzinfo=UTC), *given_) == 2
    assert best(datetime(2023, 8, 1, tzinfo=UTC), *given_) is None


def test_of_equal_ones_the_first_is_the_best() -> None:
    assert best(SAMPLED, recovery("2023-03-01"), recovery("2023-03-01")) == 0
    assert best(SAMPLED, recovery("2023-03-01"), replace(subject(), expires_at=END), logic={"===": [1, 1]}) == 0
    assert best(SAMPLED, replace(subject(), expires_at=END), recovery("2023-03-01"), logic={"===": [1, 1]}) == 1
    assert best(SAMPLED) is None


def test_holders_are_not_mixed() -> None:
    other = recovery("2023-03-01", nam={"fnt": "DUPONT", "gnt": "JEAN"})
    with pytest.raises(RuleError) as caught:
        best(SAMPLED, subject(), other)
    assert caught.value.code == "FIELD_INVALID"
    assert "DUPONT" not in str(caught.value)


@pytest.mark.parametrize("changes", [{"nam": None}, {"nam": {"fnt": 1, "gn": []}, "dob": 1964}])
def test_a_payload_that_names_nobody(changes: dict[str, Any]) -> None:
    holder = subject_holder(subject(payload=changes))
    assert (holder.name, holder.family_name_icao) == ("", None)
