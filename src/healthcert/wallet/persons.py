"""Whose certificates are whose: told apart rather than mixed up, for the wrong one shown is somebody else's.

Families write names each in its own way: with and without a passport's spelling, given and family name apart or all in
one, with middle names or without. Two holders are one person where all parts of the shorter name are in the longer
one's, and both have the same day of birth. That is stricter than :func:`healthcert.rules.holder.same_holder`, to which
one part of each name is enough, so that it takes twins who share a second name for one person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import product
from typing import TypeVar

from healthcert.errors import IssueError
from healthcert.families.hcert.names import transliterate
from healthcert.model import Holder, Private
from healthcert.rules.holder import name_components

T = TypeVar("T")

_WHOLE_DATE = len("1984-02-29")
_FEWEST_PARTS = 2  # of a name that is not told apart into given and family names


class _Names(Private, frozen=True):
    """A name in one spelling, in parts. ``family`` is empty where it is not told apart from the given names."""

    given: frozenset[str]
    family: frozenset[str]

    def agrees(self, other: _Names) -> bool:
        """Whether one of them may be the other with parts left out."""
        if not (self.given and other.given):
            # Somebody with one name: that is the whole of it, or nobody knows.
            return bool(self.family) and self == other
        if self.family and other.family:
            return _nested(self.given, other.given) and _nested(self.family, other.family)
        one, two = self.given | self.family, other.given | other.family
        return _nested(one, two) and min(len(one), len(two)) >= _FEWEST_PARTS


def by_person(items: Iterable[T], holder_of: Callable[[T], Holder]) -> list[tuple[T, ...]]:
    """Whatever belongs to holders, by person; groups and their members in the order that they came in.

    Within a group each holder agrees with each other one. Who could as well be of two groups (``Anna``, beside the
    twins ``Anna Maria`` and ``Anna Sophie``) is of neither.
    """
    given = [(item, holder_of(item)) for item in items]
    groups: list[list[int]] = []
    # The longest names first, so that the order in which they were put into the wallet makes no difference.
    for place in sorted(range(len(given)), key=lambda place: -len(_parts(given[place][1]))):
        holder = given[place][1]
        same = [group for group in groups if all(same_person(holder, given[other][1]) for other in group)]
        if len(same) == 1:
            same[0].append(place)
        else:
            groups.append([place])
    return [tuple(given[place][0] for place in group) for group in sorted(map(sorted, groups))]


def same_person(one: Holder, other: Holder) -> bool:
    """Whether two holders are one person, beyond what only looks like it.

    Where the day of birth is not known, or not wholly, all parts of the names have to be the same.
    """
    born = one.birth_date.strip()
    if born != other.birth_date.strip():
        return False
    pairs = product(_spellings(one), _spellings(other))
    if len(born) == _WHOLE_DATE:
        return any(mine.agrees(others) for mine, others in pairs)
    return any(mine == others for mine, others in pairs)


def is_of(holder: Holder, name: str) -> bool:
    """Whether all parts of ``name`` are parts of the holder's, in any of their spellings; those of no name are."""
    asked = [frozenset(name_components(one)) for one in (name, _transliterated(name))]
    parts = _parts(holder)
    return not name.strip() or any(bool(one) and one <= parts for one in asked)


def _spellings(holder: Holder) -> list[_Names]:
    """The names as a passport has them and as they are shown, the latter in a passport's letters."""
    shown = (holder.given_name, holder.family_name) if holder.given_name or holder.family_name else None
    pairs = [
        (holder.given_name_icao, holder.family_name_icao),
        shown or (holder.full_name, None),
    ]
    found = [
        _Names(frozenset(name_components(_transliterated(given))), frozenset(name_components(_transliterated(family))))
        for given, family in pairs
    ]
    return [names for names in found if names.given or names.family]


def _parts(holder: Holder) -> frozenset[str]:
    """All parts of all spellings."""
    names = (
        holder.given_name, holder.family_name, holder.full_name, holder.given_name_icao, holder.family_name_icao
    )  # fmt: skip
    return frozenset(
        part for name in names if name for way in (name, _transliterated(name)) for part in name_components(way)
    )


def _transliterated(name: str | None) -> str:
    with suppress(IssueError):
        return transliterate(name or "")
    return name or ""


def _nested(one: frozenset[str], other: frozenset[str]) -> bool:
    return one <= other or other <= one
