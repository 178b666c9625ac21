"""Draws the lines that something is asked of: how far each is on the better or the worse side of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log2

from bench.lines import Line, Verdict
from bench.table import number

_ROW, _TOP, _LEFT, _HALF, _RIGHT = 24, 56, 470, 220, 130
_MOST = 3.0
"""Doublings that fit on either side; what is further away ends at the edge."""
_COLOURS = {Verdict.PASS: "#2a78b8", Verdict.FALLS_SHORT: "#d1662b"}
_STYLE = "text{font:13px sans-serif;fill:#222}.small{font-size:11px;fill:#555}"


def svg(lines: Sequence[Line], caption: str) -> str:
    """A bar for each line, from the middle, which is what is asked: to the right is better, a doubling a step."""
    rows = [line for line in lines if line.verdict in _COLOURS]
    width, height = _LEFT + 2 * _HALF + _RIGHT, _TOP + _ROW * len(rows) + 14
    middle, bottom = _LEFT + _HALF, height - 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>Measured against what is asked</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="10" y="20">{escape(caption)}</text>',
    ]
    for step in range(-int(_MOST), int(_MOST) + 1):
        x = middle + step * _HALF / _MOST
        label = "asked" if step == 0 else f"{2**step}×" if step > 0 else f"1/{2**-step}"
        shade = "#222" if step == 0 else "#ddd"
        parts.append(f'<path d="M{x:.1f} {_TOP - 6}V{bottom}" stroke="{shade}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{_TOP - 12}" text-anchor="middle">{label}</text>')
    for at, line in enumerate(rows):
        parts += _bar(line, _TOP + at * _ROW, middle, width)
    return "\n".join([*parts, "</svg>", ""])


def _bar(line: Line, top: int, middle: int, width: int) -> list[str]:
    """The name, the bar, and both figures."""
    assert line.value is not None
    assert line.asked is not None
    better = line.asked / line.value if line.at_most else line.value / line.asked
    length = max(-_MOST, min(_MOST, log2(better))) * _HALF / _MOST
    start = min(middle, middle + length)
    figures = f"{number(line.value, line.unit)} of {number(line.asked)}"
    return [
        f'<text x="{_LEFT - 10}" y="{top + 15}" text-anchor="end">{escape(line.name)}</text>',
        (
            f'<rect x="{start:.1f}" y="{top + 3}" width="{max(abs(length), 1):.1f}" height="{_ROW - 8}" '
            f'fill="{_COLOURS[line.verdict]}"/>'
        ),
        f'<text class="small" x="{width - 4}" y="{top + 15}" text-anchor="end">{escape(figures)}</text>',
    ]
