"""WHO's vaccination record in the spellings of its revisions, and what of it is time, product and disease."""

from __future__ import annotations

from datetime import date
from typing import Any

import cbor2
import pytest

import healthcert as hc
from healthcert.codings import COVID_19, ICD_11, NOT_DETECTED, PREQUALIFIED, SNOMED_CT
from healthcert.families import KINDS
from healthcert.model import Coding
from tests.support import (
    CORE_TEST,
    DVC,
    EVERYTHING,
    TEST_ENTRY,
    Press,
    accepted,
    payload_with,
    verifier,
    without,
)

STAMARIL = "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"
BIOPOLIO = "PolioVaccineOralOPVTrivaProductfa4849f7532d522134f4102063af1617"
OTHER_ICD_11 = "http://id.who.int/icd11/mms"
ICVP_PRODUCTS = "http://smart.who.int/icvp/CodeSystem/ICVPProductIds"
DOSE = {"vp": STAMARIL, "bo": "LOT9", "dt": "2021-06-11", "is": "Institute"}
OLDER = without(DVC, "vx", "v", "nt", "id") | {"ntl": "FRA", "nid": "X1234567", "ndt": "NI"}


def dvc(content: Any, **claims: Any) -> str:
    changes: dict[Any, Any] = {-260: {-6: content}}
    return Press(claims=changes | {int(key[1:]): value for key, value in claims.items()}).text()


def doses(certificate: hc.HealthCertificate) -> list[hc.Vaccination]:
    return [event for event in certificate.events if isinstance(event, hc.Vaccination)]


# --- Spellings ---


@pytest.mark.parametrize(
    "content",
    [
        DVC | {"vx": DOSE},
        DVC | {"vx": [DOSE]},
        DVC | {"vx": without(DOSE, "dt") | {"dv": "2021-06-11"}, "d": "2021-06-12", "dt": "PPN"},
        OLDER | {"v": DOSE},
        OLDER | {"v": [DOSE]},
        OLDER | {"v": DOSE | {"tg": "1D47", "ma": "Sanofi Pasteur", "vls": "2021-06-21"}},
    ],
)
def test_one_record_in_every_spelling(content: dict[str, Any]) -> None:
    certificate = accepted(dvc(content))
    (dose,) = doses(certificate)
    assert (dose.date, dose.batch, dose.issuer) == (date(2021, 6, 11), "LOT9", "Institute")
    assert (dose.product, str(dose.product)) == (Coding(PREQUALIFIED, STAMARIL), "STAMARIL (Sanofi Pasteur)")
    assert (dose.disease, str(dose.disease)) == (Coding(ICD_11, "1D47"), "Yellow fever")
    assert (certificate.holder.nationality, certificate.holder.document_number) == ("FRA", "X1234567")
    assert certificate.family == "WHO DVC"


def test_what_has_no_place_is_kept() -> None:
    (dose,) = doses(accepted(dvc(OLDER | {"v": DOSE | {"vls": "2021-06-21", "mp": "STAMARIL"}})))
    assert dose.other == {"vls": "2021-06-21", "mp": "STAMARIL", "ndt": "NI"}


def test_an_earlier_revision_has_several_records_and_each_is_a_dose() -> None:
    certificate = accepted(dvc(OLDER | {"v": [DOSE, DOSE | {"vp": BIOPOLIO, "dt": "2021-07-01"}]}))
    first, second = doses(certificate)
    assert (str(first.disease), str(second.disease)) == ("Yellow fever", "Acute poliomyelitis")
    assert (first.date, second.date) == (date(2021, 6, 11), date(2021, 7, 1))


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (DVC | {"vx": [DOSE, DOSE]}, "DVC.vx: not a map"),
        (DVC | {"vx": []}, "DVC.vx: not a map"),
        (OLDER | {"v": []}, "DVC.vx: not a map"),
        (OLDER, "DVC.vx: not a map"),
        (OLDER | {"v": [DOSE, 7]}, "DVC.v[1]: not a map"),
        (OLDER | {"v": [DOSE, without(DOSE, "vp")]}, "DVC.v[1].vp: is missing"),
        (OLDER | {"v": DOSE | {"vp": "undefined"}}, "DVC.vx.vp: is missing"),
    ],
)
def test_what_is_no_record_is_refused(content: dict[str, Any], detail: str) -> None:
    report = verifier(policy=EVERYTHING).examine(dvc(content))
    assert (report.code, report.step, report.detail) == ("SCHEMA_VALIDATION_FAILED", "content", detail)


# --- Products and diseases ---


