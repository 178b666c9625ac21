"""A bulk run on a cluster: its rows are given out in spans, and what comes of each becomes one part of the results."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from healthcert.batch.cluster.engine import Cluster, Workers
from healthcert.batch.cluster.parts import REJECTED, Folder, Told
from healthcert.batch.cluster.spans import SPAN_ROWS, Span, rest_of, spans_of
from healthcert.batch.cluster.work import Task
from healthcert.batch.protocol import Refusal
from healthcert.batch.summary import Summary
from healthcert.errors import BatchError, Code, HealthCertError, RegisterError

_SPANS = 4  # for each worker, or more


class ClusterRun:
    """One run over all sources. What was finished of an earlier part of it, as its parts tell, is not done again."""

    def __init__(
        self,
        task: Task,
        groups: Sequence[Sequence[int]],
        *,
        resumed: bool = False,
        one_machine: bool = False,
        progress: Callable[[ClusterRun], None] | None = None,
    ) -> None:
        """``groups`` are the rows in each group of each source. ``one_machine`` refuses a cluster of several.

        ``progress`` is called after each span.
        """
        self._task, self._groups = task, groups
        self._resumed, self._one_machine, self._progress = resumed, one_machine, progress
        self._out, self._rejects = Folder(task.out, task.columns), Folder(task.rejects, REJECTED)
        self._counts: Counter[str] = Counter()
        self._parts: set[str] = set()
        self._started = time.monotonic()
        self._stopping = False
        self.rows = 0
        self.size = sum(sum(rows) for rows in groups)

    def stop(self) -> None:
        """Ends the run with the next span that is done; those under way are done again when it is gone on with."""
        self._stopping = True

    def go(self, cluster: Cluster) -> None:
        """Does all that is left, or less when it is stopped.

        Raises :class:`BatchError`, what ends the work on any machine, as :class:`HealthCertError`, and OSError.
        """
        done = self._found()
        if self.rows < self.size:
            with cluster.connected() as workers:
                if self._one_machine and workers.machines > 1:
                    detail = "a register in SQLite is one machine's; for a cluster of several it is in PostgreSQL"
                    raise RegisterError(Code.REGISTER_UNUSABLE, detail)
                # The last ones wait for each other no longer than for a part of what each has to do.
                most = min(max(self.size // (workers.count * _SPANS), self._task.chunk), SPAN_ROWS)
                self._work_through(workers, list(rest_of(spans_of(self._groups, most), done)))
        if self.rows < self.size and not self._stopping:
            detail = f"the cluster answered for {self.rows} of {self.size} rows, and does not go on"
            raise BatchError(Code.WORKER_LOST, detail)
        if self.rows == self.size:
            self._out.keep(self._parts)
            self._rejects.keep(self._parts)

    def summary(self) -> Summary:
        """What was done until now, also in earlier parts of the run."""
        return Summary(
            rows=self.rows,
            counts=self._counts,
            seconds=time.monotonic() - self._started,
            resumed=self._resumed,
            stopped=self._stopping and self.rows < self.size,
        )

    def _found(self) -> Sequence[Span]:
        """Prepares the folders, and gives the spans that were finished."""
        self._out.prepare()
        self._rejects.prepare()
        done = self._out.done(self._task.run) if self._resumed else []
        for told in done:
            self._take(told.span, told.counts)
        self._out.keep(self._parts)
        self._rejects.keep(self._parts)
        return [told.span for told in done]

    def _work_through(self, workers: Workers, left: Sequence[Span]) -> None:
        """What workers end over again and again is done in smaller and smaller pieces, so that little is given up."""
        for rows in (self._task.chunk, 1, None):
            given_up: list[Span] = []
            for answer in workers.answers(self._task, left):
                if answer.trouble is not None:
                    raise HealthCertError(answer.trouble.code, answer.trouble.detail, answer.trouble.step)
                if answer.counts is None:
                    given_up.append(answer.span)
                else:
                    self._take(answer.span, answer.counts)
                    if self._progress is not None:
                        self._progress(self)
                if self._stopping:
                    return
            if rows is not None:
                left = [piece for span in given_up for piece in span.pieces(rows)]
            if not left:
                return
        for span in given_up:
            self._lose(span)

    def _take(self, span: Span, counts: dict[str, int]) -> None:
        self._parts.add(span.part)
        self._counts.update(counts)
        self.rows += span.rows

    def _lose(self, span: Span) -> None:
        """A row that no worker survived is rejected."""
        error = BatchError(Code.WORKER_LOST, "a worker ended each time when it did this row")
        counts = {"verdict:rejected": 1, f"code:{error.code}": 1}
        with self._out.writing(span.part) as part:
            part.tell(Told(self._task.run, span, counts))
            with self._rejects.writing(span.part) as rejects:
                rejects.add_refusals([Refusal(self._task.names[span.source], span.first + 1, error)])
        self._take(span, counts)
