"""The ledger says all of what was written or nothing, and refuses whatever it did not write."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, RevocationError
from healthcert.lists import sqlite
from healthcert.lists.anchors import Environment
from healthcert.revocation import ledger
from healthcert.revocation.batch import Held
from healthcert.revocation.ledger import File, Head, Memory, State, read_batches, read_state, transaction
from tests.unit.revocation.world import HOUR, NOW, code_of, refusal

HEAD = Head(
    source="one", format="it", generation=3, files=(File("a.hcrev", 9, b"digest"),), dead=(1, 2), types=b"\x0a",
    kids=(b"kid",), keys=(("https://a", b"k"),), countries=("FR", "*"), modes={b"": "POINT"}, fetched_at=NOW,
    loaded_at=NOW - HOUR, issued_at=NOW, expires_at=NOW + HOUR, max_age=60, counter=2**60, signer="ab",
)  # fmt: skip
MEMORY = Memory(
    highest=7, at_highest=b"x", superseded=(b"y",), validators={"u": "e"}, state={"a": "b"},
    error=(1, Code.FETCH_FAILED, "why"),
)  # fmt: skip
BATCHES = {"a": Held(0, 1, 5, "mark", "date"), "b": Held(1, 4, 7)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with transaction(tmp_path / "ledger.db") as entry:
        entry.put(HEAD, BATCHES, {})
        entry.remember("one", MEMORY)
        entry.settle(Environment.TEST)
    return tmp_path / "ledger.db"


def refused(path: Path) -> Code:
    with pytest.raises(RevocationError) as error:
        read_state(path)
    assert str(path) not in error.value.detail
    return code_of(error)


def test_what_was_written_is_read(path: Path) -> None:
    assert read_state(path) == State({"one": HEAD}, {"one": MEMORY}, Environment.TEST)
    assert read_batches(path, "one") == BATCHES
    assert read_batches(path, "two") == {}


def test_batches_follow_the_list(path: Path) -> None:
    after = {"b": Held(1, 4, 7), "c": Held(4, 5, 1)}
    with transaction(path) as entry:
        entry.put(HEAD, after, BATCHES)
    assert read_batches(path, "one") == after
    with transaction(path) as entry:
        entry.remove("one")
    assert (read_state(path), read_batches(path, "one")) == (State({}, {"one": MEMORY}, Environment.TEST), {})
    with transaction(path) as entry:
        entry.remember("one", None)
    assert read_state(path) == State({}, {}, Environment.TEST)


def test_after_an_error_nothing_was_written(path: Path) -> None:
    before = read_state(path)

    def fails() -> None:
        with transaction(path) as entry:
            entry.put(msgspec.structs.replace(HEAD, generation=4), {}, BATCHES)
            entry.remember("one", None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (read_state(path), read_batches(path, "one")) == (before, BATCHES)


def test_more_lists_than_a_store_may_have(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_MOST_SOURCES", 2)
    with transaction(path) as entry:
        entry.put(msgspec.structs.replace(HEAD, source="two"), {}, {})
        with pytest.raises(RevocationError) as error:
            entry.put(msgspec.structs.replace(HEAD, source="three"), {}, {})
        assert code_of(error) is Code.REVOCATION_CONFIG_INVALID
        entry.put(msgspec.structs.replace(HEAD, generation=4), {}, {})
    assert set(read_state(path).lists) == {"one", "two"}


@pytest.mark.parametrize(
    ("expires", "age", "best"),
    [
        (None, None, None),
        (NOW + HOUR, None, NOW + HOUR),
        (None, 60, NOW + timedelta(seconds=60)),
        (NOW + HOUR, 60, NOW + timedelta(seconds=60)),
        (NOW + HOUR, 7200, NOW + HOUR),
        (None, 2**62, None),
        (NOW + HOUR, 2**40, NOW + HOUR),
    ],
)
def test_when_a_list_must_have_been_replaced(expires: datetime | None, age: int | None, best: datetime | None) -> None:
    assert msgspec.structs.replace(HEAD, expires_at=expires, max_age=age).best_before == best


# --- What it did not write ---


def test_other_databases_and_other_files_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE lists (source TEXT PRIMARY KEY, head BLOB NOT NULL)")
    assert refused(other) is Code.REVOCATION_STORE_UNREADABLE
    other.write_bytes(b"no database at all, of more than sixteen bytes" * 50)
    assert refused(other) is Code.REVOCATION_STORE_UNREADABLE
    assert refused(tmp_path) is Code.REVOCATION_STORE_UNREADABLE
    assert refused(tmp_path / "none" / "such") is Code.REVOCATION_STORE_UNREADABLE
    with pytest.raises(RevocationError), transaction(other):
        pass
    other.write_bytes(b"")
    assert (read_state(other), read_batches(other, "one")) == (State({}, {}), {})


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 2",
        "PRAGMA application_id = 1",
        "CREATE VIEW endless AS SELECT 1",
        "CREATE TABLE more (a)",
        "DROP TABLE batches",
        "CREATE TRIGGER t AFTER INSERT ON lists BEGIN SELECT 1; END",
        "UPDATE lists SET source = 'two'",
        "UPDATE lists SET source = x'00'",
        "UPDATE lists SET head = 'text'",
        "UPDATE lists SET head = x''",
        "UPDATE lists SET head = 5",
        "UPDATE memories SET memory = x'c1'",
        "UPDATE settings SET value = 'moon'",
        "INSERT INTO lists SELECT 'two', head FROM lists",
    ],
)
def test_a_ledger_that_was_changed_is_refused(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    assert refused(path) is Code.REVOCATION_STORE_UNREADABLE


@pytest.mark.parametrize(
    "change",
    [
        {"files": []},
        {"files": [("../../a", 1, b"")]},
        {"files": [("a\\b", 1, b"")]},
        {"files": [(".hidden", 1, b"")]},
        {"fetched_at": datetime(2022, 1, 1)},  # noqa: DTZ001
        {"generation": "many"},
        {"modes": 5},
    ],
    ids=str,
)
def test_a_head_that_cannot_be_is_refused(path: Path, change: dict[str, Any]) -> None:
    raw = msgspec.to_builtins(HEAD, builtin_types=(bytes, datetime)) | change
    if change.get("files"):
        raw["files"] = [{"name": name, "size": size, "digest": digest} for name, size, digest in change["files"]]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE lists SET head = ?", (msgspec.msgpack.encode(raw),))
    assert refused(path) is Code.REVOCATION_STORE_UNREADABLE


@pytest.mark.parametrize("column", ["first", "last", "records", "mark", "date"])
def test_a_batch_that_cannot_be_is_refused(path: Path, column: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE batches SET {column} = x'ff'")
    with pytest.raises(RevocationError) as error:
        read_batches(path, "one")
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


@settings(derandomize=True, deadline=None, max_examples=200)
@given(changes=st.lists(st.tuples(st.integers(0, 30_000), st.binary(min_size=1, max_size=20)), min_size=1, max_size=5))
def test_random_bytes_in_a_ledger_raise_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with transaction(path) as entry:
        entry.put(HEAD, BATCHES, {})
        entry.remember("one", MEMORY)
    data = bytearray(path.read_bytes())
    for place, octets in changes:
        start = place % len(data)
        data[start : start + len(octets)] = octets
    path.write_bytes(data)
    for read in (read_state, lambda one: read_batches(one, "one")):
        assert refusal(read, path) in (None, Code.REVOCATION_STORE_UNREADABLE)


# --- Two at once ---


def test_a_second_writer_waits_its_turn_and_then_gives_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.05)
    with transaction(path) as entry:
        entry.remove("one")
        with pytest.raises(RevocationError, match="try again"), transaction(path):
            pass
        # Whoever reads sees what was there before.
        assert read_state(path).lists == {"one": HEAD}
    assert read_state(path).lists == {}


def test_writers_at_once_lose_nothing(path: Path) -> None:
    def counts() -> None:
        for _ in range(20):
            with transaction(path) as entry:
                memory = entry.state.memories["one"]
                entry.remember("one", msgspec.structs.replace(memory, highest=(memory.highest or 0) + 1))

    threads = [threading.Thread(target=counts) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_state(path).memories["one"].highest == 7 + 60