@pytest.mark.parametrize(
    ("changes", "disease"),
    [
        ({"vp": BIOPOLIO}, Coding(ICD_11, "1C81")),
        ({"vp": "YellowFeverProduct" + "0" * 32}, Coding(ICD_11, "1D47")),  # prequalified after the table was made
        ({"vp": "MeaslesProduct" + "0" * 32}, None),
        ({"vp": "MeaslesProduct" + "0" * 32, "tg": "1F03"}, Coding(ICD_11, "1F03")),
        ({"vp": "X", "tg": "840539006"}, COVID_19),
        ({"vp": "X", "tg": "something"}, Coding("", "something")),
        ({"vp": "X", "tg": {"code": "1D47", "system": OTHER_ICD_11}}, Coding(OTHER_ICD_11, "1D47")),
        ({"vp": {"code": STAMARIL, "system": ICVP_PRODUCTS}}, Coding(ICD_11, "1D47")),
    ],
)
def test_the_disease_is_the_one_told_or_that_of_the_product(changes: dict[str, Any], disease: Coding | None) -> None:
    (dose,) = doses(accepted(dvc(DVC | {"vx": DOSE | changes})))
    assert dose.disease == disease


# --- Time ---


def examine(content: Any, *, strict: bool = False, **claims: Any) -> hc.Report:
    policy = hc.Policy.strict() if strict else hc.Policy(families=KINDS)
    return verifier(policy=policy).examine(dvc(content, **claims))


def test_a_record_without_exp_is_accepted_with_a_warning_and_not_by_the_letter() -> None:
    report = examine(DVC, _4=...)
    assert (report.outcome, [warning.code for warning in report.warnings]) == ("accepted", ["TIME_ABSENT"])
    strict = examine(DVC, strict=True, _4=...)
    assert (strict.outcome, strict.step, strict.code) == ("refused", "time", "TIME_ABSENT")


def test_a_record_has_iat_and_one_beside_an_eu_dcc_has_exp() -> None:
    assert examine(DVC, _6=...).code == "CWT_TIME_INVALID"
    both = Press(claims={-260: {1: Press().payload, -6: DVC}, 4: ...}).text()
    assert verifier(policy=EVERYTHING).examine(both).code == "CWT_TIME_INVALID"


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"vls": "2021-08-20"}, "OK"),
        ({"vls": "2021-08-21"}, "OK"),  # that day has begun in the east
        ({"vls": "2021-08-22"}, "CWT_NOT_YET_VALID"),
        ({"vle": "2021-08-19"}, "OK"),  # that day has not ended in the west
        ({"vle": "2021-08-18"}, "CWT_EXPIRED"),
        ({"vls": "2021", "vle": "9999-12-31"}, "OK"),
        ({"vls": "undefined", "vle": None}, "OK"),
        ({"vle": "soon"}, "CWT_TIME_INVALID"),
    ],
)
def test_the_validity_that_a_record_tells_counts(times: dict[str, Any], code: str) -> None:
    assert examine(OLDER | {"v": DOSE | times}).code == code
    assert examine(OLDER | {"v": [DOSE, DOSE | times]}).code == code


# --- The core data set of a test ---


def ddcc_test(**changes: Any) -> str:
    return Press(cwt=cbor2.dumps(CORE_TEST | {"test": CORE_TEST["test"] | changes})).text()


def test_a_test_of_which_the_day_alone_is_told() -> None:
    (event,) = accepted(ddcc_test(date="2021-08-19"), "TIME_ABSENT").events
    assert isinstance(event, hc.TestResult)
    assert (event.sampled_at, event.sampled_on, event.day) == (None, date(2021, 8, 19), date(2021, 8, 19))
    for wrong in ("2021-02-30", "2021-08", "today"):
        report = verifier(policy=EVERYTHING).examine(ddcc_test(date=wrong))
        assert (report.step, report.code) == ("content", "SCHEMA_VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("Not detected", "OK"),
        ("260415000", "OK"),
        ({"code": "RA01.1", "system": "http://id.who.int/icd11/mms"}, "OK"),
        ({"code": "LA6577-6", "system": "http://loinc.org"}, "OK"),
        ("positive", "TEST_RESULT_POSITIVE"),
        ({"coding": [{"code": "10828004", "system": SNOMED_CT}]}, "TEST_RESULT_POSITIVE"),
        ("invalid", "TEST_RESULT_UNKNOWN"),
        ({"code": "260415000", "system": "urn:example"}, "TEST_RESULT_UNKNOWN"),
    ],
)
def test_a_result_in_every_spelling(result: Any, code: str) -> None:
    assert verifier(policy=EVERYTHING).examine(ddcc_test(result=result)).code == code


def test_a_bare_number_is_a_result_of_snomed_ct() -> None:
    (event,) = accepted(ddcc_test(result="260415000"), "TIME_ABSENT").events
    assert isinstance(event, hc.TestResult)
    assert (event.result, event.result.display) == (NOT_DETECTED, "Not detected")


@pytest.mark.parametrize(("code", "outcome"), [("260385009", "accepted"), ("10828004", "refused")])
def test_an_eu_dcc_with_a_result_of_another_value_set_is_told_of(code: str, outcome: str) -> None:
    report = verifier().examine(Press(payload=payload_with("t", dict(TEST_ENTRY) | {"tr": code})).text())
    assert report.outcome == outcome
    assert [warning.detail for warning in report.warnings] == ["t[0].tr: not in its value set"]
