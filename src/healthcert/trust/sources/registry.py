"""The formats by name; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

from healthcert.errors import Code, TrustError
from healthcert.trust.sources.protocol import Source

SOURCES = {
    "dgcg": "dgcg.Gateway",
    "dcc-zip": "dcc_zip.Archive",
    "de": "de.German",
    "cwa": "cwa.CoronaWarnApp",
    "at": "at.Austrian",
    "se": "se.Swedish",
    "nl": "nl.Dutch",
    "ch": "ch.Swiss",
    "it": "it.Italian",
    "gb": "plain.British",
    "no": "plain.Norwegian",
    "fr": "fr.French",
    "pathcheck": "pathcheck.PathCheck",
    "gdhcn": "gdhcn.Network",
    "onboarding": "onboarding.Onboarding",
    "shc": "shc.Issuer",
    "vci": "shc.Directory",
    "nzcp": "nzcp.NewZealand",
    "icao": "icao.MasterList",
    "tsl": "tsl.TrustedServices",
    "2d-doc": "twoddoc.SigningCertificates",
    "jwks": "jwks.KeySet",
    "pem": "pem.Certificates",
    "bundle": "bundle.Bundle",
}
"""Module and class of each format, in ``healthcert.trust.sources``."""


def source_named(name: str) -> Source:
    """The format of this name. Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``)."""
    if name not in SOURCES:
        raise TrustError(Code.TRUST_LIST_UNREADABLE, f"no such format of trust lists; there are: {', '.join(SOURCES)}")
    module, _, attribute = SOURCES[name].partition(".")
    source: Source = getattr(import_module(f"healthcert.trust.sources.{module}"), attribute)()
    return source
