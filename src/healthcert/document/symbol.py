"""The barcode of a certificate whose text is at hand, as its family has it."""

from __future__ import annotations

import re

from healthcert.barcode.write import DataMatrix, QrCode
from healthcert.errors import Code, DocumentError, HealthCertError, IssueError
from healthcert.families import recognise
from healthcert.families.shc.family import SHC
from healthcert.families.twoddoc.family import TWODDOC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan

_SHC_DIGITS = re.compile(r"(?P<prefix>(?i:shc):/?)(?P<digits>[0-9]+)")
_SHC_LARGEST = 22
_HIGHEST_FIRST = "QML"  # Q is recommended for EU DCCs; a long certificate has to do with less


def symbol_of(text: str, *, error_correction: str | None = None) -> QrCode | DataMatrix:
    """The barcode of a certificate in any family; ``error_correction`` is the level of a QR code, L, M, Q or H.

    Without one it is Q, as the HCERT specification recommends (§4.2.2), or the highest below at which the text fits.
    Raises :class:`DocumentError` (``DOCUMENT_FAILED``) for a text that no barcode of its family holds.
    """
    try:
        family, recognised = recognise(text, DEFAULT_LIMITS)
    except HealthCertError:
        raise _no_barcode() from None
    if family is TWODDOC:
        return _datamatrix(recognised)
    segments: tuple[str | bytes, ...] = (recognised,)
    max_version = None
    if isinstance(recognised, Scan) and recognised.data != recognised.encode():
        segments = (recognised.data,)
    elif family is SHC:
        digits = _SHC_DIGITS.fullmatch(recognised)
        if digits is None:  # a card as a file, which no barcode holds
            raise _no_barcode()
        # SMART Health Cards 1.4, "Encoding Chunks as QR Codes": a segment of bytes, one of digits, version 22 at most.
        segments, max_version = (digits["prefix"].encode(), digits["digits"]), _SHC_LARGEST
    for level in error_correction or ("L" if family is SHC else _HIGHEST_FIRST):
        try:
            return QrCode.of_segments(segments, error_correction=level, max_version=max_version)
        except IssueError:
            continue
    raise DocumentError(Code.DOCUMENT_FAILED, "a certificate that does not fit a QR code")


def _datamatrix(text: str) -> DataMatrix:
    try:
        return DataMatrix.of(text)
    except (IssueError, ValueError):
        raise DocumentError(Code.DOCUMENT_FAILED, "a certificate that does not fit a DataMatrix code") from None


def _no_barcode() -> DocumentError:
    return DocumentError(Code.DOCUMENT_FAILED, "not a certificate that has a barcode")
