"""Transliteration of names: a list of names, the tables against Unicode and against the `mrz` package, properties."""

from __future__ import annotations

import csv
import importlib
import re
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.families.hcert.encode import to_payload
from healthcert.families.hcert.letters import LETTERS, LONGEST_KEY, TRANSLITERATION_VARIANTS
from healthcert.families.hcert.names import check_variant, transliterate

with (Path(__file__).parent / "names.tsv").open(encoding="utf-8") as rows:
    NAMES = list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))
SPELLED = [row for row in NAMES if row["variant"] != "passport"]
ASKED = [row for row in NAMES if row["variant"] == "passport"]

RECOVERY = hc.Recovery(
    disease=hc.Coding("http://snomed.info/sct", "840539006"),
    first_positive=date(2021, 4, 21),
    valid_from=date(2021, 5, 2),
    valid_until=date(2021, 10, 18),
)


def test_the_list_of_names_is_long_and_wide() -> None:
    assert len({(row["name"], row["variant"]) for row in NAMES}) == len(NAMES) >= 200
    assert len({row["script"] for row in NAMES}) >= 10
    assert {row["variant"] for row in NAMES} == {"", "passport", *TRANSLITERATION_VARIANTS}
    assert all(row["note"] for row in NAMES)


@pytest.mark.parametrize("row", SPELLED, ids=lambda row: f"{row['script']}-{row['spelling']}-{row['variant']}")
def test_a_name_is_spelled_as_in_the_passport(row: dict[str, str]) -> None:
    assert transliterate(row["name"], variant=TRANSLITERATION_VARIANTS.get(row["variant"])) == row["spelling"]


@pytest.mark.parametrize("row", ASKED, ids=lambda row: f"{row['script']}-{row['spelling']}")
def test_a_name_without_a_rule_is_asked_for_and_taken_from_the_passport(row: dict[str, str]) -> None:
    def names(holder: hc.Holder) -> object:
        payload = to_payload(RECOVERY, holder, country="NL", issuer="Ministry", certificate_id="URN:UVCI:01:NL:X#3")
        return payload["nam"]

    with pytest.raises(hc.IssueError) as caught:
        names(hc.Holder(family_name=row["name"], birth_date="1984"))
    assert caught.value.code == "NAME_NEEDS_PASSPORT_SPELLING"
    assert caught.value.detail.startswith("family_name_icao: the spelling of the passport")
    with_spelling = hc.Holder(family_name=row["name"], birth_date="1984", family_name_icao=row["spelling"])
    assert names(with_spelling) == {"fn": unicodedata.normalize("NFC", row["name"]), "fnt": row["spelling"]}


@pytest.mark.parametrize(
    "name",
    [
        "A\u202eB",
        "A\u2066B",
        "A\ufffdB",
        "A\tB",
        "A\x00B",
        "A^B",
        "A$B",
        "A_B",
        "A?B",
        "A(B)",
        "5",
        "²",
        "Mª",
        "𝐀",
        "😀",
    ],
)
def test_controls_and_symbols_are_asked_for(name: str) -> None:
    with pytest.raises(hc.IssueError):
        transliterate(name)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("", ""),
        ("  - ' ", ""),
        ("Ь", ""),
        ("\u0651", ""),
        ("A<<B", "A<B"),
        ("\u200fA\u200eB\u00adC\u200dD", "ABCD"),
        ("x" * 100, "X" * 80),
        ("Ä" * 39 + "A B", "AE" * 39 + "A"),
        ("Щ" * 40, "SHCH" * 20),
    ],
)
def test_what_separates_what_vanishes_and_what_is_cut(name: str, spelling: str) -> None:
    assert transliterate(name) == spelling


# -- Variants ---------------------------------------------------------------------------------------------------------


def test_an_issuer_may_choose_among_the_spellings_of_the_standard() -> None:
    plain = {"Ä": "A", "Å": "A", "Ö": "O", "Ü": "U"}
    assert transliterate("Åsa Jörg Käthe Müller", variant=plain) == "ASA<JORG<KATHE<MULLER"
    escaped = {"Ñ": "NXX", "Ü": "UXX"}
    assert transliterate("Cañon Agu\u0308ero", variant=escaped) == "CANXXON<AGUXXERO"


def test_a_key_may_be_bound_to_the_start_or_the_end_of_a_word() -> None:
    assert transliterate("ANNA-ANNA BANA", variant={"^A": "X", "NA$": "Y"}) == "XNY<XNY<BAY"


