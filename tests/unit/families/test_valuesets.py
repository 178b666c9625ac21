"""The value sets as data: whole, with its source, and read as what it says."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

import healthcert as hc
from healthcert import codings
from healthcert.families.hcert import valuesets
from healthcert.families.hcert.valuesets import coding


@pytest.mark.parametrize(
    ("field", "code", "display"),
    [
        ("mp", "EU/1/20/1528", "Comirnaty"),
        ("v.ma", "ORG-100030215", "Biontech Manufacturing GmbH"),
        ("tg", "840539006", "COVID-19"),
        ("vp", "J07BX03", "covid-19 vaccines (deprecated)"),
    ],
)
def test_codes_have_names(field: str, code: str, display: str) -> None:
    assert coding(field, code).display == display
    assert str(coding(field, code)) == display


def test_an_unknown_code_has_a_system_and_no_name() -> None:
    assert coding("mp", "EU/9/99/9999") == hc.Coding(codings.EU_REGISTER, "EU/9/99/9999")
    assert str(coding("mp", "Some-Product")) == "Some-Product"
    with pytest.raises(ValueError, match="dn"):
        coding("dn", "2")


def test_the_codings_named_in_the_code_are_those_of_the_data() -> None:
    for field, named in (
        ("tg", codings.COVID_19),
        ("tr", codings.NOT_DETECTED),
        ("tr", codings.DETECTED),
        ("tt", codings.NAAT),
        ("tt", codings.RAPID_ANTIGEN),
    ):
        assert (coding(field, named.code), coding(field, named.code).display) == (named, named.display)


def test_the_systems_guessed_for_unknown_codes_are_those_of_known_ones() -> None:
    for (field, code), known in valuesets.value_sets().items():
        if code == "XK":  # a country by practice, not by ISO 3166
            continue
        assert valuesets._system_of(field, code) == known.system, (field, code)


def test_the_data_names_its_source_and_keeps_inactive_codes() -> None:
    table = json.loads(files("healthcert.data").joinpath("value_sets.json").read_text("utf-8"))
    assert table["source"]["release"] == "2.12.0"
    assert {len(value_set["codes"]) for value_set in table["sets"].values()} == {1, 2, 9, 31, 39, 88, 250}
    assert not table["sets"]["vp"]["codes"]["J07BX03"]["active"]
