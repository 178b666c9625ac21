"""The traits of a French health identity (INS), each read and held against another's.

The rules are those of the national rules of identification (RNIV).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from healthcert.intake.reading import Identity

# FHIR's administrative gender, and HL7 table 0001; an INS has M, F and I.
_SEXES = {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F"} | dict.fromkeys(
    ("I", "U", "UNKNOWN", "O", "OTHER", "A", "N"), "I"
)
_BIRTH_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
_PLACE = re.compile(r"([0-9]{2}|2[AB])[0-9]{3}")
_LETTERS = {"Œ": "OE", "Æ": "AE", "Ø": "O", "Ł": "L", "Đ": "D", "ẞ": "SS", "’": "'", "ʼ": "'", "‐": "-", "‑": "-"}
_NAME = re.compile(r"[A-Z]['A-Z -]*")
_LONGEST_NAME = 200


def spelled(name: str) -> str | None:
    """A name as the INS has it: capital letters A to Z, spaces, hyphens and apostrophes; None where that cannot be.

    RNIV: without accents and other marks; ligatures are two letters.
    """
    if len(name) > _LONGEST_NAME:
        return None
    capitals = "".join(_LETTERS.get(letter, letter) for letter in name.upper())
    plain = "".join(part for part in unicodedata.normalize("NFD", capitals) if not unicodedata.combining(part))
    text = " ".join(plain.split())
    return text if _NAME.fullmatch(text) else None


def birth_date_of(text: str) -> str | None:
    """A birth date in ISO 8601, whole or partial; None for what is none."""
    if not _BIRTH_DATE.fullmatch(text):
        return None
    try:
        date.fromisoformat(text + "-01-01"[len(text) - len("1984") :])
    except ValueError:
        return None
    return text


def place_of(text: str) -> str | None:
    """The INSEE code of a place of birth; None for what is none."""
    return text if _PLACE.fullmatch(text) else None


def sex_of(code: str) -> str | None:
    """M, F, or I for one that is not told, of a code of the INS, FHIR or HL7 v2; None for what is none."""
    return _SEXES.get(code.upper())


def differences(one: Identity, other: Identity) -> tuple[str, ...]:
    """The names of the traits that both have and that cannot be one person's."""
    found = []
    if one.birth_name and other.birth_name and _letters(one.birth_name) != _letters(other.birth_name):
        found.append("birth_name")
    if one.given_names and other.given_names:
        names = sorted((one.given_names, other.given_names), key=len)
        if not starts(names[1], names[0]):
            found.append("given_names")
    if one.birth_date and other.birth_date:
        shared = min(len(one.birth_date), len(other.birth_date))
        if one.birth_date[:shared] != other.birth_date[:shared]:
            found.append("birth_date")
    if {one.sex, other.sex} == {"M", "F"}:
        found.append("sex")
    if one.birth_place and other.birth_place and apart(one.birth_place, other.birth_place):
        found.append("birth_place")
    return tuple(found)


def _letters(name: str) -> str:
    """Hyphens, spaces and apostrophes are lost on the way between systems, or put for each other."""
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    return name.replace("'", "").replace("-", " ").split()


def starts(names: str, first: str) -> bool:
    """Whether given names begin with the one that goes alone, itself of several words perhaps."""
    beginning = _words(first)
    return _words(names)[: len(beginning)] == beginning


def apart(one: str, other: str) -> bool:
    """Whether one place is abroad and the other one in France, whatever it was part of at which time."""
    # 99999 stands for a place that is not known.
    abroad = [place.startswith("99") and place != "99999" for place in (one, other)]
    home = [place[:2] not in ("99", *_MOVED) for place in (one, other)]
    return (abroad[0] and home[1]) or (abroad[1] and home[0])


# Departments of Algeria, Morocco and Tunisia before their independence, some of which are others today, and overseas.
_MOVED = ("91", "92", "93", "94", "95", "96", "97", "98")
