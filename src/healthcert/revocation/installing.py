"""One update of one source: read, checked, held against the past, and taken into use as a whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.files import sync_folder
from healthcert.limits import Limits
from healthcert.revocation import folder as folders
from healthcert.revocation import guards, ledger
from healthcert.revocation.batch import Held
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
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


class Update:
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
        described = repr((feed.url, sorted(feed.options.items())))
        self._options = hashlib.sha256(described.encode()).digest()
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

    def reading(self, files: Files) -> Loader:
        """What reads the list from files."""
        return lambda into, _, context: self._source.read(files, into, context)

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
        if memory.options != self._options or (known.fetched_at or self._now) > self._now + guards.CLOCK_SKEW:
            # What was asked for otherwise, or by a clock that was ahead, is asked for anew.
            known = Known()
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
        if listed.problem is not None:
            into.stop()
        elif listed.whole:
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
        sync_folder(self._folder)
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
        after = replace(guards.after(memory, current, listed), options=self._options)
        return after if listed.problem is None else failed(after, listed.problem, self._now)

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


def failed(memory: Memory, error: HealthCertError, now: datetime) -> Memory:
    return replace(memory, error=(int(now.timestamp()), error.code, error.detail))


def _file_trouble(error: OSError) -> RevocationError:
    detail = f"a file cannot be read or written: {error.strerror or type(error).__name__}"
    return RevocationError(Code.ENVIRONMENT, detail, Step.REVOCATION)
