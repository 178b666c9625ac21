"""WHO's claims beside the EU DCC: what is shown of each kind, and of several under one signature."""

from __future__ import annotations

from datetime import date
from typing import Any

import cbor2
import pytest

import healthcert as hc
from tests.support import (
    CORE,
    CORE_TEST,
    DVC,
    EVERYTHING,
    NOW,
    Press,
    accepted,
    dsc,
    payload,
    verifier,
    without,
)

LINK = "shlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0"


def claim(content: dict[Any, Any], **changes: Any) -> str:
    return Press(claims={-260: content}, **changes).text()


def examine(text: str, *families: str) -> hc.Report:
    return verifier(policy=hc.Policy(families=frozenset(families)) if families else EVERYTHING).examine(text)


# --- DDCC core data sets ---


def test_a_core_data_set_in_the_place_of_the_claims() -> None:
    certificate = accepted(Press(cwt=cbor2.dumps(CORE)).text(), "TIME_ABSENT")
    assert certificate.family == "WHO DDCC"
    event = certificate.events[0]
    assert isinstance(event, hc.Vaccination)
    assert (event.dose, event.series, event.batch, event.country) == (1, 2, "LOT9", "FRA")
    assert (event.product, event.disease) == (
        hc.Coding("https://spor.ema.europa.eu/rmswi", "EU/1/20/1528"),
        hc.COVID_19,
    )
    assert certificate.holder.name == "Zoé Exemplaire"
    assert certificate.identifiers == ("HCID-1",)
    assert certificate.expires_at is not None
    assert certificate.expires_at.date() == date(2022, 6, 12)


@pytest.mark.parametrize(
    "text",
    [
        claim({1: CORE}, kid=b"11"),
        claim({3: CORE}, kid=b"11"),
        claim({3: CORE | {"totalDoses": 2}}, protected={1: -7}, unprotected={4: b"11"}),
    ],
)
def test_a_core_data_set_under_a_claim_and_a_kid_of_any_length(text: str) -> None:
    store = hc.TrustStore()
    key = next(iter(hc.TrustStore.from_certificates([dsc().certificate_der()])))
    store.add_public_key(key.spki, kid=b"11")
    report = hc.Verifier(store, policy=EVERYTHING, clock=hc.FixedClock(NOW)).examine(text)
    assert (report.outcome, report.family) == ("accepted", "WHO DDCC")


def test_a_core_data_set_of_a_test() -> None:
    event = accepted(Press(cwt=cbor2.dumps(CORE_TEST)).text(), "TIME_ABSENT").events[0]
    assert isinstance(event, hc.TestResult)
    assert (event.result, event.test_type) == (hc.NOT_DETECTED, hc.NAAT)


def test_what_a_core_data_set_lacks_is_told_once() -> None:
    core = without(CORE, "lot", "birthDate") | {"brand": "undefined"}
    report = examine(claim({3: core}))
    assert report.outcome is hc.Outcome.ACCEPTED
    told = [warning.detail for warning in report.warnings if warning.code == "FIELD_MISSING"]
    assert told == [f"the core data set.{name}: is missing" for name in ("birthDate", "brand", "lot")]


# --- DVC records ---

OLDER = without(DVC, "vx", "nt") | {
    "ntl": "FRA",
    "nid": "X1234567",
    "v": {"vp": "YellowFeverProduct1", "bo": "LOT9", "dv": "2021-06-11", "is": "Institute", "vls": "2021-06-21"},
}


@pytest.mark.parametrize("dvc", [DVC, OLDER, DVC | {"vx": [DVC["vx"]]}], ids=["1.1.1", "older", "in a list"])
def test_a_dvc_record_in_every_spelling(dvc: dict[str, Any]) -> None:
    certificate = accepted(claim({-6: dvc}))
    assert certificate.family == "WHO DVC"
    event = certificate.events[0]
    assert isinstance(event, hc.Vaccination)
    assert (str(event.disease), event.date, event.batch) == ("Yellow fever", date(2021, 6, 11), "LOT9")
    assert event.product is not None
    assert event.product.system.endswith("PreQualProductIds")
    holder = certificate.holder
    assert (holder.name, holder.nationality, holder.document_number) == ("Zoé Exemplaire", "FRA", "X1234567")


def test_a_dvc_record_names_a_clinician_or_an_issuer() -> None:
    report = examine(claim({-6: DVC | {"vx": without(DVC["vx"], "cn")}}))
    assert [warning.detail for warning in report.warnings] == ["DVC.vx: neither cn nor is"]


# --- Health links ---


@pytest.mark.parametrize(
    "link", [LINK, [LINK], {"u": LINK}, [{"u": LINK}], f"https://viewer.example#{LINK}", LINK.replace("sh", "vh", 1)]
)
def test_a_health_link_in_every_spelling(link: Any) -> None:
    certificate = accepted(claim({5: link}))
    assert certificate.family == "health link"
    assert len(certificate.links) == 1
    assert certificate.links[0].endswith(LINK[2:])


# --- Several claims ---


def test_several_claims_stand_beside_each_other() -> None:
    certificate = accepted(claim({1: payload(), 5: LINK, -6: DVC | {"n": "Somebody Else"}}))
    assert certificate.family == "EU DCC"
    assert certificate.raw == payload()
    assert [beside.family for beside in certificate.beside] == ["WHO DVC", "health link"]
    dvc, link = certificate.beside
    assert (certificate.holder.name, dvc.holder.name, link.links) == ("Zoé Exemplaire", "Somebody Else", (LINK,))
    assert [len(one.events) for one in (certificate, dvc, link)] == [1, 1, 0]
    assert certificate.other == {}


def test_what_the_policy_does_not_accept_is_kept_unread_beside_what_it_does() -> None:
    report = examine(claim({1: payload(), 5: LINK, -6: without(DVC, "n")}), "EU DCC")
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report.certificate is not None
    assert report.certificate.beside == ()
    assert report.certificate.other == {"5": LINK, "-6": without(DVC, "n")}
    assert report.to_dict()["certificate"]["beside"] == []


def test_a_kind_that_is_accepted_is_found_behind_one_that_is_not() -> None:
    report = examine(claim({1: payload(), -6: DVC}), "WHO DVC")
    assert (report.outcome, report.family) == ("accepted", "WHO DVC")
    assert report.certificate is not None
    assert report.certificate.family == "WHO DVC"
    assert report.certificate.other == {"1": payload()}


def test_an_unknown_claim_is_told_by_its_number_and_kept() -> None:
    certificate = accepted(claim({1: payload(), 2: {"x": 1}, -9: "y"}), "UNKNOWN_CLAIM")
    assert certificate.other == {"2": {"x": 1}, "-9": "y"}
    report = examine(claim({2: {"x": 1}, -9: "y"}))
    assert (report.step, report.code) == ("content", "CONTENT_NOT_SUPPORTED")
    assert report[hc.Step.SIGNATURE].outcome is hc.StepResult.PASSED
    assert "2, -9" in report.detail


@pytest.mark.parametrize("content", [{3: CORE}, {4: CORE_TEST}, {-6: DVC}, {5: LINK}, {2: 1}])
def test_the_signature_is_checked_whatever_is_signed(content: dict[int, Any]) -> None:
    report = examine(claim(content, sign=lambda _: bytes(64)))
    assert (report.outcome, report.step, report.code) == ("refused", "signature", "SIGNATURE_INVALID")
    assert report.certificate is None
