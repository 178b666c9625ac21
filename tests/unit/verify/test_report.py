"""The report: what it says, to whom, and what it must never say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

import healthcert as hc
from tests.support import CLOCK, HOLDER, NOW, Press, dsc, issue, payload, trust, verifier

PERSONAL = ("Exemplaire", "EXEMPLAIRE", "Zoé", "ZOE", "1984", "T5DWTJYS4ZR8")


def test_verify_returns_the_certificate_or_raises_the_first_obstacle() -> None:
    verified = verifier().verify(Press().text())
    assert isinstance(verified, hc.Verified)
    assert verified.certificate.holder.name == "Zoé Exemplaire"
    assert verified.report.key is not None
    assert verified.report.key.kid == dsc().signer().kid
    with pytest.raises(hc.VerificationError) as caught:
        verifier(at=NOW + timedelta(days=60)).verify(Press().text())
    assert (caught.value.code, caught.value.step) == (hc.Code.CWT_EXPIRED, hc.Step.TIME)


def test_every_step_but_those_that_have_nothing_to_go_by_is_passed() -> None:
    report = verifier().examine(Press().text())
    assert (report.outcome, report.warnings) == ("accepted", ())
    not_run = {step.step for step in report.steps if step.outcome is hc.StepResult.NOT_RUN}
    assert not_run == {"revocation", "rules"}
    assert all(step.outcome is hc.StepResult.PASSED for step in report.steps if step.step not in not_run)


def test_an_expired_certificate_is_still_shown_as_signed() -> None:
    report = verifier(at=NOW + timedelta(days=60)).examine(Press().text())
    assert report.code == "CWT_EXPIRED"
    assert report[hc.Step.SIGNATURE].outcome is hc.StepResult.PASSED
    assert report.certificate is not None


def test_a_forged_certificate_is_not_read_as_health_data() -> None:
    report = verifier().examine(Press(sign=lambda _: bytes(64)).text())
    assert report.certificate is None
    assert report.key is None
    assert report[hc.Step.CONTENT].outcome is hc.StepResult.NOT_RUN


@pytest.mark.parametrize(
    "value",
    [verifier().examine("x"), hc.inspect_unverified("x"), verifier().verify(Press().text())],
    ids=["Report", "Unverified", "Verified"],
)
def test_neither_report_nor_unverified_nor_verified_has_a_truth_value(value: object) -> None:
    with pytest.raises(TypeError, match="truth value"):
        bool(value)


def test_one_clock_reading_serves_every_check() -> None:
    class Ticking:
        readings = 0

        def now(self) -> datetime:
            self.readings += 1
            return NOW

    clock = Ticking()
    report = hc.Verifier(trust(), clock=clock).examine(Press().text())
    assert clock.readings == 1
    assert report.checked_at == NOW


def test_reports_come_in_the_order_of_the_texts_and_as_they_are_asked_for() -> None:
    good, bad = Press().text(), "HC2:"
    reports = verifier().examine_many(iter([good, bad, good]))
    assert next(reports).outcome is hc.Outcome.ACCEPTED
    assert [report.outcome for report in reports] == ["refused", "accepted"]


def test_the_json_form_says_all_of_it() -> None:
    values = json.loads(json.dumps(verifier().examine(Press().text()).to_dict()))
    assert values["outcome"] == "accepted"
    assert [step["step"] for step in values["steps"]] == [step.value for step in hc.Step]
    assert values["certificate"]["holder"]["family_name"] == "Exemplaire"
    assert values["certificate"]["events"][0]["type"] == "vaccination"
    assert values["certificate"]["events"][0]["date"] == "2021-06-11"
    assert values["key"]["kid"] == dsc().signer().kid.hex()
    assert values["policy"]["name"] == "default"
    assert values["checked_at"] == "2021-08-20T10:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        Press(sign=lambda _: bytes(64)).text(),
        Press(payload=payload(dob="Exemplaire 1984")).text(),
        Press(payload=payload(nam={"fn": 5, "fnt": "EXEMPLAIRE"})).text(),
        Press(payload=payload(v=[{"ci": "T5DWTJYS4ZR8"}])).text(),
        Press(payload=payload(v="Exemplaire")).text(),
        Press(claims={4: "Exemplaire", 6: "1984"}).text(),
        Press(claims={-260: {1: "Exemplaire"}}).text(),
        Press(claims={-260: {"Exemplaire": {}}}).text(),
        Press(alg="Exemplaire").text(),
    ],
)
def test_no_message_and_no_repr_holds_personal_data(text: str) -> None:
    report = verifier().examine(text)
    said = [report.detail, repr(report.certificate), *(step.detail for step in report.steps)]
    with pytest.raises(hc.VerificationError) as caught:
        verifier().verify(text)
    said += [str(caught.value), repr(caught.value)]
    assert [word for word in PERSONAL for line in said if word in line] == []


def test_reprs_of_health_data_say_nothing() -> None:
    report = verifier().examine(Press().text())
    assert report.certificate is not None
    for value in (report.certificate, report.certificate.holder, report.certificate.events, HOLDER, issue(), report):
        assert [word for word in PERSONAL if word in repr(value)] == []


def test_an_error_of_our_own_is_a_report_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("Zoé Exemplaire")

    monkeypatch.setattr("healthcert.verify.steps.time", broken)
    report = verifier().examine(Press().text())
    assert (report.outcome, report.code, report.step) == ("undetermined", "GENERAL_ERROR", "time")
    assert report.detail == "an internal error (ZeroDivisionError); please report it"


def test_every_candidate_of_a_kid_is_tried() -> None:
    other = dsc(hc.EntryType.RECOVERY)
    kid = dsc().signer().kid
    spki = next(iter(trust(other))).spki
    store = hc.TrustStore()
    store.add_public_key(spki, kid=kid)
    store.add(trust())
    assert len(store.candidates(kid)) == 2
    report = hc.Verifier(store, clock=CLOCK).examine(Press().text())
    assert (report.outcome, report.warnings) == ("accepted", ())
    bound = hc.Policy(limits=hc.Limits(candidate_keys=1))
    report = hc.Verifier(store, policy=bound, clock=CLOCK).examine(Press().text())
    assert report.outcome == "accepted", "a bare key of the same kid does not crowd out a certificate"
    bare = hc.TrustStore()
    for each in (spki, next(iter(trust())).spki):
        bare.add_public_key(each, kid=kid)
    report = hc.Verifier(bare, policy=bound, clock=CLOCK).examine(Press().text())
    assert (report.step, report.code) == ("trust", "KEY_NOT_IN_TRUST_LIST")


def test_text_at_its_limit_and_one_beyond() -> None:
    text = Press().text()
    for limit, outcome in ((len(text), "accepted"), (len(text) - 1, "refused")):
        policy = hc.Policy(limits=hc.Limits(text_chars=limit))
        assert verifier(policy=policy).examine(text + "\r\n").outcome == outcome


def test_a_fixed_clock_reads_a_moment_without_a_zone_as_utc() -> None:
    assert hc.FixedClock(datetime(2021, 5, 1, 12)).now() == datetime(2021, 5, 1, 12, tzinfo=UTC)  # noqa: DTZ001
    paris = datetime(2021, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert hc.FixedClock(paris).now() == datetime(2021, 5, 1, 12, tzinfo=UTC)
    assert hc.FixedClock("2021-05-01T14:00:00+02:00").now() == datetime(2021, 5, 1, 12, tzinfo=UTC)
    assert hc.FixedClock("2021-05-01").now() == datetime(2021, 5, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="yesterday"):
        hc.FixedClock("yesterday")
    before = datetime.now(UTC)  # noqa: TID251
    assert before <= hc.SystemClock().now()


def test_the_default_policy_and_the_strict_one() -> None:
    assert hc.Policy().algorithms is None, "those that the specification of each family allows"
    assert hc.Policy.strict().tolerated == frozenset()
    with pytest.raises(ValueError, match="clock_skew"):
        hc.Policy(clock_skew=timedelta(seconds=-1))


def test_many_texts_are_not_one_text() -> None:
    with pytest.raises(TypeError, match="examine takes one"):
        next(verifier().examine_many(Press().text()))


def test_a_clock_without_a_zone_is_no_clock() -> None:
    class Naive:
        def now(self) -> datetime:
            return NOW.replace(tzinfo=None)

    with pytest.raises(ValueError, match="no time zone"):
        hc.Verifier(trust(), clock=Naive()).examine("")


def test_a_repr_tells_nothing_of_anybody() -> None:
    from healthcert.families.hcert.family import HC1

    decoded = HC1.decode(Press().text(), hc.Limits())
    for value in (decoded, decoded.claims, verifier().examine(Press().text())):
        assert "Exemplaire" not in repr(value)
        assert "1984" not in repr(value)
