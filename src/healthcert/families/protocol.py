"""What a family of certificates is: the one protocol behind which each wire format stands."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct

from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.cwt import Claims
from healthcert.errors import Code, Step
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate, Private


class Finding(Struct, frozen=True):
    """A departure from the specification that does not stop the reading. A policy decides what it means.

    ``detail`` names fields and rules only, never what a field holds.
    """

    code: Code
    step: Step
    detail: str


class Layer(Struct, frozen=True):
    """One layer of an encoded certificate, for people who look inside: its name, its size, and what was read there."""

    name: str
    size: int
    content: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Layer({self.name!r}, size={self.size})"


class Decoded(Private, frozen=True):
    """A certificate taken apart down to what is signed; nobody's signature has been checked yet.

    ``kinds`` are what its shape says it holds, by the names that policies and reports use; none where it holds nothing
    known. ``signed`` are the very bytes that ``signature`` covers. ``algorithm`` and
    ``kid`` are what the certificate says of itself: ``algorithm_label`` is the value as written, for a message about
    one that is unknown; ``algorithms`` are those that its specification allows. ``content`` is the family's payload,
    not interpreted before the signature holds.

    ``domains`` are the domains of trust whose keys may sign all of it, None where it holds nothing known. ``issuer`` is
    the URL or DID under which the kid holds, in schemes that key by issuer. ``certificate`` is the signer's in DER,
    where it comes along and an authority has to vouch for it.

    ``needs`` are the time claims that have to be there (``exp``, ``iat``, ``nbf``), ``may_lack`` those that other kinds
    have and this one may do without, which is told where it does. ``ends_at_exp`` is whether it has ended at ``exp``
    itself, and not only after it. ``signed_between`` are the moments, in seconds since 1970, between which it was
    signed, where the signing key has to have been valid then and not when it is verified.
    """

    family: Family
    kinds: tuple[str, ...]
    kid: bytes | None
    algorithm: Algorithm | None
    algorithm_label: str
    signed: bytes
    signature: bytes
    claims: Claims
    content: Mapping[Any, Any]
    findings: tuple[Finding, ...]
    algorithms: frozenset[Algorithm]
    domains: frozenset[str] | None = None
    issuer: str | None = None
    certificate: bytes | None = None
    needs: frozenset[str] = frozenset()
    may_lack: frozenset[str] = frozenset()
    ends_at_exp: bool = False
    signed_between: tuple[float, float] | None = None


class Wire(Private, frozen=True, kw_only=True):
    """A signed certificate as it leaves the house.

    ``text`` is what a reader takes; ``binary`` the signed message in bytes (COSE, JWS, JSON, archive). ``segments`` are
    what its barcode holds: texts in the densest mode that has all their characters, and bytes as bytes. ``symbol`` is
    the kind of barcode.
    """

    text: str
    binary: bytes
    segments: tuple[str | bytes, ...]
    symbol: Literal["qr", "datamatrix"] = "qr"
    media_type: str = "text/plain"


class Unsigned(Protocol):
    """A certificate that only lacks its signature over ``to_be_signed``."""

    @property
    def to_be_signed(self) -> bytes:
        """What a signer signs."""
        ...

    def assemble(self, signature: bytes) -> Wire:
        """The certificate with this signature: raw ``r || s`` for ECDSA."""
        ...


class Family(Protocol):
    """A certificate format. Implementations hold no state."""

    @property
    def name(self) -> str:
        """The name in reports of a text that could not be read any further."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a text of this family may hold: the names used in policies and reports."""
        ...

    def recognises(self, text: str) -> bool:
        """Whether ``text`` claims to be of this family; decided by its form alone, and quickly."""
        ...

    def decode(self, text: str, limits: Limits) -> Decoded:
        """Takes ``text`` apart. Raises :class:`healthcert.DecodeError`."""
        ...

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        """The layers of ``text`` from the outside in, as far as they can be read.

        Raises :class:`healthcert.DecodeError` at the first that cannot, after those before it were yielded.
        """
        ...

    def check_signer(self, decoded: Decoded) -> str | None:
        """Why what the certificate says of its signer (its kid, its certificate) cannot be so, or None."""
        ...

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        """The kinds of entry the payload carries, told from its shape alone."""
        ...

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        """The payload as health data, and what of these ``kinds`` stands beside it. Only once the signature holds.

        Raises :class:`healthcert.VerificationError` with the step ``content``.
        """
        ...
