"""What values are called on a document: codes and countries in its language, moments, and text made harmless."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from healthcert import codings
from healthcert.document.words import Words
from healthcert.families.countries import alpha2
from healthcert.families.hcert.valuesets import value_sets
from healthcert.model import Coding

# The codes whose names are few enough to be had in every language, with the keys of their words.
_WORDS = {
    (codings.SNOMED_CT, codings.COVID_19.code): "value_covid_19",
    (codings.ICD_11, "1D47"): "value_yellow_fever",
    (codings.SNOMED_CT, "16541001"): "value_yellow_fever",
    (codings.ICD_11, "1C81"): "value_polio",
    (codings.SNOMED_CT, "398102009"): "value_polio",
    (codings.LOINC, codings.NAAT.code): "value_naat",
    (codings.LOINC, codings.RAPID_ANTIGEN.code): "value_rapid_antigen",
    (codings.ATC, "J07BX03"): "value_vaccine_covid",
    (codings.SNOMED_CT, "28531000087107"): "value_vaccine_covid",
    (codings.SNOMED_CT, "1119305005"): "value_vaccine_antigen",
    (codings.SNOMED_CT, "1119349007"): "value_vaccine_mrna",
    (codings.SNOMED_CT, "1157024006"): "value_vaccine_inactivated",
    (codings.SNOMED_CT, "1162643001"): "value_vaccine_spike",
    (codings.SNOMED_CT, "1187593009"): "value_vaccine_dna",
    (codings.SNOMED_CT, "29061000087103"): "value_vaccine_vector",
    (codings.SNOMED_CT, "30141000087107"): "value_vaccine_vlp",
}
_FINDINGS = {codings.DETECTED: "value_detected", codings.NOT_DETECTED: "value_not_detected"}
# HL7 AdministrativeGender, and ICAO Doc 9303-4 §4.2.2.2; whatever else there is stays as it is.
_SEXES = {"female": "value_female", "f": "value_female", "male": "value_male", "m": "value_male"}
# What value sets say of a code that is no longer given out is nothing for its holder.
_DEPRECATED = " (deprecated)"
# Doc 9303-3 §5 has these beside the countries.
_BESIDE_COUNTRIES = ("EU", "UN")

# Unicode Bidirectional Algorithm (UAX #9) §2: what turns the order of a line, its marks among them, and characters
# that nobody sees. Joiners stay, as Persian and the languages of India are spelled with them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def plain(text: str) -> str:
    """Text of a stranger in one line: no control characters, none that change direction, none that are unseen."""
    return _NO_CHARACTER.sub("\ufffd", _BLANK.sub(" ", _INVISIBLE.sub("", text))).strip()


def coding(value: Coding | None, words: Words) -> str | None:
    """The name of a code: in the language of the words where they have it, else as it is displayed, else the code."""
    if value is None:
        return None
    for known in (value, *codings.same(value)):
        if (key := _WORDS.get((codings.system_of(known), known.code))) is not None:
            return words[key]
    return str(value).removesuffix(_DEPRECATED)


def result(value: Coding, words: Words) -> str:
    """The result of a test, whatever words or codes it was written in; one that says neither stays as it is."""
    found = codings.finding(value)
    return str(value) if found is None else words[_FINDINGS[found]]


def sex(value: Coding | None, words: Words) -> str | None:
    if value is None:
        return None
    key = _SEXES.get(value.code.lower())
    return str(value) if key is None else words[key]


def country(code: str | None, lang: str) -> str | None:
    """The name of a country in a language, in English without the extra ``paper``; the text itself for anything else.

    ``code`` has the two letters of ISO 3166-1, or the three of it or of ICAO.
    """
    if code is None:
        return None
    two = alpha2(code) or code
    known = value_sets().get(("co", two))
    if known is None and two not in _BESIDE_COUNTRIES:
        return code
    english = two if known is None else str(known).replace("''", "'")  # as one name of the value set is spelled
    return str(_territories(lang).get(two, english))


def moment(value: datetime | None) -> str | None:
    """Date and time to the minute, or to the second where one is told, with the zone (ISO 8601 but for spaces)."""
    if value is None:
        return None
    text = value.replace(tzinfo=None).isoformat(" ", "seconds" if value.second else "minutes")
    return f"{text} UTC" if value.utcoffset() == timedelta(0) else f"{text} {value.tzname()}"


def day(value: date | None, partial: str | None = None) -> str | None:
    """A date (ISO 8601), or the year or month where no more is told."""
    return partial if value is None else value.isoformat()


@cache
def _territories(lang: str) -> Any:
    """The names of countries (CLDR); none where Babel is not installed."""
    try:
        from babel import Locale
    except ImportError:
        return {}
    return Locale.parse(lang).territories
