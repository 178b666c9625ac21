"""A bulk run at the command line: its options, its journal, and where it is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click
from msgspec import Struct

from healthcert.batch.journal import Entry, Journal, fingerprint
from healthcert.batch.protocol import ChunkResult, Given, Source
from healthcert.batch.run import BulkRun
from healthcert.batch.sinks import Columns, Form, open_sink
from healthcert.batch.summary import Summary
from healthcert.pool import Pool
from healthcert_cli.intaking import check_reject_table, reject_table
from healthcert_cli.options import refuse_over, this_second
from healthcert_cli.rejects import Rejects
from healthcert_cli.running import bar_of, row_bar, told

if TYPE_CHECKING:  # Ray and what it brings is for those who use it
    from healthcert.batch.cluster import Cluster

ItemT = TypeVar("ItemT")
Work = Callable[[], Callable[[Sequence[Given[ItemT]]], ChunkResult]]
_MOST_WORKERS = 256
_SECOND = timedelta(seconds=1)


class Workers(click.ParamType[int]):
    """How many processes: a number, or ``auto``, which is 0: one for each core."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = 0 if value == "auto" else click.IntRange(0, _MOST_WORKERS).convert(value, param, ctx)
        return number or min(_cores(), _MOST_WORKERS)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bulk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """On how many processes a run goes, and how it is gone on with when it was broken off."""
    for option in (
        click.option(
            "--journal",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File that tells how far the run came. [default: that of --out, with .journal behind its name]",
        ),
        click.option("--resume", is_flag=True, help="Go on with a run that was broken off."),
        click.option(
            "--workers",
            type=Workers(),
            default=1,
            show_default=True,
            metavar="N",
            help="Processes that do the work; 0 or auto is one for each core.",
        ),
    ):
        command = option(command)
    return command


class Begun(Struct, frozen=True):
    """When a run began, and since when one that it goes on with may have done what it had not told; None for none."""

    at: datetime
    resumed: datetime | None


