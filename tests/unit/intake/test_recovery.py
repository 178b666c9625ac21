"""A positive test becomes a recovery when asked, and nothing else does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import COVID_19, DETECTED, NAAT, RAPID_ANTIGEN
from healthcert.intake.reading import RecoveryPolicy, RejectedRow, Row
from healthcert.intake.recovery import as_recovery
from tests.support import HOLDER, TEST, VACCINATION

POLICY = RecoveryPolicy()
POSITIVE = replace(TEST, result=DETECTED, sampled_at=datetime(2021, 8, 20, 10, tzinfo=UTC), country="FR")


def row(event: hc.Event) -> Row:
    return Row(number=7, holder=HOLDER, event=event)


def test_a_positive_naat_is_a_recovery() -> None:
    found = as_recovery(row(POSITIVE), POLICY)
    assert isinstance(found, Row)
    assert (found.number, found.holder) == (7, HOLDER)
    assert found.event == hc.Recovery(
        disease=COVID_19,
        first_positive=date(2021, 8, 20),
        valid_from=date(2021, 8, 31),
        valid_until=date(2022, 2, 16),
        country="FR",
        issuer="Ministry of Examples",
    )


def test_the_days_and_types_are_the_policy_s() -> None:
    policy = RecoveryPolicy(
        valid_from=timedelta(days=14), valid_until=timedelta(days=90), test_types=(NAAT, RAPID_ANTIGEN)
    )
    found = as_recovery(row(replace(POSITIVE, test_type=RAPID_ANTIGEN)), policy)
    assert isinstance(found, Row)
    assert isinstance(found.event, hc.Recovery)
    assert (found.event.valid_from, found.event.valid_until) == (date(2021, 9, 3), date(2021, 11, 18))


@pytest.mark.parametrize(
    "event",
    [TEST, VACCINATION, replace(POSITIVE, test_type=RAPID_ANTIGEN), replace(POSITIVE, test_type=None)],
    ids=["negative", "vaccination", "rapid", "of no type"],
)
def test_everything_else_stays(event: hc.Event) -> None:
    given = row(event)
    assert as_recovery(given, POLICY) is given
    assert as_recovery(row(POSITIVE), None) == row(POSITIVE)


def test_the_day_is_that_of_where_the_sample_was_taken() -> None:
    late = datetime(2021, 8, 20, 23, 30, tzinfo=timezone(timedelta(hours=-4)))
    found = as_recovery(row(replace(POSITIVE, sampled_at=late)), POLICY)
    assert isinstance(found, Row)
    assert isinstance(found.event, hc.Recovery)
    assert found.event.first_positive == date(2021, 8, 20)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (replace(POSITIVE, sampled_at=None), "sampled_at"),
        (replace(POSITIVE, sampled_at=datetime(9999, 12, 31, tzinfo=UTC)), "sampled_at"),
        (replace(POSITIVE, disease=None), "disease"),
    ],
)
def test_what_has_no_day_or_disease_is_rejected(event: hc.TestResult, field: str) -> None:
    found = as_recovery(row(event), POLICY)
    assert isinstance(found, RejectedRow)
    assert (found.number, found.error.code) == (7, "FIELD_INVALID")
    assert found.error.detail.startswith(f"{field}: ")
