"""Where it happened: the organisation that performed a test, the place of a vaccination, and their country."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from healthcert.errors import Code, IssueError, Step
from healthcert.families.countries import alpha2
from healthcert.families.hcert.valuesets import value_sets
from healthcert.intake.fhir.elements import Address, Reference
from healthcert.intake.fhir.places import Place
from healthcert.intake.fhir.resources import Location, Organization, PractitionerRole


def centre_and_country(performers: Iterable[tuple[Place, Reference]]) -> tuple[str | None, str | None]:
    """Name and country of the organisation among those who performed a test; None for what is not told.

    The name of a person is never taken for that of a centre. Where several organisations took part, none is named.
    """
    names: set[str] = set()
    countries: set[str] = set()
    for place, reference in performers:
        name, country = _organisation(place, reference)
        if name:
            names.add(name)
        if country:
            countries.add(country)
    return names.pop() if len(names) == 1 else None, _one("performer", countries)


def country_of_location(place: Place, reference: Reference) -> str | None:
    """The country of where a vaccination was given, None where it is not told."""
    found = place.follow(reference, Location)
    if found is None or not isinstance(found.resource, Location) or found.resource.address is None:
        return None
    return _country("Location", found.resource.address)


def _organisation(place: Place, reference: Reference) -> tuple[str | None, str | None]:
    role = place.follow(reference, PractitionerRole)
    if role is not None and isinstance(role.resource, PractitionerRole):
        place, reference = role, role.resource.organization
        found = place.follow(reference, Organization)
        is_organisation = True
    else:
        found = place.follow(reference, Organization)
        text = reference.reference or ""
        is_organisation = reference.type == "Organization" or text.startswith("Organization/")
    if found is None or not isinstance(found.resource, Organization):
        return (reference.display if is_organisation else None), None
    organisation = found.resource
    # R4 has addresses; R5 has them in its contacts.
    addresses = organisation.address or tuple(one.address for one in organisation.contact if one.address)
    countries = {country for one in addresses if (country := _country("Organization", one))}
    return organisation.name or reference.display, _one("Organization", countries)


def _one(name: str, countries: set[str]) -> str | None:
    if len(countries) > 1:
        raise IssueError(Code.FIELD_INVALID, f"{name}: addresses in several countries", Step.CONTENT)
    return countries.pop() if countries else None


def _country(kind: str, address: Address) -> str | None:
    """FHIR R4, Address.country: text, which should be a code of ISO 3166 of two or three letters.

    Raises :class:`IssueError` (``FIELD_INVALID``) for one that is no country: a certificate would name the issuer's.
    """
    if not address.country or address.period.end is not None:
        return None
    text = address.country.strip()
    found = _countries().get(text) or alpha2(text) or _countries().get(text.casefold())
    if found is None or ("co", found) not in value_sets():
        raise IssueError(
            Code.FIELD_INVALID, f"{kind}.address.country: a code of ISO 3166-1; for example FR", Step.CONTENT
        )
    return found


@cache
def _countries() -> dict[str, str]:
    """The countries of the EU's value set, by code and by English name."""
    codes = {code: coding for (field, code), coding in value_sets().items() if field == "co"}
    names = {coding.display.casefold(): code for code, coding in codes.items() if coding.display}
    return names | {code: code for code in codes}
