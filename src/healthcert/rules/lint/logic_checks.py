"""The logic of a rule: whether it is CertLogic, what it reads, and whether the rule says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from healthcert.errors import RuleError
from healthcert.rules import certlogic
from healthcert.rules.lint.authoring import member, paths_of
from healthcert.rules.lint.findings import Finding, Problem, error, warning
from healthcert.rules.rule import Version, version_key

EXTERNAL = frozenset(("validationClock", "countryCode", "exp", "iat", "issuerCountryCode", "kid", "region"))
"""What verifiers give to rules beside the payload and the value sets."""

VALUE_SETS = frozenset(
    (
        "country-2-codes",
        "disease-agent-targeted",
        "covid-19-lab-test-manufacturer-and-name",
        "covid-19-lab-result",
        "covid-19-lab-test-type",
        "vaccines-covid-19-auth-holders",
        "vaccines-covid-19-names",
        "sct-vaccines-covid-19",
    )
)
"""The value sets that verifiers have (eu-dcc-business-rules)."""

Places = list[tuple[str, Any]]
"""Every value of an expression with its path, in the order of the document."""

_GROUPS = {"Vaccination": "v", "Test": "t", "Recovery": "r"}
_FOR_ALL = "dob"
_IN_REDUCE = ("current", "accumulator", "")
# CertLogic specification, change log: what is newer than its first numbered version.
_OPERATORS = {"extractFromUVCI": (1, 2, 0), "dccDateOfBirth": (1, 3, 0)}
_UNITS = {"month": (1, 1, 0), "year": (1, 1, 0)}
_PARTIAL_DATES = (1, 3, 2)
_FULL_DATE = 10  # characters
_MOST = 50
_MOST_NAMED = 10
_MOST_QUOTED = 80  # characters


def logic_problems(rule: Mapping[str, Any], path: str = "$") -> list[Problem]:
    """What is wrong with the rule's ``Logic``, and with what the rule says of it; at most 50 problems."""
    logic, where = rule.get("Logic"), member(path, "Logic")
    if not isinstance(logic, Mapping) or not logic:
        return []  # which the schema tells of
    try:
        issues = certlogic.validate(logic)
        places = [*paths_of(logic, where)]
        if issues:
            return [*_issues(issues, places, where)]
        certlogic.compile(logic)
        accesses = certlogic.data_accesses(logic)
    except RuleError as failure:
        return [error(Finding.LOGIC, where, failure.detail)]
    # Looked for once: a hostile rule reads thousands of paths. Of several reads, the first is told of.
    reads = {node["var"]: place for place, node in reversed(places) if isinstance(node, dict) and "var" in node}
    found = [*_affected_fields(rule, accesses, path)]
    found += _unknown_accesses({access: reads[access] for access in sorted(accesses)})
    found += _lost_in_reduce(places)
    found += _other_groups(rule, {access: reads[access] for access in sorted(accesses)})
    found += _newer_operators(rule, places)
    return found[:_MOST]


def _issues(issues: list[certlogic.Issue], places: Places, where: str) -> Iterator[Problem]:
    for issue in issues[:_MOST_NAMED]:
        yield error(Finding.LOGIC, _place_of(issue.expr, places, where), _quoted(issue.message))
    if len(issues) > _MOST_NAMED:
        yield error(Finding.LOGIC, where, f"and {len(issues) - _MOST_NAMED} more issues")


def _place_of(expr: Any, places: Places, default: str) -> str:
    """Where the expression stands; that of a literal, which may be there more often, is looked for only once."""
    for index, (where, value) in enumerate(places):
        if value is expr or (type(value) is type(expr) is float and value == expr):
            if not isinstance(expr, (dict, list)):
                del places[index]
            return where
    return default


