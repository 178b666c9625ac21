"""Transliteration of Latin names, and UVCI checksums."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.families.hcert.names import transliterate
from healthcert.families.hcert.uvci import checksum, new_uvci


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("d'Červenková Panklová", "DCERVENKOVA<PANKLOVA"),
        ("Jiřina-Maria Alena", "JIRINA<MARIA<ALENA"),
        ("Smith-Jones", "SMITH<JONES"),
        ("Müller", "MUELLER"),
        ("Mu\u0308ller", "MUELLER"),
        ("Musterfrau-Gößinger", "MUSTERFRAU<GOESSINGER"),
        ("Ångström", "AANGSTROEM"),
        ("Łukasz Żółć", "LUKASZ<ZOLC"),
        ("Đorđević", "DORDEVIC"),
        ("Øst Æther", "OEST<AETHER"),
        ("Þór", "THOR"),
        ("İbrahim Işık", "IBRAHIM<ISIK"),
        ("O’Neil  Jr.", "ONEIL<JR"),
        ("  -  ", ""),
        ("x" * 100, "X" * 80),
        ("Ä" * 39 + "A B", "AE" * 39 + "A"),
        ("Gal·la ʻOkina", "GALLA<OKINA"),
    ],
)
def test_latin_names(name: str, spelling: str) -> None:
    assert transliterate(name) == spelling


@pytest.mark.parametrize("name", ["Παπαδόπουλος", "Иванов", "ناصر", "王", "Anna2", "A\u202eB"])
def test_what_is_not_latin_asks_for_the_passport_spelling(name: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        transliterate(name)
    assert caught.value.code == "NAME_NEEDS_PASSPORT_SPELLING"
    assert name not in caught.value.detail


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=40))
def test_the_result_is_always_of_the_form_the_schema_asks_for(name: str) -> None:
    try:
        spelling = transliterate(name)
    except hc.IssueError:
        return
    assert re.fullmatch(r"([A-Z]+(<[A-Z]+)*)?", spelling)


@pytest.mark.parametrize(
    ("identifier", "check"),
    [
        ("URN:UVCI:01:NL:187/37512422923", "Z"),
        ("URN:UVCI:01:AT:10807843F94AEE0EE5093FBC254BD813", "B"),
        ("URN:UVCI:01:NL:MY/INPUT/STRING", "H"),
    ],
)
def test_checksums_of_published_identifiers(identifier: str, check: str) -> None:
    assert checksum(identifier) == check


def test_a_new_identifier_has_its_checksum_and_fits_the_schema() -> None:
    for _ in range(50):
        identifier, check = new_uvci("FR").split("#")
        assert re.fullmatch(r"URN:UVCI:01:FR:[A-Z0-9]{26}", identifier)
        assert checksum(identifier) == check


def test_a_checksum_finds_any_single_wrong_character() -> None:
    identifier = "URN:UVCI:01:FR:T5DWTJYS4ZR8"
    right = checksum(identifier)
    for position in range(len(identifier)):
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:":
            if other != identifier[position]:
                assert checksum(identifier[:position] + other + identifier[position + 1 :]) != right
