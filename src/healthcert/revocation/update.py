"""How revocation lists get into a store: installed from files, fetched and installed, or removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from healthcert.clock import Clock, SystemClock
from healthcert.errors import HealthCertError, RevocationError
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.revocation import folder as folders
from healthcert.revocation import ledger
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import Files
from healthcert.revocation.installing import Update, failed
from healthcert.revocation.ledger import Memory
from healthcert.revocation.sources.protocol import Countries, Progress
from healthcert.revocation.store import LEDGER, RevocationStore


def install_revocations(
    store: RevocationStore,
    feed: RevocationFeed,
    files: Files,
    *,
    clock: Clock | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    countries_of: Countries | None = None,
    progress: Progress | None = None,
) -> RevocationChange:
    """Reads a list of ``feed`` from files, checks it and takes it into use.

    ``countries_of`` tells which countries' keys have a kid; a list that names another country's is then refused or
    skipped. ``force`` accepts a list that lost many entries; nothing accepts one that is not authentic, that is older
    by its number, or of another environment. Raises :class:`RevocationError`; the store is then as it was.
    """
    update = Update(store, feed, (clock or SystemClock()).now(), force, limits, countries_of, progress)
    return update.run(update.reading(files))


def update_revocations(
    store: RevocationStore,
    feeds: Iterable[RevocationFeed],
    fetcher_for: Callable[[RevocationFeed], Fetcher],
    *,
    clock: Clock | None = None,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    countries_of: Countries | None = None,
    progress: Progress | None = None,
) -> Iterator[RevocationChange]:
    """Fetches the list of each feed and installs it; one change a feed, as they are done.

    What fails with one is in its change, remembered in the store, and harms no other.
    """
    for feed in feeds:
        now = (clock or SystemClock()).now()
        try:
            update = Update(store, feed, now, force, limits, countries_of, progress)
            change = update.run(update.fetching(fetcher_for))
        except HealthCertError as error:
            _note_failure(store, feed.name, error, now)
            change = RevocationChange(feed.name, error=error)
        yield change


def remove_revocations(store: RevocationStore, source: str, *, forget: bool = False) -> bool:
    """Stops asking a source's list; whether it was known. Its older lists stay refused, unless ``forget``.

    Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``).
    """
    if store.path is None or not (store.path / LEDGER).exists():
        return False
    with folders.locked(store.path):
        with ledger.transaction(store.path / LEDGER) as entry:
            known = source in entry.state.lists or (forget and source in entry.state.memories)
            entry.remove(source)
            if forget:
                entry.remember(source, None)
        store.reload()
        folders.clean(store.path, store.file_names)
    return known


def _note_failure(store: RevocationStore, source: str, error: HealthCertError, now: datetime) -> None:
    if store.path is None:
        return
    try:
        store.path.mkdir(parents=True, exist_ok=True)
        with ledger.transaction(store.path / LEDGER) as entry:
            entry.remember(source, failed(entry.state.memories.get(source, Memory()), error, now))
        store.reload()
    except (RevocationError, OSError):
        pass  # what is wrong with the store is told by what could not be updated
