"""``healthcert conformance``: this verifier, or another one, against a folder of published test cases."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import click

from healthcert.conformance.checks import Judge, judge
from healthcert.conformance.command import Command
from healthcert.conformance.deviations import Deviations, pattern_of
from healthcert.conformance.report import ConformanceReport, Counts, Result, Status, judged, summarise
from healthcert.conformance.suite import Suite
from healthcert.errors import DecodeError
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import json_option
from healthcert_cli.render import table
from healthcert_cli.text import printable

_HEADING = ("AGREES", "EXCUSED", "DISAGREES", "NOT CHECKED")
_SHOWN = 50  # lines of one list; --json and --junit have all
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Hold a verifier against published test cases."""


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@click.option("--junit", type=_FILE, help="Write the results to this file as JUnit XML, too.")
@click.option(
    "--deviations",
    "deviations_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="List of expectations that are not met, and why (TOML). Default: what is known to be wrong in dgc-testdata.",
)
@click.option("--no-deviations", is_flag=True, help="Excuse nothing.")
@click.option("--command", "other", metavar="CMD", help="Test this program instead: it answers JSON lines, one a case.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=30.0,
    show_default=True,
    help="Seconds in which the program of --command answers a case.",
)
@click.option("--only", metavar="GLOB", help="Only cases whose name matches, for example common or 'PL/**/8'.")
@boundary
def run(
    folder: Path,
    as_json: bool,
    junit: Path | None,
    deviations_file: Path | None,
    no_deviations: bool,
    other: str | None,
    timeout: float,
    only: str | None,
) -> Exit:
    """Run the test cases in DIR, a folder in the format of the public suite (dgc-testdata).

    Each expectation of each case is compared with what this library finds, or the program of --command.

    Exit code: 0 when all agree or are excused, 1 when one disagrees, a case cannot be read or an excuse is not
    needed, 2 for wrong usage or a folder without a test case, 4 when a file or program cannot be used.
    """
    deviations = _deviations(deviations_file, no_deviations)
    suite = Suite.open(folder)
    if only is not None:
        pattern = pattern_of(only)
        suite = Suite({name: path for name, path in suite.files.items() if pattern.fullmatch(name)})
    with ExitStack() as stack:
        judge_of = stack.enter_context(_program(other, timeout)) if other is not None else judge
        # The shipped list is about this library: that another verifier does better is no fault.
        report = _run(suite, judge_of, deviations, exact=other is None or deviations_file is not None)
    if not report.cases:
        raise click.UsageError("no test case in this folder" if only is None else "no test case of this name")
    if junit is not None:
        junit.write_bytes(report.to_junit())
    click.echo(json.dumps(report.to_dict()) if as_json else "\n".join(_lines(report)))
    return Exit.ACCEPTED if report.agrees else Exit.REFUSED


def _deviations(file: Path | None, none: bool) -> Deviations:
    if file is not None and none:
        raise click.UsageError("--deviations and --no-deviations contradict each other")
    if none:
        return Deviations()
    try:
        return Deviations.of_public_suite() if file is None else Deviations.load(file)
    except DecodeError as error:
        raise click.UsageError(f"{file}: {error.detail}") from None


def _program(line: str, timeout: float) -> Command:
    try:
        return Command.parse(line, timeout=timeout)
    except ValueError:
        raise click.UsageError("--command is not the name of a program and its arguments") from None


def _run(suite: Suite, judge_of: Judge, deviations: Deviations, *, exact: bool) -> ConformanceReport:
    hidden = not sys.stderr.isatty()
    steps = judged(suite, judge_of, deviations)
    with click.progressbar(steps, length=len(suite), file=sys.stderr, hidden=hidden, label="Testing") as bar:
        return summarise(bar, deviations, exact=exact)


def _lines(report: ConformanceReport) -> Iterator[str]:
    yield from _counts("CHECK", report.by_check())
    yield ""
    yield from _counts("COUNTRY", report.by_country())
    yield from _list(
        "Disagreements", [f"{r.case} {r.expectation} {r.disagreement}" for r in report.of(Status.DISAGREES)]
    )
    yield from _list("Excused", list(_excuses(report.of(Status.EXCUSED))))
    yield from _list("Excuses that nothing needs", list(report.stale))
    yield from _list("Problems", [f"{problem.case}: {problem.detail}" for problem in report.problems])
    yield ""
    yield _summary(report)


def _counts(name: str, counts: Counts) -> Iterator[str]:
    rows = [(key, *(str(count) for count in values.values())) for key, values in counts.items()]
    yield from table([(name, *_HEADING), *rows])


def _excuses(results: list[Result]) -> Iterator[str]:
    ordered = sorted(results, key=lambda result: (result.expectation, result.reason))
    for (expectation, reason), group in groupby(ordered, key=lambda result: (result.expectation, result.reason)):
        cases = [result.case for result in group]
        named = ", ".join(cases[:3]) + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
        yield f"{expectation} of {named}: {reason}"


def _list(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield click.style(f"{title} ({len(lines)})", bold=True)
        for line in lines[:_SHOWN]:
            yield f"  {printable(line)}"
        if len(lines) > _SHOWN:
            yield f"  ... and {len(lines) - _SHOWN} more (--json has all)"


def _summary(report: ConformanceReport) -> str:
    counts = {status: len(report.of(status)) for status in Status}
    badge = click.style(
        " CONFORMS " if report.agrees else " DOES NOT CONFORM ",
        fg="black",
        bg="green" if report.agrees else "red",
        bold=True,
    )
    return (
        f"{badge} {report.cases} cases: {counts[Status.AGREES]} expectations agree, {counts[Status.EXCUSED]} excused, "
        f"{counts[Status.DISAGREES]} disagree, {counts[Status.NOT_CHECKED]} not checked"
    )
