"""The Swedish list (see :mod:`healthcert.trust.sources.se`): JSON Web Keys by country, in a signed token."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from healthcert.encoding import jws
from healthcert.errors import Code, IssueError
from healthcert.issue.signer import Signer
from healthcert.lists.chain import MAX_PATH
from healthcert.lists.jwk import encode, jwk_of
from healthcert.lists.reading import is_country
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.publish.austrian import whole_seconds
from healthcert.publish.readable import check_readable
from healthcert.trust.sources.se import Swedish


def publish(
    certificates: Sequence[bytes],
    signer: Signer,
    *,
    issued_at: datetime,
    expires_at: datetime,
    chain: Sequence[bytes] = (),
    issuer: str | None = None,
) -> dict[str, bytes]:
    """The part ``list``: these DER certificates, each under its country, signed for the time between the two moments.

    ``chain`` are the DER certificates between the signer's and the one that verifiers have pinned, the lowest first;
    ``issuer`` is who publishes, by default the name in the signer's certificate.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for moments that are not in order or without a time zone, and
    for a certificate without a country; :class:`TrustError` (``CERTIFICATE_UNREADABLE``) for what no verifier could
    use; and what the signer raises.
    """
    begin, end = whole_seconds(issued_at, expires_at)
    # Who pins what stands above the chain goes through all of it.
    if len(chain) > MAX_PATH:
        raise IssueError(Code.PUBLISHING_REFUSED, f"a chain of more than {MAX_PATH} certificates")
    above = parse_certificate(signer.certificate)
    countries: dict[str, dict[str, Any]] = {}
    for der in dict.fromkeys(certificates):
        certificate = parse_certificate(der)
        if not is_country(certificate.country):
            raise IssueError(Code.PUBLISHING_REFUSED, "a certificate names no country, by which the list is ordered")
        held = countries.setdefault(certificate.country or "", {"eku": {}, "keys": []})
        held["keys"].append(_jwk(certificate))
        # DSC-TL §2.2.1. Where two certificates have one kid, nobody could tell whose usages they are: each has its own.
        kid = _base64(certificate.kid)
        held["eku"][kid] = [] if kid in held["eku"] else sorted(certificate.extended_usages)
    claims = {
        "iss": issuer or above.common_name or above.country or "unnamed",
        "iat": begin,
        "exp": end,
        "dsc_trust_list": countries,
    }
    # DSC-TL §2.1: as it is no JWT, its type is JOSE.
    x5c = [_base64(der) for der in (signer.certificate, *chain)]
    header = {"typ": "JOSE", "alg": signer.algorithm.name, "x5c": x5c}
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    parts = {"list": jws.write(payload, header, signer.sign)}
    check_readable(Swedish(), parts, signer, issued_at)
    return parts


def _jwk(certificate: Certificate) -> dict[str, Any]:
    return {
        **jwk_of(certificate.spki),
        "kid": _base64(certificate.kid),
        "x5c": [_base64(certificate.der)],
        "x5t#S256": encode(hashlib.sha256(certificate.der).digest()),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
