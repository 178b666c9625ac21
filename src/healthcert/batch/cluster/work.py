"""What a worker of a cluster does: it reads the rows of a span, has them done, and writes what comes of them itself.

Between the machines go only the places of rows and counts. Records and certificates, which are health data, are read
from files and written to files by the one process that needs them: what goes through Ray may come to lie on a disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from healthcert.batch.cluster.parts import REJECTED, Folder, Told
from healthcert.batch.cluster.spans import Span
from healthcert.batch.protocol import ChunkResult, Given, Refusal, Source
from healthcert.batch.sinks import Columns
from healthcert.errors import BatchError, Code, HealthCertError, Step
from healthcert.model import Private

TRIES = 3
"""How often a span is begun by processes that end over it, until it is given up, to be done in pieces."""

Do = Callable[[Sequence[Given[Any]]], ChunkResult]


class Task(Private, frozen=True, kw_only=True):
    """A run as each worker needs it; it goes to other machines, so there is no secret in it.

    ``work`` makes what does a chunk of so many rows, ``open_source`` a source from its path. ``names`` are the sources'
    as the results have them, ``paths`` where they are. ``out`` takes the results, in these ``columns``, and ``rejects``
    the rows that cannot be used. ``run`` is the run's fingerprint.
    """

    work: Callable[[], Do]
    open_source: Callable[[str], Source[Any]]
    names: tuple[str, ...]
    paths: tuple[str, ...]
    out: Path
    rejects: Path
    columns: Columns
    chunk: int
    run: str
    version: str = version("healthcert")


class Trouble(Struct, frozen=True):
    """Why a run cannot go on."""

    code: Code
    detail: str
    step: Step | None = None


class Answer(Struct, frozen=True):
    """What became of a span: counts, or what ends the run; neither for one that was given up."""

    span: Span
    counts: dict[str, int] | None = None
    trouble: Trouble | None = None


class SpanWorker:
    """Lives in a process of its own on any machine of a cluster; ``task`` tells it what to do."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._out, self._rejects = Folder(task.out, task.columns), Folder(task.rejects, REJECTED)
        self._do: Do | None = None

    def __call__(self, table: Any) -> Any:
        """The answer for a span, both in the form in which Ray Data moves rows. Never raises for what it is given.

        What would be raised goes into a log of Ray's with all its values, so it becomes an answer, too.
        """
        [span] = table["item"].to_pylist()
        answer = self.answer(msgspec.json.decode(span, type=Span))
        return {"answer": [msgspec.json.encode(answer).decode()]}

    def answer(self, span: Span) -> Answer:
        """Does a span, but for one that was done before, or that its workers ended over again and again."""
        try:
            done = self._out.find(span.part)
            if done is not None and (done.run, done.span) == (self._task.run, span):
                return Answer(span, done.counts)
            tries = self._out.tries(span.part)
            if tries >= TRIES:
                self._out.remove(span.part)
                return Answer(span)
            return Answer(span, self._written(span, again=tries > 0))
        except HealthCertError as error:
            return Answer(span, trouble=Trouble(error.code, error.detail, error.step))
        except OSError as error:
            detail = f"{error.strerror or type(error).__name__}: {error.filename or 'a file'}"
            return Answer(span, trouble=Trouble(Code.ENVIRONMENT, detail))
        except Exception as error:  # noqa: BLE001 (its message may quote personal data, and so does not leave)
            return Answer(span, trouble=Trouble(Code.GENERAL_ERROR, f"an internal error ({type(error).__name__})"))

    def _written(self, span: Span, *, again: bool) -> dict[str, int]:
        task = self._task
        counts: Counter[str] = Counter()
        refusals: list[Refusal] = []
        with self._out.writing(span.part) as part:
            do = self._opened()
            rows = 0
            items = islice(task.open_source(task.paths[span.source]).items(span.first), span.rows)
            while chunk := list(islice(items, task.chunk)):
                result = do([(task.names[span.source], item) for item in chunk])
                if again and result.redone is not None:
                    result = result.redone
                for output in result.outputs:
                    part.add(output.data)
                refusals += result.refusals
                counts.update(result.counts)
                rows += len(chunk)
            if rows != span.rows:
                raise BatchError(Code.ENVIRONMENT, f"{task.names[span.source]} was changed while it was read")
            part.tell(Told(task.run, span, dict(counts)))
            self._reject(span, refusals)
        return dict(counts)

    def _reject(self, span: Span, refusals: Sequence[Refusal]) -> None:
        """Before the part takes its name: where that is there, so are the rows that it lacks."""
        self._rejects.remove(span.part)
        if refusals:
            with self._rejects.writing(span.part) as part:
                part.add_refusals(refusals)

    def _opened(self) -> Do:
        if self._do is None:
            here = version("healthcert")
            if here != self._task.version:
                detail = (
                    f"a machine of the cluster has healthcert {here}, and the run was begun with {self._task.version}"
                )
                raise BatchError(Code.ENVIRONMENT, detail)
            self._do = self._task.work()
        return self._do
