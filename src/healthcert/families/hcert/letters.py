"""Which capital letter, or run of letters, is spelled how in a machine-readable zone.

A key is one to three capital letters or Hebrew points, after ``^`` only at the start of a word, before ``$`` only at
its end; the longest key that fits wins. A marked letter without a key is spelled as its base letter. "Doc 9303" is
ICAO Doc 9303, Part 3, eighth edition (2021), §6. What is known of each source, and where the standard is not followed
and why: docs/explanation/names.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _pairs(table: str) -> dict[str, str]:
    """``"А A Ь -"``: letter and spelling in turn, a hyphen for a letter that is dropped."""
    words = table.split()
    return {letter.upper(): spelling.strip("-") for letter, spelling in zip(words[::2], words[1::2], strict=True)}


def _from(first: int, spellings: str) -> dict[str, str]:
    """Spellings of consecutive code points. Keeps letters that run from right to left out of the source."""
    return {chr(first + step): spelling.strip("-") for step, spelling in enumerate(spellings.split())}


# Doc 9303 §6.A. Only what is not the base letter; ĸ is not in the table, and was Q in Greenlandic spelling.
_LATIN = _pairs("Ä AE Å AA Æ AE Ð D Ö OE Ø OE Ü UE Þ TH Đ D Ħ H Ĳ IJ Ł L Ŋ N Œ OE Ŧ T ẞ SS ĸ Q")

# Doc 9303 §6.B. It has no rows for Ѓ, Ћ and Ь: the letter without its accent, what Serbian Ć is, and nothing.
_CYRILLIC = _pairs(
    "А A Б B В V Г G Д D Е E Ж ZH З Z И I Й I К K Л L М M Н N О O П P Р R С S Т T У U Ф F Х KH Ц TS Ч CH Ш SH Щ SHCH "
    "Ъ IE Ы Y Ь - Э E Ю IU Я IA Ё E Ђ D Є IE Ѕ DZ І I Ї I Ј J Љ LJ Њ NJ Ћ C Ќ K Ў U Џ DZ Ѫ U Ѵ Y Ѓ G Ґ G Ғ G Һ C"
)

# ELOT 743, second edition, type 2 (transcription; the same as ISO 843 type 2). Doc 9303 has no Greek.
_GREEK = _pairs(
    "Α A Β V Γ G Δ D Ε E Ζ Z Η I Θ TH Ι I Κ K Λ L Μ M Ν N Ξ X Ο O Π P Ρ R Σ S Τ T Υ Y Φ F Χ CH Ψ PS Ω O "
    "ΟΥ OU ΟΎ OU ΓΓ NG ΓΞ NX ΓΧ NCH ^ΜΠ B ΜΠ$ B"
)
# Upsilon after these is a consonant, unvoiced before an unvoiced one and at the end. An accent on the first of the
# two, or a diaeresis on the second, keeps them apart; so neither has a key.
for _pair in ("ΑΥ", "ΑΎ", "ΕΥ", "ΕΎ", "ΗΥ", "ΗΎ"):
    _GREEK[_pair] = _GREEK[_pair[0]] + "V"
    _GREEK[_pair + "$"] = _GREEK[_pair[0]] + "F"
    _GREEK |= {_pair + unvoiced: _GREEK[_pair[0]] + "F" + _GREEK[unvoiced] for unvoiced in "ΘΚΞΠΣΤΦΧΨ"}

# Doc 9303 §6.C, and Appendix B.5.4 for veh (06A4) and feh with three dots below (06A5).
_ARABIC = {
    **_from(0x0621, "XE XAA XAE U I XI A B XTA T XTH J XH XKH D XDH R Z S XSH XSS XDZ XTT XZZ E G"),
    "\u0629$": "XAH",  # teh marbuta at the end of a name component
    "\u0640": "",  # tatweel
    **_from(0x0641, "F Q K L M N H W XAY Y"),
    **_from(0x0671, "XXA"),
    **{chr(int(code, 16)): spelling for code, spelling in _pairs(
        "0679 XXT 067C XRT 067E P 0681 XKE 0685 XXH 0686 XC 0688 XXD 0689 XDR 0691 XXR 0693 XRR 0696 XRX 0698 XJ "
        "069A XXS 06A4 V 06A5 XF 06A9 XKK 06AB XXK 06AD XNG 06AF XGG 06BA XNN 06BC XXN 06BE XDO 06C0 XYH 06C1 XXG "
        "06C2 XGE 06C3 XTG 06CC XYA 06CD XXY 06D0 Y 06D2 XYB 06D3 XBE"
    ).items()},
}  # fmt: skip

# The national system of Georgia (2002) without its apostrophes, which a machine-readable zone cannot hold.
_GEORGIAN = _pairs(
    "ა A ბ B გ G დ D ე E ვ V ზ Z თ T ი I კ K ლ L მ M ნ N ო O პ P ჟ ZH რ R ს S ტ T უ U ფ P ქ K ღ GH ყ Q შ SH ჩ CH "
    "ც TS ძ DZ წ TS ჭ CH ხ KH ჯ J ჰ H"
)

_BASIC = {letter: letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

LETTERS: Mapping[str, str] = MappingProxyType(_BASIC | _LATIN | _CYRILLIC | _GREEK | _ARABIC | _GEORGIAN)

LONGEST_KEY = 5

# The rules of the Academy of the Hebrew Language (2006) as the United Nations took them over (resolution IX/9, 2007),
# without what no machine-readable zone can hold. Not part of LETTERS: without points there are no vowels.
_HE, _VAV, _ZAYIN, _HET, _YOD, _KAF, _TSADI = "\u05d4", "\u05d5", "\u05d6", "\u05d7", "\u05d9", "\u05db", "\u05e6"
_BET, _GIMEL, _PE, _FINAL_KAF, _FINAL_PE, _FINAL_TSADI = "\u05d1", "\u05d2", "\u05e4", "\u05da", "\u05e3", "\u05e5"
_SHEVA, _PATAH, _HOLAM, _HOLAM_OF_VAV, _DAGESH, _SIN = "\u05b0", "\u05b7", "\u05b9", "\u05ba", "\u05bc", "\u05c2"
_GERESH = "\u05f3"
_VOWELS = _from(0x05B0, "- E A O I E E A A O O U") | {"\u05c7": "O"}
_HEBREW = {
    **_from(0x05D0, "- V G D H V Z H T Y KH KH L M M N N S - F F TS TS K R SH T"),
    **_from(0x05F0, "VV VY YY"),  # digraphs of Yiddish
    **_VOWELS,
    # Without effect but where a longer key has them: dagesh, the dots of shin and sin, geresh, gershayim.
    **dict.fromkeys((_DAGESH, "\u05c1", _SIN, _GERESH, "\u05f4"), ""),
    **{letter + _DAGESH: spelling for letter, spelling in (
        (_BET, "B"), (_KAF, "K"), (_FINAL_KAF, "K"), (_PE, "P"), (_FINAL_PE, "P")
    )},
    **{letter + dagesh + _GERESH: spelling for dagesh in ("", _DAGESH) for letter, spelling in (
        (_GIMEL, "J"), (_ZAYIN, "ZH"), (_TSADI, "CH"), (_FINAL_TSADI, "CH")
    )},
    "\u05e9" + _SIN: "S",
    "\u05e9" + _DAGESH + _SIN: "S",
    # A he at the end is silent unless it has its dot; a patah below the last letter is sounded before it.
    _HE + "$": "",
    _HE + _DAGESH + "$": "H",
    _HE + _DAGESH + _PATAH + "$": "AH",
    _HET + _PATAH + "$": "AH",
    # Vav as a vowel.
    _VAV + _DAGESH: "U",
    _VAV + _HOLAM: "O",
    _VAV + _HOLAM_OF_VAV: "VO",
    _HOLAM + _VAV: "O",
    # At the start of a word these have a dagesh, written or not.
    "^" + _BET: "B",
    "^" + _KAF: "K",
    "^" + _PE: "P",
    # Sheva is spelled only where it is sounded. The points do not tell; this is how it mostly is in speech.
    **{f"^{letter}{_SHEVA}": spelling for letter, spelling in _pairs(
        "\u05d9 YE \u05dc LE \u05de ME \u05e0 NE \u05e8 RE"
    ).items()},
}  # fmt: skip
for _point, _vowel in _VOWELS.items():
    # Vav with a vowel of its own, or after one, is a consonant.
    _HEBREW[_VAV + _DAGESH + _point] = "V" + _vowel
    _HEBREW[_point + _VAV + _HOLAM] = _vowel + "VO"
    # In pointed text, a letter without its dagesh is meant to have none.
    _HEBREW |= {f"^{letter}{_point}": _HEBREW[letter] + _vowel for letter in (_BET, _KAF, _PE)}
    for _carried in ("\u05b4", "\u05b5", "\u05b6"):  # hiriq, tsere, segol: a yod after them is part of the vowel
        _HEBREW[_carried + _YOD] = _VOWELS[_carried]
        _HEBREW[_carried + _YOD + _DAGESH] = _VOWELS[_carried] + "Y"
        _HEBREW[_carried + _YOD + _point] = _VOWELS[_carried] + "Y" + _vowel

# Gaj's Latin letters, then Doc 9303 §6.A. Doc 9303 §6.B agrees but for Г, where its H is a slip.
_GAJ = _pairs("Ж Z Х H Ц C Ч C Ш S")

TRANSLITERATION_VARIANTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # Regulation on Bulgarian personal documents (2010), Appendix 1.
        "BG": MappingProxyType(_pairs("Й Y Х H Щ SHT Ъ A Ь Y Ю YU Я YA ИЯ$ IA")),
        # Doc 9303 §6.B, "Belorussian".
        "BY": MappingProxyType(_pairs("Г H Ё IO")),
        # One of the choices of Doc 9303 §6.A; that Spain makes it is not confirmed.
        "ES": MappingProxyType(_pairs("Ü U")),
        "IL": MappingProxyType(_HEBREW),
        # Regulation on the contents of the machine-readable record (2008), for the Latin letters.
        "ME": MappingProxyType(_GAJ),
        # Doc 9303 §6.B, with GJ at Ѓ, where the standard has it at a letter that Macedonian has not.
        "MK": MappingProxyType(_pairs("Ѓ GJ Ќ KJ Џ DJ Х H Ц C")),
        "RS": MappingProxyType(_GAJ),
        # One of the choices of Doc 9303 §6.A; that Türkiye makes it is not confirmed.
        "TR": MappingProxyType(_pairs("Ä A Ö O Ü U")),
        # Cabinet of Ministers of Ukraine, resolution 55 (2010); Doc 9303 §6.B agrees, and leaves out ЗГ.
        "UA": MappingProxyType(_pairs("Г H И Y ЗГ ZGH ^Є YE ^Ї YI ^Й Y ^Ю YU ^Я YA")),
    }
)
"""What some states spell in another way than :data:`LETTERS`, by ISO 3166-1 code. A state that is not here, such as
Germany, Sweden, Russia or Greece, needs no variant, or its practice is not known. ``IL`` is all of Hebrew, to be chosen
knowingly: passports of Israel may spell a name otherwise, and a name without points comes out without vowels."""
