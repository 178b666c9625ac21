"""Where the EU's distribution service keeps a hash: which part of a kid's list its leading digits lead to.

Source: dgca-revocation-distribution-service, PartitionGeneratorService and the documents of its interface.
"""

from __future__ import annotations

from enum import StrEnum, unique

_POINT_HOLDS = 100_000
_VECTOR_HOLDS = 1_600_000


@unique
class Mode(StrEnum):
    """How finely the list of one kid is divided; the value is the service's name for it."""

    POINT = "POINT"
    VECTOR = "VECTOR"
    COORDINATE = "COORDINATE"

    __hash__ = str.__hash__  # Enum's own is a function in Python, and modes are looked up for every certificate

    @classmethod
    def for_count(cls, count: int) -> Mode:
        """The mode in which the service, as it is delivered, divides a list of ``count`` hashes."""
        if count <= _POINT_HOLDS:
            return cls.POINT
        return cls.VECTOR if count <= _VECTOR_HOLDS else cls.COORDINATE

    @property
    def digits(self) -> int:
        """How many of a hash's hexadecimal digits lead to its chunk; all hashes in a chunk have them in common."""
        return _DIGITS[self]

    @property
    def offset(self) -> int:
        """How many of these digits are in the partition's name; the size of a list's entries is computed with it."""
        return self.digits - 1


_DIGITS = {Mode.POINT: 1, Mode.VECTOR: 2, Mode.COORDINATE: 3}


def place(hash: bytes, mode: Mode) -> tuple[str | None, str]:  # noqa: A002
    """The partition and the chunk that ``hash`` is in, by their names; in the mode POINT all is one partition, None.

    ``hash`` has at least two bytes.
    """
    digits = hash[:2].hex()[: mode.digits]
    return digits[:-1] or None, digits[-1]
