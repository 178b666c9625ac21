"""What servers of rules have in common: lists of countries and names, moments, and whose a rule is that is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.errors import Code, TrustError
from healthcert.limits import Limits
from healthcert.lists.reading import is_country, read_json
from healthcert.rules.sources.protocol import Context, refused

# Such a name goes into addresses and the names of parts as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_LABEL = re.compile(r"[A-Z0-9-]{1,32}", re.ASCII)
# The identifier of a rule names its country, also in national extensions (IB2-DE-0001).
_IDENTIFIER = re.compile(r"[A-Z0-9]{1,8}-([A-Z]{2})-[0-9]{1,8}")
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


def named_countries(context: Context) -> frozenset[str]:
    """The countries that the option ``countries`` says a list speaks for. Raises :class:`RuleError`."""
    named = context.options.get("countries")
    found = frozenset(part.strip() for part in named.split(",")) if named is not None else frozenset()
    if not all(map(is_country, found)):
        raise refused("the option countries is a list like FR,DE", Code.RULE_CONFIG_INVALID)
    return found


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
    return identifier if _LABEL.fullmatch(identifier) else f"rule {number}"


class Members(list[tuple[str, Any]]):
    """The members of a JSON object, also those that are there twice."""


def members_of(raw: bytes) -> Members:
    """The members of a JSON object, as well as they can be told; none where it is no such thing."""
    try:
        found = json.loads(raw, object_pairs_hook=Members)
    except (ValueError, RecursionError):
        return Members()
    return found if isinstance(found, Members) else Members()


def country_named(rule: Any) -> str | None:
    """The country that what should be a rule names, for when it can be no rule; None where it names none, or two."""
    members = rule.items() if isinstance(rule, Mapping) else rule if isinstance(rule, Members) else ()
    ways: tuple[tuple[str, Callable[[Any], str | None]], ...]
    ways = (("country", _country_in), ("identifier", country_in_identifier))
    for name, read in ways:
        found = {read(value) for member, value in members if member in (name, name.capitalize())} - {None}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def country_in_identifier(value: Any) -> str | None:
    """The country that the identifier of a rule names; None for anything else."""
    found = _IDENTIFIER.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else None


def _country_in(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and value.isascii() and is_country(value.upper()) else None


def moment_in(value: Any) -> datetime | None:
    """The moment that a text in ISO 8601 with an offset says, in UTC; None for anything else."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def too_many(count: int, limits: Limits) -> None:
    """Raises :class:`RuleError` (``INPUT_TOO_LONG``) for a list of more entries than are taken."""
    if count > limits.rules:
        raise refused(f"a list of more than {limits.rules} entries", Code.INPUT_TOO_LONG)
