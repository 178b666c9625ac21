"""Names as the machine-readable zone of a passport spells them (ICAO Doc 9303, Part 3, §6): ``A-Z`` and ``<``.

Only Latin letters are transliterated. Any other script has national rules that the holder's passport has
already applied, so its spelling is asked for instead of guessed.
"""

from __future__ import annotations

import unicodedata

from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.payload import MAX_TEXT

# Letters that are not a base letter with a mark, and the marked ones that Doc 9303 spells with two letters.
_LETTERS = {
    "Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Æ": "AE", "Ø": "OE", "Œ": "OE", "ẞ": "SS", "Þ": "TH", "Ð": "D",
    "Đ": "D", "Ł": "L", "Ħ": "H", "Ŧ": "T", "Ŋ": "N", "ĸ": "Q", "Ĳ": "IJ",
}  # fmt: skip
_DROPPED = frozenset("'’‘ʼʻ`´·")
_SEPARATORS = frozenset(" -‐‑–.,\u00a0")


def transliterate(name: str, field: str = "name") -> str:
    """The spelling of ``name`` in a machine-readable zone: ``d'Červenková Panklová`` is ``DCERVENKOVA<PANKLOVA``.

    Raises :class:`IssueError` (``NAME_NEEDS_PASSPORT_SPELLING``) for a character that this rule does not cover; the
    message asks for ``field``.
    """
    out: list[str] = []
    for letter in unicodedata.normalize("NFC", name).upper():
        if letter in _DROPPED:
            continue
        out.append("<" if letter in _SEPARATORS else _LETTERS.get(letter) or _base_letter(letter, field))
    words = [word for word in "".join(out).split("<") if word]
    return "<".join(words)[:MAX_TEXT].rstrip("<")


def _base_letter(letter: str, field: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    if "A" <= base <= "Z":
        return base
    raise IssueError(
        Code.NAME_NEEDS_PASSPORT_SPELLING,
        f"{field}: the spelling of the passport, for a name that is not in Latin letters; for example PAPADOPOULOS",
        Step.CONTENT,
    )
