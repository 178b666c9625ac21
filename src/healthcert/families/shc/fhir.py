"""From the resources of a bundle to the family-neutral model (FHIR R4; SMART Health Cards, Vaccination & Testing IG).

Only what is said to have happened counts: a vaccination that was completed, a result that is final. Everything else
stays as it is, beside them.
"""

from __future__ import annotations

from healthcert import codings
from healthcert.codings import CVX, DETECTED, NOT_DETECTED
from healthcert.errors import Code, Step
from healthcert.families.protocol import Finding
from healthcert.families.shc.bundle import Bundle, Resource, invalid
from healthcert.families.shc.elements import (
    HumanName,
    Immunization,
    Observation,
    Patient,
    Reference,
    When,
    rest,
    typed,
    when,
)
from healthcert.model import Coding, Event, Holder, TestResult, Vaccination

IMMUNIZATION, OBSERVATION = "Immunization", "Observation"
GENDER = "http://hl7.org/fhir/administrative-gender"

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_LABORATORY = "laboratory"
_NONE_GIVEN = Coding(CVX, "998")  # "no vaccine administered"
# FHIR R4, ObservationStatus: what is complete, and not withdrawn.
_FINAL = ("final", "amended", "corrected")
_BY_USE = {"official": 0, "usual": 1, None: 2}  # FHIR R4, NameUse: in which order, any other last

_OF_PATIENT = frozenset(("resourceType", "name", "birthDate", "gender"))
_OF_NAME = frozenset(("use", "family", "given"))
_OF_IMMUNIZATION = frozenset(
    ("resourceType", "status", "patient", "vaccineCode", "occurrenceDateTime", "lotNumber", "performer")
)
_OF_OBSERVATION = frozenset(
    ("resourceType", "status", "subject", "code", "effectiveDateTime", "valueCodeableConcept", "performer")
)
_DISPLAY = {"display"}
_PARTS = ("performer", "protocolApplied")


def holder_of(resource: Resource, findings: list[Finding]) -> Holder:
    """The person whom the bundle is about. Raises :class:`VerificationError` where they have no name."""
    patient, where = typed(resource, Patient), resource.where
    name = patient.name[0] if len(patient.name) == 1 else min(patient.name, key=_preference, default=HumanName())
    given = " ".join(filter(None, name.given))
    if not (given or name.family or name.text):
        raise invalid(f"{where}.name: missing, so that the card is nobody's")
    if patient.birth_date is None:
        findings.append(Finding(Code.FIELD_MISSING, Step.CONTENT, f"{where}.birthDate: missing"))
    else:
        when(patient.birth_date, f"{where}.birthDate")
    known = len(patient.name) == 1 and resource.content["name"][0].keys() <= _OF_NAME
    return Holder(
        family_name=name.family or None,
        given_name=given or None,
        birth_date=patient.birth_date or "",
        full_name=None if given or name.family else name.text,
        sex=codings.named(GENDER, patient.gender) if patient.gender else None,
        other=rest(resource.content, _OF_PATIENT, name=not known),
    )


def event_of(resource: Resource, bundle: Bundle, findings: list[Finding]) -> Event | None:
    """What a resource says happened to the patient; None for what did not, or is nothing that is known here."""
    read = _READERS.get(resource.type)
    if read is None:
        return None
    # FHIR R4, Extensibility: who does not understand what modifies a resource must not read the rest of it. Nothing
    # that may is known here.
    if "modifierExtension" in resource.content or "implicitRules" in resource.content or _is_modified(resource):
        detail = f"{resource.where}: not read, for it has extensions or rules that may change what it says"
        findings.append(Finding(Code.FIELD_UNEXPECTED, Step.CONTENT, detail))
        return None
    event = read(resource, bundle, findings)
    # Something is left out of what is shown, and it is not to the holder's advantage alone that it may be.
    if event is None and resource.type == "Observation" and _says_detected(resource.content):
        detail = (
            f"{resource.where}: an Observation that is not read, for it is no final test, says that it was detected"
        )
        findings.append(Finding(Code.UNKNOWN_CLAIM, Step.CONTENT, detail))
    return event


def _says_detected(value: object) -> bool:
    """Whether a code anywhere in a resource says so."""
    if isinstance(value, dict):
        system, code = value.get("system"), value.get("code")
        if isinstance(system, str) and isinstance(code, str) and codings.finding(Coding(system, code)) == DETECTED:
            return True
        return any(_says_detected(inner) for inner in value.values())
    return isinstance(value, list) and any(_says_detected(inner) for inner in value)


def _vaccination(resource: Resource, bundle: Bundle, findings: list[Finding]) -> Vaccination | None:
    content, where = resource.content, resource.where
    # FHIR R4, Immunization.status: what was not done, or was entered in error, is no vaccination.
    if content.get("status") != "completed":
        return None
    read = typed(resource, Immunization)
    vaccines = read.vaccine_code.codings()
    if not vaccines:
        raise invalid(f"{where}.vaccineCode: neither a code nor a text")
    # FHIR R4, Immunization.isSubpotent: does not count as a dose.
    if read.is_subpotent or _NONE_GIVEN in vaccines:
        return None
    if read.patient.reference not in bundle.addresses:
        _check_patient(read.patient, f"{where}.patient", bundle, findings)
    # FHIR R4, Immunization.occurrence[x]: one of the two.
    if (read.occurrence_date_time is None) == (read.occurrence_string is None):
        raise invalid(f"{where}.occurrence: either occurrenceDateTime or occurrenceString")
    given = read.occurrence_date_time
    given_on = When(None) if given is None else when(given, f"{where}.occurrenceDateTime")
    vaccine = next((one for one in vaccines if one.system == CVX), vaccines[0])
    disease, dose, series = _protocol(read)
    actor = read.performer[0].actor if len(read.performer) == 1 else Reference()
    whole = actor.display is not None and content["performer"][0] == {"actor": {"display": actor.display}}
    return Vaccination(
        # What the code of a vaccine is against is part of what the code says.
        disease=disease or codings.disease_of(vaccine),
        vaccine=vaccine,
        manufacturer=read.manufacturer.coding(),
        dose=dose,
        series=series,
        date=given_on.day,
        partial_date=given_on.partial,
        batch=read.lot_number or None,
        centre=actor.display or read.location.display,
        other=rest(
            content,
            _OF_IMMUNIZATION,
            vaccineCode=len(vaccines) > 1,
            occurrenceDateTime=given is not None and len(given) > len("YYYY-MM-DD"),
            performer="performer" in content and not whole,
        ),
    )


