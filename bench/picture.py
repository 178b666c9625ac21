"""Pictures of QR codes: drawn, against the bare writers; read to the verdict, against the bare scan and verify."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image

import healthcert as hc
from bench import material, reading
from bench.lines import Line, Settings
from bench.progress import say
from bench.timing import cost, rate, repeated
from healthcert.barcode.symbols import MODULE_PIXELS
from healthcert.barcode.write import QrCode
from healthcert.issue.pki import KeyPair

PICTURES = 20
MOST_TIMES = 1.25
_QUICK: dict[str, Any] = dict.fromkeys(("try_rotate", "try_downscale", "try_invert"), False)
_QR = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.QRCode,))


def lines(settings: Settings) -> Iterator[Line]:
    """Writing and reading."""
    say("pictures")
    pair = material.dsc()
    made = material.issued(PICTURES, pair)
    yield from written([one.text for one in made], settings)
    yield read(pair, made[0], settings)
    yield from reading.lines(settings)


def written(texts: list[str], settings: Settings) -> Iterator[Line]:
    """A 1-bit PNG of each text, as large as ours, by the symbol writer of zxing-cpp and each of two writers of PNG."""
    qr = [QrCode.of(text) for text in texts]

    def ours() -> None:
        for text in texts:
            QrCode.of(text).png()

    def bare(write: Callable[[bytes, int], bytes]) -> Callable[[], None]:
        def run() -> None:
            for text in texts:
                write(*matrix_of(text))

        return run

    for text, symbol in zip(texts, qr, strict=True):
        for data in (symbol.png(), *(write(*matrix_of(text)) for write in (by_zlib, by_pillow))):
            assert size_of(data) == size_of(symbol.png())
            assert [one.text for one in zxingcpp.read_barcodes(Image.open(BytesIO(data)), formats=_QR)] == [text]
    # Whichever is quicker; the issue of a certificate is in neither.
    name = "draw a 1-bit PNG, against zxing-cpp's matrix and"
    yield cost(f"{name} zlib", ours, bare(by_zlib), settings, count=len(texts), asked=MOST_TIMES)
    yield cost(f"{name} Pillow", ours, bare(by_pillow), settings, count=len(texts), asked=MOST_TIMES)


def matrix_of(text: str) -> tuple[bytes, int]:
    """A byte for each module, with the quiet zone, and the modules on a side."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    image = code.to_image(scale=1, add_quiet_zones=True)
    side = image.shape[0]
    return bytes(memoryview(image)), side  # type: ignore[arg-type]  # the stubs do not know that it is a buffer


def by_pillow(matrix: bytes, side: int) -> bytes:
    """Pillow's own way: a grey picture becomes one of 1 bit, is enlarged and saved."""
    image = Image.frombytes("L", (side, side), matrix).convert("1", dither=Image.Dither.NONE)
    image = image.resize((side * MODULE_PIXELS, side * MODULE_PIXELS), Image.Resampling.NEAREST)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def by_zlib(matrix: bytes, side: int) -> bytes:
    """The least that a PNG takes: rows of bits, each as often as a module is high, through zlib."""
    width = side * MODULE_PIXELS
    image = Image.frombytes("L", (side, side), matrix).resize((width, side), Image.Resampling.NEAREST)
    bits = image.convert("1", dither=Image.Dither.NONE).tobytes()
    stride = (width + 7) // 8
    rows = b"".join((b"\0" + bits[at : at + stride]) * MODULE_PIXELS for at in range(0, len(bits), stride))
    header = struct.pack(">IIBBBBB", width, width, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    with Image.open(BytesIO(png)) as image:
        assert image.mode == "1"
        return image.size


def read(pair: KeyPair, issued: hc.Issued, settings: Settings) -> Line:
    """A clean picture to its verdict, against the scanner's quickest way and the bare verify call."""
    data = issued.qr().png()
    verifier = hc.Verifier(hc.TrustStore.from_certificates([pair.certificate_der()]), clock=material.CLOCK)
    verify = material.bare_verify(pair, [issued.cose])
    with Image.open(BytesIO(data)) as image:
        grey = image.convert("L")

    def bare() -> None:
        assert zxingcpp.read_barcodes(grey, formats=_QR, **_QUICK)[0].text == issued.text
        verify()

    def ours() -> None:
        assert verifier.examine(hc.read_barcodes(data)[0]).outcome is hc.Outcome.ACCEPTED

    name = "a picture to its verdict, against the bare scan and verify"
    return rate(name, repeated(ours, PICTURES), repeated(bare, PICTURES), settings, count=PICTURES)
