"""What a family of certificates is: the one protocol behind which each wire format stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.cwt import Claims
from healthcert.errors import Code, Step
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate


@dataclass(frozen=True, slots=True)
class Finding:
    """A departure from the specification that does not stop the reading. A policy decides what it means.

    ``detail`` names fields and rules only, never what a field holds.
    """

    code: Code
    step: Step
    detail: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an encoded certificate, for people who look inside: its name, its size, and what was read there."""

    name: str
    size: int
    content: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Layer({self.name!r}, size={self.size})"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A certificate taken apart down to what is signed; nobody's signature has been checked yet.

    ``signed`` are the very bytes that ``signature`` covers. ``algorithm`` and ``kid`` are what the certificate says of
    itself: ``algorithm_label`` is the value as written, for a message about one that is unknown. ``content`` is
    the family's payload, not interpreted before the signature holds.
    """

    family: Family
    kid: bytes | None
    algorithm: Algorithm | None
    algorithm_label: str
    signed: bytes
    signature: bytes
    claims: Claims
    content: Mapping[Any, Any]
    findings: tuple[Finding, ...]


class Family(Protocol):
    """A certificate format. Implementations hold no state."""

    @property
    def name(self) -> str:
        """The name used in policies and reports."""
        ...

    def recognises(self, text: str) -> bool:
        """Whether ``text`` claims to be of this family; decided by its first characters alone."""
        ...

    def decode(self, text: str, limits: Limits) -> Decoded:
        """Takes ``text`` apart. Raises :class:`healthcert.DecodeError`."""
        ...

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        """The layers of ``text`` from the outside in, as far as they can be read.

        Raises :class:`healthcert.DecodeError` at the first that cannot, after those before it were yielded.
        """
        ...

    def check_kid(self, kid: bytes) -> str | None:
        """Why ``kid`` can be no key identifier of this family, or None."""
        ...

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        """The kinds of entry the payload carries, told from its shape alone."""
        ...

    def parse(self, decoded: Decoded) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        """The payload as health data. To be called only once the signature holds.

        Raises :class:`healthcert.VerificationError` with the step ``content``.
        """
        ...
