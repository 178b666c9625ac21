"""What is known of documents that could not be used: whose they are, and no more of them than a list may have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.limits import Limits
from healthcert.rules.sources.bundle import Bundle
from healthcert.rules.sources.dgcg import Dgcg
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import refused
from tests.support_rule_lists import PINNED, context, gateway_parts, raw, rule, value_set

NAME = "disease-agent-targeted"


def one_skipped(document: bytes, limits: Limits | None = None, **said: Any) -> str | None:
    into = Gathering(limits or Limits())
    assert into.add_rule("a rule", document, **said) is None
    (skipped,) = into.finish().skipped
    return skipped.country


@pytest.mark.parametrize(
    ("document", "country"),
    [
        (b'{"Country": "FR"}', "FR"),
        (b'{"country": "fr"}', "FR"),
        (b'{"Identifier": "GR-FR-0001"}', "FR"),
        (b'{"Country": 7, "identifier": "IB2-DE-0001"}', "DE"),
        # Whatever one of the two is, nobody knows which one is meant.
        (b'{"Country": "FR", "Country": "AT"}', None),
        (b'{"Country": "FR", "country": "AT"}', None),
        (b'{"Country": "FR", "Country": "FR"}', "FR"),
        (b'{"Country": "\xc3\x9f"}', None),
        (b'[["Country", "FR"]]', None),
        (b"rubbish", None),
    ],
)
def test_whose_a_rule_is_that_cannot_be_read(document: bytes, country: str | None) -> None:
    assert one_skipped(document) == country
    assert one_skipped(document, near="IT") == (country or "IT")
    assert one_skipped(document, country="PL", near="IT") == "PL"


def test_whose_a_rule_is_that_is_too_long() -> None:
    long = raw(rule("DE", Description=[{"lang": "en", "desc": "x" * 70_000}]))
    assert one_skipped(long) == "DE"


def test_what_is_skipped_counts_as_well() -> None:
    """The entries of a list that cannot be used may be more than fit into memory."""
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        Bundle().load({"rules": b"[" + b"[]," * 20_000 + b"[]]"}, context())
    listings: dict[str, Any] = {one: {"R": [{}] * 9000} for one in ("DE", "FR", "IT")}
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        Dgcg().load(gateway_parts(**listings), PINNED)
    into = Gathering(Limits(rules=2))
    into.add_rule("one", b"")
    into.skip("two", refused("gone"), country="FR")
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        into.skip("three", refused("gone"), value_set=NAME)


@pytest.mark.parametrize("document", [b"rubbish", raw(value_set("another")), b'{"valueSetId": "another"}'])
def test_a_value_set_that_is_not_the_listed_one_is_missing_under_the_name_it_is_listed_by(document: bytes) -> None:
    into = Gathering(Limits())
    assert into.add_value_set("a set", document, name=NAME) is None
    found = into.finish()
    assert (found.value_sets, [(one.source, one.value_set) for one in found.skipped]) == ((), [("a set", NAME)])


@pytest.mark.parametrize("name", ["\x1b[2J", "two\nlines", "x" * 101, "\ud800"])
def test_a_value_set_whose_name_is_none(name: str) -> None:
    """It would stand in messages and on terminals."""
    into = Gathering(Limits())
    assert into.add_value_set("a set", json.dumps(value_set(name)).encode()) is None
    assert [(one.value_set, one.error.code) for one in into.finish().skipped] == [("", Code.RULE_LIST_UNREADABLE)]


def test_a_rule_that_says_it_is_a_value_set_is_a_rule() -> None:
    """Or it would be passed over as a value set, and its country would have a rule less that nobody misses."""
    found = Bundle().load(
        {"rules": raw([rule() | {"valueSetId": NAME}, rule(number=2, Logic=...) | {"valueSetId": "x"}])}, context()
    )
    assert [one.rule.identifier for one in found.rules] == ["GR-FR-0001"]
    assert [(one.country, one.value_set) for one in found.skipped] == [("FR", None)]
