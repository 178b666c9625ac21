"""One message to rows: its type, whom its parts are about, and what belongs together."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.codes import Codes
from healthcert.intake.hl7v2.er7 import VERSIONS, Message, Segment, read_message
from healthcert.intake.hl7v2.patient import Patient, read_patient
from healthcert.intake.hl7v2.results import Order, ResultReader
from healthcert.intake.hl7v2.vaccinations import Administration, read_vaccination
from healthcert.intake.hl7v2.values import Clocks, offset_of
from healthcert.intake.reading import RejectedRow, Row, Rows
from healthcert.limits import Limits
from healthcert.model import Event

_RESULTS, _VACCINATIONS = ("ORU", "R01"), ("VXU", "V04")
_PRODUCTION = "P"
# From 2.7 on observations about the patient may stand before the first order.
_WITHOUT_PATIENT_OBSERVATIONS = VERSIONS[: VERSIONS.index("2.7")]


class MessageReader:
    """Reads messages one by one. ``clocks`` are those of a message that names no time zone."""

    def __init__(self, codes: Codes, clocks: Clocks, limits: Limits) -> None:
        self._codes = codes
        self._clocks = clocks
        self._limits = limits
        self._results = ResultReader(codes)

    def rows(self, data: bytes, number: int) -> Rows:
        """The rows of the message that is the ``number``-th of its file."""
        try:
            message = read_message(data, self._limits)
            # All segments are put together before the first row is given: one at the wrong place makes all doubtful.
            if _kind(message) == _RESULTS:
                yield from self._of_results(message, number, list(_patients(message)))
            else:
                yield from self._of_vaccinations(message, number, *_administrations(message))
        except IssueError as error:
            yield RejectedRow(number, error)

    def _of_results(self, message: Message, number: int, persons: list[tuple[Segment, list[Order]]]) -> Rows:
        # HL7 v2.8.2, 2.14.9.7: the time zone of MSH-7 is that of all moments of the message which name none.
        offset = offset_of(message.component(message.header[7], 1))
        clocks = replace(self._clocks, offset=offset)
        for segment, orders in persons:
            try:
                patient = read_patient(message, segment)
            except IssueError as error:
                yield from (RejectedRow(number, error) for _ in orders)
                continue
            for order in orders:
                yield from (_row(number, patient, event) for event in self._results.results(message, order, clocks))

    def _of_vaccinations(self, message: Message, number: int, pid: Segment, doses: list[Administration]) -> Rows:
        patient = read_patient(message, pid)
        for dose in doses:
            try:
                yield _row(number, patient, read_vaccination(message, dose, self._codes))
            except IssueError as error:
                yield RejectedRow(number, error)


def _row(number: int, patient: Patient, event: Event | IssueError) -> Row | RejectedRow:
    if isinstance(event, IssueError):
        return RejectedRow(number, event)
    return Row(number=number, holder=patient.holder, event=event, identity=patient.identity)


def _kind(message: Message) -> tuple[str, str]:
    """Message type and event. Raises :class:`IssueError` (``RECORD_NOT_SUPPORTED``) for one that is not read."""
    header = message.header
    kind = message.component(header[9], 1), message.component(header[9], 2)
    if kind not in (_RESULTS, _VACCINATIONS):
        raise _unsupported("MSH-9: ORU^R01 (results) or VXU^V04 (vaccinations)")
    if message.version not in VERSIONS:
        raise _unsupported(f"MSH-12: a version from {VERSIONS[0]} to {VERSIONS[-1]}")
    # HL7 table 0103: D is for debugging, T for training. What they hold happened to nobody.
    if message.component(header[11], 1) != _PRODUCTION:
        raise _unsupported("MSH-11: P (production)")
    return kind


def _patients(message: Message) -> Iterator[tuple[Segment, list[Order]]]:
    """The patients of an ORU^R01 with their orders: ``{ PID ... { [ORC] OBR {OBX} {SPM {OBX}} } }``.

    Raises :class:`IssueError` (``RECORD_UNREADABLE``) for segments in another order: what would be put together wrongly
    is somebody else's result.
    """
    for segments in _by_person(message):
        orders: list[Order] = []
        common: Segment | None = None
        for segment in segments[1:]:
            match segment.name:
                case "ORC":
                    if common is not None:
                        raise _unreadable("ORC: is followed by its OBR")
                    common = segment
                case "OBR":
                    orders.append(Order(segment, common))
                    common = None
                case "OBX" | "SPM":
                    _put(message, segment, orders, begun=common is not None)
        if not orders or common is not None:
            raise _unreadable("OBR: follows the PID or ORC that it belongs to")
        yield segments[0], orders


def _put(message: Message, segment: Segment, orders: list[Order], *, begun: bool) -> None:
    """An observation or a specimen to its order. ``begun``: an ORC stands between, whose OBR is still to come."""
    if begun or not orders:
        if begun or segment.name == "SPM" or message.version in _WITHOUT_PATIENT_OBSERVATIONS:
            raise _unreadable(f"{segment.name}: follows the OBR that it belongs to")
    elif segment.name == "SPM":
        orders[-1].specimens.append(segment)
    elif not orders[-1].specimens:  # what follows a specimen is about the specimen
        orders[-1].observations.append(segment)


def _administrations(message: Message) -> tuple[Segment, list[Administration]]:
    """The patient of a VXU^V04 and the doses: ``PID ... { [ORC] RXA [RXR] {OBX} }``. Raises as :func:`_patients`."""
    persons = list(_by_person(message))
    if len(persons) != 1:
        raise _unreadable("PID: a VXU message is about one person")
    doses: list[Administration] = []
    common: Segment | None = None
    for segment in persons[0][1:]:
        match segment.name:
            case "ORC":
                if common is not None:
                    raise _unreadable("ORC: is followed by its RXA")
                common = segment
            case "RXA":
                doses.append(Administration(segment, common))
                common = None
            case "RXR" | "OBX":
                if common is not None or (not doses and segment.name == "RXR"):
                    raise _unreadable(f"{segment.name}: follows the RXA that it belongs to")
                if doses and segment.name == "OBX":
                    doses[-1].observations.append(segment)
    if not doses or common is not None:
        raise _unreadable("RXA: follows the PID or ORC that it belongs to")
    return persons[0][0], doses


def _by_person(message: Message) -> Iterator[list[Segment]]:
    """The segments of each person, PID the first of them."""
    person: list[Segment] = []
    for segment in message.segments[1:]:
        if segment.name == "PID":
            if person:
                yield person
            person = [segment]
        elif person:
            person.append(segment)
        elif segment.name in _OF_A_PERSON:
            raise _unreadable(f"{segment.name}: follows the PID that it belongs to")
    if not person:
        raise IssueError(Code.HOLDER_UNKNOWN, "PID: a message says whom it is about", Step.CONTENT)
    yield person


_OF_A_PERSON = frozenset(("ORC", "OBR", "OBX", "SPM", "RXA", "RXR"))


def _unsupported(detail: str) -> IssueError:
    return IssueError(Code.RECORD_NOT_SUPPORTED, detail, Step.CONTENT)


def _unreadable(detail: str) -> IssueError:
    return IssueError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)
