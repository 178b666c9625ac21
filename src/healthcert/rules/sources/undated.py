"""Value sets of which no more is known than the codes: neither when they were published, nor which are inactive."""

from __future__ import annotations

from collections.abc import Mapping

from healthcert.rules.sources.reading import json_bytes
from healthcert.rules.valuesets import ValueSet, ValueSetCode


def undated(name: str, codes: Mapping[str, str], language: str = "en") -> ValueSet:
    """The set of these codes, each with its name in ``language``."""
    entries = {code: ValueSetCode(code, display, language, True, "", "") for code, display in codes.items()}
    return ValueSet(name, "", entries)


def written(value_set: ValueSet) -> bytes:
    """A value set in the form of the EU's."""
    values = {
        code.code: {
            "display": code.display,
            "lang": code.lang,
            "active": code.active,
            "version": code.version,
            "system": code.system,
        }
        for code in value_set.codes.values()
    }
    members = {"valueSetId": value_set.id, "valueSetDate": value_set.date, "valueSetValues": values}
    return json_bytes(members)
