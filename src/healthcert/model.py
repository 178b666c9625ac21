"""Health certificates, whatever family they came in.

These values say what a person was certified, in one vocabulary for every family. Each family's module
translates between them and its wire format, and keeps what has no place here in ``other``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum, unique
from typing import Any, ClassVar, NoReturn, Self

from msgspec import Struct, field

Day = date  # for the classes that have a field of that name


@unique
class EntryType(StrEnum):
    """What a certificate is about. A DSC may be limited to some of them."""

    VACCINATION = "vaccination"
    TEST = "test"
    RECOVERY = "recovery"
    EXEMPTION = "exemption"

    __hash__ = str.__hash__  # Enum's own is a function in Python, and types are looked up for every certificate


ALL_ENTRY_TYPES = frozenset(EntryType)


class Private(Struct, frozen=True):
    """A value that may hold personal data. Its repr tells its kind alone: a repr ends in logs and tracebacks."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Scan(str):
    """The text of a barcode, which remembers the bytes that the barcode held.

    Most certificates are text; some are bytes (a DIVOC archive), of which a scanner makes whatever text it can.
    ``data`` are those bytes. A text without them, as it comes from a file, is a plain ``str``.
    """

    __slots__ = ("data",)
    data: bytes

    def __new__(cls, text: str, data: bytes) -> Self:
        scan = super().__new__(cls, text)
        scan.data = data
        return scan

    def __getnewargs__(self) -> tuple[str, bytes]:  # type: ignore[override]  # str takes its text alone
        return str(self), self.data

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The scan of bytes that no scanner made a text of: UTF-8 where they are that, each byte a character else."""
        try:
            return cls(data.decode("utf-8"), data)
        except UnicodeDecodeError:
            return cls(data.decode("latin-1"), data)


class NoTruth(Struct, frozen=True):
    """Neither true nor false: ``if report`` would accept every certificate."""

    def __bool__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} has no truth value; ask for what you mean, e.g. .outcome")


class Coding(Struct, frozen=True):
    """A code of a code system: ``Coding("http://snomed.info/sct", "840539006", "COVID-19")``.

    ``system`` is the URI of the code system (empty where the family names none), ``display`` a name for people.
    Two codings are equal when system and code are.
    """

    system: str
    code: str
    display: str | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coding):
            return NotImplemented
        return self.code == other.code and self.system == other.system

    def __hash__(self) -> int:
        return hash((self.system, self.code))

    def __str__(self) -> str:
        return self.display or self.code


class Holder(Private, frozen=True):
    """The person a certificate is about. At least one name is present, but where only a link is certified.

    ``birth_date`` is ISO 8601 text and may be partial: ``1964``, ``1964-08``, ``1964-08-12``, or empty when unknown.
    The ``*_icao`` names are those of the machine-readable zone (ICAO Doc 9303-3): ``A-Z`` and ``<``. ``full_name``
    is for families that do not tell given from family names.
    """

    family_name: str | None = None
    given_name: str | None = None
    birth_date: str = ""
    family_name_icao: str | None = None
    given_name_icao: str | None = None
    full_name: str | None = None
    sex: Coding | None = None
    nationality: str | None = None
    document_number: str | None = None
    guardian: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Given and family name for people, or the transliterated ones where only those exist."""
        names = [self.given_name, self.family_name]
        if not any(names):
            names = [self.full_name]
        if not any(names):
            names = [(n or "").replace("<", " ").strip() for n in (self.given_name_icao, self.family_name_icao)]
        return " ".join(n for n in names if n)


class Vaccination(Private, frozen=True, kw_only=True):
    """One dose. ``dose`` counts from 1; ``series`` is the number of doses of the full series, which boosters exceed.

    A family that does not tell a coding, a number or the day leaves it None; an EU DCC has all of them. Where only the
    year or the month is told, that is in ``partial_date`` (``2021-06``).
    """

    disease: Coding | None = None
    vaccine: Coding | None = None
    product: Coding | None = None
    manufacturer: Coding | None = None
    dose: int | None = None
    series: int | None = None
    date: Day | None = None
    partial_date: str | None = None
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    batch: str | None = None
    centre: str | None = None
    clinician: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.VACCINATION

    @property
    def day(self) -> Day | None:
        """The day of the dose."""
        return self.date

    def lies_after(self, moment: datetime) -> bool:
        """Whether it is known that the day of the dose had not come anywhere on earth at ``moment``."""
        day = self.date or _earliest(self.partial_date)
        return day is not None and _comes_after(day, moment)


