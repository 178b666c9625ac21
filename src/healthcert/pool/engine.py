"""Chunks go out to the workers, and results come back in the order of the chunks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Generic, Self, cast

from healthcert.errors import BatchError, Code
from healthcert.pool.tasks import Done, Item, Piece, R, Task
from healthcert.pool.worker import AHEAD, Worker, carried

_FALSE_STARTS = 3  # workers in a row that end before they could do anything


class Pool(Generic[Item, R]):
    """So many processes, each of which calls ``work`` once and does chunks with what that gives.

    ``work`` must be picklable: a function of a module, ``functools.partial`` of one, a frozen Struct or dataclass with
    ``__call__``. It is taken as it is now: a process that is started later, in the place of one that died, gets the
    same. With one worker all is done in this process, chunk by chunk as results are asked for, and nothing protects it
    from a crash. A pool is used by one thread, and by one :meth:`map` at a time.
    """

    def __init__(self, work: Callable[[], Callable[[Sequence[Item]], R]], *, workers: int = 1) -> None:
        """Starts nothing yet. Raises TypeError, or what else pickling raises, where ``work`` cannot go to a process."""
        if workers < 1:
            raise ValueError("a pool has one worker or more")
        self._work = work
        self._size = workers
        self._carried = carried(work) if workers > 1 else b""
        self._do: Callable[[Sequence[Item]], R] | None = None
        self._workers: list[Worker] = []
        self._waiting: deque[Piece] = deque()
        self._false_starts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ends all processes at once, whatever they do."""
        while self._workers:
            self._workers.pop().end()
        self._waiting = deque()  # another one, by which an iteration that is still open knows

    def map(self, chunks: Iterable[Sequence[Item]]) -> Iterator[Done[Item, R]]:
        """Each chunk with its result, in order.

        At most two chunks for each worker are read beyond the last result that was given. What iterating ``chunks``
        raises is raised after the results of the chunks before it, and so is what the work raises:
        :class:`HealthCertError` and others as themselves, where they can be passed between processes, else
        :class:`BatchError`. An item that ended its worker three times by itself comes out as :class:`Lost`;
        :class:`BatchError` (``WORKER_LOST``) is raised where no worker can be started. When the iteration is given up,
        the workers are ended.
        """
        return self._map_here(chunks) if self._size == 1 else self._map_there(chunks)

    def _map_here(self, chunks: Iterable[Sequence[Item]]) -> Iterator[Done[Item, R]]:
        for chunk in chunks:
            if self._do is None:
                self._do = self._work()
            yield Done(chunk, (self._do(chunk),), redone=False)

    def _map_there(self, chunks: Iterable[Sequence[Item]]) -> Iterator[Done[Item, R]]:
        source, trouble = iter(chunks), None
        open_tasks: deque[Task] = deque()
        reading, waiting = True, self._waiting
        try:
            while reading or open_tasks:
                if waiting is not self._waiting:
                    raise RuntimeError("the pool was ended while results were still to come")
                if reading and len(open_tasks) < AHEAD * self._size:
                    try:
                        task = Task(next(source))
                        open_tasks.append(task)
                        waiting.extend(task.pieces)
                    except StopIteration:
                        reading = False
                    except Exception as error:  # noqa: BLE001 (raised when it is its turn)
                        reading, trouble = False, error
                    self._turn_round(len(open_tasks), patient=False)
                else:
                    self._turn_round(len(open_tasks), patient=True)
                while open_tasks and open_tasks[0].is_done:
                    yield open_tasks.popleft().done()
            if trouble is not None:
                raise trouble
        except BaseException:
            # The one that iterates gave up, or must: what is under way is for nobody any more.
            if waiting is self._waiting:
                self.end()
            raise

    def _turn_round(self, wanted: int, *, patient: bool) -> None:
        """Hands out what waits, and takes in what is there; waits until something is there if ``patient``."""
        while len(self._workers) < min(self._size, wanted):
            self._workers.append(self._started())
        self._hand_out()
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(by_connection, None if patient else 0):
            self._listen(by_connection[cast("Connection", connection)])
        self._hand_out()

    def _started(self) -> Worker:
        try:
            return Worker(self._carried)
        except OSError as error:
            detail = f"no worker can be started: {error.strerror or type(error).__name__}"
            raise BatchError(Code.WORKER_LOST, detail) from None

    def _hand_out(self) -> None:
        while self._waiting:
            ready = [worker for worker in self._workers if worker.is_ready and len(worker.given) < AHEAD]
            if not ready:
                return
            min(ready, key=lambda worker: len(worker.given)).give(self._waiting.popleft())

    def _listen(self, worker: Worker) -> None:
        was_ready = worker.is_ready
        try:
            worker.listen()
        except (EOFError, OSError):
            self._lose(worker)
        else:
            if worker.is_ready and not was_ready:
                self._false_starts = 0

    def _lose(self, worker: Worker) -> None:
        """Of the pieces that the worker had it had begun the first; they are the next to be done again."""
        self._workers.remove(worker)
        worker.end()
        if not worker.is_ready:
            self._false_starts += 1
            if self._false_starts == _FALSE_STARTS:
                detail = (
                    f"{_FALSE_STARTS} workers ended before they could begin: a script that asks for workers needs "
                    "`if __name__ == '__main__':`"
                )
                raise BatchError(Code.WORKER_LOST, detail)
        if worker.given:
            begun = worker.given.popleft()
            self._waiting.extendleft(reversed([*begun.ended_its_worker(), *worker.given]))
