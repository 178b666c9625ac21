"""Records on their way into a segment: gathered in memory, and put aside sorted when there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation.batch import Place
from healthcert.revocation.segment import MOST_SECTIONS, ORIGIN_BYTES, TOMBSTONE, Origin
from healthcert.revocation.writer import Run

_SPILL = 1_000_000  # records that are kept in memory
_STRIDE = 65_536  # records that come in between two looks at how many there are


class Spool:
    """Records of any number of sections, up to ``most`` of them; ``number`` gives an origin its number."""

    def __init__(self, folder: Path, most: int, number: Callable[[Origin], int]) -> None:
        self._folder = folder
        self._most = most
        self._number = number
        self._runs: list[Run] = []
        self._pending: dict[bytes, tuple[int, bytearray]] = {}
        self._gathered = 0
        self.records = 0
        self.tombstones = 0

    def add(self, entries: Iterable[tuple[Place, bytes, Origin]], numbers: dict[Origin, bytes]) -> int:
        """Takes records in, and counts them; ``numbers`` are those of origins that have one.

        Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``, ``INPUT_TOO_LONG``); some may then be in.
        """
        sections: dict[Place, bytearray] = {}
        count = 0
        for place, key, origin in entries:
            data = sections.get(place)
            if data is None:
                data = sections[place] = self._pending.setdefault(place.key, (place.type.width, bytearray()))[1]
            number = numbers.get(origin)
            if number is None:
                number = numbers[origin] = self._number(origin).to_bytes(ORIGIN_BYTES, "big")
            if len(key) != place.type.width:
                raise _of_another_length()
            data += key + number
            count += 1
            if count % _STRIDE == 0 and self._count(_STRIDE):
                sections = {}
        self._count(count % _STRIDE)
        return count

    def remove(self, place: Place, keys: Iterable[bytes]) -> None:
        """Notes that identifiers are no longer listed, whatever brought them before. Raises like :meth:`add`."""
        width, removed = place.type.width, bytearray()
        for key in keys:
            if len(key) != width:
                raise _of_another_length()
            removed += key + TOMBSTONE.to_bytes(ORIGIN_BYTES, "big")
        # What is sorted together has no order: what was added before this must be in an older layer.
        if self._pending.get(place.key, (width, b""))[1]:
            self._spill()
        count = len(removed) // (width + ORIGIN_BYTES)
        if count:
            self._pending[place.key] = (width, removed)
            self.tombstones += count
            self._count(count)

    def runs(self) -> list[Run]:
        """All that came in, the oldest first."""
        self._spill()
        return self._runs

    def too_many(self) -> RevocationError:
        detail = f"more than {self._most} identifiers, or of too many kids"
        return RevocationError(Code.INPUT_TOO_LONG, detail, Step.REVOCATION)

    def _count(self, records: int) -> bool:
        """Counts what came in, and makes room for more; whether it did."""
        self.records += records
        self._gathered += records
        if self.records > self._most:
            raise self.too_many()
        if self._gathered < _SPILL:
            return False
        self._spill()
        return True

    def _spill(self) -> None:
        if self._pending:
            path = self._folder / f"run{len(self._runs)}"
            self._runs.append(Run.write(path, self._pending))
            self._pending, self._gathered = {}, 0
            if sum(map(len, self._runs)) > 2 * MOST_SECTIONS:
                raise self.too_many()


def _of_another_length() -> RevocationError:
    detail = "an identifier of another length than its type has"
    return RevocationError(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION)
