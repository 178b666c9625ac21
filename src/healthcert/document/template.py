"""What an issuer puts on its documents: name, logo, colour and words of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from healthcert.document.logo import checked_logo
from healthcert.document.words import LANGUAGES, Words, words_of
from healthcert.errors import Code, DecodeError, DocumentError
from healthcert.limits import DEFAULT_LIMITS, read_file

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_CONTRAST = 4.5
_TEXTS = ("name", "logo", "logo_alternative", "colour")


class Template(Struct, frozen=True, kw_only=True):
    """The look of an issuer's documents. Values that are not given are as in a document without a template.

    ``name`` is the issuer's, on top; ``logo`` a PNG or SVG, with ``logo_alternative`` for who cannot see it;
    ``colour`` (``#rrggbb``) is dark enough for white text upon it; ``wording`` replaces words of a language by their
    keys (``docs/explanation/document-languages.md``).

    Raises :class:`DocumentError` (``TEMPLATE_INVALID``).
    """

    name: str | None = None
    logo: bytes | None = None
    logo_alternative: str = ""
    colour: str = "#0b4f8a"
    wording: Mapping[str, Words] = {}

    def __post_init__(self) -> None:
        for text in (self.name or "", self.logo_alternative):
            if not text.isprintable():
                raise _invalid("a name or an alternative with characters that are unseen")
        if not _COLOUR.fullmatch(self.colour):
            raise _invalid("a colour that is not #rrggbb")
        # WCAG 2.2 §1.4.3: text has a contrast of 4.5 to 1 at least.
        if _contrast_with_white(self.colour) < _CONTRAST:
            raise _invalid(f"a colour whose contrast with white is below {_CONTRAST}")
        if self.logo is not None:
            # ISO 14289-1 §7.3: a figure has an alternative.
            if not self.logo_alternative.strip():
                raise _invalid("a logo without logo_alternative")
            checked_logo(self.logo)
        for lang, words in self.wording.items():
            if lang not in LANGUAGES:
                raise _invalid(f"wording in a language that is not one of {', '.join(LANGUAGES)}")
            words_of(lang, words)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A template from a TOML file, whose ``logo`` is the path of a file in the same folder or below.

        Raises :class:`DocumentError` (``TEMPLATE_INVALID``), OSError.
        """
        path = Path(path)
        values = _read_toml(path)
        wording = values.pop("wording", {})
        if not values.keys() <= set(_TEXTS):
            raise _invalid("a key that does not exist")
        if not all(isinstance(value, str) for value in values.values()) or not _are_words(wording):
            raise _invalid("a value that is not text")
        logo = values.pop("logo", None)
        return cls(**values, logo=None if logo is None else _read_logo(path.parent, logo), wording=wording)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_file(path, DEFAULT_LIMITS.key_file_bytes).decode())
    except DecodeError:
        raise _invalid(f"a file of more than {DEFAULT_LIMITS.key_file_bytes} bytes") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        raise _invalid("not a file in TOML") from None


def _are_words(wording: object) -> bool:
    return isinstance(wording, dict) and all(
        isinstance(words, dict) and all(isinstance(text, str) for text in words.values()) for words in wording.values()
    )


def _read_logo(folder: Path, name: str) -> bytes:
    # A template from elsewhere must not put other files of this machine on paper.
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        raise _invalid("a logo that is not a file beside the template")
    try:
        return read_file(path, DEFAULT_LIMITS.logo_bytes)
    except DecodeError:
        raise _invalid(f"a logo of more than {DEFAULT_LIMITS.logo_bytes} bytes") from None


def _contrast_with_white(colour: str) -> float:
    """WCAG 2.2, "relative luminance" and "contrast ratio"."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _invalid(detail: str) -> DocumentError:
    return DocumentError(Code.TEMPLATE_INVALID, detail)
