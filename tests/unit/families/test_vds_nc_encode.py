"""Seals that are written: read back without a finding, or refused by field and rule."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import COVID_19, DETECTED, ICD_11, LOINC, NOT_DETECTED
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.jcs import canonical
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.valuesets import coding
from healthcert.families.protocol import Wire
from healthcert.families.vds_nc.encode import unsigned
from healthcert.model import Coding, Holder, Recovery, TestResult, Vaccination
from tests.support import NOW
from tests.support_seals import STRICT, barcode_signer, examine

HOLDER = Holder(
    full_name="EXEMPLAIRE  ZOÉ",
    birth_date="1984-02-29",
    sex=Coding("", "F"),
    document_number="X1234567",
    other={"ai": "L4567890Z"},
)
DOSE = Vaccination(
    disease=Coding(ICD_11, "RA01.0"),
    vaccine=Coding(ICD_11, "XM68M6"),
    product=Coding("", "Comirnaty"),
    dose=1,
    date=date(2021, 5, 1),
    country="FR",
    certificate_id="FR0000000001",
    batch="L1",
    centre="Hôpital A",
    other={"dvn": "2021-05-29"},
)
SECOND = replace(DOSE, dose=2, date=date(2021, 5, 29), country="DE", batch="L2", centre=None, other={})
BOOSTER = replace(SECOND, dose=3, date=date(2021, 8, 1), product=Coding("", "Spikevax"), disease=None)
TESTED = TestResult(
    test_type=Coding("", "molecular(PCR)"),
    sampled_at=datetime(2021, 8, 19, 12, tzinfo=timezone(timedelta(hours=2))),
    result=Coding("", "negative"),
    centre="Laboratoire A",
    country="FR",
    certificate_id="FR0000000002",
    resulted_at=datetime(2021, 8, 19, 16, tzinfo=UTC),
    other={"cd": {"p": "+33100000000", "e": "a@example.org", "a": "1 Rue A"}, "m": "saliva", "opt": "ID1"},
)
PERSON = replace(HOLDER, sex=None, other={"dt": "P"})


def written(*events: hc.Event, holder: Holder = HOLDER, **changes: Any) -> Wire:
    signer = barcode_signer().signer()
    given: dict[str, Any] = {
        "issuer": "FRA",
        "certificate": signer.certificate,
        "issued_at": NOW,
        "algorithm": signer.algorithm,
    } | changes
    message = unsigned(events=events, holder=holder, **given)
    return message.assemble(signer.sign(message.to_be_signed))


def refusal(*events: hc.Event, holder: Holder = HOLDER, **changes: Any) -> str:
    with pytest.raises(IssueError) as caught:
        written(*events, holder=holder, **changes)
    assert (caught.value.code, caught.value.step) == (Code.FIELD_INVALID, Step.CONTENT)
    name, _, rule = caught.value.detail.partition(": ")
    assert "; for example " in rule
    return name


@pytest.mark.parametrize(
    ("events", "holder"),
    [
        ((DOSE,), HOLDER),
        ((DOSE, SECOND), HOLDER),
        ((DOSE, SECOND, BOOSTER), Holder(full_name="X", document_number="Y")),
        ((SECOND,), Holder(full_name="X", birth_date="1984-02-29")),
        ((TESTED,), PERSON),
    ],
)
def test_what_is_written_is_read_back(events: tuple[hc.Event, ...], holder: Holder) -> None:
    wire = written(*events, holder=holder)
    report = examine(wire.text, policy=STRICT)
    assert (report.outcome, report.detail, report.warnings) == ("accepted", "", ())
    assert report.certificate is not None
    assert (report.certificate.holder, report.certificate.events) == (holder, events)
    assert (report.certificate.issuer, report.certificate.identifiers) == ("FR", (events[0].certificate_id,))


def test_the_wire_is_canonical_json_in_bytes() -> None:
    wire = written(DOSE)
    assert (wire.segments, wire.symbol, wire.media_type) == ((wire.binary,), "qr", "application/json")
    assert wire.text.encode() == wire.binary == canonical(json.loads(wire.text))
    assert set(json.loads(wire.text)["sig"]) == {"alg", "cer", "sigvl"}


def test_names_are_written_as_in_a_passport() -> None:
    wire = written(DOSE, holder=Holder(family_name="EXEMPLAIRE", given_name="ZOE ANNE", birth_date="1984-02-29"))
    assert json.loads(wire.text)["data"]["msg"]["pid"]["n"] == "EXEMPLAIRE  ZOE ANNE"


def test_codes_of_other_systems_become_those_of_icd_11() -> None:
    dose = replace(DOSE, vaccine=coding("vp", "1119349007"), product=coding("mp", "EU/1/20/1528"), disease=COVID_19)
    (event,) = json.loads(written(dose).text)["data"]["msg"]["ve"]
    assert (event["des"], event["dis"], event["nam"]) == ("XM0GQ8", "RA01", "Comirnaty")


@pytest.mark.parametrize(("result", "word"), [(NOT_DETECTED, "negative"), (DETECTED, "positive")])
def test_results_become_words(result: Coding, word: str) -> None:
    wire = written(replace(TESTED, result=result), holder=PERSON)
    assert json.loads(wire.text)["data"]["msg"]["tr"]["r"] == word


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vaccine", None),
        ("vaccine", Coding(LOINC, "XM68M6")),
        ("vaccine", Coding(ICD_11, "XM68M67")),
        ("disease", Coding("", "RA01.0")),
        ("product", None),
        ("product", Coding("http://example.org", "1")),
        ("dose", None),
        ("dose", 0),
        ("dose", 100),
        ("dose", True),
        ("date", None),
        ("date", NOW),
        ("country", None),
        ("country", "ZZ"),
        ("batch", None),
        ("batch", "L" * 21),
        ("centre", "C" * 21),
        ("centre", "A\nB"),
        ("certificate_id", None),
        ("certificate_id", "X" * 13),
        ("series", 2),
        ("manufacturer", Coding("", "M")),
        ("issuer", "Ministry"),
        ("clinician", "Dr A"),
        ("other", {"more": 1}),
    ],
)
def test_a_dose_that_a_seal_cannot_hold_is_refused(field: str, value: Any) -> None:
    assert refusal(replace(DOSE, **{field: value})) == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("test_type", None),
        ("test_type", Coding(LOINC, "LP6464-4")),
        ("result", Coding("", "fine")),
        ("result", Coding("http://example.org", "negative")),
        ("sampled_at", None),
        ("resulted_at", None),
        ("resulted_at", NOW.replace(tzinfo=None)),
        ("sampled_on", date(2021, 8, 19)),
        ("centre", None),
        ("country", None),
        ("disease", COVID_19),
        ("name", "Example qPCR"),
        ("device", Coding("", "1232")),
        ("issuer", "Ministry"),
        ("certificate_id", None),
    ],
)
def test_a_test_that_a_seal_cannot_hold_is_refused(field: str, value: Any) -> None:
    assert refusal(replace(TESTED, **{field: value}), holder=PERSON) == field


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({}, "other.cd"),
        ({"cd": {"p": "1"}}, "other.cd"),
        ({"cd": {"p": "", "e": "e", "a": "a"}}, "other.cd.p"),
        (dict(TESTED.other) | {"m": "ear"}, "other.m"),
        (dict(TESTED.other) | {"opt": "X" * 21}, "other.opt"),
        (dict(TESTED.other) | {"more": 1}, "other"),
    ],
)
def test_what_else_a_test_says_has_its_rules(other: dict[str, Any], field: str) -> None:
    assert refusal(replace(TESTED, other=other), holder=PERSON) == field


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("full_name", None, "full_name"),
        ("full_name", "X" * 40, "full_name"),
        ("family_name", "X", "full_name"),
        ("birth_date", "1984", "birth_date"),
        ("birth_date", "1984-02-30", "birth_date"),
        ("sex", Coding("", "female"), "sex"),
        ("document_number", "X" * 12, "document_number"),
        ("nationality", "FR", "nationality"),
        ("guardian", "Y", "guardian"),
        ("family_name_icao", "X", "family_name_icao"),
        ("other", {"ai": "X" * 25}, "other.ai"),
        ("other", {"more": 1}, "other"),
    ],
)
def test_a_holder_that_a_seal_cannot_name_is_refused(field: str, value: Any, named: str) -> None:
    assert refusal(DOSE, holder=replace(HOLDER, **{field: value})) == named


def test_a_holder_needs_a_birth_date_or_a_document() -> None:
    assert refusal(DOSE, holder=Holder(full_name="X")) == "birth_date"
    assert refusal(TESTED, holder=replace(PERSON, birth_date="")) == "birth_date"
    assert refusal(TESTED, holder=replace(PERSON, document_number=None)) == "document_number"
    assert refusal(TESTED, holder=replace(PERSON, other={})) == "other.dt"
    assert refusal(TESTED, holder=HOLDER) == "sex"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"issuer": "FR"}, "issuer"),
        ({"issuer": "ZZZ"}, "issuer"),
        ({"algorithm": Algorithm.PS256}, "algorithm"),
        ({"algorithm": Algorithm.EdDSA}, "algorithm"),
        ({"certificate": b""}, "certificate"),
        ({"certificate": b"-----BEGIN"}, "certificate"),
        ({"expires_at": NOW}, "expires_at"),
        ({"issued_at": datetime(2021, 4, 1, tzinfo=UTC)}, "events"),
    ],
)
def test_a_seal_that_could_not_be_read_is_refused(changes: dict[str, Any], named: str) -> None:
    assert refusal(DOSE, **changes) == named


def test_a_seal_is_about_vaccinations_or_one_test() -> None:
    recovery = Recovery(
        disease=COVID_19,
        first_positive=date(2021, 5, 1),
        valid_from=date(2021, 5, 12),
        valid_until=date(2021, 10, 28),
    )
    for events in ((), (recovery,), (DOSE, TESTED), (TESTED, TESTED)):
        assert refusal(*events) == "events"
    assert refusal(DOSE, replace(SECOND, certificate_id="FR0000000009")) == "certificate_id"


def test_refusals_hold_no_personal_data() -> None:
    with pytest.raises(IssueError) as caught:
        written(DOSE, holder=replace(HOLDER, full_name="GEHEIM" * 10))
    assert "GEHEIM" not in str(caught.value)
    message = unsigned(
        events=[DOSE], holder=HOLDER, issuer="FRA", certificate=b"0", issued_at=NOW, algorithm=Algorithm.ES256
    )
    assert "EXEMPLAIRE" not in repr(message)
    assert "EXEMPLAIRE" not in repr(written(DOSE))
