"""The gateway's JSON schema of a rule (dgc-gateway, validation-rule.schema.json), with a path for each fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from healthcert.rules.lint.authoring import member
from healthcert.rules.lint.findings import Finding, Problem, error

TYPES = ("Acceptance", "Invalidation")
CERTIFICATE_TYPES = ("General", "Test", "Vaccination", "Recovery")
SHORTEST_DESCRIPTION = 20  # characters

_MOST = 50  # problems: a rule from a stranger may have thousands of fields
_LANGUAGE = "en"

Check = Callable[[Any], str | None]
"""Takes a value and returns what is wrong with it, or None."""


def schema_problems(rule: Any, path: str = "$") -> list[Problem]:
    """Where ``rule``, JSON from anywhere, breaks the gateway's schema; at most 50 places.

    ``format`` is a remark in that schema: a date that is not in the calendar passes it.
    """
    found: list[Problem] = []
    for where, message in _problems(rule, path):
        if len(found) == _MOST:
            break
        found.append(error(Finding.SCHEMA, where, message))
    return found


def _problems(rule: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(rule, Mapping):
        yield path, "not an object"
        return
    for name, (required, check) in _FIELDS.items():
        if name not in rule:
            if required:
                yield member(path, name), "is missing"
        elif message := check(rule[name]):
            yield member(path, name), message
    for name in rule:
        if name not in _FIELDS:
            yield member(path, str(name)), "not a member of a rule"
    yield from _descriptions(rule.get("Description"), member(path, "Description"))
    if isinstance(fields := rule.get("AffectedFields"), list):
        for index, field in enumerate(fields):
            if not isinstance(field, str):
                yield f"{member(path, 'AffectedFields')}[{index}]", "not a text"


def _descriptions(entries: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        where = f"{path}[{index}]"
        if not isinstance(entry, Mapping):
            yield where, "not an object"
            continue
        for name, check in (("lang", _language), ("desc", _description)):
            message = check(entry[name]) if name in entry else "is missing"
            if message:
                yield member(where, name), message
    if entries and not any(_is_english(entry) for entry in entries):
        yield path, f"no entry in English (lang {_LANGUAGE}) of at least {SHORTEST_DESCRIPTION} characters"


def _is_english(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("lang") == _LANGUAGE and not _description(entry.get("desc"))


def _text(pattern: str | None = None, form: str = "") -> Check:
    # JSON Schema 2020-12 §6.3.3: a pattern is one of ECMA-262, where \d is [0-9] and $ the very end.
    compiled = None if pattern is None else re.compile(pattern)

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "not a text"
        return f"not of the form {form}" if compiled is not None and not compiled.fullmatch(value) else None

    return check


def _one_of(values: tuple[str, ...]) -> Check:
    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value in values else f"not one of {', '.join(values)}"

    return check


def _array(value: Any) -> str | None:
    if not isinstance(value, list):
        return "not an array"
    return None if value else "has no entry"


def _object(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "not an object: a rule that is always met is written with an operation"
    return None if value else "has no operation"


_language = _text(r"[a-z]{2}(-[a-z]{2})?", "xx or xx-xx, in small letters")


def _description(value: Any) -> str | None:
    if not isinstance(value, str):
        return "not a text"
    return f"shorter than {SHORTEST_DESCRIPTION} characters" if len(value) < SHORTEST_DESCRIPTION else None


_VERSION = _text(r"[0-9]+\.[0-9]+\.[0-9]+", "1.0.0")
_MOMENT = _text(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([-+][0-2][0-9]:[0-5][0-9]|Z)",
    "2022-01-31T00:00:00Z (seconds and a time zone, no fraction)",
)
# By name, whether it has to be there, and what it must be.
_FIELDS: dict[str, tuple[bool, Check]] = {
    "Identifier": (True, _text(r"(GR|VR|TR|RR|IR)-[A-Z]{2}-[0-9]{4}", "VR-XX-0001 (GR, VR, TR, RR or IR)")),
    "Type": (True, _one_of(TYPES)),
    "Country": (True, _text(r"[A-Z]{2}", "XX")),
    "Region": (False, _text(r"[A-Z0-9]{0,5}", "of at most 5 capital letters and digits")),
    "Version": (True, _VERSION),
    "SchemaVersion": (True, _VERSION),
    "Engine": (True, _text()),
    "EngineVersion": (True, _VERSION),
    "CertificateType": (True, _one_of(CERTIFICATE_TYPES)),
    "Description": (True, _array),
    "ValidFrom": (True, _MOMENT),
    "ValidTo": (True, _MOMENT),
    "AffectedFields": (True, _array),
    "Logic": (True, _object),
}
