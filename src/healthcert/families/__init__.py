"""The families of certificates, in the order in which a text is tried against them."""

from __future__ import annotations

import re

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.divoc.family import DIVOC
from healthcert.families.hcert.family import AT1, DK3, HC1, LT1, NO1
from healthcert.families.links import unwrap
from healthcert.families.nzcp.family import NZCP
from healthcert.families.protocol import Decoded, Family
from healthcert.families.refused import REFUSED
from healthcert.families.shapes import is_document
from healthcert.families.shc.family import SHC
from healthcert.families.shc.forms import cards_in
from healthcert.families.twoddoc.family import TWODDOC
from healthcert.families.vds_nc.family import VDS_NC
from healthcert.limits import Limits
from healthcert.model import HealthCertificate, Scan

FAMILIES: tuple[Family, ...] = (HC1, SHC, NZCP, TWODDOC, VDS_NC, DIVOC, LT1, AT1, NO1, DK3, *REFUSED)

KINDS = frozenset(kind for family in FAMILIES for kind in family.kinds)
"""Everything that can be verified, by the names that policies and reports use."""

_DOCUMENTS: tuple[Family, ...] = (VDS_NC, DIVOC)  # that are JSON, or may be
_DOCUMENTS_FIRST = (*_DOCUMENTS, *(family for family in FAMILIES if family not in _DOCUMENTS))
# HCERT specification §4.2.2: HC and a version, which counts on to 9 and then to Z.
_OTHER_HCERT_VERSION = r"HC[1-9A-Z]:"
_TOKEN = "eyJ"  # noqa: S105 (how every JWS begins; no secret)
_LINE_ENDS = "\r\n"
_BYTE_ORDER_MARK = "\ufeff"
_BYTES = 4  # of UTF-8 for one character


def scanned(given: str | bytes, limits: Limits) -> str:
    """What was scanned, as text that remembers its bytes where those were given; without a byte order mark.

    Raises :class:`DecodeError` (``INPUT_TOO_LONG``) for what is beyond all limits, before anything of it is copied.
    """
    if len(given) > _BYTES * limits.document_chars:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.document_chars} characters", Step.RECOGNISE)
    if isinstance(given, bytes):
        return Scan.of(given)
    return given[1:] if given.startswith(_BYTE_ORDER_MARK) else given


def recognise(text: str, limits: Limits) -> tuple[Family, str]:
    """The family that a scanned text claims to belong to, and the text without the scanner's line end.

    A link of the French wallet is taken for the certificate in it. Raises :class:`DecodeError`: ``INPUT_TOO_LONG``,
    ``UNSUPPORTED_VERSION`` for a later HCERT, ``INVALID_SCHEME_PREFIX`` for anything else.
    """
    text = unwrap(_cleaned(text))
    is_json = is_document(text)
    limit = limits.document_chars if is_json or text.startswith(_TOKEN) else limits.text_chars
    if len(text) > limit:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limit} characters", Step.RECOGNISE)
    for family in _DOCUMENTS_FIRST if is_json else FAMILIES:
        if family.recognises(text):
            return family, text
    # HCERT specification §4.2.2: a new version is a break.
    if re.match(_OTHER_HCERT_VERSION, text):
        raise DecodeError(Code.UNSUPPORTED_VERSION, "a version of HCERT that is not supported", Step.RECOGNISE)
    raise DecodeError(Code.INVALID_SCHEME_PREFIX, "not a health certificate of any kind that is known", Step.RECOGNISE)


def claimed(text: str, limits: Limits) -> tuple[Decoded, HealthCertificate]:
    """What a text claims, for who issued or holds it, or writes rules: nobody's signature is checked.

    Raises :class:`DecodeError`, :class:`VerificationError` for content that cannot be read.
    """
    family, recognised = recognise(text, limits)
    decoded = family.decode(recognised, limits)
    return decoded, family.parse(decoded, KINDS)[0]


def is_alone(given: object) -> bool:
    """Whether this is the text of one certificate as :func:`scanned` and :func:`split` would leave it."""
    return isinstance(given, str) and not is_document(given) and not given.startswith(_BYTE_ORDER_MARK)


def split(text: str, limits: Limits) -> tuple[str, ...] | None:
    """The certificates in a document that holds any number of them; None for a text that is one certificate.

    Raises :class:`DecodeError` for a document that is damaged, or has none in it, or too many.
    """
    found = cards_in(text, limits) if is_document(text) else None
    if found is not None and not found:
        raise DecodeError(Code.NO_ENTRY, "a document without a certificate in it", Step.RECOGNISE)
    return found


def _cleaned(text: str) -> str:
    """The text without the line end that scanners and files add; a space is a symbol of base45, and stays."""
    stripped = text.strip(_LINE_ENDS)
    return Scan(stripped, text.data) if isinstance(text, Scan) else stripped
