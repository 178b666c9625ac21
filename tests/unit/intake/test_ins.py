"""The French health identity: its number and key, its traits, how records carry it, and that it goes no further."""

from __future__ import annotations

import logging
import string
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.intake.ins import (
    DEMO,
    NIA,
    NIR,
    OIDS,
    TEST,
    contradictions,
    identity_of_identifiers,
    is_made_up,
    key_of,
    read_identity,
    read_matricule,
    same_person,
)
from healthcert.intake.ins_traits import spelled
from healthcert.intake.reading import Identity, Row
from tests.support import CLOCK, HOLDER, VACCINATION, dsc

# Made up: born in August 1955 in a commune of Calvados.
NUMBER = "255081416802538"
TRAITS: dict[str, Any] = {
    "birth_name": "EXEMPLE-TESTEUR",
    "given_names": "ZOE MARIE ANNE",
    "birth_date": "1955-08-14",
    "sex": "F",
    "birth_place": "14168",
}


def with_key(number: str) -> str:
    return f"{number}{key_of(number):02}"


departments = st.one_of(
    st.integers(1, 99).map(lambda number: f"{number:02}"),
    st.sampled_from(["2A", "2B"]),
)
numbers = st.builds(
    lambda sex, year, month, department, rest: f"{sex}{year:02}{month:02}{department}{rest:06}",
    st.sampled_from("123478"),
    st.integers(0, 99),
    st.integers(1, 12) | st.integers(20, 42) | st.integers(50, 99),
    departments,
    st.integers(0, 999_999),
)


@pytest.mark.parametrize(
    "number",
    [
        "255081416802538",  # of the tests of betagouv/nir_validate
        "295109912611193",  # of the documentation of python-stdnum; born abroad
        "253072B07300470",  # likewise; Haute-Corse
        "186022A21532523",  # Corse-du-Sud
        "2 55 08 14 168 025 38",
        "186022a21532523",
    ],
)
def test_numbers_that_others_publish_as_right(number: str) -> None:
    assert read_matricule(number) == number.replace(" ", "").upper()


@given(numbers)
def test_a_number_with_its_key_is_read(number: str) -> None:
    assert read_matricule(with_key(number)) == with_key(number)
    assert 1 <= key_of(number) <= 97


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("2550814168025", 38),
        # Two letters stand for two numbers: so do these have the keys of one another.
        ("186022A215325", 23),
        ("1860219215325", 23),
        ("186022B215325", key_of("1860218215325")),
        # What 97 divides has the key 97, and nothing has 00.
        ("1840775056001", 97),
        ("1000001000018", 2),
    ],
)
def test_the_key(number: str, key: int) -> None:
    digits = number.replace("2A", "19").replace("2B", "18")
    assert key_of(number) == key
    assert (int(digits) + key) % 97 == 0


