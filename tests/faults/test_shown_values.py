"""What is shown of a certificate that departs from the letter: what was written, in every notation of the field."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

import healthcert as hc
from tests.support import TEST_ENTRY, Press, payload, payload_with, vaccination, verifier


def accepted(content: dict[str, Any]) -> hc.HealthCertificate:
    return verifier().verify(Press(payload=content).text()).certificate


def tagged(text: str) -> cbor2.CBORTag:
    return cbor2.CBORTag(0, text)


@pytest.mark.parametrize("written", ["2021-06-11", "2021-06-11T23:30:00-05:00"])
def test_the_day_that_is_shown_is_the_one_that_was_written(written: str) -> None:
    (event,) = accepted(vaccination(dt=written)).events
    assert isinstance(event, hc.Vaccination)
    assert event.date is not None
    assert event.date.isoformat() == "2021-06-11"


@pytest.mark.parametrize(
    ("sampled", "utc"),
    [
        ("2021-08-19T10:00:00Z", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T12:00:00+02:00", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T12:00:00+0200", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T12:00:00+02", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T10:00:00.25Z", "2021-08-19T10:00:00.250000+00:00"),
        ("2021-08-19t10:00:00,007z", "2021-08-19T10:00:00.007000+00:00"),
        (tagged("2021-08-19T12:00:00+02:00"), "2021-08-19T10:00:00+00:00"),
    ],
)
def test_a_sample_time_is_read_in_every_notation_of_the_field(sampled: Any, utc: str) -> None:
    (event,) = accepted(payload_with("t", TEST_ENTRY | {"sc": sampled})).events
    assert isinstance(event, hc.TestResult)
    assert event.sampled_at is not None
    assert event.sampled_at.isoformat() == utc


@pytest.mark.parametrize("field", ["tg", "ci", "\x1b[2JMüller"])
def test_only_a_date_may_be_tagged_as_one(field: str) -> None:
    entry = TEST_ENTRY | {field: tagged("840539006"), "sc": tagged("2021-08-19T10:00:00Z")}
    report = verifier().examine(Press(payload=payload_with("t", entry)).text())
    said = [warning.detail for warning in report.warnings] + [report.detail]
    assert [line for line in said if "Müller" in line] == []
    assert (report.outcome is hc.Outcome.REFUSED) is (field in TEST_ENTRY)


def test_keys_the_schema_does_not_name_are_kept() -> None:
    extra: dict[Any, Any] = payload(meta={"reference": "R1"}) | {"pid": 7, 7: "x"}
    extra["v"][0]["ic"] = "X"
    certificate = accepted(extra)
    assert certificate.holder.other == {"meta": {"reference": "R1"}, "pid": 7, "7": "x"}
    assert certificate.events[0].other == {"ic": "X"}
    assert certificate.raw == extra
