"""Records of the other families: each field in its place, and none that a family has no place for."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert import codings
from healthcert.intake.forms import FORMS, PERSONAL, families_of, form_fields, read_form

VACCINATION, TEST = hc.EntryType.VACCINATION, hc.EntryType.TEST
WHO = {"family_name": "Exemplaire", "given_name": "Zoé", "birth_date": "1984-02-29"}
KINDS = [(family, kind) for family, form in FORMS.items() for kind in form.events or (None,)]


def dose(family: str, **fields: Any) -> hc.Vaccination:
    _, event = read_form(family, VACCINATION, WHO | fields)
    assert isinstance(event, hc.Vaccination)
    return event


def result(family: str, **fields: Any) -> hc.TestResult:
    _, event = read_form(family, TEST, WHO | {"result": "negative"} | fields)
    assert isinstance(event, hc.TestResult)
    return event


def test_the_families_of_each_kind() -> None:
    assert PERSONAL == ("nzcp", "light")
    assert families_of(VACCINATION) == ("shc", "vds-nc", "divoc", "2d-doc", "dvc")
    assert families_of(TEST) == ("shc", "vds-nc", "divoc", "2d-doc")
    assert families_of(hc.EntryType.RECOVERY) == ()


def test_a_person_alone() -> None:
    assert read_form("nzcp", None, WHO) == (hc.Holder("Exemplaire", "Zoé", "1984-02-29"), None)


def test_a_dose_of_a_card() -> None:
    found = dose("shc", vaccine="208", date="2021-06-11", batch="LOT9", dose="2", manufacturer="PFR", centre="Hospital")
    assert found == hc.Vaccination(
        vaccine=hc.Coding(codings.CVX, "208"),
        date=date(2021, 6, 11),
        batch="LOT9",
        dose=2,
        manufacturer=hc.Coding(codings.MVX, "PFR"),
        centre="Hospital",
    )


@pytest.mark.parametrize(
    ("family", "code", "coding"),
    [
        ("shc", "208", (codings.CVX, "208")),
        ("shc", "snomed:1119349007", (codings.SNOMED_CT, "1119349007")),
        ("vds-nc", "XM68M6", (codings.ICD_11, "XM68M6")),
        ("2d-doc", "J07BX03", (codings.ATC, "J07BX03")),
        ("divoc", "icd-11:XM9QW8", (codings.ICD_11, "XM9QW8")),
        ("divoc", "COVID-19 vaccine", ("", "COVID-19 vaccine")),
        ("shc", "other:1", (codings.CVX, "other:1")),
    ],
)
def test_a_bare_code_is_one_of_the_family_s_system(family: str, code: str, coding: tuple[str, str]) -> None:
    vaccine = dose(family, vaccine=code).vaccine
    assert vaccine is not None
    assert (vaccine.system, vaccine.code) == coding


@pytest.mark.parametrize(
    ("family", "word", "coding"),
    [
        ("shc", "negative", codings.NOT_DETECTED),
        ("shc", "Positive", codings.DETECTED),
        ("shc", "260415000", codings.NOT_DETECTED),
        ("2d-doc", "negative", codings.NOT_DETECTED),
        ("shc", "455371000124106", hc.Coding(codings.SNOMED_CT, "455371000124106")),
        ("vds-nc", "negative", hc.Coding("", "negative")),
        ("divoc", "Negative", hc.Coding("", "Negative")),
    ],
)
def test_a_result_is_a_word_or_a_code(family: str, word: str, coding: hc.Coding) -> None:
    assert result(family, result=word).result == coding


def test_what_only_one_family_has_goes_beside() -> None:
    holder, event = read_form(
        "vds-nc",
        TEST,
        WHO
        | {"result": "negative", "document_type": "P", "contact_phone": "1", "contact_email": "2", "method": "saliva"},
    )
    assert holder.other == {"dt": "P"}
    assert isinstance(event, hc.TestResult)
    assert event.other == {"cd": {"p": "1", "e": "2"}, "m": "saliva"}
    assert dose("2d-doc", cycle="CO").other == {"cycle": "CO"}


def test_a_disease_goes_without_saying_where_the_family_has_one() -> None:
    assert dose("2d-doc").disease == codings.COVID_19
    assert dose("shc").disease is None


def test_moments_and_days() -> None:
    found = result("shc", sampled_at="2021-08-20T10:03:12+02:00", resulted_at=None)
    assert found.sampled_at is not None
    assert found.sampled_at.utcoffset() == timedelta(hours=2)
    assert result("shc", sampled_on="2021-08-20").sampled_on == date(2021, 8, 20)


@pytest.mark.parametrize(
    ("family", "kind", "fields", "said"),
    [
        ("nzcp", None, {"sex": "female"}, "sex: nzcp has no place for it; it has: family_name, given_name, birth_date"),
        ("shc", VACCINATION, {"clinician": "Dr X"}, "clinician: shc has no place for it"),
        ("shc", VACCINATION, {"No Name!": "zzz"}, r"1 name\(s\): shc has no place"),
        ("shc", TEST, {}, "result: is missing"),
        (
            "shc",
            TEST,
            {"result": "negative", "sampled_at": "2021-09-21T10:03:12"},
            "sampled_at: a moment with its time",
        ),
        ("shc", TEST, {"result": "negative", "sampled_at": "yesterday"}, "sampled_at: a moment with its time"),
        ("shc", TEST, {"result": 7}, "result: text is expected"),
        ("shc", VACCINATION, {"date": "2021-W10-1"}, "date: a day as YYYY-MM-DD"),
        ("shc", VACCINATION, {"date": "2021-02-30"}, "date: a day as YYYY-MM-DD"),
        ("shc", VACCINATION, {"dose": "two"}, "dose: a whole number"),
        ("shc", VACCINATION, {"dose": True}, "dose: a whole number"),
        ("shc", VACCINATION, {"batch": ""}, "batch: text is expected"),
        ("shc", VACCINATION, {"vaccine": ["208"]}, "vaccine: text is expected"),
    ],
)
def test_what_cannot_be_read(family: str, kind: Any, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        read_form(family, kind, WHO | fields)
    assert (caught.value.code, caught.value.step) == ("FIELD_INVALID", "content")
    assert not any(str(value) in caught.value.detail for value in fields.values() if isinstance(value, str) and value)


@given(st.sampled_from(KINDS), st.data())
def test_any_record_is_read_or_refused(which: tuple[str, Any], data: st.DataObject) -> None:
    family, kind = which
    names = st.sampled_from(form_fields(family, kind))
    values = st.text(max_size=12) | st.integers() | st.none() | st.sampled_from(["2021-06-11", "cvx:208", "negative"])
    record = data.draw(st.dictionaries(names, values, max_size=6))
    with contextlib.suppress(hc.IssueError):
        holder, event = read_form(family, kind, record)
        assert isinstance(holder, hc.Holder)
        assert (event is None) == (kind is None)
