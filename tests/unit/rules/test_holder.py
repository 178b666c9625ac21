"""Whose certificates are whose: names and dates of birth as wallets compare them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.rules.holder import group_by_holder, name_components, same_holder
from tests.support import VACCINATION

BORN = "1984-02-29"


def person(family: str | None = "EXEMPLAIRE", given: str | None = "ZOE", born: str = BORN) -> hc.Holder:
    return hc.Holder(family_name_icao=family, given_name_icao=given, birth_date=born)


def certificate(holder: hc.Holder, name: str = "") -> hc.HealthCertificate:
    return hc.HealthCertificate(
        family="EU DCC",
        version="1.3.0",
        holder=holder,
        events=(VACCINATION,),
        issuer="FR",
        issued_at=None,
        expires_at=None,
        identifiers=(name,),
        raw={},
    )


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (person(), True),
        (person(given="ZOE<MARIE"), True),
        (person(given="MARIE"), False),
        (person(family="DUPONT"), False),
        (person(family="ZOE", given="EXEMPLAIRE"), True),
        (person(given=None), False),
        (person(born="1984-02-28"), False),
        # A date that is known in part is another text: it may be another day.
        (person(born="1984"), False),
        (person(born=f" {BORN} "), True),
        # The names for people are spelled where there are no others.
        (hc.Holder("Exemplaire", "Zoé", BORN), True),
        (hc.Holder("Exemplaire", "Zoé", BORN, "<", ""), True),
        # What no passport spells is compared as it stands.
        (hc.Holder("EXEMPLAIRE 2", "ZOE", BORN), True),
        (hc.Holder("小野", "ZOE", BORN), False),
    ],
)
def test_whether_two_are_one(other: hc.Holder, same: bool) -> None:
    assert same_holder(person(), other) is same
    assert same_holder(other, person()) is same


def test_nobody_without_a_name_is_the_same_as_anybody() -> None:
    for nameless in (person(None, None), hc.Holder(birth_date=BORN), person("<", "DR"), hc.Holder(full_name="Zoé")):
        assert not same_holder(nameless, nameless)
        assert not same_holder(nameless, person())
        assert not same_holder(person(), nameless)


def test_without_a_date_of_birth_all_names_have_to_agree() -> None:
    assert same_holder(person(born=""), person(born=" "))
    assert same_holder(person("A<B", "C", ""), person("B<DR<A", "C", ""))
    assert not same_holder(person(born=""), person(given="ZOE<MARIE", born=""))
    assert not same_holder(person(born=""), person())


@given(*[st.builds(person, *[st.sampled_from(["", "A", "B", "A<B", "B<C", "DR"])] * 2, st.just(BORN))] * 2)
def test_sameness_goes_both_ways(one: hc.Holder, other: hc.Holder) -> None:
    assert same_holder(one, other) is same_holder(other, one)
    assert same_holder(one, one) is bool(name_components(f"{one.given_name_icao}<{one.family_name_icao}"))


@given(st.text())
def test_parts_of_names_are_stable(name: str) -> None:
    parts = name_components(name)
    assert name_components("<".join(parts)) == parts
    assert "DR" not in parts


def test_decomposed_letters_are_the_same_letters() -> None:
    assert name_components("Mu\u0308ller") == name_components("MUELLER") == ("MUELLER",)


def test_groups_are_in_the_order_of_their_certificates() -> None:
    given_ = [
        certificate(person(), "first"),
        certificate(person("DUPONT", "JEAN"), "other"),
        certificate(person(), "second"),
        certificate(person(born="1990"), "born later"),
        certificate(person("DUPONT", "JEAN<LUC"), "other again"),
    ]
    names = [[one.identifiers[0] for one in group] for group in group_by_holder(given_)]
    assert names == [["first", "second"], ["other", "other again"], ["born later"]]
    assert group_by_holder([]) == ()


def test_a_certificate_brings_two_groups_together() -> None:
    bridge = certificate(person(given="ZOE<MARIE"), "bridge")
    given_ = [certificate(person(given="ZOE"), "zoe"), certificate(person(given="MARIE"), "marie")]
    assert len(group_by_holder(given_)) == 2
    (group,) = group_by_holder([*given_, bridge])
    assert [one.identifiers[0] for one in group] == ["zoe", "marie", "bridge"]


def test_a_certificate_that_names_nobody_is_alone() -> None:
    nameless = [certificate(person(None, None)) for _ in range(2)]
    assert [len(group) for group in group_by_holder(nameless)] == [1, 1]


def test_groups_show_nobody() -> None:
    assert "ZOE" not in repr(group_by_holder([certificate(person())]))
