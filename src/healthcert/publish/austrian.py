"""The Austrian list (see :mod:`healthcert.trust.sources.at`): certificates in CBOR, and a COSE signature beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from healthcert.encoding import cbor, cose
from healthcert.errors import Code, IssueError
from healthcert.issue.signer import Signer
from healthcert.publish.readable import check_readable
from healthcert.trust.certificates import read_certificate
from healthcert.trust.sources.at import DIGEST, EXPIRES_AT, NOT_BEFORE, VERSION, VERSION_LABEL, Austrian


def publish(
    certificates: Sequence[bytes], signer: Signer, *, issued_at: datetime, expires_at: datetime
) -> dict[str, bytes]:
    """The parts ``list`` and ``signature``: these DER certificates, signed for the time between the two moments.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for moments that are not in order or without a time zone,
    and for a list that those who read it would refuse,
    :class:`TrustError` (``CERTIFICATE_UNREADABLE``) for what no verifier could use, and what the signer raises.
    """
    not_before, end = whole_seconds(issued_at, expires_at)
    entries = [{"i": read_certificate(der).kid, "c": der} for der in dict.fromkeys(certificates)]
    content = cbor.encode({"c": entries})
    header = cbor.encode({cose.ALG: signer.algorithm.value, cose.KID: signer.kid, VERSION_LABEL: VERSION})
    claims = cbor.encode({DIGEST: hashlib.sha256(content).digest(), EXPIRES_AT: end, NOT_BEFORE: not_before})
    signature = signer.sign(cose.sig_structure(header, claims))
    parts = {"list": content, "signature": cose.assemble_sign1(header, claims, signature)}
    check_readable(Austrian(), parts, signer, issued_at)
    return parts


def whole_seconds(issued_at: datetime, expires_at: datetime) -> tuple[int, int]:
    """The two moments in seconds since 1970. Raises :class:`IssueError` (``PUBLISHING_REFUSED``)."""
    if issued_at.tzinfo is None or expires_at.tzinfo is None:
        raise IssueError(Code.PUBLISHING_REFUSED, "the moments of a list need a time zone; for example UTC")
    begin, end = int(issued_at.timestamp()), int(expires_at.timestamp())
    if begin >= end:
        raise IssueError(Code.PUBLISHING_REFUSED, "a list must be issued before it expires")
    return begin, end
