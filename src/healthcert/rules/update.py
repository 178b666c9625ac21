"""How a list of rules gets into a store: read, checked, held against the past, and taken into use as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, FetchError, HealthCertError, RuleError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.rules import database, guards
from healthcert.rules.changes import change_between
from healthcert.rules.database import Memory
from healthcert.rules.feed import RuleChange, RuleFeed
from healthcert.rules.generation import LOCAL, Generation, Head, digest_of, make_documents
from healthcert.rules.loading import read_list, translated, unforeseen
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList
from healthcert.rules.sources.registry import source_named
from healthcert.rules.store import RuleStore


def install_rules(
    store: RuleStore,
    feed: RuleFeed,
    parts: Mapping[str, bytes],
    *,
    clock: Clock | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> RuleChange:
    """Reads a list of ``feed`` from its parts, checks it and takes it into use.

    ``force`` accepts a list that lost many rules, or one without a number that seems to be older than the list before;
    nothing accepts one that is not authentic, that is older by its number, or of another environment. Raises
    :class:`RuleError` (see :mod:`healthcert.rules.guards` and the format's ``load``); the store is then as it was.
    """
    return _install(store, feed, parts, (clock or SystemClock()).now(), force=force, limits=limits)


def update_rules(
    store: RuleStore,
    feeds: Iterable[RuleFeed],
    fetcher_for: Callable[[RuleFeed], Fetcher],
    *,
    clock: Clock | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[RuleChange]:
    """Fetches the list of each feed and installs it; one change a feed, as they are done.

    What fails with one is in its change, remembered in the store, and harms no other.
    """
    for feed in feeds:
        now = (clock or SystemClock()).now()
        try:
            change = _update_one(store, feed, fetcher_for, now, force=force, limits=limits)
        except HealthCertError as error:
            _note_failure(store, feed, error, now)
            change = RuleChange(feed.name, error=error)
        yield change


def remove_rules(store: RuleStore, source: str, *, forget: bool = False) -> bool:
    """Stops using a source's rules; whether it was known. Its older lists stay refused, unless ``forget``.

    Raises :class:`RuleError` (``RULE_STORE_UNREADABLE``).
    """
    with store.transaction() as change:
        known = source in change.state.lists or (forget and source in change.state.memories)
        change.remove(source)
        if forget:
            change.remember(source, None)
    return known


def recheck_rules(store: RuleStore, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[RuleChange]:
    """Reads every list in use again from the bytes as they were received, as at the moment they were fetched.

    A change with an error, or with rules that came or went, says that the file of the store is not what was accepted.
    Whoever can write to the file can also write the anchors in it, so it tells of damage, and of tampering only as far
    as those stayed as they were.
    """
    if store.path is None:
        return
    for source, generation in sorted(store.state.lists.items()):
        head, memory = generation.head, store.state.memories.get(source, Memory())
        try:
            parts = database.read_parts(store.path, source)
            context = Context(memory.anchors, head.fetched_at, limits, memory.options)
            found = read_list(source_named(head.format).load, parts, context)
            again = Generation(replace(head, **_said(found, head)), make_documents(found), limits)
            change = change_between(source, generation, again)
            same = (generation.head, generation.documents) == (again.head, again.documents)
            if digest_of(parts) != head.digest or (change.unchanged and not same):
                raise RuleError(Code.RULE_STORE_UNREADABLE, "what is kept of the list is not what was accepted")
            yield change
        except HealthCertError as error:
            yield RuleChange(source, error=error)


def _update_one(
    store: RuleStore,
    feed: RuleFeed,
    fetcher_for: Callable[[RuleFeed], Fetcher],
    now: datetime,
    *,
    force: bool,
    limits: Limits,
) -> RuleChange:
    if feed.url is None:
        raise RuleError(Code.FETCH_REFUSED, "the source has no url to fetch from", Step.RULES)
    store.reload()
    # Before anything is fetched, let alone believed.
    state = store.state
    guards.check_environment(state, feed.environment)
    guards.check_clock(state, now)
    current, memory = state.lists.get(feed.name), state.memories.get(feed.name, Memory())
    guards.check_format(current, feed.format)
    known = Known()
    if current is not None and store.path is not None:
        parts = database.read_parts(store.path, feed.name)
        # What is damaged is fetched anew; a server that says that nothing has changed would keep it.
        if digest_of(parts) == current.head.digest:
            known = Known(parts, memory.validators)
    fetched = _fetch(feed, feed.url, fetcher_for, known, feed.context(now, limits))
    if fetched is None:
        fetched = Fetched(known.parts, memory.validators)
    return _install(store, feed, fetched.parts, now, force=force, limits=limits, validators=fetched.validators)


def _fetch(
    feed: RuleFeed, url: str, fetcher_for: Callable[[RuleFeed], Fetcher], known: Known, context: Context
) -> Fetched | None:
    """What the server has; every failure is a :class:`HealthCertError`, so that it stays this source's own."""
    try:
        return source_named(feed.format).fetch(fetcher_for(feed), url, known, context)
    except (RuleError, FetchError):
        raise
    except HealthCertError as error:
        raise translated(error) from None
    except OSError as error:
        detail = f"a file that fetching needs cannot be read: {error.strerror or type(error).__name__}"
        raise FetchError(Code.FETCH_FAILED, detail, Step.RULES) from None
    except Exception as error:  # noqa: BLE001 As in read_list().
        raise unforeseen(error) from None


def _install(
    store: RuleStore,
    feed: RuleFeed,
    parts: Mapping[str, bytes],
    now: datetime,
    *,
    force: bool,
    limits: Limits,
    validators: Mapping[str, str] | None = None,
) -> RuleChange:
    if not feed.name or feed.name == LOCAL or not feed.name.isprintable():
        raise ValueError(f"the name of a source is a printable word other than {LOCAL!r}")
    found = read_list(source_named(feed.format).load, parts, feed.context(now, limits))
    if validators is None and not found.assurance.signed:
        found = replace(found, assurance=Assurance.LOCAL)
    guards.check_entries(found)
    guards.check_time(found, now)
    new = _generation(feed, found, parts, now, limits)
    # Nothing is decided on what was known before the lock: another program may have accepted a newer list meanwhile.
    with store.transaction() as change:
        state = change.state
        current, memory = state.lists.get(feed.name), state.memories.get(feed.name, Memory())
        guards.check_environment(state, feed.environment)
        guards.check_format(current, feed.format)
        guards.check_clock(state, now)
        guards.check_order(memory, found, new.head.signed)
        if not force:
            guards.check_newest(memory, found, new.head.signed)
            guards.check_loss(current, found, feed.max_loss, now)
        others = sum(len(one.rules) for source, one in state.lists.items() if source != feed.name)
        database.check_size(others + len(new.rules), limits)
        if state.environment is None:
            change.settle(feed.environment)
        remembered = guards.after(memory, current, found, new.head.signed)
        # An address with a query may have a secret in it, and what is remembered is kept.
        marks = {url: mark for url, mark in (validators or {}).items() if "?" not in url}
        options = dict(feed.options)
        change.remember(feed.name, replace(remembered, anchors=feed.anchors, options=options, validators=marks))
        change.put(new, parts)
    return change_between(feed.name, current, new)


def _generation(
    feed: RuleFeed, found: RuleList, parts: Mapping[str, bytes], now: datetime, limits: Limits
) -> Generation:
    head = Head(
        source=feed.name,
        format=feed.format,
        assurance=found.assurance,
        digest=digest_of(parts),
        signed=(),
        fetched_at=now,
        max_age=None if feed.max_age is None else int(feed.max_age.total_seconds()),
    )
    return Generation(replace(head, **_said(found, head)), make_documents(found), limits)


def _said(found: RuleList, head: Head) -> dict[str, Any]:
    """What a list says of itself as a whole: those fields of its :class:`Head`."""
    return {
        # Whether the operator gave it or a server is nothing that a list without a signature can tell.
        "assurance": found.assurance if found.assurance.signed else head.assurance,
        "signed": found.signed or (head.digest,),
        "counter": found.counter,
        "issued_at": found.issued_at,
        "expires_at": found.expires_at,
        "signer": found.signer.fingerprint if found.signer is not None else None,
        "countries": tuple(sorted(found.countries)),
    }


def _note_failure(store: RuleStore, feed: RuleFeed, error: HealthCertError, now: datetime) -> None:
    try:
        with store.transaction() as change:
            memory = change.state.memories.get(feed.name, Memory())
            change.remember(feed.name, replace(memory, error=(int(now.timestamp()), error.code, error.detail)))
    except RuleError:
        pass  # what is wrong with the store is told by what could not be updated
