"""The formats of revocation lists by name; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation.sources.protocol import Source

SOURCES = {
    "dgcg": "dgcg.Gateway",
    "distribution": "distribution.Distribution",
    "covpass": "covpass.CovPass",
    "cwa": "cwa.CoronaWarnApp",
    "ch": "ch.Swiss",
    "it": "it.Italian",
    "fr": "fr.French",
    "nl": "nl.Dutch",
    "shc": "shc.Issuer",
}
"""Module and class of each format, in ``healthcert.revocation.sources``."""


def source_named(name: str) -> Source:
    """The format of this name. Raises :class:`RevocationError` (``REVOCATION_CONFIG_INVALID``)."""
    if name not in SOURCES:
        detail = f"no such format of revocation lists; there are: {', '.join(SOURCES)}"
        raise RevocationError(Code.REVOCATION_CONFIG_INVALID, detail, Step.REVOCATION)
    module, _, attribute = SOURCES[name].partition(".")
    source: Source = getattr(import_module(f"healthcert.revocation.sources.{module}"), attribute)()
    return source
