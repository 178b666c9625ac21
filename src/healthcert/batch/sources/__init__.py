"""Where the items of a bulk run come from: records to issue, and certificates to verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from healthcert.batch.protocol import IssueItem, Source, VerifyItem
from healthcert.batch.sources.documents import read_document
from healthcert.batch.sources.files import STDIN
from healthcert.batch.sources.kinds import Kind, kind_of
from healthcert.intake.reading import RecordFormat
from healthcert.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:  # whoever verifies a picture needs nothing of it
    from healthcert.intake.records import IntakeOptions

__all__ = ["issue_source", "read_document", "verify_source"]

TEXT = "text"
"""The member or column of a row that holds its certificate, where nobody says otherwise."""


def issue_source(name: str, options: IntakeOptions) -> Source[IssueItem]:
    """The records of a file, or of a folder of files in Parquet; ``-`` is standard input.

    Raises OSError, DecodeError (``RECORD_UNREADABLE``) for a folder of nothing of this; its items raise as
    :func:`healthcert.intake.records.read_records` does.
    """
    told = options.format or (options.mapping and options.mapping.format)
    is_table = told is RecordFormat.PARQUET or (told is None and name.lower().endswith(".parquet"))
    if name != STDIN and (is_table or Path(name).is_dir()):
        from healthcert.batch.sources.tables import RecordTables

        return RecordTables(name, options)
    from healthcert.batch.sources.records import RecordFile

    return RecordFile(name, options)


def verify_source(name: str, *, column: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Source[VerifyItem]:
    """The certificates in a file, folder or archive; ``-`` is standard input, a text or a row in JSON on each line.

    What a file is tells its suffix, or else its first bytes: JSON Lines, CSV or Parquet, with the certificate in the
    member or column ``column``; a tar archive; a picture, PDF or document; or text with a certificate on each line.
    Raises OSError, DecodeError (``RECORD_UNREADABLE``); its items may raise HealthCertError for the source as a whole.
    """
    column = column or TEXT
    kind = kind_of(name, limits)
    if kind is Kind.PARQUET:
        from healthcert.batch.sources.tables import CertificateTables

        return CertificateTables(name, column, limits)
    if kind is Kind.TAR:
        from healthcert.batch.sources.tar import TarFile

        return TarFile(name, limits)
    if kind is Kind.CSV:
        from healthcert.batch.sources.csvfile import CsvFile

        return CsvFile(name, column, limits)
    if kind is Kind.FOLDER:
        from healthcert.batch.sources.folder import FolderFiles

        return FolderFiles(name, limits)
    if kind is Kind.DOCUMENT:
        from healthcert.batch.sources.files import SingleFile

        return SingleFile(name)
    from healthcert.batch.sources.lines import LineFile

    return LineFile(name, column, limits)
