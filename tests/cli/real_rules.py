"""Real rules, each with a payload that its country says it refuses; read where they lie."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from healthcert.errors import RuleError
from healthcert.rules.certlogic import evaluate
from healthcert.rules.valuesets import shipped_for_rules
from tests.conftest import interop_folder

FOLDER = interop_folder() / "business-rules"
SUITE = FOLDER / "testdata"


class Refusal(NamedTuple):
    """A rule, the payload it refuses, and when."""

    folder: Path
    rule: dict[str, Any]
    payload: dict[str, Any]
    at: datetime

    @property
    def reads_clock(self) -> bool:
        return "external.validationClock" in json.dumps(self.rule["Logic"])


@cache
def refusals() -> list[Refusal]:
    """Of every rule the first of its tests that it refuses, with the value sets of this library too."""
    return [found for file in sorted(SUITE.glob("*/*/rule.json")) if (found := _refusal(file)) is not None]


def _refusal(file: Path) -> Refusal | None:
    rule = json.loads(file.read_text("utf-8"))
    start, end = (_moment(rule[name]) for name in ("ValidFrom", "ValidTo"))
    for test in sorted(file.parent.glob("tests/test*.json")):
        case = json.loads(test.read_text("utf-8"))
        clock = case["external"].get("validationClock")
        at = _moment(clock) if clock else start + timedelta(days=1)
        if case["expected"] or "payload" not in case or not start <= at < end:
            continue
        external = {"validationClock": at.isoformat(), "valueSets": dict(shipped_for_rules().codes)}
        with suppress(RuleError):  # a set of which this library has no codes
            if evaluate(rule["Logic"], {"payload": case["payload"], "external": external}) is False:
                return Refusal(file.parent, rule, case["payload"], at)
    return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(microsecond=0).astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
