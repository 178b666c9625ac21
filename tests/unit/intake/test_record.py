"""Records of names and plain values: read, or refused with the field, its rule and an example."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

import healthcert as hc
from healthcert.codings import COVID_19, EU_REGISTER, SNOMED_CT
from healthcert.families.hcert.valuesets import EMA_ORGANISATION, JRC_DEVICE
from healthcert.intake.record import ENTRY_TYPES, fields_of, read_record

HOLDER = {"family_name": "Exemplaire", "given_name": "Zoé", "birth_date": "1984-02-29"}
RECORDS: dict[hc.EntryType, dict[str, Any]] = {
    hc.EntryType.VACCINATION: HOLDER
    | {
        "vaccine": "1119349007",
        "product": "EU/1/20/1528",
        "manufacturer": "ORG-100030215",
        "dose": "2",
        "series": 2,
        "date": "2021-06-11",
    },
    hc.EntryType.TEST: HOLDER
    | {
        "test_type": "LP217198-3",
        "sampled_at": "2021-08-20T10:03:12+02:00",
        "result": "260415000",
        "device": "1232",
    },
    hc.EntryType.RECOVERY: HOLDER
    | {"first_positive": "2021-05-01", "valid_from": "2021-05-12", "valid_until": "2021-10-28"},
}


def test_a_vaccination() -> None:
    holder, event = read_record(hc.EntryType.VACCINATION, RECORDS[hc.EntryType.VACCINATION])
    assert holder == hc.Holder(family_name="Exemplaire", given_name="Zoé", birth_date="1984-02-29")
    assert isinstance(event, hc.Vaccination)
    assert event.disease == COVID_19
    assert event.product == hc.Coding(EU_REGISTER, "EU/1/20/1528")
    assert event.manufacturer == hc.Coding(EMA_ORGANISATION, "ORG-100030215")
    assert event.vaccine == hc.Coding(SNOMED_CT, "1119349007")
    assert (event.dose, event.series, event.date) == (2, 2, date(2021, 6, 11))


def test_a_test() -> None:
    _, event = read_record(hc.EntryType.TEST, RECORDS[hc.EntryType.TEST] | {"name": None})
    assert isinstance(event, hc.TestResult)
    assert event.sampled_at is not None
    assert event.sampled_at.utcoffset() == timedelta(hours=2)
    assert event.device == hc.Coding(JRC_DEVICE, "1232")
    assert event.name is None


@pytest.mark.parametrize("named", ["EU/1/21/1529", "Vaxzevria", "vaxzevria "])
def test_a_product_brings_its_vaccine_and_manufacturer(named: str) -> None:
    record = RECORDS[hc.EntryType.VACCINATION] | {"product": named, "vaccine": None, "manufacturer": None}
    _, event = read_record(hc.EntryType.VACCINATION, record)
    assert isinstance(event, hc.Vaccination)
    codes = [coding and coding.code for coding in (event.product, event.vaccine, event.manufacturer)]
    assert codes == ["EU/1/21/1529", "29061000087103", "ORG-100001699"]


def test_what_the_record_says_itself_is_kept() -> None:
    record = RECORDS[hc.EntryType.VACCINATION] | {"product": "Vaxzevria", "vaccine": "28531000087107"}
    _, event = read_record(hc.EntryType.VACCINATION, record)
    assert isinstance(event, hc.Vaccination)
    assert event.vaccine is not None
    assert event.vaccine.code == "28531000087107"


@pytest.mark.parametrize("kind", ENTRY_TYPES)
def test_each_required_name_is_missed(kind: hc.EntryType) -> None:
    unknown = {"product": "Some-Product"} if kind is hc.EntryType.VACCINATION else {}
    for name in set(RECORDS[kind]) - HOLDER.keys() - {"device"}:
        record = {key: value for key, value in (RECORDS[kind] | unknown).items() if key != name}
        with pytest.raises(hc.IssueError) as caught:
            read_record(kind, record)
        assert caught.value.code == "FIELD_INVALID"
        assert caught.value.detail.startswith(f"{name}: is missing; ")


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (hc.EntryType.VACCINATION, "date", "11/06/2021"),
        (hc.EntryType.VACCINATION, "date", "2021-W23-5"),
        (hc.EntryType.VACCINATION, "date", 20210611),
        (hc.EntryType.VACCINATION, "dose", "two"),
        (hc.EntryType.VACCINATION, "dose", "٢"),
        (hc.EntryType.VACCINATION, "dose", 2.0),
        (hc.EntryType.VACCINATION, "dose", True),
        (hc.EntryType.VACCINATION, "vaccine", 1119349007),
        (hc.EntryType.VACCINATION, "vaccine", ""),
        (hc.EntryType.VACCINATION, "family_name", ["Exemplaire"]),
        (hc.EntryType.VACCINATION, "issuer", {}),
        (hc.EntryType.TEST, "sampled_at", "2021-07-20T10:03:13"),
        (hc.EntryType.TEST, "sampled_at", "2021-07-20"),
        (hc.EntryType.TEST, "sampled_at", 1),
        (hc.EntryType.RECOVERY, "valid_until", "2021-02-30"),
    ],
)
def test_a_value_of_the_wrong_form_is_told_without_the_value(kind: hc.EntryType, name: str, value: Any) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read_record(kind, RECORDS[kind] | {name: value})
    assert caught.value.detail.startswith(f"{name}: ")
    assert not isinstance(value, str) or not value or value not in caught.value.detail


def test_a_name_the_record_does_not_have_is_refused() -> None:
    with pytest.raises(hc.IssueError, match="vacine: not a field of a vaccination record"):
        read_record(hc.EntryType.VACCINATION, {"vacine": "1119349007"})
    assert "batch" not in fields_of(hc.EntryType.VACCINATION)
    assert "centre" in fields_of(hc.EntryType.TEST)
