"""What came of looking through rules and their tests: the counts, the verdict; as JSON and as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as ET

from msgspec import Struct
from msgspec.structs import replace

from healthcert.rules.lint.findings import UNUSABLE, Finding, Problem, Severity, error
from healthcert.rules.lint.run import Linted
from healthcert.rules.lint.suite import CaseResult, CaseStatus
from healthcert.rules.lint.suite_files import set_of

Told = tuple[Linted, Problem]
"""What a problem is about, and the problem."""


class LintReport(Struct, frozen=True):
    """Everything that was found. ``tested`` is whether tests were asked for."""

    items: tuple[Linted, ...]
    tested: bool = False

    @property
    def rules(self) -> list[Linted]:
        """The rules, whatever is wrong with them."""
        return [item for item in self.items if item.identifier is not None]

    @property
    def cases(self) -> list[CaseResult]:
        """What came of every test."""
        return [case for item in self.items for case in item.cases]

    def of(self, status: CaseStatus) -> list[CaseResult]:
        """What came of the tests with this outcome."""
        return [case for case in self.cases if case.status is status]

    def problems(self, severity: Severity) -> list[Told]:
        """The problems that are so grave, but those that were excused."""
        return [(item, problem) for item in self.items for problem in item.problems if problem.severity is severity]

    @property
    def excused(self) -> list[Told]:
        """What cannot be used, and was named as such beforehand."""
        return [(item, problem) for item in self.items for problem in item.excused]

    @property
    def passed_over(self) -> list[str]:
        """The JSON files that are about something else."""
        return [item.name for item in self.items if item.passed_over]

    def clean(self, *, warnings_as_errors: bool = False) -> bool:
        """Whether there is no error, and every test passed; where tests were asked for, there has to be one.

        A test that was not run is no pass.
        """
        if self.problems(Severity.ERROR) or (warnings_as_errors and self.problems(Severity.WARNING)):
            return False
        passed = self.of(CaseStatus.PASSED)
        return len(passed) == len(self.cases) and bool(passed or not self.tested)

    def by_set(self) -> dict[str, dict[str, int]]:
        """The counts of each set: rules, tests by what came of them, and files that cannot be used."""
        found: dict[str, dict[str, int]] = {}
        for item in self.items:
            if item.passed_over or not item.name:
                continue
            counts = found.setdefault(set_of(item.name), dict.fromkeys(("rules", *CaseStatus, "unusable"), 0))
            counts["rules"] += item.identifier is not None
            counts["unusable"] += _is_unusable(item.problems) or _is_unusable(item.excused)
            for case in item.cases:
                counts[case.status] += 1
        return {name: {str(key): count for key, count in found[name].items()} for name in sorted(found)}

    def to_dict(self, *, warnings_as_errors: bool = False) -> dict[str, Any]:
        """JSON-ready values, free of what the tests say of people."""
        problems = [told for severity in Severity for told in self.problems(severity)]
        values: dict[str, Any] = {
            "clean": self.clean(warnings_as_errors=warnings_as_errors),
            "rules": len(self.rules),
            "problems": [_problem_dict(*told) for told in problems],
        }
        if self.tested:
            values |= {
                "tests": {status.value: len(self.of(status)) for status in CaseStatus},
                "sets": self.by_set(),
                "not_passed": [_case_dict(case) for case in self.cases if case.status is not CaseStatus.PASSED],
                "excused": [_problem_dict(*told) for told in self.excused],
            }
        return values | {"passed_over": self.passed_over}

    def to_junit(self) -> bytes:
        """JUnit XML: a test suite for each set, in which each rule and each of its tests is a test case."""
        root = ET.Element("testsuites", name="healthcert rules lint")
        items = sorted((i for i in self.items if not i.passed_over), key=lambda item: set_of(item.name))
        for name, group in groupby(items, key=lambda item: set_of(item.name)):
            _junit_suite(root, name, list(group))
        ET.indent(root)
        document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return document


def excused(items: Iterable[Linted], names: Sequence[str]) -> Iterator[Linted]:
    """The same, but what cannot be used does not count where it is in a set, rule or file of one of ``names``.

    The list is exact both ways: a name under which all can be used is an error itself.
    """
    needed: set[str] = set()
    for item in items:
        name = next((one for one in names if item.name == one or item.name.startswith(f"{one}/")), None)
        if name is None or not _is_unusable(item.problems):
            yield item
            continue
        needed.add(name)
        yield replace(item, problems=(), excused=item.problems)
    for name in names:
        if name not in needed:
            yield Linted(name, problems=(error(Finding.NOT_UNUSABLE, "$", "nothing of this name is unusable"),))


def _is_unusable(problems: Iterable[Problem]) -> bool:
    return any(problem.name in UNUSABLE and problem.severity is Severity.ERROR for problem in problems)


def _problem_dict(item: Linted, problem: Problem) -> dict[str, Any]:
    return {
        "file": item.name,
        "rule": item.identifier or None,
        "severity": problem.severity.value,
        "name": problem.name.value,
        "where": problem.where,
        "message": problem.message,
    }


def _case_dict(case: CaseResult) -> dict[str, Any]:
    return {
        "rule": case.rule,
        "test": case.test,
        "name": case.name,
        "status": case.status.value,
        "expected": case.expected,
        "got": case.got,
        "detail": case.detail,
    }


def _junit_suite(root: ET.Element, name: str, items: list[Linted]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_xml(name))
    for item in items:
        case = ET.SubElement(suite, "testcase", classname=_xml(item.name), name="lint")
        errors = [problem for problem in item.problems if problem.severity is Severity.ERROR]
        if errors:
            text = "; ".join(f"{problem.name} {problem.where}: {problem.message}" for problem in errors)
            ET.SubElement(case, "failure", message=_xml(text))
        elif item.excused:
            ET.SubElement(case, "skipped", message=_xml("; ".join(problem.message for problem in item.excused)))
        for result in item.cases:
            case = ET.SubElement(suite, "testcase", classname=_xml(item.name), name=_xml(result.test))
            if result.status is not CaseStatus.PASSED:
                kind = "failure" if result.status is CaseStatus.FAILED else "error"
                ET.SubElement(case, kind, message=_xml(result.detail))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(1 for _ in suite.iter(tag))))


def _xml(text: str) -> str:
    """Text as XML 1.0 can hold it: control characters and halves of pairs, in the name of a file say, are replaced."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
