"""Bundles: rules and value sets in the form that CovPass is shipped with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.limits import Limits
from healthcert.rules.sources.bundle import Bundle
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList
from tests.support import NOW
from tests.unit.rules.lists import Server, anchor, rule_document, rules_of, value_set


def load(rules: Any = None, value_sets: Any = None, limits: Limits | None = None, **options: str) -> RuleList:
    parts = {
        name: given if isinstance(given, bytes) else json.dumps(given).encode()
        for name, given in (("rules", rules), ("value-sets", value_sets))
        if given is not None
    }
    return Bundle().load(parts, Context((), NOW, limits or Limits(), options))


def test_one_file_of_each_or_of_either() -> None:
    both = load(rules_of(FR=2), [value_set("a"), value_set("b")])
    assert [one.rule.identifier for one in both.rules] == ["GR-FR-0000", "GR-FR-0001"]
    assert [one.value_set.id for one in both.value_sets] == ["a", "b"]
    assert (both.assurance, both.signer, both.counter, both.countries) == (Assurance.TLS_ONLY, None, None, frozenset())
    assert len(load(rules_of(FR=2)).rules) == 2
    assert len(load(None, [value_set()]).value_sets) == 1
    assert len(load(rule_document()).rules) == 1
    assert load([], countries="FR, DE").countries == {"FR", "DE"}


def test_a_rule_is_kept_in_its_own_bytes() -> None:
    one = b'{ "hash" : "00",\n' + json.dumps(rule_document(), indent=2).encode()[1:]
    (found,) = load(b" [ " + one + b" , 1 ] ").rules
    assert found.raw == one
    assert found.rule.digest == hashlib.sha256(one).hexdigest()


@pytest.mark.parametrize(
    ("document", "country"),
    [
        (1, None),
        (None, None),
        ([], None),
        ("FR", None),
        ({}, None),
        ({"Logic": {}}, None),
        ({"Country": "FR"}, "FR"),
        ({"Country": "fr"}, "FR"),
        ({"country": "FR", "identifier": 1}, "FR"),
        ({"Country": "france", "Identifier": "VR-FR-0001"}, "FR"),
        ({"Country": ["FR"], "Identifier": "VR-FR-0001"}, "FR"),
        ({"Identifier": "IB2-DE-0001"}, "DE"),
        ({"Identifier": "nothing"}, None),
        ({"payload": {}, "external": {}, "expected": True}, None),
        (rule_document(Logic=None), "FR"),
        (rule_document(ValidFrom="2021-07-01"), "FR"),
        (rule_document(more="x" * 5000), "FR"),
    ],
)
def test_what_cannot_be_read_is_skipped_and_whose_it_is_told(document: Any, country: str | None) -> None:
    found = load([rule_document("GR-AT-0001"), document], limits=Limits(rule_bytes=4000))
    assert [one.rule.identifier for one in found.rules] == ["GR-AT-0001"]
    (skipped,) = found.skipped
    assert (skipped.source, skipped.country, skipped.value_set) == ("rules[2]", country, None)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"valueSetId": "a"}, "a"),
        ({**value_set("a"), "valueSetValues": []}, "a"),
        ({**value_set("a"), "valueSetDate": "soon"}, "a"),
        ({"valueSetId": 1}, ""),
        ({"valueSetId": "two\nlines"}, ""),
    ],
)
def test_a_value_set_that_cannot_be_read_is_skipped_by_its_name(document: Any, name: str) -> None:
    found = load(rules_of(FR=1), [document, value_set("b")])
    assert [one.value_set.id for one in found.value_sets] == ["b"]
    (skipped,) = found.skipped
    assert (skipped.source, skipped.country, skipped.value_set) == ("value-sets[1]", None, name)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"1", b"null", b'"[]"', b"\xff", b"rubbish", b"[", b"[1,", b"[{]", b"{", b"[NaN]", b"[]]"),
        *(b"[" * 100_000, b'[{"a":' * 50_000, b"[" * 100_000 + b"]" * 100_000),
    ],
    ids=range(15),
)
def test_what_is_no_json_of_this_form_is_refused(data: bytes) -> None:
    for rules, sets in ((data, None), (None, data), (rules_of(FR=1), data)):
        with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
            load(rules, sets)


def nested(depth: int, end: str) -> str:
    whole = json.dumps(rule_document(Logic={"!": [0]}))
    return whole.replace('{"!": [0]}', '{"!":[' * depth + end + "]}" * depth)


@pytest.mark.parametrize("depth", [60, 400])
def test_rules_that_are_nested_deep_are_told_apart(depth: int) -> None:
    given = f"[{nested(depth, '1')}, {nested(depth, 'true')}, {nested(depth, '1')}]"
    found = load(given.encode())
    assert len(found.rules) == 1
    (skipped,) = found.skipped
    assert (skipped.source, skipped.country) == ("rules[2]", "FR")


@pytest.mark.parametrize("depth", [20_000, 100_000])
def test_what_is_nested_deeper_than_can_be_read_is_refused(depth: int) -> None:
    with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
        load(f"[{nested(depth, '1')}]".encode())


def test_no_part_at_all() -> None:
    with pytest.raises(RuleError, match=r"RULE_LIST_UNREADABLE.*neither"):
        Bundle().load({"list": b"[]"}, Context((), NOW))


def test_an_anchor_that_nothing_is_signed_with() -> None:
    with pytest.raises(RuleError, match="RULE_LIST_NOT_AUTHENTIC"):
        Bundle().load({"rules": b"[]"}, Context((anchor(),), NOW))


@pytest.mark.parametrize("countries", ["fr", "FR;DE", "", "FRA", "*"])
def test_countries_that_are_none(countries: str) -> None:
    with pytest.raises(RuleError, match="RULE_CONFIG_INVALID"):
        load(rules_of(FR=1), countries=countries)


def test_so_many_documents_and_no_more() -> None:
    assert len(load(rules_of(FR=3), [value_set()], limits=Limits(rules=4)).rules) == 3
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        load(rules_of(FR=3), [value_set()], limits=Limits(rules=3))


def test_so_long_a_rule_and_no_longer() -> None:
    length = len(json.dumps(rule_document()))
    assert len(load([rule_document()], limits=Limits(rule_bytes=length)).rules) == 1
    (skipped,) = load([rule_document()], limits=Limits(rule_bytes=length - 1)).skipped
    assert skipped.error.code == "INPUT_TOO_LONG"


# --- Fetching ---

URL, SETS = "https://rules.example/rules.json", "https://rules.example/sets.json"


def fetch(server: Server, known: Known | None = None, **options: str) -> Fetched | None:
    named = {"value-sets": SETS} if options.get("sets") else {}
    return Bundle().fetch(server, URL, known or Known(), Context((), NOW, Limits(), named))


@pytest.mark.parametrize("sets", ["", "yes"])
def test_what_has_not_changed_is_not_sent_again(sets: str) -> None:
    server = Server({URL: b"[1]", SETS: b"[2]"})
    first = fetch(server, sets=sets)
    assert first is not None
    assert first.parts == {"rules": b"[1]"} | ({"value-sets": b"[2]"} if sets else {})
    known = Known(first.parts, first.validators)
    assert fetch(server, known, sets=sets) is None
    server.answers[URL] = b"[3]"
    second = fetch(server, known, sets=sets)
    assert second is not None
    assert second.parts == {**first.parts, "rules": b"[3]"}


@pytest.mark.parametrize("parts", [{}, {"value-sets": b"[]"}])
def test_that_nothing_has_changed_is_of_no_use_where_nothing_is_known(parts: Mapping[str, bytes]) -> None:
    server = Server({URL: hc.Response(304)})
    found = fetch(server, Known(parts, {URL: '"1"'}))
    assert server.asked == [(URL, {})]
    assert found is not None
    with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
        Bundle().load(found.parts, Context((), NOW))


# --- What others publish ---


@pytest.mark.parametrize(
    ("name", "rules", "value_sets"),
    [
        ("business-rules/covpass/eu-rules.json", 271, 0),
        ("business-rules/covpass/domestic-rules.json", 15, 0),
        ("business-rules/covpass/eu-booster-rules.json", 2, 0),
        ("business-rules/cwa/dcc_booster_rules.json", 1, 0),
        ("valuesets/covpass/eu-value-sets.json", 0, 9),
    ],
)
def test_the_files_of_covpass(interop: Path, name: str, rules: int, value_sets: int) -> None:
    found = load((interop / name).read_bytes())
    assert (len(found.rules), len(found.value_sets), found.skipped) == (rules, value_sets, ())
