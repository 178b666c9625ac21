"""The parts of a run on a cluster that need no cluster: which rows are whose, and what a part is until it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.batch.cluster.parts import REJECTED, Folder, Told
from healthcert.batch.cluster.run import ClusterRun
from healthcert.batch.cluster.secrets import MachineSecrets
from healthcert.batch.cluster.spans import Span, rest_of, spans_of
from healthcert.batch.cluster.work import TRIES, Answer, SpanWorker, Task
from healthcert.batch.protocol import ChunkResult, Given, Output, Refusal, Source, Text
from healthcert.batch.sinks.rows import Columns, Kind
from healthcert.batch.sinks.tables import table_bytes
from healthcert.errors import BatchError, Code, DecodeError, HealthCertError, IssueError, RegisterError

COLUMNS: Columns = {"source": Kind.TEXT, "row": Kind.NUMBER, "text": Kind.TEXT}
ROWS = 100
GROUPS = st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=4)


class Numbers:
    """A source of texts that tell their row; the tenth of each ten holds none."""

    def __init__(self, path: str) -> None:
        self.path = path

    def items(self, skip: int = 0) -> Iterator[Text]:
        return (Text(number, f"{self.path} {number}") for number in range(skip + 1, ROWS + 1))


class Working(msgspec.Struct, frozen=True):
    """Work that rejects each tenth row, and tells of rows that are done again; ``error`` is raised at row 50."""

    error: Exception | None = None

    def __call__(self) -> Working.Do:
        return self.Do(self.error)

    class Do(msgspec.Struct):
        error: Exception | None

        def __call__(self, items: Sequence[Given[Any]]) -> ChunkResult:
            if self.error is not None and any(item.number == 50 for _, item in items):
                raise self.error
            rows = [{"source": name, "row": item.number, "text": item.text} for name, item in items if item.number % 10]
            lost = [Refusal(name, item.number, REFUSED) for name, item in items if item.number % 10 == 0]
            done = ChunkResult(
                outputs=(Output(table_bytes(rows, COLUMNS)),) if rows else (),
                refusals=tuple(lost),
                counts={"verdict:rejected": len(lost)},
            )
            return msgspec.structs.replace(
                done, redone=msgspec.structs.replace(done, counts={**done.counts, "again": len(items)})
            )


REFUSED = DecodeError(Code.RECORD_UNREADABLE, "no text")


def task(folder: Path, error: Exception | None = None) -> Task:
    for name in ("out", "rejects"):
        (folder / name).mkdir(exist_ok=True)

    def opened(path: str) -> Source[Any]:
        return Numbers(path)  # type: ignore[return-value]  # what a worker needs of one

    return Task(
        work=Working(error), open_source=opened, names=("here",), paths=("/there",), out=folder / "out",
        rejects=folder / "rejects", columns=COLUMNS, chunk=7, run="a run",
    )  # fmt: skip


SPAN = Span(at=1000, rows=30, source=0, first=20)


@given(GROUPS, st.integers(1, 50))
def test_spans_are_all_rows_in_order_and_end_with_groups(groups: list[list[int]], most: int) -> None:
    spans = list(spans_of(groups, most))
    assert [row for span in spans for row in range(span.at, span.end)] == list(range(sum(map(sum, groups))))
    for source, sizes in enumerate(groups):
        ends = {sum(sizes[:place]) for place in range(len(sizes) + 1)}
        mine = [span for span in spans if span.source == source]
        assert {span.first for span in mine} | {span.first + span.rows for span in mine} <= ends
        assert all(span.rows <= most or span.rows in sizes for span in mine)
    assert sorted(span.part for span in spans) == [span.part for span in spans]


@given(GROUPS, st.integers(1, 50), st.integers(1, 50), st.data())
def test_what_is_left_is_what_was_not_done(
    groups: list[list[int]], most: int, before: int, data: st.DataObject
) -> None:
    pieces = [piece for span in spans_of(groups, before) for piece in span.pieces(7)]
    done = data.draw(st.lists(st.sampled_from(pieces), unique=True)) if pieces else []
    left = list(rest_of(spans_of(groups, most), sorted(done)))
    rows = [row for span in [*left, *done] for row in range(span.at, span.end)]
    assert sorted(rows) == list(range(sum(map(sum, groups))))
    places = {row: (span.source, span.first + row - span.at) for span in spans_of(groups, 50) for row in _rows(span)}
    assert all(places[row] == (span.source, span.first + row - span.at) for span in left for row in _rows(span))


def _rows(span: Span) -> range:
    return range(span.at, span.end)


def test_a_worker_writes_the_rows_of_its_span_alone(tmp_path: Path) -> None:
    answer = SpanWorker(task(tmp_path)).answer(SPAN)
    assert answer == Answer(SPAN, {"verdict:rejected": 3})
    [part] = (tmp_path / "out").iterdir()
    assert part.name == "part-000000001000.parquet"
    assert part.stat().st_mode & 0o777 == 0o600
    rows = pq.read_table(part).to_pylist()
    assert [row["row"] for row in rows] == [number for number in range(21, 51) if number % 10]
    assert {(row["source"], row["text"].split()[0]) for row in rows} == {("here", "/there")}
    lost = pq.read_table(tmp_path / "rejects" / part.name).to_pylist()
    assert lost == [
        {"source": "here", "row": row, "code": "RECORD_UNREADABLE", "reason": "no text"} for row in (30, 40, 50)
    ]


def test_a_span_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    SpanWorker(task(tmp_path)).answer(SPAN)
    before = [path.stat() for path in (tmp_path / "out").iterdir()]
    answer = SpanWorker(task(tmp_path, RuntimeError("not asked"))).answer(SPAN)
    assert answer == Answer(SPAN, {"verdict:rejected": 3})
    assert [path.stat() for path in (tmp_path / "out").iterdir()] == before


def test_what_a_killed_worker_left_counts_as_a_try_and_is_given_up_in_the_end(tmp_path: Path) -> None:
    worker = SpanWorker(task(tmp_path))
    for number in range(TRIES - 1):
        (tmp_path / "out" / f".{SPAN.part}.{number:08x}").touch()
    assert worker.answer(SPAN) == Answer(SPAN, {"verdict:rejected": 3, "again": 30})
    (tmp_path / "out" / SPAN.part).unlink()
    (tmp_path / "out" / f".{SPAN.part}.{TRIES:08x}").touch()
    assert worker.answer(SPAN) == Answer(SPAN)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (RegisterError(Code.REGISTER_UNUSABLE, "gone"), Code.REGISTER_UNUSABLE, "gone"),
        (OSError(28, "No space left on device", "a file"), Code.ENVIRONMENT, "No space left on device: a file"),
        (ValueError("Zoé Exemple, 1984-02-29"), Code.GENERAL_ERROR, "an internal error (ValueError)"),
    ],
    ids=["register", "disk", "unforeseen"],
)
def test_what_is_raised_is_an_answer_and_leaves_nothing(
    tmp_path: Path, error: Exception, code: Code, detail: str
) -> None:
    answer = SpanWorker(task(tmp_path, error)).answer(SPAN)
    assert answer.counts is None
    assert answer.trouble is not None
    assert (answer.trouble.code, answer.trouble.detail) == (code, detail)
    assert [*(tmp_path / "out").iterdir(), *(tmp_path / "rejects").iterdir()] == []


def test_a_source_that_has_fewer_rows_than_it_had_ends_the_run(tmp_path: Path) -> None:
    answer = SpanWorker(task(tmp_path)).answer(Span(at=0, rows=ROWS + 1, source=0, first=0))
    assert answer.trouble is not None
    assert answer.trouble.code is Code.ENVIRONMENT


def test_another_release_on_a_machine_ends_the_run(tmp_path: Path) -> None:
    answer = SpanWorker(msgspec.structs.replace(task(tmp_path), version="0.0.0")).answer(SPAN)
    assert answer.trouble is not None
    assert "0.0.0" in answer.trouble.detail


def test_a_run_goes_on_by_its_own_whole_parts(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out", COLUMNS)
    folder.prepare()
    whole, piece, other = Span(0, 10, 0, 0), Span(3, 4, 0, 3), Span(20, 10, 0, 20)
    for run, span in (("a", whole), ("a", piece), ("another", other)):
        with folder.writing(span.part) as part:
            part.tell(Told(run, span, {}))
    (folder.path / "part-000000000040.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(KeyError), folder.writing("part-000000000050.parquet"):
        raise KeyError
    assert [told.span for told in folder.done("a")] == [whole]
    folder.keep({whole.part})
    assert [path.name for path in folder.path.iterdir()] == [whole.part]


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(FileExistsError):
        Folder(tmp_path, REJECTED).prepare()


def test_secrets_of_a_machine_are_its_files_or_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEALTHCERT_PASSPHRASE", "HEALTHCERT_PIN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(IssueError, match="nobody is asked"):
        MachineSecrets().passphrase(Path("key.pem"))
    with pytest.raises(IssueError, match="nobody is asked"):
        MachineSecrets().pin("token")
    (tmp_path / "file").write_text("from a file\nnot this\n")
    told = MachineSecrets(passphrase_file=tmp_path / "file", pin_file=tmp_path / "file")
    assert (told.passphrase(Path("key.pem")), told.pin("token")) == (b"from a file", "from a file")
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "from a variable")
    monkeypatch.setenv("HEALTHCERT_PIN", "1234")
    assert (MachineSecrets().passphrase(Path("key.pem")), MachineSecrets().pin("token")) == (b"from a variable", "1234")
    (tmp_path / "file").write_bytes(os.linesep.encode())
    with pytest.raises(HealthCertError):
        told.passphrase(Path("key.pem"))


class Machines:
    """A cluster whose workers are this process; ``lost`` are rows that end a worker."""

    def __init__(self, folder: Path, *, machines: int = 1, lost: frozenset[int] = frozenset()) -> None:
        self.count, self.machines, self._folder, self._lost = 2, machines, folder, lost
        self.done: list[Span] = []

    @contextmanager
    def connected(self) -> Iterator[Machines]:
        yield self

    def answers(self, task: Task, spans: Sequence[Span]) -> Iterator[Answer]:
        for span in reversed(spans):
            if self._lost & set(_rows(span)):
                yield Answer(span)
            else:
                self.done.append(span)
                yield SpanWorker(task).answer(span)


def numbers(folder: Path) -> list[int]:
    return [row["row"] for part in sorted(folder.iterdir()) for row in pq.read_table(part).to_pylist()]


def test_what_ends_workers_is_done_in_pieces_and_one_row_is_rejected(tmp_path: Path) -> None:
    run = ClusterRun(task(tmp_path), [[25] * 4])
    run.go(Machines(tmp_path, lost=frozenset([41])))  # type: ignore[arg-type]
    assert sorted(numbers(tmp_path / "out") + numbers(tmp_path / "rejects")) == list(range(1, ROWS + 1))
    assert numbers(tmp_path / "out") == [row for row in range(1, ROWS + 1) if row % 10 and row != 42]
    assert run.summary().of("code") == {"WORKER_LOST": 1}
    assert run.summary().rows == ROWS


def test_a_run_that_was_stopped_goes_on_with_what_is_left(tmp_path: Path) -> None:
    first = ClusterRun(task(tmp_path), [[25] * 4], progress=lambda run: run.stop())
    first.go(Machines(tmp_path))  # type: ignore[arg-type]
    assert (first.summary().rows, first.summary().stopped) == (25, True)
    machines = Machines(tmp_path)
    second = ClusterRun(task(tmp_path), [[25] * 4], resumed=True)
    second.go(machines)  # type: ignore[arg-type]
    assert len(machines.done) == 3
    assert (second.summary().rows, second.summary().stopped) == (ROWS, False)
    assert second.summary().counts["verdict:rejected"] == ROWS // 10
    assert numbers(tmp_path / "out") == [row for row in range(1, ROWS + 1) if row % 10]
    # Once more, and there is nothing to connect for.
    third = ClusterRun(task(tmp_path), [[25] * 4], resumed=True)
    third.go(None)  # type: ignore[arg-type]
    assert third.summary().rows == ROWS


def test_rows_that_nobody_answered_for_are_no_complete_run(tmp_path: Path) -> None:
    class Forgetful(Machines):
        def answers(self, task: Task, spans: Sequence[Span]) -> Iterator[Answer]:
            return super().answers(task, spans[1:])

    run = ClusterRun(task(tmp_path), [[25] * 4])
    with pytest.raises(BatchError, match="answered for 75 of 100 rows") as raised:
        run.go(Forgetful(tmp_path))  # type: ignore[arg-type]
    assert raised.value.code is Code.WORKER_LOST
    # What was done stays, to be gone on with.
    rest = ClusterRun(task(tmp_path), [[25] * 4], resumed=True)
    rest.go(Machines(tmp_path))  # type: ignore[arg-type]
    assert rest.summary().rows == ROWS


def test_a_register_in_a_file_is_refused_for_several_machines(tmp_path: Path) -> None:
    run = ClusterRun(task(tmp_path), [[25] * 4], one_machine=True)
    with pytest.raises(RegisterError, match="one machine's"):
        run.go(Machines(tmp_path, machines=2))  # type: ignore[arg-type]
    assert numbers(tmp_path / "out") == []


def test_trouble_of_a_worker_ends_the_run(tmp_path: Path) -> None:
    run = ClusterRun(task(tmp_path, RegisterError(Code.REGISTER_UNUSABLE, "gone")), [[25] * 4])
    with pytest.raises(HealthCertError, match="gone") as raised:
        run.go(Machines(tmp_path))  # type: ignore[arg-type]
    assert raised.value.code is Code.REGISTER_UNUSABLE
    assert 0 < run.summary().rows < ROWS