def _protocol(read: Immunization) -> tuple[Coding | None, int | None, int | None]:
    """The disease, the dose and the number of doses, where one protocol was followed, against one disease."""
    if len(read.protocol_applied) != 1:
        return None, None, None
    protocol = read.protocol_applied[0]
    diseases = protocol.target_disease[0].codings() if len(protocol.target_disease) == 1 else ()
    disease = diseases[0] if diseases else None
    return disease, protocol.dose_number_positive_int, protocol.series_doses_positive_int


def _test(resource: Resource, bundle: Bundle, findings: list[Finding]) -> TestResult | None:
    content, where = resource.content, resource.where
    # What has components says nothing as a whole.
    if content.get("status") not in _FINAL or "component" in content:
        return None
    read = typed(resource, Observation)
    result = _result(read, where)
    if result is None or not _is_laboratory(read):
        return None
    tests = read.code.codings()
    if not tests:
        raise invalid(f"{where}.code: neither a code nor a text")
    if read.subject.reference not in bundle.addresses:
        _check_patient(read.subject, f"{where}.subject", bundle, findings)
    sampled = _effective(resource, read)
    if sampled.zoneless:
        findings.append(Finding(Code.TIME_WITHOUT_ZONE, Step.CONTENT, f"{where}.effective: a time without its zone"))
    performer = read.performer[0] if len(read.performer) == 1 else Reference()
    whole = performer.display is not None and content["performer"][0].keys() == _DISPLAY
    return TestResult(
        test_type=tests[0],
        sampled_at=sampled.moment,
        sampled_on=None if sampled.moment else sampled.day,
        partial_date=sampled.partial,
        result=result,
        device=read.device.coding(),
        centre=performer.display,
        resulted_at=when(read.issued, f"{where}.issued").moment if read.issued else None,
        other=rest(
            content,
            _OF_OBSERVATION,
            code=len(tests) > 1,
            valueCodeableConcept=len(read.value_codeable_concept.coding) > 1 if read.value_codeable_concept else False,
            performer="performer" in content and not whole,
        ),
    )


def _is_modified(resource: Resource) -> bool:
    """Whether one of the parts that are read of a resource has an extension that modifies it."""
    for name in _PARTS:
        parts = resource.content.get(name)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and "modifierExtension" in part:
                return True
    return False


def _is_laboratory(read: Observation) -> bool:
    """Whether an Observation is a laboratory's: by its category, where it has any of the usual ones."""
    usual = [code.code for category in read.category for code in category.coding if code.system == _CATEGORY]
    return not usual or _LABORATORY in usual


def _result(read: Observation, where: str) -> Coding | None:
    """What was found. Of several codes for it one that says "detected" counts before all others, and then "not"."""
    # FHIR R4, Observation.value[x]: one of them.
    if read.value_codeable_concept is not None and read.value_string is not None:
        raise invalid(f"{where}.value: either valueCodeableConcept or valueString")
    said = (Coding("", read.value_string),) if read.value_string else ()
    values = said or (read.value_codeable_concept.codings() if read.value_codeable_concept is not None else ())
    interpreted = tuple([coding for one in read.interpretation for coding in one.codings()])
    for coding in values + interpreted:
        if codings.finding(coding) == DETECTED:
            return coding
    # An interpretation takes the place of a value that is a quantity, and never improves on one that is a code.
    negative = next((coding for coding in values or interpreted if codings.finding(coding) == NOT_DETECTED), None)
    return negative or (values[0] if values else None)


def _effective(resource: Resource, read: Observation) -> When:
    """When the sample was taken; of a span of time, its beginning."""
    # FHIR R4, Observation.effective[x]: one of them.
    if len([name for name in resource.content if name.startswith("effective")]) > 1:
        raise invalid(f"{resource.where}.effective: more than one")
    start = read.effective_period.start if read.effective_period else None
    given = read.effective_date_time or read.effective_instant or start
    return when(given, f"{resource.where}.effective") if given else When(None)


def _check_patient(given: Reference, where: str, bundle: Bundle, findings: list[Finding]) -> None:
    """That a resource without a plain reference to the patient of the card is about nobody else."""
    if given.reference is None:
        findings.append(Finding(Code.FIELD_MISSING, Step.CONTENT, f"{where}: without a reference"))
    elif not bundle.is_patient(given.reference):
        raise invalid(f"{where}: another than the patient of the card")


def _preference(name: HumanName) -> int:
    return _BY_USE.get(name.use, len(_BY_USE))


_READERS = {IMMUNIZATION: _vaccination, OBSERVATION: _test}
