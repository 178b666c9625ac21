"""A positive test to a recovery, when asked."""

from __future__ import annotations

from msgspec.structs import replace

from healthcert.codings import DETECTED, finding
from healthcert.errors import Code
from healthcert.intake.reading import RecoveryPolicy, RejectedRow, Row, rejected
from healthcert.model import Recovery, TestResult


def as_recovery(row: Row, policy: RecoveryPolicy | None) -> Row | RejectedRow:
    """The row with a recovery in place of a positive test of one of the policy's types; any other row as it is.

    The day of the first positive test is that of the sample where it was taken. That an earlier test was positive is
    not known here: a record is one test.
    """
    event = row.event
    if policy is None or not isinstance(event, TestResult) or event.test_type not in policy.test_types:
        return row
    if finding(event.result) != DETECTED:
        return row
    day = event.day
    if day is None:
        return rejected(row.number, Code.FIELD_INVALID, "sampled_at: a recovery counts from the day of the sample")
    if event.disease is None:
        return rejected(row.number, Code.FIELD_INVALID, "disease: is missing; for example 840539006")
    try:
        # Regulation (EU) 2021/953, Article 7 (4) and Annex, point 3: days after the first positive result.
        valid_from, valid_until = day + policy.valid_from, day + policy.valid_until
    except OverflowError:
        return rejected(row.number, Code.FIELD_INVALID, "sampled_at: a day of this calendar; for example 2021-08-20")
    recovery = Recovery(
        disease=event.disease,
        first_positive=day,
        valid_from=valid_from,
        valid_until=valid_until,
        country=event.country,
        issuer=event.issuer,
        certificate_id=event.certificate_id,
    )
    return replace(row, event=recovery)
