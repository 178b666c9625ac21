"""What came of a run: every expectation, the counts, and the verdict; as JSON and as JUnit XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as ET

from healthcert.conformance.checks import CHECKS, Found, Judge
from healthcert.conformance.deviations import Deviations
from healthcert.conformance.suite import Case, Problem

Counts = dict[str, dict[str, int]]


@unique
class Status(StrEnum):
    """How an expectation and what was found compare."""

    AGREES = "agrees"
    EXCUSED = "excused"
    DISAGREES = "disagrees"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Result:
    """One expectation of one case. ``found`` is None where nobody could tell, or it is nothing a verifier does.

    ``why`` is what kept the step from succeeding, ``reason`` why a disagreement is excused.
    """

    case: str
    expectation: str
    expected: bool
    found: bool | None
    why: str
    status: Status
    reason: str = ""

    @property
    def country(self) -> str:
        """The first part of the case's name."""
        return self.case.split("/")[0]

    @property
    def disagreement(self) -> str:
        """In words: ``was to fail: it succeeded``."""
        wanted, came = ("succeed", "it failed") if self.expected else ("fail", "it succeeded")
        return f"was to {wanted}: {self.why or came}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        values = {name: getattr(self, name) for name in ("case", "expectation", "expected", "found", "why")}
        return values | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceReport:
    """The outcome of a run.

    ``skipped`` counts files that are no test cases, ``stale`` names the entries of the list of deviations that excuse
    nothing, ``absent`` counts those whose cases were not there.
    """

    cases: int
    results: tuple[Result, ...]
    problems: tuple[Problem, ...] = ()
    skipped: int = 0
    stale: tuple[str, ...] = ()
    absent: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every expectation that was compared agrees or is excused, and nothing failed.

        Where nothing was compared at all, nothing agrees: an absent check is no pass.
        """
        compared = any(result.found is not None for result in self.results)
        return compared and not (self.of(Status.DISAGREES) or self.problems or self.stale)

    def of(self, status: Status) -> list[Result]:
        """The results of one kind."""
        return [result for result in self.results if result.status is status]

    def by_check(self) -> Counts:
        """How many results of each kind, by expectation."""
        return _counts((result.expectation, result.status) for result in self.results)

    def by_country(self) -> Counts:
        """How many results of each kind, by country."""
        return _counts((result.country, result.status) for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values, free of what the cases say of people."""
        return {
            "agrees": self.agrees,
            "cases": self.cases,
            "expectations": {status.value: len(self.of(status)) for status in Status},
            "checks": self.by_check(),
            "countries": self.by_country(),
            "disagreements": [result.to_dict() for result in self.of(Status.DISAGREES)],
            "excused": [result.to_dict() for result in self.of(Status.EXCUSED)],
            "stale": list(self.stale),
            "absent": self.absent,
            "problems": [{"case": problem.case, "detail": problem.detail} for problem in self.problems],
            "skipped": self.skipped,
        }

    def to_junit(self) -> bytes:
        """JUnit XML: a test suite for each country, a test case for each expectation."""
        root = ET.Element("testsuites", name="healthcert conformance")
        ordered = sorted(self.results, key=lambda result: result.country)
        for country, results in groupby(ordered, key=lambda result: result.country):
            _junit_suite(root, country, list(results))
        faults = [(problem.case, problem.detail) for problem in self.problems]
        faults += [(entry, "the list of deviations excuses what agrees") for entry in self.stale]
        if faults:
            suite = ET.SubElement(root, "testsuite", name="problems", tests=str(len(faults)), errors=str(len(faults)))
            for name, detail in faults:
                case = ET.SubElement(suite, "testcase", classname="problems", name=_xml(name))
                ET.SubElement(case, "error", message=_xml(detail))
        ET.indent(root)
        document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return document


Judged = tuple[Case | Problem | None, Sequence[Result], Problem | None]


def judged(items: Iterable[Case | Problem | None], judge: Judge, deviations: Deviations) -> Iterator[Judged]:
    """What ``judge`` makes of each item of a suite, one after the other."""
    for item in items:
        if not isinstance(item, Case):
            yield item, (), None
            continue
        judgement = judge(item)
        found = {key: judgement.findings.get(key, _UNSAID if key in CHECKS else _NO_CHECK) for key in item.expectations}
        results = [_result(item, key, finding, deviations) for key, finding in found.items()]
        yield item, results, Problem(item.name, judgement.problem) if judgement.problem else None


def summarise(run: Iterable[Judged], deviations: Deviations, *, exact: bool = True) -> ConformanceReport:
    """The report on a run. Unless ``exact``, entries of the list of deviations that excuse nothing are no fault."""
    cases: list[str] = []
    results: list[Result] = []
    problems: list[Problem] = []
    skipped = 0
    for item, found, problem in run:
        if isinstance(item, Case):
            cases.append(item.name)
        skipped += item is None
        results += found
        problems += [part for part in (item, problem) if isinstance(part, Problem)]
    checked = [(r.case, r.expectation, r.status is Status.AGREES) for r in results if r.found is not None]
    stale = deviations.stale(checked) if exact else []
    return ConformanceReport(
        cases=len(cases),
        results=tuple(results),
        problems=tuple(problems),
        skipped=skipped,
        stale=tuple(f"{case} {entry.expectation}" for entry, case in stale),
        absent=deviations.absent(cases),
    )


_UNSAID = Found(held=None, why="the verifier says nothing of it")
_NO_CHECK = Found(held=None, why="not a check of a verifier")


def _result(case: Case, expectation: str, finding: Found, deviations: Deviations) -> Result:
    expected, found = case.expectations[expectation], finding.held
    status, reason = Status.AGREES, ""
    if found is None:
        status = Status.NOT_CHECKED
    elif found is not expected:
        entry = deviations.excuse(case.name, expectation)
        status, reason = (Status.EXCUSED, entry.reason) if entry else (Status.DISAGREES, "")
    return Result(case.name, expectation, expected, found, finding.why, status, reason)


def _counts(pairs: Iterable[tuple[str, Status]]) -> Counts:
    counted = Counter(pairs)
    return {name: {s.value: counted[name, s] for s in Status} for name in sorted({name for name, _ in counted})}


def _junit_suite(root: ET.Element, country: str, results: list[Result]) -> None:
    counts = Counter(result.status for result in results)
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_xml(country),
        tests=str(len(results)),
        failures=str(counts[Status.DISAGREES]),
        skipped=str(counts[Status.EXCUSED] + counts[Status.NOT_CHECKED]),
    )
    for result in results:
        case = ET.SubElement(suite, "testcase", classname=_xml(result.case), name=_xml(result.expectation))
        if result.status is Status.DISAGREES:
            ET.SubElement(case, "failure", message=_xml(result.disagreement))
        elif result.status is not Status.AGREES:
            ET.SubElement(case, "skipped", message=_xml(result.reason or result.why))


def _xml(text: str) -> str:
    """Text as XML 1.0 can hold it: control characters and halves of pairs, in the name of a file say, are replaced."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
