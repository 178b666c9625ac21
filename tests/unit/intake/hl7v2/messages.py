"""Messages of made-up persons, to be changed by the tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TypeVar

from healthcert.errors import Code
from healthcert.intake.hl7v2 import read_hl7v2
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from healthcert.model import Event, TestResult, Vaccination

T = TypeVar("T")
MSH = r"MSH|^~\&|LAB|CHU|AUTH|GOUV|20211115103000+0100||ORU^R01^ORU_R01|MSG00001|P|2.5^FRA|||||FRA|UNICODE UTF-8"
PID = "PID|1||123456^^^CHU&1.2.3&ISO^PI||LEFÈVRE^Zoé^^^^^L||19850112|F"
ORC = "ORC|RE|1|2"
OBR = "OBR|1|1|2|94500-6^SARS-CoV-2 RNA^LN|||20211115083000+0100|||||||||||||||20211115100000+0100|||F"
OBX = (
    "OBX|1|CWE|94500-6^SARS-CoV-2 RNA^LN||260415000^Not detected^SCT|||NEG|||F|||||"
    "|^Roche cobas||||||Laboratoire Éxemple"
)
SPM = "SPM|1|||258500001^Nasopharyngeal swab^SCT|||||||||||||20211115083000+0100^20211115083500+0100"
RESULT = (MSH, PID, ORC, OBR, OBX, SPM)

VXU_MSH = MSH.replace("ORU^R01^ORU_R01", "VXU^V04^VXU_V04")
RXA = (
    "RXA|0|1|20210529|20210529|208^COVID-19, mRNA^CVX|0.3|mL^mL^UCUM||00^New record^NIP001"
    "||||||FD0001||PFR^Pfizer^MVX|||CP|A"
)
DOSE = "OBX|1|NM|30973-2^Dose number^LN|1|1||||||F"
SERIES = "OBX|2|NM|59782-3^Doses in series^LN|1|2||||||F"
VACCINATION = (VXU_MSH, PID, ORC, RXA, "RXR|C28161^IM^NCIT|LA^Left arm^HL70163", DOSE, SERIES)


def field(segment: str, number: int, value: str) -> str:
    """A segment with another value in one field. MSH-1 is the separator."""
    fields = segment.split("|")
    at = number - 1 if segment.startswith("MSH") else number
    fields += [""] * (at + 1 - len(fields))
    fields[at] = value
    return "|".join(fields)


def message(segments: Sequence[str]) -> bytes:
    return "".join(segment + "\r" for segment in segments).encode()


def block(data: bytes) -> bytes:
    return b"\x0b" + data + b"\x1c\r"


def read(data: bytes, options: IntakeOptions | None = None) -> list[Row | RejectedRow]:
    return list(read_hl7v2(io.BytesIO(data), options or IntakeOptions()))


def rows(segments: Sequence[str], options: IntakeOptions | None = None) -> list[Row]:
    found = [row for row in read(message(segments), options) if isinstance(row, Row)]
    assert found == read(message(segments), options)
    return found


def row(segments: Sequence[str], options: IntakeOptions | None = None) -> Row:
    found = rows(segments, options)
    assert len(found) == 1
    return found[0]


def result(segments: Sequence[str], options: IntakeOptions | None = None) -> TestResult:
    return _of(TestResult, row(segments, options).event)


def vaccination(segments: Sequence[str]) -> Vaccination:
    return _of(Vaccination, row(segments).event)


def _of(kind: type[T], event: Event) -> T:
    assert isinstance(event, kind)
    return event


def refused(segments: Sequence[str], options: IntakeOptions | None = None) -> tuple[Code, str]:
    """Code and detail of the one rejected row that these segments give."""
    found = read(message(segments), options)
    assert len(found) == 1
    assert isinstance(found[0], RejectedRow)
    assert found[0].number == 1
    return found[0].error.code, found[0].error.detail
