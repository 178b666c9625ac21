"""A JWK set (RFC 7517) of the certificates that a country signs with, signed as a whole (JWS) or not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import datetime

from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError
from healthcert.issue.signer import Signer
from healthcert.lists import jwk
from healthcert.publish.readable import check_readable
from healthcert.trust.certificates import read_certificate
from healthcert.trust.sources.jwks import KeySet

MEDIA_TYPE = "jwk-set+json"  # RFC 7517 §8.5.2


def publish(
    certificates: Iterable[bytes], signer: Signer | None, *, issued_at: datetime, expires_at: datetime
) -> dict[str, bytes]:
    """The set with each of the DER certificates, as the one part that the format ``jwks`` is read from.

    With a ``signer`` it is a JWS, over the set with the moments of its making and of its end; those who read it pin the
    signer's certificate or key. Without one it is plain JSON, which nothing vouches for and in which they mean nothing.

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``, also for a key that cannot sign health certificates),
    :class:`IssueError` (``PUBLISHING_REFUSED`` for no certificate at all, or an end that is not after the beginning;
    ``SIGNING_FAILED``).
    """
    if issued_at.tzinfo is None or expires_at.tzinfo is None or expires_at <= issued_at:
        raise _refused("the set's end is not after its beginning, or they have no time zone")
    # One certificate that was given twice is one entry.
    keys = [_entry(certificate) for certificate in dict.fromkeys(certificates)]
    if not keys:
        raise _refused("no certificate, which those who read it could not tell from one that was lost")
    claims = {"iat": int(issued_at.timestamp()), "exp": int(expires_at.timestamp())}
    if signer is None:
        return {"list": _json({"keys": keys})}
    header = {"alg": signer.algorithm.name, "typ": MEDIA_TYPE, "kid": base64.b64encode(signer.kid).decode()}
    parts = {"list": jws.write(_json({**claims, "keys": keys}), header, signer.sign)}
    check_readable(KeySet(), parts, signer, issued_at)
    return parts


def _entry(certificate: bytes) -> dict[str, object]:
    key = read_certificate(certificate)
    algorithm = Algorithm.for_key(key.public_key)
    assert algorithm is not None  # or it could not have been read
    return {
        **jwk.jwk_of(key.spki),
        "use": "sig",
        "alg": algorithm.name,
        # HCERT specification, Appendix A.1; in base64, as the lists of the EU have it.
        "kid": base64.b64encode(key.kid).decode(),
        # RFC 7517 §4.7: base64, not base64url.
        "x5c": [base64.b64encode(certificate).decode()],
    }


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail)
