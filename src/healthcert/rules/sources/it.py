"""Italy: the settings of VerificaC19, which say for how many days or hours each kind of certificate is good; unsigned.

Form: ``[{"name", "type", "value"}]``, all of them texts. They are no rules of the EU's form, but those of
:mod:`healthcert.rules.national.italian`; so this list speaks for no country's rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthcert.fetch import Fetcher
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, get, part, refused
from healthcert.rules.sources.reading import json_of, too_many


class Italian:
    """See the module."""

    name = "it"
    title = "Italy (VerificaC19): settings of validity, unsigned"
    parts = ("settings",)
    anchored = False
    options = ()

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        data = part(parts, "settings")
        settings = json_of(data, list)
        too_many(len(settings), context.limits)
        if not settings or not all(map(_is_setting, settings)):
            raise refused("not a list of settings with name, type and value")
        return RuleList(national={"it": data}, assurance=Assurance.TLS_ONLY)

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """As the protocol has it. ``url`` is that of the settings themselves."""
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"settings": body}, validators)


def _is_setting(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("name", "type", "value"))
