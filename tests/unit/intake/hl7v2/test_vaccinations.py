"""VXU^V04: administrations to doses."""

from __future__ import annotations

from datetime import date

import pytest

from healthcert.codings import COVID_19
from healthcert.errors import Code
from healthcert.families.hcert.valuesets import coding
from healthcert.intake.reading import RejectedRow, Row
from healthcert.model import Vaccination
from tests.unit.intake.hl7v2.messages import (
    DOSE,
    ORC,
    PID,
    RXA,
    SERIES,
    VACCINATION,
    VXU_MSH,
    field,
    message,
    read,
    refused,
    rows,
    vaccination,
)  # fmt: skip


def given(number: int, value: str) -> list[str]:
    return [field(one, number, value) if one == RXA else one for one in VACCINATION]


def test_a_dose() -> None:
    assert vaccination(VACCINATION) == Vaccination(
        disease=COVID_19,
        vaccine=coding("vp", "1119349007"),
        product=coding("mp", "EU/1/20/1528"),
        manufacturer=coding("v.ma", "ORG-100030215"),
        dose=1,
        series=2,
        date=date(2021, 5, 29),
    )


@pytest.mark.parametrize("version", ["2.3.1", "2.4", "2.5.1", "2.8.2"])
def test_other_versions(version: str) -> None:
    header = field(field(VXU_MSH, 12, version), 9, "VXU^V04")
    without_order = [one for one in (header, *VACCINATION[1:]) if one != ORC]
    assert vaccination(without_order) == vaccination(VACCINATION)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (3, "202105291030"),
        (3, "20210529103000+0200"),
        (5, "208^x^CVX^J07BN01^y^ATC"),
        (6, ""),
        (6, "999"),
        (9, ""),
        (9, "00^x^NIP001~note"),
        (9, "05^Other registry^NIP001"),
        (15, ""),
        (17, ""),
        (20, ""),
        (21, ""),
        (21, "U"),
    ],
)
def test_the_same_dose_in_other_words(number: int, value: str) -> None:
    assert vaccination(given(number, value)) == vaccination(VACCINATION)


@pytest.mark.parametrize(
    ("number", "value", "code"),
    [
        (3, "202105", Code.FIELD_INVALID),
        (3, "", Code.FIELD_INVALID),
        (3, "20210532", Code.FIELD_INVALID),
        (5, "141^Influenza^CVX", Code.CODE_NOT_MAPPED),
        (5, "213^any^CVX", Code.CODE_NOT_MAPPED),
        (5, "208^x^CVX~207^y^CVX", Code.CODE_NOT_MAPPED),
        (5, "^Comirnaty", Code.CODE_NOT_MAPPED),
        (5, "998^no vaccine administered^CVX", Code.CODE_NOT_MAPPED),
        (5, "", Code.CODE_NOT_MAPPED),
        (6, "0", Code.RECORD_NOT_FINAL),
        (6, "0.0", Code.RECORD_NOT_FINAL),
        (9, "01^Historical^NIP001", Code.RECORD_NOT_SUPPORTED),
        (9, "04^Recall^NIP001", Code.RECORD_NOT_SUPPORTED),
        (17, "MOD^Moderna^MVX", Code.CODE_NOT_MAPPED),
        (18, "00^Parental decision^NIP002", Code.RECORD_NOT_FINAL),
        (20, "RE", Code.RECORD_NOT_FINAL),
        (20, "NA", Code.RECORD_NOT_FINAL),
        (20, "PA", Code.RECORD_NOT_FINAL),
        (20, "??", Code.RECORD_NOT_FINAL),
        (21, "D", Code.RECORD_NOT_FINAL),
        (21, "X", Code.RECORD_NOT_FINAL),
    ],
)
def test_what_is_no_dose_that_can_be_certified(number: int, value: str, code: Code) -> None:
    assert refused(given(number, value))[0] is code


@pytest.mark.parametrize(
    ("dose", "code"),
    [
        ([SERIES], Code.FIELD_INVALID),
        ([DOSE], Code.FIELD_INVALID),
        ([DOSE, SERIES, field(DOSE, 5, "2")], Code.FIELD_INVALID),
        ([field(DOSE, 5, "first"), SERIES], Code.FIELD_INVALID),
        ([field(DOSE, 5, "1.5"), SERIES], Code.FIELD_INVALID),
        ([field(DOSE, 5, '""'), SERIES], Code.FIELD_INVALID),
        ([field(DOSE, 11, "P"), SERIES], Code.RECORD_NOT_FINAL),
        ([field(DOSE, 3, "30973-2^Dose number^L"), SERIES], Code.FIELD_INVALID),
    ],
)
def test_the_number_of_a_dose(dose: list[str], code: Code) -> None:
    assert refused([*VACCINATION[:5], *dose])[0] is code


def test_several_doses() -> None:
    second = [ORC, field(RXA, 3, "20210711"), field(DOSE, 5, "2"), SERIES]
    found = rows([*VACCINATION, *second])
    assert [one.event.dose for one in found if isinstance(one.event, Vaccination)] == [1, 2]
    refusal = [ORC, field(RXA, 20, "RE"), "NTE|1||said no"]
    assert [type(one) for one in read(message([*VACCINATION, *refusal, *second]))] == [Row, RejectedRow, Row]


def test_an_order_that_was_cancelled() -> None:
    cancelled = [field(one, 1, "CA") if one == ORC else one for one in VACCINATION]
    assert refused(cancelled)[0] is Code.RECORD_NOT_FINAL


@pytest.mark.parametrize(
    "segments",
    [
        (VXU_MSH, RXA, PID),
        (VXU_MSH, PID, PID, RXA, DOSE, SERIES),
        (VXU_MSH, PID, RXA, DOSE, SERIES, PID),
        (VXU_MSH, PID, ORC, ORC, RXA),
        (VXU_MSH, PID, ORC, DOSE, RXA),
        (VXU_MSH, PID, "RXR|x", RXA),
        (VXU_MSH, PID, RXA, DOSE, SERIES, ORC),
        (VXU_MSH, PID),
    ],
)
def test_segments_of_the_wrong_order(segments: tuple[str, ...]) -> None:
    assert refused(segments)[0] is Code.RECORD_UNREADABLE


def test_the_country_of_a_dose() -> None:
    assert vaccination(given(28, "1 rue X^^Lyon^^69000^FRA")).country == "FR"
    assert vaccination(given(11, "^^^Site^^^^^1 rue X^^Lyon^^69000^DEU")).country == "DE"
    assert refused(given(28, "^^^^^ZZZ"))[0] is Code.FIELD_INVALID
