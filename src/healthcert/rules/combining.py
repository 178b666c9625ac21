"""All lists of a store as one: which of two rules or value sets counts, and who speaks for a country."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from healthcert.rules.book import RuleBook
from healthcert.rules.generation import LOCAL, Generation
from healthcert.rules.rule import ACCEPTANCE, INVALIDATION, Rule
from healthcert.rules.ruling import Coverage
from healthcert.rules.sources.gathering import Identity, identity_of, same_rule
from healthcert.rules.sources.protocol import Assurance
from healthcert.rules.valuesets import ValueSet, ValueSets, shipped_for_rules

_EU_TYPES = (ACCEPTANCE, INVALIDATION)


class Conflict(Struct, frozen=True):
    """A rule that two sources give differently: that of ``used`` counts, and not the ``version`` of ``other``.

    Either they contradict each other under one version, or the other is a list that nothing but the name of its server
    vouches for, and the rule is on a surer one.
    """

    country: str
    identifier: str
    version: str
    used: str
    other: str


def by_weight(lists: Iterable[Generation]) -> list[Generation]:
    """The lists in the order in which they are believed: those that are signed or the operator's first, by name."""
    return sorted(lists, key=lambda one: (not _is_believed(one), one.head.source))


def combine(lists: Iterable[Generation]) -> tuple[RuleBook, tuple[Conflict, ...]]:
    """One book of the rules of all lists, and where they contradict each other."""
    ordered = by_weight(lists)
    rules, conflicts = _rules(ordered)
    unreadable: Counter[str] = Counter()
    for one in ordered:
        unreadable.update(one.unreadable)
    return RuleBook(rules, _value_sets(ordered), unreadable), conflicts


def coverage(lists: Iterable[Generation], country: str) -> tuple[Coverage, ...]:
    """The lists that speak for a country, by name."""
    wanted = country.upper()
    found = (coverage_of(one, wanted) for one in lists if wanted in one.countries)
    return tuple(sorted(found, key=lambda one: one.source))


def national_lists(lists: Iterable[Generation], name: str, *, of_rules: bool) -> list[Generation]:
    """The lists that national rules are taken from.

    Those that are made of rules are from every list that has some which are not of the EU's types, any others from the
    one which is believed most of those with a document of their name.
    """
    ordered = by_weight(lists)
    if of_rules:
        return [one for one in ordered if any(rule.type not in _EU_TYPES for rule in one.rules)]
    return [one for one in ordered if name in one.documents.national][:1]


def coverage_of(one: Generation, country: str | None) -> Coverage:
    """How the rules of a list are known; ``country`` is the one whose types of rules are named, None for any."""
    head = one.head
    return Coverage(
        source=head.source,
        format=head.format,
        signed=head.assurance.signed,
        fetched_at=None if head.source == LOCAL else head.fetched_at,
        fresh_until=head.best_before,
        types=tuple(sorted({rule.type for rule in one.rules if country in (None, rule.country)})),
    )


def _rules(ordered: Iterable[Generation]) -> tuple[list[Rule], tuple[Conflict, ...]]:
    found: dict[Identity, tuple[Rule, str]] = {}
    owners: dict[tuple[str, str], str] = {}
    conflicts = []
    for one in ordered:
        source = one.head.source
        for rule in one.rules:
            key, name = identity_of(rule), (rule.country, rule.identifier)
            if key in found:
                used, owner = found[key]
                if same_rule(used, rule):
                    continue
            elif name in owners and not _is_believed(one):
                # Another version may let pass what the rule that is surely the country's own does not.
                owner = owners[name]
            else:
                found[key] = rule, source
                if _is_believed(one):
                    owners.setdefault(name, source)
                continue
            conflicts.append(Conflict(rule.country, rule.identifier, rule.version, owner, source))
    return [rule for rule, _ in found.values()], tuple(conflicts)


def _value_sets(ordered: Iterable[Generation]) -> ValueSets:
    """The newest set of each name on the lists that are believed most; of two of one date that of the first list."""
    lists = list(ordered)
    believed = ValueSets(value_set for one in reversed(lists) if _vouches_for_sets(one) for value_set in one.value_sets)
    others = ValueSets(
        value_set for one in reversed(lists) if not _vouches_for_sets(one) for value_set in one.value_sets
    )
    # Codes of a set that could not be read may be newer than those that are part of this library: a rule that asks for
    # the set is open rather than a refusal by old codes.
    withheld = {skipped.value_set for one in lists for skipped in one.skipped}
    base = ValueSets(value_set for value_set in shipped_for_rules() if value_set.id not in withheld)
    listed = ValueSets(value_set for value_set in others if believed.get(value_set.id) is None).merged(believed)
    return ValueSets(_with_undated(value_set, listed.get(value_set.id)) for value_set in base.merged(listed))


def _with_undated(value_set: ValueSet, listed: ValueSet | None) -> ValueSet:
    """A set of this library, with the codes that the lists have besides, where their set has no date.

    Which of the two is the newer one nobody can tell. No code is ever withdrawn, so that both had theirs in their day:
    without those of either a rule would refuse what a country accepts.
    """
    if listed is None or listed.date:
        return value_set
    return ValueSet(value_set.id, "", {**listed.codes, **value_set.codes})


def _vouches_for_sets(one: Generation) -> bool:
    """Whether a list is believed as to its value sets: where each rule is signed for itself, they are not."""
    return one.head.assurance in (Assurance.SIGNED_LIST, Assurance.LOCAL)


def _is_believed(one: Generation) -> bool:
    """Whether more than the name of a server vouches for a list; one that is not has no say where another has."""
    return one.head.assurance is not Assurance.TLS_ONLY
