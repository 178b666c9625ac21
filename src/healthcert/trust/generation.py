"""One accepted list, as a store keeps it: what verification needs in front, the rest beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from healthcert.errors import Code, Step, TrustError
from healthcert.lists.reading import Rejected
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance, Link, Provenance, TrustedKey
from healthcert.trust.sources.protocol import Authority

LOCAL = "local"
"""The name of the list of keys that the operator added by hand."""


class Row(Struct, frozen=True, array_like=True):
    """A key as it is kept. Times are seconds since 1970; ``usages`` None is any."""

    kid: bytes
    spki: bytes
    domain: str | None
    issuer: str | None
    country: str | None
    usages: tuple[EntryType, ...] | None
    not_before: int | None
    not_after: int | None
    label: str
    origins: tuple[Provenance, ...] = ()
    """The lists that it was on where a bundle was made, when it came in one."""


class Detail(Struct, frozen=True, array_like=True):
    """What is not needed to verify with a key: its certificate, and who vouches for it."""

    certificate: bytes | None
    chain: tuple[Link, ...]


class Details(Struct, frozen=True):
    """What is kept beside the keys, in their order, and the rest of the list."""

    keys: tuple[msgspec.Raw, ...] = ()
    """A :class:`Detail` each, decoded one by one: of thousands a verification needs one."""
    authorities: tuple[Authority, ...] = ()
    skipped: tuple[tuple[str, Code, str], ...] = ()


class Head(Struct, frozen=True, kw_only=True):
    """What is known of a list as a whole.

    ``digest`` is that of the parts as received, ``signed`` that of what their signature covers. ``expires_at`` is the
    signed end, ``max_age`` the longest it may stand without being fetched again, in seconds.
    """

    source: str
    format: str
    assurance: Assurance
    digest: bytes
    signed: bytes
    fetched_at: datetime
    loaded_at: datetime
    counter: int | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    max_age: int | None = None
    signer: Link | None = None

    @property
    def best_before(self) -> datetime | None:
        """When the list must have been replaced: its own end, or its greatest age, whichever comes first."""
        aged = None if self.max_age is None else self.fetched_at + timedelta(seconds=self.max_age)
        return min((moment for moment in (self.expires_at, aged) if moment is not None), default=None)

    def provenance(self) -> Provenance:
        fetched_at = None if self.source == LOCAL else self.fetched_at
        return Provenance(self.source, self.assurance, fetched_at, self.best_before)


class Generation:
    """A list in the state that one update left it in. What is beside the keys is decoded when it is asked for."""

    __slots__ = ("_details", "_provenance", "_raw_details", "head", "rows")

    def __init__(self, head: Head, rows: tuple[Row, ...], details: Details | bytes) -> None:
        self.head = head
        self.rows = rows
        self._raw_details = details if isinstance(details, bytes) else b""
        self._details = details if isinstance(details, Details) else None
        self._provenance = head.provenance()

    @property
    def details(self) -> Details:
        """Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``)."""
        if self._details is None:
            found = decode(self._raw_details, Details)
            if len(found.keys) != len(self.rows):
                raise damaged()
            self._details = found
        return self._details

    def under(self, head: Head) -> Generation:
        """The same list, with something else to say of it as a whole."""
        same = Generation(head, self.rows, self._raw_details)
        same._details = self._details
        return same

    def key(self, index: int) -> TrustedKey:
        """The key of a row."""
        row, detail = self.rows[index], decode(bytes(self.details.keys[index]), Detail)
        return TrustedKey(
            kid=row.kid,
            spki=row.spki,
            country=row.country,
            usages=None if row.usages is None else frozenset(row.usages),
            not_before=_moment(row.not_before),
            not_after=_moment(row.not_after),
            certificate=detail.certificate,
            source=row.label,
            domain=row.domain,
            issuer=row.issuer,
            chain=detail.chain,
            provenance=tuple(self._from_bundle(origin) for origin in row.origins) or (self._provenance,),
        )

    def _from_bundle(self, origin: Provenance) -> Provenance:
        ends = [end for end in (origin.expires_at, self._provenance.expires_at) if end is not None]
        name = f"{self.head.source}/{origin.source}"
        return Provenance(name, origin.assurance, origin.fetched_at, min(ends, default=None))

    def __iter__(self) -> Iterator[TrustedKey]:
        return map(self.key, range(len(self.rows)))


def make_generation(
    head: Head, keys: Iterable[TrustedKey], authorities: tuple[Authority, ...] = (), skipped: Iterable[Rejected] = ()
) -> Generation:
    """A generation of these keys."""
    given = list(keys)
    return Generation(
        head,
        tuple(_row(key, head) for key in given),
        Details(
            tuple(msgspec.Raw(encode(Detail(key.certificate, key.chain))) for key in given),
            authorities,
            tuple((entry.source, entry.error.code, entry.error.detail) for entry in skipped),
        ),
    )


def digest_of(parts: Mapping[str, bytes]) -> bytes:
    """The SHA-256 of the parts of a list, whatever order they are given in."""
    total = hashlib.sha256()
    for name, data in sorted(parts.items()):
        total.update(b"%d:%b%d:" % (len(name.encode()), name.encode(), len(data)))
        total.update(data)
    return total.digest()


def encode(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def decode(data: bytes, kind: type[Any]) -> Any:
    """A value as :func:`encode` wrote it. Raises :class:`TrustError` (``TRUST_STORE_UNREADABLE``)."""
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise damaged() from None


def damaged() -> TrustError:
    return TrustError(Code.TRUST_STORE_UNREADABLE, "not a trust store, or a damaged one", Step.TRUST)


def _row(key: TrustedKey, head: Head) -> Row:
    return Row(
        kid=key.kid,
        spki=key.spki,
        domain=key.domain,
        issuer=key.issuer,
        country=key.country,
        usages=None if key.usages is None else tuple(sorted(key.usages)),
        not_before=None if key.not_before is None else int(key.not_before.timestamp()),
        not_after=None if key.not_after is None else int(key.not_after.timestamp()),
        label=key.source if head.source == LOCAL else head.source,
        origins=key.provenance if head.source != LOCAL else (),
    )


def _moment(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise damaged() from None
