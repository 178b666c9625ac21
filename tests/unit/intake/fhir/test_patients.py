"""Who a record is about: the name that counts, the birth date, persons who are not in use, and French identities."""

from __future__ import annotations

from typing import Any

import pytest

from healthcert.errors import Code
from healthcert.intake.ins import NIR, key_of
from healthcert.model import Holder
from tests.unit.intake.fhir.make import Json, immunization, lines, only_rejected, only_row, patient

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def holder(**changes: Any) -> Holder:
    return only_row(lines(immunization(), patient(**changes))).holder


def refused(**changes: Any) -> Code:
    rejected = only_rejected(lines(immunization(), patient(**changes)))
    assert rejected.number == 1
    return rejected.error.code


def name(family: str | None = "Nom", *given: str, **other: Any) -> Json:
    return {"family": family, "given": list(given) or ["Zoé"], **other}


def absent(reason: str) -> Json:
    return {"extension": [{"url": ABSENT, "valueCode": reason}]}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([name("A", use="usual"), name("B", use="official"), name("C")], "B"),
        ([name("A"), name("B", use="usual")], "B"),
        ([name("A"), name("B", use="nickname")], "A"),
        ([name("A", use="old"), name("B", use="maiden"), name("C")], "C"),
        ([name("A", use="official", period={"start": "1990", "end": "2001-05"}), name("B", use="official")], "B"),
        ([name("A", use="official", period={"end": "2001"}), name("B", use="usual")], "B"),
        ([name("A", use="official", period={"start": "1990", "end": "9999-12-31"}), name("B", use="usual")], "A"),
        ([name("A", use="official"), name("A", use="official", text="Zoé A")], "A"),
    ],
)
def test_the_name_that_counts(names: list[Json], expected: str) -> None:
    assert holder(name=names).family_name == expected


@pytest.mark.parametrize(
    "names",
    [
        [],
        [{"text": "Zoé Müller"}],
        [{"use": "official"}],
        [{"use": "official", "family": " ", "given": [" ", None]}],
        [name("A", use="official"), name("B", use="official")],
        [name("A"), name("B")],
        [name("A", use="old")],
        [name("A", use="anonymous")],
        [name("A", use="temp")],
        [name("A", use="maiden")],
        [name("A", use="Official")],
        [name("A", use="official", period={"end": "2001"})],
        [{"use": "official", "given": ["Zoé"], "_family": absent("masked")}],
    ],
)
def test_no_name_that_counts(names: list[Json]) -> None:
    assert refused(name=names) is Code.HOLDER_UNKNOWN


def test_one_name_is_enough() -> None:
    given = [{"use": "official", "given": ["Suharto"]}]
    assert (holder(name=given).family_name, holder(name=given).given_name) == (None, "Suharto")
    assert holder(name=[{"use": "official", "family": "Suharto"}]).given_name is None


@pytest.mark.parametrize("told", ["1964", "1964-08", "1964-08-12", "2004-02-29"])
def test_birth_dates(told: str) -> None:
    assert holder(birthDate=told).birth_date == told


@pytest.mark.parametrize("told", ["", "64", "12.08.1964", "1964-8-12", "1964-13", "2005-02-29", "1964-08-12T00:00:00Z"])
def test_no_birth_dates(told: str) -> None:
    assert refused(birthDate=told) is Code.FIELD_INVALID


def test_unknown_birth_dates_are_said_to_be() -> None:
    assert holder(birthDate=None, _birthDate=absent("unknown")).birth_date == ""
    assert holder(birthDate=None, _birthDate=absent("asked-unknown")).birth_date == ""
    assert refused(birthDate=None) is Code.FIELD_INVALID
    assert refused(birthDate=None, _birthDate=absent("masked")) is Code.FIELD_INVALID
    assert refused(birthDate="1964-08-12", _birthDate=absent("unknown")) is Code.FIELD_INVALID


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"link": [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]},
        {"deceasedBoolean": True},
        {"deceasedDateTime": "2021-01-01"},
    ],
)
def test_persons_not_in_use(changes: Json) -> None:
    assert refused(**changes) is Code.HOLDER_UNKNOWN


def test_persons_in_use() -> None:
    linked = holder(
        active=True, deceasedBoolean=False, link=[{"other": {"reference": "Patient/p2"}, "type": "replaces"}]
    )
    assert linked == holder()


@pytest.mark.parametrize(
    "changes", [{"modifierExtension": [{}]}, {"implicitRules": "x"}, {"meta": {"tag": [{"code": "SUBSETTED"}]}}]
)
def test_what_may_change_the_meaning(changes: Json) -> None:
    assert refused(**changes) is Code.RECORD_NOT_SUPPORTED


def test_french_identity() -> None:
    number = "2640875116001"
    matricule = f"{number}{key_of(number):02}"
    kind = {"coding": [{"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}]}
    ins = {"use": "official", "type": kind, "system": f"urn:oid:{NIR}", "value": matricule}
    row = only_row(lines(immunization(), patient(identifier=[{"value": "MR-1"}, ins])))
    assert row.identity is not None
    assert (row.identity.matricule, row.identity.oid, row.identity.sex) == (matricule, NIR, "F")
    assert row.holder == holder()
    assert refused(identifier=[ins], birthDate="1970-01-01") is Code.IDENTITY_MISMATCH
    broken = only_rejected(lines(immunization(), patient(identifier=[ins | {"value": matricule[:-2] + "00"}])))
    assert broken.error.code is Code.IDENTITY_INVALID
    assert number not in str(broken.error)
    assert only_row(lines(immunization(), patient(identifier=[ins | {"use": "old"}]))).identity is None
