"""The data types of FHIR, as much of them as is read. Members that are not named here say nothing that is used.

One struct serves R4, R4B and R5: where they differ, it has the members of each. A member that is None was not told.
"""

from __future__ import annotations

from msgspec import field

from healthcert.model import Coding, Private

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
"""The extension that stands in place of a value, and says why there is none."""


class Code(Private, frozen=True):
    """FHIR's Coding."""

    system: str | None = None
    code: str | None = None


class Concept(Private, frozen=True):
    """A thing by its codes, or in words."""

    coding: tuple[Code, ...] = ()
    text: str | None = None

    def codings(self) -> tuple[Coding, ...]:
        """Its codes; its words alone, as a code without a system, where it has no code."""
        found = tuple([Coding(one.system or "", one.code) for one in self.coding if one.code])
        return found if found or not self.text else (Coding("", self.text),)


class Extension(Private, frozen=True, rename="camel"):
    url: str | None = None
    value_code: str | None = None


class PrimitiveExtensions(Private, frozen=True):
    """What stands beside a primitive value, under its name with an underscore."""

    extension: tuple[Extension, ...] = ()

    @property
    def absent(self) -> str | None:
        """Why there is no value, a code of FHIR's DataAbsentReason; None where no reason is told."""
        return next((one.value_code or "unknown" for one in self.extension if one.url == ABSENT), None)


class Period(Private, frozen=True):
    start: str | None = None
    end: str | None = None


class Identifier(Private, frozen=True):
    use: str | None = None
    type: Concept = Concept()
    system: str | None = None
    value: str | None = None
    period: Period = Period()


class Reference(Private, frozen=True):
    """A way to another resource: where it is, its identifier, or what people call it."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier = Identifier()
    display: str | None = None


class Maker(Private, frozen=True):
    """The manufacturer of a vaccine: a Reference (R4), or a CodeableReference, whose ``reference`` is one (R5)."""

    concept: Concept = Concept()
    reference: str | Reference | None = None
    identifier: Identifier = Identifier()
    display: str | None = None

    @property
    def target(self) -> Reference:
        """The reference in it."""
        if isinstance(self.reference, Reference):
            return self.reference
        return Reference(reference=self.reference, identifier=self.identifier, display=self.display)


class CodeableReference(Private, frozen=True):
    """R5: a thing by its codes, or by a reference to it."""

    concept: Concept = Concept()
    reference: Reference = Reference()


class HumanName(Private, frozen=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    period: Period = Period()
    of_family: PrimitiveExtensions = field(name="_family", default=PrimitiveExtensions())


class Address(Private, frozen=True):
    country: str | None = None
    period: Period = Period()


class Meta(Private, frozen=True, rename="camel"):
    version_id: str | None = None
    security: tuple[Code, ...] = ()
    tag: tuple[Code, ...] = ()
