"""France: the settings of TousAntiCovid Verif, which say for how long each kind of certificate is good; unsigned.

Form: ``{"specificValues": {"validity": {"health": {...}, "vaccine": {...}, "plus": {...}, ...}}, ...}``, or the
validity alone, as others hand it on. They are no rules of the EU's form, but those of
:mod:`healthcert.rules.national.french`; so this list speaks for no country's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from healthcert.errors import Code
from healthcert.fetch import Fetcher
from healthcert.lists.bearer import bearer
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, get, part, refused
from healthcert.rules.sources.reading import json_bytes, json_of

_PASSES = ("health", "vaccine")


class French:
    """See the module. The server asks for a token, the secret option ``token``."""

    name = "fr"
    title = "France (TousAntiCovid Verif): settings of validity, unsigned"
    parts = ("settings",)
    anchored = False
    options = ("token",)

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        data = part(parts, "settings")
        document = json_of(data, dict)
        if "specificValues" in document:
            validity = _member(_member(document, "specificValues"), "validity")
            data = json_bytes(validity)
        else:
            validity = document
        for name in _PASSES:
            _member(validity, name)
        return RuleList(national={"fr": data}, assurance=Assurance.TLS_ONLY)

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """As the protocol has it. ``url`` is that of the settings themselves."""
        headers = bearer(context.options, lambda detail: refused(detail, Code.RULE_CONFIG_INVALID))
        body, validators = get(fetcher, url, known, context.limits, headers)
        return None if body is None else Fetched({"settings": body}, validators)


def _member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    if not isinstance(found, dict):
        raise refused(f"it has no settings named {name}")
    return found
