"""Running the tests of a rule: each says what the rule is to answer for a payload and what verifiers give beside it.

A test is a JSON object ``{name?, payload, external, expected}``. As in the field's own tools, the rule sees payload and
external as they stand, and a test whose ``validationClock`` is outside the rule's validity is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from msgspec import Struct

from healthcert.errors import RuleError
from healthcert.rules import certlogic
from healthcert.rules.certlogic.dates import DateTime, milliseconds_of
from healthcert.rules.lint.authoring import read_document
from healthcert.rules.lint.checks import moment_of

_LONGEST_NAME = 120  # characters


@unique
class CaseStatus(StrEnum):
    """What came of a test. Under ``ERROR``, it could not be told whether the rule does as expected."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


class CaseResult(Struct, frozen=True):
    """What came of one test of one rule. ``detail`` says why it did not pass, and quotes nothing of the payload.

    ``expected`` and ``got`` are None where there is no answer of true or false.
    """

    rule: str
    test: str
    status: CaseStatus
    detail: str = ""
    name: str = ""
    expected: bool | None = None
    got: bool | None = None


class RuleUnderTest(Struct, frozen=True):
    """A rule that tests are run on: its program, or why it has none, and its validity."""

    program: certlogic.Program | None
    fault: str
    valid_from: datetime | None
    valid_to: datetime | None

    @classmethod
    def of(cls, rule: Any) -> RuleUnderTest:
        """From the rule's JSON, whatever it is. Never raises."""
        if not isinstance(rule, Mapping) or "Logic" not in rule:
            return cls(None, "the rule has no logic", None, None)
        window = moment_of(rule.get("ValidFrom")), moment_of(rule.get("ValidTo"))
        try:
            return cls(certlogic.compile(rule["Logic"]), "", *window)
        except RuleError as failure:
            return cls(None, f"the logic of the rule cannot be used: {failure.detail} ({failure.code})", *window)


def run_case(tested: RuleUnderTest, rule: str, test: str, data: bytes) -> CaseResult:
    """Runs one test, in the bytes of its file. ``rule`` and ``test`` are their names. Never raises."""
    document = read_document(data)
    case = document.value
    if document.problems:
        problem = document.problems[0]
        return CaseResult(rule, test, CaseStatus.ERROR, f"{problem.where}: {problem.message}")
    if not isinstance(case, Mapping):
        return CaseResult(rule, test, CaseStatus.ERROR, "not an object")
    given = case.get("name")
    name = given[:_LONGEST_NAME] if isinstance(given, str) else ""
    expected = case.get("expected")
    if not isinstance(expected, bool):
        # A rule that answers anything else is open (dgc-certlogic: only a boolean is a result).
        return CaseResult(rule, test, CaseStatus.ERROR, "expected is neither true nor false", name)
    external = case.get("external", {})
    if not isinstance(external, Mapping):
        return CaseResult(rule, test, CaseStatus.ERROR, "external is not an object", name, expected)
    fault = tested.fault or _clock_fault(tested, external.get("validationClock"))
    if fault or tested.program is None:
        return CaseResult(rule, test, CaseStatus.ERROR, fault, name, expected)
    # A payload that is not there is read as null.
    data_of = {"external": external} | ({"payload": case["payload"]} if "payload" in case else {})
    try:
        value = tested.program(data_of)
    except RuleError as failure:
        return CaseResult(rule, test, CaseStatus.ERROR, f"{failure.detail} ({failure.code})", name, expected)
    if not isinstance(value, bool):
        detail = f"expected {_word(expected)}, got {_kind(value)}"
        return CaseResult(rule, test, CaseStatus.FAILED, detail, name, expected)
    if value is not expected:
        detail = f"expected {_word(expected)}, got {_word(value)}"
        return CaseResult(rule, test, CaseStatus.FAILED, detail, name, expected, value)
    return CaseResult(rule, test, CaseStatus.PASSED, "", name, expected, value)


def _clock_fault(tested: RuleUnderTest, clock: Any) -> str:
    """Why the test's clock is none that the rule is asked at; nothing where it has no clock."""
    if clock is None or clock == "":
        return ""
    try:
        moment = DateTime(milliseconds_of(clock)).moment
    except RuleError:
        return "validationClock is not a date-time of CertLogic"
    if tested.valid_from is None or tested.valid_to is None:
        return "the validity of the rule cannot be read"
    if not tested.valid_from <= moment < tested.valid_to:
        return "validationClock is outside the validity of the rule"
    return ""


def _word(value: bool) -> str:
    return "true" if value else "false"


def _kind(value: Any) -> str:
    kinds = {type(None): "null", int: "a number", str: "a text", list: "an array", dict: "an object"}
    return kinds.get(type(value), "a date-time")
