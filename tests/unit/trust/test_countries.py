"""Country codes of two and three letters lead to each other, those of test participants as well."""

from __future__ import annotations

import pytest

from healthcert.families.hcert.valuesets import value_sets
from healthcert.trust.countries import _tables, alpha2, alpha3, is_test_participant


def test_all_officially_assigned_codes_are_there_once() -> None:
    countries, participants = _tables()
    assert len(countries) == len(set(countries.values())) == 249
    assert all(len(three) == 3 and len(two) == 2 for three, two in (countries | participants).items())
    assert not countries.keys() & participants.keys()


def test_every_country_of_the_value_set_is_known() -> None:
    """An independent list of the two-letter codes: the one that the EU published with its certificates."""
    ours = set(_tables()[0].values())
    theirs = {code for field, code in value_sets() if field == "co"}
    assert len(theirs) > 240
    assert theirs - ours <= {"XK", "AN", "EL", "UK"}


@pytest.mark.parametrize(
    ("three", "two"),
    [
        ("DEU", "DE"),
        ("CHE", "CH"),
        ("AND", "AD"),
        ("URY", "UY"),
        ("XXA", "XA"),
        ("XXZ", "XZ"),
        ("XYK", "YK"),
        ("XXK", "XK"),
    ],
)
def test_codes_lead_to_each_other(three: str, two: str) -> None:
    assert alpha2(three) == alpha2(two) == alpha2(three.lower()) == two
    assert alpha3(two) == alpha3(three) == three


@pytest.mark.parametrize("code", ["WHO", "", "-", "D", "DEUX", "ZZZ", "ß", "ﬀR", "ａｂ", "DE\n"])
def test_what_is_no_country_has_no_code(code: str) -> None:
    assert alpha2(code) is None
    assert alpha3(code) is None


def test_participants_in_tests_are_told_from_countries() -> None:
    assert all(map(is_test_participant, ("XXA", "XA", "XXH", "XYK", "yk")))
    # XK is what lists call Kosovo.
    assert not any(map(is_test_participant, ("XXK", "XK", "FRA", "FR", "WHO", "", "XYZ")))
