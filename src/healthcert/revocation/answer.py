"""What revocation lists say of a certificate."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique

from msgspec import Struct


@unique
class Standing(StrEnum):
    """What lists say of a certificate."""

    HIT = "hit"
    """A list names it."""
    POSSIBLE = "possible"
    """A filter has it, which errs now and then: see :attr:`RevocationAnswer.odds`."""
    CLEAR = "clear"
    """Lists that speak for its issuer are there and fresh, and none has it."""
    UNKNOWN = "unknown"
    """No such list is there, or all of them are overdue."""


class Coverage(Struct, frozen=True):
    """A list that speaks for a certificate's issuer. ``fresh_until`` is None where it says no end."""

    source: str
    format: str
    fetched_at: datetime
    fresh_until: datetime | None
    signed: bool


class RevocationAnswer(Struct, frozen=True):
    """What the lists say of one certificate.

    ``source`` is the list that has it. ``odds`` is the probability that a certificate which is not revoked would have
    been answered in the same way: 0 for a hit, that of the filters asked for a possible one. ``lists`` are the fresh
    lists that speak for its issuer, ``overdue`` those that are not fresh any more.
    """

    standing: Standing
    source: str | None = None
    odds: float = 0.0
    lists: tuple[Coverage, ...] = ()
    overdue: tuple[Coverage, ...] = ()

    @property
    def fresh_until(self) -> datetime | None:
        """When the last of the fresh lists ends; None where one of them says no end, or there is none."""
        ends = [one.fresh_until for one in self.lists]
        return None if None in ends else max((end for end in ends if end is not None), default=None)
