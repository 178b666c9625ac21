"""The EU's distribution service: hashes of each kid in filters, divided so that a phone need not load them all.

Nothing is signed; the service is believed because of its TLS certificate alone, also when it goes back to older data. A
filter (a *slice*) belongs to a kid, a partition, a chunk and an expiry, and goes by the SHA-256 of its bytes, so that
what is held need not come again.

A kid is spoken for when all its filters are there; with the option ``countries`` these are as well, while nothing of
any kid is missing. The list may have hashes under ``UNKNOWN_KID``, which may be those of any certificate. The service
as it is delivered cannot hand them out: it looks for them under another name. While they are missing nobody is spoken
for, unless the operator answers for it with the option ``unknown_kid = "ignore"``: one who has the gateway's batches,
where they are, or who knows that no such hashes are meant for the certificates that are checked.

As files, in a folder or an archive::

    lists.json              the body of GET /lists
    partitions/<kid>.json   the body of GET /lists/{kid}/partitions, an array; kid in base64url, or UNKNOWN_KID
    slices/<hash>           a slice; <hash> is its SHA-256 in lower-case hexadecimal
    *.tar.gz                slices as the service sends them, in any number of archives anywhere

Source: dgca-revocation-distribution-service, RevocationListController, RevocationListService and the dto package.
"""

from __future__ import annotations

from collections.abc import Iterable

from healthcert.errors import Code, FetchError
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.sources.distribution_reading import OPTIONS, Reading, modes_in_use, read_modes
from healthcert.revocation.sources.protocol import Context, Known, Listed, refused, settings_of
from healthcert.revocation.sources.slices import BLOOMFILTER, NO_PARTITION, VARHASHLIST, Entry, Slice

FILTER_HEADER = "X-SLICE-FILTER-TYPE"

_RESTARTS = 3  # times that the service may change its data while they are read
_NOT_FOUND, _OTHER_GENERATION, _UNCHANGED = 404, 412, 304


class Distribution:
    """See the module."""

    name = "distribution"
    title = "EU distribution service: Bloom filters or shortened hashes of each kid, not signed"
    anchored = False
    incremental = True
    options = OPTIONS

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        body = files.read("lists.json")
        if body is None:
            raise refused("lists.json is missing")
        _, ignores = _chosen(context)
        reading = Reading(into, context, modes_in_use(into), ignores=ignores)
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
        filter_, ignores = _chosen(context)
        service = _Service(fetcher, url.rstrip("/"), filter_, context.limits)
        modes = dict(read_modes(known.state.get("modes", "")))
        # Filters of the other kind are other filters, though the data have not changed.
        same = known.state.get("settings") == settings_of(context, *OPTIONS)
        # A clock that was ahead has let filters expire that are wanted again.
        ahead = known.fetched_at is not None and known.fetched_at > context.now
        held = known.validators.get(service.lists) if same and not ahead else None
        for attempt in range(_RESTARTS + 1):
            body = service.begin(held)
            if body is None:
                return None
            reading = Reading(into, context, modes, ignores=ignores)
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


def _fetch_kid(service: _Service, reading: Reading, entry: Entry) -> None:
    """Fetches what is missing of one kid, a chunk at a time. Raises :class:`FetchError` for any failure but 404."""
    table = reading.table(entry, service.get(f"/lists/{entry.name}/partitions"))
    chunks = _by_chunk(reading.missing(table))
    all_chunks = _by_chunk(table)
    for where, wanted in chunks.items():
        named = {one.member for one in all_chunks[where]}
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


def _by_chunk(slices: Iterable[Slice]) -> dict[str, list[Slice]]:
    found: dict[str, list[Slice]] = {}
    for one in slices:
        found.setdefault(one.where, []).append(one)
    return found


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


def _chosen(context: Context) -> tuple[str, bool]:
    """The kind of filters to ask for, and whether hashes without a kid may be missing."""
    filter_, unknown = context.options.get("filter", BLOOMFILTER), context.options.get("unknown_kid")
    if filter_ not in (BLOOMFILTER, VARHASHLIST):
        raise refused(f"the option filter is {BLOOMFILTER} or {VARHASHLIST}", Code.REVOCATION_CONFIG_INVALID)
    if unknown not in (None, "ignore"):
        raise refused("the option unknown_kid is ignore, or is not set", Code.REVOCATION_CONFIG_INVALID)
    return filter_, unknown is not None
