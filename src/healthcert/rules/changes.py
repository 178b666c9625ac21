"""What is different between a list of rules and the one that replaces it."""

from __future__ import annotations

from collections.abc import Mapping

from healthcert.rules.feed import RuleChange
from healthcert.rules.generation import Generation
from healthcert.rules.rule import Rule
from healthcert.rules.sources.gathering import Identity, identity_of, same_rule


def change_between(source: str, before: Generation | None, after: Generation) -> RuleChange:
    """What is different between two generations of a list."""
    old, new = _by_identity(before), _by_identity(after)
    sets = [{one.id: one for one in generation.value_sets} if generation else {} for generation in (before, after)]
    national = [generation.documents.national if generation else {} for generation in (before, after)]
    return RuleChange(
        source,
        added=tuple(rule for key, rule in new.items() if key not in old),
        removed=tuple(rule for key, rule in old.items() if key not in new),
        changed=tuple(rule for key, rule in new.items() if key in old and not same_rule(old[key], rule)),
        kept=len(old.keys() & new.keys()),
        value_sets=_different(*sets),
        national=_different(*national),
        skipped=after.skipped,
    )


def _by_identity(generation: Generation | None) -> dict[Identity, Rule]:
    rules = generation.rules if generation is not None else ()
    return {identity_of(rule): rule for rule in rules}


def _different(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))
