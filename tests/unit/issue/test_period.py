"""The times of a key: within its certificate, and never beyond it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import healthcert as hc
from healthcert.issue.period import period_of, usage_period
from healthcert.issue.pki import new_csca, new_dsc
from tests.support import DAY, NOW, csca, dsc

END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_lead_and_use_lie_within_the_certificate() -> None:
    der = new_dsc(csca(), "DSC", now=NOW, validity=100 * DAY).certificate_der()
    plain = period_of(der)
    assert (plain.use_from, plain.use_until) == (plain.not_before, plain.not_after) == (NOW, NOW + 100 * DAY)
    led = period_of(der, lead=30 * DAY, use=50 * DAY)
    assert (led.use_from, led.use_until) == (NOW + 30 * DAY, NOW + 80 * DAY)
    long = period_of(der, lead=200 * DAY, use=500 * DAY)
    assert (long.use_from, long.use_until) == (NOW + 100 * DAY, NOW + 100 * DAY)
    assert not long.in_use(NOW + 100 * DAY)


def test_what_the_certificate_states_is_the_narrower() -> None:
    der = new_dsc(csca(), "DSC", now=NOW, use=40 * DAY).certificate_der()
    assert usage_period(der) == (NOW, NOW + 40 * DAY)
    assert period_of(der, use=90 * DAY).use_until == NOW + 40 * DAY
    assert period_of(der, use=20 * DAY).use_until == NOW + 20 * DAY
    assert usage_period(dsc().certificate_der()) == (None, None)
    assert usage_period(b"nothing") == (None, None)


def test_the_ends_are_outside_and_the_end_of_time_overflows_nothing() -> None:
    pair = new_csca("FR", "For ever", now=NOW, validity=END - NOW)
    period = period_of(pair.certificate.public_bytes(Encoding.DER), lead=timedelta.max, use=timedelta.max)
    assert period.not_after == END
    assert period.outlives(NOW, END - NOW)
    assert not period.outlives(NOW, timedelta.max)
    plain = period_of(pair.certificate_der())
    assert plain.in_use(NOW)
    assert not plain.valid(NOW - timedelta(seconds=1))
    assert not plain.valid(END)


def test_what_is_no_certificate_has_no_times() -> None:
    with pytest.raises(hc.TrustError):
        period_of(b"nothing")
