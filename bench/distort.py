"""Bad pictures of codes, made by a script: each kind of damage at rising levels, up to where no reader reads any more.

The same numbers give the same pictures. The codes are of third-party test data, where they are here, and of our own.
``part`` divides codes and seeds in two: the ladder was built on what the first gives, the second was held out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image
from tests.conftest import interop_folder

import healthcert as hc
from bench import material

Grey = NDArray[Any]
"""Rows of pixels from black, 0, to white, 255."""
LEVELS = 10
_OWN = 12
_FOLDERS = ("dgc-testdata", "hcert-other/dcc-quality-assurance", "shc", "nzcp")
_SIDE = 420
_SYMBOLOGIES = (zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.DataMatrix)


class Source(NamedTuple):
    """A clean code, cropped to its quiet zone, and the bytes that it holds."""

    picture: Grey
    data: bytes


class Case(NamedTuple):
    """A damaged picture of a code."""

    kind: str
    level: int
    picture: Image.Image
    data: bytes


class Damage(NamedTuple):
    """How a picture is spoilt: ``strength`` is from 0, hardly, to 1, beyond all reading."""

    spoil: Callable[[Grey, float, np.random.Generator], Grey]
    after: int
    """Lower ones come first: what happens to the paper, in the air, and in the camera."""


def cases(count: int, *, part: int) -> Iterator[Case]:
    """About so many pictures: half with one damage each, at every level, half with two."""
    sources = sources_of(part)
    chosen = random.Random(part)
    single = [(name,) for name in DAMAGES]
    pairs = [(one, other) for one in DAMAGES for other in DAMAGES if DAMAGES[one].after < DAMAGES[other].after]
    number = 0
    for kinds in (single, pairs):
        for turn in range(count // 2):
            names = kinds[turn % len(kinds)] if kinds is single else chosen.choice(kinds)
            level = 1 + turn // len(kinds) % LEVELS if kinds is single else chosen.randint(1, LEVELS)
            source = sources[chosen.randrange(len(sources))]
            noise = np.random.default_rng((part, number))
            number += 1
            yield Case(" and ".join(names), level, spoilt(source, names, level / LEVELS, noise), source.data)


def spoilt(source: Source, names: tuple[str, ...], strength: float, noise: np.random.Generator) -> Image.Image:
    """The code on a page, with damages one after the other; each of several is milder than one alone."""
    picture = page(source.picture, noise)
    for name in sorted(names, key=lambda name: DAMAGES[name].after):
        picture = DAMAGES[name].spoil(picture, strength * (1 if len(names) == 1 else 0.75), noise)
    return Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))


# --- Codes ---


@cache
def sources_of(part: int) -> tuple[Source, ...]:
    """The codes of a part: every second one, in the order of their names."""
    found = [one for path in sorted(pictures()) if (one := _clean(path)) is not None]
    texts = [one.text for one in material.issued(_OWN, material.dsc())]
    for turn, text in enumerate(texts):
        # A short code has larger modules; a long one is a hard case.
        held = (text, text[:120], text + text[6:])[turn % 3]
        image = np.array([[255 * (not dark) for dark in row] for row in hc.QrCode.of(held).modules], np.float32)
        found.append(_framed(image, held.encode()))
    for turn, text in enumerate(texts[: _OWN // 2]):
        form = _SYMBOLOGIES[turn % 2]
        image = np.asarray(zxingcpp.create_barcode(text, form).to_image(scale=1), np.float32)
        found.append(_framed(image, text.encode()))
    return tuple(found[part::2])


def pictures() -> Iterator[Path]:
    """Third-party pictures; none where they are not here."""
    for folder in _FOLDERS:
        yield from (interop_folder() / folder).rglob("*.png")


def _clean(path: Path) -> Source | None:
    try:
        with Image.open(path) as image:
            grey = np.asarray(image.convert("RGBA").convert("L"), np.float32)
    except OSError:
        return None
    codes = [one for one in zxingcpp.read_barcodes(grey.astype(np.uint8)) if one.valid]
    if len(codes) != 1 or codes[0].format.name != "QRCode":
        return None
    place = codes[0].position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    across, down = [one.x for one in corners], [one.y for one in corners]
    cut = grey[max(0, min(down) - 1) : max(down) + 2, max(0, min(across) - 1) : max(across) + 2]
    return _framed(cut, codes[0].bytes, quiet=round(0.06 * max(cut.shape)))


def _framed(image: Grey, data: bytes, quiet: int = 4) -> Source:
    """With a quiet zone, and large enough that scaling it does no harm of its own."""
    image = np.pad(image, quiet, constant_values=255)
    times = -(-_SIDE // max(image.shape))
    return Source(np.kron(image, np.ones((times, times), np.float32)).astype(np.float32), data)


def page(code: Grey, noise: np.random.Generator) -> Grey:
    """The code on paper, with lines of print above and below it, on a darker table."""
    height, width = code.shape
    paper, ink, table = noise.uniform(225, 250), noise.uniform(10, 50), noise.uniform(60, 200)
    left, top = (round(width * noise.uniform(0.05, 0.3)) for _ in range(2))
    sheet = np.full((height + 2 * top, width + 2 * left), 255, np.float32)
    sheet[top : top + height, left : left + width] = code
    for line in range(4, top - 12, 14):
        for word in range(6, sheet.shape[1] - 40, 44):
            sheet[line : line + 6, word : word + round(noise.uniform(10, 38))] = 0
            sheet[-line - 6 : -line, word : word + round(noise.uniform(10, 38))] = 0
    sheet = ink + sheet * ((paper - ink) / 255)
    return np.pad(sheet, round(width * noise.uniform(0.02, 0.15)), constant_values=table)


# --- Damages ---


def rotated(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """By any angle, and the stronger the smaller."""
    scale = 1 - 0.78 * strength
    height, width = picture.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), noise.uniform(0, 360), scale)
    side = round(np.hypot(height, width) * scale)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    return _warped(picture, np.vstack((turn, (0, 0, 1))), (side, side))


def tilted(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Seen from the side."""
    height, width = picture.shape
    before = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    much = 0.42 * strength * noise.uniform(0.6, 1, (4, 2)) * (width, height)
    inward = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    side = noise.integers(4)
    much[[side, (side + 1) % 4]] *= 0.2
    return _warped(picture, cv2.getPerspectiveTransform(before, (before + much * inward).astype(np.float32)))


