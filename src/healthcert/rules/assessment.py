"""The one question that every world of rules answers: is it good enough, from when until when, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import field

from healthcert.model import NoTruth, Private
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject


class Assessment(NoTruth, Private, frozen=True, kw_only=True):
    """What rules say of certificates at a moment, and for how long.

    The certificates are good from ``valid_from`` up to, and without, ``valid_until``: the time around the moment that
    was asked about or, where they are not good then, the next one. Either is None where there is no such bound, both
    where they never will be. ``reasons`` say why, in English and without personal data. ``status`` is the answer in the
    words of the rules themselves, where it is more than yes or no (``SUCCESS_2G``).
    """

    outcome: RulingOutcome
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    reasons: tuple[str, ...] = ()
    status: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class NationalRules(Protocol):
    """Rules that a country wrote otherwise than the EU's."""

    @property
    def name(self) -> str:
        """The name in commands: ``it``."""
        ...

    @property
    def title(self) -> str:
        """One line that says whose rules these are."""
        ...

    @property
    def options(self) -> Mapping[str, tuple[str, ...]]:
        """The options that can be set, each with the values it takes; the first one is the default."""
        ...

    def assess(self, subjects: Sequence[RuleSubject], at: datetime, *, options: Mapping[str, str]) -> Assessment:
        """What the rules say of the certificates of one holder at the moment ``at``.

        Raises :class:`RuleError` (``RULE_CONFIG_INVALID``) for an option that there is not.
        """
        ...
