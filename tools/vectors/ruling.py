"""Rules in the form of the EU gateway, lists of them, and the short way to write down what they say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tools.vectors.case import Case, case

RULES, UNKNOWN = "eu-dcc-business-rules", "RULES_UNKNOWN"
LANGUAGE = "CertLogic specification 1.3.3"
Row = tuple[Any, str]
"""The logic of a rule, and what it says."""
BEGIN, END = "2021-07-01T00:00:00Z", "2030-06-01T00:00:00Z"
TRUE: dict[str, Any] = {"===": [{"var": "payload.dob"}, {"var": "payload.dob"}]}
FALSE: dict[str, Any] = {"!": [TRUE]}
OPEN: dict[str, Any] = {"<": [{"var": "payload.dob"}, 1]}
"""A text is no number."""
_PLAIN: Mapping[str, Any] = MappingProxyType({})
_CODES = {"PASSED": "OK", "FAIL": "RULES_NOT_MET", "OPEN": "RULES_OPEN"}


def doses(number: int) -> dict[str, Any]:
    """At least so many doses."""
    return {">=": [{"var": "payload.v.0.dn"}, number]}


def equal(path: str, value: Any) -> dict[str, Any]:
    return {"===": [{"var": path}, value]}


def plus(text: Any, amount: int = 0, unit: str = "day") -> dict[str, Any]:
    return {"plusTime": [text, amount, unit]}


def same_moment(one: Any, other: Any) -> dict[str, Any]:
    """Both are date-times, and the same moment."""
    return {"and": [{"not-before": [one, other]}, {"not-after": [one, other]}]}


def is_moment(path: str, text: str) -> dict[str, Any]:
    """What stands at ``path`` is this very moment."""
    return same_moment(plus({"var": path}), plus(text))


def rule(logic: Any, *, number: int = 1, prefix: str = "GR", country: str = "FR", **changes: Any) -> dict[str, Any]:
    """A rule of acceptance, valid at the usual moment of the cases."""
    made: dict[str, Any] = {
        "Identifier": f"{prefix}-{country}-{number:04}",
        "Type": "Acceptance",
        "Country": country,
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "0.7.5",
        "CertificateType": "General",
        "Description": [{"lang": "en", "desc": "A rule that was made up for a test vector."}],
        "ValidFrom": BEGIN,
        "ValidTo": END,
        "AffectedFields": ["dob"],
        "Logic": logic,
    }
    return made | changes


MET, NOT_MET = rule(TRUE), rule(FALSE)


def value_set(name: str, *codes: str, date: str, active: bool = True) -> dict[str, Any]:
    entry = {"display": "An example", "lang": "en", "active": active, "version": "1", "system": "https://example.org"}
    return {"valueSetId": name, "valueSetDate": date, "valueSetValues": dict.fromkeys(codes, entry)}


def listed(*rules: dict[str, Any], **further: Any) -> list[dict[str, Any]]:
    """One list of rules."""
    return [{"rules": list(rules)} | further]


def said(**states: str) -> dict[str, str]:
    """What each rule of France says: ``GR1`` is ``GR-FR-0001``."""
    return {f"{name[:2]}-FR-{int(name[2:]):04}": state for name, state in states.items()}


def judged(
    number: str,
    title: str,
    lists: list[dict[str, Any]] | None,
    states: dict[str, str] | None,
    code: str | None = None,
    *warnings: str,
    policy: Mapping[str, Any] | None = _PLAIN,
    sections: str = RULES,
    **press: Any,
) -> Case:
    """A case HC-RUL.

    ``states`` is what each of the rules that apply says, None where they are not asked; without ``code`` the worst of
    them decides. The policy asks about France unless ``policy`` says otherwise; None is the default one.
    """
    if code is None:
        found = set((states or {}).values())
        code = next(_CODES[state] for state in ("FAIL", "OPEN", "PASSED") if state in found)
    demanded = "default" if policy is None else {"country": "FR"} | dict(policy)
    return case(
        f"HC-RUL-{number}", title, sections, code, *warnings, policy=demanded, rules=lists, states=states, **press
    )


def rows(name: str, title: str, *rows: Row, sections: str = LANGUAGE, **press: Any) -> Case:
    """One rule of France for each row: its logic, and what it says."""
    lists = listed(*[rule(logic, number=number) for number, (logic, _) in enumerate(rows, 1)])
    states = {f"GR-FR-{number:04}": state for number, (_, state) in enumerate(rows, 1)}
    return judged(f"L-{name}", title, lists, states, sections=sections, **press)
