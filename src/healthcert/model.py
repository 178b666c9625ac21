"""Health certificates, whatever family they came in.

These values say what a person was certified, in one vocabulary for every family. Each family's module
translates between them and its wire format, and keeps what has no place here in ``other``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum, unique
from typing import Any

Day = date  # for the classes that have a field of that name


@unique
class EntryType(StrEnum):
    """What a certificate is about. A DSC may be limited to some of them."""

    VACCINATION = "vaccination"
    TEST = "test"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a code system: ``Coding("http://snomed.info/sct", "840539006", "COVID-19")``.

    ``system`` is the URI of the code system (empty where the family names none), ``display`` a name for people.
    Two codings are equal when system and code are.
    """

    system: str
    code: str
    display: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.display or self.code


@dataclass(frozen=True, slots=True)
class Holder:
    """The person a certificate is about. At least one name is present.

    ``birth_date`` is ISO 8601 text and may be partial: ``1964``, ``1964-08``, ``1964-08-12``, or empty when unknown.
    The ``*_icao`` names are those of the machine-readable zone (ICAO Doc 9303-3): ``A-Z`` and ``<``.
    """

    family_name: str | None = None
    given_name: str | None = None
    birth_date: str = ""
    family_name_icao: str | None = None
    given_name_icao: str | None = None
    sex: Coding | None = None
    document_number: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """Given and family name for people, or the transliterated ones where only those exist."""
        names = [self.given_name, self.family_name]
        if not any(names):
            names = [(n or "").replace("<", " ").strip() for n in (self.given_name_icao, self.family_name_icao)]
        return " ".join(n for n in names if n)

    def __repr__(self) -> str:
        return "Holder(...)"  # A repr ends in logs and tracebacks; a name must not.


@dataclass(frozen=True, slots=True, kw_only=True)
class Vaccination:
    """One dose. ``dose`` counts from 1; ``series`` is the number of doses of the full series, which boosters exceed."""

    disease: Coding
    vaccine: Coding
    product: Coding
    manufacturer: Coding
    dose: int
    series: int
    date: date
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    batch: str | None = None
    centre: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.VACCINATION

    @property
    def day(self) -> Day:
        """The day of the dose."""
        return self.date

    def lies_after(self, moment: datetime) -> bool:
        """Whether the day of the dose had not come anywhere on earth at ``moment``."""
        return self.date > _latest_day(moment)

    def __repr__(self) -> str:
        return "Vaccination(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One test. ``sampled_at`` has a time zone; ``name`` and ``device`` tell which test it was."""

    __test__ = False  # Not a test case, whatever a test runner may think of the name.

    disease: Coding
    test_type: Coding
    sampled_at: datetime
    result: Coding
    name: str | None = None
    device: Coding | None = None
    centre: str | None = None
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    resulted_at: datetime | None = None
    other: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.TEST

    @property
    def day(self) -> Day:
        """The day of the sample, where it was taken."""
        return self.sampled_at.date()

    def lies_after(self, moment: datetime) -> bool:
        """Whether the sample was taken after ``moment``."""
        return self.sampled_at > moment

    def __repr__(self) -> str:
        return "TestResult(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A past infection, and the days from and until which the certificate may be used."""

    disease: Coding
    first_positive: date
    valid_from: date
    valid_until: date
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.RECOVERY

    @property
    def day(self) -> Day:
        """The day of the first positive test."""
        return self.first_positive

    def lies_after(self, moment: datetime) -> bool:
        """Whether the day of the first positive test had not come anywhere on earth at ``moment``."""
        return self.first_positive > _latest_day(moment)

    def __repr__(self) -> str:
        return "Recovery(...)"


Event = Vaccination | TestResult | Recovery

# The zone where a day begins first: a date that has not come there has come nowhere.
_EARLIEST_ZONE = timezone(timedelta(hours=14))


def _latest_day(moment: datetime) -> date:
    try:
        return moment.astimezone(_EARLIEST_ZONE).date()
    except OverflowError:  # the last hours of the year 9999
        return date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCertificate:
    """What a signed certificate says, in terms that do not depend on its family.

    ``issuer`` is the signer's own claim of who it is (a country code, a URL); who signed is in the report's ``key``.
    ``identifiers`` name this certificate for revocation. ``raw`` is the payload as received, nothing left out.
    """

    family: str
    version: str
    holder: Holder
    events: tuple[Event, ...]
    issuer: str | None
    issued_at: datetime | None
    expires_at: datetime | None
    identifiers: tuple[str, ...]
    raw: Mapping[str, Any]

    def __repr__(self) -> str:
        kinds = ", ".join(event.entry_type for event in self.events)
        return f"HealthCertificate(family={self.family!r}, {kinds})"
