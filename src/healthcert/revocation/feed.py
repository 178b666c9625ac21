"""A source of revocation lists as its operator set it up, and what an update did to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct, field

from healthcert.errors import HealthCertError
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.lists.reading import Rejected


class RevocationFeed(Struct, frozen=True, kw_only=True):
    """A source of revocation lists as an operator set it up: whose, in which format, and who must have signed it.

    ``max_age`` is how long a list stands without being fetched again; None for as long as it says itself. ``max_loss``
    is the part of its entries that a list may lose at once. ``secrets`` are options that are never kept or shown.
    """

    name: str
    format: str
    url: str | None = None
    anchors: tuple[TrustAnchor, ...] = ()
    environment: Environment = Environment.PRODUCTION
    max_age: timedelta | None = timedelta(hours=24)
    max_loss: float = 0.25
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"RevocationFeed({self.name!r}, {self.format!r})"


class RevocationChange(Struct, frozen=True):
    """What an update did to a source: how many batches came and went, how many identifiers and filters it now has.

    ``skipped`` are the entries that could not be used, the first thousand of ``skipped_count``. ``error`` is why it
    failed; the list in use is then as it was, but for what could be had of a list that comes in many batches.
    """

    source: str
    added: int = 0
    withdrawn: int = 0
    records: int = 0
    filters: int = 0
    skipped: tuple[Rejected, ...] = ()
    skipped_count: int = 0
    error: HealthCertError | None = None

    @property
    def unchanged(self) -> bool:
        return self.error is None and not self.added and not self.withdrawn
