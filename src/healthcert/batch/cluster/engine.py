"""Ray as the engine of a bulk run: it starts workers on the machines of a cluster, and new ones for those that end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

import msgspec
from msgspec import Struct

from healthcert.batch.cluster.spans import Span
from healthcert.batch.cluster.work import Answer, SpanWorker, Task
from healthcert.errors import BatchError, Code


class Cluster(Struct, frozen=True, kw_only=True):
    """Where workers run: a cluster of Ray's, or None for one on this machine that ends with the run.

    ``workers`` is how many there are; None is one for each processor core of the cluster.
    """

    address: str | None = None
    workers: int | None = None

    @contextmanager
    def connected(self) -> Iterator[Workers]:
        """The cluster, for the time of a run.

        Raises :class:`BatchError`: ``EXTRA_MISSING`` where Ray is not installed, ``ENVIRONMENT`` where there is no
        cluster at the address.
        """
        if self.address is None:
            # Read when Ray is imported. A program that handles health data tells nobody that it was used.
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        ray = _ray()
        folder = tempfile.mkdtemp(prefix="hc", dir=os.environ.get("RAY_TMPDIR"))  # the paths of sockets are short
        # Ray prints what befell a worker to standard output, where the results or the summary may go.
        with redirect_stdout(sys.stderr):
            try:
                self._connect(ray, folder)
                cores = int(ray.cluster_resources().get("CPU", 1))
                machines = sum(1 for node in ray.nodes() if node["Alive"])
                yield Workers(count=max(min(self.workers or cores, cores), 1), machines=machines)
            finally:
                ray.shutdown()
                shutil.rmtree(folder, ignore_errors=True)

    def _connect(self, ray: Any, folder: str) -> None:
        try:
            with _signals_kept():
                if self.address is None:
                    cores = self.workers or os.cpu_count() or 1
                    ray.init("local", num_cpus=cores, object_store_memory=_OBJECT_STORE, _temp_dir=folder, **_QUIET)
                else:
                    ray.init(self.address, **_QUIET)
        except (OSError, RuntimeError, ValueError) as error:
            detail = f"no cluster of Ray is reached ({type(error).__name__}); is the address that of its first machine?"
            raise BatchError(Code.ENVIRONMENT, detail) from None


_OBJECT_STORE = 80 * 2**20  # bytes, about the least that Ray takes: nothing but places and counts go through it
_QUIET: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}


class Workers(Struct, frozen=True):
    """The workers of a cluster, and on how many machines they are."""

    count: int
    machines: int

    def answers(self, task: Task, spans: Sequence[Span]) -> Iterator[Answer]:
        """Has spans done, and gives each answer as it comes, in no order.

        A worker that ends is replaced, wherever there is room, and its span is done again: Ray sees to that. Raises
        :class:`BatchError` (``WORKER_LOST``) where Ray does not see to it any more.
        """
        import ray.data

        settings = ray.data.DataContext.get_current()
        settings.enable_progress_bars = settings.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        size = min(self.count, len(spans))
        # One span at a time for each: one that waited behind another would wait on when that is done again.
        pool = ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=1)
        rows = [msgspec.json.encode(span).decode() for span in spans]
        answers = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            SpanWorker, fn_constructor_args=(task,), batch_size=None, batch_format="pyarrow", compute=pool, num_cpus=1
        )
        try:
            for row in answers.iter_rows():
                yield msgspec.json.decode(row["answer"], type=Answer)
        except Exception as error:  # noqa: BLE001 (Ray's own, and whatever Ray itself stumbles over)
            # Ray's own words may quote what a worker had in hand.
            detail = f"the cluster does not go on ({type(error).__name__})"
            raise BatchError(Code.WORKER_LOST, detail) from None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes the signals that end a program for itself; a run that is told to stop finishes what it can."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    if threading.current_thread() is threading.main_thread():  # signals are the main thread's
        for number, handler in handlers.items():
            if handler is not None:
                signal.signal(number, handler)


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ModuleNotFoundError:
        raise BatchError(
            Code.EXTRA_MISSING, "a cluster is reached with the package ray: pip install 'healthcert[ray]'"
        ) from None
    return ray
