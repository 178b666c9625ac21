"""One accepted list of rules, as a store keeps it: what it says of itself, and its documents in their own bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from healthcert.errors import Code, RuleError, Step
from healthcert.limits import Limits
from healthcert.rules.book import ANYWHERE
from healthcert.rules.rule import Rule
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Assurance, RuleList, Skipped
from healthcert.rules.valuesets import ValueSet

LOCAL = "local"
"""The name of the list of rules that a store was made of without a source."""
NO_MOMENT = datetime.fromtimestamp(0, UTC)
"""When such a list was fetched: it does not age."""


class Head(Struct, frozen=True, kw_only=True):
    """What is known of a list as a whole.

    ``digest`` is that of the parts as received, ``signed`` are those of what their signatures cover, or ``digest``
    itself. ``expires_at`` is the signed end, ``max_age`` the longest it may stand without being fetched again, in
    seconds. ``signer`` is the fingerprint of the anchor that vouches for all of it, ``countries`` are those that it
    says it speaks for.
    """

    source: str
    format: str
    assurance: Assurance
    digest: bytes
    signed: tuple[bytes, ...]
    fetched_at: datetime
    counter: int | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    max_age: int | None = None
    signer: str | None = None
    countries: tuple[str, ...] = ()

    @property
    def best_before(self) -> datetime | None:
        """When the list must have been replaced: its own end, or its greatest age, whichever comes first."""
        aged = None if self.max_age is None else self.fetched_at + timedelta(seconds=self.max_age)
        return min((moment for moment in (self.expires_at, aged) if moment is not None), default=None)


class SkippedRow(Struct, frozen=True, array_like=True):
    """A rule or value set that could not be used, as it is kept; see :class:`Skipped`."""

    where: str
    code: Code
    detail: str
    country: str | None
    value_set: str | None


class Documents(Struct, frozen=True):
    """The documents of a list, each in the JSON it was read from, and what could not be used."""

    rules: tuple[bytes, ...] = ()
    value_sets: tuple[bytes, ...] = ()
    national: Mapping[str, bytes] = {}
    skipped: tuple[SkippedRow, ...] = ()


class Generation:
    """A list in the state that one update left it in: its rules and value sets, read from their documents."""

    __slots__ = ("documents", "head", "rules", "skipped", "value_sets")

    def __init__(self, head: Head, documents: Documents, limits: Limits) -> None:
        self.head = head
        self.documents = documents
        into = Gathering(limits)
        # What was readable when it was accepted and is not any more, to a later release of this library or within
        # lower limits, is a rule that cannot be read like any other: no reason to be without all the rest.
        for number, raw in enumerate(documents.rules, 1):
            into.add_rule(f"rule {number}", raw)
        for number, raw in enumerate(documents.value_sets, 1):
            into.add_value_set(f"value set {number}", raw)
        found = into.finish()
        self.rules: tuple[Rule, ...] = tuple(document.rule for document in found.rules)
        self.value_sets: tuple[ValueSet, ...] = tuple(document.value_set for document in found.value_sets)
        self.skipped: tuple[Skipped, ...] = (*map(_unpacked, documents.skipped), *found.skipped)

    @property
    def unreadable(self) -> Mapping[str, int]:
        """How many rules of each country could not be read; ``*`` is the country of those that nobody knows of."""
        return Counter(one.country or ANYWHERE for one in self.skipped if one.value_set is None)

    @property
    def countries(self) -> frozenset[str]:
        """Those that the list speaks for: that it names, or has rules of, be they readable or not."""
        found = {*self.head.countries, *(rule.country for rule in self.rules), *self.unreadable}
        return frozenset(found - {ANYWHERE})


def make_documents(found: RuleList) -> Documents:
    """What is kept of a list."""
    return Documents(
        rules=tuple(document.raw for document in found.rules),
        value_sets=tuple(document.raw for document in found.value_sets),
        national=dict(sorted(found.national.items())),
        skipped=tuple(
            SkippedRow(one.source, one.error.code, one.error.detail, one.country, one.value_set)
            for one in found.skipped
        ),
    )


def _unpacked(row: SkippedRow) -> Skipped:
    return Skipped(row.where, RuleError(row.code, row.detail, Step.RULES), row.country, row.value_set)


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
    """A value as :func:`encode` wrote it. Raises :class:`RuleError` (``RULE_STORE_UNREADABLE``)."""
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise damaged() from None


def damaged() -> RuleError:
    return RuleError(Code.RULE_STORE_UNREADABLE, "not a store of rules, or a damaged one", Step.RULES)
