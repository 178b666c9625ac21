"""Barcodes of square modules, drawn: as PNG, SVG or PDF, or in characters for a terminal."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from zlib_ng import zlib_ng

MODULE_PIXELS = 6
WIDTH_MILLIMETRES = 50.0
"""How wide a symbol is printed with its quiet zone; 35 to 60 mm across the diagonal are recommended."""

_LEVEL = 6  # of compression: the ninth takes seven times as long for a thirtieth of the size
_POINTS_PER_MILLIMETRE = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Symbol:
    """The modules of a barcode, row by row, a byte each: 1 where dark, 0 where light; without the quiet zone."""

    modules: tuple[bytes, ...]

    name: ClassVar[str] = "a barcode"
    quiet_zone: ClassVar[int] = 4
    """Light modules around it that its specification asks for."""

    def png(
        self,
        *,
        module_pixels: int = MODULE_PIXELS,
        quiet_zone: int | None = None,
        millimetres: float = WIDTH_MILLIMETRES,
    ) -> bytes:
        """A black and white PNG, which says that it is to be printed so wide."""
        rows = self._with_quiet_zone(quiet_zone)
        width, height = len(rows[0]) * module_pixels, len(rows) * module_pixels
        # PNG §9.2: filter 0 is a row as it is, and filter 2 the difference to the row above, of which there is none.
        same = (b"\2" + bytes(-(-width // 8))) * (module_pixels - 1)
        pixels = b"".join([b"\0" + _packed(row, module_pixels) + same for row in rows])
        per_metre = round(width * 1000 / millimetres)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            (
                _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),  # 1 bit a pixel, grey
                _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
                _chunk(b"IDAT", zlib_ng.compress(pixels, _LEVEL)),
                _chunk(b"IEND", b""),
            )
        )

    def svg(self, *, quiet_zone: int | None = None, millimetres: float = WIDTH_MILLIMETRES) -> str:
        """An SVG, one unit a module, which scales to any size and says that it is to be printed so wide."""
        rows = self._with_quiet_zone(quiet_zone)
        height, width = len(rows), len(rows[0])
        size = f'width="{millimetres:g}mm" height="{millimetres * height / width:g}mm" viewBox="0 0 {width} {height}"'
        runs = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for x, length in _runs(row))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{runs}"/></svg>\n'
        )

    def pdf(self, *, quiet_zone: int | None = None, millimetres: float = WIDTH_MILLIMETRES) -> bytes:
        """A PDF of one page that is the symbol with its quiet zone, so wide. The same symbol gives the same bytes."""
        rows = self._with_quiet_zone(quiet_zone)
        module = millimetres * _POINTS_PER_MILLIMETRE / len(rows[0])
        width, height = f"{module * len(rows[0]):.3f}", f"{module * len(rows):.3f}"
        # ISO 32000-1 §8.3.4: PDF counts upwards from the lower left corner; one unit becomes a module, downwards.
        runs = "".join(f"{x} {y} {length} 1 re\n" for y, row in enumerate(rows) for x, length in _runs(row))
        page = zlib_ng.compress(f"{module:.6f} 0 0 {-module:.6f} 0 {height} cm\n{runs}f\n".encode(), _LEVEL)
        return _pdf_file(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R/Resources<<>>>>".encode(),
            b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(page), page),
        )

    def terminal(self, *, quiet_zone: int | None = None) -> str:
        """Two rows of modules a line, in half blocks: light is drawn, so a dark terminal shows it the right way."""
        rows = self._with_quiet_zone(quiet_zone)
        if len(rows) % 2:
            rows.append(b"\1" * len(rows[0]))  # stays undrawn, below the quiet zone
        pairs = zip(rows[0::2], rows[1::2], strict=True)
        return "".join(
            "".join("█▀▄ "[2 * above + below] for above, below in zip(*pair, strict=True)) + "\n" for pair in pairs
        )

    def save(self, path: str | Path) -> None:
        """Writes a PNG, an SVG or a PDF, as the name ends. Raises ValueError for any other name."""
        path = Path(path)
        match path.suffix.lower():
            case ".svg":
                path.write_text(self.svg(), encoding="utf-8")
            case ".png":
                path.write_bytes(self.png())
            case ".pdf":
                path.write_bytes(self.pdf())
            case _:
                raise ValueError(f"{self.name} is written to a name that ends in .png, .svg or .pdf")

    def _with_quiet_zone(self, width: int | None) -> list[bytes]:
        width = self.quiet_zone if width is None else width
        beside, beyond = bytes(width), bytes(len(self.modules[0]) + 2 * width)
        return [beyond] * width + [beside + row + beside for row in self.modules] + [beyond] * width


def _runs(row: bytes) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    runs: list[tuple[int, int]] = []
    end = 0
    while (start := row.find(1, end)) >= 0:
        end = row.find(0, start)
        if end < 0:
            end = len(row)
        runs.append((start, end - start))
    return runs


def _packed(row: bytes, times: int) -> bytes:
    """A row of pixels in bits, 1 where light, each module so many of them; the last byte is filled up."""
    size = -(-len(row) // 8)
    modules = int(row.translate(_LIGHT).ljust(8 * size, b"0"), 2).to_bytes(size)
    wide = _widened(times)
    return b"".join([wide[eight] for eight in modules])[: -(-len(row) * times // 8)]


_LIGHT = bytes.maketrans(b"\0\1", b"10")


@lru_cache(maxsize=8)
def _widened(times: int) -> list[bytes]:
    """For each eight modules, in bits, their pixels."""
    return [int("".join(bit * times for bit in f"{eight:08b}"), 2).to_bytes(times) for eight in range(256)]


def _chunk(kind: bytes, data: bytes) -> bytes:
    # PNG §5.3: length, type, data, and the checksum of type and data.
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib_ng.crc32(kind + data))


def _pdf_file(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is its catalogue (ISO 32000-1 §7.5)."""
    # Bytes that are no text tell programs that the file is not to be converted (§7.5.2).
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    table = b"0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    size = len(objects) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n%b%b" % (size, table, trailer)
