"""Updating: what each source's server does to its own list and to no other, and what a second look finds out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.trust import database
from healthcert.trust.generation import Detail, Details, Head, Row, decode, encode
from healthcert.trust.sources.de import German
from healthcert.trust.sources.protocol import Context, Fetched, Known
from tests.support import DAY, NOW
from tests.unit.trust.lists import HOUR, anchor, authority, dscs, feed, numbered, unnumbered, unsigned

FRENCH = dscs(FR=4)


@dataclass
class Server:
    """Answers from a table; an exception in it is raised. What was asked is written down."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> hc.Response:
        self.asked.append((url, dict(headers or {})))
        answer = self.answers.get(url, hc.FetchError(hc.Code.FETCH_FAILED, "it answered with status 404"))
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, hc.Response):
            return answer
        etag = f'"{len(answer)}"'
        if (headers or {}).get("If-None-Match") == etag:
            return hc.Response(304)
        return hc.Response(200, answer, {"etag": etag})

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> hc.Response:
        raise AssertionError("nothing is ever posted")


def url_of(name: str) -> str:
    return f"https://{name}.example/list"


def source(format_: str, **changes: Any) -> hc.Feed:
    name = changes.get("name", format_)
    return feed(format_, **({"url": url_of(name)} | changes))


def update(store: hc.TrustStore, server: Server, *feeds: hc.Feed, at: datetime = NOW, **more: Any) -> list[hc.Change]:
    return list(hc.update_lists(store, feeds, lambda _: server, clock=hc.FixedClock(at), **more))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trust.db"


@pytest.fixture
def store(path: Path) -> hc.TrustStore:
    return hc.TrustStore.open(path)


def head(store: hc.TrustStore, name: str = "de") -> Head:
    return store.state.lists[name].head


# --- One source and the others ---


def _no_file(_: hc.Feed) -> Server:
    raise FileNotFoundError(2, "No such file or directory", "/secret/place/ca.pem")


def _broken(_: hc.Feed) -> Server:
    raise KeyError("a name from inside")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Server({url_of("bad"): hc.FetchError(hc.Code.FETCH_FAILED, "no answer")}), "FETCH_FAILED"),
        (lambda: Server({url_of("bad"): hc.FetchError(hc.Code.FETCH_REFUSED, "too long")}), "FETCH_REFUSED"),
        (lambda: Server({url_of("bad"): b"rubbish"}), "TRUST_LIST_UNREADABLE"),
        (lambda: Server({url_of("bad"): unnumbered(FRENCH, NOW)["list"][:-9]}), "TRUST_LIST_NOT_AUTHENTIC"),
        (lambda: Server({url_of("bad"): KeyError("a name from inside")}), "TRUST_LIST_UNREADABLE"),
        (lambda: Server({url_of("bad"): RecursionError()}), "TRUST_LIST_UNREADABLE"),
        (lambda: Server({url_of("bad"): hc.Response(304)}), "TRUST_LIST_UNREADABLE"),
        (lambda: _no_file, "FETCH_FAILED"),
        (lambda: _broken, "TRUST_LIST_UNREADABLE"),
    ],
)
def test_what_fails_with_one_source_harms_no_other(store: hc.TrustStore, path: Path, make: Any, code: str) -> None:
    good = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"], url_of("gb"): unsigned(dscs(FR=1))["list"]})
    bad = make()
    if isinstance(bad, Server):
        bad.answers = good.answers | bad.answers

    def fetcher_for(of: hc.Feed) -> Server:
        if of.name != "bad":
            return good
        return bad if isinstance(bad, Server) else bad(of)

    feeds = [source("de"), source("de", name="bad"), source("gb", anchors=())]
    changes = list(hc.update_lists(store, feeds, fetcher_for, clock=hc.FixedClock(NOW)))
    assert [change.source for change in changes] == ["de", "bad", "gb"]
    error = changes[1].error
    assert error is not None
    assert (error.code, changes[0].error, changes[2].error) == (code, None, None)
    # The message of an exception from inside may hold anything, a path of the machine is not for the log.
    assert "a name from inside" not in error.detail
    assert "secret" not in error.detail
    assert store.state.lists.keys() == {"de", "gb"}
    memory = hc.TrustStore.open(path).state.memories["bad"]
    assert memory.error == (int(NOW.timestamp()), code, error.detail)


