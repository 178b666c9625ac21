"""FHIR records to rows: a file of NDJSON, one Bundle or one resource, of R4, R4B or R5."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from healthcert.errors import Code, DecodeError, HealthCertError, IssueError, Step
from healthcert.intake.codes import Codes
from healthcert.intake.fhir.bundle import BundleStore
from healthcert.intake.fhir.immunization import vaccination_of
from healthcert.intake.fhir.kinds import KINDS
from healthcert.intake.fhir.lines import LineStore
from healthcert.intake.fhir.observation import Tested, reported_by, results_of
from healthcert.intake.fhir.parse import check_single, header_of, minified, read_resource, typed, unsupported_kind
from healthcert.intake.fhir.patient import holder_of, identity_of, patient_of
from healthcert.intake.fhir.places import Item, Place, Store
from healthcert.intake.fhir.resources import RECORDS, DiagnosticReport, Immunization, Observation, Patient
from healthcert.intake.reading import RejectedRow, Row, Rows
from healthcert.intake.records import IntakeOptions
from healthcert.limits import Limits
from healthcert.model import Event

_BOM = b"\xef\xbb\xbf"
_FIRST_LINES = 100


def read_fhir(file: BinaryIO, options: IntakeOptions) -> Rows:
    """The rows of all Immunizations, Observations and DiagnosticReports, in the order of the file.

    ``Row.number`` is that of the line, or in a file that is one Bundle that of the entry. A report or panel gives a row
    for each of its results, whose numbers are its own. Other resources give no rows.

    Raises :class:`IssueError` before the first row for a file that is nothing of this (``RECORD_UNREADABLE``) or is too
    large (``INPUT_TOO_LONG``), and OSError whenever the file does.
    """
    limits = options.limits
    try:
        file = _at_any_place(file, limits)
        store = _store_of(file, _start_of(file), limits)
    except DecodeError as error:
        raise IssueError(error.code, error.detail, error.step) from None
    except IssueError as error:  # a Bundle that was read, and is not to be taken in
        return iter((RejectedRow(1, error),))
    return _rows(store, options.codes)


def _rows(store: Store, codes: Codes) -> Iterator[Row | RejectedRow]:
    for item in store.items():
        if isinstance(item, RejectedRow):
            yield item
            continue
        try:
            header = header_of(item.raw)
            if header is not None and header.resource_type == "Bundle" and isinstance(store, LineStore):
                yield from _told_once(_rows(BundleStore(bytes(item.raw), store.limits, item.number), codes))
            elif header is None or header.resource_type not in RECORDS:
                _check_other(item, None if header is None else header.resource_type, store.limits)
            elif store.is_twice(item, header):
                # One may correct or withdraw the other, and the order of a file says nothing.
                detail = f"{header.resource_type}: several of this id in the file"
                raise IssueError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)
            elif header.resource_type == "Observation" and store.is_inner(item, header):
                detail = "Observation.hasMember: a panel of panels"
                raise IssueError(Code.RECORD_NOT_SUPPORTED, detail, Step.CONTENT)
            elif header.resource_type != "Observation" or not store.is_owned(item, header):
                yield from _read(item, store, codes)
        except HealthCertError as error:
            yield RejectedRow(item.number, error)


def _told_once(rows: Rows) -> Rows:
    """The rows of a Bundle in a line, which all have its number.

    What is wrong with a resource is told by the records that refer to it, and by itself only where none does.
    """
    found = list(rows)
    rejected = [(row.error.code, row.error.detail) for row in found if isinstance(row, RejectedRow)]
    for row in found:
        if isinstance(row, RejectedRow):
            code, detail = row.error.code, f": {row.error.detail}"
            if any(code is other and words.endswith(detail) for other, words in rejected):
                continue
        yield row


def _read(item: Item, store: Store, codes: Codes) -> list[Row | RejectedRow]:
    """The rows of one record. Raises :class:`HealthCertError`."""
    resource = read_resource(item.raw, store.limits)
    place = Place(store=store, resource=resource, key=str(item.position), full_url=item.full_url)
    if isinstance(resource, Immunization):
        vaccination = vaccination_of(place, resource, codes)
        return [_row(item.number, patient_of([(place, resource.patient)]), vaccination)]
    tests = _tests(place, resource, codes)
    # Two results of one sample and one kind of test, as of two genes, that contradict each other are no result.
    said: dict[object, set[str]] = {}
    for one in tests:
        if isinstance(one, Tested):
            said.setdefault(_what(one), set()).add(one.result.result.code)
    rows: list[Row | RejectedRow] = []
    made = set()
    for one in tests:
        if isinstance(one, IssueError):
            rows.append(RejectedRow(item.number, one))
        elif len(said[_what(one)]) > 1:
            detail = "DiagnosticReport.result: results of one test that contradict each other"
            rows.append(RejectedRow(item.number, IssueError(Code.CODE_NOT_MAPPED, detail, Step.CONTENT)))
        elif (same := (_what(one), one.result.device, one.result.centre)) not in made:  # told twice, it is one test
            made.add(same)
            rows.append(_row(item.number, one.patient, one.result))
    return rows


def _tests(place: Place, resource: object, codes: Codes) -> list[Tested | IssueError]:
    if isinstance(resource, DiagnosticReport):
        return reported_by(place, resource, codes)
    assert isinstance(resource, Observation)
    return results_of(place, codes)


def _what(test: Tested) -> object:
    """What makes two results two of one test."""
    result = test.result
    return test.patient.key, result.disease, result.test_type, result.sampled_at


def _row(number: int, patient: Place, event: Event) -> Row | RejectedRow:
    person = patient.resource
    assert isinstance(person, Patient)
    try:
        return Row(number=number, holder=holder_of(person), event=event, identity=identity_of(person))
    except HealthCertError as error:
        return RejectedRow(number, error)


def _check_other(item: Item, kind: str | None, limits: Limits) -> None:
    """A resource that no row is made of must be one all the same. Raises :class:`HealthCertError` for what is none."""
    value = check_single(minified(bytes(item.raw)), limits)
    if kind is None:
        typed(value)  # which tells what is wrong with it
    if kind is None or kind not in KINDS or kind == "Bundle":
        raise unsupported_kind(kind)


def _at_any_place(file: BinaryIO, limits: Limits) -> BinaryIO:
    """The file, or its content where it can only be read from its beginning to its end."""
    if file.seekable():
        return file
    data = file.read(limits.bundle_bytes + 1)
    if len(data) > limits.bundle_bytes:
        detail = f"more than {limits.bundle_bytes} bytes of what is no file, and can only be read once"
        raise DecodeError(Code.INPUT_TOO_LONG, detail, Step.DECODE)
    return io.BytesIO(data)


def _start_of(file: BinaryIO) -> int:
    """Where the text begins. Programs put a mark of the byte order before it (RFC 8259 §8.1 lets one pass over it)."""
    start = file.tell()
    if file.read(len(_BOM)) == _BOM:
        return start + len(_BOM)
    return start


def _store_of(file: BinaryIO, start: int, limits: Limits) -> Store:
    """The file as one resource, which may go over many lines, or as NDJSON.

    A file of one value is a document; any other is NDJSON, if one of its first lines is a resource.
    """
    file.seek(start)
    data = file.read(limits.bundle_bytes + 1)
    if len(data) <= limits.bundle_bytes and _is_one_value(data):
        return BundleStore(data.strip(), limits)
    file.seek(start)
    first = (file.readline(limits.bundle_bytes) for _ in range(_FIRST_LINES))
    if data.strip() and not any(_is_resource(line) for line in first):
        if len(data) > limits.bundle_bytes:
            detail = f"a Bundle of more than {limits.bundle_bytes} bytes, or no FHIR; NDJSON may be of any size"
            raise DecodeError(Code.INPUT_TOO_LONG, detail, Step.DECODE)
        detail = "neither one resource of FHIR in JSON nor lines of them"
        raise DecodeError(Code.RECORD_UNREADABLE, detail, Step.DECODE)
    return LineStore(file, start, limits)


def _is_one_value(data: bytes) -> bool:
    """Whether it is one JSON object; whether each member has one reading shows later."""
    try:
        msgspec.json.decode(data, type=_Object)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


class _Object(msgspec.Struct):
    pass


def _is_resource(line: bytes) -> bool:
    header = header_of(line)
    return header is not None and bool(header.resource_type)