@pytest.mark.parametrize(
    "number",
    [
        "",
        "2550814168025",  # without its key
        "25508141680253",
        "2550814168025380",
        "2-55-08-14-168-025-38",
        "２55081416802538",
        "٢55081416802538",
        "255081416802538\n",
        *(with_key(sex + NUMBER[1:13]) for sex in "0569"),
        *(with_key(f"255{month}14168025") for month in ("00", "13", "19", "43", "49")),
        with_key("2550800168025"),
        "255082C168025" + "38",
        "25508A2168025" + "38",
        "2550814168025" + "00",
        "2550814168025" + "98",
        "2550814168025" + f"{(38 + 97) % 100:02}",
    ],
)
def test_what_is_no_number(number: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read_matricule(number)
    assert (caught.value.code, caught.value.step) == ("IDENTITY_INVALID", "content")


@given(numbers, st.integers(0, 14), st.sampled_from(string.digits + "AB"))
def test_every_single_character_that_is_changed_is_found(number: str, place: int, character: str) -> None:
    right = with_key(number)
    assume(right[place] != character)
    with pytest.raises(hc.IssueError, match="IDENTITY_INVALID"):
        read_matricule(right[:place] + character + right[place + 1 :])


@given(numbers, st.integers(0, 13), st.integers(1, 14))
def test_every_two_characters_that_are_swapped_are_found(number: str, first: int, distance: int) -> None:
    right = list(with_key(number))
    second = first + distance
    assume(second < 15)
    assume(right[first] != right[second])
    assume((first, second) not in _SAME_WEIGHT)
    right[first], right[second] = right[second], right[first]
    with pytest.raises(hc.IssueError, match="IDENTITY_INVALID"):
        read_matricule("".join(right))


_SAME_WEIGHT = ((11, 13), (12, 14))  # tens and units, of the number and of its key


@given(numbers, st.sampled_from(_SAME_WEIGHT))
def test_digits_of_one_weight_that_are_swapped_with_the_key_are_not_found(number: str, places: tuple[int, int]) -> None:
    swapped = list(with_key(number))
    first, second = places
    swapped[first], swapped[second] = swapped[second], swapped[first]
    key = int("".join(swapped[13:]))
    assume(1 <= key <= 97)
    assert read_matricule("".join(swapped)) == "".join(swapped)


@given(numbers, st.sampled_from([("19", "2A"), ("18", "2B")]))
def test_what_the_key_does_not_find(number: str, departments: tuple[str, str]) -> None:
    """A department of Corsica and the number that stands for it have one key: both characters must change."""
    plain, corsican = (number[:5] + department + number[7:] for department in departments)
    assert with_key(plain)[13:] == with_key(corsican)[13:]
    assert read_matricule(with_key(corsican)) == with_key(corsican)


def test_an_identity_with_all_its_traits() -> None:
    identity = read_identity(NUMBER, f"urn:oid:{NIR}", **TRAITS, first_given_name="Zoé")
    assert identity == Identity(matricule=NUMBER, oid=NIR, **TRAITS)
    assert read_identity(NUMBER) == Identity(matricule=NUMBER, oid=NIR)
    assert read_identity(NUMBER, first_given_name="Zoé").given_names == "ZOE"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Müller", "MULLER"),
        ("D'Échéance", "D'ECHEANCE"),
        ("d’Écluse‑Noël", "D'ECLUSE-NOEL"),
        ("Lœuf  Nætre", "LOEUF NAETRE"),
        ("Strauß", "STRAUSS"),
        ("LE  GALL ", "LE GALL"),
        ("Łukasz Đorđe Ø", "LUKASZ DORDE O"),
        ("Παπαδόπουλος", None),
        ("王", None),
        ("X Æ A-12", None),
        ("-X", None),
        ("", None),
        ("X" * 201, None),
        ("A\x00B", None),
    ],
)
def test_names_are_brought_to_the_spelling_of_the_ins(name: str, written: str | None) -> None:
    assert spelled(name) == written


