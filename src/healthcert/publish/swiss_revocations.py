"""The Swiss revocation list (see :mod:`healthcert.revocation.sources.ch`): identifiers in plain, in a signed token."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from healthcert.encoding import jws
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.signer import Signer
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import MAX_PATH
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.readable_revocations import check_taken

VALID_FOR = timedelta(hours=48)
_MILLISECOND = timedelta(milliseconds=1)


def publish(
    identifiers: Iterable[str],
    signer: Signer,
    *,
    now: datetime,
    valid_for: timedelta = VALID_FOR,
    chain: Sequence[bytes] = (),
) -> bytes:
    """The token that revokes the certificates with these identifiers (``ci``), each exactly as the certificate has it.

    It holds for ``valid_for`` after it is fetched, whenever that is. ``chain`` are the DER certificates between the
    signer's and the one that verifiers have pinned, the lowest first; they pin the signer by its common name. Everybody
    can read the identifiers. Raises :class:`IssueError` (``PUBLISHING_REFUSED``), :class:`TrustError`
    (``CERTIFICATE_UNREADABLE``), and what the signer raises.
    """
    if len(chain) > MAX_PATH:
        raise _refused(f"a chain of more than {MAX_PATH} certificates")
    duration = valid_for // _MILLISECOND
    if duration <= 0:
        raise _refused("a list that does not hold for a moment")
    certificate = parse_certificate(signer.certificate)
    if not certificate.common_name:
        raise _refused("the signer's certificate has no common name, by which those who read the list know it")
    # The same identifiers make the same list, whatever order they come in.
    listed = sorted(set(identifiers))
    payload = json.dumps({"revokedCerts": listed, "validDuration": duration}, separators=(",", ":")).encode()
    x5c = [base64.b64encode(der).decode() for der in (signer.certificate, *chain)]
    token = jws.write(payload, {"alg": signer.algorithm.name, "x5c": x5c}, signer.sign)
    anchor = TrustAnchor("the signer", certificate.spki, signer.certificate, certificate.common_name)
    check_taken("ch", {"revocationList": token}, len(listed), now, anchors=(anchor,))
    return token


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
