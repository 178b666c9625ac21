"""Rules and settings as countries published them, through the formats that their servers hand them out in."""

from __future__ import annotations

import base64
import json
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import pytest

from healthcert.rules.sources.ch import Swiss
from healthcert.rules.sources.cwa import CoronaWarnApp, read_cwa_value_sets
from healthcert.rules.sources.dgcg import Dgcg
from healthcert.rules.sources.fr import French
from healthcert.rules.sources.it import Italian
from healthcert.rules.sources.service import Service
from healthcert.rules.valuesets import shipped
from tests.conftest import interop_folder
from tests.gateway.rules import RuleService
from tests.support import NOW
from tests.support_revocation import anchor
from tests.support_rule_lists import (
    archive,
    context,
    entry,
    gateway_parts,
    key_anchor,
    raw,
    service_parts,
    signing_key,
)

RULES = interop_folder() / "business-rules"
UNSIGNED = context(unsigned="yes")
pytestmark = pytest.mark.usefixtures("interop")


@cache
def load(path: str) -> Any:
    return json.loads((RULES / path).read_text("utf-8"))


def data(path: str) -> bytes:
    return (RULES / path).read_bytes()


@pytest.mark.parametrize(
    ("name", "types", "country", "national"),
    [
        ("nationalrules", {"Acceptance": 26}, "CH", {"ch"}),
        ("foreignRules_de", {"Acceptance": 12, "Invalidation": 1}, "DE", set()),
    ],
)
def test_swiss_documents(name: str, types: dict[str, int], country: str, national: set[str]) -> None:
    found = Swiss().load({"rules": data(f"ch/{name}.json")}, UNSIGNED)
    assert found.skipped == ()
    assert Counter(one.rule.type for one in found.rules) == types
    assert {one.rule.country for one in found.rules} == {country}
    assert (set(found.national), found.expires_at) == (national, NOW + timedelta(hours=48))
    sets = {one.value_set.id: len(one.value_set.codes) for one in found.value_sets}
    assert (len(sets), sets["country-2-codes"]) == (8, 250)


def test_italian_settings() -> None:
    found = Italian().load({"settings": data("it/settings.json")}, context())
    assert found.national == {"it": data("it/settings.json")}


def test_french_settings() -> None:
    found = French().load({"settings": data("fr-sanipasse/validity_data.json")}, context())
    assert found.national == {"fr": data("fr-sanipasse/validity_data.json")}


def test_the_value_sets_of_the_app() -> None:
    given = load("cwa/dcc-validation-rules-common-test-cases.json")["general"]["valueSetProtocolBuffer"]
    found = {one.id: one for one in read_cwa_value_sets(base64.b64decode(given))}
    assert {name: len(one.codes) for name, one in found.items()} == {
        "sct-vaccines-covid-19": 3,
        "vaccines-covid-19-names": 12,
        "vaccines-covid-19-auth-holders": 14,
        "disease-agent-targeted": 1,
        "covid-19-lab-test-type": 2,
        "covid-19-lab-test-manufacturer-and-name": 26,
        "covid-19-lab-result": 2,
    }
    # All but the devices are those of the official sets.
    for name, one in found.items():
        if name != "covid-19-lab-test-manufacturer-and-name":
            assert one.codes.keys() <= set(shipped().codes[name])


@pytest.mark.parametrize("path", ["cwa/dcc_booster_rules.json", "covpass/eu-booster-rules.json"])
def test_booster_rules_in_the_form_of_the_app(path: str) -> None:
    given = load(path)
    under = context(key_anchor("app"), list="booster")
    found = CoronaWarnApp().load({"list": archive(cbor2.dumps(given))}, under)
    assert found.skipped == ()
    assert [(one.rule.identifier, one.rule.logic) for one in found.rules] == [
        (rule["Identifier"], rule["Logic"]) for rule in given
    ]


@pytest.mark.parametrize(("path", "count"), [("covpass/eu-rules.json", 271), ("covpass/domestic-rules.json", 15)])
def test_every_rule_of_covpass_by_its_hash(path: str, count: int) -> None:
    given = RuleService([raw(rule) for rule in load(path)], key=signing_key())
    found = Service().load(service_parts(given), context(key_anchor()))
    assert (len(found.rules), found.skipped) == (count, ())
    assert [one.raw for one in found.rules] == given.rules


def test_every_rule_of_covpass_in_cbor() -> None:
    given = load("covpass/eu-rules.json")
    found = CoronaWarnApp().load({"list": archive(cbor2.dumps(given))}, context(key_anchor("app")))
    assert (len(found.rules), found.skipped) == (271, ())
    assert [one.rule.logic for one in found.rules] == [rule["Logic"] for rule in given]


@pytest.mark.parametrize("country", ["AT", "DE", "FR", "PL"])
def test_rules_of_a_country_through_the_gateway(country: str) -> None:
    files = sorted(Path(RULES / "testdata" / country).glob("*/rule.json"))
    listings: dict[str, list[Any]] = {}
    for file in files:
        rule = json.loads(file.read_text("utf-8"))
        listings.setdefault(rule["Identifier"], []).append(entry(rule))
    found = Dgcg().load(gateway_parts(**{country: listings}), context(anchor(country)))
    assert (len(found.rules), found.skipped, set(found.countries)) == (len(files), (), {country})
