"""The national rules that there are, and how each is made from what a list brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from healthcert.errors import Code, RuleError, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.reading import read_json
from healthcert.rules.assessment import NationalRules
from healthcert.rules.national.booster import Booster
from healthcert.rules.national.french import French
from healthcert.rules.national.german import CCL_ENGINE, GermanDomestic
from healthcert.rules.national.italian import Italian
from healthcert.rules.national.settings import unreadable
from healthcert.rules.national.swiss import Swiss
from healthcert.rules.rule import GENERAL, Rule, read_rule
from healthcert.rules.valuesets import ValueSets

OF_RULES = ("booster", "de-domestic")
"""Those that are made of rules, which lists bring with the others; the rest are made of a document of their own."""
_FROM_RULES: Mapping[str, Callable[[list[Rule], ValueSets, int], NationalRules]] = MappingProxyType({
    "booster": lambda rules, _, missing: Booster(rules, missing),
    "de-domestic": GermanDomestic,
})  # fmt: skip
_FROM_DOCUMENT: Mapping[str, Callable[[bytes, ValueSets], NationalRules]] = MappingProxyType({
    "ch": Swiss,
    "it": lambda document, _: Italian(document),
    "fr": lambda document, _: French(document),
})  # fmt: skip
NATIONAL = (*OF_RULES, *_FROM_DOCUMENT)
"""The names of all national rules."""


def national_rules(
    name: str, document: bytes | Iterable[Rule], value_sets: ValueSets, *, unreadable_rules: int = 0
) -> NationalRules:
    """The national rules of this name.

    ``document`` is what the country publishes, or, for those in ``OF_RULES``, rules: of these the ones that count are
    picked out, and ``unreadable_rules`` is how many more there were that could not be read. Raises :class:`RuleError`:
    ``RULE_LIST_UNREADABLE`` for a document that is not of the form it should have, ``RULE_CONFIG_INVALID`` for a name
    that there is not.
    """
    if name in _FROM_RULES:
        rules, missing = _rules(document) if isinstance(document, bytes) else (list(document), 0)
        return _FROM_RULES[name](rules, value_sets, missing + unreadable_rules)
    if name not in _FROM_DOCUMENT:
        raise RuleError(Code.RULE_CONFIG_INVALID, f"national rules are {', '.join(NATIONAL)}", Step.RULES)
    if not isinstance(document, bytes):
        raise unreadable(f"the national rules {name} are a document of their own")
    _check_length(document)
    return _FROM_DOCUMENT[name](document, value_sets)


def _rules(document: bytes) -> tuple[list[Rule], int]:
    """The rules of a JSON array, and how many of its items are none."""
    _check_length(document)
    try:
        given = read_json(document, list)
    except TrustError as error:
        raise unreadable(f"the rules: {error.detail}") from None
    if len(given) > DEFAULT_LIMITS.rules:
        raise unreadable(f"more than {DEFAULT_LIMITS.rules} rules")
    rules = [rule for one in given if (rule := _rule(one)) is not None]
    return rules, len(given) - len(rules)


def _rule(given: Any) -> Rule | None:
    if not isinstance(given, dict):
        return None
    if given.get("Engine") == CCL_ENGINE:
        # A CCL configuration is about all kinds of certificates, and does not say so.
        given = {"CertificateType": GENERAL, **given}
    try:
        return read_rule(given)
    except RuleError:
        return None


def _check_length(document: bytes) -> None:
    if len(document) > DEFAULT_LIMITS.list_bytes:
        raise unreadable(f"more than {DEFAULT_LIMITS.list_bytes} bytes")
