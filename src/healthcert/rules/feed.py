"""A source of rules as its operator set it up, and what an update did to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from healthcert.errors import HealthCertError
from healthcert.limits import Limits
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.rules.rule import Rule
from healthcert.rules.sources.protocol import Context, Skipped


class RuleFeed(Struct, frozen=True, kw_only=True):
    """A source of rules as an operator set it up: whose list, in which format, and what it must be signed with.

    ``max_age`` is how long a list stands without being fetched again; None for as long as it says itself. ``max_loss``
    is the part of its rules that a list may lose at once. ``secrets`` are options that are never kept or shown.
    """

    name: str
    format: str
    url: str | None = None
    anchors: tuple[TrustAnchor, ...] = ()
    environment: Environment = Environment.PRODUCTION
    max_age: timedelta | None = timedelta(hours=48)
    max_loss: float = 0.25
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"RuleFeed({self.name!r}, {self.format!r})"

    def context(self, now: datetime, limits: Limits) -> Context:
        """What a list of this feed is read under."""
        return Context(self.anchors, now, limits, {**self.options, **self.secrets})


class RuleChange(Struct, frozen=True):
    """What an update did to a source: the rules that came and went, those that say something else under the same
    version, how many stayed, the value sets and national documents that are others now or are gone, what was skipped.

    ``error`` is why it failed; the list in use is then as it was.
    """

    source: str
    added: tuple[Rule, ...] = ()
    removed: tuple[Rule, ...] = ()
    changed: tuple[Rule, ...] = ()
    kept: int = 0
    value_sets: tuple[str, ...] = ()
    national: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    error: HealthCertError | None = None

    @property
    def unchanged(self) -> bool:
        return self.error is None and not any((self.added, self.removed, self.changed, self.value_sets, self.national))
