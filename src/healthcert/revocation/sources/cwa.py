"""Germany: the tree of the Corona-Warn-App, Protocol Buffers in signed archives, a chunk for each two first bytes.

Below ``/version/v1/dcc-rl``, each one an archive with its signatures (:mod:`healthcert.lists.signed_export`)::

    kid                          repeated { bytes kid = 1; repeated bytes hashTypes = 2 } items = 1
    <kid><type>                  repeated { bytes x = 1; repeated bytes y = 2 } items = 1
    <kid><type>/<x>/<y>/chunk    repeated bytes hashes = 1

in lower-case hexadecimal; in a folder of files the second one is ``<kid><type>/index``. A type is one byte: 0a
SIGNATURE, 0b UCI, 0c COUNTRYCODEUCI. Nothing that is signed says when it was, nor of which kid a chunk is: who answers
in the server's place could give an older chunk, or that of another kid with hashes that begin alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from msgspec import Struct

from healthcert.encoding.protobuf import byte_strings
from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.signed_export import export_signer, open_export
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering, Place
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

TYPES = (IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI)
_KINDS = {bytes((type_.code,)): type_ for type_ in TYPES}
_KID_SIZE = 8
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
            headers = {"If-None-Match": etag} if etag else {}
            try:
                response = fetcher.get(address, limit=context.limits.list_bytes, headers=headers)
            except FetchError as error:
                if error.status in _GONE:
                    raise refused("a part of the list is missing") from None
                raise
            if response.status == 304:
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
        self._digests: list[str] = []
        self._done = self._of = 0

    def read(self) -> Listed:
        """All of it. A kid of which anything is missing, or not signed, is skipped, and what was in use of it stays."""
        content, signer = self._open(self._get(_KIDS, False))
        kids, problem, whole = set[bytes](), None, True
        for kid, types in _kids(content, self._context.limits.trust_entries):
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
            types=TYPES,
            kids=frozenset(kids),
            countries=covered(self._context) if complete else frozenset(),
            signer=signer,
            # The same parts in another order, or fetched at other times, are the same list.
            signed=hashlib.sha256("".join(sorted(self._digests)).encode()).digest() if complete else None,
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
                index = _index(self._open(self._get(where, False))[0])
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
                self._digests.append(mark)
                self._into.keep(path)
            else:
                content = self._open(part)[0]
                digest = self._digests[-1]
                hashes = _hashes(content, start)
                if digest == mark:
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
        signer = export_signer(content, signatures, self._anchors)
        self._digests.append(hashlib.sha256(content).hexdigest())
        return content, signer

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


def _kids(content: bytes, most: int) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Each kid with its types."""
    found: dict[bytes, tuple[bytes, ...]] = {}
    for item in byte_strings(content, 1):
        kids, types = tuple(byte_strings(item, 1)), tuple(byte_strings(item, 2))
        # HCERT specification, Appendix A.1.
        if len(kids) != 1 or len(kids[0]) != _KID_SIZE or kids[0] in found:
            raise refused(f"an item that is not of one kid of {_KID_SIZE} bytes, once")
        if not types or len(set(types)) != len(types) or any(len(kind) != 1 for kind in types):
            raise refused("a kid without types of one byte, each once")
        found[kids[0]] = types
        if len(found) > most:
            raise refused(f"more than {most} kids", Code.INPUT_TOO_LONG)
    return iter(found.items())


def _index(content: bytes) -> tuple[bytes, ...]:
    """The two first bytes of the hashes in each chunk."""
    found: list[bytes] = []
    for item in byte_strings(content, 1):
        x, y = tuple(byte_strings(item, 1)), tuple(byte_strings(item, 2))
        if len(x) != 1 or not y or any(len(octet) != 1 for octet in chain(x, y)):
            raise refused("an item that is not of one first byte and second bytes")
        found += [x[0] + octet for octet in y]
    if not found:
        raise refused("an index that is empty")
    # The app's server lists a chunk once for each hash in it.
    return tuple(dict.fromkeys(found))


def _hashes(content: bytes, start: bytes) -> list[bytes]:
    found = list(byte_strings(content, 1))
    width = IdentifierType.SIGNATURE.width
    # An empty chunk would not be listed: this one belongs elsewhere, or is another document altogether.
    if not found or any(len(one) != width or not one.startswith(start) for one in found):
        raise refused("a chunk of hashes that do not belong in it")
    return found
