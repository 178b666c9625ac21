"""Who a record is about: a Patient to the holder of a certificate, and to an identity where there is one."""

from __future__ import annotations

from collections.abc import Iterable

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.fhir.elements import HumanName, Reference
from healthcert.intake.fhir.moments import partial_date
from healthcert.intake.fhir.places import Place
from healthcert.intake.fhir.resources import Patient
from healthcert.intake.ins import identity_of_identifiers
from healthcert.intake.reading import Identity
from healthcert.model import Holder

# FHIR R4, NameUse: the name in legal documents, then the one that is used, then one of which it is not told. Those of
# other uses (nickname, old, maiden, temp, anonymous) do not name a person on a certificate.
_USES = ("official", "usual", None)
# FHIR R4, DataAbsentReason: the birth date is not known to anybody here; other reasons hide it, or tell of a fault.
_UNKNOWN = frozenset(("unknown", "asked-unknown"))
_OPEN_END = "9999"  # how some systems write that a period has no end


def patient_of(references: Iterable[tuple[Place, Reference]]) -> Place:
    """The one patient whom all these references lead to; those that say nothing are passed over.

    Raises :class:`IssueError` (``HOLDER_UNKNOWN``) where there is none, or where they lead to several.
    """
    found: dict[str, Place] = {}
    for place, reference in references:
        if not reference.reference:
            continue
        patient = place.follow(reference, Patient)
        if patient is None:
            raise _unknown("Patient: the record refers to one that is not in the file")
        found[patient.key] = patient
    if not found:
        raise _unknown("Patient: the record refers to none; an identifier or a name alone is not enough")
    if len(found) > 1:
        raise _unknown("Patient: the parts of the record refer to several")
    return found.popitem()[1]


def holder_of(patient: Patient) -> Holder:
    """Names and birth date.

    Raises :class:`IssueError`: ``HOLDER_UNKNOWN`` for a record of a person that is not in use and where no one name
    counts, ``FIELD_INVALID`` for what cannot be a birth date.
    """
    _check_in_use(patient)
    name = _name_of(patient.name)
    if name.family is None and name.of_family.absent is not None:
        raise _unknown("Patient.name: the family name is withheld")
    given = " ".join(part for one in name.given if one and (part := one.strip()))
    family = (name.family or "").strip()
    if not family and not given:
        raise _unknown("Patient.name: its text alone does not tell family name from given names")
    return Holder(family_name=family or None, given_name=given or None, birth_date=_birth_date(patient))


def identity_of(patient: Patient) -> Identity | None:
    """The French identity (INS) among the identifiers, None where there is none.

    Raises :class:`IssueError` (``IDENTITY_INVALID``, ``IDENTITY_MISMATCH``).
    """
    given = [
        (one.system, next((code.code for code in one.type.coding if code.code), None), one.value)
        for one in patient.identifier
        if one.value and one.use != "old" and _is_open(one.period.end)
    ]
    if not given:
        return None
    official = next((one for one in patient.name if one.use == "official"), HumanName())
    return identity_of_identifiers(
        given,
        birth_name=official.family,
        first_given_name=official.given[0] if official.given else None,
        birth_date=patient.birth_date,
        sex=patient.gender,
    )


def _check_in_use(patient: Patient) -> None:
    # FHIR R4, Patient.active, Patient.link and Patient.deceased[x] are modifiers.
    if not patient.active:
        raise _unknown("Patient.active: the record of this person is not in use")
    if any(link.type == "replaced-by" for link in patient.link):
        raise _unknown("Patient.link: the record of this person was replaced by another")
    if patient.deceased_boolean or patient.deceased_date_time is not None:
        raise _unknown("Patient.deceased: the person has died")


def _name_of(names: tuple[HumanName, ...]) -> HumanName:
    """The one name that counts."""
    for use in _USES:
        found = [one for one in names if one.use == use and _is_open(one.period.end)]
        if not found:
            continue
        if len({(one.family, one.given) for one in found}) > 1:
            raise _unknown(f"Patient.name: several that are {use or 'of no use that is told'}")
        return found[0]
    raise _unknown("Patient.name: none that is official or usual, and still in use")


def _is_open(end: str | None) -> bool:
    """Whether a period has not ended. When it ends is not compared with a clock: what has an end is passed over."""
    return end is None or end.startswith(_OPEN_END)


def _birth_date(patient: Patient) -> str:
    absent = patient.of_birth_date.absent
    if patient.birth_date is not None:
        if absent is not None:
            raise _invalid("Patient.birthDate: told, and said to be unknown")
        return partial_date("Patient.birthDate", patient.birth_date)
    if absent in _UNKNOWN:
        return ""
    raise _invalid("Patient.birthDate: is missing, and nothing says that it is unknown")


def _unknown(detail: str) -> IssueError:
    return IssueError(Code.HOLDER_UNKNOWN, detail, Step.CONTENT)


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
