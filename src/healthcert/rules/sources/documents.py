"""Documents in plain JSON, told apart by what is in them: rules, value sets, arrays of these, and what is neither."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec

from healthcert.errors import Code, RuleError, Step
from healthcert.lists.reading import is_country
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.reading import country_in_identifier

# The layout of dgc-business-rules-testdata, and of those who write rules like its authors.
_PASSED_OVER = frozenset(("tests", "schemas", "node_modules"))
_RULE = "rule.json"
_RULE_MEMBERS = frozenset(("Identifier", "identifier", "Logic", "logic"))


def is_passed_over(name: str) -> bool:
    """Whether the file of this path is no document by its name alone: a test, a schema, or not JSON at all."""
    *folders, last = name.split("/")
    hidden = any(one.startswith(".") for one in (*folders, last))
    return hidden or not _PASSED_OVER.isdisjoint(folders) or not last.endswith(".json") or last.endswith(".schema.json")


def country_of_path(name: str) -> str | None:
    """The country that a path names: ``DE/GR-DE-0001/rule.json``. The part nearest to the file counts."""
    path = PurePosixPath(name)
    for one in (path.stem, *(parent.name for parent in path.parents)):
        if found := country_in_identifier(one):
            return found
        if is_country(one):
            return one
    return None


def add_documents(into: Gathering, where: str, data: bytes, near: str | None, *, strict: bool) -> None:
    """Takes a document, or each one of an array of them.

    One that is neither a rule nor a value set is skipped as a rule that cannot be read when ``strict``, and else
    passed over, unless its path says that it is a rule. Raises :class:`RuleError` (``INPUT_TOO_LONG``) for too many.
    """
    path = PurePosixPath(where)
    strict = strict or path.name == _RULE or country_in_identifier(path.stem) is not None
    if (documents := _elements(data)) is None:
        _add(into, where, data, near, strict=strict)
        return
    for number, raw in enumerate(documents, 1):
        # Its own octets, not what writing it anew would give: they are what a digest is made of.
        _add(into, f"{where}[{number}]", bytes(raw), near, strict=strict)


def holds_documents(data: bytes) -> bool:
    """Whether this is the JSON of an object or array, whatever is in it."""
    return _elements(data) is not None or _members(data) is not None


def _add(into: Gathering, where: str, raw: bytes, near: str | None, *, strict: bool) -> None:
    members = _members(raw)
    if members is None:
        into.skip(where, RuleError(Code.RULE_INVALID, "not a JSON object", Step.RULES), country=near)
    elif not _RULE_MEMBERS.isdisjoint(members):
        into.add_rule(where, raw, near=near)
    elif "valueSetId" in members:
        into.add_value_set(where, raw)
    elif strict:
        into.add_rule(where, raw, near=near)


def _elements(data: bytes) -> list[msgspec.Raw] | None:
    """The elements of a JSON array, undecoded; None for anything else."""
    try:
        found: list[msgspec.Raw] = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found


def _members(raw: bytes) -> Mapping[str, msgspec.Raw] | None:
    """The members of a JSON object, undecoded; None for anything else."""
    try:
        found: Mapping[str, msgspec.Raw] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found
