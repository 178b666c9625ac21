"""The files of CovPass's tree: opened when their signatures hold, and read strictly, or refused.

Source: covpass-android, RevocationRemoteListRepository and RevocationListUtils.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from healthcert.encoding import cbor, cose
from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation.identifiers import EU_TYPES, IdentifierType, signature_hash
from healthcert.revocation.sources.protocol import refused

TYPES = EU_TYPES
KID_LIST, INDEX, CHUNK = "kid.lst", "index.lst", "chunk.lst"

_KID_BYTES = 8
_LAST_MOMENT = 2**40  # seconds; no timestamp is as large

Leaf = tuple[int, int]  # timestamp and count


class Node(Struct, frozen=True):
    """What an index says of a first byte: when something last changed under it, and how many hashes are there.

    ``below`` has timestamp and count of each second byte.
    """

    timestamp: int
    count: int
    below: Mapping[int, Leaf]


class Signed(Struct, frozen=True):
    """What is in a signed file, and which anchor signed it.

    ``digest`` is of what the signature covers, and of the part of it that nobody but the signer can make anew.
    """

    content: Any
    signer: TrustAnchor
    digest: bytes


def open_signed(data: bytes, anchors: Sequence[TrustAnchor], limits: Limits) -> Signed:
    """A file whose signature holds.

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
        content = cbor.decode(message.payload, max_depth=limits.cbor_depth)
    except DecodeError as error:
        raise refused(error.detail) from None
    # The header that is not signed, and the s of an ECDSA signature, can be changed by anybody.
    made = signature_hash(message.signature, message.algorithm)
    return Signed(content, anchor, hashlib.sha256(signed + made).digest())


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
