"""Germany's list as CovPass loads it: a tree of small files by kid, type and the first bytes of a hash, each signed.

Every file is a COSE_Sign1 over CBOR, made with one pinned key::

    kid.lst                          {kid: {type: count}}
    <kid><type>/index.lst            {first byte: [timestamp, count, {second byte: [timestamp, count]}]}
    <kid><type>/<first>/chunk.lst             [hash, ...]
    <kid><type>/<first>/<second>/chunk.lst    [hash, ...]

A first byte has all its hashes in its own chunk, or divided among its second bytes. A signature does not cover the
name of its file, so that one may stand in another's place: where a hash belongs is checked by its first bytes, and that
none is missing by the counts alone. An older file is known by its timestamp, where a newer one is in use, and an older
``kid.lst`` when another one has replaced it here; one that was never seen here cannot be told from a new one.

A kid is spoken for when all its hashes are there; with the option ``countries`` these are as well, while nothing of any
kid is missing.

Source: covpass-android, RevocationRemoteListRepository and RevocationListUtils.
"""

from __future__ import annotations

from collections.abc import Callable

from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.lists.reading import as_moment
from healthcert.revocation.batch import Place
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.covpass_files import (
    CHUNK,
    INDEX,
    KID_LIST,
    TYPES,
    Node,
    Signed,
    open_signed,
    read_chunk,
    read_index,
    read_kids,
)
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

_NOT_FOUND = 404

Get = Callable[[str], bytes | None]
New = dict[str, tuple[tuple[bytes, ...], int]]  # hashes and timestamp of each batch


class CovPass:
    """See the module."""

    name = "covpass"
    title = "Germany (CovPass): a tree of hashes, each file signed with COSE"
    anchored = True
    incremental = True
    options = ("countries",)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        return _Tree(files.read, into, context).read()

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        base = url.rstrip("/")

        def get(name: str) -> bytes | None:
            try:
                return fetcher.get(f"{base}/{name}", limit=context.limits.list_bytes).body
            except FetchError as error:
                if error.status == _NOT_FOUND:
                    return None
                raise

        return _Tree(get, into, context).read()


class _Tree:
    """The tree as it is read: from its root down, past what has not changed."""

    def __init__(self, get: Get, into: Gathering, context: Context) -> None:
        self._get, self._into, self._context = get, into, context
        self._anchors = context.pinned()
        self._newest = 0
        self._held: dict[str, list[str]] = {}
        for batch in into.held():
            self._held.setdefault(batch.partition("/")[0], []).append(batch)

    def read(self) -> Listed:
        data = self._get(KID_LIST)
        if data is None:
            raise refused(f"{KID_LIST} is missing")
        root = self._opened(data)
        kids = read_kids(root.content, self._context.limits)
        complete: set[bytes] = set()
        problem = None
        try:
            for number, (kid, types) in enumerate(sorted(kids.items()), 1):
                branches = [self._branch(kid, code, count) for code, count in sorted(types.items())]
                if all(branches):
                    complete.add(kid)
                self._context.progress(number, len(kids))
        except FetchError as error:
            problem = RevocationError(Code.FETCH_FAILED, error.detail, Step.REVOCATION)
        return Listed(
            types=TYPES,
            kids=frozenset(complete),
            countries=covered(self._context) if len(complete) == len(kids) else frozenset(),
            signer=root.signer,
            # With its signature, which is made anew each time: the counts may honestly be again what they were.
            signed=root.digest,
            issued_at=as_moment(self._newest) if self._newest else None,
            whole=problem is None,
            problem=problem,
        )

    def _branch(self, kid: bytes, code: int, count: int) -> bool:
        """Reads the hashes of one type under a kid; whether none is missing."""
        name = f"{kid.hex()}{code:02x}"
        type_ = IdentifierType.from_code(code)
        try:
            if type_ not in TYPES:
                raise refused("hashes of a type that is not known")
            data = self._get(f"{name}/{INDEX}")
            if data is None:
                raise refused("its index is missing")
            index = read_index(self._opened(data).content)
        except FetchError:
            raise
        except HealthCertError as error:
            self._fail(name, error)
            return False
        place = Place(type_, kid)
        nodes = [self._node(place, f"{name}/{first:02x}", first, node) for first, node in sorted(index.items())]
        if sum(node.count for node in index.values()) != count:
            self._into.skip(name, refused("its index has another number of hashes than kid.lst says"))
            return False
        return all(nodes)

    def _node(self, place: Place, batch: str, first: int, node: Node) -> bool:
        """Reads the hashes with one first byte, all before any takes another's place; whether none is missing."""
        self._newest = max(self._newest, node.timestamp)
        new: New = {}
        used = [batch]
        # Where hashes are divided among second bytes, a first byte has none of its own.
        counts = (node.count, 0) if node.below else (node.count,)
        found = self._chunk(batch, bytes((first,)), node.timestamp, counts, new)
        usable, fits = found is not None, True
        if found is not None and found < node.count:
            for second, (timestamp, count) in sorted(node.below.items()):
                self._newest = max(self._newest, timestamp)
                used.append(below := f"{batch}/{second:02x}")
                came = self._chunk(below, bytes((first, second)), timestamp, (count,), new)
                usable, fits = usable and came is not None, fits and came in (count, None)
                found += came or 0
        complete = usable and fits and found == node.count
        if usable and not complete:
            self._into.skip(batch, refused("there is another number of hashes than its index says"))
        for name, (hashes, timestamp) in new.items():
            # What is held stays in use until all that shall replace it is there.
            if complete or self._into.mark(name) is None:
                self._into.add(name, place, hashes, Origin(), mark=str(timestamp))
        for name in used if complete else self._under(batch):
            self._into.keep(name)
        return complete

    def _chunk(self, batch: str, prefix: bytes, timestamp: int, counts: tuple[int, ...], new: New) -> int | None:
        """How many hashes a chunk has, by its index one of ``counts``; None when it cannot be used.

        What is held is not asked for again; any other chunk goes to ``new``.
        """
        mark = self._into.mark(batch)
        if mark == str(timestamp) and (held := self._into.batches[batch].records) in counts:
            return held
        try:
            if mark is not None and int(mark) > timestamp:
                raise refused("older than what is in use", Code.REVOCATION_LIST_ROLLED_BACK)
            data = self._get(f"{batch}/{CHUNK}")
            hashes = () if data is None else read_chunk(self._opened(data).content, prefix)
        except FetchError:
            raise
        except HealthCertError as error:
            self._into.skip(f"{batch}/{CHUNK}", error)
            return None
        new[batch] = hashes, timestamp
        return len(hashes)

    def _opened(self, data: bytes) -> Signed:
        return open_signed(data, self._anchors, self._context.limits)

    def _fail(self, name: str, error: HealthCertError) -> None:
        self._into.skip(name, error)
        for batch in self._held.get(name, ()):
            self._into.keep(batch)

    def _under(self, batch: str) -> list[str]:
        """The batches that were held under a first byte."""
        held = self._held.get(batch.partition("/")[0], ())
        return [one for one in held if one == batch or one.startswith(f"{batch}/")]
