"""Pictures made of a grey picture so that codes in it are easier to read, by Pillow alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from PIL import Image, ImageChops, ImageFilter, ImageOps

_BORDER = 60
_LIGHT = 255
_MIDDLE = 128

Treatment = Callable[[Image.Image], Image.Image]


class View(NamedTuple):
    """A picture made of another, and where a point of it was there."""

    picture: Image.Image
    place: Callable[[float, float], tuple[float, float]]


def within(grey: Image.Image, pixels: int) -> View:
    """The picture, reduced by a whole number if it has more pixels."""
    shrink = max(1, math.ceil(math.sqrt(grey.width * grey.height / pixels)))
    picture = grey if grey.mode == "L" else grey.convert("L")
    return View(picture.reduce(shrink) if shrink > 1 else picture, lambda x, y: (x * shrink, y * shrink))


def enlarged(view: View, times: int) -> View:
    """So many times as wide and high, with a quiet zone around: a code may fill the picture to its edge."""
    larger = view.picture.resize((view.picture.width * times, view.picture.height * times))
    picture = ImageOps.expand(larger, border=_BORDER, fill=_LIGHT)
    return View(picture, lambda x, y: view.place((x - _BORDER) / times, (y - _BORDER) / times))


def reduced(view: View, times: int) -> View:
    """Each pixel the mean of so many on either side: noise and the grid of a screen go, and blur grows less."""
    return View(view.picture.reduce(times), lambda x, y: view.place(x * times, y * times))


def turned(view: View, degrees: float) -> View:
    """Turned about its middle; the corners that this adds are light."""
    picture = view.picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_LIGHT)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def place(x: float, y: float) -> tuple[float, float]:
        right, down = x - picture.width / 2, y - picture.height / 2
        return view.place(
            right * cosine - down * sine + view.picture.width / 2,
            right * sine + down * cosine + view.picture.height / 2,
        )

    return View(picture, place)


def tiles(grey: Image.Image, side: int, overlap: int) -> Iterator[View]:
    """Pieces of a picture; what is no wider and higher than the ``overlap`` is whole in one of them."""
    for top in _starts(grey.height, side, overlap):
        for left in _starts(grey.width, side, overlap):
            yield _tile(grey, left, top, side)


def _starts(length: int, side: int, overlap: int) -> range:
    return range(0, max(1, length - overlap), side - overlap)


def _tile(grey: Image.Image, left: int, top: int, side: int) -> View:
    box = left, top, min(left + side, grey.width), min(top + side, grey.height)
    return View(grey.crop(box).convert("L"), lambda x, y: (x + left, y + top))


def levelled(smooth: float, around: int) -> Treatment:
    """Each pixel against the mean of those around it, so that shadows and glare go; 128 is as light as they are."""

    def treat(grey: Image.Image) -> Image.Image:
        grey = grey.filter(ImageFilter.GaussianBlur(smooth)) if smooth else grey
        return ImageChops.subtract(grey, grey.filter(ImageFilter.BoxBlur(around)), 0.5, _MIDDLE)

    return treat


def smoothed(radius: float) -> Treatment:
    """Without grain."""
    return lambda grey: grey.filter(ImageFilter.GaussianBlur(radius))


def sharpened(radius: float, percent: int) -> Treatment:
    """With the edges that blur took away."""
    return lambda grey: grey.filter(ImageFilter.UnsharpMask(radius, percent, 0))
