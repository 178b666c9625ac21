"""National codes of the form of HC1, and WHO's claims beside the EU DCC: read as what they are, never as another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import cbor2
import pytest

import healthcert as hc
from healthcert.families import KINDS
from healthcert.issue.pki import KeyPair
from tests.support import (
    CORE,
    CORE_TEST,
    DAY,
    DVC,
    EXEMPTION_ENTRY,
    NOW,
    TEST_ENTRY,
    Press,
    dsc,
    payload,
    payload_with,
    vaccination,
    verifier,
    without,
)

T = int(NOW.timestamp())
EVERYTHING = hc.Policy(families=KINDS)
NAM = {"fn": "Exemplaire", "fnt": "EXEMPLAIRE", "gn": "Zoé", "gnt": "ZOE"}
LIGHT = {"ver": "1.0.0", "nam": NAM, "dob": "1984-02-29"}
EXEMPTION = {"ver": "AT-1.0.0", "nam": NAM, "dob": "1984-02-29", "ve": [EXEMPTION_ENTRY]}
LINK = "shlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0"


def press(**changes: Any) -> str:
    return Press(**changes).text()


def light(**changes: Any) -> str:
    claims = {1: "CH BAG", 4: T + 86400, 6: T - 3600, -260: ..., -250: {1: LIGHT}} | changes.pop("claims", {})
    return press(prefix="LT1:", claims=claims, **changes)


def claim(content: dict[Any, Any], **changes: Any) -> str:
    return press(claims={-260: content}, **changes)


def examine(text: str, policy: hc.Policy | None = EVERYTHING, pair: KeyPair | None = None) -> hc.Report:
    return verifier(pair or dsc(), policy=policy).examine(text)


def accepted(text: str, *warnings: str) -> hc.HealthCertificate:
    report = examine(text)
    assert (report.outcome, report.detail) == ("accepted", "")
    assert [warning.code for warning in report.warnings] == list(warnings)
    assert report.certificate is not None
    assert report.family == report.certificate.family
    return report.certificate


# --- National codes ---

NATIONAL: dict[str, Callable[[], str]] = {
    "Swiss certificate light": light,
    "Austrian exemption certificate": lambda: press(prefix="AT1:", payload=EXEMPTION),
    "Norwegian domestic certificate": lambda: press(prefix="NO1:"),
    "Danish domestic certificate": lambda: press(prefix="DK3:"),
}


@pytest.mark.parametrize(("family", "make"), NATIONAL.items(), ids=list(NATIONAL))
def test_a_national_code_is_verified_as_what_it_is_and_accepted_only_by_name(family: str, make: Any) -> None:
    certificate = accepted(make())
    assert certificate.family == family
    report = examine(make(), policy=None)
    assert (report.outcome, report.step, report.code) == ("refused", "recognise", "FAMILY_NOT_ACCEPTED")
    assert report.family == family
    assert report[hc.Step.SIGNATURE].outcome is hc.StepResult.PASSED
    assert report[hc.Step.CONTENT].outcome is hc.StepResult.PASSED
    only = hc.Policy(families=frozenset((family,)))
    assert examine(make(), policy=only).outcome is hc.Outcome.ACCEPTED
    assert examine(press(), policy=only).code == "FAMILY_NOT_ACCEPTED"


@pytest.mark.parametrize("made_as", NATIONAL)
@pytest.mark.parametrize("shown_as", ["HC1:", "LT1:", "AT1:", "NO1:", "DK3:"])
def test_no_national_code_passes_for_another_by_its_prefix(made_as: str, shown_as: str) -> None:
    text = NATIONAL[made_as]()
    if text.startswith(shown_as):
        return
    report = examine(shown_as + text[4:])
    alike = {"HC1:", "NO1:", "DK3:"}  # the same payload under another prefix, which nothing signs
    if {text[:4], shown_as} <= alike:
        assert report.family != made_as
    else:
        assert report.outcome is hc.Outcome.REFUSED
        assert report.step in ("decode", "content")


def test_an_exemption_tells_its_end() -> None:
    certificate = accepted(press(prefix="AT1:", payload=EXEMPTION))
    assert certificate.events == (
        hc.Exemption(
            disease=hc.COVID_19,
            valid_until=date(2021, 12, 31),
            country="AT",
            issuer="Ministry",
            certificate_id="URN:UVCI:01:AT:X#1",
        ),
    )
    assert certificate.version == "AT-1.0.0"


@pytest.mark.parametrize(
    "changed",
    [
        EXEMPTION | {"ve": [EXEMPTION_ENTRY] * 2},
        EXEMPTION | {"ve": []},
        EXEMPTION | {"ver": "1.3.0"},
        EXEMPTION | {"t": [TEST_ENTRY]},
        EXEMPTION | {"ve": [EXEMPTION_ENTRY | {"du": "2021-02-30"}]},
        EXEMPTION | {"ve": [without(EXEMPTION_ENTRY, "ci")]},
        without(EXEMPTION, "ve"),
        without(EXEMPTION, "nam"),
        vaccination(),
    ],
)
def test_an_exemption_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    report = examine(press(prefix="AT1:", payload=changed))
    assert (report.outcome, report.step, report.code) == ("refused", "content", "SCHEMA_VALIDATION_FAILED")


@pytest.mark.parametrize("usage", [hc.EntryType.VACCINATION, hc.EntryType.TEST, hc.EntryType.RECOVERY])
def test_a_dsc_for_the_eu_dcc_signs_no_exemption(usage: hc.EntryType) -> None:
    pair = dsc(usage)
    report = examine(press(prefix="AT1:", payload=EXEMPTION, pair=pair), pair=pair)
    assert (report.outcome, report.step, report.code) == ("refused", "usage", "KEY_USAGE_MISMATCH")


def test_an_exemption_in_hc1_is_no_entry() -> None:
    report = examine(press(payload=EXEMPTION))
    assert (report.outcome, report.step) == ("refused", "content")


def test_a_light_certificate_tells_a_name_and_nothing_else() -> None:
    certificate = accepted(light())
    assert certificate.events == ()
    assert certificate.holder.name == "Zoé Exemplaire"


def test_a_light_certificate_without_an_end_ends_after_48_hours() -> None:
    text = light(claims={4: ...})
    accepted(text, "TIME_ABSENT")
    late = verifier(policy=EVERYTHING, at=NOW + 2 * DAY).examine(text)
    assert (late.outcome, late.code) == ("refused", "CWT_EXPIRED")
    assert examine(light(claims={4: ..., 6: ...})).code == "CWT_TIME_INVALID"


@pytest.mark.parametrize("claims", [{-260: {1: payload()}}, {-250: ..., -260: {1: LIGHT}}, {-250: {2: LIGHT}}])
def test_a_light_certificate_has_its_own_claim_and_no_other(claims: dict[int, Any]) -> None:
    assert examine(light(claims=claims)).outcome is hc.Outcome.REFUSED


def test_an_eu_dcc_with_the_claim_of_a_light_certificate_is_refused() -> None:
    report = examine(press(claims={-250: {1: LIGHT}}))
    assert (report.outcome, report.step, report.code) == ("refused", "decode", "CBOR_DESERIALIZATION_FAILED")


def test_entries_in_a_light_certificate_are_refused() -> None:
    report = examine(light(claims={-250: {1: payload()}}))
    assert (report.outcome, report.step) == ("refused", "content")


# --- WHO's claims ---


def test_a_core_data_set_in_the_place_of_the_claims() -> None:
    certificate = accepted(press(cwt=cbor2.dumps(CORE)), "TIME_ABSENT")
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
    "make",
    [
        lambda core: claim({1: core}, kid=b"11"),
        lambda core: claim({3: core}, kid=b"11"),
        lambda core: claim({3: core | {"totalDoses": 2}}, protected={1: -7}, unprotected={4: b"11"}),
    ],
)
def test_a_core_data_set_under_a_claim_and_a_kid_of_any_length(make: Any) -> None:
    store = hc.TrustStore()
    key = next(iter(hc.TrustStore.from_certificates([dsc().certificate_der()])))
    store.add_public_key(key.spki, kid=b"11")
    report = hc.Verifier(store, policy=EVERYTHING, clock=hc.FixedClock(NOW)).examine(make(CORE))
    assert (report.outcome, report.family) == ("accepted", "WHO DDCC")


def test_the_validity_of_a_core_data_set_is_its_own_where_the_claims_tell_none() -> None:
    text = press(cwt=cbor2.dumps(CORE))
    assert verifier(at=NOW + 300 * DAY).examine(text).code == "CWT_EXPIRED"
    assert verifier(at=NOW - 19 * DAY).examine(text).outcome is hc.Outcome.ACCEPTED
    early = press(cwt=cbor2.dumps(CORE | {"valid_from": "2021-08-22"}))
    assert examine(early).code == "CWT_NOT_YET_VALID"
    said_in_meta = press(cwt=cbor2.dumps(without(CORE, "valid_until") | {"meta": {"valid_until": "2021-08-01"}}))
    assert examine(said_in_meta).code == "CWT_EXPIRED"


def test_a_core_data_set_of_a_test() -> None:
    event = accepted(press(cwt=cbor2.dumps(CORE_TEST)), "TIME_ABSENT").events[0]
    assert isinstance(event, hc.TestResult)
    assert (event.result, event.test_type) == (hc.NOT_DETECTED, hc.NAAT)
    detected = CORE_TEST | {"test": CORE_TEST["test"] | {"result": "260373001"}}
    assert examine(claim({4: detected})).code == "TEST_RESULT_POSITIVE"
    later = CORE_TEST | {"test": CORE_TEST["test"] | {"date": "2021-08-21T10:00:00Z"}}
    assert examine(claim({4: later})).code == "EVENT_IN_FUTURE"


@pytest.mark.parametrize(
    "core",
    [
        without(CORE, "name"),
        without(CORE, "date"),
        CORE | {"date": "2021-02-30"},
        CORE | {"date": "undefined"},
        CORE | {"birthDate": "29.02.1984"},
        CORE | {"birthDate": "1985-02-29"},
        CORE | {"dose": "first"},
        CORE | {"name": 7},
        CORE | {"lot": "x" * 1001},
        CORE | {"vaccine": {"code": 5}},
        CORE | {"vaccine": "undefined", "brand": None},
        [],
        "text",
    ],
)
def test_a_core_data_set_that_says_nothing_is_refused(core: Any) -> None:
    report = examine(claim({3: core}))
    assert (report.outcome, report.step, report.code) == ("refused", "content", "SCHEMA_VALIDATION_FAILED")


def test_what_a_core_data_set_lacks_is_told_once() -> None:
    core = without(without(CORE, "lot"), "birthDate") | {"brand": "undefined"}
    report = examine(claim({3: core}))
    assert report.outcome is hc.Outcome.ACCEPTED
    told = [warning.detail for warning in report.warnings if warning.code == "FIELD_MISSING"]
    assert told == [f"the core data set.{name}: is missing" for name in ("birthDate", "brand", "lot")]


OLDER = without(without(DVC, "vx"), "nt") | {
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


@pytest.mark.parametrize(
    "dvc",
    [
        without(DVC, "n"),
        without(DVC, "vx"),
        DVC | {"vx": without(DVC["vx"], "vp")},
        DVC | {"vx": without(DVC["vx"], "dt")},
        DVC | {"vx": [DVC["vx"]] * 2},
        DVC | {"n": " "},
        [DVC],
        7,
    ],
)
def test_a_dvc_record_that_says_nothing_is_refused(dvc: Any) -> None:
    report = examine(claim({-6: dvc}))
    assert (report.outcome, report.step, report.code) == ("refused", "content", "SCHEMA_VALIDATION_FAILED")


def test_a_dvc_record_names_a_clinician_or_an_issuer() -> None:
    report = examine(claim({-6: DVC | {"vx": without(DVC["vx"], "cn")}}))
    assert [warning.detail for warning in report.warnings] == ["DVC.vx: neither cn nor is"]


def test_a_future_dose_is_refused_in_a_dvc_too() -> None:
    assert examine(claim({-6: DVC | {"vx": DVC["vx"] | {"dt": "2021-08-23"}}})).code == "EVENT_IN_FUTURE"


@pytest.mark.parametrize(
    "link", [LINK, [LINK], {"u": LINK}, [{"u": LINK}], f"https://viewer.example#{LINK}", LINK.replace("sh", "vh", 1)]
)
def test_a_health_link_in_every_spelling(link: Any) -> None:
    certificate = accepted(claim({5: link}))
    assert certificate.family == "health link"
    assert len(certificate.links) == 1
    assert certificate.links[0].endswith(LINK[2:])
    assert examine(claim({5: link}), policy=None).code == "FAMILY_NOT_ACCEPTED"


@pytest.mark.parametrize(
    "link", ["https://evil.example/", "javascript:alert(1)", "shlink:/a b", "", [], {}, 7, [LINK, 7]]
)
def test_what_is_no_health_link_is_refused(link: Any) -> None:
    assert examine(claim({5: link})).code == "SCHEMA_VALIDATION_FAILED"


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
    text = claim({1: payload(), 5: LINK, -6: without(DVC, "n")})
    report = examine(text, policy=hc.Policy(families=frozenset(("EU DCC",))))
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report.certificate is not None
    assert report.certificate.beside == ()
    assert report.certificate.other == {"5": LINK, "-6": without(DVC, "n")}
    assert report.to_dict()["certificate"]["beside"] == []


def test_a_kind_that_is_accepted_is_found_behind_one_that_is_not() -> None:
    report = examine(claim({1: payload(), -6: DVC}), policy=hc.Policy(families=frozenset(("WHO DVC",))))
    assert (report.outcome, report.family) == ("accepted", "WHO DVC")
    assert report.certificate is not None
    assert report.certificate.family == "WHO DVC"
    assert report.certificate.other == {"1": payload()}


def test_a_future_dose_beside_a_good_one_refuses_both() -> None:
    assert examine(claim({1: payload(), -6: DVC | {"vx": DVC["vx"] | {"dt": "2021-08-23"}}})).code == "EVENT_IN_FUTURE"


def test_one_bad_claim_among_several_refuses_all() -> None:
    assert examine(claim({1: payload(), -6: without(DVC, "n")})).code == "SCHEMA_VALIDATION_FAILED"


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


def test_the_usage_of_the_dsc_holds_for_whos_claims_too() -> None:
    pair = dsc(hc.EntryType.TEST)
    assert examine(claim({-6: DVC}, pair=pair), pair=pair).code == "KEY_USAGE_MISMATCH"
    assert examine(claim({4: CORE_TEST}, pair=pair), pair=pair).outcome is hc.Outcome.ACCEPTED
    mixed = claim({1: payload_with("t", TEST_ENTRY), -6: DVC}, pair=pair)
    assert examine(mixed, pair=pair).code == "KEY_USAGE_MISMATCH"


def test_a_policy_names_only_what_there_is() -> None:
    with pytest.raises(ValueError, match="no such family: HCERT"):
        hc.Policy(families=frozenset(("HCERT",)))
