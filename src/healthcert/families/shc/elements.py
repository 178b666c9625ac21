"""What is read of the resources of a card, typed (FHIR R4). Of a member that may be absent, None says that it is.

Members that are not named here are kept by the caller from the raw resource; nothing is dropped on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from healthcert.codings import named
from healthcert.families.hcert.content import explain
from healthcert.families.shc.bundle import Resource, invalid
from healthcert.model import Coding, Private

# FHIR R4, dateTime and instant: as much of a date as is known; a time has seconds and a zone. Zones are left out
# in the field.
_DATE = r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_ZONE = r"Z|[+-][0-9]{2}:[0-9]{2}"
_DATE_TIME = re.compile(rf"({_DATE})(?:T({_TIME})({_ZONE})?)?", re.ASCII)
_FULL_DATE = len("YYYY-MM-DD")
_SECONDS, _MICROSECONDS = len("HH:MM:SS"), 6

DateTime = Annotated[str, Meta(pattern=rf"\A{_DATE}(T{_TIME}({_ZONE})?)?\Z")]
PositiveInt = Annotated[int, Meta(ge=1)]
T = TypeVar("T", bound=msgspec.Struct)


class Code(Private, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Private, frozen=True):
    coding: tuple[Code, ...] = ()
    text: str | None = None

    def codings(self) -> tuple[Coding, ...]:
        """Its codes; its text where it has no code."""
        found = tuple([named(one.system or "", one.code, one.display) for one in self.coding if one.code])
        return found if found or not self.text else (Coding("", self.text),)


class Identifier(Private, frozen=True):
    system: str | None = None
    value: str | None = None


class Reference(Private, frozen=True):
    reference: str | None = None
    identifier: Identifier = Identifier()
    display: str | None = None

    def coding(self) -> Coding | None:
        """What is named by an identifier or in words."""
        if self.identifier.value:
            return named(self.identifier.system or "", self.identifier.value, self.display)
        return Coding("", self.display) if self.display else None


class HumanName(Private, frozen=True):
    use: str | None = None
    family: str | None = None
    given: tuple[str, ...] = ()
    text: str | None = None


class Patient(Private, frozen=True, rename="camel"):
    name: tuple[HumanName, ...] = ()
    birth_date: Annotated[str, Meta(pattern=rf"\A{_DATE}\Z")] | None = None
    gender: str | None = None


class Performer(Private, frozen=True):
    actor: Reference = Reference()


class Protocol(Private, frozen=True, rename="camel"):
    target_disease: tuple[Concept, ...] = ()
    dose_number_positive_int: PositiveInt | None = None
    series_doses_positive_int: PositiveInt | None = None


class Immunization(Private, frozen=True, rename="camel"):
    vaccine_code: Concept
    patient: Reference = Reference()
    occurrence_date_time: DateTime | None = None
    occurrence_string: str | None = None
    location: Reference = Reference()
    manufacturer: Reference = Reference()
    lot_number: str | None = None
    is_subpotent: bool = False
    performer: tuple[Performer, ...] = ()
    protocol_applied: tuple[Protocol, ...] = ()


class Period(Private, frozen=True):
    start: DateTime | None = None


class Observation(Private, frozen=True, rename="camel"):
    code: Concept
    category: tuple[Concept, ...] = ()
    subject: Reference = Reference()
    effective_date_time: DateTime | None = None
    effective_instant: DateTime | None = None
    effective_period: Period | None = None
    issued: DateTime | None = None
    performer: tuple[Reference, ...] = ()
    value_codeable_concept: Concept | None = None
    value_string: str | None = None
    interpretation: tuple[Concept, ...] = ()
    device: Reference = Reference()


class When(Private, frozen=True):
    """A FHIR dateTime: the day where it is known, else ``partial``; the moment where a time with its zone is."""

    day: date | None
    moment: datetime | None = None
    zoneless: bool = False
    partial: str | None = None


def typed(resource: Resource, struct: type[T]) -> T:
    """The resource as ``struct``. Raises :class:`VerificationError` for a member of another type."""
    try:
        return msgspec.convert(resource.content, struct)
    except msgspec.ValidationError as error:
        raise invalid(f"{resource.where}: {explain(error)}") from None


def when(given: str, where: str) -> When:
    """The day or moment of a text that has the form of one. Raises :class:`VerificationError` where there is none."""
    try:
        if len(given) == _FULL_DATE:  # nearly always
            return When(date.fromisoformat(given))
        match = _DATE_TIME.fullmatch(given)
        if match is None:
            raise ValueError("another form")
        day, time, zone = match.groups()
        known = date.fromisoformat(f"{day}-01-01"[:_FULL_DATE])
        if time is None:
            return When(known) if len(day) == _FULL_DATE else When(None, partial=day)
        # Python reads up to six places after the point, FHIR has any number.
        fraction = time[_SECONDS + 1 :][:_MICROSECONDS].ljust(_MICROSECONDS, "0")
        moment = datetime.fromisoformat(f"{day}T{time[:_SECONDS]}.{fraction}{zone or ''}")
    except ValueError:
        raise invalid(f"{where}: no such date in the calendar") from None
    return When(known, moment if zone else None, zoneless=zone is None)


def rest(content: Mapping[str, Any], known: frozenset[str], **partly: bool) -> dict[str, Any]:
    """What ``content`` has beside the ``known`` members, and those of them that were read only ``partly``."""
    if not any(partly.values()) and content.keys() <= known:  # often
        return {}
    return {name: value for name, value in content.items() if partly.get(name, name not in known)}
