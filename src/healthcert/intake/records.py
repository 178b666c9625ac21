"""The one door for foreign records: whatever they are written in, rows and rejected rows come out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import PurePath
from typing import Any, BinaryIO

from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.codes import SHIPPED, Codes
from healthcert.intake.mapping import RecordMapping
from healthcert.intake.reading import RecordFormat, RecoveryPolicy, Row, Rows
from healthcert.intake.recovery import as_recovery
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import EntryType


class IntakeOptions(Struct, frozen=True, kw_only=True):
    """How foreign records are to be read.

    ``format`` is told from the file where it is None; ``mapping`` is an operator's file that says how its records are
    written; ``kind`` what they are about where they do not say; ``recovery`` how a positive test becomes a recovery,
    None for not at all.
    """

    format: RecordFormat | None = None
    mapping: RecordMapping | None = None
    kind: EntryType | None = None
    recovery: RecoveryPolicy | None = None
    limits: Limits = DEFAULT_LIMITS

    @property
    def codes(self) -> Codes:
        """The table of codes, with the operator's own."""
        return SHIPPED if self.mapping is None else self.mapping.codes


Reader = Callable[[BinaryIO, IntakeOptions], Rows]
_READERS = {
    RecordFormat.CSV: ("csvfile", "read_csv"),
    RecordFormat.JSONL: ("jsonlines", "read_jsonl"),
    RecordFormat.FHIR: ("fhir", "read_fhir"),
    RecordFormat.HL7V2: ("hl7v2", "read_hl7v2"),
    RecordFormat.PARQUET: ("parquet", "read_parquet"),
}
_SUFFIXES = {
    ".csv": RecordFormat.CSV,
    ".tsv": RecordFormat.CSV,
    ".jsonl": RecordFormat.JSONL,
    ".hl7": RecordFormat.HL7V2,
    ".parquet": RecordFormat.PARQUET,
}
# HL7 v2 §2.5.4 and §2.10.3: what a message, a batch and a file of batches begin with; and MLLP's first byte.
_HL7V2_STARTS = (b"MSH", b"BHS", b"FHS")
_FRAME = b"\x0b"
_PARQUET_START = b"PAR1"
_LOOKED_AT = 4096


def read_records(file: BinaryIO, options: IntakeOptions, name: str = "") -> Rows:
    """The records of a file, in its order: a row for each that can be used, and a rejected row for each that cannot.

    The format is that of the options or their mapping, else that of the suffix of the file's ``name``, else what its
    first bytes look like. A file may be one that can be read only once.

    Raises :class:`IssueError` before the first row, and never for a row: ``MAPPING_INVALID`` where the mapping does not
    fit, ``RECORD_UNREADABLE`` for a file that is nothing of this, ``EXTRA_MISSING``. OSError is raised whenever the
    file does.
    """
    form = options.format or (options.mapping and options.mapping.format) or _format_of(file, name)
    module, function = _READERS[form]
    read: Reader = getattr(import_module(f"healthcert.intake.{module}"), function)
    return with_recoveries(read(file, options), options.recovery)


def with_recoveries(rows: Rows, policy: RecoveryPolicy | None) -> Rows:
    """The rows, of which positive tests become recoveries where there is a policy for it."""
    return rows if policy is None else _recovered(rows, policy)


def _recovered(rows: Rows, policy: RecoveryPolicy) -> Rows:
    for row in rows:
        yield as_recovery(row, policy) if isinstance(row, Row) else row


def _format_of(file: BinaryIO, name: str) -> RecordFormat:
    if (known := _SUFFIXES.get(PurePath(name).suffix.lower())) is not None:
        return known
    start = _start_of(file)
    if start.startswith(_PARQUET_START):
        return RecordFormat.PARQUET
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n" + _FRAME)
    if start.startswith(_HL7V2_STARTS):
        return RecordFormat.HL7V2
    if start.startswith((b"{", b"[")):
        return RecordFormat.FHIR if b'"resourceType"' in start else RecordFormat.JSONL
    if not start or b"\0" in start:
        raise _unreadable("a file that is no table, JSON, FHIR, HL7 v2 or Parquet")
    return RecordFormat.CSV


def _start_of(file: Any) -> bytes:
    """The first bytes of a file, which stay to be read."""
    if hasattr(file, "peek"):
        start: bytes = file.peek(_LOOKED_AT)
        return start[:_LOOKED_AT]
    if not file.seekable():
        raise _unreadable("a file that can be read only once needs its format told")
    place = file.tell()
    start = file.read(_LOOKED_AT)
    file.seek(place)
    return start


def _unreadable(detail: str) -> IssueError:
    return IssueError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)
