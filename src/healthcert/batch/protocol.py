"""What the parts of a bulk run agree on: where its items come from, what a worker makes of them, where that goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, SupportsIndex, TypeVar, overload

from msgspec import Struct

from healthcert.errors import HealthCertError
from healthcert.intake.reading import RejectedRow, Row
from healthcert.model import Private

ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)

Mark = Mapping[str, Any]
"""How far an output was written when all of it was on the disk, in values of JSON: what it is opened at again."""


class Text(Private, frozen=True):
    """A certificate to be verified, and where it stood in its source, from 1."""

    number: int
    text: str | bytes


class Document(Private, frozen=True):
    """A file that holds certificates: a picture, a PDF, or a text; ``name`` as the results call it.

    ``data`` are its bytes where they were at hand (a member of an archive); else whoever reads it opens ``name``.
    """

    number: int
    name: str
    data: bytes | None = None


IssueItem = Row | RejectedRow
VerifyItem = Text | Document | RejectedRow
Given = tuple[str, ItemT_co]
"""What a worker is given: an item, behind the name of its source."""


class Chunk(list[Given[ItemT]]):
    """Items that go to a worker together, or, where their workers end over them, in parts of it.

    ``begun`` is from when on a worker may have done them, in whole seconds.
    """

    def __init__(self, items: Iterable[Given[ItemT]], begun: datetime) -> None:
        super().__init__(items)
        self.begun = begun

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> Given[ItemT]: ...
    @overload
    def __getitem__(self, place: slice, /) -> Chunk[ItemT]: ...
    def __getitem__(self, place: SupportsIndex | slice, /) -> Given[ItemT] | Chunk[ItemT]:
        if isinstance(place, slice):
            return Chunk(super().__getitem__(place), self.begun)
        return super().__getitem__(place)

    def __reduce__(self) -> tuple[Any, ...]:
        return Chunk, (list(self), self.begun)


class Source(Protocol[ItemT_co]):
    """A file or folder of items, in an order that is the same each time it is read."""

    @property
    def name(self) -> str:
        """As the user named it; ``-`` for standard input."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """By what a run that goes on knows that it is the same: JSON values, as size and time of change."""
        ...

    @property
    def size(self) -> int | None:
        """How much there is to be read, in bytes or files; None where nobody knows."""
        ...

    @property
    def done(self) -> int:
        """How much of ``size`` was read."""
        ...

    def items(self, skip: int = 0) -> Iterator[ItemT_co]:
        """What is in it but for the first ``skip`` items. Raises OSError; HealthCertError for the source as a whole.

        No more is held in memory than a few items need.
        """
        ...


class Output(Private, frozen=True):
    """A result of one item as a worker leaves it, in the form that the sink takes.

    ``name`` is that of a file in a folder or archive, ``data`` its content; without a name ``data`` is a line of JSON
    with its end, or the rows of a table.
    """

    data: bytes
    name: str | None = None


class Sink(Protocol):
    """Where the outputs of a run go, in order."""

    def write(self, outputs: Sequence[Output]) -> None:
        """Takes the outputs of one chunk. Raises OSError."""
        ...

    def flush(self) -> Mark:
        """Brings all that was taken to the disk, and says how far that is. Raises OSError."""
        ...

    def close(self) -> None:
        """Ends it: what is there then is whole. Raises OSError."""
        ...


class Refusal(Struct, frozen=True):
    """A row for the file of rejected rows: its source, its number in it, and why."""

    source: str
    number: int
    error: HealthCertError


class ChunkResult(Private, frozen=True, kw_only=True):
    """What became of a chunk: the outputs of all its rows in order, and those that it has none of.

    ``counts`` are how many there were of each verdict, code and issuer, as
    ``verdict:accepted``, ``code:OK`` and ``issuer:FR``. ``redone`` is what holds in place of all this where the chunk
    was begun before, by a worker that ended over it; None where that makes no difference.
    """

    outputs: tuple[Output, ...]
    refusals: tuple[Refusal, ...]
    counts: Mapping[str, int]
    redone: ChunkResult | None = None
