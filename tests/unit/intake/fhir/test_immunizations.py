"""Immunizations: what is a dose that was given, which one, when, and what the rest is refused for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from healthcert.errors import Code
from healthcert.model import Vaccination
from tests.unit.intake.fhir.make import (
    CVX,
    SNOMED,
    Json,
    concept,
    immunization,
    immunization_r5,
    lines,
    only_rejected,
    only_row,
    organization,
    patient,
    to,
)

ORIGIN = "http://terminology.hl7.org/CodeSystem/immunization-origin"
MVX = "http://hl7.org/fhir/sid/mvx"
HEPATITIS = concept(SNOMED, "66071002")
COVID = concept(SNOMED, "840539006")


def protocol(**numbers: Any) -> list[Json]:
    return [{"targetDisease": [COVID], **numbers}]


def vaccination(record: Json, *others: Json) -> Vaccination:
    event = only_row(lines(record, patient(), *others)).event
    assert isinstance(event, Vaccination)
    return event


def test_a_dose() -> None:
    row = only_row(lines(immunization(), patient()))
    assert row.number == 1
    assert (row.holder.family_name, row.holder.given_name) == ("Müller-Lüdenscheidt", "Zoé Anaïs")
    assert row.holder.birth_date == "1964-08-12"
    assert row.identity is None
    event = row.event
    assert isinstance(event, Vaccination)
    assert event.product is not None
    assert (event.product.code, event.dose, event.series, event.date) == ("EU/1/20/1528", 1, 2, date(2021, 5, 29))
    assert (event.country, event.issuer, event.batch, event.centre) == (None, None, None, None)


def test_releases_agree() -> None:
    assert vaccination(immunization()) == vaccination(immunization_r5())


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2021-05-29", date(2021, 5, 29)),
        ("2021-05-29T23:30:00+02:00", date(2021, 5, 29)),
        ("2021-05-29T23:30:00.123456789Z", date(2021, 5, 29)),
        ("2021-05-30T00:30:00+14:00", date(2021, 5, 30)),
    ],
)
def test_days(told: str, day: date) -> None:
    assert vaccination(immunization(occurrenceDateTime=told)).date == day


@pytest.mark.parametrize(
    "told",
    ["2021", "2021-05", "2021-02-30", "2021-13-01", "29.05.2021", "2021-05-29T10:00", "2021-05-29T10:00:00", "",
     "2021-05-29T25:00:00Z", "2021-W21-6", "20210529", "٢٠٢١-05-29", "2021-05-29 "],
)  # fmt: skip
def test_no_days(told: str) -> None:
    rejected = only_rejected(lines(immunization(occurrenceDateTime=told), patient()))
    assert rejected.error.code is Code.FIELD_INVALID


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "not-done"}, Code.RECORD_NOT_FINAL),
        ({"status": "entered-in-error"}, Code.RECORD_NOT_FINAL),
        ({"status": "Completed"}, Code.FIELD_INVALID),
        ({"status": None}, Code.FIELD_INVALID),
        ({"status": 5}, Code.RECORD_UNREADABLE),
        ({"isSubpotent": True}, Code.RECORD_NOT_SUPPORTED),
        ({"isSubpotent": "true"}, Code.RECORD_UNREADABLE),
        ({"subpotentReason": [{"text": "cold chain"}]}, Code.RECORD_NOT_SUPPORTED),
        ({"primarySource": False}, Code.RECORD_NOT_SUPPORTED),
        ({"primarySource": False, "reportOrigin": concept(ORIGIN, "recall")}, Code.RECORD_NOT_SUPPORTED),
        ({"primarySource": False, "informationSource": {"concept": concept(ORIGIN, "recall")}},
         Code.RECORD_NOT_SUPPORTED),
        ({"occurrenceDateTime": None, "occurrenceString": "in spring"}, Code.FIELD_INVALID),
        ({"occurrenceString": "in spring"}, Code.FIELD_INVALID),
        ({"occurrenceDateTime": None}, Code.FIELD_INVALID),
        ({"vaccineCode": concept(CVX, "150")}, Code.CODE_NOT_MAPPED),
        ({"vaccineCode": {"text": "Comirnaty"}}, Code.CODE_NOT_MAPPED),
        ({"vaccineCode": None}, Code.CODE_NOT_MAPPED),
        ({"manufacturer": {"identifier": {"system": MVX, "value": "MOD"}}}, Code.CODE_NOT_MAPPED),
        ({"manufacturer": {"concept": concept(MVX, "MOD")}}, Code.CODE_NOT_MAPPED),
        ({"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]}, Code.RECORD_NOT_SUPPORTED),
        ({"modifierExtension": []}, Code.RECORD_NOT_SUPPORTED),
        ({"performer": [{"modifierExtension": [{"url": "x"}]}]}, Code.RECORD_NOT_SUPPORTED),
        ({"implicitRules": "http://example.org/rules"}, Code.RECORD_NOT_SUPPORTED),
        ({"meta": {"security": [{"code": "HTEST"}]}}, Code.RECORD_NOT_SUPPORTED),
        ({"meta": {"tag": [{"code": "SUBSETTED"}]}}, Code.RECORD_NOT_SUPPORTED),
        ({"patient": None}, Code.HOLDER_UNKNOWN),
        ({"patient": {"display": "Müller-Lüdenscheidt"}}, Code.HOLDER_UNKNOWN),
        ({"protocolApplied": None}, Code.FIELD_INVALID),
        ({"protocolApplied": protocol(doseNumberPositiveInt=1)}, Code.FIELD_INVALID),
        ({"protocolApplied": protocol(seriesDoses="1")}, Code.FIELD_INVALID),
        ({"protocolApplied": protocol(doseNumberString="booster", seriesDosesString="2")}, Code.FIELD_INVALID),
        ({"protocolApplied": protocol(doseNumberPositiveInt=1, doseNumber="2", seriesDoses="2")}, Code.FIELD_INVALID),
        ({"protocolApplied": protocol(doseNumberPositiveInt=1.5, seriesDoses="2")}, Code.RECORD_UNREADABLE),
        ({"protocolApplied": protocol(doseNumberPositiveInt=10**30, seriesDoses="2")}, Code.FIELD_INVALID),
        ({"protocolApplied": [{"targetDisease": [HEPATITIS], "doseNumber": "1", "seriesDoses": "2"}]},
         Code.FIELD_INVALID),
        ({"protocolApplied": [*protocol(doseNumber="1", seriesDoses="2"), *protocol(doseNumber="2", seriesDoses="2")]},
         Code.FIELD_INVALID),
    ],
)  # fmt: skip
def test_refused(changes: Json, code: Code) -> None:
    rejected = only_rejected(lines(immunization(**changes), patient()))
    assert rejected.error.code is code, str(rejected.error)
    assert rejected.number == 1
    assert "Müller" not in str(rejected.error)


@pytest.mark.parametrize("origin", ["provider", "record", "school", "jurisdiction"])
def test_written_records_of_others_count(origin: str) -> None:
    told = concept(ORIGIN, origin)
    r4 = vaccination(immunization(primarySource=False, reportOrigin=told))
    r5 = vaccination(immunization_r5(primarySource=False, informationSource={"concept": told}))
    assert r4 == r5 == vaccination(immunization())


@pytest.mark.parametrize(
    "protocols",
    [
        protocol(doseNumberPositiveInt=3, seriesDosesPositiveInt=2),
        protocol(doseNumberString="3", seriesDosesString="2"),
        protocol(doseNumber="3", seriesDoses="2"),
        [{"doseNumber": "3", "seriesDoses": "2"}],
        [{"targetDisease": [HEPATITIS], "doseNumber": "1", "seriesDoses": "3"},
         *protocol(doseNumber="3", seriesDoses="2")],
    ],
)  # fmt: skip
def test_numbers_of_doses(protocols: list[Json]) -> None:
    event = vaccination(immunization(protocolApplied=protocols))
    assert (event.dose, event.series) == (3, 2)


@pytest.mark.parametrize("told", ["FR", "FRA", "France", "france"])
def test_country_of_the_place(told: str) -> None:
    place = {"resourceType": "Location", "id": "w1", "address": {"country": told}}
    assert vaccination(immunization(location=to("Location/w1")), place).country == "FR"


def test_a_place_in_no_country_is_not_guessed() -> None:
    place = {"resourceType": "Location", "id": "w1", "address": {"country": "Gallia"}}
    rejected = only_rejected(lines(immunization(location=to("Location/w1")), patient(), place))
    assert rejected.error.code is Code.FIELD_INVALID
    assert "Gallia" not in str(rejected.error)


def test_manufacturer_of_another_resource() -> None:
    maker = organization(id="m1", identifier=[{"system": MVX, "value": "MOD"}])
    rejected = only_rejected(lines(immunization(manufacturer=to("Organization/m1")), patient(), maker))
    assert rejected.error.code is Code.CODE_NOT_MAPPED
    maker = organization(id="m1", identifier=[{"system": MVX, "value": "PFR"}])
    assert vaccination(immunization(manufacturer=to("Organization/m1")), maker).dose == 1
