"""The lists of the Corona-Warn-App: archive, signature, rules in CBOR, configurations that are not evaluated."""

from __future__ import annotations

import hashlib
from typing import Any

import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules.rule import read_rule
from healthcert.rules.sources.cwa import CoronaWarnApp
from healthcert.rules.sources.protocol import Assurance, Known
from tests.support_lists import spoiled
from tests.support_rule_lists import (
    app_value_sets,
    archive,
    check_no_more,
    context,
    field,
    identities,
    key_anchor,
    loaded,
    refusal,
    rule,
    signing_key,
    skipped,
)
from tests.unit.trust.sources.world import Table, answer, damaged, flips

SOURCE = CoronaWarnApp()
PINNED = context(key_anchor("app"))
UNSIGNED = context(unsigned="yes")
RULES = cbor2.dumps([rule("DE"), rule(number=2)])
SETS = app_value_sets({1: [("1119349007", "mRNA-Impfstoff")], 4: [("840539006", "COVID-19")]})
CONFIGURATION: dict[str, Any] = {
    "Identifier": "CCL-DE-0001",
    "Type": "CCLConfiguration",
    "Country": "DE",
    "Version": "3.3.0",
    "SchemaVersion": "1.0.0",
    "Engine": "JsonFunctions",
    "EngineVersion": "1.0.0",
    "ValidFrom": "2021-10-07T00:00:00Z",
    "ValidTo": "2030-06-01T00:00:00Z",
    "Logic": {"JfnDescriptors": [{"name": "getDccWalletInfo", "definition": {"logic": [{"return": [True]}]}}]},
}


def parts(content: bytes, **how: Any) -> dict[str, bytes]:
    return {"list": archive(content, **how)}


def unsigned(*items: Any) -> Any:
    return SOURCE.load({"list": cbor2.dumps(list(items))}, UNSIGNED)


# --- The signature ---


def test_a_signed_list() -> None:
    found = SOURCE.load(parts(RULES), PINNED)
    assert identities(found) == [("GR-DE-0001", "1.0.0"), ("GR-FR-0002", "1.0.0")]
    assert (found.assurance, found.signer, found.skipped) == (Assurance.SIGNED_LIST, PINNED.anchors[0], ())
    assert found.signed == (hashlib.sha256(RULES).digest(),)
    assert found.countries == frozenset()
    first = found.rules[0]
    assert (read_rule(first.raw), first.rule.logic) == (first.rule, rule("DE")["Logic"])


SIGNATURE = signing_key("app").sign(RULES, ec.ECDSA(hashes.SHA256()))


def test_the_two_files_of_an_archive() -> None:
    made = field(1, field(4, SIGNATURE))
    found = SOURCE.load({"list": RULES, "signature": made}, PINNED)
    assert found.signed == (hashlib.sha256(RULES).digest(),)
    assert refusal(SOURCE, {"list": RULES, "signature": b""}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"
    assert refusal(SOURCE, {"list": RULES, "signature": b"\x07"}, PINNED) == "RULE_LIST_UNREADABLE"
    assert refusal(SOURCE, {"list": RULES}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"
    assert refusal(SOURCE, {}, PINNED) == "RULE_LIST_UNREADABLE"


def test_any_bit_of_the_content_matters() -> None:
    assert len(SOURCE.load(parts(RULES, signature=SIGNATURE), PINNED).rules) == 2
    for number, changed in enumerate(flips(RULES)):
        if number % 5 == 0:
            assert refusal(SOURCE, parts(changed, signature=SIGNATURE), PINNED) == "TRUST_LIST_NOT_AUTHENTIC"


def test_a_list_that_another_key_signed() -> None:
    assert refusal(SOURCE, parts(RULES, name="other"), PINNED) == "TRUST_LIST_NOT_AUTHENTIC"
    assert SOURCE.load(parts(RULES), context(key_anchor("other"), key_anchor("app"))).signer == key_anchor("app")


def test_unsigned_lists_are_taken_only_when_that_is_asked_for() -> None:
    assert refusal(SOURCE, {"list": RULES}, context()) == "TRUST_ANCHOR_MISSING"
    assert refusal(SOURCE, {"list": RULES}, context(unsigned="no")) == "TRUST_ANCHOR_MISSING"
    for given_ in ({"list": RULES}, parts(RULES, name="anybody")):
        found = SOURCE.load(given_, UNSIGNED)
        assert (len(found.rules), found.assurance, found.signer) == (2, Assurance.TLS_ONLY, None)
        assert found.signed == ()


def test_with_an_anchor_nobody_can_leave_the_signature_out() -> None:
    both = context(key_anchor("app"), unsigned="yes")
    assert refusal(SOURCE, {"list": RULES}, both) == "TRUST_LIST_NOT_AUTHENTIC"


@pytest.mark.parametrize("data", [archive(RULES)[:200], b"PK\3\4", b"PK\3\4" + b"PK\1\2" * 20])
def test_a_damaged_archive(data: bytes) -> None:
    assert refusal(SOURCE, {"list": data}, PINNED) == "RULE_LIST_UNREADABLE"


def test_an_archive_is_read_within_bounds() -> None:
    small = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=len(RULES) - 1)
    assert refusal(SOURCE, parts(RULES), context(key_anchor("app"), limits=small)) == "RULE_LIST_UNREADABLE"


# --- Which list it is ---


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("acceptance", [rule()]),
        ("invalidation", [rule(Identifier="IR-FR-0001", Type="Invalidation")]),
        ("booster", [rule("DE", Identifier="BNR-DE-1000", Type="BoosterNotification")]),
        ("ccl", [CONFIGURATION]),
    ],
)
def test_the_option_says_which_list_is_meant(name: str, content: list[Any]) -> None:
    own = context(key_anchor("app"), list=name)
    assert len(SOURCE.load(parts(cbor2.dumps(content)), own).rules) == 1
    for other in {"acceptance", "invalidation", "booster", "ccl", "value-sets"} - {name}:
        under = context(key_anchor("app"), list=other)
        assert refusal(SOURCE, parts(cbor2.dumps(content)), under) == "RULE_LIST_UNREADABLE"
    assert refusal(SOURCE, parts(SETS), own) == "RULE_LIST_UNREADABLE"
    assert len(SOURCE.load(parts(SETS), context(key_anchor("app"), list="value-sets")).value_sets) == 2


