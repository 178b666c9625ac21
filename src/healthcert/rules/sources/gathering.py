"""Gathering what a list holds: one document after the other is read, or skipped with all that is known of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from healthcert.errors import Code, HealthCertError, RuleError
from healthcert.limits import Limits
from healthcert.lists.reading import is_country
from healthcert.rules.rule import Rule, Version, read_rule
from healthcert.rules.sources.protocol import RuleDocument, RuleList, Skipped, ValueSetDocument, refused
from healthcert.rules.valuesets import ValueSet, read_value_set

# The identifier of a rule names its country, also in national extensions (IB2-DE-0001).
_IDENTIFIER = re.compile(r"[A-Z0-9]{1,8}-([A-Z]{2})-[0-9]{1,8}")
Identity = tuple[str, str, Version]


class Gathering:
    """The documents of one list, within the bounds on how many and how long they are.

    A rule that is there twice counts once; of two different ones under one identifier and version neither can be told
    to be the right one, so the second is skipped, and with it nothing of its country passes.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rules: dict[Identity, RuleDocument] = {}
        self._value_sets: dict[str, ValueSetDocument] = {}
        self._skipped: list[Skipped] = []
        self._count = 0

    def add_rule(self, where: str, raw: bytes, *, country: str | None = None, near: str | None = None) -> Rule | None:
        """Takes a rule from its JSON; None when it had to be skipped.

        ``country`` is the one whose rule it has to be, ``near`` the one whose it probably is, where nothing in the rule
        tells. Raises :class:`RuleError` (``INPUT_TOO_LONG``) for too many.
        """
        self._count_one()
        try:
            if len(raw) > self._limits.rule_bytes:
                raise refused(f"a rule of more than {self._limits.rule_bytes} bytes", Code.INPUT_TOO_LONG)
            rule = read_rule(raw)
            if country is not None and rule.country != country:
                raise refused("a rule of another country than the one whose list it is on", Code.RULE_INVALID)
            key = identity_of(rule)
            same = self._rules.get(key)
            if same is not None and not same_rule(same.rule, rule):
                detail = "another rule has the same identifier and version"
                raise refused(detail, Code.RULE_INVALID)
        except HealthCertError as error:
            self.skip(where, error, country=country or _country_in(raw, self._limits) or near)
            return None
        self._rules.setdefault(key, RuleDocument(rule, raw))
        return rule

    def add_value_set(self, where: str, raw: bytes) -> ValueSet | None:
        """Takes a value set from its JSON; None when it had to be skipped. Of two of one name the later one counts."""
        self._count_one()
        try:
            value_set = read_value_set(raw, self._limits)
        except RuleError as error:
            name = _members(raw, self._limits.list_bytes).get("valueSetId")
            known = name if isinstance(name, str) and name.isprintable() else ""
            self._skipped.append(Skipped(where, error, value_set=known))
            return None
        self._value_sets[value_set.id] = ValueSetDocument(value_set, raw)
        return value_set

    def skip(self, where: str, error: HealthCertError, *, country: str | None = None) -> None:
        """Notes a rule that could not be had or used; ``country`` is the one whose it is, None where nobody knows."""
        self._skipped.append(Skipped(where, error, country=country))

    def finish(self, **said: Any) -> RuleList:
        """All of it as a list, with what the list says of itself: the other fields of :class:`RuleList`."""
        return RuleList(
            rules=tuple(self._rules.values()),
            value_sets=tuple(self._value_sets.values()),
            skipped=tuple(self._skipped),
            **said,
        )

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self._limits.rules:
            raise refused(f"a list of more than {self._limits.rules} documents", Code.INPUT_TOO_LONG)


def identity_of(rule: Rule) -> Identity:
    """What two rules that are to be one have in common; versions that are the same number are the same one."""
    return rule.country, rule.identifier, rule.version_key


def same_rule(one: Rule, other: Rule) -> bool:
    """Whether two rules say the same, whatever bytes they were read from; no, where that cannot be told."""
    if one.digest is not None and one.digest == other.digest:
        return True
    if replace(one, digest=None, logic={}) != replace(other, digest=None, logic={}):
        return False
    try:
        # Compared as texts, where true is not 1.
        return json.dumps(one.logic, sort_keys=True) == json.dumps(other.logic, sort_keys=True)
    except (ValueError, RecursionError):
        return False


def _country_in(raw: bytes, limits: Limits) -> str | None:
    """The country that a rule names, where it cannot be read as one."""
    given = _members(raw, limits.rule_bytes)
    country = given.get("Country", given.get("country"))
    if isinstance(country, str) and country.isascii() and is_country(country.upper()):
        return country.upper()
    identifier = given.get("Identifier", given.get("identifier"))
    found = _IDENTIFIER.fullmatch(identifier) if isinstance(identifier, str) else None
    return found[1] if found else None


def _members(raw: bytes, most: int) -> Mapping[str, Any]:
    """The members of a JSON object, as well as they can be told; none where it is no such thing."""
    if len(raw) > most:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
