"""Columns of Arrow as plain values: texts, whole numbers, days and moments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

_Convert = Callable[[Any, int], list[Any]]
NO_VALUE = (ValueError, ArithmeticError, LookupError, TypeError)
"""What pyarrow raises for values that are none, beside its own errors, most of which are ValueError."""
BROKEN = object()
"""Stands for a value that no text, number, day or moment can be made of."""


def values_of(column: Any, limit: int) -> list[Any]:
    """The values of a column as the readers of records take them."""
    convert = converter_of(column.type)
    assert convert is not None
    return _each(column, convert, limit)


def _each(column: Any, convert: _Convert, limit: int) -> list[Any]:
    try:
        return convert(column, limit)
    except NO_VALUE:
        if len(column) == 1:
            return [BROKEN]
        # One of them is too long, no UTF-8, or a day of a year that there is not.
        return [one for place in range(len(column)) for one in _each(column.slice(place, 1), convert, limit)]


def converter_of(kind: Any) -> _Convert | None:
    """What makes plain values of a column of this type; None for one that has nothing to do with records."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return None if (inner := converter_of(kind.value_type)) is None else _of_dictionary(inner)
    if types.is_string(kind) or types.is_large_string(kind):
        return _texts
    if types.is_timestamp(kind):
        return _moments if kind.tz is not None else _local_moments
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_date(kind) or types.is_null(kind):
        return _as_they_are
    return None


def _as_they_are(column: Any, _limit: int) -> list[Any]:
    found: list[Any] = column.to_pylist()
    return found


def _texts(column: Any, limit: int) -> list[Any]:
    if _has_longer(column, limit):
        raise ValueError("a text that is too long")
    return _as_they_are(column, limit)


def _has_longer(column: Any, limit: int) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return is_text and (pc.max(pc.binary_length(column)).as_py() or 0) > limit


def _of_dictionary(convert: _Convert) -> _Convert:
    """For columns that have each value once, and its number wherever it stands."""

    def values(column: Any, limit: int) -> list[Any]:
        if len(column) > 1 and _has_longer(column.dictionary, limit):
            raise ValueError("a text that is too long")
        return convert(column.dictionary_decode(), limit)

    return values


def _moments(column: Any, limit: int) -> list[Any]:
    # What is kept is the moment; of the zone there is only a name, which may be of none.
    return _as_they_are(_in_microseconds(column, "UTC"), limit)


def _local_moments(column: Any, limit: int) -> list[Any]:
    # As text: then the mapping's zone counts for it, and without one it is no moment.
    found = _as_they_are(_in_microseconds(column, None), limit)
    return [one.isoformat() if isinstance(one, datetime) else one for one in found]


def _in_microseconds(column: Any, zone: str | None) -> Any:
    """Moments without what is finer. Raises ValueError for one too far away, which would come out as a nearer one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return column.cast(options=pc.CastOptions(pa.timestamp("us", zone), allow_time_truncate=True))
