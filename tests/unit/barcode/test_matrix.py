"""QR codes in one alphanumeric segment: the smallest, of the level asked for, under the mask of lowest penalty."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest
import zxingcpp
from qrcode.base import rs_blocks

import healthcert as hc
from healthcert.barcode.write import QrCode
from tests.unit.barcode.qr_reading import penalty, read_qr, remasked

SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LETTERS = SYMBOLS[10:]
LEVELS = "LMQH"


def text_of(length: int, seed: int, symbols: str = SYMBOLS) -> str:
    return "".join(random.Random(seed).choices(symbols, k=length))


def most(version: int, level: str) -> int:
    """How many alphanumeric characters a symbol holds (ISO/IEC 18004 §7.4.4: 11 bits for two, 6 for one)."""
    bits: int = 8 * sum(block.data_count for block in rs_blocks(version, "MLHQ".index(level)))
    pairs, left = divmod(bits - 4 - (9, 11, 13)[(version > 9) + (version > 26)], 11)
    return 2 * pairs + (left >= 6)


def by_library(text: str, level: str, **options: int) -> list[list[bool]]:
    """What the library draws that also scans: under a mask that it is given, or else its own choice."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level, **options)
    image: Any = code.to_image(scale=1, add_quiet_zones=False)
    rows: Any = memoryview(image).tolist()
    return [[not pixel for pixel in row] for row in rows]


def only_segment(text: str, level: str = "Q") -> None:
    """The symbol of a text has it as its one segment, by the letter of the standard, and a scanner reads it."""
    code = QrCode.of(text, error_correction=level)
    found = read_qr(code.modules)
    assert found.segments == [("alphanumeric", text.encode())]
    assert (found.version, found.level) == (code.version, level)
    assert hc.read_barcodes(code.png()) == [text]


@pytest.mark.parametrize("level", LEVELS)
def test_it_is_the_smallest_symbol(level: str) -> None:
    for version in range(1, 41):
        full = most(version, level)
        assert QrCode.of(text_of(full, version), error_correction=level).version == version
        if version < 40:
            assert QrCode.of(text_of(full + 1, version), error_correction=level).version == version + 1
    with pytest.raises(hc.IssueError) as caught:
        QrCode.of(text_of(full + 1, 0), error_correction=level)
    assert (caught.value.code, caught.value.detail) == (
        "BARCODE_TOO_LARGE",
        f"{full + 1} characters do not fit a QR code of level {level}",
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("length", [1, 2, 17, 130, 300, 580, 1000])
def test_the_text_is_its_one_segment(length: int, level: str) -> None:
    only_segment(text_of(length, length), level)


# Where a segment of digits is shorter than they are among letters: from the seventh digit on at either end, and from
# the thirteenth in the middle, in small symbols, and a little later in larger ones. It must be one segment even so.
@pytest.mark.parametrize(
    ("length", "digits"),
    [(length, digits) for length in (20, 130, 500) for digits in (5, 6, 7, 8, 12, 13, 14, 15, 20)]
    + [(1300, digits) for digits in (6, 8, 9, 16, 17)],
)
def test_digits_are_no_segment_of_their_own(length: int, digits: int) -> None:
    # Large symbols take long to draw: there each place has one of the two.
    places = product((0, length // 2, length), (0, 1)) if length < 500 else [(0, 0), (length // 2, 1), (length, 1)]
    for before, odd in places:
        letters = text_of(length + odd, digits, LETTERS)
        text = letters[:before] + "7" * digits + letters[before:]
        assert read_qr(QrCode.of(text).modules).segments == [("alphanumeric", text.encode())]


@pytest.mark.parametrize(
    "text", ["7", "0815", "1" * 12, "2" * 600, "A" + "3" * 50 + "B" + "4" * 40, "12345678/ABCDEFG/12345678"]
)
def test_texts_of_many_digits(text: str) -> None:
    only_segment(text)


def test_digits_amid_letters_are_no_matter_how_many_runs_there_are() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        runs = [
            text_of(chance.randrange(13), seed, "0123456789") + text_of(chance.randrange(1, 9), seed, LETTERS)
            for _ in range(30)
        ]
        text = "HC1:" + "".join(runs)
        assert read_qr(QrCode.of(text).modules).segments == [("alphanumeric", text.encode())]


@pytest.mark.parametrize("length", [3, 20, 60, 100, 150])
def test_no_other_mask_has_a_lower_penalty(length: int) -> None:
    modules = QrCode.of(text_of(length, length)).modules
    penalties = [penalty(remasked(modules, mask)) for mask in range(8)]
    assert penalties.index(min(penalties)) == read_qr(modules).mask
    assert penalty(modules) == min(penalties)


def test_remasking_is_told_from_the_symbols_of_others() -> None:
    """What judges the masks above, held against a library that writes symbols under a mask that it is given."""
    for mask in range(8):
        given = by_library("HC1:ABC", "Q", data_mask=mask)
        assert read_qr(given).mask == mask
        assert remasked(QrCode.of("HC1:ABC").modules, mask) == given


def test_the_mask_is_what_the_library_itself_would_choose() -> None:
    for seed in range(25):
        chance = random.Random(seed)
        text, level = text_of(chance.randrange(20, 700), seed), chance.choice(LEVELS)
        assert QrCode.of(text, error_correction=level).modules == tuple(map(bytes, by_library(text, level)))


@pytest.mark.parametrize("level", ["", "LM", "q", "MQ"])
def test_a_level_is_one_of_four(level: str) -> None:
    with pytest.raises(ValueError, match="L, M, Q or H"):
        QrCode.of("HC1:ABC", error_correction=level)
