"""Laboratory results: the orders of an ORU^R01 message to test results.

An order (OBR) may have many observations (OBX): the result of a test, values that were measured on the way, answers to
questions, other tests of one panel. Those whose code is that of a known test are results; all that are of one kind of
test are one result, and must say the same. The others are passed over, but where there is no result among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct, field

from healthcert.codings import INTERPRETATION
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.valuesets import JRC_DEVICE, coding
from healthcert.intake.codes import Codes
from healthcert.intake.hl7v2.er7 import NULL, Message, Segment
from healthcert.intake.hl7v2.values import Clocks, codings_of, country_of, dated, moment
from healthcert.model import Coding, TestResult

# HL7 tables 0085 (OBX-11) and 0123 (OBR-25): final, and corrected. A: some results of the order are there, and whether
# one is final its own segment says.
_FINAL = ("F", "C")
_FINAL_ORDER = ("", "F", "C", "A")
# HL7 table 0119 (ORC-1): cancelled and discontinued, by either side; 0038 (ORC-5): likewise, and replaced.
CANCELLING = frozenset(("CA", "OC", "CR", "DC", "OD", "DR", "OE", "DE"))
CANCELLED = frozenset(("CA", "DC", "ER", "RP"))
_CODED = ("CE", "CWE", "CNE")
_WORDS = ("ST", "TX", "FT", "ID", "IS")
_NUMBERS = ("NM", "SN")


class Order(Struct):
    """An order: its OBR, and what follows it until the next one."""

    request: Segment
    common: Segment | None = None
    observations: list[Segment] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)


class ResultReader:
    """Reads the results of orders. It remembers what the codes of tests mean, for they are few."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._tests: dict[tuple[tuple[Coding, ...], ...], tuple[Coding, Coding] | IssueError] = {}

    def results(self, message: Message, order: Order, clocks: Clocks) -> Iterator[TestResult | IssueError]:
        """The results of an order, in their order; an error for each that cannot be used, and where there is none."""
        try:
            _refuse_unless_final(message, order)
            tests: dict[tuple[Coding, Coding], list[Segment]] = {}
            unknown: IssueError | None = None
            for observation in order.observations:
                test = self._test(message, observation)
                if isinstance(test, IssueError):
                    unknown = unknown or test
                else:
                    tests.setdefault(test, []).append(observation)
            if not tests:
                raise unknown or _invalid("OBX: an order has a result")
        except IssueError as error:
            yield error
            return
        for (kind, disease), observations in tests.items():
            try:
                yield self._result(message, order, kind, disease, observations, clocks)
            except IssueError as error:
                yield error

    def _test(self, message: Message, observation: Segment) -> tuple[Coding, Coding] | IssueError:
        """The kind of test that an observation is of, and what it looks for; why not, for any other observation.

        Where the code of the test leaves its kind open, its method (OBX-17) tells it.
        """
        try:
            given, method = (
                tuple(coding for one in message.repetitions(field) for coding in codings_of(message, one))
                for field in (observation[3], observation[17])
            )
        except IssueError as error:
            return error
        if (known := self._tests.get((given, method))) is None:
            try:
                known = self._codes.test_type_of((*given, *method)), self._codes.disease_of_test(given)
            except IssueError as error:
                known = error
            if len(self._tests) < _REMEMBERED:
                self._tests[given, method] = known
        return known

    def _result(
        self,
        message: Message,
        order: Order,
        kind: Coding,
        disease: Coding,
        observations: list[Segment],
        clocks: Clocks,
    ) -> TestResult:
        found: list[Coding] = []
        for one in observations:
            # HL7 v2.8.2, 7.4.2.11 and table 0085: P and R are still to change, X, D and W say there is no such result.
            if message.component(one[11], 1) not in _FINAL:
                raise IssueError(Code.RECORD_NOT_FINAL, "OBX-11: F (final) or C (corrected)", Step.CONTENT)
            values = _values(message, one)
            if values:
                # What is read from a value may only be confirmed by a flag; without a value that says it alone.
                self._codes.result_of(values)
            found.append(self._codes.result_of([*values, *_flags(message, one)]))
        if len(set(found)) > 1:
            detail = "OBX-5: the results of one test contradict each other"
            raise IssueError(Code.CODE_NOT_MAPPED, detail, Step.CONTENT)
        return TestResult(
            disease=disease,
            test_type=kind,
            sampled_at=_sampled_at(message, order, observations, clocks),
            result=found[0],
            name=_one("OBX-17", [message.component(one[17], 2) for one in observations]),
            device=_device(message, observations),
            centre=_one("OBX-23", [_centre(message, one) for one in observations]),
            country=country_of("OBX-24", _one("OBX-24", [message.component(one[24], 6) for one in observations]) or ""),
        )


