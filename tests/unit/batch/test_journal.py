"""The journal of a run: what it said last is read again, and whatever else is there is not believed."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from healthcert.batch.journal import Entry, Journal, fingerprint
from healthcert.errors import BatchError, Code

SINCE = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
FIRST = Entry(run="one", since=SINCE)
LATER = Entry(
    run="one",
    since=SINCE,
    source=1,
    items=7,
    rows=19,
    counts={"code:OK": 19},
    mark={"bytes": 4},
    rejects=3,
    seconds=2.5,
)


def refused(path: Path, run: str = "one") -> str:
    with pytest.raises(BatchError) as caught:
        Journal.resume(path, run)
    assert caught.value.code is Code.JOURNAL_UNUSABLE
    return caught.value.detail


def kept(path: Path, entry: Entry = LATER) -> None:
    journal = Journal.begin(path, FIRST)
    journal.write(entry)
    journal.close()


def test_what_was_written_last_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "out.journal"
    journal = Journal.begin(path, FIRST)
    journal.write(LATER)
    journal.close()
    found = Journal.resume(path, "one")
    assert found is not None
    assert found[1] == LATER
    assert path.stat().st_mode & 0o777 == 0o600
    found[0].remove()
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_none_a_run_begins_at_its_beginning(tmp_path: Path) -> None:
    assert Journal.resume(tmp_path / "out.journal", "one") is None


def test_one_that_is_there_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "out.journal"
    kept(path)
    before = path.read_bytes()
    with pytest.raises(BatchError, match="go on with it"):
        Journal.begin(path, FIRST)
    assert path.read_bytes() == before


def test_another_runs_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "out.journal"
    kept(path)
    assert "other input, options or settings" in refused(path, "two")


def test_a_run_that_goes_on_is_not_gone_on_with_by_another(tmp_path: Path) -> None:
    path = tmp_path / "out.journal"
    journal = Journal.begin(path, FIRST)
    assert "another program" in refused(path)
    journal.write(LATER)
    assert "another program" in refused(path)
    journal.close()
    assert Journal.resume(path, "one") is not None


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"null",
        b"[]",
        b"\xff",
        b'{"run":"one"}',
        b'{"run":"one","since":"2021-08-20T10:00:00"}',
        b'{"run":"one","since":"2021-08-20T10:00:00Z","version":2}',
        b'{"run":"one","since":"2021-08-20T10:00:00Z","items":-1}',
        b'{"run":"one","since":"2021-08-20T10:00:00Z","items":1.5}',
        b'{"run":"one","since":"2021-08-20T10:00:00Z","counts":{"a":-1}}',
        b'{"run":"one","since":"2021-08-20T10:00:00Z","extra":1}',
        b'{"run":"one","since":"2021-08-20T10:00:00Z","mark":' + b"[" * 5000,
        b" " * (1024 * 1024) + b'{"run":"one","since":"2021-08-20T10:00:00Z"}',
    ],
)
def test_a_damaged_one_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "out.journal"
    path.write_bytes(data)
    assert "damaged" in refused(path)
    assert path.read_bytes() == data


def test_what_is_no_file_of_its_own_is_refused(tmp_path: Path) -> None:
    kept(tmp_path / "other")
    (tmp_path / "link").symlink_to("other")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert "no file" in refused(tmp_path / "pipe")
    for name in ("link", "folder"):
        with pytest.raises(OSError, match=name):
            Journal.resume(tmp_path / name, "one")


def test_an_entry_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.journal"
    journal = Journal.begin(path, FIRST)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            journal.write(LATER)
    journal.close()
    found = Journal.resume(path, "one")
    assert found is not None
    assert found[1] == FIRST
    assert [one.name for one in tmp_path.iterdir()] == ["out.journal"]


def test_a_run_is_known_by_all_that_it_is_made_of() -> None:
    one = {"sources": [["a.csv", {"size": 3}]], "out": "x"}
    assert fingerprint(one) == fingerprint(dict(reversed(one.items())))
    assert fingerprint(one) != fingerprint({**one, "sources": [["a.csv", {"size": 4}]]})


def test_an_empty_one_is_of_a_run_that_never_began(tmp_path: Path) -> None:
    path = tmp_path / "out.journal"
    path.touch()
    assert Journal.resume(path, "one") is None
    assert not path.exists()
