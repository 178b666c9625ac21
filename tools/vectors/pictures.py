"""Pictures of QR codes, written as PNG without a library that may write another file next year."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

from tools.vectors.layers import compress

_PIXELS, _QUIET = 3, 4  # pixels a module, modules around the symbol


@dataclass(frozen=True)
class Picture:
    """How the text is drawn: in which mode, and with how much of it missing."""

    alphanumeric: bool = True
    damaged: bool = False

    @property
    def reads(self) -> bool:
        """Whether a reader finds the text in it."""
        return not self.damaged

    def draw(self, text: str) -> bytes:
        """``text`` as a PNG."""
        code = QRCode(error_correction=ERROR_CORRECT_Q, border=_QUIET)
        mode = MODE_ALPHA_NUM if self.alphanumeric else MODE_8BIT_BYTE
        code.add_data(QRData(text.encode("ascii"), mode=mode, check_data=False))
        code.make(fit=True)
        rows = [[bool(module) for module in row] for row in code.get_matrix()]
        if self.damaged:
            # Half of the data modules: far beyond the quarter that level Q can mend. The finders stay.
            half = len(rows) // 2
            rows = [row if y < half else [m and x < half for x, m in enumerate(row)] for y, row in enumerate(rows)]
            rows[half - 8 : half] = [[False] * len(rows) for _ in range(8)]
        return _png(rows)


def _png(rows: list[list[bool]]) -> bytes:
    side = len(rows) * _PIXELS
    lines = b""
    for row in rows:
        pixels = "".join("01"[not dark] * _PIXELS for dark in row).ljust(-(-side // 8) * 8, "0")
        lines += (b"\0" + int(pixels, 2).to_bytes(len(pixels) // 8)) * _PIXELS
    header = side.to_bytes(4) * 2 + b"\x01\x00\x00\x00\x00"  # one bit a pixel, grey
    chunks = ((b"IHDR", header), (b"IDAT", compress(lines)), (b"IEND", b""))
    body = (len(d).to_bytes(4) + kind + d + zlib.crc32(kind + d).to_bytes(4) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)
