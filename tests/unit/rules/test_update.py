"""Updating: what each source's server does to its own rules and to no others, and what a second look finds out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.limits import Limits
from healthcert.lists.anchors import Environment
from healthcert.rules import database
from healthcert.rules.feed import RuleChange, RuleFeed
from healthcert.rules.generation import Documents, Head, decode, encode
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known
from healthcert.rules.store import RuleStore
from healthcert.rules.update import install_rules, recheck_rules, remove_rules, update_rules
from tests.support import DAY, NOW
from tests.unit.rules.lists import (
    FAILS,
    Server,
    Signed,
    feed,
    list_of,
    rule_document,
    rules_of,
    serving,
    source,
    update,
    url_of,
    value_set,
)

pytestmark = pytest.mark.usefixtures("_signed_lists")
FRENCH = rules_of(FR=4)
SETTINGS = json.dumps([{"name": "vaccine_end_day_complete", "type": "GENERIC", "value": "180"}])
LIST = list_of(*FRENCH, value_set(), national={"it": "[]"}, at=NOW)


def install(store: RuleStore, parts: Mapping[str, bytes] = LIST, at: datetime = NOW, **changes: Any) -> RuleChange:
    return install_rules(store, feed(**changes), parts, clock=hc.FixedClock(at))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rules.db"


@pytest.fixture
def store(path: Path) -> RuleStore:
    return RuleStore.open(path)


# --- One source and the others ---


def _no_file(_: RuleFeed) -> Server:
    raise FileNotFoundError(2, "No such file or directory", "/secret/place/ca.pem")


def _broken(_: RuleFeed) -> Server:
    raise KeyError("a name from inside")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (hc.FetchError(hc.Code.FETCH_FAILED, "no answer"), "FETCH_FAILED"),
        (hc.FetchError(hc.Code.FETCH_REFUSED, "too long"), "FETCH_REFUSED"),
        (hc.TrustError(hc.Code.TRUST_LIST_NOT_AUTHENTIC, "no signature"), "RULE_LIST_NOT_AUTHENTIC"),
        (hc.TrustError(hc.Code.TRUST_ANCHOR_MISSING, "no anchor"), "RULE_ANCHOR_MISSING"),
        (hc.DecodeError(hc.Code.CBOR_DESERIALIZATION_FAILED, "no CBOR"), "RULE_LIST_UNREADABLE"),
        (b"rubbish", "RULE_LIST_UNREADABLE"),
        (KeyError("a name from inside"), "RULE_LIST_UNREADABLE"),
        (RecursionError(), "RULE_LIST_UNREADABLE"),
        (hc.Response(304), "RULE_LIST_UNREADABLE"),
        (_no_file, "FETCH_FAILED"),
        (_broken, "RULE_LIST_UNREADABLE"),
    ],
)
def test_what_fails_with_one_source_harms_no_other(store: RuleStore, path: Path, bad: Any, code: str) -> None:
    server = Server({url_of("one"): LIST["list"], url_of("bad"): bad, url_of("two"): list_of(*rules_of(AT=1))["list"]})

    def fetcher_for(of: RuleFeed) -> Server:
        return bad(of) if of.name == "bad" and callable(bad) else server

    feeds = [source("one"), source("bad"), source("two")]
    changes = list(update_rules(store, feeds, fetcher_for, clock=hc.FixedClock(NOW)))
    assert [change.source for change in changes] == ["one", "bad", "two"]
    error = changes[1].error
    assert error is not None
    assert (error.code, changes[0].error, changes[2].error) == (code, None, None)
    # The message of an exception from inside may hold anything, a path of the machine is not for the log.
    assert "a name from inside" not in error.detail
    assert "secret" not in error.detail
    assert [head.source for head in store.lists] == ["one", "two"]
    memory = RuleStore.open(path).state.memories["bad"]
    assert memory.error == (int(NOW.timestamp()), code, error.detail)


@pytest.mark.parametrize(
    "error",
    [KeyError("inside"), RecursionError(), MemoryError(), AssertionError(), hc.DecodeError(hc.Code.NO_ENTRY, "why")],
)
def test_an_exception_that_was_not_foreseen_is_a_refusal(
    store: RuleStore, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise error

    monkeypatch.setattr(Signed, "load", load)
    with pytest.raises(RuleError, match="RULE_LIST_UNREADABLE") as caught:
        install(store)
    assert "inside" not in str(caught.value)
    assert not store.lists


@pytest.mark.parametrize(("name", "document"), [("it", "rubbish"), ("it", "[1]"), ("ch", "{}"), ("none", "[]")])
def test_national_rules_that_are_none_do_not_replace_those_in_use(store: RuleStore, name: str, document: str) -> None:
    update(store, serving(LIST))
    later = list_of(*FRENCH, value_set(), national={"it": "[]"} | {name: document}, at=NOW + DAY)
    (change,) = update(store, serving(later), at=NOW + DAY)
    assert change.error is not None
    assert change.error.code in ("RULE_LIST_UNREADABLE", "RULE_CONFIG_INVALID")
    assert store.national("it") is not None


@pytest.mark.parametrize("spare", [0, -1])
def test_a_list_of_the_greatest_length(store: RuleStore, spare: int) -> None:
    parts = LIST | {"more": b"x" * 100}
    limits = Limits(list_bytes=sum(map(len, parts.values())) + spare)
    if spare < 0:
        with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
            install_rules(store, feed(), parts, clock=hc.FixedClock(NOW), limits=limits)
    else:
        install_rules(store, feed(), parts, clock=hc.FixedClock(NOW), limits=limits)
    assert len(store.lists) == 1 + spare


def test_a_list_that_unpacks_to_too_much(store: RuleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"list": b"packed"}
    original = Signed.load
    monkeypatch.setattr(Signed, "load", lambda self, _, context: original(self, LIST, context))
    unpacked = sum(len(json.dumps(document)) for document in (*FRENCH, value_set())) + len("[]")
    install_rules(store, feed(), parts, clock=hc.FixedClock(NOW), limits=Limits(list_bytes=unpacked))
    with pytest.raises(RuleError, match=r"INPUT_TOO_LONG.*unpacks"):
        install_rules(store, feed(), parts, clock=hc.FixedClock(NOW), limits=Limits(list_bytes=unpacked - 1))


def test_a_store_takes_so_many_rules_of_all_sources_together(path: Path) -> None:
    limits = Limits(rules=5)
    store = RuleStore.open(path, limits=limits)
    install_rules(store, feed(name="one"), list_of(*FRENCH), clock=hc.FixedClock(NOW), limits=limits)
    install_rules(store, feed(name="two"), list_of(*rules_of(AT=1)), clock=hc.FixedClock(NOW), limits=limits)
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        install_rules(store, feed(name="two"), list_of(*rules_of(AT=2)), clock=hc.FixedClock(NOW), limits=limits)
    assert [rule.country for rule in store.book.rules] == ["AT", *["FR"] * 4]
    install_rules(store, feed(name="one"), list_of(*rules_of(FR=3)), clock=hc.FixedClock(NOW), limits=limits)
    assert [rule.country for rule in store.book.rules] == ["AT", *["FR"] * 3]
    with pytest.raises(RuleError, match="INPUT_TOO_LONG"):
        RuleStore.open(path, limits=Limits(rules=3))


def test_an_error_is_remembered_until_the_source_is_well(store: RuleStore, path: Path) -> None:
    update(store, Server())
    assert RuleStore.open(path).state.memories["signed"].error is not None
    update(store, serving(LIST))
    assert RuleStore.open(path).state.memories["signed"].error is None
    (change,) = update(store, Server(), at=NOW + DAY)
    assert change.error is not None
    assert len(store.book.rules) == 4
    assert store.state.memories["signed"].highest == int(NOW.timestamp())


def test_a_source_without_an_address(store: RuleStore) -> None:
    (change,) = update(store, Server(), feed())
    assert change.error is not None
    assert change.error.code == "FETCH_REFUSED"


@pytest.mark.parametrize("name", ["", "local", "two\nlines"])
def test_names_that_a_list_cannot_have(store: RuleStore, name: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        install(store, name=name)


def test_nothing_is_fetched_that_could_not_be_accepted(store: RuleStore) -> None:
    install(store)
    for changed, at, code in (
        (source("two", environment=Environment.TEST), NOW, "ENVIRONMENT_MIXED"),
        (source("two"), NOW - DAY, "CLOCK_BEHIND"),
        (source("signed", format="bundle", anchors=()), NOW, "RULE_CONFIG_INVALID"),
    ):
        server = serving(LIST, changed.name)
        (change,) = update(store, server, changed, at=at)
        assert change.error is not None
        assert (change.error.code, server.asked) == (code, [])
    assert store.environment == "production"


def test_what_others_wrote_meanwhile_counts(store: RuleStore, path: Path) -> None:
    """Decided on within the lock: the list that this store was opened with is not the one in use any more."""
    install(RuleStore.open(path), list_of(*FRENCH, at=NOW + timedelta(seconds=60)))
    with pytest.raises(RuleError, match="RULE_LIST_ROLLED_BACK"):
        install(store)
    store.reload()
    assert store.lists[0].counter == int(NOW.timestamp()) + 60


# --- What is sent and kept ---


def test_a_list_that_has_not_changed_is_not_sent_again_and_is_fresh(store: RuleStore, path: Path) -> None:
    server = serving(LIST)
    update(store, server)
    (change,) = update(store, server, at=NOW + DAY)
    assert change.unchanged
    assert change.kept == 4
    assert [bool(headers) for _, headers in server.asked] == [False, True]
    (head,) = RuleStore.open(path).lists
    assert (head.fetched_at, head.best_before) == (NOW + DAY, NOW + 3 * DAY)


def test_what_is_damaged_is_asked_for_anew(store: RuleStore, path: Path) -> None:
    server = serving(LIST)
    update(store, server)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE lists SET parts = ?", (encode({"list": LIST["list"] + b" "}),))
    update(store, server, at=NOW + DAY)
    assert [bool(headers) for _, headers in server.asked] == [False, False]
    assert [change.error for change in recheck_rules(store)] == [None]


def test_an_unchanged_list_is_read_again_under_the_anchors_of_today(store: RuleStore) -> None:
    server = serving(LIST)
    update(store, server)
    (change,) = update(store, server, source(anchors=()), at=NOW + DAY)
    assert change.error is not None
    assert change.error.code == "RULE_ANCHOR_MISSING"


def test_what_is_known_is_given_to_the_source(store: RuleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Known] = []

    def fetch(_: Signed, __: object, ___: str, known: Known, ____: Context) -> Fetched:
        seen.append(known)
        return Fetched(LIST, {"https://a/?token=hush": "1", "https://a/": "2"})

    monkeypatch.setattr(Signed, "fetch", fetch)
    update(store, Server())
    update(store, Server(), at=NOW + DAY)
    assert seen == [Known(), Known(LIST, {"https://a/": "2"})]


def test_a_secret_is_neither_kept_nor_shown(store: RuleStore, path: Path) -> None:
    secret = source(secrets={"token": "hush"}, options={"page": "2"})
    assert "hush" not in repr(secret)
    assert secret.context(NOW, Limits()).options == {"token": "hush", "page": "2"}
    update(store, serving(LIST), secret)
    assert store.state.memories["signed"].options == {"page": "2"}
    assert b"hush" not in path.read_bytes()


@pytest.mark.parametrize(
    ("signed", "fetched", "assurance"),
    [
        (True, True, Assurance.SIGNED_LIST),
        (True, False, Assurance.SIGNED_LIST),
        (False, True, Assurance.TLS_ONLY),
        (False, False, Assurance.LOCAL),
    ],
)
def test_how_a_list_is_known(store: RuleStore, *, signed: bool, fetched: bool, assurance: Assurance) -> None:
    parts = list_of(*FRENCH, signed=signed)
    update(store, serving(parts)) if fetched else install(store, parts)
    (head,) = store.lists
    assert head.assurance is assurance
    assert (head.signer is not None) is signed
    assert [change.error for change in recheck_rules(store)] == [None]


def test_what_changed_is_told(store: RuleStore) -> None:
    first = list_of(*FRENCH, value_set(), value_set("other"), national={"it": "[]", "fr": "{}"})
    change = install(store, first)
    assert len(change.added) == 4
    assert (change.value_sets, change.national) == (("disease-agent-targeted", "other"), ("fr", "it"))
    second = list_of(
        FRENCH[0] | {"Logic": FAILS},
        FRENCH[1] | {"Version": "1.0.1"},
        *reversed(FRENCH[2:]),
        rule_document("GR-FR-0009", Logic=None),
        value_set("disease-agent-targeted", "840539006", "1"),
        value_set("other"),
        national={"it": SETTINGS, "fr": "{}"},
    )
    change = install(store, second)
    assert [(rule.identifier, rule.version) for rule in change.added] == [("GR-FR-0001", "1.0.1")]
    assert [(rule.identifier, rule.version) for rule in change.removed] == [("GR-FR-0001", "1.0.0")]
    assert [rule.identifier for rule in change.changed] == ["GR-FR-0000"]
    assert (change.kept, change.value_sets, change.national) == (3, ("disease-agent-targeted",), ("it",))
    assert [(one.source, one.country, one.error.code) for one in change.skipped] == [
        ("document 4", "FR", "RULE_INVALID")
    ]
    assert not change.unchanged


# --- A second look ---


@pytest.fixture
def accepted(store: RuleStore, path: Path) -> Path:
    update(store, serving(list_of(*FRENCH, rule_document("GR-FR-0009", Logic=None), value_set(), at=NOW)))
    install(store, {"rules": json.dumps(rules_of(AT=2)).encode()}, format="bundle", name="given", anchors=())
    return path


def test_a_second_look_finds_what_was_accepted(accepted: Path) -> None:
    changes = list(recheck_rules(RuleStore.open(accepted)))
    assert [(change.source, change.unchanged, change.kept) for change in changes] == [
        ("given", True, 2),
        ("signed", True, 4),
    ]
    assert list(recheck_rules(RuleStore())) == []


def _head(connection: sqlite3.Connection, **changes: Any) -> bytes:
    (head,) = connection.execute("SELECT head FROM lists WHERE source = 'signed'").fetchone()
    return encode(msgspec.structs.replace(decode(head, Head), **changes))


def _documents(connection: sqlite3.Connection, **changes: Any) -> bytes:
    (documents,) = connection.execute("SELECT documents FROM lists WHERE source = 'signed'").fetchone()
    return encode(msgspec.structs.replace(decode(documents, Documents), **changes))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("parts", lambda _: encode({"list": list_of(*FRENCH, at=NOW)["list"]})),
        ("parts", lambda _: encode({})),
        ("parts", lambda _: b"\xc1"),
        ("head", lambda connection: _head(connection, signer="somebody")),
        ("head", lambda connection: _head(connection, counter=7)),
        ("head", lambda connection: _head(connection, assurance=Assurance.LOCAL)),
        ("head", lambda connection: _head(connection, countries=("DE",))),
        ("documents", lambda connection: _documents(connection, rules=())),
        ("documents", lambda connection: _documents(connection, skipped=())),
        ("documents", lambda connection: _documents(connection, value_sets=())),
        ("documents", lambda connection: _documents(connection, national={"it": b"[]"})),
    ],
)
def test_a_second_look_finds_damage_and_whose(accepted: Path, column: str, change: Any) -> None:
    with closing(sqlite3.connect(accepted)) as connection, connection:
        connection.execute(f"UPDATE lists SET {column} = ? WHERE source = 'signed'", (change(connection),))
    given, damaged = recheck_rules(RuleStore.open(accepted))
    assert given.unchanged
    assert not damaged.unchanged


def test_it_is_checked_as_of_when_it_was_fetched(store: RuleStore) -> None:
    install(store, list_of(*FRENCH, at=NOW, expires_at=(NOW + DAY).isoformat()))
    (change,) = recheck_rules(store)
    assert change.unchanged


def test_forgetting_a_source(store: RuleStore, path: Path) -> None:
    update(store, Server())
    assert not remove_rules(store, "signed")
    assert remove_rules(store, "signed", forget=True)
    assert not RuleStore.open(path).state.memories


def test_a_format_that_there_is_not(store: RuleStore) -> None:
    (change,) = update(store, Server(), source(format="none"))
    assert change.error is not None
    assert change.error.code == "RULE_CONFIG_INVALID"
    assert database.read_parts(store.path or Path(), "nobody") == {}
