"""Vaccinations: the administrations of a VXU^V04 message to doses."""

from __future__ import annotations

import re

from msgspec import Struct, field

from healthcert.codings import LOINC
from healthcert.errors import Code, IssueError, Step
from healthcert.intake.codes import Codes
from healthcert.intake.hl7v2.er7 import Message, Segment
from healthcert.intake.hl7v2.results import refuse_cancelled
from healthcert.intake.hl7v2.values import codings_of, country_of, dated, day
from healthcert.model import Coding, Vaccination

# LOINC: the number of a dose in its series, and how many doses the series has.
_DOSE, _SERIES = Coding(LOINC, "30973-2"), Coding(LOINC, "59782-3")
# HL7 table 0322 (RXA-20): refused, not administered, partially administered.
_NOT_COMPLETE = frozenset(("RE", "NA", "PA"))
_COMPLETE = ("", "CP")
_ACTIONS = ("", "A", "U")  # HL7 table 0206 (RXA-21): added, or updated
# CDC table NIP001 (RXA-9): recorded by who gave the dose; or taken over from another provider, a written record,
# another registry, a birth certificate, a school or an agency. Not: of an unspecified source, and as a parent recalls.
_WRITTEN = frozenset(("00", "02", "03", "05", "06", "07", "08"))
_SOURCES = "NIP001"
_NONE_GIVEN = re.compile(r"0+(\.0*)?")
_NUMBER = re.compile(r"[0-9]{1,4}")


class Administration(Struct):
    """A dose: its RXA, and what follows it until the next one."""

    given: Segment
    common: Segment | None = None
    observations: list[Segment] = field(default_factory=list)


def read_vaccination(message: Message, dose: Administration, codes: Codes) -> Vaccination:
    """The dose. Its lot has no place in an EU DCC, and is left out with the rest that has none.

    Raises :class:`IssueError`: ``RECORD_NOT_FINAL`` for one that was not given in full or whose record was deleted,
    ``RECORD_NOT_SUPPORTED`` for one that was only told, ``CODE_NOT_MAPPED``, ``FIELD_INVALID``.
    """
    given = dose.given
    refuse_cancelled(message, dose.common)
    _refuse_unless_given(message, given)
    _refuse_hearsay(message, given)
    makers = [coding for one in message.repetitions(given[17]) for coding in codings_of(message, one)]
    vaccine = codes.vaccine_of([c for one in message.repetitions(given[5]) for c in codings_of(message, one)], makers)
    return Vaccination(
        disease=vaccine.disease,
        vaccine=vaccine.vaccine,
        product=vaccine.product,
        manufacturer=vaccine.manufacturer,
        dose=_number(message, dose, _DOSE),
        series=_number(message, dose, _SERIES),
        date=day("RXA-3", dated(message, given[3])),
        country=_country(message, given),
    )


def _refuse_unless_given(message: Message, given: Segment) -> None:
    status, action = message.component(given[20], 1), message.component(given[21], 1)
    if (
        status in _NOT_COMPLETE
        or message.repetitions(given[18])
        or _NONE_GIVEN.fullmatch(message.component(given[6], 1))
    ):
        raise _not_final("RXA-6, RXA-18, RXA-20: a dose that was refused, not given, or not given in full")
    if status not in _COMPLETE:
        raise _not_final("RXA-20: CP (complete)")
    if action not in _ACTIONS:
        raise _not_final("RXA-21: A (added) or U (updated); a record that was deleted is none")


def _refuse_hearsay(message: Message, given: Segment) -> None:
    """Raises :class:`IssueError` (``RECORD_NOT_SUPPORTED``) for a dose that nothing written tells of."""
    for repetition in message.repetitions(given[9]):
        parts = [message.text(part) for part in message.components(repetition)] + [""] * 3
        if parts[2] == _SOURCES and parts[0] not in _WRITTEN:
            raise IssueError(
                Code.RECORD_NOT_SUPPORTED, "RXA-9: told later, and not from a written record", Step.CONTENT
            )


def _country(message: Message, given: Segment) -> str | None:
    """Where the dose was given: RXA-28 from 2.6 on, and the address in RXA-11."""
    return country_of("RXA-28, RXA-11", message.component(given[28], 6) or message.component(given[11], 14))


def _number(message: Message, dose: Administration, wanted: Coding) -> int:
    """The whole number that an observation of this code has. Raises :class:`IssueError` where there is no such one."""
    found = set()
    for observation in dose.observations:
        if wanted not in codings_of(message, observation[3]):
            continue
        if message.component(observation[11], 1) not in ("F", "C"):
            raise _not_final("OBX-11: F (final) or C (corrected)")
        value = message.component(observation[5], 1)
        if not _NUMBER.fullmatch(value):
            raise _invalid(f"OBX-5 of {wanted.code}: a whole number; for example 2")
        found.add(int(value))
    if len(found) != 1:
        raise _invalid(f"OBX of {wanted.code}: one number; {'several differ' if found else 'it is missing'}")
    return found.pop()


def _not_final(detail: str) -> IssueError:
    return IssueError(Code.RECORD_NOT_FINAL, detail, Step.CONTENT)


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
