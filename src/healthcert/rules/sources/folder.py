"""Folders of rules and value sets, as their authors keep them: the layout of dgc-business-rules-testdata, or any other.

Of ``<SET>/<RULE-ID>/rule.json`` the tests beside it are passed over, as are schemas; any other JSON file counts by what
is in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthcert.errors import Code, FetchError, Step
from healthcert.fetch import Fetcher
from healthcert.rules.sources.documents import add_documents, country_of_path, is_passed_over
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Context, Fetched, Known, RuleList, refused
from healthcert.rules.sources.reading import named_countries


class Folder:
    """See the module. The option ``countries`` (``FR,DE``) names those that the list speaks for without rules."""

    name = "folder"
    title = "folder of rules and value sets in JSON, one file each, as authors of rules have them"
    parts = ()
    anchored = False
    options = ("countries",)

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        if context.anchors:
            raise refused("a folder is not signed, and an anchor is pinned for it", Code.RULE_LIST_NOT_AUTHENTIC)
        into = Gathering(context.limits)
        for name, data in sorted(parts.items()):
            if not is_passed_over(name):
                add_documents(into, name, data, country_of_path(name), strict=False)
        return into.finish(countries=named_countries(context))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        raise FetchError(Code.FETCH_REFUSED, "a folder is installed, not fetched", Step.RULES)
