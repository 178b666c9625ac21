"""``healthcert rules lint``: what the authors of rules would like to know before anybody else finds out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from healthcert.clock import SystemClock
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.rules.lint.authoring import read_document
from healthcert.rules.lint.findings import Problem, Severity
from healthcert.rules.lint.report import LintReport, Told, excused
from healthcert.rules.lint.run import Extra, Linted, is_rule, lint_bytes, lint_file, lint_found, lint_stray, lint_tested
from healthcert.rules.lint.suite import CaseResult, CaseStatus
from healthcert.rules.lint.suite_files import json_files, open_suite
from healthcert.rules.lint.upload_checks import check_upload
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Moment, json_option, refuse_over
from healthcert_cli.render import table
from healthcert_cli.sources import read_bytes
from healthcert_cli.text import printable

_SHOWN = 50  # lines of one list; --json and --junit have all
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_STDIN = Path("-")

Job = Callable[[], Iterable[Linted]]


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
@click.option("--tests", is_flag=True, help="Run the tests as well: PATH is a folder of sets, one set, or one rule.")
@click.option(
    "--allow-unusable",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="With --tests: do not count what cannot be used in this set, rule or file, for example MT; may be repeated.",
)
@click.option("--upload", is_flag=True, help="Also check what the gateway asks of the moment of the upload.")
@click.option(
    "--previous",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --upload: the version that was uploaded last, or an array of such rules.",
)
@click.option("--at", type=Moment(), help="With --upload: upload at this moment (ISO 8601) instead of now.")
@click.option("--warnings-as-errors", is_flag=True, help="Exit with 1 for a warning, too.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the results to this file as JUnit XML, too."
)
@json_option
@boundary
def lint(
    paths: tuple[Path, ...],
    tests: bool,
    allowed: tuple[str, ...],
    upload: bool,
    previous: Path | None,
    at: datetime | None,
    warnings_as_errors: bool,
    junit: Path | None,
    as_json: bool,
) -> Exit:
    """Check rules before they are published, and run their tests.

    PATH is a file with a rule or an array of rules, a folder of such files, or - for standard input. With --tests it
    is a folder in the layout of dgc-business-rules-testdata: <SET>/<RULE-ID>/rule.json, and beside it
    tests/testNNN.json.

    Exit code: 0 when there is no error and every test passed, 1 otherwise, 2 for wrong usage or where there is no
    rule, 4 when a folder cannot be read or a file cannot be written.
    """
    if allowed and not tests:
        raise click.UsageError("--allow-unusable goes with --tests")
    if (previous or at) and not upload:
        raise click.UsageError("--previous and --at go with --upload")
    if tests and any(not path.is_dir() for path in paths):
        raise click.UsageError("--tests is for folders")
    if paths.count(_STDIN) > 1:
        raise click.UsageError("standard input can be read but once")
    if junit is not None:
        refuse_over(junit, (*paths, previous))
    more = _upload_checks(previous, at or SystemClock().now()) if upload else None
    jobs = list(_test_jobs(paths, more) if tests else _jobs(paths, more))
    names = [name.strip("/") for name in allowed]
    report = LintReport(tuple(excused(_run(jobs), names)), tests)
    if not any(item.identifier is not None or item.problems or item.excused for item in report.items):
        raise click.UsageError("no rule in there")
    if junit is not None:
        junit.write_bytes(report.to_junit())
    clean = report.clean(warnings_as_errors=warnings_as_errors)
    if as_json:
        click.echo(json.dumps(report.to_dict(warnings_as_errors=warnings_as_errors)))
    else:
        click.echo("\n".join(_lines(report, clean)).lstrip("\n"))
    return Exit.ACCEPTED if clean else Exit.REFUSED


def _jobs(paths: Sequence[Path], more: Extra | None) -> Iterator[Job]:
    for path in paths:
        if path == _STDIN:
            data = read_bytes("-", DEFAULT_LIMITS.list_bytes)
            yield partial(lint_bytes, "-", data, more=more)
        elif path.is_dir():
            for file in json_files(path):
                yield partial(lint_found, file, str(file), more=more)
        else:
            yield partial(lint_file, path, str(path), more=more)


def _test_jobs(paths: Sequence[Path], more: Extra | None) -> Iterator[Job]:
    for path in paths:
        suite = open_suite(path)
        for folder in suite.rules:
            yield partial(lint_tested, folder, more=more)
        for stray in suite.strays:
            yield partial(lint_stray, stray, more=more)


def _run(jobs: Sequence[Job]) -> Iterator[Linted]:
    with click.progressbar(jobs, file=sys.stderr, hidden=not sys.stderr.isatty(), label="Checking") as bar:
        for job in bar:
            yield from job()


def _upload_checks(previous: Path | None, now: datetime) -> Extra:
    before = _previous(previous) if previous is not None else {}
    only = next(iter(before.values())) if len(before) == 1 else None

    def check(rule: Mapping[str, Any], path: str) -> Sequence[Problem]:
        # One previous version is that of the one rule, and said to be of another where it is.
        last = before.get(rule.get("Identifier")) or only
        return check_upload(rule, now=now, previous=last, path=path)

    return check


def _previous(path: Path) -> dict[Any, Mapping[str, Any]]:
    document = read_document(read_file(path, DEFAULT_LIMITS.list_bytes))
    rules = document.value if isinstance(document.value, list) else [document.value]
    if (
        document.problems
        or not rules
        or not all(is_rule(rule) and isinstance(rule.get("Identifier"), str) for rule in rules)
    ):
        raise click.UsageError(f"{path} holds no rule, or is damaged")
    found = {rule["Identifier"]: rule for rule in rules}
    if len(found) != len(rules):
        raise click.UsageError(f"{path} holds several versions of one rule: which is the last?")
    return found


def _lines(report: LintReport, clean: bool) -> Iterator[str]:
    if report.tested:
        yield from _sets(report)
    for severity in Severity:
        yield from _list(f"{severity.value.capitalize()}s", [_problem(told) for told in report.problems(severity)])
    if report.tested:
        yield from _list("Failed tests", [_case(case) for case in report.of(CaseStatus.FAILED)])
        yield from _list("Tests that could not be run", [_case(case) for case in report.of(CaseStatus.ERROR)])
        yield from _list("Unusable, as was said", [_problem(told) for told in report.excused])
    if report.passed_over:
        yield ""
        yield printable(f"Passed over, for they are about something else: {_some(report.passed_over)}")
    yield ""
    yield _summary(report, clean)


def _sets(report: LintReport) -> Iterator[str]:
    rows = [
        (name, *(str(counts[key]) for key in ("rules", *CaseStatus, "unusable")))
        for name, counts in report.by_set().items()
    ]
    yield from table([("SET", "RULES", "PASSED", "FAILED", "ERROR", "UNUSABLE"), *rows])


def _problem(told: Told) -> str:
    item, problem = told
    parts = [item.name, problem.message]
    if problem.where != "$":
        parts.insert(1, problem.where)
    if item.identifier and item.identifier not in item.name:
        parts.insert(1, item.identifier)
    return printable(f"{': '.join(parts)} ({problem.name})")


def _case(case: CaseResult) -> str:
    name = f" ({case.name})" if case.name else ""
    return printable(f"{case.rule} {case.test}{name}: {case.detail}")


def _list(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield click.style(f"{title} ({len(lines)})", bold=True)
        for line in lines[:_SHOWN]:
            yield f"  {line}"
        if len(lines) > _SHOWN:
            yield f"  ... and {len(lines) - _SHOWN} more (--json has all)"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _summary(report: LintReport, clean: bool) -> str:
    badge = click.style(" CLEAN " if clean else " NOT CLEAN ", fg="black", bg="green" if clean else "red", bold=True)
    parts = [_count(len(report.rules), "rule")]
    parts += [_count(len(report.problems(severity)), severity.value) for severity in Severity]
    if not report.tested:
        return f"{badge} {', '.join(parts)}"
    passed, total = len(report.of(CaseStatus.PASSED)), len(report.cases)
    unusable = sum(counts["unusable"] for counts in report.by_set().values())
    tests = f"{passed} of {_count(total, 'test')} passed" if total else "no test was run"
    return f"{badge} {', '.join(parts)}; {tests}, {_count(unusable, 'file')} unusable"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
