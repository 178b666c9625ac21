"""A run: order, counts, and what is told of it wherever it breaks off."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from healthcert.authority.batch import IssuedRow
from healthcert.batch import run as module
from healthcert.batch.issuing import IssueWork, Issuing
from healthcert.batch.journal import Entry, Journal
from healthcert.batch.protocol import Chunk, ChunkResult, Document, Given, Output, Refusal, Text
from healthcert.batch.run import ROOM, BulkRun
from healthcert.clock import FixedClock
from healthcert.errors import BatchError, Code, HealthCertError
from healthcert.pool import Done, Lost

SINCE = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
NOW = datetime(2021, 8, 20, 11, 0, 0, 500_000, tzinfo=UTC)
FIRST = Entry(run="one", since=SINCE)
BROKEN = HealthCertError(Code.RECORD_UNREADABLE, "broken")
_Chunks = Iterable[Sequence[Given[Any]]]


class Numbers:
    """A source of texts, which may break."""

    def __init__(self, name: str, count: int, fails: Exception | None = None) -> None:
        self.name, self.size, self.done, self._fails = name, count, 0, fails
        self.identity: Mapping[str, Any] = {}

    def items(self, skip: int = 0) -> Iterator[Text]:
        for number in range(skip + 1, self.size + 1):
            self.done = number
            yield Text(number, f"{self.name}{number}")
        if self._fails is not None:
            raise self._fails


class Kept:
    """A sink, and a file of rejected rows."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.lines: list[str] = []
        self.rejected: list[tuple[str, int]] = []
        self.closed = 0
        self._fails_at = fails_at

    def write(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if len(self.lines) == self._fails_at:
                raise OSError(28, "No space left on device")
            self.lines.append(output.data.decode())

    def flush(self) -> Any:
        return {"lines": len(self.lines)}

    def close(self) -> None:
        self.closed += 1

    def add(self, source: str, row: int, error: HealthCertError) -> None:
        self.rejected.append((source, row))


class RejectsOf:
    """The other face of :class:`Kept`."""

    def __init__(self, kept: Kept) -> None:
        self.add = kept.add
        self._kept = kept

    def flush(self) -> int:
        return len(self._kept.rejected)


def told(items: Sequence[Given[Any]]) -> ChunkResult:
    """Each seventh row is refused."""
    good = [(source, item) for source, item in items if item.number % 7]
    refusals = [Refusal(source, item.number, BROKEN) for source, item in items if not item.number % 7]
    outputs = tuple(Output(item.text.encode()) for _, item in good)
    counts = {"verdict:good": len(good), "verdict:rejected": len(refusals)}
    return ChunkResult(outputs=outputs, refusals=tuple(refusals), counts=counts)


def engine(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
    for chunk in chunks:
        yield Done(chunk, (told(chunk),), redone=False)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of ten, and an entry of the journal after each."""
    monkeypatch.setattr(module, "TEXTS", 10)
    monkeypatch.setattr(module, "_EVERY", 0.0)


def bulk(kept: Kept, *sources: Numbers, entry: Entry = FIRST, journal: Journal | None = None, **more: Any) -> Any:
    return BulkRun(sources, kept, RejectsOf(kept), entry=entry, journal=journal, clock=FixedClock(NOW), **more)


def test_all_sources_are_done_in_their_order() -> None:
    kept, sizes = Kept(), []

    def noting(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        return engine(chunk for chunk in chunks if sizes.append(len(chunk)) is None)  # type: ignore[func-returns-value]

    run = bulk(kept, Numbers("a", 25), Numbers("b", 0), Numbers("c", 10))
    run.go(noting)
    assert sizes == [10, 10, 5, 10]
    assert kept.lines == [f"{s}{n}" for s, most in (("a", 25), ("c", 10)) for n in range(1, most + 1) if n % 7]
    assert kept.rejected == [("a", 7), ("a", 14), ("a", 21), ("c", 7)]
    summary = run.summary()
    assert (summary.rows, summary.of("verdict"), summary.stopped) == (35, {"good": 31, "rejected": 4}, False)
    assert (run.rows, kept.closed) == (35, 1)


def test_large_items_make_small_chunks() -> None:
    class Large(Numbers):
        def items(self, skip: int = 0) -> Iterator[Any]:
            yield Text(1, "x" * ROOM)
            yield Text(2, "x" * (ROOM // 2))
            for number in range(3, 40):
                yield Document(number, "d", None)

    sizes: list[int] = []

    def noting(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        for chunk in chunks:
            sizes.append(len(chunk))
            empty = ChunkResult(outputs=(), refusals=(), counts={})
            yield Done(chunk, (empty,), redone=False)

    bulk(Kept(), Large("a", 0)).go(noting)
    assert sizes == [1, 9, 16, 13]


def test_a_run_goes_on_where_its_entry_says() -> None:
    kept = Kept()
    entry = replace(FIRST, source=1, items=12, rows=37, counts={"verdict:good": 33, "verdict:rejected": 4}, seconds=50)
    run = bulk(kept, Numbers("a", 25), Numbers("b", 15), Numbers("c", 2), entry=entry, resumed=True)
    run.go(engine)
    assert kept.lines == ["b13", "b15", "c1", "c2"]
    summary = run.summary()
    assert (summary.rows, summary.of("verdict")) == (42, {"good": 37, "rejected": 5})
    assert (summary.resumed, summary.seconds >= 50, run.rows) == (True, True, 5)


def entries(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """What the journal says, in turn."""
    found: list[Entry] = []
    write: Callable[[Journal, Entry], None] = Journal.write

    def noting(journal: Journal, entry: Entry) -> None:
        write(journal, entry)
        found.append(entry)

    monkeypatch.setattr(Journal, "write", noting)
    return found


def test_the_journal_tells_after_each_chunk_what_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, kept = entries(monkeypatch), Kept()
    journal = Journal.begin(tmp_path / "journal", FIRST)
    bulk(kept, Numbers("a", 25), Numbers("b", 3), journal=journal).go(engine)
    places = [(entry.source, entry.items, entry.rows) for entry in found]
    assert places == [(0, 0, 0), (0, 10, 10), (0, 20, 20), (0, 25, 25), (1, 3, 28), (1, 3, 28)]
    assert [entry.mark for entry in found[1:4]] == [{"lines": 9}, {"lines": 18}, {"lines": 22}]
    assert [entry.rejects for entry in found[1:4]] == [1, 2, 3]
    assert found[1].since == NOW.replace(microsecond=0)
    assert list(tmp_path.iterdir()) == []


def test_what_may_have_been_done_and_is_not_told_counts_from_when_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, kept = entries(monkeypatch), Kept()
    moments = (NOW.replace(minute=minute) for minute in range(60))

    class Ticking(FixedClock):
        def now(self) -> datetime:
            return next(moments)

    def ahead(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        return engine(list(chunks))

    journal = Journal.begin(tmp_path / "journal", FIRST)
    run = BulkRun([Numbers("a", 25)], kept, RejectsOf(kept), entry=FIRST, journal=journal, clock=Ticking(NOW))
    run.go(ahead)
    # After the first of three chunks, the second one was under way from the first minute on.
    assert [entry.since.minute for entry in found[1:4]] == [1, 2, 3]


@pytest.mark.parametrize("fails", [OSError(5, "Input/output error"), BROKEN, ValueError("?"), KeyboardInterrupt()])
def test_what_a_source_raises_comes_after_what_stands_before_it(tmp_path: Path, fails: Exception) -> None:
    kept = Kept()
    journal = Journal.begin(tmp_path / "journal", FIRST)
    with pytest.raises(type(fails)):
        bulk(kept, Numbers("a", 25, fails), journal=journal).go(engine)
    found = Journal.resume(tmp_path / "journal", "one")
    assert found is not None
    assert (found[1].items, found[1].mark, kept.closed) == (20, {"lines": len(kept.lines)}, 1)


def test_an_output_that_fails_in_the_middle_of_a_chunk_leaves_the_journal_before_it(tmp_path: Path) -> None:
    kept = Kept(fails_at=12)
    journal = Journal.begin(tmp_path / "journal", FIRST)
    with pytest.raises(OSError, match="No space"):
        bulk(kept, Numbers("a", 25), journal=journal).go(engine)
    found = Journal.resume(tmp_path / "journal", "one")
    assert found is not None
    assert (found[1].items, found[1].mark) == (10, {"lines": 9})


def test_a_run_that_is_stopped_finishes_what_was_begun_and_no_more(tmp_path: Path) -> None:
    kept = Kept()
    journal = Journal.begin(tmp_path / "journal", FIRST)
    run = bulk(kept, Numbers("a", 45), Numbers("b", 5), journal=journal)

    def stopping(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        rest = iter(chunks)
        begun = [next(rest), next(rest)]
        run.stop()
        yield from engine([*begun, *rest])

    run.go(stopping)
    assert (run.summary().stopped, run.summary().rows) == (True, 20)
    found = Journal.resume(tmp_path / "journal", "one")
    assert found is not None
    again = bulk(kept, Numbers("a", 45), Numbers("b", 5), entry=found[1], journal=found[0], resumed=True)
    again.go(engine)
    assert kept.lines == [f"{s}{n}" for s, most in (("a", 45), ("b", 5)) for n in range(1, most + 1) if n % 7]
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_told_to_stop_when_nothing_was_left_is_complete(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path / "journal", FIRST)
    run = bulk(Kept(), Numbers("a", 5), journal=journal)

    def late(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        yield from engine(chunks)
        run.stop()

    run.go(late)
    assert run.summary().stopped is False
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_ended_after_all_was_read_is_not_complete(tmp_path: Path) -> None:
    kept = Kept()
    journal = Journal.begin(tmp_path / "journal", FIRST)
    run = bulk(kept, Numbers("a", 25), journal=journal)

    def ending(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        yield from engine(list(chunks)[:1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.go(ending)
    run.stop()
    assert (run.summary().stopped, run.summary().rows) == (True, 10)
    assert Journal.resume(tmp_path / "journal", "one") is not None


@pytest.mark.parametrize(("begun", "issued"), [(SINCE, 2), (SINCE.replace(second=2), 1), (SINCE.replace(second=4), 0)])
def test_a_chunk_that_is_done_again_has_issued_what_is_no_older_than_it(begun: datetime, issued: int) -> None:
    class Held:
        """A register that has it all, each certificate a second after the one before."""

        country = "FR"

        def run(self, **_: Any) -> Held:
            return self

        def answers(self, rows: Sequence[Any]) -> Iterator[tuple[None, IssuedRow]]:
            for number in (1, 2, 2):
                at = SINCE.replace(second=number)
                one = SimpleNamespace(certificate_id=f"URN:{number}", issued_at=at, expires=at, text="HC1:")
                yield None, IssuedRow(number=number, issued=cast("Any", one), again=True)

    work = IssueWork(profile=cast("Any", None), secrets=cast("Any", None), began=SINCE)
    items = Chunk([("a", cast("Any", None))] * 3, begun)
    result = Issuing(work, cast("Any", Held()))(pickle.loads(pickle.dumps(items))[:])
    assert result.redone is not None
    assert (result.counts["verdict:issued"], result.redone.counts["verdict:issued"]) == (0, issued)


def test_of_a_chunk_that_was_begun_twice_is_told_what_holds_then() -> None:
    kept = Kept()
    once = ChunkResult(outputs=(Output(b"again"),), refusals=(), counts={"verdict:issued_before": 1})
    twice = replace(once, outputs=(Output(b"new"),), counts={"verdict:issued": 1})

    def redoing(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        for place, chunk in enumerate(chunks):
            yield Done(chunk, (replace(once, redone=twice),), redone=place == 1)

    run = bulk(kept, Numbers("a", 10), Numbers("b", 10))
    run.go(redoing)
    assert kept.lines == ["again", "new"]
    assert run.summary().of("verdict") == {"issued": 1, "issued_before": 1}


def test_an_item_that_no_worker_survives_is_a_rejected_row() -> None:
    kept = Kept()

    def losing(chunks: _Chunks) -> Iterator[Done[Given[Any], ChunkResult]]:
        for chunk in chunks:
            lost = Lost(chunk[1], BatchError(Code.WORKER_LOST, "the worker ended"))
            yield Done(chunk, (told(chunk[:1]), lost, told(chunk[2:])), redone=True)

    run = bulk(kept, Numbers("a", 5))
    run.go(losing)
    assert (kept.lines, kept.rejected) == (["a1", "a3", "a4", "a5"], [("a", 2)])
    assert run.summary().of("code") == {"WORKER_LOST": 1}
    assert run.summary().rows == 5
