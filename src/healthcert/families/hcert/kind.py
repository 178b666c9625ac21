"""What may stand in the hcert claim: each kind of payload behind one protocol."""

from __future__ import annotations

from typing import Any, Protocol

from healthcert.families.protocol import Finding
from healthcert.model import EntryType, Event, Holder, Private


class Content(Private, frozen=True):
    """A payload as health data, and how it departs from its specification."""

    version: str
    holder: Holder
    events: tuple[Event, ...]
    findings: list[Finding]
    links: tuple[str, ...] = ()


class Kind(Protocol):
    """A kind of payload. Implementations hold no state."""

    @property
    def name(self) -> str:
        """The name used in policies and reports."""
        ...

    domains: frozenset[str]
    """The domains of trust whose keys may sign it."""

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        """The kinds of entry the payload carries, told from its shape alone."""
        ...

    def read(self, payload: Any) -> Content:
        """The payload as health data. Raises :class:`healthcert.VerificationError` with the step ``content``."""
        ...
