"""What an observation says was found, and whether all that it says, and what is said about it, agrees."""

from __future__ import annotations

from collections.abc import Sequence

from healthcert.codings import DETECTED, INTERPRETATION, NOT_DETECTED, SNOMED_CT, system_of
from healthcert.codings import finding as says
from healthcert.errors import Code, IssueError, Step
from healthcert.intake.codes import Codes
from healthcert.intake.fhir.elements import Concept
from healthcert.intake.fhir.resources import Finding, Observation
from healthcert.model import Coding

Said = tuple[Coding, Coding, Coding]
"""Disease, kind of test and result."""

_OTHER_VALUES = (
    "value_quantity", "value_boolean", "value_integer", "value_range", "value_ratio", "value_sampled_data",
    "value_time", "value_date_time", "value_period", "value_attachment", "value_reference",
)  # fmt: skip
# SNOMED CT and v3-ObservationInterpretation: a test was made, and its result is neither of the two.
_OPEN = frozenset(
    (
        (SNOMED_CT, "419984006"),  # inconclusive
        (SNOMED_CT, "42425007"),  # equivocal
        (SNOMED_CT, "82334004"),  # indeterminate
        (INTERPRETATION, "IND"),
        (INTERPRETATION, "E"),
    )
)


def found_in(observation: Observation, codes: Codes) -> Said:
    """What was found. Components count where the observation has no value of its own, and must then agree.

    Raises :class:`IssueError` where it is not told, or cannot be, or where parts of the observation contradict.
    """
    flags = _flags_of(observation.interpretation)
    if has_value(observation) or not observation.component:
        said = _said(observation, observation.method, flags, codes)
        for one in observation.component:
            _check_component(one, observation, said, codes)
        return said
    if observation.data_absent_reason is not None:
        raise _absent()
    told = {_said(one, observation.method, flags, codes) for one in observation.component}
    if len(told) > 1:
        raise _unmapped("Observation.component: they say different things")
    return told.pop()


def has_value(finding: Finding) -> bool:
    """Whether it says a value of any kind."""
    return bool(_values_of(finding))


def concluded(concepts: Sequence[Concept], codes: Codes) -> frozenset[Coding | None]:
    """The findings that concepts about several results say, None for one that is neither of the two.

    What they say beside that, as the name of a disease, is passed over.
    """
    found: set[Coding | None] = set()
    for one in _flags_of(concepts):
        if (system_of(one), one.code) in _OPEN:
            found.add(None)
            continue
        try:
            found.add(codes.result_of((one,)))
        except IssueError:
            continue
    return frozenset(found)


def contradicts(said: frozenset[Coding | None], found: Sequence[Coding | None]) -> bool:
    """Whether a conclusion contradicts the results it is about, None for one that was not read.

    Something was detected if any of the results says so. One that was not read may be what a conclusion is about.
    """
    if len(said) > 1:
        return True
    if NOT_DETECTED in said:
        return DETECTED in found
    return bool(said) and None not in found and (None in said or DETECTED not in found)


def _check_component(one: Finding, whole: Observation, said: Said, codes: Codes) -> None:
    """Raises :class:`IssueError` for a component that says something else than the observation.

    One of the same code is the same test. One of another gene may miss what the whole test found, and not find what it
    missed.
    """
    if not (one.interpretation or one.value_codeable_concept or one.value_string or one.data_absent_reason is not None):
        return  # a number, as of cycles
    same = not {*whole.code.codings()}.isdisjoint(one.code.codings())
    try:
        other = _said(one, whole.method, (), codes)
    except IssueError:
        if same:
            raise
        return
    of_one_test = other[:2] == said[:2]
    if other[2] != said[2] and (same or (of_one_test and other[2] == DETECTED)):
        raise _unmapped("Observation.component: it contradicts the observation")


def _said(finding: Finding, method: Concept, flags: Sequence[Coding], codes: Codes) -> Said:
    """What a finding says, which the flags of the whole observation must confirm."""
    if finding.data_absent_reason is not None:
        raise _absent()
    test = finding.code.codings()
    disease = codes.disease_of_test(test)
    test_type = codes.test_type_of((*test, *method.codings()))
    values = _values_of(finding)
    if len(values) > 1:
        raise IssueError(Code.FIELD_INVALID, "Observation.value: more than one", Step.CONTENT)
    if values and values[0] in _OTHER_VALUES:
        raise _unmapped("Observation.value: neither a code nor a text")
    coded = finding.value_codeable_concept.codings() if finding.value_codeable_concept else ()
    if finding.value_string is not None:
        coded = (Coding("", finding.value_string),)
    if values and not coded:
        raise _unmapped("Observation.value: no code is given")
    # What is read from a value may only be confirmed by its interpretation; without a value that says it alone.
    if coded:
        codes.result_of(coded)
    result = codes.result_of((*coded, *dict.fromkeys((*_flags_of(finding.interpretation), *flags))))
    words = Coding("", (finding.value_codeable_concept and finding.value_codeable_concept.text) or "")
    if says(words) not in (None, result):
        raise _unmapped("Observation.value: its text and its code contradict")
    return disease, test_type, result


def _flags_of(concepts: Sequence[Concept]) -> tuple[Coding, ...]:
    """The codes of interpretations, and their words where these say a result beside them.

    A code without a system is of the system that FHIR has for them.
    """
    found: list[Coding] = []
    for concept in concepts:
        words = Coding("", concept.text or "")
        known = says(words) is not None
        if known:
            found.append(words)
        if concept.coding or not known:
            found += [one if one.system else Coding(INTERPRETATION, one.code) for one in concept.codings()]
    return tuple(found)


def _values_of(finding: Finding) -> list[str]:
    """Which members say a value."""
    names = ("value_codeable_concept", "value_string", *_OTHER_VALUES)
    return [name for name in names if getattr(finding, name) is not None]


def _absent() -> IssueError:
    return IssueError(Code.RECORD_NOT_SUPPORTED, "Observation.dataAbsentReason: there is no result", Step.CONTENT)


def _unmapped(detail: str) -> IssueError:
    return IssueError(Code.CODE_NOT_MAPPED, detail, Step.CONTENT)
