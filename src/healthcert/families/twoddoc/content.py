"""From the fields of a 2D-Doc to the family-neutral model: type L1, a vaccination, and type B2, a test for COVID-19."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from healthcert.codings import ATC, COVID_19, LOINC, TWODDOC_RESULT, named
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.protocol import Finding
from healthcert.families.twoddoc.dates import read_birth_date, read_day, read_moment
from healthcert.families.twoddoc.fields import Fields
from healthcert.model import Coding, Holder, TestResult, Vaccination

GENDER = "http://hl7.org/fhir/administrative-gender"
DISEASE, PRODUCT, MANUFACTURER = (f"urn:2d-doc:{name}" for name in ("L3", "L5", "L6"))
"""The systems of names that the specification leaves to the issuer; the code is the name as it is written."""

COVID = "COVID-19"
RESULTS = {"P": "Positive", "N": "Negative", "I": "Indeterminate", "X": "Sample not compliant"}
SEXES = {"M": Coding(GENDER, "male", "Male"), "F": Coding(GENDER, "female", "Female"), "U": None}
CYCLES = {"TE": "complete", "CO": "ongoing"}

_DIGIT = re.compile(r"[0-9]", re.ASCII)
_ATC_CODE = re.compile(r"[A-Z][0-9]{2}(?:[A-Z]{1,2}(?:[0-9]{2})?)?", re.ASCII)
_LOINC_CODE = re.compile(r"([1-9][0-9]{0,4})-([0-9])|([1-9][0-9]{4})([0-9])", re.ASCII)


def read_vaccination(fields: Fields, findings: list[Finding]) -> tuple[Holder, Vaccination]:
    """Holder and dose of a document of type L1.

    Raises :class:`VerificationError` (``SCHEMA_VALIDATION_FAILED``) where there is no name or product, or a date or
    number is none.
    """
    read = _Reader(fields, findings)
    holder = read.holder("L0", "L1", "L2")
    cycle = read.text("LA")
    if cycle is not None and cycle not in CYCLES:
        read.note(Code.UNKNOWN_CODE, "LA: not a state of a cycle")
    vaccine = read.text("L4")
    if vaccine is not None and not _ATC_CODE.fullmatch(vaccine):
        read.note(Code.UNKNOWN_CODE, "L4: not in the form of an ATC code")
    event = Vaccination(
        disease=_disease(read.text("L3")),
        vaccine=None if vaccine is None else named(ATC, vaccine),
        product=_named(PRODUCT, read.text("L5")),
        manufacturer=_named(MANUFACTURER, read.text("L6")),
        dose=read.number("L7"),
        series=read.number("L8"),
        date=read.day("L9"),
        # L8 doses need not have been given: who has recovered needs fewer, and TE says so.
        other=read.others({"cycle": cycle}),
    )
    if event.vaccine is None and event.product is None:
        raise _invalid("neither L4 nor L5 says what was given")
    return holder, event


def read_test(fields: Fields, findings: list[Finding]) -> tuple[Holder, TestResult]:
    """Holder and result of a document of type B2. Raises like :func:`read_vaccination`, also without a result."""
    read = _Reader(fields, findings)
    sex = read.text("F3")
    if sex is not None and sex not in SEXES:
        read.note(Code.UNKNOWN_CODE, "F3: not one of M, F and U")
    holder = read.holder("F1", "F0", "F2", sex=SEXES.get(sex or "U"))
    result = read.text("F5")
    if result is None:
        raise _invalid("F5: is missing")
    sampled_at = None
    if (moment := read.text("F6")) is not None:
        sampled_at = read_moment(moment)
        if sampled_at is None:
            raise _invalid("F6: no moment that a calendar has")
        # Departments overseas have other hours, and nothing says which clock was read.
        read.note(Code.TIME_WITHOUT_ZONE, "F6: taken to be the time in metropolitan France")
    event = TestResult(
        disease=COVID_19,  # 2D-Doc specification, annex of types: B2 is "Test COVID"
        test_type=read.loinc("F4"),
        sampled_at=sampled_at,
        result=Coding(TWODDOC_RESULT, result, RESULTS.get(result)),
        other=read.others({}),
    )
    return holder, event


class _Reader:
    """Fields by name, with a note of what is missing, or not as it should be."""

    def __init__(self, fields: Fields, findings: list[Finding]) -> None:
        self._values = fields.values
        self._truncated = fields.truncated
        self._findings = findings
        self._read: set[str] = set()

    def text(self, name: str) -> str | None:
        """The value; None, and a note of it, where there is none: every field of both types is mandatory."""
        self._read.add(name)
        value = self._values.get(name, "").strip()
        if not value:
            self.note(Code.FIELD_MISSING, f"{name}: is missing")
        return value or None

    def number(self, name: str) -> int | None:
        value = self.text(name)
        if value is not None and not _DIGIT.fullmatch(value):
            raise _invalid(f"{name}: not a digit")
        return None if value is None else int(value)

    def day(self, name: str) -> Any:
        value = self.text(name)
        if value is None:
            return None
        if (found := read_day(value)) is None:
            raise _invalid(f"{name}: no day that a calendar has")
        return found

    def loinc(self, name: str) -> Coding | None:
        """A LOINC code, which documents write with its hyphen or without.

        Without, one that lacks its check digit could pass for a shorter one, so only those of full length are taken.
        """
        value = self.text(name)
        if value is None:
            return None
        found = _LOINC_CODE.fullmatch(value)
        number, digit = (found[1] or found[3], found[2] or found[4]) if found else ("", "")
        if not number or _check_digit(number) != digit:
            self.note(Code.UNKNOWN_CODE, f"{name}: not a LOINC code with its check digit")
            return Coding(LOINC, value)
        return named(LOINC, f"{number}-{digit}")

    def holder(self, family: str, given: str, born: str, *, sex: Coding | None = None) -> Holder:
        family_name, given_name = self.text(family), self.text(given)
        if family_name is None and given_name is None:
            raise _invalid(f"neither {family} nor {given} says who it is about")
        birth_date = ""
        if (value := self.text(born)) is not None:
            found = read_birth_date(value)
            if found is None:
                raise _invalid(f"{born}: no date that a calendar has")
            birth_date = found
        # 2D-Doc specification: a solidus stands between several first names.
        names = given_name and given_name.replace("/", " ")
        return Holder(family_name=family_name, given_name=names, birth_date=birth_date, sex=sex)

    def others(self, values: Mapping[str, str | None]) -> dict[str, Any]:
        """What the model has no place for: the given values, other fields, and which of all were cut short."""
        other: dict[str, Any] = {name: value for name, value in self._values.items() if name not in self._read}
        other |= {name: value for name, value in values.items() if value is not None}
        if self._truncated:
            other["truncated"] = self._truncated
        return other

    def note(self, code: Code, detail: str) -> None:
        self._findings.append(Finding(code, Step.CONTENT, detail))


def _disease(name: str | None) -> Coding | None:
    return COVID_19 if name == COVID else _named(DISEASE, name)


def _named(system: str, name: str | None) -> Coding | None:
    return None if name is None else Coding(system, name, name)


def _check_digit(number: str) -> str:
    """The last digit of a LOINC code, by the algorithm mod 10 (LOINC Users' Guide, Appendix C)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = sum(divmod(2 * digit, 10)[0] + 2 * digit % 10 for digit in digits[::2])
    return str(-(doubled + sum(digits[1::2])) % 10)


def _invalid(detail: str) -> VerificationError:
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)
