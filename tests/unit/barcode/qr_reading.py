"""A QR code taken apart by the letter of ISO/IEC 18004, independently of any scanner: which segments it holds, and how.

Of error correction there is none: it is for symbols that come straight from who drew them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from qrcode.base import rs_blocks
from qrcode.util import pattern_position

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# ISO/IEC 18004, table 12: the two bits of a level; they are the numbers of the package's levels as well.
_LEVELS = "MLHQ"
_FINDER = "1011101"
_LIGHT = "0000"
# ISO/IEC 18004 §7.8.2: True where a module is inverted, by row i and column j.
_MASKS = (
    lambda i, j: (i + j) % 2 == 0,
    lambda i, _: i % 2 == 0,
    lambda _, j: j % 3 == 0,
    lambda i, j: (i + j) % 3 == 0,
    lambda i, j: (i // 2 + j // 3) % 2 == 0,
    lambda i, j: (i * j) % 2 + (i * j) % 3 == 0,
    lambda i, j: ((i * j) % 2 + (i * j) % 3) % 2 == 0,
    lambda i, j: ((i + j) % 2 + (i * j) % 3) % 2 == 0,
)
# ISO/IEC 18004, tables 2 and 3: names of the modes, and the bits of their counts in versions to 9, to 26 and to 40.
_MODES = {1: ("numeric", (10, 12, 14)), 2: ("alphanumeric", (9, 11, 13)), 4: ("byte", (8, 16, 16))}

Modules = Sequence[Sequence[int]]


class QrReading(NamedTuple):
    version: int
    level: str
    mask: int
    segments: list[tuple[str, bytes]]


def read_qr(modules: Modules) -> QrReading:
    """What a symbol of these modules (true where dark, without quiet zone) holds."""
    side = len(modules)
    version = (side - 17) // 4
    level, mask = _format_of(modules)
    bits = _bits(modules, version, mask)
    codewords = [int("".join(bits[at : at + 8]), 2) for at in range(0, len(bits) - 7, 8)]
    data = _deinterleaved(codewords, [block.data_count for block in rs_blocks(version, _LEVELS.index(level))])
    return QrReading(version, level, mask, list(_segments("".join(f"{byte:08b}" for byte in data), version)))


def penalty(modules: Modules) -> int:
    """What the masking of a symbol is blamed for: the sum of the four rules (ISO/IEC 18004 §7.8.3.1)."""
    side = len(modules)
    rows = ["".join("01"[bool(module)] for module in row) for row in modules]
    columns = ["".join(column) for column in zip(*rows, strict=True)]
    total = 0
    for line in (*rows, *columns):
        for run in line.replace("01", "0 1").replace("10", "1 0").split():
            total += 3 + len(run) - 5 if len(run) >= 5 else 0
        wide = _LIGHT + line + _LIGHT  # the quiet zone is light as well
        for at in range(len(_LIGHT), len(wide) - len(_FINDER)):
            beside = (wide[at - len(_LIGHT) : at], wide[at + len(_FINDER) :][: len(_LIGHT)])
            total += 40 * (wide.startswith(_FINDER, at) and _LIGHT in beside)
    for above, below in pairwise(rows):
        squares = zip(pairwise(above), pairwise(below), strict=True)
        total += 3 * sum(len({*high, *low}) == 1 for high, low in squares)
    dark = sum(row.count("1") for row in rows)
    return total + 10 * (abs(20 * dark - 10 * side * side) // (side * side))


def remasked(modules: Modules, mask: int) -> list[list[bool]]:
    """The same symbol under another mask, its format information rewritten."""
    side, (level, old) = len(modules), _format_of(modules)
    out = [[bool(module) for module in row] for row in modules]
    for i, j in _path(side):
        out[i][j] ^= _MASKS[old](i, j) ^ _MASKS[mask](i, j)
    word = _format_word(_LEVELS.index(level) << 3 | mask)
    for bit, places in enumerate(_format_places(side)):
        for i, j in places:
            out[i][j] = bool(word >> bit & 1)
    return out


def _format_of(modules: Modules) -> tuple[str, int]:
    words = [
        sum(
            bool(modules[places[copy][0]][places[copy][1]]) << bit
            for bit, places in enumerate(_format_places(len(modules)))
        )
        for copy in (0, 1)
    ]
    (found,) = [data for data in range(32) if words == [_format_word(data)] * 2]
    return _LEVELS[found >> 3], found & 7


def _format_word(data: int) -> int:
    # ISO/IEC 18004 §7.9.1: five bits, ten of BCH (15,5), and a mask over all.
    rest = data << 10
    for shift in range(4, -1, -1):
        if rest >> (shift + 10) & 1:
            rest ^= 0b10100110111 << shift
    return (data << 10 | rest) ^ 0b101010000010010


def _format_places(side: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    # ISO/IEC 18004, figure 25: where each of the 15 bits stands, the least significant first.
    beside = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    split = [(8, side - 1 - bit) for bit in range(8)] + [(side - 7 + bit, 8) for bit in range(7)]
    return list(zip(beside, split, strict=True))


def _bits(modules: Modules, version: int, mask: int) -> list[str]:
    return ["01"[bool(modules[i][j]) ^ _MASKS[mask](i, j)] for i, j in _path(4 * version + 17)]


@cache
def _path(side: int) -> tuple[tuple[int, int], ...]:
    """The data modules in their order: two columns at a time, up and down by turns, from the right."""
    version = (side - 17) // 4
    taken = _function_modules(side, version)
    path: list[tuple[int, int]] = []
    upwards = True
    for right in (*range(side - 1, 6, -2), 5, 3, 1):
        for i in range(side - 1, -1, -1) if upwards else range(side):
            path += [(i, j) for j in (right, right - 1) if (i, j) not in taken]
        upwards = not upwards
    return tuple(path)


def _function_modules(side: int, version: int) -> set[tuple[int, int]]:
    taken = {(i, 6) for i in range(side)} | {(6, j) for j in range(side)}
    for top, left, height, width in ((0, 0, 9, 9), (0, side - 8, 9, 8), (side - 8, 0, 8, 9)):
        taken |= {(top + i, left + j) for i in range(height) for j in range(width)}
    centres = pattern_position(version)
    for i in centres:
        for j in centres:
            if (i, j) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                taken |= {(i + down, j + right) for down in range(-2, 3) for right in range(-2, 3)}
    if version >= 7:
        for i in range(6):
            for j in range(side - 11, side - 8):
                taken |= {(i, j), (j, i)}
    return taken


def _deinterleaved(codewords: list[int], sizes: list[int]) -> list[int]:
    blocks: list[list[int]] = [[] for _ in sizes]
    source = iter(codewords)
    for position in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if position < size:
                block.append(next(source))
    return [byte for block in blocks for byte in block]


def _segments(bits: str, version: int) -> Iterator[tuple[str, bytes]]:
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    while len(bits) - at >= 4 and (indicator := take(4)):
        mode, sizes = _MODES[indicator]
        count = take(sizes[(version > 9) + (version > 26)])
        text = b""
        if mode == "byte":
            text = bytes(take(8) for _ in range(count))
        while len(text) < count:
            left = count - len(text)
            if mode == "numeric":
                text += b"%0*d" % (min(left, 3), take((4, 7, 10)[min(left, 3) - 1]))
            elif left == 1:
                text += _ALPHABET[take(6)].encode()
            else:
                first, second = divmod(take(11), 45)
                text += (_ALPHABET[first] + _ALPHABET[second]).encode()
        yield mode, text
