"""What every reader of foreign records gives: rows that can be issued, and rows that cannot, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum, unique

from msgspec import Struct

from healthcert.codings import NAAT
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.model import Coding, Event, Holder, Private


class Identity(Private, frozen=True, kw_only=True):
    """A French health identity (INS) that came with a record: to match records, never certified.

    ``matricule`` is the number with its key, 15 characters; ``oid`` the authority that gave it. The traits are those of
    the identity base: birth name, all given names, birth date (ISO 8601), sex (``M``, ``F`` or ``I``), and the INSEE
    code of the place of birth.
    """

    matricule: str
    oid: str
    birth_name: str | None = None
    given_names: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    birth_place: str | None = None


class Row(Private, frozen=True, kw_only=True):
    """A record that was read. ``number`` tells where it stood in its file, from 1: its line, message or entry."""

    number: int
    holder: Holder
    event: Event
    identity: Identity | None = None


class RejectedRow(Struct, frozen=True):
    """A record that cannot be used, and why; never what it holds."""

    number: int
    error: HealthCertError


Rows = Iterator[Row | RejectedRow]


@unique
class RecordFormat(StrEnum):
    """How foreign records are written."""

    CSV = "csv"
    JSONL = "jsonl"
    FHIR = "fhir"
    HL7V2 = "hl7v2"
    PARQUET = "parquet"


class RecoveryPolicy(Struct, frozen=True, kw_only=True):
    """How a positive test becomes a certificate of recovery.

    ``valid_from`` and ``valid_until`` count from the day of the sample, which becomes the day of the first positive
    test: Regulation (EU) 2021/953, Article 7 and Annex, has 11 and 180 days. ``test_types`` are the kinds of test that
    it is made of.
    """

    valid_from: timedelta = timedelta(days=11)
    valid_until: timedelta = timedelta(days=180)
    test_types: tuple[Coding, ...] = (NAAT,)


def rejected(number: int, code: Code, detail: str) -> RejectedRow:
    """A row that cannot be used. ``detail`` names fields and rules, never a value that could be personal."""
    return RejectedRow(number, IssueError(code, detail, Step.CONTENT))