def shaken(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Moved while the picture was taken."""
    length = 1 + strength * 18
    size = 2 * round(length) + 1
    line = np.zeros((size, size), np.float32)
    angle = noise.uniform(0, np.pi)
    reach = np.array((np.cos(angle), np.sin(angle))) * length / 2
    ends = [tuple(int(value) for value in np.rint(size // 2 + sign * reach)) for sign in (-1, 1)]
    cv2.line(line, ends[0], ends[1], 1.0)
    return cv2.filter2D(picture, -1, line / line.sum(), borderType=cv2.BORDER_REPLICATE)


def blurred(picture: Grey, strength: float, _noise: np.random.Generator) -> Grey:
    """Out of focus."""
    return cv2.GaussianBlur(picture, (0, 0), 0.3 + 5.5 * strength)


def noisy(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Grain of the sensor, and pixels that are wrong altogether."""
    picture = picture + noise.normal(0, 150 * strength, picture.shape).astype(np.float32)
    dead = noise.random(picture.shape)
    picture[dead < 0.06 * strength] = 0
    picture[dead > 1 - 0.06 * strength] = 255
    return np.clip(picture, 0, 255)


def compressed(picture: Grey, strength: float, _noise: np.random.Generator) -> Grey:
    """As a JPEG, after it was made smaller for sending; qualities from 90 to 10."""
    picture = _sized(picture, 1 - 0.75 * strength)
    quality = round(90 - 80 * strength)
    done, data = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), (cv2.IMWRITE_JPEG_QUALITY, quality))
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert done
    assert decoded is not None
    return decoded.astype(np.float32)


