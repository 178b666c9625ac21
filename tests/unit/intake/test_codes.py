"""Foreign codes: what maps to the EU's value sets, what does not, and what contradicts itself."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert import codings
from healthcert.codings import ATC, CVX, EU_PRODUCT_NAME, EU_REGISTER, ICD_11, INTERPRETATION, LOINC, MVX, SNOMED_CT
from healthcert.families.hcert.valuesets import EMA_ORGANISATION, may_be_issued, product_of, value_sets
from healthcert.intake.codes import (
    Codes,
    OwnCodes,
    disease_of,
    disease_of_test,
    result_of,
    vaccine_of,
)
from healthcert.intake.codes import test_type_of as type_of
from healthcert.intake.naming import SHORT_NAMES, shown
from healthcert.model import Coding


def coded(*codes: tuple[str, str]) -> list[Coding]:
    return [Coding(system, code) for system, code in codes]


def refused(call: object, *codes: tuple[str, str], maker: tuple[str, str] | None = None) -> str:
    assert callable(call)
    with pytest.raises(hc.IssueError) as caught:
        call(coded(*codes), *([coded(maker)] if maker else []))
    assert (caught.value.code, caught.value.step) == ("CODE_NOT_MAPPED", "content")
    return caught.value.detail


COMIRNATY, SPIKEVAX = "EU/1/20/1528", "EU/1/20/1507"


# --- Vaccines ---


@pytest.mark.parametrize(
    ("system", "code", "product"),
    [
        *((CVX, code, COMIRNATY) for code in ("208", "217", "218", "219", "300", "301", "302", "520")),
        *((CVX, code, SPIKEVAX) for code in ("207", "221", "227", "228", "229", "230", "519")),
        (CVX, "212", "EU/1/20/1525"),
        (CVX, "502", "Covaxin"),
        (CVX, "505", "Sputnik-V"),
        (CVX, "510", "BBIBP-CorV"),
        (CVX, "511", "CoronaVac"),
        (CVX, "512", "Covifenz"),
        (CVX, "518", "EU/1/21/1624"),
        (CVX, "521", "EU/1/21/1580"),
        ("urn:oid:2.16.840.1.113883.12.292", "208", COMIRNATY),
        (ICD_11, "XM3DT5", SPIKEVAX),
        (SNOMED_CT, "1031000172108", COMIRNATY),
        (EU_REGISTER, COMIRNATY, COMIRNATY),
        (EU_REGISTER, "EU/1/20/1528/001", COMIRNATY),
        (EU_PRODUCT_NAME, "R-COVI", "R-COVI"),
        (EU_PRODUCT_NAME, "Covovax", "Covovax"),
    ],
)
def test_a_code_of_a_product(system: str, code: str, product: str) -> None:
    found = vaccine_of(coded((system, code)))
    known = product_of(product)
    assert known is not None
    assert found.product == known.product
    assert found.product.code == product
    assert (found.vaccine, found.manufacturer) == (known.vaccines[0], known.manufacturer)
    assert found.disease == codings.COVID_19


def test_every_product_of_the_value_set_maps_to_itself() -> None:
    for field, code in value_sets():
        if field == "mp" and may_be_issued("mp", code):
            assert vaccine_of([value_sets()["mp", code]]).product.code == code


def test_a_code_of_two_makers_needs_the_maker() -> None:
    assert refused(vaccine_of, (CVX, "211")).startswith("vaccine: cvx:211 may be ")
    assert refused(vaccine_of, (CVX, "210")).startswith("vaccine: cvx:210 may be ")
    assert vaccine_of(coded((CVX, "210")), coded((MVX, "ASZ"))).product.code == "EU/1/21/1529"
    assert vaccine_of(coded((CVX, "210")), coded((MVX, "SII"))).product.code == "Covishield"
    assert vaccine_of(coded((CVX, "211")), coded((MVX, "NVX"))).product.code == "EU/1/21/1618"
    assert vaccine_of(coded((CVX, "211")), coded((EMA_ORGANISATION, "ORG-100001981"))).product.code == "Covovax"
    # What the EU's value set has no more is one of those that it has instead.
    assert "may be" in refused(vaccine_of, (EU_PRODUCT_NAME, "NVX-CoV2373"))


@pytest.mark.parametrize(
    "beside",
    [
        (ATC, "J07BX03"), (ATC, "J07BN01"), (ATC, "J07BN"), (CVX, "213"), (CVX, "500"), (CVX, "218"),
        (SNOMED_CT, "1119349007"), (SNOMED_CT, "28531000087107"), (ICD_11, "XM68M6"), ("urn:example", "88"),
        ("", "anything"), (CVX, "9999"),
    ],
)  # fmt: skip
def test_codes_that_agree_or_are_not_known_change_nothing(beside: tuple[str, str]) -> None:
    for order in ((CVX, "208"), beside), (beside, (CVX, "208")):
        assert vaccine_of(coded(*order)).product.code == COMIRNATY


@pytest.mark.parametrize(
    "beside",
    [
        (CVX, "207"), (CVX, "88"), (CVX, "501"), (ATC, "J07BN02"), (ATC, "J07BB02"), (SNOMED_CT, "29061000087103"),
        (EU_REGISTER, SPIKEVAX), (ICD_11, "XM4YL8"), (ICD_11, "XM1LR5"),
    ],
)  # fmt: skip
def test_codes_that_contradict_each_other_decide_nothing(beside: tuple[str, str]) -> None:
    for order in ((CVX, "208"), beside), (beside, (CVX, "208")):
        assert refused(vaccine_of, *order).endswith("contradict each other")


def test_a_kind_says_nothing_against_a_product_of_no_known_kind() -> None:
    bimervax = (EU_REGISTER, "EU/1/22/1709")
    assert vaccine_of(coded(bimervax, (SNOMED_CT, "1162643001"))).product.code == bimervax[1]


@pytest.mark.parametrize("maker", [(MVX, "MOD"), (MVX, "SKB"), (EMA_ORGANISATION, "ORG-100031184")])
def test_another_maker_contradicts(maker: tuple[str, str]) -> None:
    assert refused(vaccine_of, (CVX, "208"), maker=maker).endswith("contradict each other")


@pytest.mark.parametrize(
    "maker", [(MVX, "PFR"), (MVX, "UNK"), (MVX, "OTH"), ("", "Pfizer"), (EMA_ORGANISATION, "ORG-100030215")]
)
def test_a_maker_that_fits_or_is_not_told(maker: tuple[str, str]) -> None:
    assert vaccine_of(coded((CVX, "208")), coded(maker)).product.code == COMIRNATY


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([(CVX, "88")], "vaccine: cvx:88: not in the tables"),
        ([(CVX, "213")], "vaccine: cvx:213: names a kind of vaccine and no product"),
        ([(ATC, "J07BN01")], "vaccine: atc:J07BN01: names a kind of vaccine and no product"),
        ([(ATC, "J07BX03")], "vaccine: atc:J07BX03: names a kind of vaccine and no product"),
        ([(SNOMED_CT, "1119349007")], "vaccine: snomed:1119349007: names a kind of vaccine and no product"),
        ([], "vaccine: no code is given"),
        ([("", "Comirnaty")], "vaccine: a code without a system: not in the tables"),
    ],
)
def test_what_is_no_product_is_told(codes: list[tuple[str, str]], said: str) -> None:
    assert refused(vaccine_of, *codes) == said


# --- Tests and results ---


def test_every_test_of_the_table() -> None:
    for group, kind in (("NAAT", codings.NAAT), ("rapid", codings.RAPID_ANTIGEN)):
        members = [
            Coding(system, code)
            for things in codings._table("codings.json")["same"]
            if any(code == kind.code for _, code, _, _ in things)
            for system, code, _, _ in things
        ]
        assert len(members) > 3, group
        for one in members:
            assert type_of([one]) == kind
            if one != kind:
                assert disease_of_test([one]) == codings.COVID_19


def test_a_kind_of_test_looks_for_nothing_in_particular() -> None:
    assert "loinc:LP6464-4" in refused(disease_of_test, (LOINC, "LP6464-4"))


@pytest.mark.parametrize("code", ["94505-5", "94315-9", "96119-3", "92142-9", "94746-5"])
def test_antibodies_other_viruses_and_other_methods_are_no_such_test(code: str) -> None:
    assert refused(type_of, (LOINC, code)) == f"test_type: loinc:{code}: not in the tables"


def test_two_kinds_of_test_contradict_each_other() -> None:
    assert "contradict" in refused(type_of, (LOINC, "94500-6"), (LOINC, "94558-4"))
    assert type_of(coded((LOINC, "94500-6"), (LOINC, "LP6464-4"), ("", "PCR"))) == codings.NAAT


@pytest.mark.parametrize(
    ("codes", "result"),
    [
        ([(SNOMED_CT, "260373001")], codings.DETECTED),
        ([(SNOMED_CT, "10828004"), (INTERPRETATION, "POS")], codings.DETECTED),
        ([(SNOMED_CT, "260373001"), (INTERPRETATION, "A")], codings.DETECTED),
        ([(SNOMED_CT, "52101004")], codings.DETECTED),
        ([(LOINC, "LA9633-4")], codings.DETECTED),
        ([("http://terminology.hl7.org/CodeSystem/v2-0078", "POS")], codings.DETECTED),
        ([("", "Positive")], codings.DETECTED),
        ([(SNOMED_CT, "260415000")], codings.NOT_DETECTED),
        ([(SNOMED_CT, "2667000")], codings.NOT_DETECTED),
        ([(LOINC, "LA9634-2")], codings.NOT_DETECTED),
        ([(LOINC, "LA6577-6"), (INTERPRETATION, "N")], codings.NOT_DETECTED),
        ([(INTERPRETATION, "ND"), ("urn:example", "?")], codings.NOT_DETECTED),
    ],
)
def test_results(codes: list[tuple[str, str]], result: Coding) -> None:
    assert result_of(coded(*codes)) == result


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([(SNOMED_CT, "260373001"), (SNOMED_CT, "260415000")], "contradict each other"),
        ([(SNOMED_CT, "260373001"), (INTERPRETATION, "N")], "contradict each other"),
        ([(SNOMED_CT, "260415000"), (INTERPRETATION, "A")], "contradict each other"),
        ([(SNOMED_CT, "260415000"), (INTERPRETATION, "HH")], "contradict each other"),
        ([(SNOMED_CT, "260415000"), (SNOMED_CT, "419984006")], "snomed:419984006 is neither detected nor not detected"),
        ([(SNOMED_CT, "260415000"), (INTERPRETATION, "IND")], "interpretation:IND is neither"),
        ([(LOINC, "LA15841-2")], "not in the tables"),
        ([(INTERPRETATION, "N")], "not in the tables"),
        ([(INTERPRETATION, "A")], "not in the tables"),
        ([("", "Exemplaire")], "a code without a system"),
        ([], "no code is given"),
    ],
)
def test_results_that_cannot_be_told(codes: list[tuple[str, str]], said: str) -> None:
    assert said in refused(result_of, *codes)


def test_diseases() -> None:
    for system, code in ((SNOMED_CT, "840539006"), (SNOMED_CT, "840533007"), (ICD_11, "RA01"), (ICD_11, "XN109")):
        assert disease_of(coded((system, code))) == codings.COVID_19
    assert "snomed:6142004" in refused(disease_of, (SNOMED_CT, "6142004"))  # influenza


# --- An operator's own codes ---


def test_own_codes_stand_beside_the_table() -> None:
    codes = Codes(
        OwnCodes(
            product={("", "PFZ"): COMIRNATY, (codings.CIP, "3400930000000"): COMIRNATY},
            test_type={("", "PCR"): "LP6464-4"},
            result={("", "NEG"): "260415000"},
            disease={("", "COV"): "840539006"},
        )
    )
    assert codes.vaccine_of(coded(("", "PFZ"))).product.code == COMIRNATY
    assert codes.vaccine_of(coded((codings.CIP, "3400930000000"), (CVX, "218"))).product.code == COMIRNATY
    assert "contradict" in refused(codes.vaccine_of, ("", "PFZ"), (CVX, "207"))
    assert codes.test_type_of(coded(("", "PCR"))) == codings.NAAT
    assert codes.result_of(coded(("", "NEG"))) == codings.NOT_DETECTED
    assert codes.disease_of(coded(("", "COV"))) == codes.disease_of_test(coded(("", "COV"))) == codings.COVID_19
    assert refused(vaccine_of, ("", "PFZ"))


# --- What messages show ---


@pytest.mark.parametrize(
    ("system", "code", "text"),
    [
        (CVX, "208", "cvx:208"),
        (CVX, "DUPONT", "a code of cvx"),
        (CVX, "1984-02-29", "a code of cvx"),
        (SNOMED_CT, "840539006", "snomed:840539006"),
        (SNOMED_CT, "28531000087107", "snomed:28531000087107"),
        (SNOMED_CT, "840539007", "a code of snomed"),
        (SNOMED_CT, "184022912345678", "a code of snomed"),
        (SNOMED_CT, "0612345678", "a code of snomed"),
        (LOINC, "94500-6", "loinc:94500-6"),
        (LOINC, "Zoe", "a code of loinc"),
        (MVX, "PFR", "mvx:PFR"),
        (MVX, "LEE", "a code of mvx"),
        (EU_PRODUCT_NAME, "Jean", "a code of eu-name"),
        ("", "Dupont", "a code without a system"),
        ("http://lab.example/codes", "PFZ", "http://lab.example/codes:PFZ"),
        ("http://lab.example/codes", "1840229123456", "a code of http://lab.example/codes"),
        ("http://lab.example/codes", "Jean Dupont", "a code of http://lab.example/codes"),
        ("http://lab.example/codes", "1984-02-29", "a code of http://lab.example/codes"),
        ("http://lab.example/codes", "29.02.1984", "a code of http://lab.example/codes"),
        ("http://lab.example/codes", "COV-2019", "http://lab.example/codes:COV-2019"),
        (SNOMED_CT, "19841008", "a code of snomed"),
        (SNOMED_CT, "19841308", "a code of snomed"),
        (SNOMED_CT, "419984006", "snomed:419984006"),
        ("urn:oid:1.2.250.1.213", "COV", "urn:oid:1.2.250.1.213:COV"),
        ("urn:dupont:zoe", "COV", "a code of another system"),
        ("urn:hl7-table:0396:99LAB", "COV", "urn:hl7-table:0396:99LAB:COV"),
        ("urn:hl7-table:0396:MARIE", "DUPONT", "a code of another system"),
        ("Jean Dupont", "PFZ", "a code of another system"),
        ("http://x?name=Jean Dupont", "PFZ", "a code of another system"),
    ],
)
def test_a_code_is_shown_where_it_looks_like_one(system: str, code: str, text: str) -> None:
    assert shown(Coding(system, code)) == text


@given(
    st.lists(st.tuples(st.sampled_from([*SHORT_NAMES.values(), "urn:x"]) | st.text(), st.text(max_size=30)), max_size=4)
)
def test_any_codings_are_mapped_or_refused(codes: list[tuple[str, str]]) -> None:
    for call in (vaccine_of, type_of, result_of, disease_of, disease_of_test):
        with contextlib.suppress(hc.IssueError):
            assert call(coded(*codes)) is not None
