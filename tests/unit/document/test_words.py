"""Every language has every word, and a template may replace those that exist."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

import pytest

import healthcert as hc
import healthcert.document.words as words_module
from healthcert.document.words import LANGUAGES, RIGHT_TO_LEFT, words_of

FOLDER = Path(words_module.__file__).parent
ENGLISH = words_of("en")
SCRIPTS = {"ar": "ARABIC", "el": "GREEK", "bg": "CYRILLIC"}
# What is called the same in another language as in English.
SHARED = {
    "fr": {"section_vaccination", "section_test", "value_covid_19", "separator"},
    "de": {"section_test", "label_full_name", "value_covid_19", "separator"},
    "es": {"value_covid_19", "separator"},
    "it": {"section_test", "value_covid_19", "separator"},
    "ar": set(),
    "el": {"value_covid_19", "separator"},
    "bg": {"value_covid_19", "separator"},
}

each = pytest.mark.parametrize("lang", LANGUAGES)


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(LANGUAGES)


@each
def test_a_language_has_the_words_of_english_in_their_order(lang: str) -> None:
    assert list(words_of(lang)) == list(ENGLISH)


@each
def test_words_are_clean_text(lang: str) -> None:
    for key, text in words_of(lang).items():
        assert isinstance(text, str), key
        assert text == unicodedata.normalize("NFC", text), key
        assert text.isprintable(), key
        assert text == text.strip() or key == "separator", key
        assert text.strip(), key
        assert "  " not in text, key


@pytest.mark.parametrize("lang", SHARED)
def test_a_language_shares_with_english_what_is_called_the_same_and_no_more(lang: str) -> None:
    assert {key for key, text in words_of(lang).items() if text == ENGLISH[key]} == SHARED[lang]


@pytest.mark.parametrize("lang", SCRIPTS)
def test_a_language_is_written_in_its_script(lang: str) -> None:
    latin_names = {"value_covid_19"} if lang != "ar" else set()
    for key in words_of(lang).keys() - {"separator"} - latin_names:
        letters = [character for character in words_of(lang)[key] if character.isalpha()]
        assert any(unicodedata.name(letter).startswith(SCRIPTS[lang]) for letter in letters), key


@pytest.mark.parametrize("lang", SCRIPTS)
def test_no_letter_is_of_a_script_that_looks_the_same(lang: str) -> None:
    """A Latin o in a Greek word is seen by no one but who searches for the word, or listens to it."""
    for key, text in words_of(lang).items():
        for word in text.replace("-", " ").replace("/", " ").split():
            scripts = {unicodedata.name(letter).split()[0] for letter in word if letter.isalpha()}
            assert len(scripts) <= 1, (key, word)


def test_what_is_written_from_right_to_left_is_a_language() -> None:
    assert set(LANGUAGES) >= RIGHT_TO_LEFT


def test_every_word_is_used() -> None:
    sources = "".join(path.read_text() for path in FOLDER.parent.rglob("*.py"))
    made = {f"{kind}_{entry}" for kind in ("title", "section") for entry in hc.EntryType}
    assert [key for key in ENGLISH if key not in made and f'"{key}"' not in sources] == []


def test_the_documentation_names_every_word() -> None:
    page = (Path(__file__).parents[3] / "docs/explanation/document-languages.md").read_text()
    named = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE))
    assert named == {key: text for key, text in ENGLISH.items() if key != "separator"}


def test_a_template_replaces_words_and_leaves_the_others() -> None:
    words = words_of("fr", {"label_issuer": "Délivré par"})
    assert words["label_issuer"] == "Délivré par"
    assert {**words, "label_issuer": words_of("fr")["label_issuer"]} == words_of("fr")
    assert words_of("fr")["label_issuer"] == "Émetteur du certificat"


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("no_such_word", "x", "a key that does not exist"),
        ("label_issuer", "", "label_issuer is empty"),
        ("label_issuer", "  ", "label_issuer is empty"),
        ("title_test", "a\x00b", "title_test has control characters"),
        ("title_test", "a\nb", "title_test has control characters"),
        ("notice_keep", "\x1b[2J", "notice_keep has control characters"),
        ("title_test", "\ud800", "title_test has control characters"),
    ],
)
def test_a_template_of_other_words_is_invalid(key: str, text: str, said: str) -> None:
    with pytest.raises(hc.DocumentError) as caught:
        words_of("de", {key: text})
    assert (caught.value.code, caught.value.detail) == (hc.Code.TEMPLATE_INVALID, f"wording of de: {said}")


def test_a_notice_may_be_left_out() -> None:
    assert words_of("it", {"notice_travel": ""})["notice_travel"] == ""


@pytest.mark.parametrize("lang", ["", "nl", "EN", "en-GB", "../en"])
def test_another_language_is_none_of_ours(lang: str) -> None:
    with pytest.raises(ValueError, match="en, fr, de, es, it, ar, el, bg"):
        words_of(lang)


@each
def test_a_file_holds_each_key_once_and_says_whose_words_it_has(lang: str) -> None:
    text = (FOLDER / f"{lang}.toml").read_text()
    assert tomllib.loads(text) == dict(words_of(lang))  # a key that is there twice is no TOML
    assert text.startswith("# The words of documents in ")
