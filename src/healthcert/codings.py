"""Codes across families: what they are called, which mean the same, and what the result of a test says.

Each family has code systems of its own for the same few vaccines, diseases, tests and results. The names and what
belongs together come from a table with its sources (``docs/reference/codings.md``). Nothing is guessed: a code that the
table does not know stays without a name, and what is called the same is so by the word of who keeps the codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pkgutil import get_data
from typing import Any

from healthcert.model import Coding

SNOMED_CT = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD_11 = "http://id.who.int/icd/release/11/mms"
ATC = "http://www.whocc.no/atc"
CVX = "http://hl7.org/fhir/sid/cvx"
MVX = "http://hl7.org/fhir/sid/mvx"
GTIN = "https://www.gs1.org/gtin"
CIP = "urn:oid:1.2.250.1.213.2.3.2"
"""Packs of medicines in France (code identifiant de présentation, 13 digits)."""
CIS = "urn:oid:1.2.250.1.213.2.3.1"
"""Medicines in France (code identifiant de spécialité, 8 digits)."""
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
EU_REGISTER = "https://ec.europa.eu/health/documents/community-register/html/"
EU_PRODUCT_NAME = "http://ec.europa.eu/temp/vaccineproductname"
PREQUALIFIED = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"
TWODDOC_RESULT = "urn:2d-doc:F5"
"""Results of tests in 2D-Docs (``P``, ``N``, ``I``, ``X``), which name no code system."""

COVID_19 = Coding(SNOMED_CT, "840539006", "COVID-19")
NOT_DETECTED = Coding(SNOMED_CT, "260415000", "Not detected")
DETECTED = Coding(SNOMED_CT, "260373001", "Detected")
NAAT = Coding(LOINC, "LP6464-4", "Nucleic acid amplification with probe detection")
RAPID_ANTIGEN = Coding(LOINC, "LP217198-3", "Rapid immunoassay")

# Other ways to write a system, as they are found in certificates.
_SPELLINGS = {
    "http://id.who.int/icd11/mms": ICD_11,
    "http://hl7.org/fhir/sid/icd-11": ICD_11,
    "http://hl7.org/fhir/sid/cvx-TEMPORARY-CODE-SYSTEM": CVX,
    "urn:oid:2.16.840.1.113883.12.292": CVX,
    "urn:oid:2.16.840.1.113883.12.227": MVX,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED_CT,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.5.83": INTERPRETATION,
    "http://hl7.org/fhir/v3/ObservationInterpretation": INTERPRETATION,
    "http://hl7.org/fhir/v2/0078": INTERPRETATION,
    "http://terminology.hl7.org/CodeSystem/v2-0078": INTERPRETATION,
    "https://spor.ema.europa.eu/rmswi": EU_REGISTER,
    "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIDs": PREQUALIFIED,
    "http://smart.who.int/icvp/CodeSystem/ICVPProductIds": PREQUALIFIED,
}

# Here and not in the table, as they decide whether a certificate is refused. What is invalid, inconclusive or not to be
# used is in neither, and so is no finding. RA01.1 is what WHO's concept maps make of a negative result.
_POSITIVE: Mapping[str, tuple[str, ...]] = {
    SNOMED_CT: (DETECTED.code, "10828004", "840533007"),
    LOINC: ("LA6576-8", "LA11882-0"),
    INTERPRETATION: ("POS", "DET"),
    ICD_11: ("RA01.0",),
    TWODDOC_RESULT: ("P",),
}
_NEGATIVE: Mapping[str, tuple[str, ...]] = {
    SNOMED_CT: (NOT_DETECTED.code, "260385009"),
    LOINC: ("LA6577-6", "LA11883-8"),
    INTERPRETATION: ("NEG", "ND"),
    ICD_11: ("RA01.1",),
    TWODDOC_RESULT: ("N",),
}
_FINDINGS = {
    (system, code): result
    for results, result in ((_POSITIVE, DETECTED), (_NEGATIVE, NOT_DETECTED))
    for system, codes in results.items()
    for code in codes
}
# DIVOC and VDS-NC have words, and some certificates a code of the two great systems without its name.
_WORDS = {"positive": DETECTED, "detected": DETECTED, "negative": NOT_DETECTED, "not detected": NOT_DETECTED} | {
    code.casefold(): result for (system, code), result in _FINDINGS.items() if system in (SNOMED_CT, LOINC)
}


def system_of(coding: Coding) -> str:
    """The code system of a coding by the URI that this module has for it, however the coding spells it."""
    return _SPELLINGS.get(coding.system, coding.system)


def finding(result: Coding) -> Coding | None:
    """What the result of a test says: :data:`DETECTED`, :data:`NOT_DETECTED`, or None where it cannot be told.

    Results without a system are read as English words or as codes of SNOMED CT and LOINC.
    """
    system = result.system
    if (found := _FINDINGS.get((system, result.code))) is not None:
        return found
    if not system:
        return _WORDS.get(" ".join(result.code.casefold().split()))
    return _FINDINGS.get((_SPELLINGS.get(system, system), result.code))


def named(system: str, code: str, display: str | None = None) -> Coding:
    """A coding with its name: ``display`` where one is given, else that of the table, None where it has none."""
    if display is not None:
        return Coding(system, code, display)
    names = _names()
    if (known := names.get((system, code))) is not None:
        return known
    known = names.get((_SPELLINGS.get(system, system), code))
    return Coding(system, code, None if known is None else known.display)


def same(coding: Coding) -> tuple[Coding, ...]:
    """Other codes for the same thing: ``EU/1/20/1528`` and ``XM8NQ0`` are both Comirnaty.

    What is only one form of a thing leads to the codes of the thing, but not back: CVX 218 is a Comirnaty, made for
    children, and Comirnaty is not CVX 218. Empty where nothing is known to be the same.
    """
    system = _SPELLINGS.get(coding.system, coding.system)
    return _same().get((system, coding.code), ())


def disease_of(vaccine: Coding) -> Coding | None:
    """What a vaccine or a product protects against, or a test looks for; None where it is unknown, or several."""
    system = _SPELLINGS.get(vaccine.system, vaccine.system)
    return _diseases().get((system, vaccine.code))


def made_by(maker: Coding) -> tuple[Coding, ...]:
    """The products of the EU's value sets that a maker has, as MVX names it; empty where none is known."""
    return _makers().get((system_of(maker), maker.code), ())


