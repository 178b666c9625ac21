"""What is in the chunks of the Italian list: entries, or changes, and the version that all of them are of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.reading import exact_base64
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.protocol import Context, refused

_LARGEST = 10**15


class ChangedError(RevocationError):
    """The list changed while it was read, or does not come to the number of entries that it should have."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION)


class State(Struct, frozen=True):
    """A version of the list, and how many entries it has."""

    version: int
    total: int

    @property
    def mark(self) -> str:
        return f"{self.version} {self.total}"


def entries_of(chunks: Iterable[dict[str, Any]], new: State) -> Iterator[bytes]:
    """The entries of a snapshot, of as many as there should be. Raises :class:`ChangedError`."""
    count = 0
    for chunk in chunks:
        keys = _keys(chunk.get("revokedUcvi"))
        count += len(keys)
        yield from keys
    if count != new.total:
        raise ChangedError("it has another number of entries than it should have")


class Change(Struct, frozen=True):
    """What happens to an entry: the first thing and the last, True for an insertion."""

    first: bool
    last: bool

    @property
    def grows(self) -> int:
        """How many entries more there are. What is put in and taken out again, or the other way, changes nothing."""
        if self.first != self.last:
            return 0
        return 1 if self.last else -1


def changes_of(chunks: Iterable[dict[str, Any]], context: Context) -> dict[bytes, Change]:
    """What becomes of each entry; in a chunk, insertions come before deletions, as the app has it."""
    found: dict[bytes, Change] = {}
    for chunk in chunks:
        delta = chunk.get("delta")
        if not isinstance(delta, dict):
            raise refused("a chunk of a snapshot among changes")
        for name, inserted in (("insertions", True), ("deletions", False)):
            for key in _keys(delta.get(name)):
                before = found.get(key)
                found[key] = Change(inserted if before is None else before.first, inserted)
        if len(found) > context.limits.revocation_entries:
            raise refused(f"more than {context.limits.revocation_entries} identifiers", Code.INPUT_TOO_LONG)
    return found


def _keys(texts: Any) -> list[bytes]:
    keys = [exact_base64(text) if isinstance(text, str) else None for text in texts] if isinstance(texts, list) else []
    found = [key for key in keys if key is not None and len(key) == IdentifierType.UVCI.width]
    if not isinstance(texts, list) or len(found) != len(texts):
        raise refused("a chunk without an array of hashes of 32 bytes in base64")
    return found


def state_of(document: Mapping[str, Any]) -> State:
    """The version that a document is of. Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``)."""
    return State(number_of(document, "version"), number_of(document, "totalNumberUCVI"))


def number_of(document: Mapping[str, Any], name: str) -> int:
    """A number in a document, likewise."""
    value = document.get(name)
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise refused(f"{name} is not a number")
    return value
