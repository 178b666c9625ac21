"""Germany's list as CovPass loads it: a tree of small files by kid, type and the first bytes of a hash, each signed.

Every file is a COSE_Sign1 over CBOR, made with one pinned key::

    kid.lst                          {kid: {type: count}}
    <kid><type>/index.lst            {first byte: [timestamp, count, {second byte: [timestamp, count]}]}
    <kid><type>/<first>/chunk.lst             [hash, ...]
    <kid><type>/<first>/<second>/chunk.lst    [hash, ...]

A first byte has all its hashes in its own chunk, or divided among its second bytes. A signature does not cover the
name of its file, so that one may stand in another's place: where a hash belongs is checked by its first bytes, and that
none is missing by the counts alone.

Source: covpass-android, RevocationRemoteListRepository and RevocationListUtils.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from healthcert.encoding import cbor, cose
from healthcert.errors import Code, DecodeError, FetchError, HealthCertError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.reading import as_moment
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering, Place
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

TYPES = (IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI)
KID_LIST, INDEX, CHUNK = "kid.lst", "index.lst", "chunk.lst"

_KID_BYTES = 8
_NOT_FOUND = 404
_LAST_MOMENT = 2**40  # seconds; no timestamp is as large

Get = Callable[[str], bytes | None]
Leaf = tuple[int, int]  # timestamp and count
New = dict[str, tuple[tuple[bytes, ...], int]]  # hashes and timestamp of each batch


class Node(Struct, frozen=True):
    """What an index says of a first byte: when something last changed under it, and how many hashes are there.

    ``below`` has timestamp and count of each second byte.
    """

    timestamp: int
    count: int
    below: Mapping[int, Leaf]


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
        content, signer = self._opened(data)
        kids = read_kids(content, self._context.limits)
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
            countries=covered(self._context),
            signer=signer,
            # With its signature, which is made anew each time: the counts may honestly be again what they were.
            signed=hashlib.sha256(data).digest(),
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
            index = read_index(self._opened(data)[0])
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
            hashes = () if data is None else read_chunk(self._opened(data)[0], prefix)
        except FetchError:
            raise
        except HealthCertError as error:
            self._into.skip(f"{batch}/{CHUNK}", error)
            return None
        new[batch] = hashes, timestamp
        return len(hashes)

    def _opened(self, data: bytes) -> tuple[Any, TrustAnchor]:
        return open_signed(data, self._anchors, self._context.limits)

    def _fail(self, name: str, error: HealthCertError) -> None:
        self._into.skip(name, error)
        for batch in self._held.get(name, ()):
            self._into.keep(batch)

    def _under(self, batch: str) -> list[str]:
        """The batches that were held under a first byte."""
        held = self._held.get(batch.partition("/")[0], ())
        return [one for one in held if one == batch or one.startswith(f"{batch}/")]


# --- Its files ---


def open_signed(data: bytes, anchors: Sequence[TrustAnchor], limits: Limits) -> tuple[Any, TrustAnchor]:
    """The content of a signed file, and the anchor that signed it.

    Raises :class:`RevocationError`: ``REVOCATION_LIST_NOT_AUTHENTIC``, ``REVOCATION_LIST_UNREADABLE``.
    """
    try:
        message = cose.decode_sign1(data, max_depth=limits.cbor_depth)
    except DecodeError as error:
        raise refused(error.detail) from None
    signed = message.to_be_signed()
    for anchor in anchors:
        # RFC 9052 §4.4, and the algorithm must be one for the pinned key.
        if message.algorithm is not None and message.algorithm.verify(anchor.public_key(), message.signature, signed):
            break
    else:
        raise refused("not signed with a pinned key", Code.REVOCATION_LIST_NOT_AUTHENTIC)
    try:
        return cbor.decode(message.payload, max_depth=limits.cbor_depth), anchor
    except DecodeError as error:
        raise refused(error.detail) from None


def read_kids(content: Any, limits: Limits) -> dict[bytes, dict[int, int]]:
    """How many hashes of each type there are under each kid. Raises :class:`RevocationError`."""
    if not isinstance(content, Mapping):
        raise refused("it is no map of kids")
    if len(content) > limits.trust_entries:
        raise refused(f"a list of more than {limits.trust_entries} kids", Code.INPUT_TOO_LONG)
    found = {}
    for kid, types in content.items():
        if not isinstance(kid, bytes) or len(kid) != _KID_BYTES or not isinstance(types, Mapping):
            raise refused("it has a kid that is none")
        found[kid] = {_byte(type_): _number(count) for type_, count in types.items()}
    return found


def read_index(content: Any) -> dict[int, Node]:
    """What is under each first byte. Raises :class:`RevocationError`."""
    if not isinstance(content, Mapping):
        raise refused("it is no map of first bytes")
    found = {}
    for first, node in content.items():
        if not isinstance(node, list | tuple) or len(node) != 3 or not isinstance(node[2], Mapping):
            raise refused("it has a first byte without timestamp, number and second bytes")
        below = {_byte(second): _leaf(leaf) for second, leaf in node[2].items()}
        found[_byte(first)] = Node(*_leaf(node[:2]), below)
    return found


def read_chunk(content: Any, prefix: bytes) -> tuple[bytes, ...]:
    """The hashes of a chunk, each once. Raises :class:`RevocationError` when one does not begin with ``prefix``."""
    if not isinstance(content, list | tuple):
        raise refused("it is no array of hashes")
    width = IdentifierType.UCI.width
    if not all(isinstance(one, bytes) and len(one) == width and one.startswith(prefix) for one in content):
        raise refused("it has a hash that does not belong there, or is none")
    return tuple(dict.fromkeys(content))


def _leaf(value: Any) -> Leaf:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refused("it has a node without timestamp and number")
    timestamp, count = _number(value[0]), _number(value[1])
    if timestamp >= _LAST_MOMENT:
        raise refused("it has a timestamp that is none")
    return timestamp, count


def _byte(value: Any) -> int:
    if not isinstance(value, bytes) or len(value) != 1:
        raise refused("it has a key that is no single byte")
    return value[0]


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise refused("it has a number that is none")
    return value
