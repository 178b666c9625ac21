"""Expectations that are not met, for a reason: a TOML file that is held to be exact.

    [[deviation]]
    cases = ["PL/*/2DCode/raw/8", "NL/**"]
    expectation = "EXPECTEDSCHEMAVALIDATION"
    reason = "Why the expectation is wrong, or cannot be met."

In a pattern, ``*`` is anything within one folder and ``**`` anything at all; letter case does not count.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from healthcert.errors import Code, DecodeError
from healthcert.limits import read_file

_MOST_BYTES = 1024 * 1024
_WILDCARDS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class Deviation:
    """One entry: an expectation that the cases of these patterns do not meet, and why.

    With ``unseen`` it was written without the cases at hand, so that it is never stale.
    """

    cases: tuple[str, ...]
    expectation: str
    reason: str
    unseen: bool = False

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """One for each of ``cases``."""
        return tuple(pattern_of(case) for case in self.cases)


@dataclass(frozen=True, slots=True)
class Deviations:
    """The entries of a list."""

    entries: tuple[Deviation, ...] = ()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The list in a file. Raises :class:`DecodeError` (``FIELD_INVALID``, ``TEXT_UNREADABLE``), OSError."""
        return cls._parse(read_file(path, _MOST_BYTES))

    @classmethod
    def of_public_suite(cls) -> Self:
        """What is known to be wrong in the public suite (dgc-testdata)."""
        return cls._parse(files("healthcert.conformance").joinpath("dgc-testdata.toml").read_bytes())

    @classmethod
    def _parse(cls, data: bytes) -> Self:
        try:
            document = tomllib.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise DecodeError(Code.TEXT_UNREADABLE, "the list of deviations is not TOML") from None
        entries = document.get("deviation", [])
        if document.keys() - {"deviation"} or not isinstance(entries, list):
            raise DecodeError(Code.FIELD_INVALID, "a list of deviations holds [[deviation]] entries and nothing else")
        return cls(tuple(_entry(entry, number) for number, entry in enumerate(entries, 1)))

    def excuse(self, case: str, expectation: str) -> Deviation | None:
        """The entry that excuses this expectation of this case."""
        return next((entry for entry in self.entries if _matches(entry, case, expectation)), None)

    def stale(self, checked: Iterable[tuple[str, str, bool]]) -> list[tuple[Deviation, str]]:
        """The patterns that excuse nothing although cases of theirs were checked (case, expectation, agreed)."""
        results = list(checked)
        found = []
        for entry in self.entries:
            for case, pattern in zip(entry.cases, entry.patterns, strict=True):
                agreed = [a for name, key, a in results if key == entry.expectation and pattern.fullmatch(name)]
                if agreed and all(agreed) and not entry.unseen:
                    found.append((entry, case))
        return found

    def absent(self, cases: Iterable[str]) -> int:
        """How many patterns match none of these cases."""
        names = list(cases)
        patterns = [pattern for entry in self.entries for pattern in entry.patterns]
        return sum(not any(pattern.fullmatch(name) for name in names) for pattern in patterns)


def pattern_of(glob: str) -> re.Pattern[str]:
    """A pattern for the names of cases; one without wildcards also means everything in the folder of that name."""
    parts = re.split(r"(\*\*|\*|\?)", glob.strip("/"))
    expression = "".join(_WILDCARDS.get(part) or re.escape(part) for part in parts)
    return re.compile(expression + ("" if len(parts) > 1 else "(/.*)?"), re.IGNORECASE | re.DOTALL)


def _matches(entry: Deviation, case: str, expectation: str) -> bool:
    return entry.expectation == expectation and any(pattern.fullmatch(case) for pattern in entry.patterns)


def _entry(entry: Any, number: int) -> Deviation:
    fields = {"cases", "expectation", "reason"}
    if not isinstance(entry, dict) or not fields <= entry.keys() <= fields | {"unseen"}:
        raise _invalid(number, "has the fields cases, expectation, reason, and if need be unseen")
    cases = entry["cases"]
    if not isinstance(cases, list) or not cases or not all(isinstance(case, str) and case for case in cases):
        raise _invalid(number, "cases is a list of names or patterns")
    if not all(isinstance(entry[name], str) and entry[name].strip() for name in ("expectation", "reason")):
        raise _invalid(number, "expectation and reason are text")
    if not isinstance(entry.get("unseen", False), bool):
        raise _invalid(number, "unseen is true or false")
    return Deviation(tuple(cases), entry["expectation"], entry["reason"], entry.get("unseen", False))


def _invalid(number: int, rule: str) -> DecodeError:
    return DecodeError(Code.FIELD_INVALID, f"deviation {number}: {rule}")
