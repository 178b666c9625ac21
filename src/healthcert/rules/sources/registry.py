"""The formats of lists of rules by name; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.sources.protocol import Source

SOURCES = {
    "dgcg": "dgcg.Dgcg",
    "service": "service.Service",
    "cwa": "cwa.CoronaWarnApp",
    "ch": "ch.Swiss",
    "it": "it.Italian",
    "fr": "fr.French",
    "bundle": "bundle.Bundle",
    "folder": "folder.Folder",
}
"""Module and class of each format, in ``healthcert.rules.sources``."""


def source_named(name: str) -> Source:
    """The format of this name. Raises :class:`RuleError` (``RULE_CONFIG_INVALID``)."""
    if name not in SOURCES:
        detail = f"no such format of lists of rules; there are: {', '.join(SOURCES)}"
        raise RuleError(Code.RULE_CONFIG_INVALID, detail, Step.RULES)
    module, _, attribute = SOURCES[name].partition(".")
    source: Source = getattr(import_module(f"healthcert.rules.sources.{module}"), attribute)()
    return source
