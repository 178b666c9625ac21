"""How a revocation list gets into a store: read, checked, held against the past, and taken into use as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.lists.reading import Rejected
from healthcert.revocation import folder as folders
from healthcert.revocation import guards, ledger
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering, Held
from healthcert.revocation.ledger import File, Head, Memory, State
from healthcert.revocation.sources.protocol import Context, Countries, Known, Listed, Progress
from healthcert.revocation.sources.registry import source_named
from healthcert.revocation.store import LEDGER, RevocationStore
from healthcert.revocation.writer import alive

_LIST_CODES = {
    Code.TRUST_LIST_UNREADABLE: Code.REVOCATION_LIST_UNREADABLE,
    Code.TRUST_LIST_NOT_AUTHENTIC: Code.REVOCATION_LIST_NOT_AUTHENTIC,
    Code.TRUST_ANCHOR_MISSING: Code.REVOCATION_ANCHOR_MISSING,
    Code.TRUST_ANCHOR_UNREADABLE: Code.REVOCATION_ANCHOR_MISSING,
    Code.INPUT_TOO_LONG: Code.INPUT_TOO_LONG,
}
Loader = Callable[[Gathering, Known, Context], Listed | None]


class RevocationFeed(Struct, frozen=True, kw_only=True):
    """A source of revocation lists as an operator set it up: whose, in which format, and who must have signed it.

    ``max_age`` is how long a list stands without being fetched again; None for as long as it says itself. ``max_loss``
    is the part of its entries that a list may lose at once. ``secrets`` are options that are never kept or shown.
    """

    name: str
    format: str
    url: str | None = None
    anchors: tuple[TrustAnchor, ...] = ()
    environment: Environment = Environment.PRODUCTION
    max_age: timedelta | None = timedelta(hours=24)
    max_loss: float = 0.25
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"RevocationFeed({self.name!r}, {self.format!r})"


class RevocationChange(Struct, frozen=True):
    """What an update did to a source: how many batches came and went, how many identifiers and filters it now has.

    ``skipped`` are the entries that could not be used, the first thousand of ``skipped_count``. ``error`` is why it
    failed; the list in use is then as it was, but for what could be had of a list that comes in many batches.
    """

    source: str
    added: int = 0
    withdrawn: int = 0
    records: int = 0
    filters: int = 0
    skipped: tuple[Rejected, ...] = ()
    skipped_count: int = 0
    error: HealthCertError | None = None

    @property
    def unchanged(self) -> bool:
        return self.error is None and not self.added and not self.withdrawn


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
    source = source_named(feed.format)
    update = _Update(store, feed, (clock or SystemClock()).now(), force, limits, countries_of, progress)
    return update.run(lambda into, _, context: source.read(files, into, context))


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
            update = _Update(store, feed, now, force, limits, countries_of, progress)
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


class _Update:
    """One update of one source."""

    def __init__(
        self,
        store: RevocationStore,
        feed: RevocationFeed,
        now: datetime,
        force: bool,
        limits: Limits,
        countries_of: Countries | None,
        progress: Progress | None,
    ) -> None:
        if not feed.name or not feed.name.isprintable():
            raise ValueError("the name of a source is a printable word")
        if store.path is None:
            raise ValueError("the store is kept nowhere: open one from a folder")
        self._store, self._feed, self._now, self._force, self._limits = store, feed, now, force, limits
        self._folder = store.path
        self._source = source_named(feed.format)
        context = Context(feed.anchors, now, limits, {**feed.options, **feed.secrets})
        if countries_of is not None:
            context = replace(context, countries_of=countries_of)
        self._context = context if progress is None else replace(context, progress=progress)

    def fetching(self, fetcher_for: Callable[[RevocationFeed], Fetcher]) -> Loader:
        """What fetches the list."""
        url = self._feed.url
        if url is None:
            raise RevocationError(Code.FETCH_REFUSED, "the source has no url to fetch from", Step.REVOCATION)
        return lambda into, known, context: self._source.fetch(fetcher_for(self._feed), url, into, known, context)

    def run(self, load: Loader) -> RevocationChange:
        try:
            with folders.locked(self._folder):
                self._store.reload()
                state = self._store.state
                # Before anything is fetched, let alone believed.
                guards.check_environment(state, self._feed.environment)
                guards.check_format(state.lists.get(self._feed.name), self._feed.format)
                guards.check_clock(state, self._now)
                change = self._take_in(load, state)
                self._store.reload()
                folders.clean(self._folder, self._store.file_names)
        except OSError as error:
            raise _file_trouble(error) from None
        return change

    def _take_in(self, load: Loader, state: State) -> RevocationChange:
        name = self._feed.name
        current, memory = state.lists.get(name), state.memories.get(name, Memory())
        before = ledger.read_batches(self._folder / LEDGER, name) if current is not None else {}
        known = Known()
        # Nothing is built on what is damaged, or what somebody vouched for who is not believed any more.
        vouched = current is not None and self._is_pinned(current.signer) and name not in self._store.damaged
        if current is not None and vouched:
            # Of a list that is not complete, no document may count as unchanged.
            validators = memory.validators if current.complete else {}
            known = Known(current.fetched_at, current.loaded_at, validators, memory.state)
        kept = self._source.incremental and vouched
        with folders.temporary_folder(self._folder) as temporary:
            segments = self._store.segments(name) if kept else ()
            into = Gathering(temporary, before if kept else {}, segments, self._limits)
            try:
                listed = self._load(load, into, known)
                if listed is None:
                    return self._renew(current if vouched else None, memory, None, into)
                return self._install(listed, into, current, memory, before, temporary)
            finally:
                into.close()

    def _load(self, load: Loader, into: Gathering, known: Known) -> Listed | None:
        """What the format makes of the list; every failure is a :class:`HealthCertError`."""
        try:
            return load(into, known, self._context)
        except (RevocationError, FetchError):
            raise
        except HealthCertError as error:
            # What reads signatures and chains is shared with lists of keys.
            code = _LIST_CODES.get(error.code, Code.REVOCATION_LIST_UNREADABLE)
            raise RevocationError(code, error.detail, Step.REVOCATION) from None
        except OSError as error:
            raise _file_trouble(error) from None
        except Exception as error:  # noqa: BLE001 The last line of defence: one list must not harm the others.
            # The type alone: the message may quote what was fetched, or a secret.
            detail = f"an internal error ({type(error).__name__}); please report it"
            raise RevocationError(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION) from None

    def _install(
        self,
        listed: Listed,
        into: Gathering,
        current: Head | None,
        memory: Memory,
        before: Mapping[str, Held],
        temporary: Path,
    ) -> RevocationChange:
        guards.check_time(listed, self._now)
        guards.check_order(memory, listed)
        if listed.problem is not None and current is not None and not into.builds:
            # Part of a list is no better than the whole one that is in use.
            raise listed.problem
        if listed.whole and listed.problem is None:
            into.finish_whole()
        if current is not None and into.unchanged and into.builds:
            return self._renew(current, memory, listed, into)
        generation = (current.generation if current is not None else 0) + 1
        path, moment = temporary / "segment", int(self._now.timestamp())
        found = into.write(path, moment)
        written = found.written
        if current is not None and not self._force:
            segments = self._store.segments(current.source)
            had = alive(segments, frozenset(current.dead), moment)[0] if segments else current.records
            guards.check_loss(had, found.records, self._feed.max_loss)
        final = self._folder / f"{generation:08d}-{written.digest.hex()[:24]}{folders.SEGMENT}"
        path.replace(final)
        folders.sync(self._folder)
        file = File(final.name, written.size, written.digest)
        files = (current.files[0], file) if found.overlaid and current is not None else (file,)
        content = _Content(generation, files, tuple(sorted(found.dead)), found.records, found.filters)
        head = self._head(listed, current, content, into)
        self._commit(head, current, self._remembered(memory, current, listed), into.batches, before)
        return self._change(into, head, listed.problem)

    def _renew(self, current: Head | None, memory: Memory, listed: Listed | None, into: Gathering) -> RevocationChange:
        """Nothing has changed: the list in use is fresh again."""
        if current is None:
            detail = "nothing came where a list should be"
            raise RevocationError(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION)
        head = current
        if listed is not None:
            content = _Content(current.generation, current.files, current.dead, current.records, current.filters)
            head = self._head(listed, current, content, into)
            memory = self._remembered(memory, current, listed)
        elif current.complete:
            # What is missing of a list that is not complete has not come, either.
            head, memory = replace(current, fetched_at=self._now), replace(memory, error=None)
        self._commit(head, current, memory, into.batches, into.batches)
        return self._change(into, head, listed.problem if listed is not None else None)

    def _commit(
        self,
        head: Head,
        current: Head | None,
        memory: Memory,
        batches: Mapping[str, Held],
        before: Mapping[str, Held],
    ) -> None:
        """Takes a list into use in place of ``current``, and remembers what must not be forgotten, in one step."""
        with ledger.transaction(self._folder / LEDGER) as entry:
            # Where there is no lock, this is what keeps order.
            guards.check_environment(entry.state, self._feed.environment)
            if entry.state.lists.get(head.source) != current:
                detail = "another program has changed the list meanwhile; try again"
                raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
            if entry.state.environment is None:
                entry.settle(self._feed.environment)
            entry.remember(head.source, memory)
            entry.put(head, batches, before)

    def _remembered(self, memory: Memory, current: Head | None, listed: Listed) -> Memory:
        after = guards.after(memory, current, listed)
        return after if listed.problem is None else _failed(after, listed.problem, self._now)

    def _head(self, listed: Listed, current: Head | None, content: _Content, into: Gathering) -> Head:
        max_age = self._feed.max_age
        head = Head(
            source=self._feed.name,
            format=self._feed.format,
            types=bytes(type_.code for type_ in listed.types),
            kids=tuple(sorted(listed.kids)),
            keys=tuple(sorted(listed.keys)),
            countries=tuple(sorted(listed.countries)),
            modes={kid: mode.value for kid, mode in listed.modes.items()},
            signed=listed.signed or b"",
            fetched_at=self._now,
            loaded_at=current.loaded_at if current is not None and into.builds and not listed.whole else self._now,
            issued_at=listed.issued_at,
            expires_at=listed.expires_at,
            max_age=None if max_age is None else int(max_age.total_seconds()),
            counter=listed.counter,
            signer=listed.signer.fingerprint if listed.signer is not None else None,
            **asdict(content),
        )
        if listed.problem is None:
            return head
        # Not all of it could be had: what it names is named, but it speaks for nobody, or for whom it did before.
        if current is None:
            nobody = replace(head, kids=(), keys=(), countries=(), signed=b"", counter=None)
            return replace(nobody, complete=False, loaded_at=_NEVER)
        types = bytes(dict.fromkeys((*current.types, *head.types)))
        modes = {**current.modes, **head.modes}
        return replace(current, complete=False, types=types, modes=modes, **asdict(content))

    def _is_pinned(self, signer: str | None) -> bool:
        """Whether the anchor that vouched for a list is still pinned, where one did."""
        return signer is None or signer in {anchor.fingerprint for anchor in self._feed.anchors}

    def _change(self, into: Gathering, head: Head, problem: RevocationError | None) -> RevocationChange:
        return RevocationChange(
            head.source,
            added=into.added,
            withdrawn=into.withdrawn,
            records=head.records,
            filters=head.filters,
            skipped=tuple(into.skipped),
            skipped_count=into.skipped_count,
            error=problem,
        )


class _Content(Struct, frozen=True):
    """What the head of a list says of its files."""

    generation: int
    files: tuple[File, ...]
    dead: tuple[int, ...]
    records: int
    filters: int


_NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _note_failure(store: RevocationStore, source: str, error: HealthCertError, now: datetime) -> None:
    if store.path is None:
        return
    try:
        store.path.mkdir(parents=True, exist_ok=True)
        with ledger.transaction(store.path / LEDGER) as entry:
            entry.remember(source, _failed(entry.state.memories.get(source, Memory()), error, now))
        store.reload()
    except (RevocationError, OSError):
        pass  # what is wrong with the store is told by what could not be updated


def _failed(memory: Memory, error: HealthCertError, now: datetime) -> Memory:
    return replace(memory, error=(int(now.timestamp()), error.code, error.detail))


def _file_trouble(error: OSError) -> RevocationError:
    detail = f"a file cannot be read or written: {error.strerror or type(error).__name__}"
    return RevocationError(Code.ENVIRONMENT, detail, Step.REVOCATION)
