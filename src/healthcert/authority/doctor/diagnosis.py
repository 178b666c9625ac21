"""What a check of a set-up says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum, unique

from msgspec import Struct

SOON = timedelta(days=30)
"""How long before an end it is told: a new DSC must be made, published, and fetched by verifiers."""
SKEW = timedelta(minutes=5)
"""By how much two clocks may differ without a word."""


@unique
class Level(StrEnum):
    """How a check ended. A warning becomes a fault if nothing is done about it."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"


class Diagnosis(Struct, frozen=True):
    """What one check found. ``remedy`` is what to do about it, empty where nothing is to be done."""

    check: str
    level: Level
    told: str
    remedy: str = ""


Diagnoses = Iterator[Diagnosis]


def fine(check: str, told: str) -> Diagnosis:
    return Diagnosis(check, Level.FINE, told)


def warning(check: str, told: str, remedy: str) -> Diagnosis:
    return Diagnosis(check, Level.WARNING, told, remedy)


def fault(check: str, told: str, remedy: str) -> Diagnosis:
    return Diagnosis(check, Level.FAULT, told, remedy)