@given(st.text(max_size=300))
def test_any_name_at_all(name: str) -> None:
    written = spelled(name)
    if written is not None:
        assert set(written) <= set(string.ascii_uppercase + " '-")
        assert spelled(written) == written
        assert all(pair != (" ", " ") for pair in pairwise(written))


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("birth_name", "王"),
        ("given_names", "R2D2"),
        ("birth_date", "14/08/1955"),
        ("birth_date", "1955-02-30"),
        ("birth_date", "1955-13"),
        ("birth_date", "1955-08-14T00:00:00"),
        ("sex", "X"),
        ("sex", "Féminin"),
        ("birth_place", "1416"),
        ("birth_place", "2C168"),
        ("birth_place", "Caen"),
    ],
)
def test_a_trait_of_the_wrong_form_is_named(trait: str, value: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read_identity(NUMBER, **(TRAITS | {trait: value}))
    assert caught.value.code == "IDENTITY_INVALID"
    assert caught.value.detail.startswith(f"{trait}: ")
    # In a record they are whatever its author had, and left out.
    found = identity_of_identifiers([(NIR, None, NUMBER)], **(TRAITS | {trait: value}))
    assert found == Identity(matricule=NUMBER, oid=NIR, **(TRAITS | {trait: None}))


@pytest.mark.parametrize("oid", ["", "1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.80", f"oid:{NIR}", "urn:oid:"])
def test_an_authority_that_gives_no_such_number(oid: str) -> None:
    with pytest.raises(hc.IssueError, match="IDENTITY_INVALID"):
        read_identity(NUMBER, oid)
    assert identity_of_identifiers([(oid or "x", "INS-NIR", NUMBER)]) is None


@pytest.mark.parametrize(
    ("number", "traits", "contradicted"),
    [
        ("2550814168025", {"birth_date": "1955-08-14"}, ()),
        ("2550814168025", {"birth_date": "1955-08"}, ()),
        ("2550814168025", {"birth_date": "1955"}, ()),
        ("2550814168025", {"birth_date": "2055-08-14"}, ()),  # a century is not in the number
        ("2550814168025", {"birth_date": "1955-09-14"}, ("birth_date",)),
        ("2550814168025", {"birth_date": "1956"}, ("birth_date",)),
        # A month that is not known: any.
        ("2552014168025", {"birth_date": "1955-09-14"}, ()),
        ("2554214168025", {"birth_date": "1955-01-01"}, ()),
        ("2559914168025", {"birth_date": "1955-12-31"}, ()),
        ("2559914168025", {"birth_date": "1956-12-31"}, ("birth_date",)),
        ("2550814168025", {"sex": "F"}, ()),
        ("2550814168025", {"sex": "female"}, ()),
        ("2550814168025", {"sex": "M"}, ("sex",)),
        ("2550814168025", {"sex": "I"}, ()),
        ("2550814168025", {"sex": "unknown"}, ()),
        *((f"{digit}550814168025", {"sex": "M"}, ()) for digit in "137"),
        *((f"{digit}550814168025", {"sex": "M"}, ("sex",)) for digit in "248"),
        # The commune's code of then and of now need not be the same one; France and abroad are not.
        ("2550814168025", {"birth_place": "14118"}, ()),
        ("2550875056025", {"birth_place": "92050"}, ()),
        ("2550820004025", {"birth_place": "2A004"}, ()),
        ("2552A04168025".replace("2A04", "082A"), {"birth_place": "2A004"}, ()),
        ("2550897105025", {"birth_place": "97105"}, ()),
        ("2550899109025", {"birth_place": "99109"}, ()),
        ("2550899109025", {"birth_place": "14118"}, ("birth_place",)),
        ("2550814168025", {"birth_place": "99109"}, ("birth_place",)),
        ("2550892352025", {"birth_place": "99352"}, ()),  # Oran, before 1962
        ("2550814168025", {"birth_place": "99999"}, ()),  # not known
        ("2550814168025", {"birth_date": "1954", "sex": "M"}, ("birth_date", "sex")),
    ],
)  # fmt: skip
def test_number_and_traits(number: str, traits: dict[str, str], contradicted: tuple[str, ...]) -> None:
    if not contradicted:
        assert contradictions(read_identity(with_key(number), **traits)) == ()
        return
    with pytest.raises(hc.IssueError) as caught:
        read_identity(with_key(number), **traits)
    assert (caught.value.code, caught.value.step) == ("IDENTITY_MISMATCH", "content")
    assert caught.value.detail.startswith(f"{', '.join(contradicted)}: ")


def test_the_first_given_name_is_the_first_of_the_given_names() -> None:
    for names, first in (("ZOE MARIE", "Zoé"), ("JEAN-PIERRE MARIE", "Jean Pierre"), ("JEAN PIERRE", "JEAN-PIERRE")):
        assert read_identity(NUMBER, given_names=names, first_given_name=first).given_names == names
    for names, first in (("ZOE MARIE", "MARIE"), ("ZOE", "ZOE MARIE"), ("JEANNE", "JEAN")):
        with pytest.raises(hc.IssueError, match="IDENTITY_MISMATCH"):
            read_identity(NUMBER, given_names=names, first_given_name=first)


OTHER = with_key("1840775056001")
LOCAL = ("1.2.250.1.999", "PI", "14293")


@pytest.mark.parametrize(
    ("identifiers", "oid"),
    [
        ([], None),
        ([LOCAL, (None, None, NUMBER), (None, "PI", NUMBER), ("", "NH", NUMBER)], None),
        # FHIR, FR Core.
        ([LOCAL, (f"urn:oid:{NIR}", "INS-NIR", NUMBER)], NIR),
        ([(f"urn:oid:{NIA}", "INS-NIA", NUMBER)], NIA),
        ([(f"urn:oid:{TEST}", "INS-NIR-TEST", NUMBER)], TEST),
        ([(f"urn:oid:{DEMO}", "INS-NIR-DEMO", NUMBER)], DEMO),
        # HL7 v2, IHE PAM France: the authority's OID, and INS or a type of older versions.
        ([(NIR, "INS", NUMBER), LOCAL], NIR),
        ([(NIR, "NH", NUMBER)], NIR),
        ([(TEST, "INS-NIR", NUMBER)], TEST),
        ([(NIR, None, NUMBER)], NIR),
        # Where a type says it all.
        ([(None, "INS-NIR", NUMBER)], NIR),
        ([("", "INS-NIA", NUMBER)], NIA),
        # Who has a registered number keeps the provisional one beside it for a while.
        ([(NIA, "INS-NIA", OTHER), (NIR, "INS-NIR", NUMBER)], NIR),
        ([(NIA, "INS", NUMBER), (TEST, "INS", NUMBER)], TEST),
        ([(NIR, "INS", NUMBER), (NIR, "INS-NIR", "2 55 08 14 168 025 38")], NIR),
    ],
)
def test_how_records_carry_it(identifiers: list[tuple[str | None, str | None, str]], oid: str | None) -> None:
    found = identity_of_identifiers(identifiers)
    assert found == (None if oid is None else Identity(matricule=NUMBER, oid=oid))
    if found is not None:
        assert is_made_up(found) == (oid in (TEST, DEMO))


@pytest.mark.parametrize(
    "identifiers",
    [
        [(NIR, "INS-NIR", NUMBER[:13])],
        [(NIR, "INS-NIR", NUMBER[:14] + "9")],
        [(NIR, "INS-NIR", "")],
        [(NIR, "INS-NIA", NUMBER)],
        [(NIA, "INS-NIR", NUMBER)],
        [(NIR, "INS", NUMBER), (NIR, "INS", OTHER)],
    ],
)
def test_identifiers_that_cannot_be_right(identifiers: list[tuple[str | None, str | None, str]]) -> None:
    with pytest.raises(hc.IssueError) as caught:
        identity_of_identifiers(identifiers)
    assert caught.value.code == "IDENTITY_INVALID"


def test_a_record_s_sex_is_no_reason_to_refuse_it() -> None:
    for sex in ("male", "M"):
        assert identity_of_identifiers([(NIR, None, NUMBER)], sex=sex) == Identity(matricule=NUMBER, oid=NIR)
    for sex, kept in (("F", "F"), ("female", "F"), ("other", "I"), ("U", "I"), ("X", None), ("", None)):
        assert identity_of_identifiers([(NIR, None, NUMBER)], sex=sex) == Identity(matricule=NUMBER, oid=NIR, sex=kept)
    with pytest.raises(hc.IssueError, match="IDENTITY_MISMATCH"):
        identity_of_identifiers([(NIR, None, NUMBER)], birth_date="1984-02-29")


ZOE = Identity(matricule=NUMBER, oid=NIR, **TRAITS)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        (dict.fromkeys(TRAITS), True),
        ({"oid": NIA}, True),
        ({"given_names": "ZOE"}, True),
        ({"given_names": "ZOE-MARIE"}, True),
        ({"birth_name": "EXEMPLE TESTEUR"}, True),
        ({"birth_date": "1955-08"}, True),
        ({"birth_date": "1955"}, True),
        ({"sex": "I"}, True),
        ({"birth_place": "14118"}, True),
        # A made-up person is nobody else.
        ({"oid": TEST}, False),
        ({"oid": DEMO, "matricule": OTHER}, False),
        # Another number: another person where something else is different, else nobody knows.
        ({"matricule": OTHER}, None),
        ({"matricule": OTHER} | dict.fromkeys(TRAITS), None),
        ({"matricule": OTHER, "oid": NIA}, None),
        ({"matricule": OTHER, "sex": "M"}, None),
        ({"matricule": OTHER, "sex": "M", "given_names": "MARC"}, None),
        ({"matricule": OTHER, "birth_date": "1955-08-15"}, False),
        ({"matricule": OTHER, "birth_name": "AUTRE"}, False),
        ({"matricule": OTHER, "birth_place": "99109"}, False),
    ],
)
def test_whether_two_are_one_person(changes: dict[str, Any], same: bool | None) -> None:
    other = replace(ZOE, **changes)
    assert same_person(ZOE, other) is same
    assert same_person(other, ZOE) is same


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"birth_date": "1955-08-15"}, "birth_date"),
        ({"birth_name": "AUTRE"}, "birth_name"),
        ({"given_names": "MARIE"}, "given_names"),
        ({"given_names": "ZO"}, "given_names"),
        ({"sex": "M"}, "sex"),
        ({"birth_place": "99109"}, "birth_place"),
        ({"birth_name": "AUTRE", "birth_date": "1956"}, "birth_name, birth_date"),
        ({"oid": NIA, "birth_date": "1956"}, "birth_date"),
    ],
)
def test_one_number_with_traits_of_two_is_for_somebody_to_look_at(changes: dict[str, Any], named: str) -> None:
    for pair in ((ZOE, replace(ZOE, **changes)), (replace(ZOE, **changes), ZOE)):
        with pytest.raises(hc.IssueError) as caught:
            same_person(*pair)
        assert caught.value.code == "IDENTITY_MISMATCH"
        assert caught.value.detail == f"{named}: two of one number"


