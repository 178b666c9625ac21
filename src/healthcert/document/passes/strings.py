"""The texts of an Apple pass in its languages: keys in pass.json, and a table of what they stand for in each."""

from __future__ import annotations

from collections.abc import Iterator

from healthcert.document.passes.content import Texts

_INVISIBLE = "\u200b"  # ZERO WIDTH SPACE


class Strings:
    """Gathers texts and gives each its key.

    The key is the text in the first language, which is what a telephone shows that finds no table of its own language.
    Where one text is to become several (a person named France, and the country) the keys differ by what nobody sees.
    """

    def __init__(self, languages: Texts) -> None:
        self._languages = languages
        self._texts: dict[str, Texts] = {}

    def key(self, texts: Texts) -> str:
        """The key of a text that is ``texts`` in the languages."""
        key = texts[0]
        while self._texts.setdefault(key, texts) != texts:
            key += _INVISIBLE
        return key

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The table of each language, by its name in the pass: a strings file in UTF-8."""
        for number, language in enumerate(self._languages):
            lines = [
                f'"{_quoted(key)}" = "{_quoted(texts[number])}";\n'
                for key, texts in self._texts.items()
                if any(text != key for text in texts)  # what is the same everywhere needs no table
            ]
            yield f"{language}.lproj/pass.strings", "".join(lines).encode()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