def dark(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """In little light: few greys, with the grain that they have."""
    light = 0.5 * (1 - strength) ** 1.5 + 0.02
    picture = picture * light
    return np.rint(picture + noise.normal(0, 1.5 + 3 * strength, picture.shape)).astype(np.float32)


def glaring(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """A lamp that is seen in it."""
    height, width = picture.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x = (x / width - noise.uniform(0.3, 0.7)) / (0.08 + 0.5 * strength)
    y = (y / height - noise.uniform(0.3, 0.7)) / (0.05 + 0.35 * strength)
    lamp: Grey = np.exp(-(x * x + y * y))
    lit: Grey = picture * (1 - 0.9 * strength * lamp) + (60 + 260 * strength) * lamp
    return np.minimum(255, lit).astype(np.float32)


def uneven(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """In the shadow of a hand, and darker to one side."""
    height, width = picture.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = noise.uniform(0, 2 * np.pi)
    along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    light = np.clip(0.5 + along * (0.6 + strength), 0, 1) * strength + 1 - strength
    edge = 1 / (1 + np.exp(-(along + noise.uniform(-0.2, 0.2)) * 60))
    shaded: Grey = picture * np.maximum(light, 0.04) * (1 - 0.93 * strength * edge)
    return shaded.astype(np.float32)


def creased(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Folded: lines where the print is worn off, and what is beyond them a little away from its place."""
    height, width = picture.shape
    for _ in range(1 + round(3 * strength)):
        angle, shift = noise.uniform(0, np.pi), 7 * strength * noise.uniform(0.3, 1)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        away = (x - width * noise.uniform(0.3, 0.7)) * np.cos(angle) + (y - height * noise.uniform(0.3, 0.7)) * np.sin(
            angle
        )
        beyond = (away > 0) * shift
        picture = cv2.remap(
            picture,
            (x - beyond * np.sin(angle)).astype(np.float32),
            (y + beyond * np.cos(angle)).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        worn = np.exp(-((away / (1 + 5 * strength)) ** 2)) * noise.uniform(0.5, 1, picture.shape)
        picture = picture * (1 - worn) + noise.choice((245, 120)) * worn
    return picture.astype(np.float32)


def printed(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Printed coarsely (300 to 80 dots to the inch on 35 mm), the ink spread, and scanned askew."""
    dots = (300 - 220 * strength) * 35 / 25.4 * 1.4
    paper, ink = float(picture.max()), float(picture.min())
    coarse = _sized(picture, dots / picture.shape[1], cv2.INTER_AREA)
    black = (coarse < (paper + ink) / 2 + noise.normal(0, 25 * strength, coarse.shape)).astype(np.uint8)
    size = (round(black.shape[1] * 4), round(black.shape[0] * 4))
    spread = cv2.resize(black, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    spread = np.clip(cv2.GaussianBlur(spread, (0, 0), 1.2 + strength) * (1.2 + 0.8 * strength), 0, 1)
    scanned = paper - (paper - ink) * cv2.resize(spread, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return rotated(scanned, 0.1, noise)


def on_screen(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Taken from a screen: the grid of its pixels against that of the camera."""
    height, width = picture.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period, angle = noise.uniform(2.2, 5), noise.uniform(-0.3, 0.3)
    across = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    slow = np.cos(2 * np.pi * (x * np.sin(angle + 0.4) + y * np.cos(angle)) / noise.uniform(9, 40))
    spoilt = picture * (1 + 0.45 * strength * across) + 85 * strength * slow + 60 * strength
    return _sized(np.clip(spoilt, 0, 255).astype(np.float32), 1 - 0.45 * strength, cv2.INTER_LINEAR)


def inverted(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """Light on dark, and with less and less contrast."""
    middle = noise.uniform(60, 150)
    return (middle + (128 - picture) * (0.9 - 0.85 * strength)).astype(np.float32)


def small(picture: Grey, strength: float, _noise: np.random.Generator) -> Grey:
    """Few pixels for each module."""
    return _sized(picture, 1 - 0.8 * strength, cv2.INTER_AREA)


def far(picture: Grey, strength: float, noise: np.random.Generator) -> Grey:
    """A small part of a large picture, somewhere in it."""
    picture = _sized(picture, 1 - 0.7 * strength, cv2.INTER_AREA)
    height, width = picture.shape
    large = cv2.GaussianBlur(noise.normal(128, 500, (1600, 2100)).astype(np.float32), (0, 0), 6)
    lines = noise.integers(0, 1500, 40)
    for line in lines:
        large[line : line + 8, :: int(noise.integers(7, 23))] = 30
    top, left = int(noise.integers(0, 1600 - min(height, 1599))), int(noise.integers(0, 2100 - min(width, 2099)))
    cut = picture[: 1600 - top, : 2100 - left]
    large[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return large


DAMAGES = {
    "creased": Damage(creased, 0),
    "printed": Damage(printed, 1),
    "screen": Damage(on_screen, 1),
    "inverted": Damage(inverted, 1),
    "uneven": Damage(uneven, 2),
    "glare": Damage(glaring, 2),
    "rotated": Damage(rotated, 3),
    "tilted": Damage(tilted, 3),
    "far": Damage(far, 4),
    "small": Damage(small, 4),
    "shaken": Damage(shaken, 5),
    "blurred": Damage(blurred, 5),
    "dark": Damage(dark, 6),
    "noisy": Damage(noisy, 6),
    "compressed": Damage(compressed, 7),
}


def _sized(picture: Grey, times: float, how: int = cv2.INTER_AREA) -> Grey:
    size = (max(8, round(picture.shape[1] * times)), max(8, round(picture.shape[0] * times)))
    return cv2.resize(picture, size, interpolation=how if times < 1 else cv2.INTER_LINEAR)


def _warped(picture: Grey, matrix: NDArray[Any], size: tuple[int, int] | None = None) -> Grey:
    size = size or (picture.shape[1], picture.shape[0])
    # At twice the size, then reduced: no pixel is left out.
    double = np.diag((2.0, 2.0, 1.0)) @ matrix
    large = cv2.warpPerspective(
        picture, double, (size[0] * 2, size[1] * 2), flags=cv2.INTER_LINEAR, borderValue=float(np.median(picture[0]))
    )
    return cv2.resize(large, size, interpolation=cv2.INTER_AREA)
