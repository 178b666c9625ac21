"""QR codes (ISO/IEC 18004) as PNG, SVG or characters for a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import qrcode
from PIL import Image
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_ALPHA_NUM, QRData

from healthcert.errors import Code, IssueError

_LEVELS = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")

MODULE_PIXELS = 6
QUIET_ZONE = 4  # modules; ISO/IEC 18004 §9.1


@dataclass(frozen=True, slots=True)
class QrCode:
    """The modules of a QR code, row by row, True where dark; without the quiet zone."""

    modules: tuple[tuple[bool, ...], ...]

    @classmethod
    def of(cls, text: str, *, error_correction: str = "Q") -> Self:
        """The smallest symbol that holds ``text`` in one alphanumeric segment.

        ``error_correction`` is L, M, Q or H; the HCERT specification recommends Q (§4.2.2). Raises :class:`IssueError`
        (``BARCODE_TOO_LARGE``) when the text does not fit; ValueError for another level or text in other characters.
        """
        if not _ALPHANUMERIC.fullmatch(text):
            raise ValueError("the text has characters outside the QR alphanumeric mode")
        if error_correction not in _LEVELS:
            raise ValueError("the error correction level is L, M, Q or H")
        code = qrcode.QRCode(error_correction=_LEVELS[error_correction], border=0)
        # HCERT specification §4.2.2: the alphanumeric mode MUST be used.
        code.add_data(QRData(text.encode("ascii"), mode=MODE_ALPHA_NUM, check_data=False))
        try:
            code.make(fit=True)
        except (DataOverflowError, ValueError):
            raise IssueError(
                Code.BARCODE_TOO_LARGE, f"{len(text)} characters do not fit a QR code of level {error_correction}"
            ) from None
        return cls(tuple(tuple(bool(module) for module in row) for row in code.modules))

    @property
    def version(self) -> int:
        """The symbol version, 1 to 40."""
        return (len(self.modules) - 17) // 4

    def png(self, *, module_pixels: int = MODULE_PIXELS, quiet_zone: int = QUIET_ZONE) -> bytes:
        """A black and white PNG. For print, 35 to 60 mm across the diagonal are recommended."""
        side = len(self.modules) + 2 * quiet_zone
        image = Image.new("1", (side, side), 1)
        image.putdata([not dark for row in self._with_quiet_zone(quiet_zone) for dark in row])
        image = image.resize((side * module_pixels, side * module_pixels), Image.Resampling.NEAREST)
        out = BytesIO()
        image.save(out, "PNG", optimize=True)
        return out.getvalue()

    def svg(self, *, quiet_zone: int = QUIET_ZONE) -> str:
        """An SVG that scales to any size: one unit a module."""
        side = len(self.modules) + 2 * quiet_zone
        runs = "".join(
            f"M{x} {y}h{length}v1h-{length}z"
            for y, row in enumerate(self._with_quiet_zone(quiet_zone))
            for x, length in _runs(row)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{runs}"/></svg>\n'
        )

    def terminal(self, *, quiet_zone: int = QUIET_ZONE) -> str:
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
                raise ValueError("a QR code is written to a name that ends in .png or .svg")

    def _with_quiet_zone(self, width: int) -> list[list[bool]]:
        side = len(self.modules) + 2 * width
        empty = [[False] * side for _ in range(2 * width)]
        middle = [[False] * width + list(row) + [False] * width for row in self.modules]
        return empty[:width] + middle + empty[width:]


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs
