"""The document of Switzerland's app: rules, rules for display and for modes, and the value sets that they read.

Form: ``{"rules": [...], "displayRules": [{"id", "logic"}], "modeRules": {"logic", ...}, "valueSets": {id: [code]}}``.
Source: admin-ch/CovidCertificate-SDK-Kotlin, RuleSet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import RuleError, TrustError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.reading import read_json
from healthcert.rules.certlogic import CodeArray
from healthcert.rules.national.settings import unreadable
from healthcert.rules.rule import CERTLOGIC, GENERAL, Rule, read_rule

KNOWN_MODES = ("THREE_G", "TWO_G", "TWO_G_PLUS", "TEST_CERT")
"""The modes there were in 2022."""
_LISTS_OF_MODES = ("activeModes", "walletActiveModes", "verifierActiveModes")
_LONGEST_NAME = 64
_EVER = datetime(1800, 1, 1, tzinfo=UTC), datetime(9500, 1, 1, tzinfo=UTC)


class SwissDocument(Struct, frozen=True):
    """What the document says.

    ``rules`` are in its order; ``unreadable`` is how many more there are that could not be read. ``display`` are the
    rules for display by their names, and ``mode`` is the one for modes, all in the form of rules. ``codes`` are the
    value sets, None for a document that brings none.
    """

    rules: tuple[Rule, ...]
    unreadable: int
    display: Mapping[str, Rule]
    mode: Rule | None
    modes: tuple[str, ...]
    codes: Mapping[str, list[str]] | None


def read_document(data: bytes) -> SwissDocument:
    """The document as it is published. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
    try:
        document = read_json(data, dict)
    except TrustError as error:
        raise unreadable(f"the national rules: {error.detail}") from None
    given = document.get("rules")
    if not isinstance(given, list) or len(given) > DEFAULT_LIMITS.rules:
        raise unreadable("the national rules are no array, or too many")
    rules = [rule for one in given if (rule := _rule(one)) is not None]
    mode = document.get("modeRules")
    return SwissDocument(
        tuple(rules),
        len(given) - len(rules),
        dict(_display(document.get("displayRules"))),
        _logic("modeRules", mode.get("logic")) if isinstance(mode, dict) else None,
        tuple(dict.fromkeys(_modes(mode))) or KNOWN_MODES,
        _codes(document.get("valueSets")),
    )


def _rule(given: Any) -> Rule | None:
    try:
        return read_rule(given) if isinstance(given, dict) else None
    except RuleError:
        return None


def _display(given: Any) -> Iterator[tuple[str, Rule]]:
    for one in given if isinstance(given, list) else ():
        match one:
            case {"id": str(name), "logic": logic} if (rule := _logic(name, logic)) is not None:
                yield name, rule
            case _:
                pass


def _logic(name: str, logic: Any) -> Rule | None:
    """An expression that is no rule in the form of one; None for what is no operation."""
    if not isinstance(logic, dict):
        return None
    return Rule(
        identifier=name,
        type="Display",
        country="CH",
        version="1.0.0",
        schema_version="1.0.0",
        engine=CERTLOGIC,
        engine_version="1.0.0",
        certificate_type=GENERAL,
        descriptions=(),
        valid_from=_EVER[0],
        valid_to=_EVER[1],
        affected_fields=(),
        logic=logic,
    )


def _modes(given: Any) -> Iterator[str]:
    for name in _LISTS_OF_MODES if isinstance(given, dict) else ():
        modes = given.get(name)
        for mode in modes if isinstance(modes, list) else ():
            found = mode.get("id") if isinstance(mode, dict) else None
            if isinstance(found, str) and found.isprintable() and 0 < len(found) <= _LONGEST_NAME:
                yield found


def _codes(given: Any) -> Mapping[str, list[str]] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise unreadable("the value sets of the national rules are no object")
    found = {}
    for name, codes in given.items():
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            raise unreadable("a value set of the national rules is no array of codes")
        found[name] = CodeArray(codes)
    return found