def test_a_list_with_one_of_another_type_is_not_the_one_that_is_meant() -> None:
    mixed = parts(cbor2.dumps([rule(), rule(Identifier="IR-FR-0001", Type="Invalidation")]))
    assert refusal(SOURCE, mixed, context(key_anchor("app"), list="acceptance")) == "RULE_LIST_UNREADABLE"
    assert len(SOURCE.load(mixed, PINNED).rules) == 2


def test_a_rule_without_a_type_is_skipped_and_does_no_harm_to_the_list_that_is_meant() -> None:
    given_ = parts(cbor2.dumps([rule(), rule("AT", Type=...), None]))
    found = SOURCE.load(given_, context(key_anchor("app"), list="acceptance"))
    assert (identities(found), [one.country for one in found.skipped]) == ([("GR-FR-0001", "1.0.0")], ["AT", None])


@pytest.mark.parametrize(
    "options", [{"list": "rules"}, {"list": ""}, {"language": "German"}, {"language": ""}, {"language": "\n"}]
)
def test_options_that_are_none(options: dict[str, Any]) -> None:
    assert refusal(SOURCE, parts(RULES), context(key_anchor("app"), **options)) == "RULE_CONFIG_INVALID"


# --- Rules ---


@pytest.mark.parametrize(
    ("item", "country"),
    [
        (rule(Logic=b"bytes"), "FR"),
        (rule(Logic={"===": [cbor2.CBORTag(0, "2021-01-01T00:00:00Z"), 1]}), "FR"),
        (rule(Logic={1: [True]}), "FR"),
        (rule(Logic={"if": [cbor2.undefined]}), "FR"),
        (rule(Logic={"if": [float("nan")]}), "FR"),
        (rule(Logic={"if": [float("inf")]}), "FR"),
        (rule(ValidFrom=cbor2.CBORTag(0, "2021-01-01T00:00:00Z")), "FR"),
        (rule(Country=["FR"], Logic=b""), "FR"),
        (rule(Version="1"), "FR"),
        (rule(Identifier=...), "FR"),
        ({b"Type": "Acceptance"}, None),
        ([], None),
        ("text", None),
        (None, None),
        (CONFIGURATION | {"Engine": "CERTLOGIC"}, "DE"),
        (CONFIGURATION | {"Logic": {"if": [True, True, True]}}, "DE"),
        (CONFIGURATION | {"Version": "latest"}, "DE"),
    ],
)
def test_a_rule_that_is_none_is_skipped(item: Any, country: str | None) -> None:
    found = unsigned(rule("AT"), item)
    assert identities(found) == [("GR-AT-0001", "1.0.0")]
    assert skipped(found) == [("rule 2", country, None, "RULE_INVALID")]
    assert found.skipped[0].error.detail.isprintable()


