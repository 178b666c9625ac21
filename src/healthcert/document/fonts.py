"""The fonts that pages are set in, and which characters they have.

FiraGO has Latin, Greek, Cyrillic, Arabic, Hebrew, Georgian, Thai and Devanagari in one design; Noto Sans has more of
Latin, as Vietnamese is written. Both are under the SIL Open Font License, and come with the extra ``paper``.
"""

from __future__ import annotations

import struct
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from healthcert.errors import Code, DocumentError

_FACES = ("figo", "figbo", "notos", "notosbo")  # regular and bold of each
_JOINERS = frozenset("\u200c\u200d")  # Persian and the languages of India are spelled with them
_ELLIPSIS = "…"
_MOST_ACCENTS = 30  # UAX #15 §13: upon one letter; no language comes near it, and setting more takes ever longer


def write_fonts(folder: Path) -> None:
    """Puts the fonts into a folder. Raises :class:`DocumentError` (``EXTRA_MISSING``)."""
    for face in _FACES:
        (folder / f"{face}.ttf").write_bytes(_face(face))


def can_draw(text: str) -> bool:
    """Whether the fonts have every character, so that none comes out as a box."""
    return drawable(text) == unicodedata.normalize("NFC", text)


def drawable(text: str) -> str:
    """The text with an ellipsis for each run of characters that the fonts lack, or that are accents without end."""
    shown = []
    accents = 0
    for character in unicodedata.normalize("NFC", text):
        accents = accents + 1 if unicodedata.combining(character) else 0
        if accents <= _MOST_ACCENTS and _has(character):
            shown.append(character)
        elif shown[-1:] != [_ELLIPSIS]:
            shown.append(_ELLIPSIS)
    return "".join(shown)


def runs_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction has that one (UAX #9, rules P2 and P3)."""
    kinds = map(unicodedata.bidirectional, text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


@lru_cache(maxsize=4096)
def _has(character: str) -> bool:
    if character in _JOINERS:
        return True
    # ISO 19005-2 §6.2.11.7.2: a text has no code points of a private use area. Nor should it have what is unseen.
    if unicodedata.category(character).startswith("C"):
        return False
    # A letter with an accent is also drawn from the two of them.
    parts = unicodedata.normalize("NFD", character)
    return any(ord(character) in face or all(ord(part) in face for part in parts) for face in _characters())


@cache
def _characters() -> tuple[frozenset[int], ...]:
    """The characters that both weights of each family have."""
    regular, bold, more, more_bold = (_mapped(_face(face)) for face in _FACES)
    return regular & bold, more & more_bold


def _mapped(font: bytes) -> frozenset[int]:
    """The characters of a font in TrueType, by its mapping of format 4 (OpenType 1.9, "cmap")."""
    [tables] = struct.unpack_from(">H", font, 4)
    records = (struct.unpack_from(">4sIII", font, 12 + 16 * at) for at in range(tables))
    table = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    start = table + struct.unpack_from(">I", font, table + 8)[0]
    form, _, _, segments = struct.unpack_from(">HHHH", font, start)
    assert form == 4
    count = segments // 2
    ends = struct.unpack_from(f">{count}H", font, start + 14)
    firsts = struct.unpack_from(f">{count}H", font, start + 16 + segments)
    deltas = struct.unpack_from(f">{count}H", font, start + 16 + 2 * segments)
    offsets_at = start + 16 + 3 * segments
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    found = set()
    for at, (first, end, delta, offset) in enumerate(zip(firsts, ends, deltas, offsets, strict=True)):
        for character in range(first, end + 1):
            if offset:
                [glyph] = struct.unpack_from(">H", font, offsets_at + 2 * at + offset + 2 * (character - first))
                glyph = glyph and (glyph + delta) % 0x10000
            else:
                glyph = (character + delta) % 0x10000
            if glyph:
                found.add(character)
    return frozenset(found)


def _face(name: str) -> bytes:
    try:
        from pymupdf_fonts import fontbuffers
    except ImportError:
        raise missing() from None
    font: bytes = fontbuffers[name]()
    return font


def missing() -> DocumentError:
    """What to install."""
    return DocumentError(Code.EXTRA_MISSING, "documents are set with more packages: pip install 'healthcert[paper]'")
