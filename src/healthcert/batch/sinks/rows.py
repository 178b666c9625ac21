"""Rows of results as bytes: what workers make of a chunk, so that whoever writes has nothing to do but write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


@unique
class Kind(StrEnum):
    """What a column holds: text, a whole number, true or false, or a moment with its time zone. Any may be None."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"


Columns = Mapping[str, Kind]
"""The names of the columns of a table in their order, and what each holds."""


def json_lines(rows: Sequence[Mapping[str, Any]], columns: Columns) -> bytes:
    """Rows as JSON Lines in ASCII; a moment as text in ISO 8601."""
    moments = [name for name, kind in columns.items() if kind is Kind.MOMENT]
    if moments:
        rows = [{**row, **{name: _text(row[name]) for name in moments if name in row}} for row in rows]
    lines: bytes = _ENCODER.encode_lines(rows)
    if lines.isascii():
        return lines
    # Whatever a stranger wrote stays harmless on a terminal.
    return "".join([json.dumps(row, separators=(",", ":")) + "\n" for row in rows]).encode("ascii")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def sound(value: Any) -> Any:
    """A row, or what is in it, whose texts have another sign in the place of each that is of no encoding."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {sound(name): sound(one) for name, one in value.items()}
        case list() | tuple():
            return [sound(one) for one in value]
    return value