def test_numbers_and_texts_are_those_of_json() -> None:
    logic = {"if": [{"===": [{"var": "ü\U0001f600"}, 2**53]}, True, {"in": ["a", ["a", 1.0, None]]}]}
    (found,) = unsigned(rule(Logic=logic)).rules
    assert (found.rule.logic, read_rule(found.raw)) == (logic, found.rule)


def test_a_rule_longer_than_any_is_skipped() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rule_bytes=900)
    found = SOURCE.load(parts(cbor2.dumps([rule(AffectedFields=["x" * 900])])), context(key_anchor("app"), limits=few))
    assert skipped(found) == [("rule 1", "FR", None, "INPUT_TOO_LONG")]


def nested(depth: int) -> Any:
    logic: Any = True
    for _ in range(depth):
        logic = {"!": [logic]}
    return logic


def test_rules_are_nested_within_bounds() -> None:
    assert len(unsigned(rule(Logic=nested(60))).rules) == 1
    (deep,) = unsigned(rule(Logic=nested(120))).rules
    with pytest.raises(RuleError) as caught:
        _ = deep.rule.program
    assert caught.value.code == "CERTLOGIC_LIMIT"
    assert refusal(SOURCE, {"list": cbor2.dumps([rule(Logic=nested(150))])}, UNSIGNED) == "RULE_LIST_UNREADABLE"
    assert refusal(SOURCE, {"list": b"\x81" * 100_000}, UNSIGNED) == "RULE_LIST_UNREADABLE"


@pytest.mark.parametrize("data", [b"\x80\x80", b"\x81", b"\x9f", b"\x9b" + b"\xff" * 8, b"\x81\xa2\x61a\x01\x61a\x02"])
def test_a_list_that_is_no_cbor(data: bytes) -> None:
    assert refusal(SOURCE, {"list": data}, UNSIGNED) == "RULE_LIST_UNREADABLE"


def test_a_list_without_rules_is_one() -> None:
    assert SOURCE.load(parts(b"\x80"), PINNED).rules == ()


def test_too_many_rules_are_refused() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rules=2)
    assert len(SOURCE.load(parts(RULES), context(key_anchor("app"), limits=few)).rules) == 2
    fewer = msgspec.structs.replace(DEFAULT_LIMITS, rules=1)
    assert refusal(SOURCE, parts(RULES), context(key_anchor("app"), limits=fewer)) == "INPUT_TOO_LONG"


# --- CCL ---


def test_a_configuration_is_kept_and_not_evaluated() -> None:
    (found,) = unsigned(CONFIGURATION).rules
    rule_ = found.rule
    assert (rule_.identifier, rule_.type, rule_.country) == ("CCL-DE-0001", "CCLConfiguration", "DE")
    assert (rule_.engine, rule_.engine_version, rule_.version) == ("JsonFunctions", "1.0.0", "3.3.0")
    assert rule_.logic == {"JfnDescriptors": [{"name": "getDccWalletInfo"}]}
    assert read_rule(found.raw) == rule_
    with pytest.raises(RuleError):
        _ = rule_.program


def test_a_configuration_may_be_larger_than_any_rule() -> None:
    function = {"name": "large", "definition": {"logic": ["x" * 100_000]}}
    (found,) = unsigned(CONFIGURATION | {"Logic": {"JfnDescriptors": [function]}}).rules
    assert len(found.raw) < 1000


# --- Fetching ---

URL = "https://app.example/version/v1/ehn-dgc/acceptance-rules"


def test_the_archive_is_fetched_once() -> None:
    server = Table({URL: answer(archive(RULES), etag='"1"')})
    fetched = SOURCE.fetch(server, URL, Known(), PINNED)
    assert fetched is not None
    assert len(SOURCE.load(fetched.parts, PINNED).rules) == 2
    assert SOURCE.fetch(server, URL, Known(fetched.parts, fetched.validators), PINNED) is None


# --- Bad luck, and bad will ---

GOOD = SOURCE.load({"list": RULES}, UNSIGNED)


@given(st.data())
def test_whatever_a_list_holds(data: st.DataObject) -> None:
    items = data.draw(spoiled([rule("DE"), rule(number=2), CONFIGURATION]))
    try:
        content = cbor2.dumps(items)
    except (cbor2.CBORError, ValueError):
        return
    loaded(SOURCE, {"list": content}, UNSIGNED)


@given(damaged(RULES, SETS))
def test_whatever_bytes_come(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, UNSIGNED)


@given(damaged(archive(RULES)))
def test_whatever_archive_comes(data: bytes) -> None:
    check_no_more(GOOD, loaded(SOURCE, {"list": data}, PINNED))
