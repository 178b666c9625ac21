"""An Immunization to a vaccination (FHIR R4, R4B and R5)."""

from __future__ import annotations

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.codes import Codes
from healthcert.intake.fhir.moments import day_of
from healthcert.intake.fhir.organisation import country_of_location
from healthcert.intake.fhir.places import Place
from healthcert.intake.fhir.resources import Immunization, Organization, Protocol
from healthcert.model import Coding, Vaccination

# HL7 Terminology, immunization-origin: what somebody wrote down when it was given. A recall is what somebody says.
_WRITTEN = frozenset(("provider", "record", "school", "jurisdiction"))
_MOST_DIGITS = 4


def vaccination_of(place: Place, immunization: Immunization, codes: Codes) -> Vaccination:
    """The dose. Raises :class:`IssueError` for one that was not given or does not count, and for what is not told."""
    _check_given(immunization)
    vaccine = codes.vaccine_of(
        (*immunization.vaccine_code.codings(), *immunization.administered_product.concept.codings()),
        _makers(place, immunization),
    )
    dose, series = _numbers(immunization.protocol_applied, vaccine.disease, codes)
    return Vaccination(
        disease=vaccine.disease,
        vaccine=vaccine.vaccine,
        product=vaccine.product,
        manufacturer=vaccine.manufacturer,
        dose=dose,
        series=series,
        date=day_of("Immunization.occurrenceDateTime", immunization.occurrence_date_time or ""),
        country=country_of_location(place, immunization.location),
    )


def _check_given(immunization: Immunization) -> None:
    # FHIR R4, Immunization.status: completed, entered-in-error or not-done.
    match immunization.status:
        case "completed":
            pass
        case "not-done":
            raise IssueError(Code.RECORD_NOT_FINAL, "Immunization.status: the vaccine was not given", Step.CONTENT)
        case "entered-in-error":
            raise IssueError(Code.RECORD_NOT_FINAL, "Immunization.status: entered in error", Step.CONTENT)
        case _:
            raise _invalid("Immunization.status: completed, not-done or entered-in-error")
    if immunization.of_status.absent is not None:
        raise IssueError(Code.RECORD_NOT_FINAL, "Immunization.status: said to be unknown", Step.CONTENT)
    # FHIR R4, Immunization.isSubpotent is a modifier: the dose does not count.
    if immunization.is_subpotent or (immunization.is_subpotent is None and immunization.subpotent_reason):
        raise IssueError(Code.RECORD_NOT_SUPPORTED, "Immunization.isSubpotent: the dose does not count", Step.CONTENT)
    if not immunization.primary_source and not _is_written(immunization):
        detail = "Immunization.primarySource: told later, and not from a written record"
        raise IssueError(Code.RECORD_NOT_SUPPORTED, detail, Step.CONTENT)
    if immunization.occurrence_date_time is None:
        told = "in words, which are no day" if immunization.occurrence_string else "is missing"
        raise _invalid(f"Immunization.occurrenceDateTime: {told}")
    if immunization.occurrence_string is not None:
        raise _invalid("Immunization.occurrence: told twice")


def _is_written(immunization: Immunization) -> bool:
    """R4 has where a second-hand record comes from in ``reportOrigin``, R5 in ``informationSource``."""
    origins = (immunization.report_origin, immunization.information_source.concept)
    told = [one.code for origin in origins for one in origin.coding if one.code]
    return bool(told) and all(one in _WRITTEN for one in told)


def _makers(place: Place, immunization: Immunization) -> tuple[Coding, ...]:
    """The codings of who made the vaccine: of R5's concept, or identifiers of the organisation."""
    maker = immunization.manufacturer
    identifiers = [maker.target.identifier]
    found = place.follow(maker.target, Organization)
    if found is not None and isinstance(found.resource, Organization):
        identifiers += found.resource.identifier
    named = [Coding(one.system, one.value) for one in identifiers if one.system and one.value]
    return (*maker.concept.codings(), *named)


def _numbers(protocols: tuple[Protocol, ...], disease: Coding, codes: Codes) -> tuple[int, int]:
    """Which dose it is of how many."""
    found = {
        (
            _number("doseNumber", one.dose_number_positive_int, one.dose_number_string, one.dose_number),
            _number("seriesDoses", one.series_doses_positive_int, one.series_doses_string, one.series_doses),
        )
        for one in protocols
        if _is_against(one, disease, codes)
    }
    if len(found) > 1:
        raise _invalid("Immunization.protocolApplied: several that number the dose differently")
    dose, series = found.pop() if found else (None, None)
    if dose is None or series is None:
        name = "doseNumber" if dose is None else "seriesDoses"
        raise _invalid(f"Immunization.protocolApplied.{name}: is missing")
    return dose, series


def _is_against(protocol: Protocol, disease: Coding, codes: Codes) -> bool:
    """Whether a protocol counts doses against this disease; one that names none does."""
    for target in protocol.target_disease:
        try:
            if codes.disease_of(target.codings()) == disease:
                return True
        except IssueError:  # against something else, that is not in the tables
            continue
    return not protocol.target_disease


def _number(name: str, number: int | None, words: str | None, text: str | None) -> int | None:
    """The number that R4 writes as one, or in words, and R5 as text."""
    told = [str(one).strip() for one in (number, words, text) if one is not None]
    if not told:
        return None
    if len(set(told)) > 1 or not (told[0].isascii() and told[0].isdigit() and len(told[0]) <= _MOST_DIGITS):
        raise _invalid(f"Immunization.protocolApplied.{name}: one whole number; for example 2")
    return int(told[0])


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