@cache
def _names() -> dict[tuple[str, str], Coding]:
    named = {
        (system, code): Coding(system, code, name)
        for system, codes in _table("codings.json")["names"].items()
        for code, (name, _) in codes.items()
    }
    return named | {(coding.system, coding.code): coding for _, coding in _eu_codes()}


@cache
def _same() -> dict[tuple[str, str], tuple[Coding, ...]]:
    found: dict[tuple[str, str], tuple[Coding, ...]] = {}
    for members in _table("codings.json")["same"]:
        things = [named(system, code) for system, code, relation, _ in members if relation == "is"]
        for system, code, _, _ in members:
            me = Coding(system, code)
            found[system, code] = tuple(thing for thing in things if thing != me)
    return found


@cache
def _diseases() -> dict[tuple[str, str], Coding]:
    diseases = {
        (system, code): named(of, disease)
        for system, codes in _table("codings.json")["diseases"].items()
        for code, (of, disease, _) in codes.items()
    }
    # EU value sets: the vaccines and products of its certificates are all against COVID-19.
    return diseases | {(coding.system, coding.code): COVID_19 for field, coding in _eu_codes() if field in ("vp", "mp")}


@cache
def _makers() -> dict[tuple[str, str], tuple[Coding, ...]]:
    return {
        (system, code): tuple(named(of, product) for of, product, _ in products)
        for system, codes in _table("codings.json")["makers"].items()
        for code, products in codes.items()
    }


def _eu_codes() -> Iterator[tuple[str, Coding]]:
    """Every code of the EU's value sets but for the countries, with its field."""
    for field, value_set in _table("value_sets.json")["sets"].items():
        if field != "co":
            for code, value in value_set["codes"].items():
                yield field, Coding(value["system"], code, value["display"])


@cache
def _table(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(get_data("healthcert.data", name) or b"")
    return data
