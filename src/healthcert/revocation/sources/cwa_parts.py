"""The messages of the Corona-Warn-App's tree: three kinds, which hold these fields and no others.

Source: cwa-app-android, Server-Protocol-Buffer, dgc/revocation_*.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from healthcert.encoding.protobuf import fields
from healthcert.errors import Code
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.protocol import refused

_KID_SIZE = 8


def read_kids(content: bytes, most: int) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Each kid with its types.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``; ``INPUT_TOO_LONG`` for more than ``most``), and
    :class:`DecodeError` for what is no message at all; as do the other two.
    """
    found: dict[bytes, tuple[bytes, ...]] = {}
    for item in _only(content, 1)[0]:
        kids, kinds = _only(item, 1, 2)
        # HCERT specification, Appendix A.1.
        if len(kids) != 1 or len(kids[0]) != _KID_SIZE or kids[0] in found:
            raise refused(f"an item that is not of one kid of {_KID_SIZE} bytes, once")
        if not kinds or len(set(kinds)) != len(kinds) or any(len(kind) != 1 for kind in kinds):
            raise refused("a kid without types of one byte, each once")
        found[kids[0]] = tuple(kinds)
        if len(found) > most:
            raise refused(f"more than {most} kids", Code.INPUT_TOO_LONG)
    return iter(found.items())


def read_index(content: bytes) -> tuple[bytes, ...]:
    """The two first bytes of the hashes in each chunk."""
    found: list[bytes] = []
    for item in _only(content, 1)[0]:
        x, y = _only(item, 1, 2)
        if len(x) != 1 or not y or any(len(octet) != 1 for octet in chain(x, y)):
            raise refused("an item that is not of one first byte and second bytes")
        found += [x[0] + octet for octet in y]
    if not found:
        raise refused("an index that is empty")
    # The app's server lists a chunk once for each hash in it.
    return tuple(dict.fromkeys(found))


def read_hashes(content: bytes, start: bytes) -> list[bytes]:
    """The hashes in the chunk of those that begin so."""
    found = _only(content, 1)[0]
    width = IdentifierType.SIGNATURE.width
    # An empty chunk would not be listed: this one belongs elsewhere, or is another document altogether.
    if not found or any(len(one) != width or not one.startswith(start) for one in found):
        raise refused("a chunk of hashes that do not belong in it")
    return found


def _only(message: bytes, *numbers: int) -> tuple[list[bytes], ...]:
    """The byte strings in the fields with these numbers."""
    found: dict[int, list[bytes]] = {number: [] for number in numbers}
    for number, value in fields(message):
        # The same keys sign all that the app loads; another document may have nothing at all where these have all.
        if number not in found or not isinstance(value, bytes):
            raise refused("a message with other fields than it should have")
        found[number].append(value)
    return tuple(found.values())
