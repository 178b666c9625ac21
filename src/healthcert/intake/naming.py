"""Codes in messages: shown where they look like what they should be, so that nobody's name or number is.

A table whose columns have shifted has a name where a code should be.
"""

from __future__ import annotations

import re

from healthcert import codings
from healthcert.families.hcert.valuesets import EMA_ORGANISATION, EU_MANUFACTURER
from healthcert.model import Coding

SHORT_NAMES = {
    "atc": codings.ATC,
    "cip": codings.CIP,
    "cis": codings.CIS,
    "cvx": codings.CVX,
    "gtin": codings.GTIN,
    "icd-11": codings.ICD_11,
    "interpretation": codings.INTERPRETATION,
    "loinc": codings.LOINC,
    "mvx": codings.MVX,
    "snomed": codings.SNOMED_CT,
    "eu-register": codings.EU_REGISTER,
    "eu-name": codings.EU_PRODUCT_NAME,
    "ema": EMA_ORGANISATION,
    "eu-manufacturer": EU_MANUFACTURER,
    "local": "",
}
"""What messages and mapping files call a code system; ``local`` are codes without one."""

_NAMES = {system: name for name, system in SHORT_NAMES.items()}
# A system is shown by its address or number. Of HL7 table 0396 those are that no person can be called: a name that has
# two components more, put where a code should be, has a given name for a system.
_SYSTEM = re.compile(
    r"https?://[A-Za-z0-9._/-]{3,120}|urn:oid:[0-9.]{3,120}|urn:hl7-table:0396:(99[A-Za-z0-9_.-]{1,18}|HL7[0-9]{4})"
)
_CODE = re.compile(r"(?!.*[0-9]{6})(?![0-9]+[./-][0-9]+([./-][0-9]+)?$)[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
_FORMS = {
    codings.ATC: re.compile(r"[A-V][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?"),
    codings.CIP: re.compile(r"34009[0-9]{8}"),
    codings.CIS: re.compile(r"6[0-9]{7}"),
    codings.CVX: re.compile(r"[0-9]{1,3}"),
    codings.GTIN: re.compile(r"0?34009[0-9]{8}"),
    codings.ICD_11: re.compile(r"[0-9A-Z][A-Z][0-9][0-9A-Z]{1,3}(\.[0-9A-Z]{1,2})?"),
    codings.INTERPRETATION: re.compile(r"[A-Z<>]{1,3}"),
    codings.LOINC: re.compile(r"(LA|LP)?[0-9]{3,6}-[0-9]"),
    codings.EU_REGISTER: re.compile(r"EU/[0-9]/[0-9]{2}/[0-9]{3,4}(/[0-9]{1,3})?"),
    EMA_ORGANISATION: re.compile(r"ORG-[0-9]{9}"),
}
# SNOMED CT, SCTID: the two digits before the last are 00 or 10 for a concept, and the last is Verhoeff's check digit.
_SCTID = re.compile(r"[1-9][0-9]{2,14}[01]0[0-9]")
# What a day without signs between its parts looks like, and a matricule (INS) with its key or without: they are numbers
# of persons before they are rare concepts.
_OF_A_PERSON = re.compile(
    r"(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])|(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])(19|20)[0-9]{2}|[1-478][0-9]{12}([0-9]{2})?"
)


def shown(coding: Coding) -> str:
    """A coding for a message, as ``cvx:208``; a code that does not look like one of its system is left out."""
    system = codings.system_of(coding)
    name = _NAMES.get(system)
    if name == "local":
        return "a code without a system"
    if name is None:
        name = system if _SYSTEM.fullmatch(system) else "another system"
    return f"{name}:{coding.code}" if _looks_right(system, coding) else f"a code of {name}"


def _looks_right(system: str, coding: Coding) -> bool:
    code = coding.code
    if system == codings.SNOMED_CT:
        return _SCTID.fullmatch(code) is not None and _is_verhoeff(code) and not _is_of_a_person(code)
    if (form := _FORMS.get(system)) is not None:
        return form.fullmatch(code) is not None
    if system in _NAMES:  # whose codes have no form of their own: those that are known
        return codings.named(system, code).display is not None
    return _SYSTEM.fullmatch(system) is not None and _CODE.fullmatch(code) is not None


def _is_of_a_person(code: str) -> bool:
    return _OF_A_PERSON.fullmatch(code) is not None and codings.named(codings.SNOMED_CT, code).display is None


# Verhoeff's check: the product in the dihedral group of order 10, and the permutation that each place applies.
_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _is_verhoeff(digits: str) -> bool:
    check, permuted = 0, list(range(10))
    for digit in reversed(digits):
        check = _product(check, permuted[int(digit)])
        permuted = [_PERMUTED[one] for one in permuted]
    return check == 0


def _product(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5
