"""Lists of rules of any content: nothing but the error of a list is raised, and nothing that is in one gets lost."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.limits import Limits
from healthcert.rules.feed import RuleFeed
from healthcert.rules.generation import Documents, Generation, Head, decode, digest_of, encode, make_documents
from healthcert.rules.rule import read_rule
from healthcert.rules.sources.bundle import Bundle
from healthcert.rules.sources.folder import Folder
from healthcert.rules.sources.protocol import Assurance, Context, RuleList
from healthcert.rules.store import RuleStore
from healthcert.rules.update import install_rules, recheck_rules
from tests.support import NOW
from tests.unit.rules.lists import rule_document, value_set

CONTEXT = Context((), NOW, Limits())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
COUNTRIES = st.sampled_from(["FR", "DE", "AT"])


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule, whole or with one member that is anything or not there."""
    document = rule_document(f"GR-{draw(COUNTRIES)}-{draw(st.integers(0, 3)):04}")
    document["Version"] = f"1.0.{draw(st.integers(0, 2))}"
    if draw(st.booleans()):
        document[draw(st.sampled_from(sorted(document)))] = draw(VALUES)
    if draw(st.booleans()):
        del document[draw(st.sampled_from(sorted(document)))]
    return document


@st.composite
def sets(draw: st.DrawFn) -> dict[str, Any]:
    document = value_set(draw(st.sampled_from(["a", "b"])), *draw(st.lists(st.text(max_size=5), max_size=3)))
    if draw(st.booleans()):
        document[draw(st.sampled_from(sorted(document)))] = draw(VALUES)
    return document


DOCUMENTS = rules() | sets() | VALUES


def load(documents: list[Any]) -> RuleList:
    return Bundle().load({"rules": json.dumps(documents).encode("utf-8", "replace")}, CONTEXT)


@given(st.lists(DOCUMENTS, max_size=8))
def test_every_document_is_used_or_skipped_and_each_rule_says_what_it_said(documents: list[Any]) -> None:
    found = load(documents)
    identities = {(one.rule.country, one.rule.identifier, one.rule.version_key) for one in found.rules}
    assert len(identities) == len(found.rules)
    numbers = [one.source for one in found.skipped]
    assert len(set(numbers)) == len(numbers)
    used = len(documents) - len(numbers)
    # What is there twice counts once.
    assert len(found.rules) + len(found.value_sets) <= used
    assert bool(found.rules or found.value_sets) is bool(used)
    for one in found.rules:
        assert read_rule(one.raw) == one.rule
        assert json.loads(one.raw) in documents


@given(st.binary(max_size=200) | st.lists(DOCUMENTS, max_size=3).map(lambda given: json.dumps(given).encode()))
def test_no_bytes_give_another_error(data: bytes) -> None:
    for source, name in ((Bundle(), "rules"), (Bundle(), "value-sets"), (Folder(), "FR/rule.json")):
        with suppress(RuleError):
            assert isinstance(source.load({name: data}, CONTEXT), RuleList)


@given(st.dictionaries(st.text(max_size=30), st.binary(max_size=50) | st.just(b"{}"), max_size=4))
def test_no_names_give_another_error(parts: dict[str, bytes]) -> None:
    assert Folder().load({f"{name}.json": data for name, data in parts.items()}, CONTEXT).rules == ()
    assert len(digest_of(parts)) == 32


HEAD = Head(source="a", format="bundle", assurance=Assurance.LOCAL, digest=b"", signed=(), fetched_at=NOW)


@given(st.lists(DOCUMENTS, max_size=8))
def test_what_is_kept_of_a_list_is_the_list(documents: list[Any]) -> None:
    found = load(documents)
    kept = decode(encode(make_documents(found)), Documents)
    generation = Generation(HEAD, kept, Limits())
    assert generation.rules == tuple(one.rule for one in found.rules)
    assert generation.value_sets == tuple(one.value_set for one in found.value_sets)
    assert [(one.source, one.error.code, one.error.detail, one.country) for one in generation.skipped] == [
        (one.source, one.error.code, one.error.detail, one.country) for one in found.skipped
    ]
    assert make_documents(found) == generation.documents
    skipped_rules = sum(one.value_set is None for one in found.skipped)
    assert sum(generation.unreadable.values()) == skipped_rules


@given(st.lists(rules(), min_size=1, max_size=4), st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_store_with_other_bytes_in_it_is_unreadable_or_says_so(documents: list[Any], data: st.DataObject) -> None:
    """One byte of what is kept is another one: the store is refused, is one of rules, or a second look finds it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.db"
        feed = RuleFeed(name="a", format="bundle")
        parts = {"rules": json.dumps([*documents, rule_document("GR-IT-0001")]).encode()}
        install_rules(RuleStore.open(path), feed, parts, clock=hc.FixedClock(NOW))
        before = RuleStore.open(path).book.rules
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        with suppress(RuleError):
            store = RuleStore.open(path)
            unnoticed = all(change.unchanged for change in recheck_rules(store))
            assert not store.lists or not unnoticed or store.book.rules == before
