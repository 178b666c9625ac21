"""Country codes of three letters and of two, as seals and other certificates have them."""

from __future__ import annotations

import pytest

from healthcert.families.countries import alpha2, alpha3
from healthcert.trust import countries


@pytest.mark.parametrize(
    ("three", "two"),
    [
        ("FRA", "FR"),
        ("JPN", "JP"),
        ("D", "DE"),
        ("DEU", "DE"),
        ("EUE", "EU"),
        ("UNO", "UN"),
        ("UTO", "UT"),
    ],
)
def test_three_letters_stand_for_two(three: str, two: str) -> None:
    assert alpha2(three) == two


@pytest.mark.parametrize("code", ["", "FR", "fra", "XXX", "FRAN", "D<<"])
def test_what_is_no_code_of_three_stands_for_nothing(code: str) -> None:
    assert alpha2(code) is None


@pytest.mark.parametrize(("code", "three"), [("FR", "FRA"), ("DE", "DEU"), ("FRA", "FRA"), ("UT", "UTO"), ("ZZ", None)])
def test_two_letters_stand_for_three(code: str, three: str | None) -> None:
    assert alpha3(code) == three


def test_both_tables_of_countries_agree() -> None:
    """Trust lists know the participants of WHO's network besides, and seals the states of passports."""
    for two in ("AU", "BE", "CH", "FR", "GB", "JP", "NZ", "US", "ZW"):
        three = alpha3(two)
        assert three is not None
        assert (countries.alpha2(three), countries.alpha3(two), alpha2(three)) == (two, three, two)
