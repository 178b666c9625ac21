"""Rules and value sets in one file each: JSON arrays in the form that CovPass is shipped with.

A rule has the members of the gateway's schema and ``hash``, which is that of other bytes than these and tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthcert.errors import Code
from healthcert.fetch import Fetcher
from healthcert.rules.sources.documents import add_documents, holds_documents
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Context, Fetched, Known, RuleList, get, refused
from healthcert.rules.sources.reading import named_countries

RULES = "rules"
VALUE_SETS = "value-sets"


class Bundle:
    """See the module; either file alone makes a list.

    The option ``value-sets`` is the address that value sets are fetched from, ``countries`` (``FR,DE``) those that the
    list speaks for without rules.
    """

    name = "bundle"
    title = "rules and value sets in one JSON file each, as CovPass has them"
    parts = (RULES, VALUE_SETS)
    anchored = False
    options = (VALUE_SETS, "countries")

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        if context.anchors:
            raise refused("a bundle is not signed, and an anchor is pinned for it", Code.RULE_LIST_NOT_AUTHENTIC)
        given = [(name, parts[name]) for name in self.parts if name in parts]
        if not given:
            raise refused(f"neither of the parts {', '.join(self.parts)} is there")
        into = Gathering(context.limits)
        for name, data in given:
            if not holds_documents(data):
                raise refused(f"the part {name} is not the JSON it should be")
            add_documents(into, name, data, None, strict=True)
        return into.finish(countries=named_countries(context))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        addresses = {RULES: url}
        if address := context.options.get(VALUE_SETS):
            addresses[VALUE_SETS] = address
        parts, validators = {}, {}
        for name, address in addresses.items():
            # Without the part a server's word that nothing has changed is of no use.
            body, found = get(fetcher, address, known if name in known.parts else Known(), context.limits)
            parts[name] = known.parts.get(name, b"") if body is None else body
            validators.update(found)
        return None if parts == dict(known.parts) else Fetched(parts, validators)
