"""Transliteration of Latin names (other scripts: test_names.py), and UVCI checksums."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.families.hcert.names import transliterate
from healthcert.families.hcert.uvci import UvciCheck, check_uvci, checksum, new_uvci


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


@pytest.mark.parametrize("name", ["ประยุทธ์", "किशोर", "王", "Anna2", "A\u202eB"])
def test_what_has_no_rule_asks_for_the_passport_spelling(name: str) -> None:
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


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"


@pytest.mark.parametrize(
    ("identifier", "character"),
    [
        ("URN:UVCI:01:NL:187/37512422923", "Z"),
        ("URN:UVCI:01:AT:10807843F94AEE0EE5093FBC254BD813", "B"),
        ("URN:UVCI:01:NL:MY/INPUT/STRING", "H"),
    ],
)
def test_checksums_of_published_identifiers(identifier: str, character: str) -> None:
    assert checksum(identifier) == character
    assert check_uvci(f"{identifier}#{character}") is UvciCheck.VALID
    assert check_uvci(f"{identifier}#{character}".lower()) is UvciCheck.VALID
    assert check_uvci(f"{identifier.removeprefix('URN:UVCI:')}#{character}") is UvciCheck.VALID
    assert check_uvci(f"{identifier.removeprefix('URN:')}#{character}") is UvciCheck.VALID
    assert check_uvci(identifier) is UvciCheck.ABSENT
    for other in set(ALPHABET) - {character}:
        assert check_uvci(f"{identifier}#{other}") is UvciCheck.WRONG


def test_a_new_identifier_has_its_checksum_and_fits_the_schema() -> None:
    for _ in range(50):
        new = new_uvci("FR")
        identifier, character = new.split("#")
        assert re.fullmatch(r"URN:UVCI:01:FR:[A-Z0-9]{26}", identifier)
        assert checksum(identifier) == character
        assert check_uvci(new) is check_uvci(new.lower()) is UvciCheck.VALID


@given(st.binary(min_size=26, max_size=26))
def test_an_identifier_of_a_seed_is_always_the_same(seed: bytes) -> None:
    assert new_uvci("FR", seed) == new_uvci("FR", seed)
    assert check_uvci(new_uvci("FR", seed)) is UvciCheck.VALID
    for wrong in (seed[1:], seed + b"x", b""):
        with pytest.raises(ValueError, match="26 bytes"):
            new_uvci("FR", wrong)


def test_a_checksum_finds_any_single_wrong_character() -> None:
    identifier = "URN:UVCI:01:FR:T5DWTJYS4ZR8"
    right = checksum(identifier)
    for position in range(len(identifier)):
        for other in ALPHABET:
            if other != identifier[position]:
                assert checksum(identifier[:position] + other + identifier[position + 1 :]) != right


def test_a_checksum_may_be_a_colon_or_a_slash_and_may_be_made_without_the_prefix() -> None:
    seen = set()
    for number in range(200):
        for identifier in (f"URN:UVCI:01:FR:{number}", f"01:FR:{number}"):
            character = checksum(identifier)
            seen.add(character)
            assert check_uvci(f"{identifier}#{character}") is UvciCheck.VALID
    assert seen == set(ALPHABET)


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        # The forms of hcert.md §6 that states use; the identifiers are invented.
        ("URN:UVCI:V1:DE:ABC123", "absent"),
        ("URN:UVCI:01DE/IZ12345A/ABC", "absent"),
        ("urn:uvci:01:bg:abc", "absent"),
        ("01:HR:ABC", "absent"),
        ("01/LU/ABC", "absent"),
        ("01/LU/ABC#", "absent"),
        ("01/LU/ABC#12", "wrong"),
        ("01/LU/ABC#1#2", "wrong"),
        ("UVCI:01:NZ:ABC", "absent"),
        ("URN:UVCI:03:MD:ABC", "absent"),
        ("URN:UCI:01:NL:ABC#3", "not a UVCI"),
        ("URN:UVCI:01:NL:A_B#3", "not a UVCI"),
        ("01/LU/ABC#ı", "not a UVCI"),
        ("URN:UVCI:01:NL:ſ#3", "not a UVCI"),
        ("123e4567-e89b-12d3-a456-426614174000", "not a UVCI"),
        ("URN:UVCI:01:NL:A\n", "not a UVCI"),
        ("", "not a UVCI"),
    ],
)
def test_what_states_write_is_told_and_never_an_error(identifier: str, said: str) -> None:
    assert check_uvci(identifier) == said


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=90))
def test_any_text_can_be_checked(identifier: str) -> None:
    assert check_uvci(identifier) in UvciCheck
    assert check_uvci(f"01:FR:{identifier}") in UvciCheck


@settings(derandomize=True, deadline=None)
@given(st.from_regex(r"URN:UVCI:01:[A-Z]{2}:[A-Z0-9/:]{1,57}", fullmatch=True), st.data())
def test_one_wrong_character_is_always_found(identifier: str, data: st.DataObject) -> None:
    right = f"{identifier}#{checksum(identifier)}"
    assert check_uvci(right) is UvciCheck.VALID
    position = data.draw(st.sampled_from([place for place, letter in enumerate(right) if letter != "#"]))
    other = data.draw(st.sampled_from(sorted(set(ALPHABET) - {right[position]})))
    wrong = right[:position] + other + right[position + 1 :]
    assert check_uvci(wrong) in (UvciCheck.WRONG, UvciCheck.NOT_A_UVCI)
    if position >= len("URN:UVCI:01:FR:"):
        assert check_uvci(wrong) is UvciCheck.WRONG
