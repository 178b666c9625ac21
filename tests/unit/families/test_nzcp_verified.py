"""NZ COVID Pass through the whole verification: each fault fails the step that it belongs to, and no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import healthcert as hc
from healthcert.errors import Code, Step
from tests.support_nzcp import (
    CLAIMS,
    CTI,
    END,
    ISSUER,
    KID,
    NOW,
    START,
    Press,
    claims_with,
    issued,
    trusted_key,
    without,
)

SECOND = timedelta(seconds=1)


def examine(text: str, at: Any = NOW, *keys: hc.TrustedKey, policy: hc.Policy | None = None) -> hc.Report:
    return hc.Verifier(hc.TrustStore(keys or (trusted_key(),)), policy=policy, clock=hc.FixedClock(at)).examine(text)


def failed(report: hc.Report) -> list[tuple[Step, Code | None]]:
    return [(s.step, s.code) for s in report.steps if s.outcome is hc.StepResult.FAILED]


def test_a_pass_is_accepted_by_itself() -> None:
    for policy in (hc.Policy(), hc.Policy.strict()):
        report = examine(issued() + "\r\n", policy=policy)
        assert (report.outcome, report.family, report.warnings) == (hc.Outcome.ACCEPTED, "NZ COVID Pass", ())
        assert report.certificate is not None
        assert report.certificate.identifiers == (CTI.urn,)


@pytest.mark.parametrize(
    ("press", "step", "code"),
    [
        (Press(protected={1: -7}), Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST),
        (Press(protected={1: -7}, unprotected={4: KID.encode()}), Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST),
        (Press(protected={4: b"key-2", 1: -7}), Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST),
        (Press(claims=CLAIMS | {1: ISSUER + "x"}), Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST),
        (Press(claims=without(1)), Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST),
        (Press(claims=CLAIMS | {1: "https://passes.example.nz"}), Step.TRUST, Code.ISSUER_INVALID),
        (Press(protected={4: KID.encode()}), Step.SIGNATURE, Code.ALGORITHM_NOT_ACCEPTED),
        (Press(protected={4: KID.encode()}, unprotected={1: -7}), Step.SIGNATURE, Code.ALGORITHM_NOT_ACCEPTED),
        (Press(protected={4: KID.encode(), 1: -37}), Step.SIGNATURE, Code.ALGORITHM_NOT_ACCEPTED),
        (Press(claims=without(4)), Step.TIME, Code.CWT_TIME_INVALID),
        (Press(claims=without(5)), Step.TIME, Code.CWT_TIME_INVALID),
        (Press(claims=CLAIMS | {4: "2022-06-01"}), Step.TIME, Code.CWT_TIME_INVALID),
        (Press(claims=without(7)), Step.CONTENT, Code.SCHEMA_VALIDATION_FAILED),
        (Press(claims=without("vc")), Step.CONTENT, Code.SCHEMA_VALIDATION_FAILED),
        (Press(claims=claims_with(dob="1984")), Step.CONTENT, Code.SCHEMA_VALIDATION_FAILED),
        (Press(tag=None), Step.DECODE, Code.COSE_DESERIALIZATION_FAILED),
        (Press(prefix="NZCP:/2/"), Step.DECODE, Code.UNSUPPORTED_VERSION),
    ],
)
def test_each_fault_fails_its_own_step(press: Press, step: Step, code: Code) -> None:
    report = examine(press.text())
    assert report.outcome is hc.Outcome.REFUSED
    assert failed(report) == [(step, code)]


def test_it_holds_from_nbf_on_and_until_exp() -> None:
    text = issued()
    assert failed(examine(text, START - SECOND)) == [(Step.TIME, Code.CWT_NOT_YET_VALID)]
    assert examine(text, START).code is Code.OK
    assert examine(text, END - SECOND).code is Code.OK
    assert failed(examine(text, END + SECOND)) == [(Step.TIME, Code.CWT_EXPIRED)]


def test_times_in_floating_point_are_a_departure() -> None:
    text = Press(claims=CLAIMS | {5: START.timestamp()}).text()
    assert [warning.code for warning in examine(text).warnings] == [Code.FLOAT_TIME]
    assert failed(examine(text, policy=hc.Policy.strict())) == [(Step.TIME, Code.FLOAT_TIME)]


def test_a_key_of_another_domain_or_issuer_does_not_vouch_for_it() -> None:
    key = trusted_key()
    for other in (
        hc.TrustedKey(kid=key.kid, spki=key.spki, domain="SHC", issuer=ISSUER),
        hc.TrustedKey(kid=key.kid, spki=key.spki, domain="DCC"),
        hc.TrustedKey(kid=key.kid, spki=key.spki, domain="NZCP", issuer=ISSUER + ".example"),
        hc.TrustedKey(kid=b"key-10", spki=key.spki, domain="NZCP", issuer=ISSUER),
    ):
        assert failed(examine(issued(), NOW, other)) == [(Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST)]


def test_a_policy_may_leave_the_family_out() -> None:
    report = examine(issued(), policy=hc.Policy(families=frozenset(("EU DCC",))))
    assert failed(report) == [(Step.RECOGNISE, Code.FAMILY_NOT_ACCEPTED)]
