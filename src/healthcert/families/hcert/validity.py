"""How long WHO's records are valid that tell it as days and not as claims: DDCC core data sets, and some DVCs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from healthcert.encoding import cbor, cwt
from healthcert.families.hcert.records import ABSENT, PARTIAL_DAY

# What a DVC calls it (DVCMinVaccineDetails, earlier).
_IN_DVC = {"valid_from": "vls", "valid_until": "vle"}
_BEFORE_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
_DATE_TAGS = (0, 1004)  # RFC 8949 §3.4.1 and RFC 8943: a date-time, a date
_FIRST_ZONE, _LAST_ZONE = 14 * 3600, 12 * 3600  # seconds: how much earlier and later than in UTC a day begins on earth


def validity(cores: Iterable[Mapping[Any, Any]]) -> tuple[list[float], list[float], tuple[str, ...]]:
    """When core data sets and DVC records begin and end to be valid, in seconds since 1970, and what is no moment.

    A day is taken at its widest: from where it begins first on earth to where it ends last.
    """
    edges: dict[str, list[float]] = {"valid_from": [], "valid_until": []}
    invalid: list[str] = []
    for core in cores:
        meta = core.get("meta")
        for name, found in edges.items():
            given = core.get(name)
            if given in ABSENT and isinstance(meta, Mapping):
                given = meta.get(name)
            if given in ABSENT:
                given = core.get(_IN_DVC[name])
            if given in ABSENT:
                continue
            edge = _edge(given, last=name == "valid_until")
            if edge is None:
                invalid.append(name)
            else:
                found.append(edge)
    return edges["valid_from"], edges["valid_until"], tuple(invalid)


def _edge(value: Any, *, last: bool) -> float | None:
    """The moment at which a day, month or year begins or, with ``last``, is over; of a date-time, the moment itself."""
    if isinstance(value, cbor.Tag) and value.tag in _DATE_TAGS:
        value = value.value
    if not isinstance(value, str):
        return None
    try:
        if not re.fullmatch(PARTIAL_DAY, value):
            moment = datetime.fromisoformat(value) if re.match(_BEFORE_TIME, value) else None
            if moment is None or moment.tzinfo is not None:
                return None if moment is None else _clamped(moment.timestamp())
            return _clamped(moment.replace(tzinfo=UTC).timestamp() + (_LAST_ZONE if last else -_FIRST_ZONE))
        first = date.fromisoformat(value + "2000-01-01"[len(value) :])
    except (ValueError, OverflowError):
        return None
    if not last:
        return _clamped(_seconds(first) - _FIRST_ZONE)
    try:
        match len(value):
            case 4:
                after = first.replace(year=first.year + 1)
            case 7:
                after = (first + timedelta(days=31)).replace(day=1)
            case _:
                after = first + timedelta(days=1)
    except (ValueError, OverflowError):  # the end of the year 9999
        return float(cwt.LATEST)
    return _clamped(_seconds(after) + _LAST_ZONE)


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _clamped(seconds: float) -> float:
    return min(max(seconds, 0.0), float(cwt.LATEST))
