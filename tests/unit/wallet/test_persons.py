"""Whose certificates are whose: one person's come together, and nobody's come with somebody else's."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.wallet.persons import by_person, is_of, same_person
from tests.issuing import CASES

BORN = "1984-02-29"


def person(given: str | None = None, family: str | None = None, *, born: str = BORN) -> hc.Holder:
    return hc.Holder(given_name=given, family_name=family, birth_date=born)


ZOE = person("Zoé", "Exemplaire-Müller")
SAME = {
    "middle name": person("Zoé Marie", "Exemplaire Müller"),
    "passport's spelling": hc.Holder(given_name_icao="ZOE", family_name_icao="EXEMPLAIRE<MUELLER", birth_date=BORN),
    "one of two family names": person("Zoe", "Müller"),
    "one name": hc.Holder(full_name="ZOE EXEMPLAIRE MUELLER", birth_date=BORN),
    "one name, the family name first": hc.Holder(full_name="EXEMPLAIRE  ZOE", birth_date=BORN),
    "title": person("Dr. Zoé", "Exemplaire-Müller"),
}
OTHERS = {
    "another day": person("Zoé", "Exemplaire-Müller", born="1984-03-01"),
    "no day": person("Zoé", "Exemplaire-Müller", born=""),
    "a year alone": person("Zoé", "Exemplaire-Müller", born="1984"),
    "twin": person("Anna", "Exemplaire-Müller"),
    "no given name": person(None, "Exemplaire-Müller"),
    "one part of a name": hc.Holder(full_name="Zoé", birth_date=BORN),
    "nobody": person(),
}


@pytest.mark.parametrize("other", SAME.values(), ids=list(SAME))
def test_one_person(other: hc.Holder) -> None:
    assert same_person(ZOE, other)
    assert same_person(other, ZOE)


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
def test_perhaps_another(other: hc.Holder) -> None:
    assert not same_person(ZOE, other)
    assert not same_person(other, ZOE)


def test_twins_who_share_a_second_name() -> None:
    assert not same_person(person("Anna Maria", "Exemple"), person("Eva Maria", "Exemple"))


def test_without_a_whole_day_all_of_the_name_has_to_agree() -> None:
    for born in ("", "1984", "1984-02"):
        assert same_person(person("Zoé", "Exemple", born=born), person("ZOE", "EXEMPLE", born=born))
        assert not same_person(person("Zoé", "Exemple", born=born), person("Zoé Marie", "Exemple", born=born))


@pytest.mark.parametrize("names", list(permutations(("Anna", "Anna Maria", "Anna Sophie"))), ids="-".join)
def test_who_could_be_of_two_groups_is_of_neither(names: tuple[str, ...]) -> None:
    groups = by_person([person(name, "Exemple") for name in names], lambda holder: holder)
    assert sorted(len(group) for group in groups) == [1, 1, 1]


def test_groups_are_in_the_order_they_came() -> None:
    max_, short, long = person("Max", "Beispiel"), person("Zoé", "Exemple"), person("Zoé Marie", "Exemple")
    assert by_person([short, max_, long], lambda holder: holder) == [(short, long), (max_,)]


@pytest.mark.parametrize("name", sorted(CASES))
def test_two_certificates_of_a_family_are_of_one_person(name: str) -> None:
    holder = CASES[name].issue().content().holder
    assert len(by_person([holder, holder], lambda one: one)) == 1


def test_two_certificates_of_nobody_are_not() -> None:
    assert len(by_person([hc.Holder(), hc.Holder()], lambda one: one)) == 2


@pytest.mark.parametrize(
    ("name", "is_hers"),
    [
        ("zoé", True),
        ("Muller zoe", False),
        ("MUELLER zoe", True),
        ("Zo", False),
        ("Max", False),
        ("", True),
        (".", False),
    ],
)
def test_a_holder_is_found_by_parts_of_the_name(name: str, is_hers: bool) -> None:
    assert is_of(ZOE, name) is is_hers


@settings(max_examples=50)
@given(st.lists(st.text(max_size=12), min_size=6, max_size=6), st.sampled_from(("", "1984", BORN)))
def test_any_names_are_compared_both_ways_alike(names: list[str], born: str) -> None:
    one = hc.Holder(family_name=names[0], given_name=names[1], birth_date=born, family_name_icao=names[4])
    other = hc.Holder(full_name=names[2], given_name=names[3], birth_date=born, given_name_icao=names[5])
    assert same_person(one, other) is same_person(other, one)
    assert sum(map(len, by_person([one, other], lambda holder: holder))) == 2
    assert not same_person(one, hc.Holder(family_name=names[0], given_name=names[1], birth_date="1990-01-01"))
