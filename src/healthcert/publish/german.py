"""Germany's form of a list: a signature line over JSON with the items of the EU gateway."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.issue.signer import Signer
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.gateway import item
from healthcert.publish.readable import check_readable
from healthcert.trust.sources.de import German


def publish(
    certificates: Sequence[bytes], signer: Signer, *, issued_at: datetime, uploader: Signer | None = None
) -> dict[str, bytes]:
    """The list of these DSCs, in DER, of whatever countries.

    ``uploader`` signs the items, as the gateway's do; without one, ``signer`` does, who signs the list. Raises
    :class:`IssueError` (``PUBLISHING_REFUSED``), and what the signers raise.
    """
    if signer.algorithm is not Algorithm.ES256:
        raise _refused(f"the list is signed with ES256, and the signer has {signer.algorithm.name}")
    items = [item(der, _country(der), "DSC", uploader or signer, issued_at) for der in certificates]
    ordered = sorted(items, key=lambda one: (one["kid"], one["thumbprint"]))
    body = json.dumps({"certificates": ordered}, separators=(",", ":")).encode("ascii")
    parts = {"list": base64.b64encode(signer.sign(body)) + b"\n" + body}
    check_readable(German(), parts, signer, issued_at)
    return parts


def _country(der: bytes) -> str:
    try:
        return parse_certificate(der).country or ""
    except TrustError as error:
        raise _refused(error.detail) from None


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.TRUST)