class TestResult(Private, frozen=True, kw_only=True):
    """One test. ``sampled_at`` has a time zone; ``name`` and ``device`` tell which test it was.

    A family that tells the day of the sample and no more has it in ``sampled_on`` instead, or in ``partial_date`` where
    only the year or the month is told (``2021-06``); an EU DCC tells the moment.
    """

    __test__: ClassVar[bool] = False  # Not a test case, whatever a test runner may think of the name.

    disease: Coding | None = None
    test_type: Coding | None = None
    sampled_at: datetime | None = None
    sampled_on: Day | None = None
    partial_date: str | None = None
    result: Coding
    name: str | None = None
    device: Coding | None = None
    centre: str | None = None
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    resulted_at: datetime | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.TEST

    @property
    def day(self) -> Day | None:
        """The day of the sample, where it was taken."""
        return self.sampled_on if self.sampled_at is None else self.sampled_at.date()

    def lies_after(self, moment: datetime) -> bool:
        """Whether it is known that the sample was taken after ``moment``."""
        if self.sampled_at is not None:
            return self.sampled_at > moment
        day = self.sampled_on or _earliest(self.partial_date)
        return day is not None and _comes_after(day, moment)


class Recovery(Private, frozen=True, kw_only=True):
    """A past infection, and the days from and until which the certificate may be used."""

    disease: Coding
    first_positive: date
    valid_from: date
    valid_until: date
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.RECOVERY

    @property
    def day(self) -> Day:
        """The day of the first positive test."""
        return self.first_positive

    def lies_after(self, moment: datetime) -> bool:
        """Whether the day of the first positive test had not come anywhere on earth at ``moment``."""
        return _comes_after(self.first_positive, moment)


class Exemption(Private, frozen=True, kw_only=True):
    """That a person need not be vaccinated, until a day and for a reason that is not told."""

    disease: Coding
    valid_until: date
    country: str | None = None
    issuer: str | None = None
    certificate_id: str | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry_type(self) -> EntryType:
        return EntryType.EXEMPTION

    def lies_after(self, moment: datetime) -> bool:
        """Never: an exemption has no event whose day could be still to come."""
        return False


Event = Vaccination | TestResult | Recovery | Exemption

# The zone where a day begins first: a date that has not come there has come nowhere.
_EARLIEST_ZONE = timezone(timedelta(hours=14))


def _earliest(partial: str | None) -> date | None:
    """The first day that a year, or a month of it, can mean."""
    return None if partial is None else date.fromisoformat(partial + "2000-01-01"[len(partial) :])


def _comes_after(day: date, moment: datetime) -> bool:
    if day < moment.date():  # nearly always; in every zone the day has then come
        return False
    try:
        return day > moment.astimezone(_EARLIEST_ZONE).date()
    except OverflowError:  # the last hours of the year 9999
        return False


class HealthCertificate(Private, frozen=True, kw_only=True):
    """What a signed certificate says, in terms that do not depend on its family.

    ``issuer`` is the signer's own claim of who it is (a country code, a URL); who signed is in the report's ``key``.
    ``identifiers`` name this certificate for revocation. ``links`` lead to further health data that is not part of
    the certificate. ``raw`` is the payload as received, nothing left out (a link is put into a map). One signature may
    cover several: ``beside`` holds the others, each with its own holder, who may be somebody else; ``other`` what of
    them is not known here, or not accepted, by its number.
    """

    family: str
    version: str
    holder: Holder
    events: tuple[Event, ...]
    issuer: str | None
    issued_at: datetime | None
    expires_at: datetime | None
    identifiers: tuple[str, ...]
    links: tuple[str, ...] = ()
    beside: tuple[HealthCertificate, ...] = ()
    raw: Mapping[str, Any]
    other: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        kinds = ", ".join(event.entry_type for event in self.events)
        return f"HealthCertificate(family={self.family!r}, {kinds})"
