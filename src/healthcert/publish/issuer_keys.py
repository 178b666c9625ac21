"""The keys of one issuer, as verifiers of its family look for them: a JWK set, or a DID document.

Both are unsigned: whoever reads one believes the server that it came from, or the one who handed it over.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.errors import Code, HealthCertError, IssueError, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists import jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.x509 import parse_certificate
from healthcert.revocation.crl import read_crl
from healthcert.trust.sources.protocol import Context
from healthcert.trust.sources.registry import source_named

_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)  # unsigned lists do not age
_DID_CONTEXTS = ["https://w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"]


def shc_key_set(keys: Iterable[bytes], *, issuer: str, crls: Iterable[bytes] = ()) -> bytes:
    """The JWK set of an issuer of SMART Health Cards, to be put at ``<issuer>/.well-known/jwks.json``.

    ``keys`` are public keys (SubjectPublicKeyInfo) or certificates in DER, on P-256; a certificate goes into ``x5c``
    and has the issuer's URL among its alternative names. ``crls`` are the revocation lists of those that have one
    (see :mod:`healthcert.publish.shc_crl`): without their number in the set nobody would fetch them.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``), :class:`TrustError` for an unreadable key.
    """
    entries: dict[str, dict[str, Any]] = {}
    for der in keys:
        spki, certificate = _taken_apart(der)
        kid = jwk.thumbprint(spki)
        # SMART Health Cards, "Determining keys associated with an issuer": these members, as they are.
        entry = {**jwk.jwk_of(spki), "kid": kid, "use": "sig", "alg": "ES256"}
        # RFC 7517 §4.7: base64, not base64url.
        entries[kid] = entry | ({"x5c": [_base64(certificate)]} if certificate else {})
    for data in crls:
        kid, counter = _counter(data, entries)
        entries[kid]["crlVersion"] = counter
    document = _json({"keys": list(entries.values())})
    _check("shc", document, len(entries), {"issuer": issuer})
    return document


def nzcp_document(keys: Mapping[str, bytes], *, did: str) -> bytes:
    """The DID document of an issuer of NZ COVID Passes, to be put at ``https://<host>/.well-known/did.json``.

    ``keys`` are public keys or certificates in DER, on P-256, by the names (``key-1``) that passes name them by.
    Raises :class:`IssueError` (``PUBLISHING_REFUSED``), :class:`TrustError` for an unreadable key.
    """
    # NZ COVID Pass, "DID Document": JsonWebKey2020, and each key listed for assertions.
    methods = [
        {
            "id": f"{did}#{name}",
            "controller": did,
            "type": "JsonWebKey2020",
            "publicKeyJwk": jwk.jwk_of(_taken_apart(der)[0]),
        }
        for name, der in keys.items()
    ]
    names = [method["id"] for method in methods]
    statement = {"@context": _DID_CONTEXTS, "id": did, "verificationMethod": methods, "assertionMethod": names}
    document = _json(statement)
    _check("nzcp", document, len(methods), {"issuer": did})
    return document


def _taken_apart(der: bytes) -> tuple[bytes, bytes | None]:
    """The public key, and the certificate where it is one."""
    try:
        return jwk.key_bytes(load_public_key(der)), None
    except TrustError:
        certificate = parse_certificate(der)
        return jwk.key_bytes(load_public_key(certificate.spki)), certificate.der


def _counter(data: bytes, entries: Mapping[str, Any]) -> tuple[str, int]:
    try:
        document = json.loads(data)
        kid = document.get("kid") if isinstance(document, dict) else None
        crl = read_crl(data, kid if isinstance(kid, str) else "")
    except (HealthCertError, ValueError, RecursionError):
        raise _refused("a revocation list that cannot be read") from None
    if crl.kid not in entries:
        raise _refused("the revocation list of a key that is not in the set")
    return crl.kid, crl.counter


def _check(format_: str, document: bytes, count: int, options: Mapping[str, str]) -> None:
    """Raises :class:`IssueError` for what those who read it would refuse, or not take all of."""
    if not count:
        raise _refused("no key, which those who read it could not tell from one that was lost")
    if len(document) > DEFAULT_LIMITS.list_bytes:
        raise _refused("it is longer than those who read it take")
    try:
        found = source_named(format_).load({"list": document}, Context((), _NO_MOMENT, options=options))
    except TrustError as error:
        raise _refused(f"those who read it would refuse it: {error.detail}") from None
    if found.skipped:
        raise _refused(f"those who read it would skip {found.skipped[0].source}: {found.skipped[0].error.detail}")


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode() + b"\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.TRUST)
