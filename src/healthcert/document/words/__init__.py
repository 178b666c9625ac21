"""The words that documents are written in, one file a language: titles, labels, names of codes, and what to note."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pkgutil import get_data
from types import MappingProxyType
from unicodedata import category

from healthcert.errors import Code, DocumentError

LANGUAGES: tuple[str, ...] = ("en", "fr", "de", "es", "it", "ar", "el", "bg")
"""The languages of documents, as BCP 47 tags."""

RIGHT_TO_LEFT = frozenset(("ar",))

Words = Mapping[str, str]
"""Words by their keys. Those of English are the keys that there are: ``words/en.toml`` has them in their order."""

NOTHING_REPLACED: Words = MappingProxyType({})
_NOTICE = "notice_"


def words_of(lang: str, overrides: Words = NOTHING_REPLACED) -> Words:
    """All words of a language, some of them replaced; a notice that is replaced by nothing is left out of documents.

    Raises :class:`DocumentError` (``TEMPLATE_INVALID``) for a key that does not exist, for any other word of nothing
    and for control characters, ValueError for a language that is not one of :data:`LANGUAGES`.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"documents are written in {', '.join(LANGUAGES)}")
    words = _shipped(lang)
    for key, text in overrides.items():
        # What a template calls its keys may be anything, and is not repeated.
        if key not in words:
            raise DocumentError(Code.TEMPLATE_INVALID, f"wording of {lang}: a key that does not exist")
        if not text.strip() and not key.startswith(_NOTICE):
            raise DocumentError(Code.TEMPLATE_INVALID, f"wording of {lang}: {key} is empty")
        if any(category(character) in ("Cc", "Cs") for character in text):
            raise DocumentError(Code.TEMPLATE_INVALID, f"wording of {lang}: {key} has control characters")
    return {**words, **overrides} if overrides else words


@cache
def _shipped(lang: str) -> Words:
    data = get_data(__name__, f"{lang}.toml")
    assert data is not None
    return MappingProxyType(tomllib.loads(data.decode()))
