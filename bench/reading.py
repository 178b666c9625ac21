"""Codes read in bad pictures, against three other readers, and what a clean picture costs against the bare scan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

import cv2
import numpy as np
import zxingcpp
from PIL import Image
from pyzbar import pyzbar

from bench import distort, material
from bench.lines import MILLISECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, in_turns, line
from healthcert.barcode import ladder
from healthcert.barcode.found import Frame
from healthcert.barcode.views import View
from healthcert.barcode.write import QrCode

QUICK, FULL = 150, 1000
"""Pictures of each part."""
SECONDS = 20.0
LEAST_SHARE, MOST_TIMES = 0.97, 1.3
CLEAN = 60
_PARTS = ("built on", "held out")
_ALL = zxingcpp.BarcodeFormats(
    (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.DataMatrix)
)
_QR = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.QRCode,))
_FAST: dict[str, Any] = dict.fromkeys(("try_rotate", "try_downscale", "try_invert"), False)


def lines(settings: Settings) -> Iterator[Line]:
    """A clean picture; then the codes that we and others read, and what each rung adds."""
    yield clean(settings)
    told = [seen(part, FULL if settings.full else QUICK) for part in range(len(_PARTS))]
    for part, rows in zip(_PARTS, told, strict=True):
        yield from compared(part, rows)
    yield from by_rung([row for rows in told for row in rows])


# --- A clean picture ---


def clean(settings: Settings) -> Line:
    """The ladder, against the scanner's quickest way on the same grey pixels; the median of the pictures."""
    say("clean pictures")
    pictures = [
        *(path.read_bytes() for path in sorted(distort.pictures())),
        *(QrCode.of(one.text).png() for one in material.issued(CLEAN // 3, material.dsc())),
    ]
    ratios = []
    for data in pictures[:: max(1, len(pictures) // settings.count(CLEAN))]:
        with Image.open(BytesIO(data)) as image:
            grey = image.convert("RGBA").convert("L")
        if any(one.valid for one in zxingcpp.read_barcodes(grey, formats=_QR, **_FAST)):
            rows = in_turns(ladder_of(grey), fast_of(grey), turns=settings.turns(9))
            ratios.append(min(row[0] for row in rows) / min(row[1] for row in rows))
    name = "a clean picture, against the scanner's fast mode"
    return line(name, Spread.of(ratios), asked=MOST_TIMES, at_most=True, detail=f"{len(ratios)} pictures")


def ladder_of(grey: Image.Image) -> Callable[[], object]:
    """The call that reads a picture with effort."""
    return lambda: ladder.codes_of(grey, Frame(1, *grey.size), ladder.Watch(SECONDS))


def fast_of(grey: Image.Image) -> Callable[[], object]:
    """The bare call, with its pixels made ready before."""
    pixels = np.asarray(grey)
    return lambda: zxingcpp.read_barcodes(pixels, formats=_QR, **_FAST)


# --- Bad pictures ---


class Row(NamedTuple):
    """What was read of a picture: by the others, by the rung that did, and in how many milliseconds of each rung."""

    others: tuple[bool, ...]
    rung: str | None
    took: dict[str, float]


def by_zxing(picture: Image.Image) -> set[bytes]:
    """What zxing-cpp reads as it is."""
    return {bytes(one.bytes) for one in zxingcpp.read_barcodes(picture, formats=_ALL) if one.valid}


def by_zbar(picture: Image.Image) -> set[bytes]:
    """What zbar reads."""
    return {one.data for one in pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])}


@cache
def _opencv() -> cv2.QRCodeDetector:
    return cv2.QRCodeDetector()


def by_opencv(picture: Image.Image) -> set[bytes]:
    """What OpenCV reads; it breaks on some pictures."""
    try:
        return {_opencv().detectAndDecode(np.asarray(picture))[0].encode()}
    except (cv2.error, UnicodeDecodeError):
        return set()


OTHERS = {"zxing-cpp": by_zxing, "zbar": by_zbar, "OpenCV": by_opencv}


def seen(part: int, count: int) -> list[Row]:
    """Every picture of a part, through all readers."""
    rows = []
    for number, case in enumerate(distort.cases(count, part=part)):
        say(f"bad pictures, {_PARTS[part]}: {number} of {count}")
        others = tuple(_holds(reader(case.picture), case.data) for reader in OTHERS.values())
        rows.append(Row(others, *climbed(case)))
    return rows


def climbed(case: distort.Case) -> tuple[str | None, dict[str, float]]:
    """The rung that reads it, and the milliseconds of every rung up to it, as the ladder goes."""
    took: dict[str, float] = {}
    picture = case.picture
    frame = Frame(1, *picture.size)
    start = time.process_time()
    found = ladder.codes_of(picture, frame, ladder.Watch(0))
    took["first"] = (time.process_time() - start) * 1e3
    for rung in () if found else ladder.EFFORT:
        start = time.process_time()
        found = rung.codes(View(picture, lambda x, y: (x, y)), frame)
        took[rung.name] = (time.process_time() - start) * 1e3
        if found:
            break
    if not found:
        return None, took
    wrong = [code for code in found if not _holds({code.text.data}, case.data)]
    assert not wrong, f"read wrongly: {case.kind}, level {case.level}"
    return found[0].rung, took


def _holds(read: set[bytes], data: bytes) -> bool:
    # zbar and OpenCV give texts, which other than in ASCII they make in their own ways.
    return data in read or data.decode("latin-1").encode() in read


def compared(part: str, rows: Sequence[Row]) -> Iterator[Line]:
    """Ours against what any of the others reads, and against each alone."""
    by_any = [row for row in rows if any(row.others)]
    share = sum(row.rung is not None for row in by_any) / len(by_any)
    mine = sum(row.rung is not None for row in rows)
    counts = {name: sum(row.others[at] for row in rows) for at, name in enumerate(OTHERS)}
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    yield Line(
        name=f"bad pictures ({part}): of those that any other reads",
        value=share,
        asked=LEAST_SHARE,
        detail=f"{len(by_any)} of {len(rows)}",
    )
    most = max(counts.values())
    name = f"bad pictures ({part}): codes read, against the best of the others"
    yield Line(name=name, value=mine / most, asked=1.0, detail=f"{mine} against {told}")


def by_rung(rows: Sequence[Row]) -> Iterator[Line]:
    """What each rung reads that those before it do not, and what it takes of a picture that comes so far."""
    for name in ("quick", *(rung.name for rung in (*ladder.FIRST, *ladder.EFFORT))):
        count = sum(row.rung == name for row in rows)
        took = [row.took[name] for row in rows if name in row.took]
        if took:
            detail = f"reads {count} of {len(took)} that come so far"
            yield line(f"rung {name}", Spread.of(took), unit=MILLISECONDS, detail=detail)
        else:
            yield Line(name=f"rung {name}", detail=f"reads {count} of {len(rows)}", value=count / len(rows))
