"""The table that is printed, and the same as JSON."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from msgspec import json, to_builtins

from bench.lines import RATE, TIMES, Line, Settings

_WIDTH = 66
HEAD = f"{'':{_WIDTH}} {'measured':>12} {'quartiles':>15} {'asked':>12}  "
_LIBRARIES = ("healthcert", "cryptography", "cbor2", "msgspec", "zxing-cpp", "pillow", "zlib-ng")


def row(line: Line) -> str:
    """A line of the table; what it was measured against is told behind it."""
    value, asked, between = "", "", ""
    if line.value is not None:
        value = number(line.value, line.unit)
    if line.low is not None and line.high is not None:
        between = f"{number(line.low)} - {number(line.high)}"
    if line.asked is not None:
        asked = ("≤ " if line.at_most else "≥ ") + number(line.asked)
    told = line.detail if line.reason is None else line.reason
    verdict = f"{line.verdict} ?" if line.is_close else line.verdict
    return f"{line.name:{_WIDTH}} {value:>12} {between:>15} {asked:>12}  {verdict:<13} {told}".rstrip()


def number(value: float, unit: str = TIMES) -> str:
    """A number with as many places as mean something."""
    size = abs(value)
    places = 3 if size < 0.1 else 2 if size < 10 else 1 if size < 100 else 0
    text = f"{value:,.{places}f}"
    return text if unit == TIMES else f"{text}{unit}" if unit == RATE else f"{text} {unit}"


def machine() -> dict[str, str]:
    """What a figure is worth nothing without."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in _LIBRARIES},
    }


def summary(lines: Sequence[Line]) -> str:
    """How many of each verdict."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.verdict] = counts.get(line.verdict, 0) + 1
    told = counts.pop("-", 0)
    return ", ".join([*(f"{count} {verdict}" for verdict, count in counts.items()), f"{told} with nothing asked"])


def as_json(lines: Iterable[Line], settings: Settings) -> bytes:
    """All there is, for other programs."""
    rows: list[dict[str, Any]] = [{**to_builtins(line), "verdict": line.verdict} for line in lines]
    found = {"machine": machine(), "settings": to_builtins(settings), "lines": rows}
    return json.format(json.encode(found), indent=2) + b"\n"
