"""The EU's distribution service: hashes of each kid in filters, divided so that a phone need not load them all.

Nothing is signed; the service is believed because of its TLS certificate alone. A filter (a *slice*) belongs to a kid,
a partition, a chunk and an expiry, and goes by the SHA-256 of its bytes, so that what is held need not come again.

As files, in a folder or an archive::

    lists.json              the body of GET /lists
    partitions/<kid>.json   the body of GET /lists/{kid}/partitions, an array; kid in base64url, or UNKNOWN_KID
    slices/<hash>           a slice; <hash> is its SHA-256 in lower-case hexadecimal
    *.tar.gz                slices as the service sends them, in any number of archives anywhere

Source: dgca-revocation-distribution-service, RevocationListController, RevocationListService and the dto package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.files import Files, tar_members
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed, refused
from healthcert.revocation.sources.slices import (
    BLOOMFILTER,
    NO_PARTITION,
    TYPES,
    UNKNOWN_KID,
    VARHASHLIST,
    Entry,
    Slice,
    check_slice,
    kid_in,
    kid_name,
    read_entry,
    read_list,
    read_table,
)

FILTER_HEADER = "X-SLICE-FILTER-TYPE"

_RESTARTS = 3  # times that the service may change its data while they are read
_NOT_FOUND, _OTHER_GENERATION, _UNCHANGED = 404, 412, 304


class Distribution:
    """See the module."""

    name = "distribution"
    title = "EU distribution service: Bloom filters or shortened hashes of each kid, not signed"
    anchored = False
    incremental = True
    options = ("filter",)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        body = files.read("lists.json")
        if body is None:
            raise refused("lists.json is missing")
        reading = _Reading(into, context, {}, _filter(context))
        entries = reading.begin(body)
        waiting: dict[str, Slice] = {}
        named: set[str] = set()
        for number, entry in enumerate(entries, 1):
            table = reading.table(entry, files.read(f"partitions/{entry.name}.json"))
            named.update(one.member for one in table)
            waiting |= {one.member: one for one in reading.missing(table)}
            context.progress(number, len(entries))
        # The archives first: a slice of its own is looked for only where none has it.
        for name in files.names():
            if name.endswith((".tar.gz", ".tgz")):
                reading.unpack(name, files.read(name) or b"", waiting, named)
        for one in waiting.values():
            reading.take(one, files.read(f"slices/{one.digest}"))
        return reading.finish()

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        service = _Service(fetcher, url.rstrip("/"), _filter(context), context.limits)
        modes = dict(_read_modes(known.state.get("modes", "")))
        # Filters of the other kind are other filters, though the data have not changed.
        held = known.validators.get(service.lists) if known.state.get("filter") == service.filter else None
        for attempt in range(_RESTARTS + 1):
            body = service.begin(held)
            if body is None:
                return None
            reading = _Reading(into, context, modes, service.filter)
            entries = reading.begin(body)
            try:
                for number, entry in enumerate(entries, 1):
                    _fetch_kid(service, reading, entry)
                    context.progress(number, len(entries))
            except FetchError as error:
                if error.status == _OTHER_GENERATION and attempt < _RESTARTS:
                    continue
                return reading.interrupted(error)
            return reading.finish({service.lists: service.generation})
        raise AssertionError("the last attempt returns")


def _fetch_kid(service: _Service, reading: _Reading, entry: Entry) -> None:
    """Fetches what is missing of one kid, a chunk at a time. Raises :class:`FetchError` for any failure but 404."""
    table = reading.table(entry, service.get(f"/lists/{entry.name}/partitions"))
    missing = reading.missing(table)
    chunks: dict[str, list[Slice]] = {}
    for one in missing:
        chunks.setdefault(one.where, []).append(one)
    for where, wanted in chunks.items():
        named = {one.member for one in table if one.where == where}
        partition, chunk = wanted[0].partition or NO_PARTITION, wanted[0].chunk
        path = f"/lists/{entry.name}/partitions/{partition}/chunks/{chunk}/slices"
        # Most often one slice of several is new.
        archive = service.get(path if len(wanted) > 1 or len(named) == 1 else f"{path}/{wanted[0].digest}")
        waiting = {one.member: one for one in wanted}
        if archive is not None:
            reading.unpack(where, archive, waiting, named)
        for one in waiting.values():
            reading.take(one, None)
    reading.done(entry)


class _Service:
    """The service, and the generation of its data that is being read."""

    def __init__(self, fetcher: Fetcher, base: str, filter_: str, limits: Limits) -> None:
        self._fetcher, self._base, self._limits = fetcher, base, limits
        self.lists = f"{base}/lists"
        self.filter = filter_
        self.generation = ""

    def begin(self, held: str | None) -> bytes | None:
        """The list of kids; None when it is of the generation ``held``."""
        condition = {} if held is None else {"If-None-Match": held}
        response = self._fetcher.get(
            self.lists, limit=self._limits.list_bytes, headers={FILTER_HEADER: self.filter, **condition}
        )
        etag = response.headers.get("etag", "")
        # The service compares without quotation marks, so that it may answer in full all the same.
        if held is not None and (response.status == _UNCHANGED or etag == held):
            return None
        if not etag:
            raise refused("the service does not say which generation its data are of")
        self.generation = etag
        return response.body

    def get(self, path: str) -> bytes | None:
        """What is at ``path`` in this generation; None when there is no such thing."""
        headers = {FILTER_HEADER: self.filter, "If-Match": self.generation}
        try:
            return self._fetcher.get(self._base + path, limit=self._limits.list_bytes, headers=headers).body
        except FetchError as error:
            if error.status == _NOT_FOUND:
                return None
            raise


class _Reading:
    """What came in of one generation. A kid of which anything is missing is not spoken for, and keeps what it had."""

    def __init__(self, into: Gathering, context: Context, modes: Mapping[bytes, Mode], filter_: str) -> None:
        self._into, self._context, self._filter = into, context, filter_
        self._now = int(context.now.timestamp())
        self._before = modes
        self._modes: dict[bytes, Mode] = {}
        self._done: set[bytes] = set()
        self._failed: set[str] = set()
        self._entries: tuple[Entry, ...] = ()
        self._stays: set[str] = set()
        self._signed = b""
        self._held: dict[str, list[str]] = {}
        for batch in into.held():
            self._held.setdefault(batch.partition("/")[0], []).append(batch)

    def begin(self, body: bytes) -> tuple[Entry, ...]:
        """The kids of the list that have not expired."""
        self._signed = hashlib.sha256(body).digest()
        found: dict[str, Entry] = {}
        for number, item in enumerate(read_list(body, self._context.limits), 1):
            try:
                entry = read_entry(item)
            except RevocationError as error:
                name = kid_in(item) or ""
                self._fail(name, f"lists.json, entry {number}", error)
                self._modes |= {kid: mode for kid, mode in self._before.items() if kid_name(kid or None) == name}
                continue
            if entry.name in found:
                raise refused("a kid that is on the list twice")
            found[entry.name] = entry
        self._entries = tuple(entry for entry in found.values() if entry.expires >= self._now)
        return self._entries

    def table(self, entry: Entry, body: bytes | None) -> tuple[Slice, ...]:
        """The slices of a kid; none when its table cannot be used."""
        kid = b"" if entry.kid is None else entry.kid
        self._modes[kid] = entry.mode
        try:
            if body is None:
                raise _absent("the service has no partitions of hashes without a kid" if entry.kid is None else None)
            found = tuple(read_table(body, entry))
        except HealthCertError as error:
            self._fail(entry.name, f"{entry.name}/partitions", error)
            # What is held is still divided as it was.
            self._modes[kid] = self._before.get(kid, entry.mode)
            return ()
        return found

    def missing(self, table: Iterable[Slice]) -> tuple[Slice, ...]:
        """Those slices of a table that still count and are not held."""
        needed: dict[str, Slice] = {}
        for one in table:
            # The same hashes may have been revoked twice, and last until the later end.
            if one.expires >= self._now and (one.batch not in needed or needed[one.batch].expires < one.expires):
                needed[one.batch] = one
        return tuple(one for one in needed.values() if not self._has(one))

    def unpack(self, where: str, archive: bytes, waiting: dict[str, Slice], named: Container[str]) -> None:
        """Takes those slices out of an archive that are waited for; ``named`` are all that may be in it."""
        try:
            for name, data in tar_members(archive, self._context.limits):
                member = name.lstrip("/")
                if member in waiting:
                    self.take(waiting.pop(member), data)
                elif member not in named:
                    self._into.skip(where, refused("an archive with a slice that no table names"))
        except HealthCertError as error:
            self._into.skip(where, error)

    def take(self, one: Slice, data: bytes | None) -> None:
        """Takes a slice in, after every check."""
        try:
            if data is None:
                raise _absent()
            check_slice(one, data)
        except RevocationError as error:
            self._fail(kid_name(one.kid), one.where, error)
            return
        self._stays.add(one.batch)
        self._into.add_filter(
            one.batch, one.kid, one.partition, one.chunk, data, Origin(expires=one.expires),
            bloom=one.kind == BLOOMFILTER, mark=str(one.expires),
        )  # fmt: skip

    def done(self, entry: Entry) -> None:
        """All of a kid was read that can be."""
        self._done.add(b"" if entry.kid is None else entry.kid)

    def finish(self, validators: Mapping[str, str] | None = None) -> Listed:
        # What an attempt brought that had to begin anew may be on the list no longer.
        for batch in self._into.held():
            if batch not in self._stays:
                self._into.withdraw(batch)
        # What failed is asked for again, even though the generation is the same; but it never has hashes without a kid.
        again = self._failed - {UNKNOWN_KID}
        return self._listed(self._modes, validators={} if again else (validators or {}))

    def interrupted(self, error: FetchError) -> Listed:
        """What there is when the service fails before the end. Kids that were not reached are divided as they were."""
        modes = {**self._modes, **self._before} | {kid: self._modes[kid] for kid in self._done}
        problem = RevocationError(Code.FETCH_FAILED, error.detail, Step.REVOCATION)
        return self._listed(modes, whole=False, problem=problem)

    def _listed(self, modes: Mapping[bytes, Mode], **more: Any) -> Listed:
        types = {type_ for entry in self._entries for type_ in entry.types}
        return Listed(
            types=tuple(type_ for type_ in TYPES if type_ in types or not types),
            kids=frozenset(e.kid for e in self._entries if e.kid is not None and e.name not in self._failed),
            modes=modes,
            signed=self._signed,
            state={"filter": self._filter, "modes": _write_modes(modes)},
            **more,
        )

    def _has(self, one: Slice) -> bool:
        if self._into.mark(one.batch) != str(one.expires):
            return False
        self._stay(one.batch)
        return True

    def _fail(self, kid: str, where: str, error: HealthCertError) -> None:
        self._into.skip(where, error)
        self._failed.add(kid)
        self._keep(kid)

    def _keep(self, kid: str) -> None:
        for batch in self._held.get(kid, ()):
            self._stay(batch)

    def _stay(self, batch: str) -> None:
        self._stays.add(batch)
        self._into.keep(batch)


def _filter(context: Context) -> str:
    found = context.options.get("filter", BLOOMFILTER)
    if found not in (BLOOMFILTER, VARHASHLIST):
        raise refused(f"the option filter is {BLOOMFILTER} or {VARHASHLIST}", Code.REVOCATION_CONFIG_INVALID)
    return found


def _absent(detail: str | None = None) -> RevocationError:
    return RevocationError(Code.FETCH_FAILED, detail or "it is not there", Step.REVOCATION)


def _write_modes(modes: Mapping[bytes, Mode]) -> str:
    return " ".join(f"{kid.hex()}={mode}" for kid, mode in sorted(modes.items()))


def _read_modes(text: str) -> Iterator[tuple[bytes, Mode]]:
    """What :func:`_write_modes` wrote."""
    for part in text.split():
        kid, _, mode = part.partition("=")
        yield bytes.fromhex(kid), Mode(mode)
