"""What a measurement gives: lines of a table, each with what was found and what is asked."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

TIMES, SECONDS, MILLISECONDS, MICROSECONDS, MEGABYTES, RATE = "×", "s", "ms", "µs", "MB", "/s"


class Verdict(StrEnum):
    """What is said of a line."""

    PASS = "pass"
    FALLS_SHORT = "falls short"
    TOLD = "-"
    """Nothing is asked of it."""
    NOT_MEASURED = "not measured"


class Line(Struct, frozen=True, kw_only=True):
    """One measurement.

    ``value`` is the median over the turns, ``low`` and ``high`` the quartiles around it where there were several; it is
    None where ``reason`` says why nothing was measured. ``at_most`` says on which side of ``asked`` it has to be.
    """

    name: str
    value: float | None = None
    asked: float | None = None
    at_most: bool = False
    unit: str = TIMES
    low: float | None = None
    high: float | None = None
    detail: str = ""
    reason: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Of the value as it was measured, not as it is rounded for the table."""
        if self.value is None:
            return Verdict.NOT_MEASURED
        if self.asked is None:
            return Verdict.TOLD
        passed = self.value <= self.asked if self.at_most else self.value >= self.asked
        return Verdict.PASS if passed else Verdict.FALLS_SHORT

    @property
    def is_close(self) -> bool:
        """Whether what is asked lies between the quartiles: another run may say otherwise."""
        if self.asked is None or self.low is None or self.high is None:
            return False
        return self.low < self.asked < self.high


class MissingError(Exception):
    """Something that a measurement needs is not here, such as a program; says what."""


class Settings(Struct, frozen=True):
    """How thoroughly is measured."""

    repeat: int | None = None
    """Turns of every measurement; None for each its own number."""
    quick: bool = False
    """Fewer turns and smaller inputs, to see whether everything runs: noisier."""
    full: bool = False
    """The largest inputs, which take minutes."""

    def turns(self, usual: int) -> int:
        """How often a measurement is taken."""
        if self.repeat is not None:
            return self.repeat
        return max(3, usual // 4) if self.quick else usual

    def count(self, usual: int) -> int:
        """How many items one turn takes."""
        return max(1, usual // 4) if self.quick else usual
