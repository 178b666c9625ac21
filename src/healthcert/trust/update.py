"""How a list gets into a store: read, checked, held against the past, and taken into use as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, FetchError, HealthCertError, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.lists.reading import Rejected
from healthcert.trust import database, guards
from healthcert.trust.chain import link
from healthcert.trust.database import Memory
from healthcert.trust.generation import LOCAL, Generation, Head, digest_of, make_generation
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList
from healthcert.trust.sources.registry import source_named
from healthcert.trust.store import TrustStore


class Feed(Struct, frozen=True, kw_only=True):
    """A source of keys as an operator set it up: whose list, in which format, and what it must be signed with.

    ``max_age`` is how long a list stands without being fetched again; None for as long as it says itself. ``max_loss``
    is the part of its keys that a list may lose at once. ``secrets`` are options that are never kept or shown.
    """

    name: str
    format: str
    url: str | None = None
    anchors: tuple[TrustAnchor, ...] = ()
    environment: Environment = Environment.PRODUCTION
    max_age: timedelta | None = timedelta(hours=48)
    max_loss: float = 0.25
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Feed({self.name!r}, {self.format!r})"

    def context(self, now: datetime, limits: Limits) -> Context:
        """What a list of this feed is read under."""
        own = {"environment": self.environment.value}
        return Context(self.anchors, now, limits, {**self.options, **self.secrets, **own})


class Change(Struct, frozen=True):
    """What an update did to a source: the keys that came and went, those of which something else is said now, how many
    stayed, how many authorities there are, what was skipped.

    ``error`` is why it failed; the list in use is then as it was.
    """

    source: str
    added: tuple[TrustedKey, ...] = ()
    removed: tuple[TrustedKey, ...] = ()
    changed: tuple[TrustedKey, ...] = ()
    kept: int = 0
    authorities: int = 0
    skipped: tuple[Rejected, ...] = ()
    error: HealthCertError | None = None

    @property
    def unchanged(self) -> bool:
        return self.error is None and not self.added and not self.removed and not self.changed


def install_list(
    store: TrustStore,
    feed: Feed,
    parts: Mapping[str, bytes],
    *,
    clock: Clock | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Change:
    """Reads a list of ``feed`` from its parts, checks it and takes it into use.

    ``force`` accepts a list that lost many keys, or one without a number whose newest entry is older than that of the
    list before; nothing accepts one that is not authentic, that is older by its number, or of another environment.
    Raises :class:`TrustError` (see :mod:`healthcert.trust.guards` and the format's ``load``); the store is then as it
    was.
    """
    return _install(store, feed, parts, (clock or SystemClock()).now(), force=force, limits=limits)


def update_lists(
    store: TrustStore,
    feeds: Iterable[Feed],
    fetcher_for: Callable[[Feed], Fetcher],
    *,
    clock: Clock | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Change]:
    """Fetches the list of each feed and installs it; one change a feed, as they are done.

    What fails with one is in its change, remembered in the store, and harms no other.
    """
    for feed in feeds:
        now = (clock or SystemClock()).now()
        try:
            yield _update_one(store, feed, fetcher_for, now, force=force, limits=limits)
        except HealthCertError as error:
            _note_failure(store, feed, error, now)
            yield Change(feed.name, error=error)


def recheck_lists(store: TrustStore, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Change]:
    """Reads every list in use again from the bytes as they were received, as at the moment they were fetched.

    A change with an error, or with keys that came or went, says that the file of the store is not what was accepted.
    Opening a store does not do this, so that a verifier starts fast; whoever can write to the file can also write the
    anchors in it, so it tells of damage, and of tampering only as far as those stayed as they were.
    """
    if store.path is None:
        return
    for source, generation in sorted(store.state.lists.items()):
        if source == LOCAL:
            continue
        head, memory = generation.head, store.state.memories.get(source, Memory())
        try:
            parts = database.read_parts(store.path, source)
            own = {} if store.environment is None else {"environment": store.environment.value}
            context = Context(memory.anchors, head.fetched_at, limits, {**memory.options, **own})
            found = _read(source_named(head.format).load, parts, context)
            again = make_generation(replace(head, **_said(found, head.digest)), found.keys)
            change = _change(source, generation, again, found)
            if digest_of(parts) != head.digest or (change.unchanged and not _same(generation, again)):
                raise TrustError(Code.TRUST_STORE_UNREADABLE, "what is kept of the list is not what was accepted")
            yield change
        except HealthCertError as error:
            yield Change(source, error=error)


def _update_one(
    store: TrustStore,
    feed: Feed,
    fetcher_for: Callable[[Feed], Fetcher],
    now: datetime,
    *,
    force: bool,
    limits: Limits,
) -> Change:
    if feed.url is None:
        raise TrustError(Code.FETCH_REFUSED, "the source has no url to fetch from", Step.TRUST)
    store.reload()
    # Before anything is fetched, let alone believed.
    state = store.state
    guards.check_environment(state, feed.environment)
    guards.check_clock(state, now)
    current, memory = state.lists.get(feed.name), state.memories.get(feed.name, Memory())
    known = Known()
    if current is not None and store.path is not None and current.head.format == feed.format:
        parts = database.read_parts(store.path, feed.name)
        known = Known(parts, current.head.fetched_at, current.head.loaded_at, memory.validators)
    fetched = _fetch(feed, feed.url, fetcher_for, known, feed.context(now, limits))
    if fetched is None:
        # It may have been asked for changes alone, of which there are none: the whole list was fetched when it was.
        fetched = Fetched(known.parts, memory.validators, whole=False)
    loaded_at = None if fetched.whole else known.loaded_at
    return _install(
        store, feed, fetched.parts, now, force=force, limits=limits, loaded_at=loaded_at, validators=fetched.validators
    )


def _fetch(
    feed: Feed, url: str, fetcher_for: Callable[[Feed], Fetcher], known: Known, context: Context
) -> Fetched | None:
    """What the server has; every failure is a :class:`HealthCertError`, so that it stays this source's own."""
    try:
        return source_named(feed.format).fetch(fetcher_for(feed), url, known, context)
    except HealthCertError:
        raise
    except OSError as error:
        detail = f"a file that fetching needs cannot be read: {error.strerror or type(error).__name__}"
        raise FetchError(Code.FETCH_FAILED, detail, Step.TRUST) from None
    except Exception as error:  # noqa: BLE001 As in _read().
        raise _unforeseen(error) from None


def _install(
    store: TrustStore,
    feed: Feed,
    parts: Mapping[str, bytes],
    now: datetime,
    *,
    force: bool,
    limits: Limits,
    loaded_at: datetime | None = None,
    validators: Mapping[str, str] | None = None,
) -> Change:
    if not feed.name or feed.name == LOCAL or not feed.name.isprintable():
        raise ValueError(f"the name of a source is a printable word other than {LOCAL!r}")
    found = _read(source_named(feed.format).load, parts, feed.context(now, limits))
    digest = digest_of(parts)
    guards.check_entries(found)
    guards.check_time(found, now)
    head = Head(
        source=feed.name,
        format=feed.format,
        digest=digest,
        fetched_at=now,
        loaded_at=loaded_at or now,
        max_age=None if feed.max_age is None else int(feed.max_age.total_seconds()),
        **_said(found, digest),
    )
    new = make_generation(head, found.keys, found.authorities, found.skipped)
    # Nothing is decided on what was known before the lock: another program may have accepted a newer list meanwhile.
    with store.transaction() as change:
        state = change.state
        current, memory = state.lists.get(feed.name), state.memories.get(feed.name, Memory())
        guards.check_environment(state, feed.environment)
        guards.check_format(current, feed.format)
        guards.check_clock(state, now)
        guards.check_order(memory, found, head.signed)
        if not force:
            guards.check_newest(memory, found)
            guards.check_loss(current, found, feed.max_loss)
        store.check_size(state, len(new.rows) - (len(current.rows) if current else 0))
        if state.environment is None:
            change.settle(feed.environment)
        remembered = guards.after(memory, current, found, head.signed)
        # An address with a query may have a secret in it, and what is remembered is kept.
        marks = {url: mark for url, mark in (validators or {}).items() if "?" not in url}
        options = dict(feed.options)
        change.remember(feed.name, replace(remembered, anchors=feed.anchors, options=options, validators=marks))
        change.put(new, parts, replaces=current is None or current.head.digest != digest)
    return _change(feed.name, current, new, found)


def _said(found: TrustList, digest: bytes) -> dict[str, Any]:
    """What a list says of itself as a whole: those fields of its :class:`Head`."""
    return {
        "assurance": found.assurance,
        "signed": found.signed or digest,
        "counter": found.counter,
        "issued_at": found.issued_at,
        "expires_at": found.expires_at,
        "signer": link("anchor", found.signer) if found.signer is not None else None,
    }


def _same(one: Generation, other: Generation) -> bool:
    """Whether two generations of a list say the same, also of keys that are in both."""
    return (one.head, one.rows, one.details.keys) == (other.head, other.rows, other.details.keys)


def _read(
    load: Callable[[Mapping[str, bytes], Context], TrustList], parts: Mapping[str, bytes], context: Context
) -> TrustList:
    """What a format makes of the parts, within the bounds on their length; every failure is a :class:`TrustError`."""
    if any(len(data) > context.limits.list_bytes for data in parts.values()):
        raise TrustError(Code.INPUT_TOO_LONG, f"more than {context.limits.list_bytes} bytes", Step.TRUST)
    try:
        return load(parts, context)
    except TrustError:
        raise
    except HealthCertError as error:
        raise TrustError(Code.TRUST_LIST_UNREADABLE, error.detail, Step.TRUST) from None
    except Exception as error:  # noqa: BLE001 The last line of defence: one list must not harm the others.
        raise _unforeseen(error) from None


def _unforeseen(error: Exception) -> TrustError:
    # The type alone: the message may quote what was fetched, or a secret.
    detail = f"an internal error ({type(error).__name__}); please report it"
    return TrustError(Code.TRUST_LIST_UNREADABLE, detail, Step.TRUST)


def _note_failure(store: TrustStore, feed: Feed, error: HealthCertError, now: datetime) -> None:
    try:
        with store.transaction() as change:
            memory = change.state.memories.get(feed.name, Memory())
            change.remember(feed.name, replace(memory, error=(int(now.timestamp()), error.code, error.detail)))
    except TrustError:
        pass  # what is wrong with the store is told by what could not be updated


def _change(source: str, before: Generation | None, after: Generation, found: TrustList) -> Change:
    """What is different between two generations of a list."""
    old = {(row.kid, row.spki, row.domain, row.issuer): i for i, row in enumerate(before.rows)} if before else {}
    new = {(row.kid, row.spki, row.domain, row.issuer): i for i, row in enumerate(after.rows)}
    return Change(
        source,
        added=tuple(after.key(index) for key, index in new.items() if key not in old),
        removed=tuple(before.key(index) for key, index in old.items() if key not in new) if before else (),
        changed=tuple(
            after.key(index)
            for key, index in new.items()
            if before is not None and key in old and before.rows[old[key]] != after.rows[index]
        ),
        kept=len(old.keys() & new.keys()),
        authorities=len(found.authorities),
        skipped=found.skipped,
    )
