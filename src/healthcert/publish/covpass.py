"""Revoked hashes as Germany's CovPass loads them: a tree of signed files, by kid, type and first bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from healthcert.encoding import cbor, cose
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.issue.signer import Signer
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.revoked import RevokedEntry, end_of
from healthcert.revocation.sources.covpass_files import (
    CHUNK,
    INDEX,
    KID_LIST,
    TYPES,
    open_signed,
    read_chunk,
    read_index,
    read_kids,
)

SPLIT = 1000
"""From so many hashes with one first byte on, they are divided among their second bytes."""

_KID_BYTES = 8
_WIDTH = 16

Branches = dict[tuple[bytes, int], dict[int, bytearray]]


def publish(entries: Iterable[RevokedEntry], signer: Signer, *, timestamp: datetime) -> Iterator[tuple[str, bytes]]:
    """The files' paths and contents: of each kid and type the chunks, then their index, and at the end ``kid.lst``.

    The hashes with one first byte are in ``<first>/chunk.lst``, or from :data:`SPLIT` on, in
    ``<first>/<second>/chunk.lst``; the index names the second bytes in either case, since the app looks for them there.
    ``timestamp`` is that of every node, and later each time that something is published. Entries that have expired by
    then are left out, for the tree says no ends. All is read as its readers will. Raises :class:`IssueError`
    (``PUBLISHING_REFUSED``) when the first file is asked for, and what ``signer`` raises.
    """
    tree = _Tree(signer, int(timestamp.timestamp()))
    kids: dict[bytes, dict[bytes, int]] = {}
    for (kid, code), parts in sorted(_branches(entries, timestamp).items()):
        count = 0
        index: dict[bytes, Any] = {}
        name = f"{kid.hex()}{code:02x}"
        for first in sorted(parts):
            hashes = sorted(_unpacked(parts.pop(first)))
            below = _by_second(hashes)
            leaves = {second: [tree.timestamp, len(some)] for second, some in below.items()}
            index[bytes((first,))] = [tree.timestamp, len(hashes), leaves]
            count += len(hashes)
            if len(hashes) < SPLIT:
                yield f"{name}/{first:02x}/{CHUNK}", tree.chunk(hashes, bytes((first,)))
            else:
                for second, some in below.items():
                    yield f"{name}/{first:02x}/{second.hex()}/{CHUNK}", tree.chunk(some, bytes((first,)) + second)
        yield f"{name}/{INDEX}", tree.index(index)
        kids.setdefault(kid, {})[bytes((code,))] = count
    yield KID_LIST, tree.kids(kids)


class _Tree:
    """Signs files, and reads what it signed."""

    def __init__(self, signer: Signer, timestamp: int) -> None:
        if signer.algorithm is not Algorithm.ES256:
            raise _refused(f"the list is signed with ES256, and the signer has {signer.algorithm.name}")
        self.timestamp = timestamp
        self._signer = signer
        self._protected = cbor.encode({cose.ALG: signer.algorithm.value})
        try:
            spki = parse_certificate(signer.certificate).spki
        except HealthCertError as error:
            raise _refused(error.detail) from None
        self._anchors = (TrustAnchor("the signer", spki, signer.certificate),)

    def chunk(self, hashes: list[bytes], prefix: bytes) -> bytes:
        data, content = self._signed(hashes)
        return self._as_given(data, read_chunk(content, prefix) == tuple(hashes))

    def index(self, index: Mapping[bytes, Any]) -> bytes:
        data, content = self._signed(index)
        read = {bytes((first,)): (node.timestamp, node.count) for first, node in read_index(content).items()}
        return self._as_given(data, read == {first: tuple(node[:2]) for first, node in index.items()})

    def kids(self, kids: Mapping[bytes, Mapping[bytes, int]]) -> bytes:
        data, content = self._signed(kids)
        given = {kid: {type_[0]: count for type_, count in types.items()} for kid, types in kids.items()}
        return self._as_given(data, read_kids(content, DEFAULT_LIMITS) == given)

    def _signed(self, value: Any) -> tuple[bytes, Any]:
        """A file, and what those who pin the signer's certificate read in it."""
        payload = cbor.encode(value)
        signature = self._signer.sign(cose.sig_structure(self._protected, payload))
        data = cose.assemble_sign1(self._protected, payload, signature)
        if len(data) > DEFAULT_LIMITS.list_bytes:
            raise _refused("a file of it is longer than those who read it take")
        try:
            return data, open_signed(data, self._anchors, DEFAULT_LIMITS).content
        except HealthCertError as error:
            raise _refused(f"those who read it would refuse it: {error.detail}") from None

    def _as_given(self, data: bytes, same: bool) -> bytes:
        if not same:
            raise _refused("those who read it would read something else")
        return data


def _branches(entries: Iterable[RevokedEntry], moment: datetime) -> Branches:
    """The hashes by kid and type, and then by their first byte, one after the other."""
    found: Branches = {}
    for entry in entries:
        if entry.kid is None or len(entry.kid) != _KID_BYTES:
            raise _refused(f"an entry without a kid of {_KID_BYTES} bytes, by which the tree is made")
        if entry.type not in TYPES or len(entry.key) != _WIDTH:
            raise _refused(f"an entry of the type {entry.type}, or of another length than its type has")
        expires = end_of(entry)
        if expires is None or expires > moment:
            parts = found.setdefault((entry.kid, entry.type.code), {})
            parts.setdefault(entry.key[0], bytearray()).extend(entry.key)
    return found


def _unpacked(data: bytearray) -> set[bytes]:
    return {bytes(data[start : start + _WIDTH]) for start in range(0, len(data), _WIDTH)}


def _by_second(hashes: list[bytes]) -> dict[bytes, list[bytes]]:
    """Sorted hashes by their second byte."""
    found: dict[bytes, list[bytes]] = {}
    for one in hashes:
        found.setdefault(one[1:2], []).append(one)
    return found


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
