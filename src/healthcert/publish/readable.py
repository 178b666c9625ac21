"""Before a list goes out it is read as those will who get it: what they would refuse or skip is not published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.issue.signer import Signer
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.sources.protocol import Context, Source


def check_readable(source: Source, parts: Mapping[str, bytes], signer: Signer, moment: datetime) -> None:
    """Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for parts that ``source`` does not read in full.

    ``signer`` is whose certificate its readers pin.
    """
    try:
        spki = parse_certificate(signer.certificate).spki
        found = source.load(parts, Context((TrustAnchor("the signer", spki, signer.certificate),), moment))
    except TrustError as error:
        raise _refused(error.detail) from None
    if not found.keys and not found.authorities:
        raise _refused("it holds neither keys nor authorities")
    if found.skipped:
        first = found.skipped[0]
        raise _refused(
            f"{len(found.skipped)} entries could not be used, the first one {first.source}: {first.error.detail}"
        )


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, f"those who read it would refuse it: {detail}", Step.TRUST)
