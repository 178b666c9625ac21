"""An Observation, in a report or panel or alone, to the result of a test (FHIR R4, R4B and R5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.valuesets import JRC_DEVICE
from healthcert.families.hcert.valuesets import coding as eu_coding
from healthcert.intake.codes import Codes
from healthcert.intake.fhir.elements import Concept, Identifier, PrimitiveExtensions, Reference
from healthcert.intake.fhir.findings import concluded, contradicts, found_in, has_value
from healthcert.intake.fhir.moments import moment_of
from healthcert.intake.fhir.organisation import centre_and_country
from healthcert.intake.fhir.patient import patient_of
from healthcert.intake.fhir.places import Place
from healthcert.intake.fhir.resources import Device, DiagnosticReport, Observation, Specimen
from healthcert.model import Coding, Private, TestResult

# FHIR R4, ObservationStatus and DiagnosticReportStatus: what is complete, and not withdrawn.
_FINAL = frozenset(("final", "amended", "corrected", "appended"))
# FHIR R4, SpecimenStatus: what a test of it is worth nothing for.
_NO_SPECIMEN = frozenset(("unavailable", "unsatisfactory", "entered-in-error"))
# FHIR R4 and R5, DeviceNameType, those that name the test first.
_NAMES = ("user-friendly-name", "registered-name", "manufacturer-name", "model-name", "udi-label-name", "other", None)


class Tested(Private, frozen=True):
    """A test that was read, and the patient it is about."""

    patient: Place
    result: TestResult


Part = tuple[Place, Observation | DiagnosticReport]
"""An observation, or the panel or report that it is part of. The innermost says what it is; what it leaves open, the
next one may say."""


def results_of(place: Place, codes: Codes, above: tuple[Part, ...] = ()) -> list[Tested | IssueError]:
    """The tests of an observation: one, or those of each member of a panel.

    ``above`` are the panel and report that it is part of. Raises :class:`IssueError` where nothing of it can be read.
    """
    observation = place.resource
    assert isinstance(observation, Observation)
    check_final("Observation", observation.status, observation.of_status)
    if observation.focus:
        # FHIR R4, Observation.focus: what it is about when that is not the subject.
        raise _unsupported("Observation.focus: it is not about the patient")
    parts: tuple[Part, ...] = ((place, observation), *above)
    if not observation.has_member:
        return [_tested(observation, parts, codes)]
    if any(isinstance(part, Observation) for _, part in above):
        raise _unsupported("Observation.hasMember: a panel of panels")
    if has_value(observation) or observation.component:
        raise _unsupported("Observation.hasMember: a panel with a value of its own")
    tests = _members_of(place, observation.has_member, codes, parts)
    return _confirmed(tests, observation.interpretation, "Observation.interpretation", codes)


def reported_by(place: Place, report: DiagnosticReport, codes: Codes) -> list[Tested | IssueError]:
    """The tests of a report. Raises :class:`IssueError` where it is not final, or has none."""
    check_final("DiagnosticReport", report.status, report.of_status)
    if not report.result:
        raise _unsupported("DiagnosticReport.result: refers to no observation")
    tests = _members_of(place, report.result, codes, ((place, report),))
    said = (*report.conclusion_code, Concept(text=report.conclusion))
    return _confirmed(tests, said, "DiagnosticReport.conclusionCode", codes)


def _members_of(
    place: Place, references: Sequence[Reference], codes: Codes, parts: tuple[Part, ...]
) -> list[Tested | IssueError]:
    """The tests that a report or a panel refers to. Raises :class:`IssueError` (``INPUT_TOO_LONG``) for too many."""
    if len(references) > place.store.limits.report_results:
        detail = f"{place.resource.KIND}: more than {place.store.limits.report_results} results"
        raise IssueError(Code.INPUT_TOO_LONG, detail, Step.CONTENT)
    found: list[Tested | IssueError] = []
    for reference in references:
        try:
            member = place.follow(reference, Observation)
            if member is None:
                raise _invalid(f"{place.resource.KIND}: refers to an observation that is not in the file")
            found += results_of(member, codes, parts)
        except IssueError as error:
            found.append(error)
    return found


def check_final(kind: str, status: str | None, beside: PrimitiveExtensions) -> None:
    """Raises :class:`IssueError` (``RECORD_NOT_FINAL``) for what is not complete, or was withdrawn.

    ``beside`` are the extensions of the status, which may say that it is not known.
    """
    if status not in _FINAL or beside.absent is not None:
        raise IssueError(Code.RECORD_NOT_FINAL, f"{kind}.status: neither final nor a correction", Step.CONTENT)


def _confirmed(
    tests: list[Tested | IssueError], concepts: Sequence[Concept], name: str, codes: Codes
) -> list[Tested | IssueError]:
    """The tests, none of which holds where what a report or panel says of them all contradicts them."""
    said = concluded(concepts, codes)
    found = [None if isinstance(one, IssueError) else one.result.result for one in tests]
    if not contradicts(said, found):
        return tests
    error = IssueError(Code.CODE_NOT_MAPPED, f"{name}: it contradicts the results", Step.CONTENT)
    return [one if isinstance(one, IssueError) else error for one in tests]


def _tested(observation: Observation, parts: tuple[Part, ...], codes: Codes) -> Tested:
    """What was found in whom."""
    disease, test_type, result = found_in(observation, codes)
    specimen = _specimen_of(parts)
    device, name = _device_of(parts)
    centre, country = _performers_of(parts)
    found = TestResult(
        disease=disease,
        test_type=test_type,
        sampled_at=_sampled_at(parts, specimen),
        result=result,
        name=name,
        device=device,
        centre=centre,
        country=country,
    )
    return Tested(_patient_of(parts, specimen), found)


def _patient_of(parts: tuple[Part, ...], specimen: Place | None) -> Place:
    """The patient of the observation, of what it is part of, and of the specimen: all the same."""
    references = [(place, part.subject) for place, part in parts]
    if specimen is not None and isinstance(specimen.resource, Specimen):
        references.append((specimen, specimen.resource.subject))
    return patient_of(references)


def _specimen_of(parts: tuple[Part, ...]) -> Place | None:
    """The specimen that the innermost part names; None where none is named, or it is not in the file."""
    for place, part in parts:
        several = part.specimen if isinstance(part, DiagnosticReport) else (part.specimen,)
        told = [one for one in several if one.reference]
        found = [place.follow(one, Specimen) for one in told]
        if len({None if one is None else one.key for one in found}) > 1:
            raise _invalid("DiagnosticReport.specimen: several, and the observation does not tell which")
        if found:
            return found[0]
    return None


def _sampled_at(parts: tuple[Part, ...], specimen: Place | None) -> datetime:
    """When the sample was taken: as the specimen says; else the time for which the observation says it holds.

    FHIR R4, Observation.effective[x]: for a specimen, when it was taken. ``issued`` is when the result came out, and is
    not read.
    """
    if specimen is not None and isinstance(specimen.resource, Specimen):
        if specimen.resource.status in _NO_SPECIMEN or specimen.resource.of_status.absent is not None:
            raise IssueError(Code.RECORD_NOT_FINAL, "Specimen.status: it could not be tested", Step.CONTENT)
        collection = specimen.resource.collection
        if collection.collected_period is not None:
            raise _invalid("Specimen.collection.collected: a period is no moment")
        if collection.collected_date_time is not None:
            return moment_of("Specimen.collection.collectedDateTime", collection.collected_date_time)
    for _, part in parts:
        instant = part.effective_instant if isinstance(part, Observation) else None
        timing = part.effective_timing if isinstance(part, Observation) else None
        told = [one for one in (part.effective_date_time, instant) if one is not None]
        if part.effective_period is not None or timing is not None or len(told) > 1:
            raise _invalid(f"{part.KIND}.effective: one moment, and neither a period nor several times")
        if told:
            return moment_of(f"{part.KIND}.effective", told[0])
    raise _invalid("Specimen.collection.collectedDateTime or Observation.effectiveDateTime: is missing")


def _device_of(parts: tuple[Part, ...]) -> tuple[Coding | None, str | None]:
    """The test's number in the list of the JRC, and its name."""
    for place, part in parts:
        reference = part.device if isinstance(part, Observation) else Reference()
        if not (reference.reference or reference.identifier.value or reference.display):
            continue
        identifiers: list[Identifier] = [reference.identifier]
        name = reference.display
        found = place.follow(reference, Device)
        if found is not None and isinstance(found.resource, Device) and found.resource.status != "entered-in-error":
            identifiers += found.resource.identifier
            name = _name_of(found.resource) or name
        numbers = {one.value for one in identifiers if one.value and _is_jrc(one.system)}
        if len(numbers) > 1:
            raise _invalid("Device.identifier: several numbers of one list")
        return (eu_coding("t.ma", numbers.pop()) if numbers else None), name
    return None, None


def _is_jrc(system: str | None) -> bool:
    return system is not None and system.rstrip("/") == JRC_DEVICE


def _name_of(device: Device) -> str | None:
    """R4 has names in ``deviceName.name``, R5 in ``name.value``."""
    names = (*device.device_name, *device.name)
    for kind in _NAMES:
        for one in names:
            if one.type == kind and (text := one.value or one.name):
                return text
    return None


def _performers_of(parts: tuple[Part, ...]) -> tuple[str | None, str | None]:
    """Centre and country, as the innermost says them."""
    for place, part in parts:
        centre, country = centre_and_country((place, reference) for reference in part.performer)
        if centre is not None:
            return centre, country
    return None, None


def _unsupported(detail: str) -> IssueError:
    return IssueError(Code.RECORD_NOT_SUPPORTED, detail, Step.CONTENT)


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
