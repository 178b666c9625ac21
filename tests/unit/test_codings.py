"""Codes across families: names, what is the same, what a result says; and the table they come from."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.make_codings import SYSTEMS, made

from healthcert import codings
from healthcert.codings import (
    ATC,
    COVID_19,
    CVX,
    DETECTED,
    EU_PRODUCT_NAME,
    EU_REGISTER,
    ICD_11,
    INTERPRETATION,
    LOINC,
    MVX,
    NAAT,
    NOT_DETECTED,
    PREQUALIFIED,
    RAPID_ANTIGEN,
    SNOMED_CT,
    TWODDOC_RESULT,
    disease_of,
    finding,
    made_by,
    named,
    same,
)
from healthcert.model import Coding

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads(files("healthcert.data").joinpath("codings.json").read_text("utf-8"))
STAMARIL = "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"


# --- What a result says ---


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SNOMED_CT, "260373001"),
        (SNOMED_CT, "10828004"),
        (SNOMED_CT, "840533007"),
        (LOINC, "LA6576-8"),
        (LOINC, "LA11882-0"),
        (INTERPRETATION, "POS"),
        (ICD_11, "RA01.0"),
        ("http://id.who.int/icd11/mms", "RA01.0"),
        (TWODDOC_RESULT, "P"),
        ("", "Positive"),
        ("", "DETECTED"),
        ("", "260373001"),
    ],
)
def test_a_positive_result_in_every_system(system: str, code: str) -> None:
    assert finding(Coding(system, code)) is DETECTED


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SNOMED_CT, "260415000"),
        (SNOMED_CT, "260385009"),
        ("urn:oid:2.16.840.1.113883.6.96", "260415000"),
        (LOINC, "LA6577-6"),
        (LOINC, "LA11883-8"),
        (INTERPRETATION, "ND"),
        (ICD_11, "RA01.1"),
        (TWODDOC_RESULT, "N"),
        ("", "negative"),
        ("", " Not\u00a0 detected "),
        ("", "LA6577-6"),
    ],
)
def test_a_negative_result_in_every_system(system: str, code: str) -> None:
    assert finding(Coding(system, code)) is NOT_DETECTED


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (SNOMED_CT, "419984006"),  # inconclusive
        (SNOMED_CT, "negative"),
        (LOINC, "LA15841-2"),  # invalid
        (LOINC, "260415000"),
        (TWODDOC_RESULT, "I"),
        (TWODDOC_RESULT, "X"),
        (TWODDOC_RESULT, "n"),
        ("", "N"),
        ("", "not"),
        ("", "not positive"),
        ("", "undetected"),
        ("", ""),
        ("urn:example", "negative"),
        ("urn:example", "260415000"),
    ],
)
def test_what_cannot_be_told_is_no_finding(system: str, code: str) -> None:
    assert finding(Coding(system, code, "Negative")) is None


@given(system=st.text(), code=st.text())
def test_no_other_code_is_a_finding(system: str, code: str) -> None:
    assert finding(Coding(f"urn:example:{system}", code)) is None
    assert finding(Coding("", f"not {code}")) is (NOT_DETECTED if code.strip().casefold() == "detected" else None)


# --- Names ---


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (CVX, "207", "COVID-19, mRNA, LNP-S, PF, 100 mcg/0.5mL dose or 50 mcg/0.25mL dose"),
        (CVX, "37", "yellow fever"),
        ("http://hl7.org/fhir/sid/cvx-TEMPORARY-CODE-SYSTEM", "37", "yellow fever"),
        (MVX, "PFR", "Pfizer, Inc"),
        (ICD_11, "XM8NQ0", "Comirnaty®"),
        ("http://hl7.org/fhir/sid/icd-11", "1D47", "Yellow fever"),
        (EU_REGISTER, "EU/1/20/1528", "Comirnaty"),
        (EU_PRODUCT_NAME, "CoronaVac", "CoronaVac"),
        (SNOMED_CT, "840539006", "COVID-19"),
        (LOINC, "LP6464-4", NAAT.display),
        (PREQUALIFIED, STAMARIL, "STAMARIL (Sanofi Pasteur)"),
        ("http://smart.who.int/icvp/CodeSystem/ICVPProductIds", STAMARIL, "STAMARIL (Sanofi Pasteur)"),
        (TWODDOC_RESULT, "X", "Not to be used"),
        ("urn:example", "207", None),
        (CVX, "999", None),
        ("", "207", None),
    ],
)
def test_a_code_has_the_name_that_the_table_knows_and_keeps_its_system(
    system: str, code: str, name: str | None
) -> None:
    coding = named(system, code)
    assert (coding.system, coding.code, coding.display) == (system, code, name)
    given_name = named(system, code, "as written")
    assert (given_name, given_name.display) == (coding, "as written")


# --- What is the same ---


def codes(coding: Coding) -> set[tuple[str, str]]:
    return {(one.system, one.code) for one in same(coding)}


def test_a_product_has_its_codes_in_other_systems() -> None:
    spikevax = {(ICD_11, "XM3DT5"), (EU_REGISTER, "EU/1/20/1507"), (SNOMED_CT, "10871000172106")}
    assert spikevax <= codes(Coding(CVX, "207"))
    assert spikevax - codes(Coding(EU_REGISTER, "EU/1/20/1507")) == {(EU_REGISTER, "EU/1/20/1507")}
    assert (EU_REGISTER, "EU/1/20/1507") in codes(Coding("http://id.who.int/icd11/mms", "XM3DT5"))
    assert {one.display for one in same(Coding(CVX, "207")) if one.display} == {"COVID-19 Vaccine Moderna", "Spikevax"}


def test_what_is_one_form_of_a_product_is_not_the_product() -> None:
    assert not [system for system, _ in codes(Coding(EU_REGISTER, "EU/1/20/1528")) if system == CVX]
    assert (EU_PRODUCT_NAME, "R-COVI") not in codes(Coding(ICD_11, "XM4YL8"))
    assert (CVX, "510") in codes(Coding(EU_PRODUCT_NAME, "BBIBP-CorV"))


def test_diseases_vaccines_and_tests_have_theirs() -> None:
    assert codes(COVID_19) == {(ICD_11, "RA01")}
    assert codes(Coding(ICD_11, "RA01.0")) == {(SNOMED_CT, "840539006"), (ICD_11, "RA01")}
    assert codes(Coding(ATC, "J07BN01")) == {(SNOMED_CT, "1119349007"), (ICD_11, "XM0GQ8")}
    assert codes(Coding(ATC, "J07BX03")) == {(SNOMED_CT, "28531000087107"), (ICD_11, "XM68M6"), (CVX, "213")}
    assert same(Coding(LOINC, "94500-6")) == (NAAT,)
    assert same(Coding(LOINC, "94558-4")) == (RAPID_ANTIGEN,)
    assert same(Coding(CVX, "37")) == same(Coding("", "")) == ()


def test_what_is_the_same_leads_back() -> None:
    for members in TABLE["same"]:
        things = [Coding(system, code) for system, code, relation, _ in members if relation == "is"]
        assert things
        for thing in things:
            assert {thing, *same(thing)} == {*things}


@pytest.mark.parametrize(
    ("vaccine", "disease"),
    [
        (Coding(CVX, "208"), COVID_19),
        (Coding(ICD_11, "XM8NQ0"), COVID_19),
        (Coding(EU_REGISTER, "EU/1/20/1528"), COVID_19),
        (Coding(SNOMED_CT, "1119349007"), COVID_19),
        (Coding(CVX, "183"), Coding(ICD_11, "1D47")),
        (Coding(CVX, "10"), Coding(ICD_11, "1C81")),
        (Coding(PREQUALIFIED, STAMARIL), Coding(ICD_11, "1D47")),
        (Coding("http://id.who.int/icd11/mms", "XM0N24"), Coding(ICD_11, "1D47")),
        (Coding(CVX, "110"), None),  # several diseases
        (Coding(ATC, "J07BN04"), COVID_19),
        (Coding(LOINC, "94500-6"), COVID_19),
        (Coding(LOINC, "LP6464-4"), None),
        (Coding("urn:example", "208"), None),
    ],
)
def test_what_a_vaccine_protects_against(vaccine: Coding, disease: Coding | None) -> None:
    found = disease_of(vaccine)
    assert found == disease
    assert found is None or found.display is not None


def test_a_maker_has_its_products() -> None:
    assert made_by(Coding(MVX, "PFR")) == (Coding(EU_REGISTER, "EU/1/20/1528"),)
    assert made_by(Coding("urn:oid:2.16.840.1.113883.12.227", "SPH")) == (
        Coding(EU_PRODUCT_NAME, "BBIBP-CorV"),
        Coding(EU_PRODUCT_NAME, "WIBP-CorV"),
    )
    assert made_by(Coding(MVX, "SKB")) == made_by(Coding("", "PFR")) == ()
    listed = {(coding.system, coding.code) for _, coding in codings._eu_codes()}
    assert {
        (of, product) for kept in TABLE["makers"].values() for some in kept.values() for of, product, _ in some
    } <= (listed)


# --- The table ---


def test_the_data_is_what_the_tables_make() -> None:
    assert files("healthcert.data").joinpath("codings.json").read_text("utf-8") == made()
    command = [sys.executable, str(ROOT / "tools/make_codings.py"), "--check"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_every_fact_names_a_source_that_is_told_of() -> None:
    told = {name for kept in TABLE["names"].values() for _, name in kept.values()}
    told |= {name for members in TABLE["same"] for *_, name in members}
    told |= {name for kept in TABLE["diseases"].values() for *_, name in kept.values()}
    told |= {name for kept in TABLE["makers"].values() for products in kept.values() for *_, name in products}
    assert told == {*TABLE["sources"]}
    page = (ROOT / "docs/reference/codings.md").read_text("utf-8")
    assert [source["title"] for source in TABLE["sources"].values() if source["title"] not in page] == []
    assert {*TABLE["names"], *TABLE["diseases"]} <= {*SYSTEMS.values()}


def test_the_results_that_decide_have_names() -> None:
    for system, code in codings._FINDINGS:
        assert named(system, code).display, (system, code)


def test_no_name_is_told_twice_over() -> None:
    eu = {(coding.system, coding.code) for _, coding in codings._eu_codes()}
    assert {(system, code) for system, kept in TABLE["names"].items() for code in kept} & eu == set()


def test_nothing_is_read_before_it_is_asked_for() -> None:
    code = "import healthcert.codings as c; print([f.cache_info().currsize for f in (c._table, c._names, c._same)])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "[0, 0, 0]\n"
