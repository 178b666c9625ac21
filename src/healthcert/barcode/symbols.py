"""Barcodes of square modules, drawn: as PNG, as SVG, or in characters for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import ClassVar

from PIL import Image

MODULE_PIXELS = 6


@dataclass(frozen=True, slots=True)
class Symbol:
    """The modules of a barcode, row by row, True where dark; without the quiet zone."""

    modules: tuple[tuple[bool, ...], ...]

    name: ClassVar[str] = "a barcode"
    quiet_zone: ClassVar[int] = 4
    """Light modules around it that its specification asks for."""

    def png(self, *, module_pixels: int = MODULE_PIXELS, quiet_zone: int | None = None) -> bytes:
        """A black and white PNG. For print, 35 to 60 mm across the diagonal are recommended."""
        rows = self._with_quiet_zone(quiet_zone)
        height, width = len(rows), len(rows[0])
        image = Image.new("1", (width, height), 1)
        image.putdata([not dark for row in rows for dark in row])
        image = image.resize((width * module_pixels, height * module_pixels), Image.Resampling.NEAREST)
        out = BytesIO()
        image.save(out, "PNG", optimize=True)
        return out.getvalue()

    def svg(self, *, quiet_zone: int | None = None) -> str:
        """An SVG that scales to any size: one unit a module."""
        rows = self._with_quiet_zone(quiet_zone)
        height, width = len(rows), len(rows[0])
        runs = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for x, length in _runs(row))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{runs}"/></svg>\n'
        )

    def terminal(self, *, quiet_zone: int | None = None) -> str:
        """Two rows of modules a line, in half blocks: light is drawn, so a dark terminal shows it the right way."""
        rows = self._with_quiet_zone(quiet_zone)
        if len(rows) % 2:
            rows.append([True] * len(rows[0]))  # stays undrawn, below the quiet zone
        blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
        pairs = zip(rows[0::2], rows[1::2], strict=True)
        return "".join("".join(blocks[pair] for pair in zip(top, low, strict=True)) + "\n" for top, low in pairs)

    def save(self, path: str | Path) -> None:
        """Writes a PNG or an SVG, as the name ends in ``.png`` or ``.svg``. Raises ValueError for any other name."""
        path = Path(path)
        match path.suffix.lower():
            case ".svg":
                path.write_text(self.svg(), encoding="utf-8")
            case ".png":
                path.write_bytes(self.png())
            case _:
                raise ValueError(f"{self.name} is written to a name that ends in .png or .svg")

    def _with_quiet_zone(self, width: int | None) -> list[list[bool]]:
        width = self.quiet_zone if width is None else width
        side = len(self.modules[0]) + 2 * width
        middle = [[False] * width + list(row) + [False] * width for row in self.modules]
        return [[False] * side for _ in range(width)] + middle + [[False] * side for _ in range(width)]


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs
