"""National rules in CertLogic, asked at every moment at which they may change their mind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from healthcert.errors import Code, RuleError, Step
from healthcert.model import Private
from healthcert.rules.certlogic import VERSION, data_accesses
from healthcert.rules.national.segments import Segment, Timeline
from healthcert.rules.rule import Rule, version_key
from healthcert.rules.ruling import RuleState, gate
from healthcert.rules.subject import RuleSubject
from healthcert.rules.turning import Effort, moment_of, turning_points

START_OF_DAY = "external.validationClockAtStartOfDay"
JUDGEMENTS = 5000
"""How often rules are asked about one certificate; the largest set known comes to some hundred times."""
_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1900, 9000))
_DAY = 86_400
LANGUAGE = version_key(VERSION) or (0, 0, 0)


class Said(Private, frozen=True):
    """What a rule says; of one that is OPEN, why: ``code`` and ``detail``, which name no data."""

    rule: Rule
    state: RuleState
    code: Code | None = None
    detail: str = ""

    @property
    def why_open(self) -> str:
        """The sentence about a rule that says nothing."""
        return f"{self.rule.identifier} could not be evaluated ({self.code}): {self.detail}"


def course(rules: Iterable[Rule], subject: RuleSubject, at: datetime, judge: Callable[[datetime], Segment]) -> Timeline:
    """What ``judge`` says from one moment to the next; one stretch begins at ``at``, a moment of our times.

    ``rules`` are all that it may ask, and ``subject`` has all the dates that these may read. Raises :class:`RuleError`
    (``CERTLOGIC_LIMIT``) where they change their mind too often to follow, or take too long.
    """
    effort = Effort(JUDGEMENTS)
    asked = list(rules)
    points = turning_points(asked, subject, _FIRST, _LAST, effort, daily=False)
    if any(map(_reads_start_of_day, asked)):
        points |= {point - point % _DAY + days for point in points for days in (0, _DAY)}
    points.add(math.floor(at.timestamp()))
    if len(points) >= JUDGEMENTS:
        raise RuleError(Code.CERTLOGIC_LIMIT, "the rules change their mind too often to follow", Step.RULES)
    segments = []
    for second in (min(points) - 1, *sorted(points)):
        effort.judge()
        moment = moment_of(second)
        segments.append(replace(judge(moment), start=moment))
    return (replace(segments[0], start=None), *segments[1:])


def valid_at(rules: Iterable[Rule], at: datetime) -> list[Rule]:
    """The rules that are valid at a moment, in their order, and of several versions of one the highest."""
    highest: dict[str, Rule] = {}
    for rule in rules:
        known = highest.get(rule.identifier)
        if rule.valid_from <= at < rule.valid_to and (known is None or rule.version_key > known.version_key):
            highest[rule.identifier] = rule
    return list(highest.values())


def applied(rule: Rule, payload: dict[str, Any], external: dict[str, Any]) -> Said:
    """What a rule says of a payload. Never raises: what cannot be evaluated is OPEN."""
    given = payload.get("ver")
    problem = gate(rule, version_key(given) if isinstance(given, str) else None, LANGUAGE)
    if problem is not None:
        return Said(rule, RuleState.OPEN, Code.RULE_NOT_SUPPORTED, problem)
    try:
        value = rule.program({"payload": payload, "external": external})
    except RuleError as error:
        return Said(rule, RuleState.OPEN, error.code, error.detail)
    if not isinstance(value, bool):
        return Said(rule, RuleState.OPEN, Code.CERTLOGIC_UNDEFINED, "it says neither true nor false")
    return Said(rule, RuleState.PASSED if value else RuleState.FAIL)


def _reads_start_of_day(rule: Rule) -> bool:
    try:
        return START_OF_DAY in data_accesses(rule.logic)
    except RuleError:
        return False  # it is too large, and OPEN whatever the clock says
