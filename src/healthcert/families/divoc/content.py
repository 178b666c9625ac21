"""What a DIVOC certificate says, as far as its proof tells it.

The contexts of DIVOC give several members one meaning: the numbers of the dose and of all doses are both "a dose
value", vaccine, manufacturer, batch and certificate are all "an identifier". What is signed is that there are these
values and not which is which: whoever holds the certificate can exchange them. Where the values themselves tell (a
first dose of two cannot be a second of one, only a date has a time), they are held against that. Product,
manufacturer and batch of a dose, and type, disease, origin, batch and manufacturer of a test, are texts like any other:
they are shown in the places that they stand in, and nothing is decided by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from healthcert.codings import ICD_11, named
from healthcert.encoding.jsonld import same_terms
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.divoc.document import Signed
from healthcert.families.protocol import Finding
from healthcert.model import Coding, Event, Holder, Private, TestResult, Vaccination

_MOST_DOSES = 99
# What issuers write for want of a value.
_NOTHING = frozenset(("", "-"))
_COUNTRY = re.compile(r"[A-Z]{2,3}")
# ICD-11 Reference Guide §2.4: an extension code of medicaments (XM...), or a stem code.
_ICD_11 = re.compile(r"X[A-Z][0-9A-Z]{4}|[0-9A-Z][A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,3})?")
_BORN = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_DAY_SIZE = len("2021-03-03")
_MOMENTS = ("sampleCollectionTimestamp", "resultTimestamp")
# What has a place of its own in the model.
_IN_VACCINATION = (
    *("type", "certificateId", "batch", "vaccine", "manufacturer", "dose", "totalDoses", "icd11Code", "prophylaxis"),
)
_IN_TEST = ("type", "certificateId", "disease", "testType", "testName", "result")
_LINKS = ("id", "feedbackUrl", "infoUrl")
_IDENTIFIERS = ("batch", "vaccine", "manufacturer", "icd11Code", "testType", "disease", "sampleOrigin", "result")


class Content(Private, frozen=True):
    """What was read. ``version`` is the context that gives the members their meaning, by the first of its names."""

    version: str
    holder: Holder
    events: tuple[Event, ...]
    findings: tuple[Finding, ...]


def read_content(signed: Signed) -> Content:
    """The health data in what is signed.

    Raises :class:`VerificationError`: ``NO_ENTRY``, and ``SCHEMA_VALIDATION_FAILED`` for a person without a name or
    that the proof does not cover, for values that are none of their member, and for values that were exchanged.
    """
    if not signed.covers_person:
        raise _invalid("credentialSubject.id: not a URI, so that the proof does not cover what is said of the person")
    if not signed.entries:
        raise VerificationError(Code.NO_ENTRY, "evidence: no entry", Step.CONTENT)
    findings: list[Finding] = []
    if signed.issued is None:
        # Verifiable Credentials Data Model 1.0 §4.6: it must be there.
        findings.append(Finding(Code.FIELD_MISSING, Step.CONTENT, "issuanceDate: missing"))
    holder = _holder(signed.person, findings)
    read = _test if signed.test else _vaccination
    events = tuple([read(entry, findings) for entry in signed.entries])
    return Content(same_terms(signed.context), holder, events, tuple(findings))


def _holder(person: Mapping[str, Any], findings: list[Finding]) -> Holder:
    name = _text(person, "name")
    if name is None:
        raise _invalid("credentialSubject.name: missing or empty")
    # Two words for one thing; where both are there, either may be meant.
    words = {word for word in (_text(person, "gender"), _text(person, "sex")) if word}
    born = _text(person, "dob")
    other = _others(person, "type", "name", "dob", "nationality", *(("gender", "sex") if len(words) < 2 else ()))
    if born is not None and len(born) > _DAY_SIZE and _moment(born) is not None:
        findings.append(Finding(Code.DATE_WITH_TIME, Step.CONTENT, "credentialSubject.dob: with a time of day"))
        born = born[:_DAY_SIZE]
    if born is not None and not _is_birth_date(born):
        raise _invalid("credentialSubject.dob: not a day, a month or a year")
    return Holder(
        full_name=name,
        sex=Coding("", words.pop()) if len(words) == 1 else None,
        birth_date=born or "",
        nationality=_text(person, "nationality"),
        other=other,
    )


def _vaccination(entry: Mapping[str, Any], findings: list[Finding]) -> Vaccination:
    dose, series = _doses(entry, findings)
    code, name = _text(entry, "icd11Code"), _text(entry, "prophylaxis")
    vaccine = Coding("", name) if name else None
    if code is not None:
        vaccine = named(ICD_11, code, name) if _ICD_11.fullmatch(code) else Coding("", code, name)
    facility = entry.get("facility", {})
    return Vaccination(
        vaccine=vaccine,
        product=_word(entry, "vaccine"),
        manufacturer=_word(entry, "manufacturer"),
        dose=dose,
        series=series,
        date=_day(entry, findings),
        country=_country(facility),
        certificate_id=_certificate_id(entry, findings),
        batch=_text(entry, "batch"),
        centre=_text(facility, "name"),
        clinician=_text(entry.get("verifier", {}), "name"),
        other=_others(entry, *_IN_VACCINATION, *(("date",) if len(entry.get("date", "")) <= _DAY_SIZE else ())),
    )


def _test(entry: Mapping[str, Any], findings: list[Finding]) -> TestResult:
    result = _text(entry, "result")
    if result is None:
        raise _invalid("evidence.result: missing or empty")
    sampled, resulted = (_at(entry, name, findings) for name in _MOMENTS)
    # Both are "a moment" to the proof. A result before its sample is one whose moments were exchanged.
    if sampled is not None and resulted is not None and _comparable(resulted) < _comparable(sampled):
        raise _invalid("evidence: the result is older than the sample, and the proof does not tell the two apart")
    facility = entry.get("facility", {})
    zoned = sampled is not None and sampled.tzinfo is not None
    placed: tuple[str, ...] = ("sampleCollectionTimestamp",) if zoned else ()
    if resulted is not None and resulted.tzinfo is not None:
        placed += ("resultTimestamp",)
    return TestResult(
        disease=_word(entry, "disease"),
        test_type=_word(entry, "testType"),
        sampled_at=sampled if zoned else None,
        sampled_on=sampled.date() if sampled is not None and not zoned else None,
        result=Coding("", result),
        name=_text(entry, "testName"),
        centre=_text(facility, "name"),
        country=_country(facility),
        certificate_id=_certificate_id(entry, findings),
        resulted_at=resulted if "resultTimestamp" in placed else None,
        other=_others(entry, *_IN_TEST, *placed),
    )


def _doses(entry: Mapping[str, Any], findings: list[Finding]) -> tuple[int | None, int | None]:
    """The number of the dose, and of all doses; None where it is not there or cannot be told."""
    dose, series = _number(entry, "dose"), _number(entry, "totalDoses")
    if dose is not None and series is not None and dose > series:
        detail = "evidence.dose: greater than totalDoses, and the proof does not tell the two apart; neither is read"
        findings.append(Finding(Code.DOSE_OUT_OF_RANGE, Step.CONTENT, detail))
        return None, None
    return dose, series


def _number(entry: Mapping[str, Any], name: str) -> int | None:
    value = entry.get(name)
    if isinstance(value, str):
        if value in _NOTHING:
            return None
        value = int(value) if value.isascii() and value.isdecimal() and len(value) <= len(str(_MOST_DOSES)) else 0
    if value is not None and not 1 <= value <= _MOST_DOSES:
        raise _invalid(f"evidence.{name}: not a whole number from 1 to {_MOST_DOSES}")
    return value


def _day(entry: Mapping[str, Any], findings: list[Finding]) -> date | None:
    """The day of the dose; None where it is not there or cannot be told from those of its effect."""
    given = _text(entry, "date")
    if given is None:
        findings.append(Finding(Code.FIELD_MISSING, Step.CONTENT, "evidence.date: missing"))
        return None
    moment = _moment(given)
    if moment is None:
        raise _invalid("evidence.date: neither a day nor a moment")
    effects = [text for name in ("effectiveStart", "effectiveUntil") if (text := _text(entry, name)) is not None]
    # All three are "a date" to the proof. DIVOC writes the moment of the dose and the days of its effect, which tells
    # them apart; so it does that they are all of one day.
    by_time = len(given) > _DAY_SIZE and all(len(text) <= _DAY_SIZE for text in effects)
    if not by_time and any(text[:_DAY_SIZE] != given[:_DAY_SIZE] for text in effects):
        detail = "evidence.date: the proof does not tell it from effectiveStart and effectiveUntil; it is not read"
        findings.append(Finding(Code.FIELD_MISSING, Step.CONTENT, detail))
        return None
    return moment.date()


def _certificate_id(entry: Mapping[str, Any], findings: list[Finding]) -> str | None:
    """The number that the certificate is known and revoked by.

    It is "an identifier" to the proof like the batch. The links to the certificate end with it, and are told apart.
    """
    number = _text(entry, "certificateId")
    if number is None:
        findings.append(Finding(Code.FIELD_MISSING, Step.CONTENT, "evidence.certificateId: missing"))
    links = [text for name in _LINKS if (text := _text(entry, name)) is not None]
    others = [text for name in _IDENTIFIERS if (text := _text(entry, name)) is not None]
    for link in links:
        if (number is None or not link.endswith(number)) and any(link.endswith(other) for other in others):
            raise _invalid("evidence.certificateId: exchanged with another member, by what the links of the entry say")
    return number


def _country(facility: Mapping[str, Any]) -> str | None:
    country = _text(facility.get("address", {}), "addressCountry")
    return country if country is not None and _COUNTRY.fullmatch(country) else None


def _word(members: Mapping[str, Any], name: str) -> Coding | None:
    """A thing that has a name and no code."""
    text = _text(members, name)
    return None if text is None else Coding("", text)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    """A text; None where there is none, or what issuers write for want of one."""
    value = members.get(name)
    if isinstance(value, int):
        return str(value)
    return value.strip() if isinstance(value, str) and value.strip() not in _NOTHING else None


def _at(entry: Mapping[str, Any], name: str, findings: list[Finding]) -> datetime | None:
    text = _text(entry, name)
    if text is None:
        return None
    moment = _moment(text)
    if moment is None or len(text) <= _DAY_SIZE:
        raise _invalid(f"evidence.{name}: not a moment")
    if moment.tzinfo is None:
        findings.append(Finding(Code.TIME_WITHOUT_ZONE, Step.CONTENT, f"evidence.{name}: no time zone"))
    return moment


def _comparable(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text.isascii() and text[4:5] == text[7:8] == "-" else None
    except ValueError:
        return None


def _is_birth_date(text: str) -> bool:
    try:
        return bool(_BORN.fullmatch(text) and date.fromisoformat((text + "-01-01")[:_DAY_SIZE]))
    except ValueError:
        return False


def _others(members: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """What has no place of its own, that of verifier and facility included."""
    others = {name: value for name, value in members.items() if name not in known}
    if "verifier" in others:
        others["verifier"] = _others(others["verifier"], "name")
    if "facility" in others:
        facility = _others(others["facility"], "name")
        if "address" in facility and _country(facility) is not None:
            facility["address"] = _others(facility["address"], "addressCountry")
        others["facility"] = _others(facility)
    return {name: value for name, value in others.items() if value != {}}


def _invalid(detail: str) -> VerificationError:
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)