@pytest.mark.parametrize("error", [KeyError("inside"), RecursionError(), MemoryError(), AssertionError()])
def test_an_exception_that_was_not_foreseen_is_a_refusal(
    store: hc.TrustStore, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise error

    monkeypatch.setattr(German, "load", load)
    with pytest.raises(hc.TrustError, match=rf"TRUST_LIST_UNREADABLE.*{type(error).__name__}") as caught:
        hc.install_list(store, feed("de"), {"list": b""}, clock=hc.FixedClock(NOW))
    assert "inside" not in str(caught.value)
    (change,) = update(store, Server({url_of("de"): b""}), source("de"))
    assert change.error is not None


def test_an_error_of_decoding_is_one_of_the_list(store: hc.TrustStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise hc.DecodeError(hc.Code.CBOR_DESERIALIZATION_FAILED, "why")

    monkeypatch.setattr(German, "load", load)
    with pytest.raises(hc.TrustError, match=r"TRUST_LIST_UNREADABLE.*why"):
        hc.install_list(store, feed("de"), {"list": b""}, clock=hc.FixedClock(NOW))


def test_a_list_that_is_too_long_is_not_even_looked_at(store: hc.TrustStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(German, "load", lambda *_: pytest.fail("it was looked at"))
    few = replace(hc.Limits(), list_bytes=10)
    with pytest.raises(hc.TrustError, match="INPUT_TOO_LONG"):
        hc.install_list(store, feed("de"), {"list": bytes(11)}, limits=few)


def test_an_error_is_remembered_until_the_source_is_well(store: hc.TrustStore, path: Path) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    update(store, server, source("de"))
    served = server.answers.pop(url_of("de"))
    update(store, server, source("de"), at=NOW + HOUR)
    again = hc.TrustStore.open(path)
    assert again.state.memories["de"].error == (
        int((NOW + HOUR).timestamp()),
        "FETCH_FAILED",
        "it answered with status 404",
    )
    # What is remembered beside the error is what it was, and the list is still in use.
    assert again.state.memories["de"].newest is not None
    assert (len(again), head(again).fetched_at) == (4, NOW)
    server.answers[url_of("de")] = served
    update(store, server, source("de"), at=NOW + 2 * HOUR)
    assert hc.TrustStore.open(path).state.memories["de"].error is None


def test_a_source_without_an_address(store: hc.TrustStore) -> None:
    (change,) = update(store, Server(), feed("de"))
    assert change.error is not None
    assert change.error.code == "FETCH_REFUSED"


# --- Before anything is fetched ---


def test_nothing_is_fetched_for_another_environment(store: hc.TrustStore) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    update(store, server, source("de"))
    asked = len(server.asked)
    (change,) = update(store, server, source("de", name="other", environment=hc.Environment.TEST))
    assert change.error is not None
    assert change.error.code == "ENVIRONMENT_MIXED"
    assert len(server.asked) == asked


def test_nothing_is_fetched_by_a_clock_that_is_behind(store: hc.TrustStore) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    update(store, server, source("de"))
    asked = len(server.asked)
    (change,) = update(store, server, source("de", name="other"), at=NOW - HOUR)
    assert change.error is not None
    assert change.error.code == "CLOCK_BEHIND"
    assert len(server.asked) == asked


def test_what_others_wrote_meanwhile_counts(store: hc.TrustStore, path: Path) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    hc.install_list(hc.TrustStore.open(path), feed("gb", anchors=()), unsigned(dscs(DE=1)), clock=hc.FixedClock(NOW))
    update(store, server, source("de"))
    assert store.state.lists.keys() == {"de", "gb"}
    # Also before anything is fetched: what another has fetched need not be sent again.
    other = hc.TrustStore.open(path)
    server.answers[url_of("de")] = unnumbered(dscs(FR=5), NOW)["list"]
    update(other, server, source("de"))
    update(store, server, source("de"))
    assert server.asked[-1][1] == {"If-None-Match": f'"{len(server.answers[url_of("de")])}"'}


# --- What has not changed ---


def test_a_list_that_has_not_changed_is_not_sent_again(store: hc.TrustStore, path: Path) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    update(store, server, source("de"))
    (change,) = update(store, server, source("de"), at=NOW + HOUR)
    assert server.asked[1][1] == {"If-None-Match": f'"{len(server.answers[url_of("de")])}"'}
    assert (change.unchanged, change.kept) == (True, 4)
    again = hc.TrustStore.open(path)
    assert (head(again).fetched_at, head(again).best_before) == (NOW + HOUR, NOW + HOUR + 48 * HOUR)
    assert database.read_previous(path, "de") is None
    # And the next time it is asked in the same way.
    update(store, server, source("de"), at=NOW + 2 * HOUR)
    assert server.asked[2][1] == server.asked[1][1]


class Unchanged(German):
    """A source that says there is nothing new, whatever it is asked."""

    def fetch(self, *_: object) -> Fetched | None:
        return None


def test_the_signed_end_stays_however_often_it_is_confirmed(
    store: hc.TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hc.install_list(store, feed("at"), numbered(FRENCH, NOW, life=10 * HOUR), clock=hc.FixedClock(NOW))
    monkeypatch.setattr("healthcert.trust.sources.at.Austrian.fetch", Unchanged.fetch)
    assert update(store, Server(), source("at"), at=NOW + 9 * HOUR)[0].unchanged
    assert head(store, "at").fetched_at == NOW + 9 * HOUR
    assert head(store, "at").expires_at == head(store, "at").best_before == NOW + 10 * HOUR
    (change,) = update(store, Server(), source("at"), at=NOW + 11 * HOUR)
    assert change.error is not None
    assert change.error.code == "TRUST_LIST_EXPIRED"
    assert head(store, "at").fetched_at == NOW + 9 * HOUR


def test_an_unchanged_list_is_read_again_under_the_anchors_of_today(
    store: hc.TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hc.install_list(store, feed("de"), unnumbered(FRENCH, NOW), clock=hc.FixedClock(NOW))
    monkeypatch.setattr(German, "fetch", Unchanged.fetch)
    (change,) = update(store, Server(), source("de", anchors=(anchor(authority("FR")),)))
    assert change.error is not None
    assert change.error.code == "TRUST_LIST_NOT_AUTHENTIC"


def test_what_is_known_is_given_to_the_source(store: hc.TrustStore, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, Known, Context]] = []
    parts, validators = unnumbered(FRENCH, NOW), {"https://x.example/": '"tag"'}

    def fetch(self: German, fetcher: hc.Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        given.append((url, known, context))
        return Fetched(parts, validators)

    monkeypatch.setattr(German, "fetch", fetch)
    changed = source("de", options={"a": "b"}, secrets={"token": "hush"})
    update(store, Server(), changed)
    assert given[0][1] == Known()
    update(store, Server(), changed, at=NOW + HOUR)
    url, known, context = given[1]
    assert (url, known) == (url_of("de"), Known(parts, NOW, NOW, validators))
    assert context.options == {"a": "b", "token": "hush", "environment": "production"}
    # A list of another format tells nothing; nor does one that is not kept in a file.
    monkeypatch.setattr("healthcert.trust.sources.at.Austrian.fetch", fetch)
    update(store, Server(), source("at", name="de"), at=NOW + 2 * HOUR)
    assert given[2][1] == Known()
    memory = hc.TrustStore()
    for _ in range(2):
        update(memory, Server(), changed)
    assert given[-1][1] == Known()


def test_a_secret_is_neither_kept_nor_shown(store: hc.TrustStore, path: Path) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    secret = source("de", secrets={"token": "hush-hush"})
    update(store, server, secret)
    update(store, Server(), secret)
    assert b"hush-hush" not in path.read_bytes()
    assert "hush-hush" not in repr(secret)


@pytest.mark.parametrize("whole", [True, False])
def test_changes_alone_do_not_make_a_list_younger(
    store: hc.TrustStore, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hc.install_list(store, feed("de"), unnumbered(FRENCH, NOW), clock=hc.FixedClock(NOW))
    more = unnumbered(dscs(FR=5), NOW)
    monkeypatch.setattr(German, "fetch", lambda *_: Fetched(more, {}, whole))
    update(store, Server(), source("de"), at=NOW + HOUR)
    assert (len(store), head(store).fetched_at) == (5, NOW + HOUR)
    assert head(store).loaded_at == (NOW + HOUR if whole else NOW)


def test_nor_does_it_when_there_are_none(store: hc.TrustStore, monkeypatch: pytest.MonkeyPatch) -> None:
    hc.install_list(store, feed("de"), unnumbered(FRENCH, NOW), clock=hc.FixedClock(NOW))
    monkeypatch.setattr(German, "fetch", Unchanged.fetch)
    update(store, Server(), source("de"), at=NOW + HOUR)
    assert (head(store).fetched_at, head(store).loaded_at) == (NOW + HOUR, NOW)


def test_a_loss_is_refused_unless_it_is_forced(store: hc.TrustStore) -> None:
    server = Server({url_of("de"): unnumbered(FRENCH, NOW)["list"]})
    update(store, server, source("de"))
    server.answers[url_of("de")] = unnumbered(FRENCH[:2], NOW)["list"]
    (change,) = update(store, server, source("de"))
    assert change.error is not None
    assert (change.error.code, len(store)) == ("TRUST_LIST_SHRANK", 4)
    (change,) = update(store, server, source("de"), force=True)
    assert (len(change.removed), len(store)) == (2, 2)


@pytest.mark.parametrize("name", ["", "local", "a\nb", "\x1b[31m"])
def test_names_that_a_list_cannot_have(store: hc.TrustStore, name: str) -> None:
    with pytest.raises(ValueError, match="the name of a source"):
        hc.install_list(store, feed("de", name=name), unnumbered(FRENCH, NOW), clock=hc.FixedClock(NOW))


# --- A second look ---


def _kept(path: Path, name: str, column: str) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        query = f"SELECT {column} FROM lists WHERE source = ? AND generation = 0"
        found: bytes = connection.execute(query, (name,)).fetchone()[0]
        return found


def _change(path: Path, name: str, column: str, value: bytes) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        query = f"UPDATE lists SET {column} = ? WHERE source = ? AND generation = 0"
        connection.execute(query, (value, name))


def _rows(path: Path, change: Callable[[list[Row]], Iterable[Row]]) -> None:
    rows = decode(_kept(path, "at", "keys"), list[Row])
    _change(path, "at", "keys", encode(list(change(rows))))


def _details(path: Path, change: Callable[[Details], Details]) -> None:
    _change(path, "at", "details", encode(change(decode(_kept(path, "at", "details"), Details))))


def _head(path: Path, **changes: Any) -> None:
    _change(path, "at", "head", encode(replace(decode(_kept(path, "at", "head"), Head), **changes)))


def _part(path: Path, change: Callable[[bytes], bytes]) -> None:
    parts = decode(_kept(path, "at", "parts"), dict[str, bytes])
    _change(path, "at", "parts", encode(parts | {"list": change(parts["list"])}))


def _flipped(data: bytes) -> bytes:
    return data[:200] + bytes((data[200] ^ 1,)) + data[201:]


def _memory(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE memories SET memory = ? WHERE source = 'at'", (encode(database.Memory()),))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a bit of what was received": lambda path: _part(path, _flipped),
    "what was received is gone": lambda path: _change(path, "at", "parts", encode({})),
    "what was received is rubbish": lambda path: _change(path, "at", "parts", b"\xc1"),
    "another list, of the same signer": lambda path: _change(
        path, "at", "parts", encode(dict(numbered(dscs(FR=5), NOW)))
    ),
    "the same list, signed anew": lambda path: _change(path, "at", "parts", encode(dict(numbered(FRENCH, NOW)))),
    "a key more": lambda path: _rows(path, lambda rows: rows),
    "a key is gone": lambda path: _rows(path, lambda rows: rows),
    "a key exchanged": lambda path: _rows(path, lambda rows: [replace(rows[0], spki=rows[1].spki), *rows[1:]]),
    "a kid changed": lambda path: _rows(path, lambda rows: [replace(rows[0], kid=b"12345678"), *rows[1:]]),
    "a key may sign more": lambda path: _rows(path, lambda rows: [replace(rows[0], usages=()), *rows[1:]]),
    "a key lives longer": lambda path: _rows(path, lambda rows: [replace(rows[0], not_after=2**32), *rows[1:]]),
    "a key of another country": lambda path: _rows(path, lambda rows: [replace(rows[0], country="AT"), *rows[1:]]),
    "a key of another domain": lambda path: _rows(path, lambda rows: [replace(rows[0], domain=None), *rows[1:]]),
    "another certificate": lambda path: _details(
        path, lambda one: replace(one, keys=(msgspec.Raw(encode(Detail(None, ()))), *one.keys[1:]))
    ),
    "the details are rubbish": lambda path: _change(path, "at", "details", b"\xc1"),
    "details of fewer keys": lambda path: _details(path, lambda one: replace(one, keys=one.keys[1:])),
    "a later end": lambda path: _head(path, expires_at=NOW + 90 * DAY),
    "a higher number": lambda path: _head(path, counter=2**40),
    "more assurance": lambda path: _head(path, assurance=hc.Assurance.SIGNED_CHAIN),
    "another digest": lambda path: _head(path, digest=b""),
    "another format": lambda path: _head(path, format="de"),
    "a format that there is none of": lambda path: _head(path, format="moon"),
    "no anchors": _memory,
}
# A key too many or too few is seen only where the details go along.
for _name, _change_of in (("a key more", 2), ("a key is gone", 0)):

    def _both(path: Path, times: int = _change_of) -> None:
        _rows(path, lambda rows: [*rows[1:], *([replace(rows[0], kid=b"12345678")] * times)])
        _details(path, lambda one: replace(one, keys=(*one.keys[1:], *(one.keys[:1] * times))))

    DAMAGE[_name] = _both


@pytest.fixture
def accepted(store: hc.TrustStore, path: Path) -> Path:
    for format_, parts in (("at", numbered(FRENCH, NOW)), ("de", unnumbered(FRENCH, NOW))):
        hc.install_list(store, feed(format_), parts, clock=hc.FixedClock(NOW))
    hc.install_list(store, feed("gb", anchors=()), unsigned(dscs(DE=1)), clock=hc.FixedClock(NOW))
    store.add(hc.TrustStore.from_certificates(dscs(DE=2)[1]))
    return path


def test_a_second_look_finds_what_was_accepted(accepted: Path) -> None:
    changes = list(hc.recheck_lists(hc.TrustStore.open(accepted)))
    assert [(change.source, change.unchanged, change.kept) for change in changes] == [
        ("at", True, 4),
        ("de", True, 4),
        ("gb", True, 1),
    ]
    assert list(hc.recheck_lists(hc.TrustStore())) == []


@pytest.mark.parametrize("name", DAMAGE)
def test_a_second_look_finds_damage_and_whose(accepted: Path, name: str) -> None:
    DAMAGE[name](accepted)
    changes = {change.source: change for change in hc.recheck_lists(hc.TrustStore.open(accepted))}
    assert {name for name, change in changes.items() if not change.unchanged} == {"at"}


@pytest.mark.parametrize("column", ["head", "keys"])
def test_what_is_needed_to_verify_is_read_at_once(accepted: Path, column: str) -> None:
    _change(accepted, "at", column, b"\xc1")
    with pytest.raises(hc.TrustError, match="TRUST_STORE_UNREADABLE"):
        hc.TrustStore.open(accepted)


def test_it_is_checked_as_of_when_it_was_fetched(store: hc.TrustStore, path: Path) -> None:
    """The signer's certificate may have ended since: that makes the list old, and not another one."""
    long_ago = NOW - 80 * DAY
    hc.install_list(store, feed("at"), numbered(FRENCH, long_ago), clock=hc.FixedClock(long_ago))
    assert [change.unchanged for change in hc.recheck_lists(store)] == [True]


def test_lists_of_the_test_environment_are_checked_as_such(store: hc.TrustStore) -> None:
    def load(self: German, parts: Mapping[str, bytes], context: Context) -> Any:
        assert context.options["environment"] == "test"
        return original(self, parts, context)

    original, served = German.load, unnumbered(FRENCH, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(German, "load", load)
        of = feed("de", environment=hc.Environment.TEST)
        hc.install_list(store, of, served, clock=hc.FixedClock(NOW))
        assert [change.error for change in hc.recheck_lists(store)] == [None]


def test_the_best_moment_before_which_a_list_is_good() -> None:
    of = Head(
        source="x",
        format="de",
        assurance=hc.Assurance.SIGNED_LIST,
        digest=b"",
        signed=b"",
        fetched_at=NOW,
        loaded_at=NOW,
    )
    assert of.best_before is None
    assert replace(of, max_age=60).best_before == NOW + timedelta(seconds=60)
    assert replace(of, max_age=60, expires_at=NOW).best_before == NOW
    assert replace(of, max_age=60, expires_at=NOW + DAY).best_before == NOW + timedelta(seconds=60)
