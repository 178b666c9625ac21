"""Value sets: read strictly, merged by date, their codes for rules, their names for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.rules.certlogic import evaluate
from healthcert.rules.valuesetfiles import load_value_sets
from healthcert.rules.valuesets import SET_OF, ValueSetCode, ValueSets, read_value_set, shipped

DEVICES = "covid-19-lab-test-manufacturer-and-name"
ENTRY = {"display": "A test", "lang": "en", "active": True, "version": "1", "system": "urn:devices"}
DAY = date(2021, 8, 20)


def published(day: str = "2023-04-11", name: str = DEVICES, /, **codes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "valueSetId": name,
        "valueSetDate": day,
        "valueSetValues": {c: {**ENTRY, **more} for c, more in codes.items()},
    }


def read(day: str = "2023-04-11", name: str = DEVICES, /, **codes: Mapping[str, Any]) -> ValueSets:
    return ValueSets([read_value_set(published(day, name, **codes))])


# --- What is part of the library ---


def test_the_shipped_sets_are_those_of_the_fields() -> None:
    assert [one.id for one in shipped()] == sorted(SET_OF.values())
    assert {name: len(codes) for name, codes in shipped().codes.items()} == {
        "country-2-codes": 250,
        "covid-19-lab-result": 2,
        "covid-19-lab-test-manufacturer-and-name": 88,
        "covid-19-lab-test-type": 2,
        "disease-agent-targeted": 1,
        "sct-vaccines-covid-19": 9,
        "vaccines-covid-19-auth-holders": 31,
        "vaccines-covid-19-names": 39,
    }
    assert shipped().dates["sct-vaccines-covid-19"] == "2023-01-25"
    assert shipped() is shipped()


def test_rules_read_inactive_codes_and_find_them_sorted() -> None:
    codes = shipped().codes
    assert "J07BX03" in codes["sct-vaccines-covid-19"]
    assert all(list(one) == sorted(one) for one in codes.values())
    asked = {"in": [{"var": "payload"}, {"var": "external.valueSets.sct-vaccines-covid-19"}]}
    for code, known in (("J07BX03", True), ("J07BX04", False)):
        assert evaluate(asked, {"payload": code, "external": {"valueSets": codes}}) is known
    assert shipped().codes is codes


@pytest.mark.parametrize(
    ("name", "code", "display"),
    [
        ("mp", "EU/1/20/1528", "Comirnaty"),
        ("vaccines-covid-19-names", "EU/1/20/1528", "Comirnaty"),
        ("v.ma", "ORG-100030215", "Biontech Manufacturing GmbH"),
        ("mp", "EU/9/99/9999", "EU/9/99/9999"),
        ("no set", "EU/1/20/1528", "EU/1/20/1528"),
    ],
)
def test_names_by_field_or_identifier(name: str, code: str, display: str) -> None:
    assert shipped().display(name, code) == display


# --- Reading ---


def test_a_set_as_it_is_published() -> None:
    found = read_value_set(json.dumps(published(**{"1232": {}, "344": {"active": False}}) | {"hash": "x"}).encode())
    assert (found.id, found.date, sorted(found.codes)) == (DEVICES, "2023-04-11", ["1232", "344"])
    assert found.codes["344"] == ValueSetCode("344", "A test", "en", active=False, version="1", system="urn:devices")


@pytest.mark.parametrize("until", ["2023-05-04", "2023-05-04 00:00:00 CEST"])
def test_until_when_a_code_is_valid(until: str) -> None:
    codes: dict[str, Any] = {"2390": {"validUntil": until}, "2391": {"validUntil": None}}
    sets = read(**codes)
    for code, day, may in (("2390", 4, True), ("2390", 5, False), ("2391", 5, True)):
        assert sets.may_be_issued("t.ma", code, date(2023, 5, day)) is may


def test_encoding_instructions_are_read_for_their_products() -> None:
    values = {"Comirnaty": {"vaccine-code": "EU/1/20/1528", "vaccine-manufacturer": "ORG-100030215", "sct-codes": []}}
    found = read_value_set(published() | {"valueSetId": "instructions", "valueSetValues": values})
    assert list(found.codes) == ["Comirnaty"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"valueSetId": ""},
        {"valueSetId": None},
        {"valueSetDate": "2021-02-30"},
        {"valueSetDate": "2021-07-01T00:00:00Z"},
        {"valueSetDate": "soon"},
        {"valueSetDate": "２０２１-07-01"},
        {"valueSetDate": 20210701},
        {"valueSetValues": []},
        {"valueSetValues": {"1": None}},
        {"valueSetValues": {"": ENTRY}},
        *({"valueSetValues": {"1": ENTRY | {name: 1}}} for name in ENTRY),
        {"valueSetValues": {"1": ENTRY | {"validUntil": "later"}}},
        {"valueSetValues": {"1": ENTRY | {"validUntil": 2023}}},
    ],
)
def test_what_is_no_value_set(wrong: dict[str, Any]) -> None:
    with pytest.raises(RuleError) as caught:
        read_value_set(published(**{"1": {}}) | wrong)
    assert (caught.value.code, caught.value.step) == ("RULE_LIST_UNREADABLE", "rules")


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"valueSetId": "a", "valueSetId": "b"}', b"[" * 100_000])
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
        read_value_set(data)


def test_a_set_has_a_bound() -> None:
    data = json.dumps(published(**{"1": {}})).encode()
    assert read_value_set(data, hc.Limits(list_bytes=len(data))).codes
    with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
        read_value_set(data, hc.Limits(list_bytes=len(data) - 1))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(("valueSetId", "valueSetDate", "valueSetValues", "hash")), json_values))
def test_nothing_but_its_own_error(given_: dict[str, Any]) -> None:
    codes = set()
    try:
        read_value_set(given_)
    except RuleError as error:
        codes = {error.code}
    assert codes <= {"RULE_LIST_UNREADABLE"}


# --- Updating ---


def test_of_two_sets_the_later_one_counts_unless_it_is_older() -> None:
    old, new = read("2023-01-01", **{"1": {}}), read("2023-02-02", **{"2": {}})
    assert old.merged(new).codes[DEVICES] == ["2"]
    assert new.merged(old).codes[DEVICES] == ["2"]
    # Release 2.12.0 of the EU's sets added codes without moving the date.
    assert old.merged(read("2023-01-01", **{"1": {}, "3": {}})).codes[DEVICES] == ["1", "3"]


def test_other_sets_stay() -> None:
    merged = shipped().merged(read("2023-04-11", "my-own", **{"1": {}}))
    assert len(merged) == len(shipped()) + 1
    assert merged.get("vp") == shipped().get("vp")
    assert merged.dates["my-own"] == "2023-04-11"


def test_an_update_by_which_a_code_becomes_inactive_keeps_it_for_rules() -> None:
    merged = read("2023-01-01", **{"1": {}}).merged(read("2023-02-02", **{"1": {"active": False}}))
    assert not merged.may_be_issued("t.ma", "1", DAY)
    assert merged.codes[DEVICES] == ["1"]


def test_names_in_further_languages_are_kept_from_both() -> None:
    english = read("2023-02-02", **{"1": {}, "2": {}})
    german = read("2023-01-01", **{"1": {"display": "Ein Test", "lang": "de"}})
    slovenian = read("2023-03-03", **{"1": {"display": "En test", "lang": "SI"}})
    for merged in (english.merged(german).merged(slovenian), slovenian.merged(german).merged(english)):
        shown = {lang: merged.display("t.ma", "1", lang) for lang in ("en", "de", "de-AT", "DE", "si", "sl", "fr")}
        assert shown == {
            "en": "A test",
            "de": "Ein Test",
            "de-AT": "Ein Test",
            "DE": "Ein Test",
            "si": "En test",
            "sl": "En test",
            "fr": "A test",
        }
    assert german.display("t.ma", "1", "fr") == "Ein Test"
    # The newest set of all has one code.
    assert english.merged(slovenian).codes[DEVICES] == ["1"]


def test_a_newer_name_replaces_the_older_one_of_its_language() -> None:
    old = read("2023-01-01", **{"1": {"display": "Alt", "lang": "de"}}).merged(read("2023-01-01", **{"1": {}}))
    newer = old.merged(read("2023-02-02", **{"1": {"display": "Neu", "lang": "de"}}))
    assert [newer.display("t.ma", "1", lang) for lang in ("de", "en")] == ["Neu", "A test"]


def test_value_sets_are_values() -> None:
    one, same, other = read(**{"1": {}}), read(**{"1": {}}), read(**{"2": {}})
    assert one == same != other
    assert hash(one) == hash(same)
    assert one != "value sets"
    assert repr(one) == f"ValueSets({DEVICES})"
    assert repr(one.get("t.ma")) == f"ValueSet(id={DEVICES!r}, date='2023-04-11', 1 codes)"
    assert ValueSets().get("t.ma") is None


# --- Issuing ---


@pytest.mark.parametrize(
    ("field", "code", "may"),
    [("vp", "1119349007", True), ("vp", "J07BX03", False), ("vp", "1", False), ("t.ma", "anything", True)],
)
def test_what_may_be_issued_by_the_shipped_sets(field: str, code: str, may: bool) -> None:
    assert shipped().may_be_issued(field, code, DAY) is may


def test_devices_are_judged_by_a_list_that_is_newer_than_the_example() -> None:
    real = shipped().merged(read(**{"1232": {}, "344": {"active": False}}))
    assert [real.may_be_issued("t.ma", code, DAY) for code in ("1232", "344", "9999")] == [True, False, False]
    example = shipped().get("t.ma")
    assert example is not None
    same = shipped().merged(ValueSets([replace(example, codes={})]))
    assert same.may_be_issued("t.ma", "9999", DAY)


def test_a_field_without_a_set_has_no_code_to_issue() -> None:
    assert not ValueSets().may_be_issued("vp", "1119349007", DAY)
    assert ValueSets().may_be_issued("t.ma", "1232", DAY)


# --- Files ---


def test_files_of_value_sets(tmp_path: Path) -> None:
    one, two = published(**{"1": {}}), published("2023-04-11", "other", **{"2": {}})
    (tmp_path / "one.json").write_text(json.dumps(one))
    (tmp_path / "both.json").write_text(json.dumps([one, two]))
    assert load_value_sets(tmp_path / "one.json").codes == {DEVICES: ["1"]}
    assert load_value_sets(tmp_path / "both.json") == load_value_sets(tmp_path)
    assert load_value_sets(str(tmp_path)).codes == {DEVICES: ["1"], "other": ["2"]}


@pytest.mark.parametrize("content", ["", "[]", "[1]", "{}", '[{"valueSetId": 1}]', "[{]"])
def test_files_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "wrong.json").write_text(content)
    with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
        load_value_sets(tmp_path / "wrong.json")
    (tmp_path / "good.json").write_text(json.dumps(published(**{"1": {}})))
    if content != "[]":
        with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
            load_value_sets(tmp_path)


def test_files_have_bounds(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(published(**{"1": {}})))
    assert load_value_sets(tmp_path, hc.Limits(list_pages=2))
    for limits in (hc.Limits(list_pages=1), hc.Limits(list_bytes=10)):
        with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
            load_value_sets(tmp_path, limits)