class Bulk(Struct, Generic[ItemT], frozen=True, kw_only=True):
    """A run as the options describe it. ``what`` are the settings by which it is known as the same, in JSON's values.

    ``keep`` are files that are read, and not written over.
    """

    sources: Sequence[Source[ItemT]]
    out: str
    form: Form
    rejects: Path | None
    keep: Sequence[Path | None]
    what: Mapping[str, Any]
    workers: int
    resume: bool
    journal: Path | None

    def go(self, work: Callable[[Begun], Work[ItemT]], label: str, tell: Callable[[Summary], None]) -> Summary:
        """Does it on this machine.

        ``work`` says what each worker does; ``tell`` is called with what was done, also when the run breaks off. A
        first Ctrl-C or SIGTERM lets it finish what was begun, a second one ends it. Raises what is raised underneath;
        wrong usage for a journal that is there and not asked for.
        """
        path = self._journal_path()
        with ExitStack() as stack:
            self._look()
            journal, entry, resumed = self._begun(path, stack)
            begun = _moments(entry, resumed=resumed)
            try:
                rejected = stack.enter_context(Rejects(self.rejects, self.keep, length=entry.rejects))
                progress = stack.enter_context(bar_of(self.sources, label))
                sink = open_sink(self.out, self.form, entry.mark)
            except BaseException:
                if journal is not None and not resumed:  # nothing was done that could be gone on with
                    journal.remove()
                raise
            run = BulkRun(
                self.sources, sink, rejected, entry=entry, journal=journal, resumed=resumed, progress=progress
            )
            with told(run, stack, tell), Pool(work(begun), workers=self.workers) as pool:
                run.go(pool.map)
        return run.summary()

    def _look(self) -> None:
        """Whether the sources can be read at all, before anything is written over. Raises as they do."""
        for source in self.sources:
            if source.identity:  # of standard input, what was looked at would be gone
                next(iter(source.items()), None)

    def go_on_cluster(
        self,
        cluster: Cluster,
        work: Callable[[Begun], Work[ItemT]],
        label: str,
        tell: Callable[[Summary], None],
        *,
        open_source: Callable[[str], Source[ItemT]],
        columns: Columns,
        chunk: int,
        one_machine: bool = False,
    ) -> Summary:
        """The same on a cluster, from tables to tables of these ``columns``, ``chunk`` rows at a time.

        Each worker opens its sources by ``open_source``. ``one_machine`` refuses a cluster of several. The rejected
        rows go to a table beside the results.
        """
        from healthcert.batch.cluster import ClusterRun, Task, row_groups

        out = Path(self.out).absolute()
        check_reject_table(self.out, self.keep)
        with ExitStack() as stack:
            journal, entry, resumed = self._begun(self._journal_path(), stack)
            task = Task(
                work=work(_moments(entry, resumed=resumed)), open_source=open_source, columns=columns, chunk=chunk,
                names=tuple(source.name for source in self.sources),
                paths=tuple(str(Path(source.name).absolute()) for source in self.sources),
                out=out, rejects=reject_table(out), run=entry.run,
            )  # fmt: skip
            run = ClusterRun(
                task,
                [row_groups(source.name) for source in self.sources],
                resumed=resumed,
                one_machine=one_machine,
                progress=stack.enter_context(row_bar(label)),
            )
            with told(run, stack, tell):
                run.go(cluster)
                if journal is not None and not run.summary().stopped:
                    journal.remove()
        return run.summary()

    def _begun(self, path: Path | None, stack: ExitStack) -> tuple[Journal | None, Entry, bool]:
        """The journal, how far the run came, and whether it goes on with one that was broken off."""
        self._claim(path, stack)
        if path is None:
            return None, Entry(run="", since=this_second()), False
        mark = fingerprint(self._identity())
        if self.resume and (found := Journal.resume(path, mark)) is not None:
            stack.callback(found[0].close)
            return *found, True
        if not self.resume and os.path.lexists(path):
            detail = f"{path} is there, of a run that was broken off: go on with it (--resume), or remove it"
            raise click.UsageError(detail)
        entry = Entry(run=mark, since=this_second())
        journal = Journal.begin(path, entry)
        stack.callback(journal.close)
        return journal, entry, False

    def _claim(self, path: Path | None, stack: ExitStack) -> None:
        """Sees that this is the only run that writes to the output, also with a journal in another place.

        The lock is a journal at the usual place: whoever begins or goes on with a run there finds it.
        """
        usual = self._usual_journal()
        if usual is None or (path is not None and path.resolve() == usual.resolve()):
            return
        mine = path is not None and self.resume and os.path.lexists(path)  # and the lock, then, after a crash
        if os.path.lexists(usual) and not mine:
            detail = f"{usual} is there, of a run to the same output that was broken off, or goes on: remove it, or "
            raise click.UsageError(detail + "go on with it (--resume, without --journal)")
        if path is None:
            return
        mark = fingerprint(self._identity())
        found = Journal.resume(usual, mark)
        lock = Journal.begin(usual, Entry(run=mark, since=this_second())) if found is None else found[0]
        stack.callback(lock.remove)

    def _usual_journal(self) -> Path | None:
        """Beside the output; None where that is no file or folder."""
        path = Path(self.out) if Path(self.out).name else Path(self.out).resolve()
        if self.out == "-" or (self.form is Form.JSONL and path.exists() and not path.is_file()):
            return None
        return path.with_name(path.name + ".journal")

    def _journal_path(self) -> Path | None:
        """Where the journal is; None for a run that nobody can go on with, for its input or its output is gone then."""
        usual = self._usual_journal()
        if usual is None or any(not source.identity for source in self.sources):
            if self.resume or self.journal is not None:
                raise click.UsageError("a run from standard input, or to standard output, is not gone on with")
            return None
        journal = self.journal or usual
        refuse_over(journal, [*self.keep, Path(self.out), self.rejects])
        refuse_over(usual, [*self.keep, self.rejects])
        return journal

    def _identity(self) -> dict[str, Any]:
        return {
            "sources": [[source.name, dict(source.identity)] for source in self.sources],
            "out": self.out,
            "form": self.form,
            "rejects": None if self.rejects is None else str(self.rejects),
            **self.what,
        }


def _moments(entry: Entry, *, resumed: bool) -> Begun:
    # What an earlier run did in its last second was done before this one began.
    return Begun(this_second() + _SECOND, entry.since) if resumed else Begun(this_second(), None)