@pytest.mark.parametrize(
    "variant",
    [
        {"": "A"},
        {"ü": "U"},
        {"U\u0308": "U"},
        {"Ü": "u"},
        {"Ü": "U<"},
        {"Ü": "Ü"},
        {"ABCD": "A"},
        {"^": "A"},
        {"1": "A"},
        {"\u05b4\u05bc": "I"},  # a vowel before a dagesh
        {"\u0591": "A"},  # an accent of Hebrew
        {"\u05be": "A"},  # a hyphen of Hebrew
    ],
)
def test_an_impossible_variant_is_refused(variant: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="of a variant"):
        check_variant(variant)
    with pytest.raises(ValueError, match="of a variant"):
        transliterate("Anna", variant=variant)


def test_the_tables_have_the_form_of_a_variant() -> None:
    check_variant({key: spelling for key, spelling in LETTERS.items() if key != "\u0640"})
    for variant in TRANSLITERATION_VARIANTS.values():
        check_variant(variant)
        assert all(LETTERS.get(key) != spelling for key, spelling in variant.items())
    assert max(map(len, LETTERS)) <= LONGEST_KEY


# -- The tables against Unicode ----------------------------------------------------------------------------------------

# Doc 9303-3 §6.A: everything that is not the letter its Unicode name has after LATIN CAPITAL LETTER.
NOT_THE_BASE_LETTER = {
    "Ä": "AE", "Å": "AA", "Æ": "AE", "Ð": "D", "Ö": "OE", "Ø": "OE", "Ü": "UE", "Þ": "TH", "Ŋ": "N", "Œ": "OE",
    "Ĳ": "IJ",
}  # fmt: skip


def test_every_latin_letter_of_the_standard() -> None:
    letters = [letter for letter in map(chr, range(0xC0, 0x180)) if unicodedata.category(letter) == "Lu"]
    assert len(letters) > 90
    for letter in letters:
        base = unicodedata.name(letter).removeprefix("LATIN CAPITAL LETTER ").split()[0]
        assert transliterate(letter) == NOT_THE_BASE_LETTER.get(letter, base), f"U+{ord(letter):04X}"
        assert transliterate(letter.lower()) == transliterate(letter)
    assert transliterate("ẞ") == transliterate("ß") == "SS"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(0x00C0, 0x017F, id="Latin of Europe"),
        pytest.param(0x1EA0, 0x1EF9, id="Latin of Viet Nam"),
        pytest.param(0x0386, 0x03CE, id="Greek"),
        pytest.param(0x1F00, 0x1FFC, id="Greek with old accents"),
        pytest.param(0x0400, 0x045F, id="Cyrillic"),
        pytest.param(0x0621, 0x063A, id="Arabic"),
        pytest.param(0x0641, 0x064A, id="Arabic, second half"),
        pytest.param(0x10D0, 0x10F0, id="Georgian"),
        pytest.param(0x1C90, 0x1CB0, id="Georgian capitals"),
    ],
)
def test_no_letter_of_a_supported_alphabet_is_missing(first: int, last: int) -> None:
    letters = [
        letter for letter in map(chr, range(first, last + 1)) if unicodedata.category(letter) in {"Lu", "Ll", "Lo"}
    ]
    assert letters
    for letter in letters:
        assert transliterate(letter) or letter in "Ьь", f"U+{ord(letter):04X}"


def test_a_letter_is_of_one_script_and_is_a_letter() -> None:
    for key in LETTERS:
        scripts = {unicodedata.name(letter).split()[0] for letter in key.strip("^$")}
        assert len(scripts) == 1
        assert scripts <= {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "GEORGIAN"}


def test_hebrew_and_armenian_letters_are_all_asked_for() -> None:
    for letter in map(chr, [*range(0x05B0, 0x05F5), *range(0x0531, 0x0557), *range(0x0561, 0x0588)]):
        if unicodedata.category(letter) not in {"Cn", "Pd"} and letter not in "\u05bd\u05bf":
            with pytest.raises(hc.IssueError):
                transliterate(letter)


# -- Hebrew, when an issuer chooses it ---------------------------------------------------------------------------------

ALEF, BET, SHIN, TAV = "\u05d0", "\u05d1", "\u05e9", "\u05ea"
HIRIQ, QAMATS, DAGESH, METEG, RAFE, SIN_DOT = "\u05b4", "\u05b8", "\u05bc", "\u05bd", "\u05bf", "\u05c2"


def hebrew(name: str) -> str:
    return transliterate(name, variant=TRANSLITERATION_VARIANTS["IL"])