texts = st.text(max_size=40) | numbers | numbers.map(with_key)


@given(
    st.lists(st.tuples(st.none() | st.sampled_from(OIDS) | texts, st.none() | texts, texts), max_size=4),
    st.dictionaries(st.sampled_from([*TRAITS, "first_given_name"]), texts, max_size=6),
)
def test_no_message_tells_what_was_in_the_record(
    identifiers: list[tuple[str | None, str | None, str]], traits: dict[str, str]
) -> None:
    said = told(identifiers, traits)
    assert said == "Identity(...)" or said.startswith(("IDENTITY_INVALID", "IDENTITY_MISMATCH", "None"))
    assert all(value not in said for *_, value in identifiers if len(value) > 12)
    assert all(value not in said for value in traits.values() if len(value) > 12)


def told(identifiers: list[tuple[str | None, str | None, str]], traits: dict[str, str]) -> str:
    """All that a log would have of it."""
    try:
        return repr(identity_of_identifiers(identifiers, **traits))
    except hc.IssueError as error:
        return f"{error} {error.__cause__}"


def test_it_goes_into_no_certificate_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """What is issued of a row with an identity is, to the byte, what is issued of one without."""
    caplog.set_level(logging.DEBUG)
    holder = replace(HOLDER, family_name="Exemple-Testeur", birth_date="1955-08-14")
    row = Row(number=1, holder=holder, event=VACCINATION, identity=ZOE)
    issuer = hc.Issuer(dsc().signer(), country="FR", clock=CLOCK)
    with_identity = issuer.prepare(row.event, holder=row.holder)
    without = issuer.prepare(VACCINATION, holder=holder).on(with_identity.terms)
    assert with_identity.to_be_signed == without.to_be_signed
    assert with_identity.record == without.record
    for secret in (NUMBER, NUMBER[:13], NIR, "14168", "MARIE"):
        assert secret.encode() not in with_identity.to_be_signed + with_identity.record
        assert secret not in repr(row) + repr(ZOE) + str(ZOE) + f"{ZOE}" + caplog.text
    assert date.fromisoformat("1955-08-14").isoformat() in with_identity.record.decode()  # what is certified is there
