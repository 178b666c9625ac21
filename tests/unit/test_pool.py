"""Chunks over several processes: in order, bounded, and told what went wrong at its turn."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from healthcert.errors import BatchError, Code, FetchError, HealthCertError, Step
from healthcert.pool import Done, Lost, Pool
from tests.unit import pool_work as work

HOUR = 3_600_000  # milliseconds


def whole(done: Iterable[Done[Any, Any]]) -> list[Any]:
    """The results of chunks that were done whole."""
    results = [one.results for one in done]
    assert all(len(each) == 1 for each in results)
    return [result for (result,) in results]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_chunks_whoever_is_done_first(workers: int) -> None:
    chunks = [[60 if number == 0 else number % 3, number] for number in range(25)]
    with Pool(work.slowly, workers=workers) as pool:
        done = list(pool.map(chunks))
    assert [one.items for one in done] == chunks
    assert [items for _, items in whole(done)] == chunks
    assert not any(one.redone for one in done)


def test_one_worker_is_this_process_and_does_a_chunk_when_its_result_is_asked_for() -> None:
    read: list[int] = []

    def chunks() -> Iterator[list[int]]:
        for number in range(3):
            read.append(number)
            yield [number]

    with Pool(work.pids) as pool:
        results = pool.map(chunks())
        assert read == []
        assert next(results) == Done([0], (os.getpid(),), redone=False)
        assert read == [0]


def test_several_workers_are_other_processes_and_stay_for_further_chunks() -> None:
    seen: set[int] = set()

    def until_both_are_there() -> Iterator[list[int]]:
        while len(seen) < 2:
            yield [5]

    with Pool(work.slowly, workers=2) as pool:
        for done in pool.map(until_both_are_there()):
            seen.update(pid for pid, _ in whole([done]))
        assert {pid for pid, _ in whole(pool.map([[5]] * 12))} <= seen
        assert seen <= {child.pid for child in multiprocessing.active_children()}
    assert not seen & {child.pid for child in multiprocessing.active_children()}


def test_few_chunks_are_read_ahead() -> None:
    read = 0

    def chunks() -> Iterator[list[int]]:
        nonlocal read
        while True:
            read += 1
            yield [read]

    with Pool(work.squares, workers=2) as pool:
        for given, one in enumerate(pool.map(chunks()), 1):
            assert one.results == ([given * given],)
            assert read < given + 2 * 2
            if given == 200:
                break


def test_giving_up_ends_the_workers_whatever_they_do() -> None:
    before = set(multiprocessing.active_children())
    with Pool(work.slowly, workers=2) as pool:
        results = pool.map([[1], [HOUR], [HOUR], [HOUR]])
        assert next(results).items == [1]
        assert set(multiprocessing.active_children()) - before
        results.close()  # type: ignore[attr-defined]  # an iterator that is a generator
        assert set(multiprocessing.active_children()) == before
        # And the pool goes on where more is asked of it.
        assert whole(pool.map([[0], [1]]))[1][1] == [1]
        results = pool.map([[1], [HOUR], [HOUR]])
        next(results)
    assert set(multiprocessing.active_children()) == before
    with pytest.raises(RuntimeError, match="the pool was ended"):
        next(results)
    assert set(multiprocessing.active_children()) == before


@pytest.mark.parametrize(
    ("kind", "type_", "told"),
    [
        ("own", FetchError, "FETCH_FAILED at trust: no such server"),
        ("place", OSError, f"[Errno {errno.ENOSPC}] No space left on device: 'here'"),
        ("other", ZeroDivisionError, "nothing to divide by"),
        ("odd", BatchError, "GENERAL_ERROR: the work failed in a worker (OddError)"),
        ("local", BatchError, "GENERAL_ERROR: the work failed in a worker (Local)"),
        ("result", BatchError, "GENERAL_ERROR: what a worker made of a chunk cannot be passed on"),
    ],
)
def test_what_the_work_raises_is_raised_at_its_turn(kind: str, type_: type[Exception], told: str) -> None:
    before = set(multiprocessing.active_children())
    with Pool(partial(work.raising, kind), workers=2) as pool:
        results = pool.map(THREE)
        assert next(results).results == ([0, 1],)
        with pytest.raises(type_) as raised:
            next(results)
        assert str(raised.value) == told
        assert type(raised.value) is type_
        assert raised.value.__cause__ is None
        assert set(multiprocessing.active_children()) == before


THREE = [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_making_the_work_raises_comes_with_the_first_chunk(workers: int) -> None:
    with Pool(partial(work.raising, "at the start"), workers=workers) as pool:
        results = pool.map(THREE)
        with pytest.raises(FetchError) as raised:
            next(results)
    assert (raised.value.code, raised.value.step, raised.value.status) == (Code.FETCH_FAILED, Step.TRUST, 404)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("error", [HealthCertError(Code.RECORD_UNREADABLE, "broken off"), OSError("gone")], ids=str)
def test_what_the_source_raises_comes_after_what_it_gave(workers: int, error: Exception) -> None:
    def chunks() -> Iterator[Sequence[int]]:
        yield from THREE
        raise error

    done: list[Sequence[int]] = []
    with Pool(work.squares, workers=workers) as pool, pytest.raises(type(error)) as raised:
        done.extend(one.items for one in pool.map(chunks()))
    assert raised.value is error
    assert done == THREE


def test_a_chunk_that_cannot_be_sent_is_an_error_at_its_turn() -> None:
    with Pool(work.squares, workers=2) as pool:
        results = pool.map([[1], [lambda: 2], [3]])  # type: ignore[list-item]
        assert next(results).results == ([1],)
        with pytest.raises((AttributeError, TypeError)):
            next(results)


def test_a_crashed_workers_chunk_is_done_again(tmp_path: Path) -> None:
    with Pool(partial(work.once, str(tmp_path / "crashed")), workers=2) as pool:
        done = list(pool.map([[number, number] for number in range(20)]))
    assert whole(done) == [[number, number] for number in range(20)]
    assert [one.redone for one in done].count(True) == 1


def test_an_item_that_no_worker_survives_is_lost_alone() -> None:
    chunks: list[list[work.Item]] = [[1, 2], [3, work.KILL, 5], [6], [work.KILL], [7, 8]]
    with Pool(work.mortal, workers=2) as pool:
        done = list(pool.map(chunks))
    assert [one.items for one in done] == chunks
    assert [one.redone for one in done] == [False, True, False, True, False]
    assert [one.results for one in done[::2]] == [([1, 2],), ([6],), ([7, 8],)]
    assert done[1].results[::2] == ([3], [5])
    for lost in (done[1].results[1], *done[3].results):
        assert isinstance(lost, Lost)
        assert lost.item == work.KILL
        assert lost.error.code is Code.WORKER_LOST


def test_workers_that_cannot_begin_end_the_run_whatever_another_answers(tmp_path: Path) -> None:
    with Pool(partial(work.alone, str(tmp_path / "begun")), workers=2) as pool:
        results = pool.map([[20]] * 400)
        with pytest.raises(BatchError, match="3 workers ended before they could begin"):
            whole(results)


def test_no_process_at_all_is_a_worker_lost_and_leaves_no_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("healthcert.pool.worker._SPAWN.Process.start", fail)
    ends: list[Any] = []
    pipe = multiprocessing.get_context("spawn").Pipe

    def piped() -> Any:
        ends.extend(both := pipe())
        return both

    monkeypatch.setattr("healthcert.pool.worker._SPAWN.Pipe", piped)
    with Pool(work.squares, workers=2) as pool, pytest.raises(BatchError) as raised:
        next(pool.map([[1]]))
    assert str(raised.value) == "WORKER_LOST: no worker can be started: Resource temporarily unavailable"
    assert [end.closed for end in ends] == [True, True]


def test_the_work_is_taken_as_it_is_when_the_pool_is_made() -> None:
    words = ["first"]
    with Pool(partial(work.said, words), workers=2) as pool:
        words.append("second")
        assert whole(pool.map([[1], [2]])) == [("first",), ("first",)]


def test_what_cannot_go_to_a_process_is_told_before_anything_is_begun() -> None:
    with pytest.raises((AttributeError, TypeError)):
        Pool(lambda: list, workers=2)
    with pytest.raises(ValueError, match="one worker or more"):
        Pool(work.squares, workers=0)


UNGUARDED = """
from healthcert.errors import BatchError
from healthcert.pool import Pool
from tests.unit.pool_work import squares

try:
    list(Pool(squares, workers=2).map([[1]]))
except BatchError as error:
    print(error)
"""


def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("WORKER_LOST: 3 workers ended before they could begin")
    assert "if __name__ == '__main__':" in done.stdout
