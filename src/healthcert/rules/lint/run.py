"""Rules and their tests in files and folders: each is read, checked and tested, and whatever cannot be is told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from healthcert.errors import DecodeError
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.rules.lint.authoring import Document, read_document
from healthcert.rules.lint.checks import check_rule
from healthcert.rules.lint.findings import Finding, Problem, Severity, error, warning
from healthcert.rules.lint.suite import CaseResult, CaseStatus, RuleUnderTest, run_case
from healthcert.rules.lint.suite_files import RuleFolder, Stray

MOST_TEST_BYTES = 1024 * 1024
"""Of one test; the largest of the public suite has 10 KiB."""

_MOST_QUOTED = 80  # characters

Extra = Callable[[Mapping[str, Any], str], Sequence[Problem]]
"""Further checks of a rule, which stands at a path."""


class Linted(Struct, frozen=True):
    """What was found of one rule, or of a file that holds none.

    ``identifier`` is None where there is no rule that could be read. ``passed_over`` is set for a file that is about
    something else, and nothing is wrong with. ``excused`` are problems that do not count, as was said beforehand.
    """

    name: str
    identifier: str | None = None
    problems: tuple[Problem, ...] = ()
    cases: tuple[CaseResult, ...] = ()
    passed_over: bool = False
    excused: tuple[Problem, ...] = ()


def lint_bytes(name: str, data: bytes, *, more: Extra | None = None, limits: Limits = DEFAULT_LIMITS) -> list[Linted]:
    """What is found of a file with one rule, or an array of them. Never raises."""
    document = read_document(data)
    if not isinstance(document.value, list) or not any(map(is_rule, document.value)):
        return [_one(name, document, len(data), more, limits)]
    if len(document.value) > limits.rules:
        message = f"an array of more than {limits.rules} rules"
        return [Linted(name, problems=(error(Finding.TOO_LONG, "$", message),))]
    found = [_checked(name, rule, f"$[{index}]", (), more, limits) for index, rule in enumerate(document.value)]
    # What is wrong with the file as JSON is said once, before its rules.
    return ([Linted(name, problems=document.problems)] if document.problems else []) + found


def lint_file(path: Path, name: str, *, more: Extra | None = None, limits: Limits = DEFAULT_LIMITS) -> list[Linted]:
    """What is found of a file; one that holds no rule is a problem. Never raises."""
    data = _read(path, limits.list_bytes)
    if isinstance(data, Problem):
        return [Linted(name, problems=(data,))]
    return lint_bytes(name, data, more=more, limits=limits)


def lint_found(path: Path, name: str, *, more: Extra | None = None, limits: Limits = DEFAULT_LIMITS) -> list[Linted]:
    """As :func:`lint_file`, of a file that nobody called a rule: JSON about something else is passed over."""
    return [_unless_foreign(one) for one in lint_file(path, name, more=more, limits=limits)]


def lint_tested(folder: RuleFolder, *, more: Extra | None = None, limits: Limits = DEFAULT_LIMITS) -> list[Linted]:
    """What is found of a rule in the layout of the public suite, and what came of its tests. Never raises."""
    data = _read(folder.rule, limits.list_bytes)
    if isinstance(data, Problem):
        return [Linted(folder.name, None, (data,), tuple(_cases(folder, RuleUnderTest.of(None))))]
    document = read_document(data)
    one = _one(folder.name, document, len(data), more, limits)
    problems = list(one.problems)
    if one.identifier and one.identifier != folder.name.split("/")[-1]:
        message = f"the folder is not named after the rule, {one.identifier[:_MOST_QUOTED]}"
        problems.append(warning(Finding.FOLDER_NAME, "$.Identifier", message))
    if not folder.tests:
        problems.append(warning(Finding.NO_TESTS, "$", "a rule without a test"))
    tested = RuleUnderTest.of(document.value if one.identifier is not None else None)
    return [Linted(folder.name, one.identifier, tuple(problems), tuple(_cases(folder, tested)))]


def lint_stray(stray: Stray, *, more: Extra | None = None, limits: Limits = DEFAULT_LIMITS) -> list[Linted]:
    """What is found of a file beside the layout: a rule or a test out of its place is a problem. Never raises."""
    if stray.link:
        return [_misplaced(stray, "a link to a folder, which is not followed")]
    if not stray.is_json:
        if stray.path.parent.name == "tests" and stray.owner is not None:
            message = "among the tests, but none: that of a test is testNNN.json"
            return [Linted(stray.name, problems=(warning(Finding.LAYOUT, "$", message),))]
        return []
    data = _read(stray.path, limits.list_bytes)
    if isinstance(data, Problem):
        return [_damaged(stray, (data,))]
    found = [_unless_foreign(one) for one in lint_bytes(stray.name, data, more=more, limits=limits)]
    if any(one.identifier is not None for one in found):
        message = "a rule in another layout than <SET>/<RULE-ID>/rule.json: no test of it is run"
        problem = error(Finding.LAYOUT, "$", message)
        return [Linted(one.name, one.identifier, (*one.problems, problem)) for one in found]
    if not found[0].passed_over:
        return [_damaged(stray, one.problems) for one in found]
    value = read_document(data).value
    if isinstance(value, Mapping) and "expected" in value:
        return [_misplaced(stray, "a test in another place than <SET>/<RULE-ID>/tests/testNNN.json: it is not run")]
    return [_misplaced(stray, "neither the rule nor a test of it")] if stray.owner is not None else found


def is_rule(value: Any) -> bool:
    """Whether JSON is meant as a rule, whatever is wrong with it."""
    names = value.keys() if isinstance(value, Mapping) else ()
    return "Logic" in names or "Identifier" in names or ("logic" in names and "identifier" in names)


def _one(name: str, document: Document, size: int, more: Extra | None, limits: Limits) -> Linted:
    if document.value is None and document.problems:
        return Linted(name, problems=document.problems)
    if not is_rule(document.value):
        return Linted(name, problems=(*document.problems, error(Finding.NO_RULE, "$", "not a rule")))
    if size > limits.rule_bytes:
        message = f"a rule of more than {limits.rule_bytes} bytes"
        return Linted(name, problems=(error(Finding.TOO_LONG, "$", message),))
    return _checked(name, document.value, "$", document.problems, more, limits)


def _checked(name: str, rule: Any, path: str, before: Sequence[Problem], more: Extra | None, limits: Limits) -> Linted:
    problems = [*before, *check_rule(rule, path=path, limits=limits)]
    if more is not None and isinstance(rule, Mapping):
        problems += more(rule, path)
    identifier = rule.get("Identifier") if isinstance(rule, Mapping) else None
    return Linted(name, identifier if isinstance(identifier, str) else "", tuple(problems))


def _cases(folder: RuleFolder, tested: RuleUnderTest) -> Iterator[CaseResult]:
    for path in folder.tests:
        data = _read(path, MOST_TEST_BYTES)
        if isinstance(data, bytes):
            yield run_case(tested, folder.name, path.stem, data)
        else:
            yield CaseResult(folder.name, path.stem, CaseStatus.ERROR, data.message)


def _read(path: Path, limit: int) -> bytes | Problem:
    try:
        if not path.is_file():  # a pipe would keep the reader waiting
            return error(Finding.UNREADABLE, "$", "not a file that can be read")
        return read_file(path, limit)
    except DecodeError as failure:
        return error(Finding.TOO_LONG, "$", failure.detail)
    except OSError as failure:
        return error(Finding.UNREADABLE, "$", failure.strerror or "cannot be read")


def _misplaced(stray: Stray, message: str) -> Linted:
    return Linted(stray.name, problems=(error(Finding.LAYOUT, "$", message),))


def _damaged(stray: Stray, problems: tuple[Problem, ...]) -> Linted:
    """A file that is no JSON, or cannot be read: settings of some program, with comments in them, are no rule."""
    severity = Severity.WARNING if stray.foreign else Severity.ERROR
    return Linted(stray.name, problems=tuple(replace(problem, severity=severity) for problem in problems))


def _unless_foreign(one: Linted) -> Linted:
    """The same, or that it is passed over, where all that is wrong with it is that it is no rule."""
    foreign = [problem.name for problem in one.problems] == [Finding.NO_RULE]
    return Linted(one.name, passed_over=True) if foreign else one
