"""What every format of revocation lists fulfils, and what it tells of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from healthcert.errors import Code, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType

Countries = Callable[[bytes], frozenset[str]]
Progress = Callable[[int, int], None]


def _unknown(_kid: bytes) -> frozenset[str]:
    return frozenset()


def _silent(_done: int, _of: int) -> None:
    pass


class Context(Struct, frozen=True):
    """What a list is read under: the anchors that the operator pinned for it, the moment, the bounds.

    ``options`` are those of the format, as the operator set them. ``countries_of`` tells which countries' signing keys
    have a kid, as far as that is known. ``progress`` is told how many of how many documents were read.
    """

    anchors: tuple[TrustAnchor, ...]
    now: datetime
    limits: Limits = DEFAULT_LIMITS
    options: Mapping[str, str] = field(default_factory=dict)
    countries_of: Countries = _unknown
    progress: Progress = _silent

    def pinned(self) -> tuple[TrustAnchor, ...]:
        """The anchors that are valid now.

        Raises :class:`RevocationError` (``REVOCATION_ANCHOR_MISSING``) when there is none.
        """
        return need_anchors(self.anchors, self.now)


class Known(Struct, frozen=True):
    """What is remembered of a source from its last update: when, the validators of its answers, and its own notes."""

    fetched_at: datetime | None = None
    loaded_at: datetime | None = None
    """When the whole list was last fetched, rather than what changed."""
    validators: Mapping[str, str] = field(default_factory=dict)
    """ETag of each URL."""
    state: Mapping[str, str] = field(default_factory=dict)


class Listed(Struct, frozen=True, kw_only=True):
    """What a list says of itself, once all of it was read into a :class:`Gathering`.

    ``types`` are the identifiers that it goes by. ``kids``, ``keys`` (an issuer's URL and the kid under it) and
    ``countries`` are whose certificates it speaks for: of those, one that it does not name was not revoked. ``modes``
    tell how the filters of each kid are divided, ``b""`` being those for any kid. ``counter`` never falls from one list
    of a source to the next, None where it has none; ``expires_at`` is the list's own end. ``signer`` is the anchor that
    vouches for it, ``signed`` the SHA-256 of what its signature covers, or of all that was read. When ``whole``, what
    was neither kept nor added is no longer on it. ``problem`` is why not all of the list could be had: what came in is
    then used, but the list speaks for nobody anew.
    """

    types: tuple[IdentifierType, ...]
    kids: frozenset[bytes] = frozenset()
    keys: frozenset[tuple[str, bytes]] = frozenset()
    countries: frozenset[str] = frozenset()
    modes: Mapping[bytes, Mode] = field(default_factory=dict)
    counter: int | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    signer: TrustAnchor | None = None
    signed: bytes | None = None
    whole: bool = True
    validators: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    problem: RevocationError | None = None


class Source(Protocol):
    """A format of revocation lists: how one is read from files, and how it is fetched."""

    @property
    def name(self) -> str:
        """The name in commands and configuration: ``dgcg``."""
        ...

    @property
    def title(self) -> str:
        """One line that says whose and which format it is."""
        ...

    @property
    def anchored(self) -> bool:
        """Whether a list is refused without a pinned anchor. Where not, there is nothing that one could check."""
        ...

    @property
    def incremental(self) -> bool:
        """Whether batches that were read before can stay; if not, every list brings all that it names."""
        ...

    @property
    def options(self) -> tuple[str, ...]:
        """The names of its options."""
        ...

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        """Reads a list from files into ``into``.

        Raises :class:`RevocationError`: ``REVOCATION_LIST_UNREADABLE``, ``REVOCATION_LIST_NOT_AUTHENTIC``,
        ``REVOCATION_ANCHOR_MISSING``, ``REVOCATION_NOT_ALLOWED``; nothing of such a list is taken into use. One batch
        of many that cannot be used is skipped.
        """
        ...

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        """As :meth:`read`, from the service whose address is ``url``; None when nothing has changed since ``known``.

        Raises :class:`FetchError`, too.
        """
        ...


def settings_of(context: Context, *names: str) -> str:
    """These options as a note: where they are others, a document that has not changed says something else."""
    return repr([context.options.get(name) for name in names])


def refused(detail: str, code: Code = Code.REVOCATION_LIST_UNREADABLE) -> RevocationError:
    return RevocationError(code, detail, Step.REVOCATION)


def covered(context: Context, *own: str) -> frozenset[str]:
    """The countries that a list speaks for: those of the format, or those that the operator's option names.

    Raises :class:`RevocationError` (``REVOCATION_CONFIG_INVALID``).
    """
    named = context.options.get("countries")
    if named is None:
        return frozenset(own)
    found = frozenset(part.strip() for part in named.split(","))
    if not all(one == "*" or (len(one) == 2 and one.isascii() and one.isalpha() and one.isupper()) for one in found):
        raise refused("the option countries is a list like FR,DE, or *", Code.REVOCATION_CONFIG_INVALID)
    return found
