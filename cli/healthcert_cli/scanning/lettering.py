"""Letters that are read at two metres, drawn with half a character cell as a dot, which is about square."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

Picture = Image.Image

LEAST = 8
"""The smallest size of letters in dots; smaller ones run together."""
_LARGEST = 120
_PITCH = 1.05  # from line to line, in sizes of the font
_CAPITALS = 0.72  # how high they are, the same way
_BLOCKS = {(0, 0): " ", (255, 0): "▀", (0, 255): "▄", (255, 255): "█"}

# The signs as lines in a unit square, with their thickness: the font has none of them but the question mark.
_SIGNS = {"✓": ((0.08, 0.55), (0.38, 0.85), (0.92, 0.15)), "✗": ((0.12, 0.12), (0.88, 0.88))}
_CROSSING = ((0.88, 0.12), (0.12, 0.88))
_STROKE = 0.16


def has_letters(text: str) -> bool:
    """Whether the font that comes with Pillow has all of these letters: it has those of ASCII."""
    return text.isascii() and text.isprintable()


def lettered(text: str, width: int, height: int) -> Picture | None:
    """``text`` in capital letters as large as it fits into so many dots, broken between words.

    None where it would be too small to read, or has letters that the font lacks.
    """
    found = _set(text, width, height)
    return None if found is None else found.drawn(width)


def headline(sign: str, word: str, width: int, height: int) -> Picture | None:
    """A sign and a word: beside each other where that leaves the letters large, else one above the other."""
    if not sign:
        return lettered(word, width, height)
    for side in range(height, LEAST, -1):
        gap = side // 2
        found = _set(word, width - side - gap, side)
        if found is not None and found.height * 3 >= side * 2:
            letters = found.drawn(width - side - gap)
            image = Image.new("1", (side + gap + letters.width, side))
            image.paste(_sign(sign, side), (0, 0))
            image.paste(letters, (side + gap, (side - letters.height) // 2))
            return image
    below = lettered(word, width, height // 2)
    if below is None:
        return None
    side = height - below.height - 2
    image = Image.new("1", (width, height))
    image.paste(_sign(sign, side), (0, 0))
    image.paste(below, (0, side + 2))
    return image


def in_blocks(picture: Picture) -> list[str]:
    """The picture as lines of block elements, two rows of dots in each."""
    width, height = picture.size
    dots = picture.convert("L").tobytes()
    rows = [dots[at : at + width] for at in range(0, width * height, width)]
    if height % 2:
        rows.append(bytes(width))
    return [
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)).rstrip()
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


class _Set(NamedTuple):
    """Words in lines, and the size of their letters."""

    lines: list[str]
    size: int

    @property
    def height(self) -> float:
        """In dots; letters that reach below the line, as Q does, come to one or two more."""
        return self.size * (_CAPITALS + (len(self.lines) - 1) * _PITCH)

    def drawn(self, width: int) -> Picture:
        image = Image.new("1", (width, round(self.height + self.size * 1.5)))
        draw = ImageDraw.Draw(image)
        for number, line in enumerate(self.lines):
            place = (0, self.size + round(number * self.size * _PITCH))
            draw.text(place, line, fill=1, font=_font(self.size), anchor="ls")
        box = image.getbbox()
        return image if box is None else image.crop((0, box[1], box[2], box[3]))


def _set(text: str, width: int, height: int) -> _Set | None:
    """The words in the largest letters with which they fit; what fits in a size does in each smaller one, too."""
    if not text or not has_letters(text):
        return None
    words = text.upper().split()
    best, low, high = None, LEAST, min(_LARGEST, height * 2)
    while low <= high:
        size = (low + high) // 2
        lines = _broken(words, size, width)
        if lines is not None and _Set(lines, size).height <= height:
            best, low = _Set(lines, size), size + 1
        else:
            high = size - 1
    return best


def _broken(words: list[str], size: int, width: int) -> list[str] | None:
    """The words in lines of this ``width``; None where one of them is wider."""
    font = _font(size)
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        elif font.getlength(word) <= width:
            lines.append(word)
        else:
            return None
    return lines


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # the wheels of Pillow come with FreeType
    return font


def _sign(sign: str, side: int) -> Picture:
    """A sign in a square."""
    image = Image.new("1", (side, side))
    draw = ImageDraw.Draw(image)
    if sign not in _SIGNS:
        letter = lettered(sign, side, side)
        if letter is not None:
            image.paste(letter, ((side - letter.width) // 2, (side - letter.height) // 2))
        return image
    for line in (_SIGNS[sign], _CROSSING) if sign == "✗" else (_SIGNS[sign],):
        draw.line([(x * side, y * side) for x, y in line], fill=1, width=max(2, round(side * _STROKE)), joint="curve")
    return image
