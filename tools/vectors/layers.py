"""Base45 and ZLIB written once more, in few lines: the vectors must not come from the code that they test.

The compressor gives the same bytes on every machine. Those of zlib and its successors depend on library and version,
and a published file must not.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

# RFC 1951 §3.2.5: the first length (distance) of each code, and how many further bits tell which one it is.
_LENGTH_BITS = [0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0]
_LENGTH_BASE = [3 + sum(1 << bits for bits in _LENGTH_BITS[:code]) for code in range(28)] + [258]
_DISTANCE_BITS = [0, 0] + [n for n in range(14) for _ in range(2)]
_DISTANCE_BASE = [1 + sum(1 << bits for bits in _DISTANCE_BITS[:code]) for code in range(30)]

# RFC 1951 §3.2.6: the code lengths of a block with fixed codes.
_FIXED = ([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8, [5] * 30)
# Nearly the same for a block that brings its codes along; the gaps of the fixed ones are filled.
_BROUGHT = ([8] * 144 + [9] * 112 + [7] * 24 + [8] * 4 + [7] * 2, [4] * 2 + [5] * 28)
_BROUGHT_LENGTHS = (4, 5, 7, 8, 9)
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4)

HEADER_BEST = b"\x78\xda"
HEADER_DEFAULT = b"\x78\x9c"
HEADER_FASTEST = b"\x78\x01"


def base45(data: bytes) -> str:
    """RFC 9285 §4, two bytes at a time."""
    text = ""
    for start in range(0, len(data) - 1, 2):
        value = data[start] << 8 | data[start + 1]
        text += _ALPHABET[value % 45] + _ALPHABET[value // 45 % 45] + _ALPHABET[value // 2025]
    if len(data) % 2:
        text += _ALPHABET[data[-1] % 45] + _ALPHABET[data[-1] // 45]
    return text


def compress(data: bytes, *, header: bytes = HEADER_BEST, form: str = "fixed", stray: bool = False) -> bytes:
    """``data`` as a ZLIB stream of one block: ``stored``, or with ``fixed`` codes, or with codes ``brought`` along.

    With ``stray``, the bits between the last code and the next byte are set.
    """
    if form == "stored":
        size = len(data)
        first = b"\xf9" if stray else b"\x01"
        body = first + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data
    else:
        body = _coded(data, form, stray)
    return header + body + zlib.adler32(data).to_bytes(4, "big")


class _Bits:
    def __init__(self) -> None:
        self.value = self.size = 0

    def add(self, value: int, size: int) -> None:
        self.value |= value << self.size
        self.size += size

    def add_code(self, code: tuple[int, int]) -> None:
        # RFC 1951 §3.1.1: codes are packed starting with their most significant bit.
        value, size = code
        self.add(int(f"{value:0{size}b}"[::-1], 2), size)


def _coded(data: bytes, form: str, stray: bool) -> bytes:
    bits = _Bits()
    literal_lengths, distance_lengths = _FIXED if form == "fixed" else _BROUGHT
    bits.add(0b011 if form == "fixed" else 0b101, 3)
    if form != "fixed":
        _add_code_lengths(bits, literal_lengths + distance_lengths, len(literal_lengths), len(distance_lengths))
    literals, distances = _codes(literal_lengths), _codes(distance_lengths)
    for length, what in _matches(data):
        if length == 0:
            bits.add_code(literals[what])
            continue
        code = max(c for c, base in enumerate(_LENGTH_BASE) if base <= length)
        bits.add_code(literals[257 + code])
        bits.add(length - _LENGTH_BASE[code], _LENGTH_BITS[code])
        code = max(c for c, base in enumerate(_DISTANCE_BASE) if base <= what)
        bits.add_code(distances[code])
        bits.add(what - _DISTANCE_BASE[code], _DISTANCE_BITS[code])
    bits.add_code(literals[256])
    free = -bits.size % 8
    if stray:
        assert free, "this content leaves no bit free: take another"
        bits.add((1 << free) - 1, free)
    return bits.value.to_bytes((bits.size + 7) // 8, "little")


def _add_code_lengths(bits: _Bits, lengths: Sequence[int], literals: int, distances: int) -> None:
    """RFC 1951 §3.2.7, without its abbreviations."""
    bits.add(literals - 257, 5)
    bits.add(distances - 1, 5)
    bits.add(len(_ORDER) - 4, 4)
    sizes = dict(zip(_BROUGHT_LENGTHS, (3, 3, 2, 2, 2), strict=True))
    for length in _ORDER:
        bits.add(sizes.get(length, 0), 3)
    codes = _codes([sizes.get(length, 0) for length in range(19)])
    for length in lengths:
        bits.add_code(codes[length])


def _codes(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """RFC 1951 §3.2.2: the code of each symbol and its size, from the sizes alone."""
    codes = [(0, 0)] * len(lengths)
    code = 0
    for size in range(1, 16):
        code <<= 1
        for symbol, length in enumerate(lengths):
            if length == size:
                codes[symbol] = (code, size)
                code += 1
    return codes


def _matches(data: bytes) -> Iterator[tuple[int, int]]:
    """``data`` as literals (0, byte) and repetitions (length, distance), the nearest one that has three bytes."""
    seen: dict[bytes, int] = {}
    position = 0
    while position < len(data):
        start = seen.get(data[position : position + 3], -1)
        length = 0
        if start >= 0 and position - start <= 32768:
            most = min(258, len(data) - position)
            while length < most and data[start + length] == data[position + length]:
                length += 1
        step = length if length >= 3 else 1
        yield (length, position - start) if length >= 3 else (0, data[position])
        for passed in range(position, position + step):
            seen[data[passed : passed + 3]] = passed
        position += step
