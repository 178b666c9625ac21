"""The settings of Italy and of France: kept as they are for the national rules, when they have the form of settings."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from healthcert.errors import HealthCertError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules.sources.fr import French
from healthcert.rules.sources.it import Italian
from healthcert.rules.sources.protocol import Assurance, Known, Source
from healthcert.rules.sources.registry import SOURCES, source_named
from tests.support_lists import spoiled
from tests.support_rule_lists import context, loaded, raw, refusal
from tests.unit.trust.sources.world import Table, answer

ITALY, FRANCE = Italian(), French()
SETTINGS = [
    {"name": "vaccine_end_day_complete", "type": "EU/1/20/1525", "value": "180"},
    {"name": "molecular_test_end_hours", "type": "GENERIC", "value": "72"},
]
VALIDITY = {"health": {"recoveryStartDay": 11}, "vaccine": {"vaccineDelay": 7}, "plus": {"recoveryEndDay": 6000}}
WHOLE = {"specificValues": {"validity": VALIDITY, "other": 1}, "certificatesDCC": {}}
NONE = context()


def test_italian_settings_are_kept_as_they_came() -> None:
    data = raw(SETTINGS)
    found = ITALY.load({"settings": data}, NONE)
    assert found.national == {"it": data}
    assert (found.rules, found.assurance, found.signer) == ((), Assurance.TLS_ONLY, None)
    # They are no answer to whether Italy has rules of the EU's form.
    assert found.countries == frozenset()


@pytest.mark.parametrize("entry", [{}, [], "x", {"name": "a", "type": "b"}, {"name": "a", "type": "b", "value": 7}])
def test_italian_settings_that_are_none(entry: Any) -> None:
    assert refusal(ITALY, {"settings": raw([*SETTINGS, entry])}, NONE) == "RULE_LIST_UNREADABLE"


@pytest.mark.parametrize("data", [b"[]", b"{}", b"", b"\xff", b'[{"name": "a", "name": "b", "type": "", "value": ""}]'])
def test_italian_answers_that_are_none(data: bytes) -> None:
    assert refusal(ITALY, {"settings": data}, NONE) == "RULE_LIST_UNREADABLE"


def test_settings_are_counted() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rules=2)
    assert ITALY.load({"settings": raw(SETTINGS)}, context(limits=few)).national.keys() == {"it"}
    one = msgspec.structs.replace(DEFAULT_LIMITS, rules=1)
    assert refusal(ITALY, {"settings": raw(SETTINGS)}, context(limits=one)) == "INPUT_TOO_LONG"


def test_french_settings_are_those_of_validity() -> None:
    found = FRANCE.load({"settings": raw(WHOLE)}, NONE)
    assert json.loads(found.national["fr"]) == VALIDITY
    alone = FRANCE.load({"settings": raw(VALIDITY)}, NONE)
    assert alone.national == {"fr": raw(VALIDITY)}
    assert (found.rules, found.assurance, found.countries) == ((), Assurance.TLS_ONLY, frozenset())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"health": {}},
        {"health": {}, "vaccine": 7},
        {"specificValues": {}, **VALIDITY},
        {"specificValues": []},
        {"specificValues": {"validity": {"health": {}}}},
        [],
    ],
)
def test_french_settings_that_are_none(document: Any) -> None:
    assert refusal(FRANCE, {"settings": raw(document)}, NONE) == "RULE_LIST_UNREADABLE"


def test_french_numbers_that_json_does_not_have() -> None:
    text = json.dumps(WHOLE).replace("11", "1e999")
    assert refusal(FRANCE, {"settings": text.encode()}, NONE) in ("RULE_INVALID", "RULE_LIST_UNREADABLE")


@pytest.mark.parametrize("source", [ITALY, FRANCE])
def test_a_missing_part(source: Source) -> None:
    assert refusal(source, {}, NONE) == "RULE_LIST_UNREADABLE"


URL = "https://settings.example/v1/dgc/settings"


@pytest.mark.parametrize(("source", "document"), [(ITALY, SETTINGS), (FRANCE, VALIDITY)])
def test_settings_are_fetched_once(source: Source, document: Any) -> None:
    server = Table({URL: answer(raw(document), etag='"1"')})
    fetched = source.fetch(server, URL, Known(), NONE)
    assert fetched is not None
    assert len(source.load(fetched.parts, NONE).national) == 1
    assert source.fetch(server, URL, Known(fetched.parts, fetched.validators), NONE) is None


def test_france_is_shown_the_token() -> None:
    server = Table({URL: answer(raw(VALIDITY))})
    FRANCE.fetch(server, URL, Known(), context(token="abc"))
    assert server.asked == [(URL, {"Authorization": "Bearer abc"})]
    with pytest.raises(HealthCertError) as caught:
        FRANCE.fetch(server, URL, Known(), context(token="with spaces in it"))
    assert (caught.value.code, "spaces in it" in caught.value.detail) == ("RULE_CONFIG_INVALID", False)


@given(spoiled(SETTINGS))
def test_whatever_italy_answers(document: Any) -> None:
    loaded(ITALY, {"settings": json.dumps(document).encode()}, NONE)


@given(spoiled(WHOLE))
def test_whatever_france_answers(document: Any) -> None:
    loaded(FRANCE, {"settings": json.dumps(document).encode()}, NONE)


@pytest.mark.parametrize("name", ["dgcg", "service", "cwa", "ch", "it", "fr"])
def test_every_format_is_found_by_its_name(name: str) -> None:
    source = source_named(name)
    assert (source.name, name in SOURCES) == (name, True)
    assert len(source.title.splitlines()) == 1
    assert ("unsigned" in source.options) is (source.anchored and name != "dgcg")
