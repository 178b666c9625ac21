"""Germany: the tree of the Corona-Warn-App, Protocol Buffers in signed archives, a chunk for each two first bytes.

Below ``/version/v1/dcc-rl``, each one an archive with its signatures (:mod:`healthcert.lists.signed_export`)::

    kid                          repeated { bytes kid = 1; repeated bytes hashTypes = 2 } items = 1
    <kid><type>                  repeated { bytes x = 1; repeated bytes y = 2 } items = 1
    <kid><type>/<x>/<y>/chunk    repeated bytes hashes = 1

in lower-case hexadecimal; in a folder of files the second one is ``<kid><type>/index``. A type is one byte: 0a
SIGNATURE, 0b UCI, 0c COUNTRYCODEUCI.

Nothing that is signed says when it was, nor of which kid and type it is: who answers in the server's place could give
older parts, or an index and chunks of another kid with hashes that begin alike. That parts came before says nothing
either, since what is taken back makes the tree what it was. The server's TLS certificate is all there is against that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from msgspec import Struct

from healthcert.errors import FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.signed_export import export_signer, open_export
from healthcert.revocation.batch import Place
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import EU_TYPES
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.conditional import get_changed
from healthcert.revocation.sources.cwa_parts import read_hashes, read_index, read_kids
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

_KINDS = {bytes((type_.code,)): type_ for type_ in EU_TYPES}
_KIDS, _INDEX, _CHUNK = "kid", "index", "chunk"
_GONE = {404, 410}


class _Part(Struct, frozen=True):
    """An archive of the tree as it came; None for its data when it is the one that is in use."""

    data: bytes | None
    etag: str | None = None


# Gets the archive at a path. Where its chunk is in use, it is told so, and the server may answer that it still is.
_Get = Callable[[str, bool], _Part]


class CoronaWarnApp:
    """See the module. It speaks for the kids that it lists and could read whole.

    With the option ``countries`` it speaks for those as well, as long as every kid could be read.
    """

    name = "cwa"
    title = "Germany (Corona-Warn-App): a tree of hashes by kid, in signed archives"
    anchored = True
    incremental = True
    options = ("countries",)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        prefix = _prefix(files.names())

        def get(path: str, _in_use: bool) -> _Part:
            data = files.read(f"{prefix}{path}")
            if data is None:
                data = files.read(f"{prefix}{path}/{_INDEX}")
            if data is None:
                raise refused("a part of the list is missing")
            return _Part(data)

        return _Tree(get, into, context).read()

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        """As the protocol has it. ``url`` is that of the tree, up to ``/dcc-rl``; only changed chunks are fetched."""
        base = url.rstrip("/")

        def get(path: str, in_use: bool) -> _Part:
            address = f"{base}/{path}"
            etag = known.validators.get(address) if in_use else None
            try:
                response = get_changed(fetcher, address, etag, context)
            except FetchError as error:
                if error.status in _GONE:
                    raise refused("a part of the list is missing") from None
                raise
            if response is None:
                return _Part(None, etag)
            return _Part(response.body, response.headers.get("etag"))

        return _Tree(get, into, context, base, known.validators).read()


class _Tree:
    """One reading of the tree."""

    def __init__(
        self, get: _Get, into: Gathering, context: Context, base: str = "", before: Mapping[str, str] | None = None
    ) -> None:
        self._get = get
        self._into = into
        self._context = context
        self._base = base
        self._anchors = context.pinned()
        self._before = before or {}
        self._validators: dict[str, str] = {}
        self._unread: set[str] = set()
        self._done = self._of = 0

    def read(self) -> Listed:
        """All of it. A kid of which anything is missing, or not signed, is skipped, and what was in use of it stays."""
        content, signer = self._open(self._get(_KIDS, False))
        kids, problem, whole = set[bytes](), None, True
        for kid, types in read_kids(content, self._context.limits.trust_entries):
            try:
                complete = self._read_kid(kid, types)
            except FetchError as error:
                # A server that is gone will not be asked for a thousand parts more; the next run goes on from here.
                problem = RevocationError(error.code, error.detail, Step.REVOCATION)
                break
            kids.update({kid} if complete else ())
            whole = whole and complete
        complete = whole and problem is None
        self._keep_unread()
        return Listed(
            types=EU_TYPES,
            kids=frozenset(kids),
            countries=covered(self._context) if complete else frozenset(),
            signer=signer,
            whole=problem is None,
            validators=self._validators if problem is None else {**self._before, **self._validators},
            problem=problem,
        )

    def _read_kid(self, kid: bytes, types: tuple[bytes, ...]) -> bool:
        """Whether all that there is of a kid was read."""
        complete = True
        for kind in types:
            where = f"{kid.hex()}{kind.hex()}"
            try:
                if kind not in _KINDS:
                    raise refused("a type of identifiers that is not known")
                index = read_index(self._open(self._get(where, False))[0])
            except FetchError:
                raise
            except HealthCertError as error:
                self._into.skip(where, error)
                self._unread.add(where)
                complete = False
                continue
            self._of += len(index)
            for start in index:
                complete = self._read_chunk(Place(_KINDS[kind], kid), where, start) and complete
        return complete

    def _read_chunk(self, place: Place, where: str, start: bytes) -> bool:
        path = f"{where}/{start[:1].hex()}/{start[1:].hex()}/{_CHUNK}"
        mark = self._into.mark(path)
        try:
            part = self._get(path, mark is not None)
            if part.data is None and mark is not None:
                self._into.keep(path)
            else:
                content = self._open(part)[0]
                hashes = read_hashes(content, start)
                if (digest := hashlib.sha256(content).hexdigest()) == mark:
                    self._into.keep(path)
                else:
                    self._into.add(path, place, hashes, Origin(), mark=digest)
        except FetchError:
            raise
        except HealthCertError as error:
            self._into.skip(path, error)
            # The one in use, where there is one, stays.
            self._into.keep(path)
            return False
        if part.etag:
            self._validators[f"{self._base}/{path}"] = part.etag
        self._done += 1
        self._context.progress(self._done, self._of)
        return True

    def _open(self, part: _Part) -> tuple[bytes, TrustAnchor]:
        """What is signed in an archive, and which of the anchors signed it."""
        content, signatures = open_export(part.data or b"", self._context.limits)
        return content, export_signer(content, signatures, self._anchors)

    def _keep_unread(self) -> None:
        """What was in use stays, where nobody can tell any more which chunks there are."""
        if self._unread:
            for batch in self._into.held():
                if batch.partition("/")[0] in self._unread:
                    self._into.keep(batch)


def _prefix(names: tuple[str, ...]) -> str:
    """What stands before the names of the tree: nothing, or the folders that it lies in."""
    found = [name for name in names if name.rpartition("/")[2] == _KIDS]
    if len(found) != 1:
        raise refused(f"{len(found)} files with the name {_KIDS} where one belongs")
    return found[0].removesuffix(_KIDS)
