"""What every format of lists of rules fulfils, and what it makes of a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

from msgspec import Struct, field

from healthcert.errors import Code, RuleError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.reading import Rejected
from healthcert.rules.rule import Rule
from healthcert.rules.valuesets import ValueSet


@unique
class Assurance(StrEnum):
    """How it is known that the rules of a list are whose they are said to be."""

    SIGNED_RULES = "signed_rules"
    """Each rule is signed, by one that a pinned anchor vouches for; which rules there are, and value sets, are not."""
    SIGNED_LIST = "signed_list"
    """The list as a whole is signed with a pinned anchor."""
    TLS_ONLY = "tls_only"
    """Nothing but the name of the server that the list was fetched from."""
    LOCAL = "local"
    """The operator gave it."""

    @property
    def signed(self) -> bool:
        """Whether its rules are signed."""
        return self in (Assurance.SIGNED_RULES, Assurance.SIGNED_LIST)


class Context(Struct, frozen=True):
    """What a list is read under: the anchors that the operator pinned for it, the moment, the bounds.

    ``options`` are those of the format, as the operator set them, and the secret ones among them.
    """

    anchors: tuple[TrustAnchor, ...]
    now: datetime
    limits: Limits = DEFAULT_LIMITS
    options: Mapping[str, str] = field(default_factory=dict)

    def pinned(self) -> tuple[TrustAnchor, ...]:
        """The anchors that are valid now. Raises :class:`TrustError` (``TRUST_ANCHOR_MISSING``) when there is none."""
        return need_anchors(self.anchors, self.now)

    @property
    def unsigned(self) -> bool:
        """Whether the operator pinned nothing, and said that a list without a signature will do."""
        return not self.anchors and self.options.get("unsigned") == "yes"


class RuleDocument(Struct, frozen=True):
    """A rule, and the JSON it was read from: as it was received where it came as JSON, written anew where not."""

    rule: Rule
    raw: bytes


class ValueSetDocument(Struct, frozen=True):
    """A value set, and the JSON it was read from."""

    value_set: ValueSet
    raw: bytes


class Skipped(Rejected, frozen=True):
    """A rule or value set that could not be used: where it was, and why.

    ``country`` is the one whose rule it is, None where that is not known: nothing that such a rule might have refused
    may pass. ``value_set`` is the name of the set for one that is no rule, empty where it is not known.
    """

    country: str | None = None
    value_set: str | None = None


class RuleList(Struct, frozen=True, kw_only=True):
    """A list whose signatures held: its rules and value sets, and what it says of itself.

    Made with :class:`healthcert.rules.sources.gathering.Gathering`. ``national`` are documents that are no CertLogic
    rules of the EU's form, by the name of the national rules they are for (``ch``, ``it``, ``fr``). ``countries`` are
    those that the list speaks for, whether or not it has rules of them; those that it has rules of need not be named.

    ``assurance`` is ``TLS_ONLY`` for any list that is not signed; one that the operator gives is ``LOCAL`` in the
    store. ``counter`` never falls from one list of a source to the next (a version, or seconds since 1970), None where
    nothing signed tells. ``expires_at`` is the list's own end, None where it has none. ``signer`` is the anchor that
    vouches for all of it. ``signed`` are the SHA-256 of what each signature of the list covers, so that a list is known
    again whatever its wrapping, and half of it beside a new half; none where no such signatures cover all of it.
    """

    rules: tuple[RuleDocument, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    value_sets: tuple[ValueSetDocument, ...] = ()
    national: Mapping[str, bytes] = field(default_factory=dict)
    countries: frozenset[str] = frozenset()
    assurance: Assurance = Assurance.TLS_ONLY
    counter: int | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    signer: TrustAnchor | None = None
    signed: tuple[bytes, ...] = ()


class Known(Struct, frozen=True):
    """What the store has of a source: the parts as they were received, and the validators of its answers."""

    parts: Mapping[str, bytes] = field(default_factory=dict)
    validators: Mapping[str, str] = field(default_factory=dict)
    """ETag of each URL."""


class Fetched(Struct, frozen=True):
    """The parts of a list as they came from its server, all of them: also those that had not changed."""

    parts: Mapping[str, bytes]
    validators: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A format of lists of rules: how one is read from its parts, and how these are fetched."""

    @property
    def name(self) -> str:
        """The name in commands and configuration: ``dgcg``."""
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
        """Whether a list is refused without a pinned anchor, but where the option ``unsigned`` is ``yes``."""
        ...

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options that the format has; ``unsigned`` where it does without a signature."""
        ...

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        """The list that the parts make; nothing but these and ``context`` decides what it is.

        Raises :class:`RuleError`, or the :class:`TrustError` of what reads signatures: the list cannot be read, a
        signature or chain does not hold, no anchor is pinned; never keeps part of such a list. One rule that cannot be
        used is skipped.
        """
        ...

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """The parts, from the service whose address is ``url``; None when they have not changed since ``known``.

        Raises :class:`FetchError`, and what :meth:`load` raises.
        """
        ...


def part(parts: Mapping[str, bytes], name: str) -> bytes:
    """The part of this name. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
    if name not in parts:
        raise refused(f"the part {name} is missing")
    return parts[name]


def get(
    fetcher: Fetcher, url: str, known: Known, limits: Limits, headers: Mapping[str, str] | None = None
) -> tuple[bytes | None, dict[str, str]]:
    """The body at ``url``, None when it has not changed, and its validator."""
    etag = known.validators.get(url)
    condition = {"If-None-Match": etag} if etag else {}
    response = fetcher.get(url, limit=limits.list_bytes, headers={**(headers or {}), **condition})
    if response.status == 304:
        return None, {url: etag} if etag else {}
    found = response.headers.get("etag")
    return response.body, {url: found} if found else {}


def refused(detail: str, code: Code = Code.RULE_LIST_UNREADABLE) -> RuleError:
    """The error of a list that is not taken."""
    return RuleError(code, detail, Step.RULES)
