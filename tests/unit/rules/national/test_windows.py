"""The time that an answer names agrees with what is said at every other moment."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.rules import turning
from healthcert.rules.assessment import NationalRules
from healthcert.rules.national.registry import national_rules
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import shipped
from tests.unit.rules.national import test_swiss
from tests.unit.rules.national.cases import (
    BIONTECH,
    JANSSEN,
    NEGATIVE,
    NOVAVAX,
    PCR,
    POSITIVE,
    RAPID,
    moment,
    of,
    plus,
    rule,
    subject,
    var,
)
from tests.unit.rules.national.test_registry import DOCUMENTS

UNITS = st.sampled_from(["hour", "day", "month", "year"])
SHIFTS = st.tuples(st.integers(-20, 20), UNITS)
COMPARISONS = st.sampled_from(["before", "after", "not-before", "not-after"])
CLOCKS = st.sampled_from(["external.validationClock", "external.validationClockAtStartOfDay"])
DATES = st.sampled_from([var("payload.v.0.dt"), var("payload.h.exp"), "2022-03-31", "2022-05-01T10:30:15.250Z"])


@st.composite
def comparisons(draw: st.DrawFn) -> Any:
    """The clock and a date, each moved by some time."""
    clock = plus(var(draw(CLOCKS)), *draw(SHIFTS))
    return {draw(COMPARISONS): [clock, plus(draw(DATES), *draw(SHIFTS))]}


LOGICS = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(lambda one, other: {"and": [one, other]}, inner, inner),
        st.builds(lambda one: {"!": [one]}, inner),
        st.builds(lambda guard, one, other: {"if": [guard, one, other]}, inner, inner, inner),
    ),
    max_leaves=4,
)
YEARS = st.datetimes(datetime(2018, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ENTRIES_OF_DATES = st.builds(
    lambda group, day, changes: of(group, dt=f"{day}", fr=f"{day}", df=f"{day}", sc=f"{day}T10:00:00Z", **changes),
    st.sampled_from(["v", "t", "r"]),
    st.dates(date(2021, 6, 1), date(2022, 6, 1)),
    st.fixed_dictionaries(
        {
            "dn": st.integers(0, 4),
            "sd": st.integers(1, 3),
            "mp": st.sampled_from([BIONTECH, JANSSEN, NOVAVAX, "Sputnik-V"]),
            "co": st.sampled_from(["IT", "DE", "SM"]),
            "tt": st.sampled_from([PCR, RAPID]),
            "tr": st.sampled_from([NEGATIVE, POSITIVE]),
        }
    ),
)
CERTIFICATE = subject(of("v", dn=2, sd=2), expires_at=moment("2023-02-10T07:30:01"), issued_at=moment("2022-01-11"))


def agrees(rules: NationalRules, one: RuleSubject, at: datetime, other: datetime, options: dict[str, str]) -> None:
    here = rules.assess([one], at, options=options)
    there = rules.assess([one], other, options=options)
    holds = there.outcome is RulingOutcome.PASSED
    if here.valid_from is None and here.valid_until is None:
        assert not (holds and other >= at)
        return
    first, last = here.valid_from or other, here.valid_until or other + timedelta(seconds=1)
    if first <= other < last:
        assert holds
    elif at <= other < first:
        assert not holds
    for outside in (last, first - timedelta(seconds=1)):
        if here.valid_from is not None and here.valid_until is not None:
            assert rules.assess([one], outside, options=options).outcome is not RulingOutcome.PASSED


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(LOGICS, YEARS, YEARS)
def test_swiss_rules_say_at_every_moment_what_was_told(logic: Any, at: datetime, other: datetime) -> None:
    members = rule("VR-CH-0001", logic, ValidFrom="2015-01-01T00:00:00Z", ValidTo="2030-01-01T00:00:00Z")
    rules = national_rules("ch", test_swiss.document(test_swiss.small(members)), shipped())
    agrees(rules, CERTIFICATE, at, other, {})


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(LOGICS, YEARS, YEARS)
def test_german_rules_say_at_every_moment_what_was_told(logic: Any, at: datetime, other: datetime) -> None:
    members = {"ValidFrom": "2015-01-01T00:00:00Z", "ValidTo": "2030-01-01T00:00:00Z"}
    given_ = [
        rule("IR-DE-0001", {"!": [logic]}, Type="Invalidation", **members),
        rule("MA-DE-0001", {"===": [var("payload.v.0.dn"), 2]}, Type="Mask", **members),
    ]
    rules = national_rules("de-domestic", json.dumps(given_).encode(), shipped())
    one = RuleSubject(
        payload=CERTIFICATE.payload,
        issuer="DE",
        issued_at=CERTIFICATE.issued_at,
        expires_at=CERTIFICATE.expires_at,
    )
    agrees(rules, one, at, other, {"status": "Mask"})


def _dear(clocked: Any) -> Any:
    inner = {"reduce": [[1] * 90, {"+": [1, 1]}, 0]}
    dear = {">": [{"reduce": [[1] * 90, {"+": [var("accumulator"), inner]}, 0]}, 0]}
    return {"if": [clocked, dear, dear]}


@pytest.mark.parametrize("name", ["ch", "de-domestic", "booster"])
def test_rules_that_take_too_long_are_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "SECONDS", 0.05)
    clocked = {
        "and": [
            {"!": [{"before": [plus(var("external.validationClock"), number, "hour"), plus("2022", 0, "day")]}]}
            for number in range(60)
        ]
    }
    types = {"de-domestic": "Mask", "booster": "BoosterNotification", "ch": "Acceptance"}
    logic = rule("XX-DE-0001", _dear(clocked), Type=types[name])
    document = test_swiss.document(test_swiss.small(logic)) if name == "ch" else json.dumps([logic]).encode()
    rules = national_rules(name, document, shipped())
    found = rules.assess([CERTIFICATE], moment("2022-06-01"), options={})
    assert found.outcome is RulingOutcome.OPEN
    assert any("take too long" in reason for reason in found.reasons)


@pytest.mark.parametrize("other", ["external.validationClock", "external.validationClockAtStartOfDay"])
def test_swiss_rules_that_compare_the_clock_with_itself_are_open(other: str) -> None:
    """Open from midnight to six each day: no list of moments is as long as that."""
    logic = {"before": [plus(var(other), 6, "hour"), plus(var("external.validationClock"), 0, "day")]}
    rules = national_rules("ch", test_swiss.document(logic), shipped())
    found = rules.assess([CERTIFICATE], moment("2022-06-01"), options={})
    assert found.outcome is RulingOutcome.OPEN
    assert "cannot be foretold" in found.reasons[0]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(["it", "fr"]), ENTRIES_OF_DATES, YEARS, YEARS, st.data())
def test_settings_say_at_every_moment_what_was_told(
    name: str, entry: dict[str, Any], at: datetime, other: datetime, data: st.DataObject
) -> None:
    rules = national_rules(name, DOCUMENTS[name], shipped())
    options = {option: data.draw(st.sampled_from(values)) for option, values in rules.options.items()}
    agrees(rules, subject(entry, born="2005-05-17"), at, other, options)
