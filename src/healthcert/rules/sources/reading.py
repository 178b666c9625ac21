"""What the answers of several servers of rules have in common: lists of countries and of names, moments, value sets."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from healthcert.errors import Code, RuleError, TrustError
from healthcert.limits import Limits
from healthcert.lists.reading import is_country, read_json
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Skipped, refused
from healthcert.rules.valuesets import read_value_set

# Such a name goes into addresses and the names of parts as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Z0-9-]{1,32}", re.ASCII)
# ISO 8601 as Java writes it; the schema of rules has no fractions.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def json_of(data: bytes, kind: type[Any]) -> Any:
    """JSON whose outermost value is of ``kind``. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
    try:
        return read_json(data, kind)
    except TrustError as error:
        raise refused(error.detail) from None


def json_bytes(value: Any) -> bytes:
    """A value as JSON. Raises :class:`RuleError` (``RULE_INVALID``) for what JSON does not have, or too deep a nest."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise refused("it has values that are not those of JSON", Code.RULE_INVALID) from None


def countries_in(data: bytes) -> tuple[str, ...]:
    """The countries of a JSON array of their codes, each once. Raises like :func:`json_of`."""
    found = json_of(data, list)
    if not found or not all(map(is_country, found)):
        raise refused("not a list of countries")
    return tuple(sorted(set(found)))


def names_in(data: bytes) -> tuple[str, ...]:
    """The identifiers of value sets in a JSON array, each once. Raises like :func:`json_of`."""
    found = json_of(data, list)
    if not all(map(is_name, found)):
        raise refused("not a list of value sets")
    return tuple(sorted(set(found)))


def is_name(value: Any) -> bool:
    """Whether ``value`` can be the identifier of a value set."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def label(identifier: str, number: int) -> str:
    """What to call a rule that a server listed as the one of this number, in lists of what was skipped."""
    return identifier if _IDENTIFIER.fullmatch(identifier) else f"rule {number}"


def country_named(rule: Any, member: str) -> str | None:
    """The country that what should be a rule names in this member, for when it can be no rule."""
    found = rule.get(member) if isinstance(rule, dict) else None
    return found.upper() if isinstance(found, str) and found.isascii() and is_country(found.upper()) else None


def moment_in(value: Any) -> datetime | None:
    """The moment that a text in ISO 8601 with an offset says, in UTC; None for anything else."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def take_value_set(into: Gathering, name: str, raw: bytes, limits: Limits) -> Skipped | None:
    """Takes the value set that a server listed under ``name``; why not, where it is another one.

    Raises :class:`RuleError` (``INPUT_TOO_LONG``) for too many.
    """
    where = f"valuesets/{name}"
    try:
        other = read_value_set(raw, limits).id != name
    except RuleError:
        other = False  # what is wrong with it is told when it is taken
    if other:
        return Skipped(where, refused("another value set than the one that is listed"), value_set=name)
    into.add_value_set(where, raw)
    return None


def too_many(count: int, limits: Limits) -> None:
    """Raises :class:`RuleError` (``INPUT_TOO_LONG``) for a list of more entries than are taken."""
    if count > limits.rules:
        raise refused(f"a list of more than {limits.rules} entries", Code.INPUT_TOO_LONG)
