"""A handheld scanner is a keyboard: where its layout is not this machine's, other characters arrive than it read."""

from __future__ import annotations

_LONGEST = 4

# What `HC1:` becomes: each key that one layout has for a character, in the other. All of it by the layouts of the
# X Keyboard Extension (xkeyboard-config), first of a scanner that is set to the keyboard of the United States (as they
# come) at a machine with another one, then of a scanner with another one at a machine with that of the United States.
_AT_ANOTHER_MACHINE = (
    "HC&M",  # French, Belgian
    "HC1Ö",  # German, Swedish, Finnish, Estonian, Swiss French
    "HC1É",  # Swiss German, Hungarian
    "HC1Ñ",  # Spanish
    "HC1Ç",  # Italian, Portuguese, Brazilian
    "HC1Ø",  # Norwegian
    "HC1Æ",  # Danish, Icelandic
    'HC+"',  # Czech, Slovak
    "HC1Ł",  # Polish (QWERTZ)
    "HC1Ş",  # Turkish
    "HC1Č",  # Croatian, Slovenian, Serbian in Latin letters
    "HC1Ë",  # Albanian
    "HC1±",  # Dutch
    "HCĄ:",  # Lithuanian
    "HC1+",  # Japanese
    "ΗΨ1",  # Greek, whose last key waits for a letter
    "РС1Ж",  # Russian, Ukrainian
    "ГЪ1М",  # Bulgarian
    "ХЦ1:",  # Bulgarian (phonetic)
    "ХЦ1Ч",  # Serbian and Macedonian in Cyrillic letters
)
_OF_ANOTHER_SCANNER = (
    "HC!.",  # French, Belgian
    "HC1>",  # German, Spanish, Italian, Portuguese, Nordic ...
    "HC1?",  # Turkish, Brazilian
    "HC!>",  # Czech, Slovak
    "HC1'",  # Japanese
)
# Caps Lock turns letters into the other ones, in any layout.
_CAPS_LOCK = "hc1:"
_GARBLED = tuple(prefix.casefold() for prefix in (*_AT_ANOTHER_MACHINE, *_OF_ANOTHER_SCANNER))

ADVICE = "the scanner's keyboard layout is not the one of this machine, or Caps Lock is on"


def is_garbled(text: str) -> bool:
    """Whether ``text`` begins as an EU DCC does that was typed with another layout.

    It is asked of what no family recognises. What was typed cannot be put right: two keys may give one character.
    """
    start = text[:_LONGEST]
    return start == _CAPS_LOCK or start.casefold().startswith(_GARBLED)