def test_no_letter_point_or_ligature_of_hebrew_is_missing() -> None:
    silent = {ALEF, "\u05d4", "\u05e2", "\u05b0", DAGESH, METEG, RAFE, "\u05c1", SIN_DOT, "\u05f3", "\u05f4"}
    known = [*range(0x05B0, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C7, *range(0x05D0, 0x05EB), *range(0x05F0, 0x05F5)]
    for letter in map(chr, known):
        assert bool(hebrew(letter)) is (letter not in silent), f"U+{ord(letter):04X}"
    ligatures = [chr(code) for code in range(0xFB1D, 0xFB50) if unicodedata.normalize("NFC", chr(code)) != chr(code)]
    assert len(ligatures) == 34
    for letter in ligatures:
        assert hebrew(TAV + letter) == hebrew(TAV + unicodedata.normalize("NFD", letter)), f"U+{ord(letter):04X}"


@pytest.mark.parametrize("mark", ["\u0591", "\u05c0", "\u05c3", "\u05c4", "\u05c6", "\ufb29"])
def test_what_is_no_letter_of_a_name_is_asked_for_in_hebrew_too(mark: str) -> None:
    with pytest.raises(hc.IssueError):
        hebrew(TAV + mark)


def test_points_count_in_any_order_and_an_apostrophe_is_a_geresh() -> None:
    for points in (SIN_DOT + DAGESH + QAMATS, QAMATS + SIN_DOT + DAGESH, DAGESH + METEG + QAMATS + SIN_DOT):
        assert hebrew(TAV + SHIN + points) == "TSA"
    for apostrophe in "\u05f3'’‘´`":
        for letter, spelling in {"\u05d2": "J", "\u05d6": "ZH", "\u05e6": "CH", "\u05e5": "CH", TAV: "T"}.items():
            assert hebrew(letter + apostrophe) == spelling
            assert hebrew(letter + HIRIQ + apostrophe) == hebrew(letter + apostrophe + HIRIQ) == spelling + "I"
    assert hebrew("d'Or J'") == "DOR<J"


def test_a_first_letter_is_hard_unless_points_say_otherwise() -> None:
    for letter, hard, soft in ((BET, "B", "V"), ("\u05db", "K", "KH"), ("\u05e4", "P", "F")):
        assert hebrew(letter) == hebrew(letter + DAGESH) == hard
        assert hebrew(letter + QAMATS) == soft + "A"
        assert hebrew(letter + DAGESH + QAMATS) == hard + "A"
        assert hebrew(TAV + letter) == "T" + soft
        assert hebrew(TAV + letter + RAFE) == "T" + soft
        assert hebrew(TAV + letter + DAGESH) == "T" + hard


@given(st.text(alphabet=st.characters(max_codepoint=0x17F) | st.sampled_from("ẞǅʼ\u0301"), max_size=30))
def test_the_short_way_of_latin_names_spells_as_the_long_one(name: str) -> None:
    def spelled(way: dict[str, str] | None) -> str:
        try:
            return transliterate(name, variant=way)
        except hc.IssueError as error:
            return error.detail

    # A variant that changes nothing makes it the long way.
    assert spelled(None) == spelled({"A": "A"})


# -- A second opinion: the `mrz` package -------------------------------------------------------------------------------

NO_ROW = "Doc 9303-3 has a row for it, which mrz lacks; mrz calls its own spelling experimental"
VOWELS = "Doc 9303-3 §6.C does not encode short vowels; mrz calls its own spelling experimental"
HARD = "a letter with a dagesh, which mrz spells as if it had none, or by the habit of English"
HABIT = "the rules of 2006 have H for het, KH for kaf, TS for tsadi and K for qof; mrz follows older habits"
DIPHTHONG = "a yod after another vowel is Y in the rules; after tsere and segol it is part of the vowel"
LAW = "mrz has Doc 9303-3 §6.B; Bulgarian passports follow Appendix 1 of the regulation of 2010"

# dictionary of mrz -> our variant, and each letter spelled otherwise, with the reason
OPINIONS: dict[str, tuple[str | None, dict[str, str]]] = {
    "latin_based": (None, {}),
    "cyrillic": (None, {}),
    "cyrillic_belarussian": ("BY", {}),
    "cyrillic_bulgarian": ("BG", dict.fromkeys("ЙХЮЯ", LAW)),
    "cyrillic_macedonian": ("MK", {"К": "mrz gives the KJ of Ќ to К"}),
    "cyrillic_serbian": ("RS", {"Г": "the standard prints H, a slip: Gaj's Latin letter is G"}),
    "cyrillic_ukrainian": ("UA", {"Г": "Doc 9303-3 §6.B, eighth edition, and resolution 55 have H"}),
    "greek": (None, {"Β": "ELOT 743 has V", "Ρ": "mrz takes it for a Latin P"}),
    "arabic": (
        None,
        dict.fromkeys("\u0621\u0629", NO_ROW) | dict.fromkeys("\u064b\u064c\u064d\u064e\u064f\u0650\u0652", VOWELS),
    ),
    "hebrew": (
        "IL",
        dict.fromkeys("\u05d7\u05db\u05da\u05e6\u05e5\u05e7", HABIT)
        | dict.fromkeys(("\u05e6\u05bc", "\ufb46", "\u05e7\u05bc", "\ufb47"), HABIT)
        | dict.fromkeys(("\u05db\u05bc", "\ufb3b", "\u05da\u05bc", "\ufb3a"), HARD)
        | dict.fromkeys(("\u05e9", "\u05e9\u05bc", "\ufb49"), "without a dot it is shin more often than sin")
        | dict.fromkeys(("\u05e6\u05f3", "\u05e5\u05f3"), "CH, as ZH for zayin with geresh; mrz has TSH")
        | {"\u05d3\u05f3": "a sound of Arabic, not of Hebrew: the base letter"}
        | {"\u05b0": "spelled only where it is sounded: mostly not", "\u05b8": "mostly A; O has its own sign, U+05C7"}
        | dict.fromkeys(
            [vowel + "\u05d9" + sheva for vowel in "\u05b7\u05b8\u05b9\u05bb" for sheva in ("", "\u05b0")]
            + ["\u05b5\u05d9", "\u05b6\u05d9", "\u05d5\u05bc\u05d9", "\u05d5\u05bc\u05d9\u05b0"],
            DIPHTHONG,
        ),
    ),
}  # fmt: skip


def letters_of_mrz(dictionary: str) -> dict[str, str]:
    """Without the marks of direction (U+202C) that slipped into some letters of its source."""
    theirs = importlib.import_module(f"mrz.generator.dictionaries.{dictionary}").transliteration
    return {letter.replace("\u202c", ""): spelling for letter, spelling in theirs.items()}


@pytest.mark.parametrize("dictionary", OPINIONS)
def test_the_letters_of_mrz_are_spelled_alike_but_for_known_deviations(dictionary: str) -> None:
    theirs = letters_of_mrz(dictionary)
    variant, known = OPINIONS[dictionary]
    assert len(theirs) > 40

    def ours(letter: str) -> str:
        # Inside a word, where no rule of the start or the end applies.
        return (
            transliterate(f"A{letter}A", variant=TRANSLITERATION_VARIANTS.get(variant or ""))
            .removeprefix("A")
            .removesuffix("A")
        )

    different = {letter.upper() for letter, spelling in theirs.items() if ours(letter) != spelling.upper()}
    assert different == known.keys()


def test_mrz_has_no_letter_of_a_supported_script_that_is_asked_for_here() -> None:
    for dictionary, (variant, _) in OPINIONS.items():
        for letter in letters_of_mrz(dictionary):
            transliterate(letter, variant=TRANSLITERATION_VARIANTS.get(variant or ""))


# -- Properties --------------------------------------------------------------------------------------------------------

ANY = st.text(max_size=100)
KNOWN = st.text(
    st.sampled_from("".join(row["name"] for row in NAMES) + "\u0301\u0308\u0651\u064e\u0345'-., <^$0"), max_size=100
)
TEXTS = st.one_of(ANY, KNOWN)
COUNTRIES = st.sampled_from(("", *TRANSLITERATION_VARIANTS))


def outcome(name: str, country: str = "") -> str | None:
    try:
        return transliterate(name, variant=TRANSLITERATION_VARIANTS.get(country))
    except hc.IssueError:
        return None


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TEXTS, COUNTRIES)
def test_the_result_has_the_form_of_a_name_field(name: str, country: str) -> None:
    spelling = outcome(name, country)
    if spelling is not None:
        assert re.fullmatch(r"([A-Z]+(<[A-Z]+)*)?", spelling)
        assert len(spelling) <= 80
        assert transliterate(spelling) == spelling


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TEXTS, COUNTRIES)
def test_composed_and_decomposed_letters_are_the_same(name: str, country: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
    assert outcome(name, country) == outcome(composed, country) == outcome(decomposed, country)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TEXTS)
def test_an_error_says_the_same_whatever_the_name(name: str) -> None:
    if outcome(name) is not None:
        return
    with pytest.raises(hc.IssueError) as caught:
        transliterate(name, "given_name_icao")
    assert caught.value.detail == (
        "given_name_icao: the spelling of the passport, for a name that cannot be transliterated; "
        "for example PAPADOPOULOS"
    )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
