"""Gathering what a list holds: one document after the other is read, or skipped with all that is known of it."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from healthcert.errors import Code, HealthCertError, RuleError
from healthcert.limits import Limits
from healthcert.rules.rule import Rule, Version, read_rule
from healthcert.rules.sources.protocol import RuleDocument, RuleList, Skipped, ValueSetDocument, refused
from healthcert.rules.sources.reading import country_named, is_name, members_of
from healthcert.rules.valuesets import ValueSet, read_value_set

Identity = tuple[str, str, Version]


class Gathering:
    """The documents of one list, used or not, within the bounds on how many and how long they are.

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
            self._note(where, error, country=country or country_named(members_of(raw)) or near)
            return None
        self._rules.setdefault(key, RuleDocument(rule, raw))
        return rule

    def add_value_set(self, where: str, raw: bytes, *, name: str | None = None) -> ValueSet | None:
        """Takes a value set from its JSON; None when it had to be skipped. Of two of one name the later one counts.

        ``name`` is the one that it has to have. Raises :class:`RuleError` (``INPUT_TOO_LONG``) for too many.
        """
        self._count_one()
        try:
            value_set = read_value_set(raw, self._limits)
            # It stands in messages, and on terminals.
            if not is_name(value_set.id):
                raise refused("a value set: its identifier is no name")
            if name is not None and value_set.id != name:
                raise refused("another value set than the one that is listed")
        except RuleError as error:
            self._note(where, error, value_set=_set_named(raw) if name is None else name)
            return None
        self._value_sets[value_set.id] = ValueSetDocument(value_set, raw)
        return value_set

    def skip(
        self, where: str, error: HealthCertError, *, country: str | None = None, value_set: str | None = None
    ) -> None:
        """Notes a rule or value set that could not be had; see :class:`Skipped`.

        Raises :class:`RuleError` (``INPUT_TOO_LONG``) for too many.
        """
        self._count_one()
        self._note(where, error, country=country, value_set=value_set)

    def finish(self, **said: Any) -> RuleList:
        """All of it as a list, with what the list says of itself: the other fields of :class:`RuleList`."""
        return RuleList(
            rules=tuple(self._rules.values()),
            value_sets=tuple(self._value_sets.values()),
            skipped=tuple(self._skipped),
            **said,
        )

    def _note(
        self, where: str, error: HealthCertError, *, country: str | None = None, value_set: str | None = None
    ) -> None:
        self._skipped.append(Skipped(where, error, country, value_set))

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


def _set_named(raw: bytes) -> str:
    """The identifier of what should be a value set; empty where it names none, or two."""
    found = {value for name, value in members_of(raw) if name == "valueSetId" and is_name(value)}
    return found.pop() if len(found) == 1 else ""