_REMEMBERED = 1000


def refuse_cancelled(message: Message, common: Segment | None) -> None:
    """Raises :class:`IssueError` (``RECORD_NOT_FINAL``) for an ORC that says that the order counts no more."""
    if common is None:
        return
    control, status = message.component(common[1], 1), message.component(common[5], 1)
    if control in CANCELLING or status in CANCELLED:
        raise IssueError(Code.RECORD_NOT_FINAL, "ORC-1, ORC-5: an order that was cancelled or replaced", Step.CONTENT)


def _refuse_unless_final(message: Message, order: Order) -> None:
    refuse_cancelled(message, order.common)
    # HL7 v2.8.2, 7.4.3.21 (SPM-21): why a specimen was rejected, which then was not fit to be tested.
    if any(message.component(one[21], 1) for one in order.specimens):
        raise IssueError(Code.RECORD_NOT_FINAL, "SPM-21: the specimen was rejected", Step.CONTENT)
    if message.component(order.request[25], 1) not in _FINAL_ORDER:
        raise IssueError(Code.RECORD_NOT_FINAL, "OBR-25: F (final), C (corrected) or A (some results)", Step.CONTENT)


def _values(message: Message, observation: Segment) -> list[Coding]:
    """The values of a result as codings; words are codings without a system. A number says nothing by itself."""
    kind, values = message.component(observation[2], 1), message.repetitions(observation[5])
    if observation[5].startswith(NULL):
        # HL7 v2.8.2, 2.5.3: what was there is to be deleted. A flag that stays behind is of the value that is gone.
        raise IssueError(Code.RECORD_NOT_FINAL, "OBX-5: a result that was deleted", Step.CONTENT)
    if kind in _CODED:
        return [one for value in values for one in codings_of(message, value)]
    if kind in _WORDS:
        return [Coding("", text) for value in values if (text := message.text(value))]
    if kind in _NUMBERS:
        return []
    raise IssueError(
        Code.RECORD_NOT_SUPPORTED, f"OBX-2: one of {', '.join((*_CODED, *_WORDS, *_NUMBERS))}", Step.CONTENT
    )


def _flags(message: Message, observation: Segment) -> list[Coding]:
    """OBX-8, which must not contradict the result."""
    flags = [message.component(one, 1) for one in message.repetitions(observation[8])]
    return [Coding(INTERPRETATION, flag) for flag in flags if flag]


def _sampled_at(message: Message, order: Order, observations: list[Segment], clocks: Clocks) -> datetime:
    """When the sample was taken: the specimen's own time and the order's, which agree; else the observation's.

    HL7 v2.8.2, 7.4.1.7 and 7.4.2.14: of a test of a specimen OBR-7 and OBX-14 are the time when it was taken.
    """
    stated = [("SPM-17", message.component(one[17], 1)) for one in order.specimens if one[17]]
    if order.request[7]:
        stated.append(("OBR-7", dated(message, order.request[7])))
    if not stated:
        stated = [("OBX-14", dated(message, one[14])) for one in observations]
    if any(not written for _, written in stated):
        raise _invalid("SPM-17, OBR-7 or OBX-14: when the sample was taken")
    moments = {moment(name, written, clocks) for name, written in stated}
    if len(moments) > 1:
        raise _invalid("SPM-17, OBR-7, OBX-14: one moment, at which the sample was taken")
    return moments.pop()


def _device(message: Message, observations: list[Segment]) -> Coding | None:
    """OBX-18: the test in the JRC's list, where an identifier names that list as its authority."""
    found = set()
    for observation in observations:
        for repetition in message.repetitions(observation[18]):
            # An EI: identifier, namespace, and the authority's identifier with its type.
            parts = [message.text(part) for part in message.components(repetition)] + [""] * 3
            if parts[0] and parts[2].rstrip("/") == JRC_DEVICE:
                found.add(parts[0])
    device = _one("OBX-18", sorted(found))
    return None if device is None else coding("t.ma", device)


def _centre(message: Message, observation: Segment) -> str:
    """Who performed the test: OBX-23, and OBX-15 before version 2.5."""
    return message.component(observation[23], 1) or message.component(observation[15], 2)


def _one(name: str, texts: list[str]) -> str | None:
    """The one text of several that say the same; None where they say nothing."""
    found = {text for text in texts if text and text != NULL}
    if len(found) > 1:
        raise _invalid(f"{name}: differs among the results of one test")
    return next(iter(found), None)


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
