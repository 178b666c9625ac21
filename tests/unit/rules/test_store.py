"""The store of rules: what it keeps, what it makes of several lists, and which files it is not to be fooled by."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.limits import Limits
from healthcert.rules.book import RuleBook
from healthcert.rules.feed import RuleFeed
from healthcert.rules.generation import Generation, encode
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.sources.protocol import Assurance
from healthcert.rules.store import RuleStore
from healthcert.rules.subject import RuleSubject
from healthcert.rules.update import install_rules, remove_rules
from healthcert.rules.valuesets import shipped_for_rules
from tests.support import DAY, NOW, PAYLOAD
from tests.support_revocation import anchor as country_anchor
from tests.support_rule_lists import gateway_parts, raw
from tests.unit.rules.lists import (
    FAILS,
    anchor,
    feed,
    list_of,
    rule_document,
    rules_of,
    serving,
    source,
    update,
    value_set,
)

pytestmark = pytest.mark.usefixtures("_signed_lists")
FRENCH = rules_of(FR=4)


def put(store: RuleStore, parts: Mapping[str, bytes], at: Any = NOW, **changes: Any) -> None:
    limits = changes.pop("limits", Limits())
    install_rules(store, feed(**changes), parts, clock=hc.FixedClock(at), limits=limits)


def outcome(book: RuleBook, country: str = "FR") -> RulingOutcome:
    subject = RuleSubject(payload=PAYLOAD, issuer="FR", kid=None, issued_at=None, expires_at=None)
    return book.judge(subject, country=country, at=NOW).outcome


# --- What is kept ---


def test_an_empty_store() -> None:
    store = RuleStore()
    assert (store.book.rules, store.lists, store.environment, store.path, store.conflicts) == ((), (), None, None, ())
    assert store.book.value_sets == shipped_for_rules()
    assert store.coverage("FR") == ()
    store.reload()


def test_a_file_keeps_all_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    documents = (*FRENCH, rule_document("GR-DE-0001", Logic=None), value_set("set"))
    put(RuleStore.open(path), list_of(*documents, at=NOW, national={"it": "[]"}, countries=["IT"]))
    store = RuleStore.open(path)
    assert (store.path, store.environment) == (path, "production")
    assert [(rule.identifier, rule.logic) for rule in store.book.rules] == [
        (document["Identifier"], document["Logic"]) for document in FRENCH
    ]
    assert all(rule.digest is not None for rule in store.book.rules)
    assert store.book.value_sets.codes["set"] == ["840539006"]
    assert store.book.unreadable == {"DE": 1}
    (head,) = store.lists
    assert (head.source, head.format, head.counter) == ("signed", "signed", int(NOW.timestamp()))
    assert (head.issued_at, head.fetched_at, head.best_before) == (NOW, NOW, NOW + 2 * DAY)
    generation = store.state.lists["signed"]
    assert generation.countries == {"FR", "DE", "IT"}
    assert generation.documents.national == {"it": b"[]"}
    assert store.book is store.book


def test_a_reload_takes_in_what_others_wrote_and_the_book_before_stays_as_it_was(tmp_path: Path) -> None:
    store, other = RuleStore.open(tmp_path / "rules.db"), RuleStore.open(tmp_path / "rules.db")
    before = store.book
    put(other, list_of(*FRENCH))
    assert store.book is before
    store.reload()
    assert len(store.book.rules) == 4
    assert before.rules == ()


def test_what_was_told_of_a_country_is_told_anew_after_a_reload(tmp_path: Path) -> None:
    store, other = RuleStore.open(tmp_path / "rules.db"), RuleStore.open(tmp_path / "rules.db")
    put(other, list_of(*FRENCH, national={"it": "[]"}))
    assert (store.coverage("FR"), store.national("it"), store.national_coverage("it")) == ((), None, ())
    store.reload()
    assert [len(store.coverage("FR")), len(store.national_coverage("it"))] == [1, 1]
    assert store.national("it") is not None
    remove_rules(other, "signed")
    store.reload()
    assert (store.coverage("FR"), store.national("it"), store.national_coverage("it")) == ((), None, ())


def test_a_reload_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    store = RuleStore.open(path)
    put(store, list_of(*FRENCH))
    path.write_bytes(b"rubbish")
    with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
        store.reload()
    assert len(store.book.rules) == 4


def test_a_list_that_is_longer_than_it_says_itself_and_one_without_an_end() -> None:
    store = RuleStore()
    put(store, list_of(*FRENCH, at=NOW, expires_at=(NOW + DAY).isoformat()), name="ends")
    put(store, list_of(*FRENCH), name="never", max_age=None)
    put(store, list_of(*FRENCH, expires_at=(NOW + 9 * DAY).isoformat()), name="ages")
    assert [head.best_before for head in store.lists] == [NOW + 2 * DAY, NOW + DAY, None]


# --- Who speaks for a country ---


def test_the_lists_that_speak_for_a_country_and_until_when() -> None:
    store = RuleStore()
    put(store, list_of(*FRENCH, rule_document("IR-FR-0001"), rule_document("GR-DE-0001", Logic=None)), name="rules")
    put(store, list_of(value_set(), signed=False, countries=["FR", "IT"]), name="names", max_age=timedelta(hours=1))
    put(store, list_of(value_set()), name="sets")
    end, both = NOW + 2 * DAY, ("Acceptance", "Invalidation")
    for at, country, expected in (
        (NOW, "FR", [("names", False, False, ()), ("rules", True, False, both)]),
        (end, "fr", [("names", False, True, ()), ("rules", True, False, both)]),
        (end + timedelta(seconds=1), "FR", [("names", False, True, ()), ("rules", True, True, both)]),
        (NOW, "IT", [("names", False, False, ())]),
        (NOW, "DE", [("rules", True, False, ())]),
        (NOW, "AT", []),
        (NOW, "*", []),
    ):
        found = store.coverage(country)
        assert [(one.source, one.signed, one.is_overdue(at), one.types) for one in found] == expected
    (rules,) = store.coverage("DE")
    assert (rules.format, rules.fetched_at, rules.fresh_until) == ("signed", NOW, end)


# --- Several lists as one ---


SIGNED, GIVEN, FETCHED = Assurance.SIGNED_LIST, Assurance.LOCAL, Assurance.TLS_ONLY


def known_as(store: RuleStore, name: str, assurance: Assurance, *documents: Any) -> None:
    """Takes in a list that is signed, given by the operator, or fetched from a server."""
    parts = list_of(*documents, signed=assurance is SIGNED)
    if assurance is FETCHED:
        (change,) = update(store, serving(parts, name), source(name))
        assert change.error is None
    else:
        put(store, parts, name=name)


@pytest.mark.parametrize(
    ("one", "two", "used"),
    [
        (("a", SIGNED), ("b", SIGNED), "a"),
        (("b", SIGNED), ("a", SIGNED), "a"),
        (("a", FETCHED), ("b", SIGNED), "b"),
        (("a", FETCHED), ("b", GIVEN), "b"),
        (("a", GIVEN), ("b", SIGNED), "a"),
        (("a", FETCHED), ("b", FETCHED), "a"),
    ],
)
def test_of_two_rules_of_one_version_that_of_the_surer_list_counts_and_it_is_told(
    one: tuple[str, Assurance], two: tuple[str, Assurance], used: str
) -> None:
    store = RuleStore()
    for name, assurance in (one, two):
        known_as(store, name, assurance, rule_document(Logic={"var": name}))
    (rule,) = store.book.rules
    assert rule.logic == {"var": used}
    (conflict,) = store.conflicts
    assert (conflict.identifier, conflict.version, conflict.country) == ("GR-FR-0001", "1.0.0", "FR")
    assert (conflict.used, conflict.other) == (used, ({"a", "b"} - {used}).pop())


def test_a_list_that_is_not_sure_enough_has_no_say_on_a_rule_that_is_on_another() -> None:
    """Somebody who can write an unsigned list must not be able to make pass what a signed rule refuses."""
    store = RuleStore()
    known_as(store, "a", FETCHED, rule_document(Version="1.0.1"), rule_document("GR-FR-0002"))
    assert outcome(store.book) is RulingOutcome.PASSED
    known_as(store, "b", SIGNED, rule_document(Logic=FAILS))
    assert outcome(store.book) is RulingOutcome.FAIL
    assert [(one.version, one.used, one.other) for one in store.conflicts] == [("1.0.1", "b", "a")]
    # What it has besides counts, and so does what another signed list has.
    assert [rule.identifier for rule in store.book.rules] == ["GR-FR-0001", "GR-FR-0002"]
    known_as(store, "c", SIGNED, rule_document(Version="1.0.2"))
    assert outcome(store.book) is RulingOutcome.PASSED


@pytest.mark.parametrize(
    ("change", "conflicts", "rules"),
    [
        ({}, 0, 1),
        ({"hash": "0"}, 0, 1),  # other bytes, the same rule
        ({"Version": "1.0.00"}, 1, 1),
        ({"Version": "1.0.1"}, 0, 2),
        ({"Country": "DE"}, 0, 2),
        ({"Logic": {"if": [True, 1, False]}}, 1, 1),  # what is not the same to JSON, whatever Python says
    ],
)
def test_the_same_rule_of_two_sources_is_one(change: dict[str, Any], conflicts: int, rules: int) -> None:
    store = RuleStore()
    put(store, list_of(rule_document()), name="one")
    put(store, list_of(rule_document(**change)), name="two")
    assert (len(store.conflicts), len(store.book.rules)) == (conflicts, rules)


def test_rules_that_are_nested_deep_do_not_keep_a_store_from_opening(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    for name, end in (("one", 1), ("two", True)):
        logic: Any = end
        for _ in range(400):
            logic = {"!": [logic]}
        put(RuleStore.open(path), list_of(rule_document(Logic=logic)), name=name)
    put(RuleStore.open(path), list_of(*rules_of(AT=1)), name="other")
    store = RuleStore.open(path)
    assert len(store.conflicts) == 1
    assert (outcome(store.book), outcome(store.book, "AT")) == (RulingOutcome.OPEN, RulingOutcome.PASSED)


@pytest.mark.parametrize(
    ("documents", "expected", "unreadable"),
    [
        ([rule_document()], RulingOutcome.PASSED, {}),
        ([rule_document(), rule_document()], RulingOutcome.PASSED, {}),
        ([rule_document(), rule_document(Logic=FAILS)], RulingOutcome.OPEN, {"FR": 1}),
        ([rule_document(), rule_document("GR-FR-0002", Logic=None)], RulingOutcome.OPEN, {"FR": 1}),
        ([rule_document(Logic=FAILS), rule_document("GR-FR-0002", Logic=None)], RulingOutcome.FAIL, {"FR": 1}),
        ([rule_document(), rule_document("GR-DE-0002", Logic=None)], RulingOutcome.PASSED, {"DE": 1}),
        ([rule_document(), rule_document("GR-FR-0002", Country="france")], RulingOutcome.OPEN, {"FR": 1}),
        ([rule_document(), {"Identifier": "none"}], RulingOutcome.OPEN, {"*": 1}),
    ],
)
def test_where_a_rule_could_not_be_read_nothing_passes(
    documents: list[Any], expected: RulingOutcome, unreadable: dict[str, int]
) -> None:
    store = RuleStore()
    put(store, list_of(*documents))
    put(store, list_of(*rules_of(AT=1)), name="other")
    assert (outcome(store.book), store.book.unreadable) == (expected, unreadable)


def test_the_newer_value_set_counts_and_of_two_of_one_date_that_of_the_surer_list() -> None:
    store = RuleStore()
    name = "disease-agent-targeted"
    known_as(store, "old", SIGNED, value_set("other", date="2020-01-01"))
    known_as(store, "fetched", FETCHED, value_set(name, "old", date="2020-01-01"))
    assert store.book.value_sets.codes[name] == ["840539006"]
    known_as(store, "fetched", FETCHED, value_set(name, "old", "fetched"))
    assert store.book.value_sets.codes[name] == ["fetched", "old"]
    known_as(store, "signed", SIGNED, value_set(name, "signed"))
    assert store.book.value_sets.codes[name] == ["signed"]
    known_as(store, "fetched", FETCHED, value_set(name, "old", "fetched", date="2029-01-01"))
    assert store.book.value_sets.codes[name] == ["signed"]
    known_as(store, "given", GIVEN, value_set(name, "given"))
    assert store.book.value_sets.codes[name] == ["given"]
    known_as(store, "zealous", SIGNED, value_set(name, "newer", date="2021-05-01"))
    assert store.book.value_sets.codes[name] == ["newer"]


def test_a_value_set_that_could_not_be_read_is_none_rather_than_an_old_one() -> None:
    store = RuleStore()
    broken = {**value_set("disease-agent-targeted"), "valueSetValues": 1}
    put(store, list_of(*FRENCH, broken))
    assert "disease-agent-targeted" not in store.book.value_sets.codes
    assert "covid-19-lab-result" in store.book.value_sets.codes
    assert (store.book.unreadable, outcome(store.book)) == ({}, RulingOutcome.PASSED)
    put(store, list_of(value_set("disease-agent-targeted")), name="other")
    assert store.book.value_sets.codes["disease-agent-targeted"] == ["840539006"]


def test_rules_that_became_unreadable_are_as_if_they_had_been(tmp_path: Path) -> None:
    """Within narrower limits, or to another release, there is a rule less, and the store says so."""
    put(RuleStore.open(tmp_path / "rules.db"), list_of(*FRENCH, rule_document("GR-FR-0009", more="x" * 1000)))
    store = RuleStore.open(tmp_path / "rules.db", limits=Limits(rule_bytes=900))
    assert len(store.book.rules) == 4
    assert sum(store.book.unreadable.values()) == 1
    assert outcome(store.book) is RulingOutcome.OPEN


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        # Nobody can tell which is newer: what either has was good in its day.
        ([("app", SIGNED, ["new"], "")], (["840539006", "new"], "")),
        ([("app", FETCHED, ["new"], "")], (["840539006", "new"], "")),
        ([("app", SIGNED, ["new"], ""), ("eu", SIGNED, ["dated"], "2021-05-01")], (["dated"], "2021-05-01")),
        ([("app", SIGNED, ["new"], ""), ("eu", SIGNED, ["old"], "2020-05-01")], (["840539006"], "2021-04-27")),
        ([("app", SIGNED, ["new"], ""), ("eu", FETCHED, ["dated"], "2021-05-01")], (["840539006", "new"], "")),
        ([("a", SIGNED, ["one"], ""), ("b", SIGNED, ["two"], "")], (["840539006", "one"], "")),
    ],
)
def test_a_value_set_without_a_date(lists: list[Any], expected: tuple[list[str], str]) -> None:
    store = RuleStore()
    name = "disease-agent-targeted"
    for source_name, assurance, codes, date in lists:
        known_as(store, source_name, assurance, value_set(name, *codes, date=date))
    sets = store.book.value_sets
    assert (sets.codes[name], sets.dates[name]) == expected
    # What is known of a code besides is not lost.
    known = sets.get(name)
    assert known is not None
    shipped = shipped_for_rules().get(name)
    assert shipped is not None
    if "840539006" in known.codes:
        assert known.codes["840539006"] == shipped.codes["840539006"]


def test_devices_of_a_list_without_a_date() -> None:
    """Of these there is but an example in this library, which no rule goes by."""
    store = RuleStore()
    name = "covid-19-lab-test-manufacturer-and-name"
    known_as(store, "app", SIGNED, value_set(name, "1833", date=""))
    assert store.book.value_sets.codes[name] == ["1833"]


def test_value_sets_beside_signed_rules_are_not_signed() -> None:
    store = RuleStore()
    name = "disease-agent-targeted"
    parts = gateway_parts(FR={}) | {
        "valuesets": raw([name]),
        f"valuesets/{name}": raw(value_set(name, "forged", date="2029-01-01")),
    }
    install_rules(
        store, RuleFeed(name="eu", format="dgcg", anchors=(country_anchor("FR"),)), parts, clock=hc.FixedClock(NOW)
    )
    assert store.book.value_sets.codes[name] == ["forged"]
    known_as(store, "signed", SIGNED, value_set(name, "true"))
    assert store.book.value_sets.codes[name] == ["true"]


# --- National rules ---


def test_national_rules_are_those_of_the_list_that_is_believed_most() -> None:
    store = RuleStore()
    settings = [{"name": "vaccine_end_day_complete", "type": "EU/1/20/1528", "value": "180"}]
    assert (store.national("it"), store.national_coverage("it")) == (None, ())
    update(store, serving(list_of(national={"it": "[]"}, signed=False), "fetched"), source("fetched"))
    assert [(one.source, one.signed) for one in store.national_coverage("it")] == [("fetched", False)]
    put(store, list_of(national={"it": json.dumps(settings)}), name="signed")
    found = store.national("it")
    assert found is not None
    assert found.name == "it"
    assert store.national("it") is found
    (coverage,) = store.national_coverage("it")
    assert (coverage.source, coverage.signed, coverage.is_overdue(NOW + 3 * DAY), coverage.types) == (
        "signed",
        True,
        True,
        (),
    )
    assert store.national("none") is None


def test_national_rules_that_became_unreadable() -> None:
    store = RuleStore()
    put(store, list_of(national={"it": "[]"}))
    with store.transaction() as change:
        kept = change.state.lists["signed"]
        documents = replace(kept.documents, national={"it": b"rubbish"})
        change.put(Generation(kept.head, documents, Limits()), {})
    for _ in range(2):
        with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE"):
            store.national("it")


def test_names_that_no_rules_have_are_not_kept() -> None:
    store = RuleStore()
    for number in range(5000):
        assert store.national(f"none {number}") is None
        assert store.coverage(f"none {number}") == ()
    assert (len(store._view.national), len(store._view._covering)) == (0, 0)
    assert (store.coverage("fr"), set(store._view._covering)) == ((), {"FR"})
    put(store, list_of(*FRENCH))
    assert store.coverage("fr") is store.coverage("FR") != ()


def test_national_rules_that_are_made_of_rules_are_those_of_all_lists() -> None:
    store = RuleStore()
    put(store, list_of(*FRENCH), name="eu")
    assert (store.national("booster"), store.national_coverage("booster")) == (None, ())
    booster = rule_document("BNR-DE-0001", Type="BoosterNotification")
    put(store, list_of(booster, rule_document("GR-DE-0001", Logic=None)), name="booster")
    found = store.national("booster")
    assert found is not None
    assert found.name == "booster"
    (coverage,) = store.national_coverage("booster")
    assert (coverage.source, coverage.types) == ("booster", ("BoosterNotification",))
    assert outcome(store.book, "DE") is RulingOutcome.OPEN


def test_what_is_asked_of_arrivals_is_not_asked_of_those_who_live_there() -> None:
    store = RuleStore()
    mask = rule_document("MA-DE-0001", Type="Mask")
    put(store, list_of(mask), name="domestic")
    subject = RuleSubject(payload=PAYLOAD, issuer="FR")
    options: dict[str, str] = {"status": "Mask"}

    def assessed() -> RulingOutcome:
        found = store.national("de-domestic")
        assert found is not None
        return found.assess([subject], NOW, options=options).outcome

    assert assessed() is RulingOutcome.PASSED
    put(store, list_of(rule_document("GR-DE-0001", Logic=FAILS)), name="entry")
    assert assessed() is RulingOutcome.PASSED
    # What its issuer declared invalid is so everywhere, whatever list says it.
    put(store, list_of(rule_document("IR-FR-0001", Type="Invalidation", Logic=FAILS)), name="issuers")
    assert assessed() is not RulingOutcome.PASSED


# --- Plain files ---


def test_a_file_or_folder_of_rules_is_a_store_in_memory(tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text(json.dumps(FRENCH))
    folder = tmp_path / "rules"
    for document in FRENCH:
        (folder / "FR" / document["Identifier"]).mkdir(parents=True)
        (folder / "FR" / document["Identifier"] / "rule.json").write_text(json.dumps(document))
    (folder / "set.json").write_text(json.dumps(value_set("set")))
    for path in (tmp_path / "rules.json", folder):
        store = RuleStore.from_path(path)
        assert (len(store.book.rules), store.path, store.environment) == (4, None, None)
        (found,) = store.coverage("FR")
        assert (found.signed, found.fetched_at, found.fresh_until, found.is_overdue(NOW + 9999 * DAY)) == (
            False,
            None,
            None,
            False,
        )
    assert "set" in RuleStore.from_path(folder).book.value_sets.codes


def test_a_store_s_file_is_opened(tmp_path: Path) -> None:
    put(RuleStore.open(tmp_path / "rules.db"), list_of(*FRENCH))
    store = RuleStore.from_path(tmp_path / "rules.db")
    assert (store.path, len(store.book.rules)) == (tmp_path / "rules.db", 4)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "RULE_STORE_UNREADABLE"),
        (b"", "RULE_LIST_UNREADABLE"),
        (b"[]", "RULE_LIST_UNREADABLE"),
        (b"[{}]", "RULE_LIST_UNREADABLE"),
        (b"\xff\xfe", "RULE_LIST_UNREADABLE"),
        (b"[" * 100_000, "RULE_LIST_UNREADABLE"),
        (b" " * 2001, "INPUT_TOO_LONG"),
        ({}, "RULE_LIST_UNREADABLE"),
        ({"a.json": b"{}"}, "RULE_LIST_UNREADABLE"),
        ({"a.json": b" " * 1500, "b.json": b" " * 1500}, "INPUT_TOO_LONG"),
    ],
)
def test_what_holds_no_rules_is_refused(tmp_path: Path, content: Any, code: str) -> None:
    path = tmp_path / "rules"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
        for name, data in content.items():
            (path / name).write_bytes(data)
    limits = Limits() if isinstance(content, bytes) and len(content) > 9999 else Limits(list_bytes=2000)
    with pytest.raises(RuleError) as caught:
        RuleStore.from_path(path, limits=limits)
    assert caught.value.code == code


def test_paths_that_are_none() -> None:
    for path in ("\0", "x" * 5000):
        with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
            RuleStore.from_path(path)


# --- Files that somebody else made ---


def _made(path: Path) -> sqlite3.Connection:
    put(RuleStore.open(path), list_of(*FRENCH))
    return sqlite3.connect(path)


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA application_id = 0",
        "PRAGMA user_version = 99",
        "CREATE TABLE more (x)",
        "DROP TABLE memories",
        "CREATE VIEW v AS SELECT * FROM lists",
        "CREATE TRIGGER t AFTER INSERT ON lists BEGIN DELETE FROM memories; END",
        "UPDATE lists SET source = 'another'",
        "UPDATE lists SET head = x'c1'",
        "UPDATE lists SET head = 'text'",
        "UPDATE lists SET documents = x'90'",
        "UPDATE memories SET memory = x'93'",
        "UPDATE settings SET value = 'nowhere'",
    ],
)
def test_a_store_with_anything_else_in_it_is_not_used(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "rules.db"
    with closing(_made(path)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
        RuleStore.open(path)


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(b"rubbish"), lambda path: path.mkdir()])
def test_other_files_are_not_taken_for_a_store(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / "rules.db"
    write(path)
    with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
        RuleStore.open(path)


def test_another_program_s_database_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    trust = hc.TrustStore.open(path)
    trust.add_public_key(anchor().spki, kid=b"12345678")
    before = path.read_bytes()
    store = RuleStore()
    store._path = path
    with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
        put(store, list_of(*FRENCH))
    assert path.read_bytes() == before
    assert not store.lists


def test_lists_of_no_possible_size_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    with closing(_made(path)):
        pass
    with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
        RuleStore.open(path, limits=Limits(list_bytes=100))


def test_a_store_whose_first_writing_was_cut_off_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    path.write_bytes(b"")
    store = RuleStore.open(path)
    assert not store.lists
    put(store, list_of(*FRENCH))
    assert len(RuleStore.open(path).book.rules) == 4


def test_a_skipped_entry_of_a_code_that_there_is_not_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    with closing(_made(path)) as connection, connection:
        documents = encode({"skipped": [["a", "NO_CODE", "b", None, None]]})
        connection.execute("UPDATE lists SET documents = ?", (documents,))
    with pytest.raises(RuleError, match="RULE_STORE_UNREADABLE"):
        RuleStore.open(path)


def test_a_store_takes_no_more_than_it_can_be_opened_with(tmp_path: Path) -> None:
    """Or one list too many would make all of them unreadable."""
    path, limits = tmp_path / "rules.db", Limits(list_bytes=4000)
    store = RuleStore.open(path, limits=limits)
    for number in range(11):
        put(store, list_of(*rules_of(FR=6)), name=f"list {number}", limits=limits)
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        put(store, list_of(*rules_of(FR=6)), name="one more", limits=limits)
    assert len(RuleStore.open(path, limits=limits).lists) == len(store.lists) == 11


def test_readers_in_other_threads_see_one_list_or_the_other() -> None:
    store = RuleStore()
    put(store, list_of(*rules_of(FR=20), national={"it": "[]"}))
    mixed: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            rules = store.book.rules
            versions = {rule.version for rule in rules}
            if len(versions) != 1 or len(rules) != 20:
                mixed.append(versions)
            found = [(one.source, one.types) for one in store.coverage("FR")]
            if found != [("signed", ("Acceptance",))] or store.coverage("AT"):
                mixed.append(found)
            if store.national("it") is None or store.national("booster") is not None:
                mixed.append("national")

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(30):
        rules = [rule | {"Version": f"1.{number}.0"} for rule in rules_of(FR=20)]
        put(store, list_of(*rules, national={"it": "[]"}))
    done.set()
    for thread in threads:
        thread.join()
    assert not mixed
