"""A ruling for people and for programs. What it says of the certificate is the holder's data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from healthcert.rules.assessment import Assessment
from healthcert.rules.certlogic.dates import DateTime
from healthcert.rules.certlogic.trace import Comparison, Operand
from healthcert.rules.rule import Rule
from healthcert.rules.ruling import Coverage, RuleResult, RuleState, Ruling

_WORDS = {
    "===": "is", "in": "is one of", "<": "is less than", ">": "is more than", "<=": "is at most", ">=": "is at least",
    "before": "is before", "after": "is after", "not-before": "is not before", "not-after": "is not after",
}  # fmt: skip
_SHOWN = 10  # items of an array in a sentence
_LONGEST_LINE = 400  # characters; the longest description known has 330
_ROOTS = ("payload.", "external.")


def describe_ruling(ruling: Ruling) -> dict[str, Any]:
    """A ruling as JSON-ready values."""
    return {
        "country": ruling.country,
        "region": ruling.region,
        "at": ruling.at.isoformat(),
        "outcome": ruling.outcome.value,
        "results": [_result(result) for result in ruling.results],
        "unreadable": ruling.unreadable,
        "value_sets": dict(ruling.value_sets),
        "lists": [_coverage(one) for one in ruling.lists],
        "issuer_lists": [_coverage(one) for one in ruling.issuer_lists],
    }


def describe_rule(rule: Rule) -> dict[str, Any]:
    """What a rule says of itself, as JSON-ready values."""
    return {
        "identifier": rule.identifier,
        "version": rule.version,
        "type": rule.type,
        "country": rule.country,
        "region": rule.region,
        "certificate_type": rule.certificate_type,
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat(),
        "descriptions": dict(reversed(rule.descriptions)),
    }


def describe_assessment(assessment: Assessment) -> dict[str, Any]:
    """An assessment as JSON-ready values."""
    return {
        "outcome": assessment.outcome.value,
        "status": assessment.status,
        "valid_from": _moment(assessment.valid_from),
        "valid_until": _moment(assessment.valid_until),
        "reasons": list(assessment.reasons),
        "details": dict(assessment.details),
    }


def sentences(result: RuleResult) -> Iterator[str]:
    """What a rule that was not met had asked, and what it found: one line for each comparison that decided."""
    for comparison in result.comparisons:
        yield _sentence(comparison)


def in_short(text: str) -> str:
    """A description in one line that can be logged: rules come from servers, and may hold anything."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "source": coverage.source,
        "format": coverage.format,
        "signed": coverage.signed,
        "fetched_at": _moment(coverage.fetched_at),
        "fresh_until": _moment(coverage.fresh_until),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _result(result: RuleResult) -> dict[str, Any]:
    found = describe_rule(result.rule) | {
        "state": result.state.value,
        "code": result.code.value if result.code else None,
        "detail": result.detail,
    }
    if result.state is RuleState.FAIL:
        found["fields"] = dict(result.values)
        found["comparisons"] = [
            {"operator": one.operator, "held": one.held, "operands": [_operand(operand) for operand in one.operands]}
            for one in result.comparisons
        ]
    return found


def _operand(operand: Operand) -> dict[str, Any]:
    found: dict[str, Any] = {"value": _plain(operand.value)}
    if operand.path is not None:
        found |= {"path": operand.path, "given": operand.given}
    if operand.shift is not None:
        found["plus"] = list(operand.shift)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.moment.isoformat() if isinstance(value, DateTime) else value


def _sentence(comparison: Comparison) -> str:
    if comparison.operator == "var":
        (operand,) = comparison.operands
        return f"{_name(operand)} is {'there' if comparison.held else 'not there'}"
    word = _WORDS[comparison.operator]
    first, *others = map(_side, comparison.operands)
    asked = ", which ".join(f"{word} {other}" for other in others)
    return f"{first} {asked}: {'yes' if comparison.held else 'no'}"


def _side(operand: Operand) -> str:
    shown = _in_words(operand.value)
    if operand.path is None:
        return shown
    if operand.shift is None:
        return f"{_name(operand)} ({shown})"
    amount, unit = operand.shift
    units = unit if abs(amount) == 1 else f"{unit}s"
    return f"{_name(operand)} ({_in_words(operand.given)}) {amount:+d} {units} = {shown}"


def _name(operand: Operand) -> str:
    path = operand.path or "it"
    return next((path.removeprefix(root) for root in _ROOTS if path.startswith(root)), path)


def _in_words(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case DateTime():
            moment = value.moment
            midnight = not (moment.hour or moment.minute or moment.second)
            day = moment.date().isoformat()  # strftime has years of fewer than four digits
            return day if midnight else f"{day} {moment:%H:%M:%S} UTC"
        case list():
            more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
            return ", ".join(map(_in_words, value[:_SHOWN])) + more
        case dict():
            return "an object"
    return str(value)
