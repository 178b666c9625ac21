"""The EU's gateway (DGCG): each rule in a message that its country signed, listed by country; and the value sets.

Answers, and the names of the parts: ``countrylist`` (``["FR", ...]``), ``rules/FR`` (``{identifier: [{"version",
"validFrom", "validTo", "cms"}]}``), ``valuesets`` (``["country-2-codes", ...]``) and ``valuesets/country-2-codes``.
Files may end in ``.json``.

What is pinned are the countries' upload certificates. A rule counts when one of them signed it, of the very country
whose rule it is, and when it is the one that it is listed as. The gateway signs nothing: neither which rules there are,
nor the value sets. So who answers in its place can hold a rule back, or give an older version that the country signed;
they can write no rule. Value sets are believed as far as the gateway's TLS certificate is.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthcert.errors import Code, FetchError, HealthCertError, Step
from healthcert.fetch import Fetcher
from healthcert.lists.reading import is_country
from healthcert.rules.sources.dgcg_rules import read_listing, signed_rule
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, part, refused
from healthcert.rules.sources.reading import countries_in, named_countries, names_in

_COUNTRIES, _RULES, _VALUE_SETS = "countrylist", "rules", "valuesets"
_SUFFIX = ".json"


class Dgcg:
    """See the module. It speaks for the countries that it lists, or for those of the option ``countries`` (``FR,DE``),
    whose rules alone are then fetched.
    """

    name = "dgcg"
    title = "EU Digital COVID Certificate Gateway: rules, each signed by its country's upload certificate"
    parts = ()
    anchored = True
    options = ("countries",)

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        anchors = context.pinned()
        named = {name.removesuffix(_SUFFIX): data for name, data in parts.items()}
        into = Gathering(context.limits)
        countries = _listed_countries(named, context)
        for country in countries:
            for listed in read_listing(part(named, f"{_RULES}/{country}"), country, context.limits):
                try:
                    raw = signed_rule(listed, country, anchors, context.limits)
                except HealthCertError as error:
                    into.skip(listed.where, error, country=country)
                else:
                    into.add_rule(listed.where, raw, country=country)
        _take_value_sets(named, into)
        return into.finish(assurance=Assurance.SIGNED_RULES, countries=frozenset(countries))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        session = _Session(fetcher, url.rstrip("/"), context)
        chosen = _chosen(context)
        if chosen is None:
            chosen = countries_in(session.get(_COUNTRIES))
        session.check_count(len(chosen))
        for country in chosen:
            session.get(f"{_RULES}/{country}")
        names = names_in(session.get(_VALUE_SETS))
        session.check_count(len(names))
        for name in names:
            session.get(f"{_VALUE_SETS}/{name}")
        return None if session.parts == dict(known.parts) else Fetched(session.parts)


class _Session:
    """The answers of one update, which together are no longer than one list may be."""

    def __init__(self, fetcher: Fetcher, base: str, context: Context) -> None:
        self._fetcher, self._base, self._limits = fetcher, base, context.limits
        self._room = context.limits.list_bytes
        self.parts: dict[str, bytes] = {}

    def get(self, path: str) -> bytes:
        body = self._fetcher.get(f"{self._base}/{path}", limit=self._room).body
        self._room -= len(body)
        self.parts[path] = body
        return body

    def check_count(self, count: int) -> None:
        """Raises :class:`FetchError` (``FETCH_REFUSED``) for more requests than one list may take."""
        if len(self.parts) + count > self._limits.list_pages:
            detail = f"a list in more than {self._limits.list_pages} answers"
            raise FetchError(Code.FETCH_REFUSED, detail, Step.RULES)


def _listed_countries(named: Mapping[str, bytes], context: Context) -> tuple[str, ...]:
    """The countries whose listings have to be there: none of them can be left out unnoticed."""
    chosen = _chosen(context)
    if chosen is not None:
        return chosen
    if _COUNTRIES in named:
        return countries_in(named[_COUNTRIES])
    found = tuple(sorted(name.removeprefix(f"{_RULES}/") for name in named if name.startswith(f"{_RULES}/")))
    if not found or not all(map(is_country, found)):
        raise refused("no listing of a country's rules, or one that is not named by its country")
    return found


def _chosen(context: Context) -> tuple[str, ...] | None:
    """The countries of the option; None where it is not set."""
    return tuple(sorted(named_countries(context))) if "countries" in context.options else None


def _take_value_sets(named: Mapping[str, bytes], into: Gathering) -> None:
    """Takes the value sets that are listed, or all there are without a listing."""
    prefix = f"{_VALUE_SETS}/"
    if _VALUE_SETS in named:
        names = names_in(named[_VALUE_SETS])
    else:
        names = tuple(sorted(name.removeprefix(prefix) for name in named if name.startswith(prefix)))
    for name in names:
        where = prefix + name
        if where in named:
            into.add_value_set(where, named[where], name=name)
        else:
            into.skip(where, refused("a value set that is listed is not there"), value_set=name)
