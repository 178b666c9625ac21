"""The resources of FHIR that are read, typed; one struct for R4, R4B and R5, with the members of each."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Raw, field

from healthcert.intake.fhir.elements import (
    Address,
    CodeableReference,
    Concept,
    HumanName,
    Identifier,
    Maker,
    Meta,
    PrimitiveExtensions,
    Reference,
)
from healthcert.model import Private

# A member of type Any is not read: it is only asked whether it is there.


class Resource(Private, frozen=True, rename="camel"):
    """What every resource may have."""

    KIND: ClassVar[str] = "Resource"
    id: str | None = None
    meta: Meta = Meta()
    contained: tuple[dict[str, Any], ...] = ()


class Link(Private, frozen=True):
    type: str | None = None


class Patient(Resource, frozen=True, rename="camel"):
    KIND = "Patient"
    active: bool = True
    name: tuple[HumanName, ...] = ()
    birth_date: str | None = None
    of_birth_date: PrimitiveExtensions = field(name="_birthDate", default=PrimitiveExtensions())
    gender: str | None = None
    deceased_boolean: bool = False
    deceased_date_time: str | None = None
    identifier: tuple[Identifier, ...] = ()
    link: tuple[Link, ...] = ()


class Protocol(Private, frozen=True, rename="camel"):
    """Which dose it was. R4 has a number or words, R4's ``doseNumberString``; R5 a text that should be a number."""

    target_disease: tuple[Concept, ...] = ()
    dose_number_positive_int: int | None = None
    dose_number_string: str | None = None
    dose_number: str | None = None
    series_doses_positive_int: int | None = None
    series_doses_string: str | None = None
    series_doses: str | None = None


class Immunization(Resource, frozen=True, rename="camel"):
    KIND = "Immunization"
    status: str | None = None
    of_status: PrimitiveExtensions = field(name="_status", default=PrimitiveExtensions())
    vaccine_code: Concept = Concept()
    administered_product: CodeableReference = CodeableReference()
    manufacturer: Maker = Maker()
    patient: Reference = Reference()
    occurrence_date_time: str | None = None
    occurrence_string: str | None = None
    primary_source: bool = True
    report_origin: Concept = Concept()
    information_source: CodeableReference = CodeableReference()
    location: Reference = Reference()
    is_subpotent: bool | None = None
    subpotent_reason: tuple[Concept, ...] = ()
    protocol_applied: tuple[Protocol, ...] = ()


class Finding(Resource, frozen=True, rename="camel"):
    """What an observation, or a component of it (which is no resource), says was found. FHIR allows one value."""

    code: Concept = Concept()
    value_codeable_concept: Concept | None = None
    value_string: str | None = None
    value_quantity: Any = None
    value_boolean: Any = None
    value_integer: Any = None
    value_range: Any = None
    value_ratio: Any = None
    value_sampled_data: Any = None
    value_time: Any = None
    value_date_time: Any = None
    value_period: Any = None
    value_attachment: Any = None
    value_reference: Any = None
    data_absent_reason: Any = None
    interpretation: tuple[Concept, ...] = ()


class Observation(Finding, frozen=True, rename="camel"):
    KIND = "Observation"
    status: str | None = None
    of_status: PrimitiveExtensions = field(name="_status", default=PrimitiveExtensions())
    subject: Reference = Reference()
    focus: tuple[Reference, ...] = ()
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Any = None
    effective_timing: Any = None
    performer: tuple[Reference, ...] = ()
    method: Concept = Concept()
    specimen: Reference = Reference()
    device: Reference = Reference()
    has_member: tuple[Reference, ...] = ()
    component: tuple[Finding, ...] = ()


class DiagnosticReport(Resource, frozen=True, rename="camel"):
    KIND = "DiagnosticReport"
    status: str | None = None
    of_status: PrimitiveExtensions = field(name="_status", default=PrimitiveExtensions())
    subject: Reference = Reference()
    effective_date_time: str | None = None
    effective_period: Any = None
    performer: tuple[Reference, ...] = ()
    specimen: tuple[Reference, ...] = ()
    result: tuple[Reference, ...] = ()
    conclusion: str | None = None
    conclusion_code: tuple[Concept, ...] = ()


class Collection(Private, frozen=True, rename="camel"):
    collected_date_time: str | None = None
    collected_period: Any = None


class Specimen(Resource, frozen=True, rename="camel"):
    KIND = "Specimen"
    status: str | None = None
    of_status: PrimitiveExtensions = field(name="_status", default=PrimitiveExtensions())
    subject: Reference = Reference()
    collection: Collection = Collection()


class DeviceName(Private, frozen=True):
    """A name of a device: ``name`` in R4, ``value`` in R5."""

    name: str | None = None
    value: str | None = None
    type: str | None = None


class Device(Resource, frozen=True, rename="camel"):
    KIND = "Device"
    status: str | None = None
    identifier: tuple[Identifier, ...] = ()
    device_name: tuple[DeviceName, ...] = ()
    name: tuple[DeviceName, ...] = ()


class Contact(Private, frozen=True):
    address: Address | None = None


class Organization(Resource, frozen=True, rename="camel"):
    KIND = "Organization"
    identifier: tuple[Identifier, ...] = ()
    name: str | None = None
    address: tuple[Address, ...] = ()
    contact: tuple[Contact, ...] = ()


class Location(Resource, frozen=True, rename="camel"):
    KIND = "Location"
    address: Address | None = None


class PractitionerRole(Resource, frozen=True, rename="camel"):
    KIND = "PractitionerRole"
    organization: Reference = Reference()


class Composition(Resource, frozen=True, rename="camel"):
    KIND = "Composition"
    status: str | None = None
    of_status: PrimitiveExtensions = field(name="_status", default=PrimitiveExtensions())


READ: dict[str, type[Resource]] = {
    kind.KIND: kind
    for kind in (
        Patient, Immunization, Observation, DiagnosticReport, Specimen, Device, Organization, Location,
        PractitionerRole, Composition,
    )
}  # fmt: skip
"""The kinds of resource that are read."""
RECORDS = frozenset(("Immunization", "Observation", "DiagnosticReport"))
"""Those of which rows are made. All others are only what these refer to."""
LINKED = frozenset(("Patient", "Specimen", "Device", "Organization", "Location", "PractitionerRole"))
"""Those that others refer to. An observation is one of them where a report or a panel has it."""


class Header(Private, frozen=True, rename="camel"):
    """As much of a resource as tells what it is, and what it has as its results, which is not read yet."""

    resource_type: str = ""
    id: str | None = None
    result: Raw = Raw()
    has_member: Raw = Raw()

    @property
    def is_panel(self) -> bool:
        return bool(bytes(self.has_member))


class Request(Private, frozen=True):
    method: str | None = None


class Search(Private, frozen=True):
    mode: str | None = None
