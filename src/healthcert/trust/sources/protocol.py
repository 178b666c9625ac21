"""What every list format fulfils, and what it makes of a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

from msgspec import Struct, field

from healthcert.errors import Code, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.reading import Rejected, unreadable
from healthcert.trust.keys import Assurance, TrustedKey


@unique
class Role(StrEnum):
    """What a certificate that vouches for others is for. None of them may sign health certificates."""

    CSCA = "CSCA"
    UPLOAD = "UPLOAD"
    TLS = "TLS"


class Authority(Struct, frozen=True):
    """One that vouches for others: its certificate in DER or, where only that is known, its public key."""

    role: Role
    certificate: bytes | None
    country: str | None = None
    domain: str | None = None
    spki: bytes | None = None


class Context(Struct, frozen=True):
    """What a list is read under: the anchors that the operator pinned for it, the moment, the bounds.

    ``options`` are those of the format, as the operator set them (the participant of a DID tree, an issuer's URL ...).
    """

    anchors: tuple[TrustAnchor, ...]
    now: datetime
    limits: Limits = DEFAULT_LIMITS
    options: Mapping[str, str] = field(default_factory=dict)


class TrustList(Struct, frozen=True):
    """A list whose signature or chain held: its keys, and what it says of itself.

    ``counter`` never falls from one list of a source to the next (a version, or seconds since 1970), None where nothing
    signed tells. ``expires_at`` is the list's own end, None where it has none. ``signer`` is the anchor that vouches
    for it. ``skipped`` are the entries that could not be used. ``signed`` is the SHA-256 of what the list's signature
    covers, so that a list is known again whatever its wrapping; None where no one signature covers it. ``documents``
    are moments like ``counter`` for each document of a list that comes in several, by its identifier.
    """

    keys: tuple[TrustedKey, ...]
    assurance: Assurance
    skipped: tuple[Rejected, ...] = ()
    authorities: tuple[Authority, ...] = ()
    counter: int | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    signer: TrustAnchor | None = None
    signed: bytes | None = None
    documents: Mapping[str, int] = field(default_factory=dict)


class Known(Struct, frozen=True):
    """What the store has of a source: the parts as they were received, when, and the validators of its answers."""

    parts: Mapping[str, bytes] = field(default_factory=dict)
    fetched_at: datetime | None = None
    loaded_at: datetime | None = None
    """When the whole list was last fetched, rather than what changed."""
    validators: Mapping[str, str] = field(default_factory=dict)
    """ETag of each URL."""


class Fetched(Struct, frozen=True):
    """The parts of a list as they came from its server. ``whole`` is False when only changes were fetched."""

    parts: Mapping[str, bytes]
    validators: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class Source(Protocol):
    """A format of trust lists: how one is read from its parts, and how these are fetched."""

    @property
    def name(self) -> str:
        """The name in commands and configuration: ``de``."""
        ...

    @property
    def title(self) -> str:
        """One line that says whose and which format it is."""
        ...

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the files or answers that make a list; the first one is the list itself.

        Empty where a list is any number of files, which go by their paths.
        """
        ...

    @property
    def anchored(self) -> bool:
        """Whether a list is refused without a pinned anchor. Where not, there is nothing that one could check."""
        ...

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        """The list that the parts make.

        Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, ``TRUST_LIST_NOT_AUTHENTIC`` (a signature or chain does
        not hold), ``TRUST_ANCHOR_MISSING``; never keeps part of such a list. One entry that cannot be used is skipped.
        """
        ...

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """The parts, from the service whose address is ``url``; None when they have not changed since ``known``.

        Raises :class:`FetchError`, :class:`TrustError`.
        """
        ...


def part(parts: Mapping[str, bytes], name: str) -> bytes:
    """The part of this name. Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``)."""
    if name not in parts:
        raise unreadable(f"the part {name} is missing")
    return parts[name]


def get(fetcher: Fetcher, url: str, known: Known, limits: Limits) -> tuple[bytes | None, dict[str, str]]:
    """The body at ``url``, None when it has not changed, and its validator."""
    etag = known.validators.get(url)
    response = fetcher.get(url, limit=limits.list_bytes, headers={"If-None-Match": etag} if etag else {})
    if response.status == 304:
        return None, {url: etag} if etag else {}
    found = response.headers.get("etag")
    return response.body, {url: found} if found else {}


def check_size(count: int, limits: Limits) -> None:
    """Raises :class:`TrustError` (``INPUT_TOO_LONG``) for a list of more entries than are taken."""
    if count > limits.trust_entries:
        raise TrustError(Code.INPUT_TOO_LONG, f"a list of more than {limits.trust_entries} entries", Step.TRUST)


def rejected(where: str, detail: str, code: Code = Code.CERTIFICATE_UNREADABLE) -> Rejected:
    """An entry that is skipped: where in the list it stands, and why."""
    return Rejected(where, TrustError(code, detail, Step.TRUST))
