"""Names as the machine-readable zone of a passport spells them (ICAO Doc 9303, Part 3, §4.6 and §6): ``A-Z``, ``<``.

Latin, Cyrillic, Greek, Arabic and Georgian letters are transliterated, Hebrew by a variant. Any other script, a digit
or a symbol has no rule that passports share, so their spelling is asked for instead of guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.letters import LETTERS, LONGEST_KEY
from healthcert.families.hcert.payload import MAX_TEXT

# Doc 9303 §4.6: hyphens, and commas within a name, separate; apostrophes and other punctuation leave no trace.
_SEPARATING_KINDS = frozenset(("Zs", "Pd"))
_SEPARATORS = frozenset("<,\u060c")
_DROPPED = frozenset(
    "'’‘‚ʼʻʽʾʿʹ`´\"“”„«»‹›.·"
    "\u00ad\u200c\u200d\u200e\u200f\u061c"  # soft hyphen, joiners, direction marks; overrides of direction are refused
)
# Diacritics of European letters that no letter took in, the marks of Arabic that §6.C does not encode, and of Hebrew
# those that tell stress and the lack of a dagesh.
_MARKS = re.compile("[\u0300-\u036f\u1dc0-\u1dff\u064b-\u0650\u0652\u0670\u05bd\u05bf]+")
_SHADDA = "\u0651"
# Old accents of Greek: a circumflex is an accent, breathings and the small iota are not written any more.
_MONOTONIC = {0x0313: None, 0x0314: None, 0x0342: 0x0301, 0x0345: None}
# Presentation forms of Arabic, ligatures, and the wide letters of East Asian fonts stand for ordinary letters.
_FORMS = frozenset(("<initial>", "<medial>", "<final>", "<isolated>", "<compat>", "<wide>"))

# What Unicode sorts or keyboards put elsewhere belongs next to its Hebrew letter, before its vowel: the dots that make
# another consonant of it, and geresh, for which many type an apostrophe.
_VOWELS_BEFORE_DOTS = re.compile("([\u05b0-\u05bb\u05c7]+)([\u05bc\u05c1\u05c2\u05f3]+)")
_TYPED_GERESH = re.compile("(?<=[\u05b0-\u05ea])['’‘´`]")
_GERESH = "\u05f3"

_KEY = re.compile(r"\^?(?:[^\W\d_]|[\u05b0-\u05bc\u05c1\u05c2\u05c7\u05f3\u05f4]){1,3}\$?")
_SPELLING = re.compile("[A-Z]*")
_SPELLED = re.compile("[A-Z<]*")


def transliterate(name: str, field: str = "name", *, variant: Mapping[str, str] | None = None) -> str:
    """The spelling of ``name`` in a machine-readable zone: ``d'Červenková Panklová`` is ``DCERVENKOVA<PANKLOVA``.

    ``variant`` changes single letters (see :func:`check_variant`): ``{"Ü": "U"}``, or one of
    :data:`~healthcert.families.hcert.letters.TRANSLITERATION_VARIANTS`. The result has at most 80 characters.

    Raises :class:`IssueError` (``NAME_NEEDS_PASSPORT_SPELLING``) for a character that has no rule; the message asks
    for ``field`` and never holds any of the name. Raises ValueError for an impossible variant.
    """
    if variant:
        check_variant(variant)
        spelled = _spell_all(name, {**LETTERS, **variant}, field)
    else:
        # Nearly every name there is: letters that are spelled one by one, whatever stands beside them.
        spelled = name.translate(_one_by_one())
        if not _SPELLED.fullmatch(spelled):
            spelled = _spell_all(name, LETTERS, field)
    if "<" in spelled:
        spelled = "<".join([word for word in spelled.split("<") if word])
    return spelled[:MAX_TEXT].rstrip("<")


def check_variant(variant: Mapping[str, str]) -> None:
    """Raises ValueError unless every key is one to three composed capital letters and every spelling is of ``A-Z``.

    A ``^`` before the letters binds them to the start of a word, a ``$`` after them to its end: ``{"^Є": "YE"}``.
    Points of Hebrew are letters here; dagesh and the dots of shin come before the vowel.
    """
    for key, spelling in variant.items():
        if not _KEY.fullmatch(key) or key != _dots_first(unicodedata.normalize("NFC", key.upper())):
            raise ValueError("a key of a variant is one to three capital letters, after ^ or before $ if need be")
        if not _SPELLING.fullmatch(spelling):
            raise ValueError("a spelling of a variant has the letters A-Z only")


@cache
def _one_by_one() -> dict[int, str]:
    """The spelling of every Latin letter up to U+017F, and of the characters between letters."""
    spellings = {}
    for code in range(0x20, 0x180):
        with suppress(IssueError):
            spellings[code] = _spell_all(chr(code), LETTERS, "")
    return spellings


def _spell_all(name: str, table: Mapping[str, str], field: str) -> str:
    return "<".join([_spell(word, table, field) for word in _words(name, table, field)])


def _words(name: str, table: Mapping[str, str], field: str) -> list[str]:
    """The words of the name in composed capital letters, with nothing else but shadda and what the table knows."""
    decomposed = unicodedata.normalize("NFD", name).translate(_MONOTONIC)
    plain = "".join(map(_unfold, unicodedata.normalize("NFC", decomposed)))
    plain = _MARKS.sub("", unicodedata.normalize("NFC", plain.upper()))
    if _GERESH in table:
        plain = _dots_first(_TYPED_GERESH.sub(_GERESH, plain))
    out: list[str] = []
    for character in plain:
        if character in _SEPARATORS or unicodedata.category(character) in _SEPARATING_KINDS:
            out.append("<")
        elif character in _DROPPED:
            continue
        elif character.isalpha() or character == _SHADDA or character in table:
            out.append(character)
        else:
            raise _ask(field)
    return "".join(out).split("<")


def _dots_first(text: str) -> str:
    return _VOWELS_BEFORE_DOTS.sub(r"\2\1", text)


def _unfold(character: str) -> str:
    form = unicodedata.decomposition(character).partition(" ")[0]
    return unicodedata.normalize("NFKC", character) if form in _FORMS and character.isalpha() else character


def _spell(word: str, table: Mapping[str, str], field: str) -> str:
    word = f"^{word}$"
    out = [""]
    at = 0
    while at < len(word):
        for size in range(LONGEST_KEY, 0, -1):
            spelling = table.get(word[at : at + size])
            if spelling is not None:
                break
        else:
            size, spelling = 1, _spell_single(word[at], out[-1], table)
        if spelling is None:
            raise _ask(field)
        out.append(spelling)
        at += size
    return "".join(out)


def _spell_single(character: str, before: str, table: Mapping[str, str]) -> str | None:
    if character in "^$":
        return ""
    if character == _SHADDA:
        return before  # §6.C note 3: the letter is written twice, with its X
    return table.get(unicodedata.normalize("NFD", character)[0])


def _ask(field: str) -> IssueError:
    return IssueError(
        Code.NAME_NEEDS_PASSPORT_SPELLING,
        f"{field}: the spelling of the passport, for a name that cannot be transliterated; for example PAPADOPOULOS",
        Step.CONTENT,
    )