def _affected_fields(rule: Mapping[str, Any], accesses: frozenset[str], path: str) -> Iterator[Problem]:
    listed = rule.get("AffectedFields")
    if not isinstance(listed, list) or not all(isinstance(field, str) for field in listed):
        return
    read = {access.removeprefix("payload.") for access in accesses if access.startswith("payload.")}
    faults = [
        (sorted(read - set(listed)), "not listed, though the logic reads"),
        (sorted(set(listed) - read), "listed, though the logic does not read"),
        (sorted(field for field, times in Counter(listed).items() if times > 1), "listed more than once"),
    ]
    for fields, what in faults:
        if fields:
            yield error(Finding.AFFECTED_FIELDS, member(path, "AffectedFields"), f"{what}: {_names(fields)}")


def _unknown_accesses(reads: Mapping[str, str]) -> Iterator[Problem]:
    for access, place in reads.items():
        first, _, rest = access.partition(".")
        if (first == "payload" and rest) or (first == "external" and rest in EXTERNAL):
            continue
        name, _, value_set = rest.partition(".")
        if first != "external" or name != "valueSets" or not value_set:
            yield error(Finding.ACCESS_UNKNOWN, place, f"not among what a rule may read: {_quoted(access)}")
        elif value_set not in VALUE_SETS:
            message = f"a value set that verifiers do not have: {_quoted(value_set)}"
            yield error(Finding.VALUE_SET_UNKNOWN, place, message)


def _lost_in_reduce(places: Places) -> Iterator[Problem]:
    """Reads in the lambda of a reduce, which has data of its own: any others are null there."""
    for place, operands in _operations(places, "reduce"):
        for access in sorted(certlogic.data_accesses(operands[1])):
            if access.partition(".")[0] not in _IN_REDUCE:
                message = f"in a reduce, only current and accumulator can be read: {_quoted(access)}"
                yield error(Finding.ACCESS_UNKNOWN, f"{place}.reduce[1]", message)


def _other_groups(rule: Mapping[str, Any], reads: Mapping[str, str]) -> Iterator[Problem]:
    type_ = rule.get("CertificateType")
    own = _GROUPS.get(type_) if isinstance(type_, str) else None
    if own is None:
        return
    for access, place in reads.items():
        first, _, rest = access.partition(".")
        if first == "payload" and rest and rest != _FOR_ALL and rest.partition(".")[0] != own:
            # Real rules do so on purpose, to make sure that there is nothing of another kind.
            message = f"a rule for {type_} is to read only {own} and {_FOR_ALL} of the payload, not {_quoted(rest)}"
            yield warning(Finding.ACCESS_OTHER_GROUP, place, message)


def _newer_operators(rule: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    text = rule.get("EngineVersion")
    version = version_key(text) if isinstance(text, str) else None
    if version is None:
        return
    told: set[str] = set()
    for place, what, since in _used(places):
        if version < since and what not in told:
            told.add(what)
            message = f"{what} is of CertLogic {'.'.join(map(str, since))}, newer than the EngineVersion"
            yield warning(Finding.OPERATOR_NEWER, place, message)


def _used(places: Places) -> Iterator[tuple[str, str, Version]]:
    for name, since in _OPERATORS.items():
        for place, _ in _operations(places, name):
            yield place, name, since
    for place, operands in _operations(places, "plusTime"):
        date, unit = operands[0], operands[2]
        if unit in _UNITS:
            yield place, f"plusTime with {unit}", _UNITS[unit]
        if isinstance(date, str) and len(date) < _FULL_DATE:
            yield place, "plusTime of a partial date", _PARTIAL_DATES


def _operations(places: Places, name: str) -> Iterator[tuple[str, list[Any]]]:
    """Where an operator is used in a valid expression, and its operands."""
    for place, node in places:
        if isinstance(node, dict) and name in node:
            yield place, node[name]


def _names(fields: list[str]) -> str:
    more = f" and {len(fields) - _MOST_NAMED} more" if len(fields) > _MOST_NAMED else ""
    return ", ".join(map(_quoted, fields[:_MOST_NAMED])) + more


def _quoted(text: str) -> str:
    return text if len(text) <= _MOST_QUOTED else text[:_MOST_QUOTED] + "…"
