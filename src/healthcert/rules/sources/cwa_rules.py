"""The rules of the Corona-Warn-App: a CBOR array of what elsewhere is JSON; and its CCL configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from healthcert.encoding import cbor
from healthcert.errors import Code, DecodeError, RuleError
from healthcert.limits import Limits
from healthcert.rules.certlogic.bounds import DEPTH
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import refused
from healthcert.rules.sources.reading import country_named, json_bytes, too_many

CONFIGURATION = "CCLConfiguration"
"""The Type of CCL configurations."""
_ARRAY = 4  # the major type of an array (RFC 8949 §3.1)


def is_rules(data: bytes) -> bool:
    """Whether this begins as a CBOR array does. No Protocol Buffers message of value sets does."""
    return bool(data) and data[0] >> 5 == _ARRAY


def read_items(data: bytes, limits: Limits) -> list[Any]:
    """The items of a CBOR array. Raises :class:`RuleError`: ``RULE_LIST_UNREADABLE``, ``INPUT_TOO_LONG``."""
    try:
        # Twice what an expression may have: one that is too deep shall be one rule that is skipped, not all of them.
        found = cbor.decode(data, max_depth=2 * DEPTH, code=Code.RULE_LIST_UNREADABLE)
    except DecodeError as error:
        raise refused(error.detail) from None
    if not isinstance(found, list):
        raise refused("not a CBOR array of rules")
    too_many(len(found), limits)
    return found


def take_item(where: str, item: Any, into: Gathering) -> None:
    """Takes a rule, or a CCL configuration, from what CBOR was read into.

    Raises :class:`RuleError` (``INPUT_TOO_LONG``) for too many.
    """
    try:
        _check_names(item)
        raw = json_bytes(_in_short(item) if type_of(item) == CONFIGURATION else item)
    except RuleError as error:
        into.skip(where, error, country=country_named(item))
    else:
        into.add_rule(where, raw)


def type_of(item: Any) -> str | None:
    """The Type of a rule, where there is one."""
    found = item.get("Type") if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else None


def _in_short(item: Mapping[str, Any]) -> dict[str, Any]:
    """A CCL configuration as a rule, of whose logic the names of its functions are left.

    It is larger than any rule, and nothing here evaluates it. It has no CertificateType, for it is about all of them.
    """
    logic = item.get("Logic")
    functions = logic.get("JfnDescriptors") if isinstance(logic, Mapping) else None
    # A rule of CertLogic may not pass for something that is never evaluated.
    if not isinstance(functions, list) or item.get("Engine") != "JsonFunctions":
        raise refused("a configuration without functions, or of another engine", Code.RULE_INVALID)
    names = [{"name": one.get("name")} for one in functions if isinstance(one, Mapping)]
    return {"CertificateType": "General", **item, "Logic": {"JfnDescriptors": names}}


def _check_names(value: Any) -> None:
    """Raises :class:`RuleError` (``RULE_INVALID``) for a name that is no text: the writer of JSON would make it one."""
    below = [value]
    while below:
        one = below.pop()
        if isinstance(one, Mapping):
            if not all(isinstance(name, str) for name in one):
                raise refused("it has a member whose name is no text", Code.RULE_INVALID)
            below += one.values()
        elif isinstance(one, list):
            below += one
