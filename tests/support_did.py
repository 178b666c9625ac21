"""DID documents as WHO's network has them, made for tests: whole, or wrong in one place."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from healthcert.errors import TrustError
from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.jsonld import DID_V1, JWS_2020
from healthcert.trust.sources.did import signed_bytes
from healthcert.trust.sources.protocol import Context
from tests.support import DAY, NOW

TREE = "did:web:tng-cdn-dev.who.int:v2"
ROOT = f"{TREE}:trustlist"
REFERENCES = f"{TREE}:trustlist-ref"
HEADER = {"b64": False, "crit": ["b64"], "alg": "ES256"}
DEV_CONTEXT = "https://smart.who.int/trust/tng-context/v1-DEV.jsonld"


@cache
def _sca(country: str, name: str) -> KeyPair:
    return new_csca(country, name, now=NOW - 30 * DAY)


@cache
def _dsc(country: str, name: str, authority: str) -> KeyPair:
    return new_dsc(_sca(country, authority), name, now=NOW - 20 * DAY)


def sca(country: str = "FR", name: str = "SCA") -> KeyPair:
    return _sca(country, name)


def dsc(country: str = "FR", name: str = "DSC", authority: str = "SCA") -> KeyPair:
    return _dsc(country, name, authority)


def signer(name: str = "WHO") -> KeyPair:
    return _dsc("CH", name, "TNG")


def anchor(name: str = "WHO") -> TrustAnchor:
    return TrustAnchor(name, parse_certificate(signer(name).certificate_der()).spki)


def context(*anchors: TrustAnchor, now: datetime = NOW, options: Mapping[str, str] | None = None) -> Context:
    return Context(anchors or (anchor(),), now, options=options or {})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def method(pair: KeyPair, path: str = "DCC:FRA:DSC", **changes: Any) -> dict[str, Any]:
    """The key of ``pair`` as a document has it; a change to None removes the member."""
    certificate = parse_certificate(pair.certificate_der())
    members = jwk.jwk_of(certificate.spki) | {"kid": b64(certificate.kid), "x5c": [b64(certificate.der)]}
    found = {
        "id": f"{ROOT}:{path}#{b64(certificate.kid)}",
        "type": "JsonWebKey2020",
        "controller": ROOT,
        "publicKeyJwk": {k: v for k, v in (members | changes.pop("jwk", {})).items() if v is not None},
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def statement(methods: Sequence[Any], did: str = ROOT, **changes: Any) -> dict[str, Any]:
    """A document without its proof."""
    found = {"@context": [DID_V1, JWS_2020], "id": did, "controller": did, "verificationMethod": list(methods)}
    return {name: value for name, value in (found | changes).items() if value is not None}


def signed(
    document: Mapping[str, Any],
    by: str = "WHO",
    *,
    der: bool = True,
    header: Mapping[str, Any] | None = None,
    **options: Any,
) -> bytes:
    """The document with a proof; an option changes a member of it, None removes it."""
    made = {
        "type": "JsonWebSignature2020",
        "created": "2021-08-19T00:00:00Z",
        "nonce": "n",
        "proofPurpose": "assertionMethod",
        "verificationMethod": "did:web:example.org:WHO:signing:DID",
    }
    made = {name: value for name, value in (made | options).items() if value is not None}
    encoded = jwk.encode(json.dumps(dict(header or HEADER), separators=(",", ":")).encode())
    try:
        data = signed_bytes(encoded, document, made)
    except (TrustError, TypeError, KeyError):
        data = b"what has no canonical form"
    signature = signer(by).signer().sign(data)
    if der:
        signature = encode_dss_signature(*(int.from_bytes(n, "big") for n in (signature[:32], signature[32:])))
    made.setdefault("jws", f"{encoded}..{jwk.encode(signature)}")
    return json.dumps(dict(document) | {"proof": made}).encode()


def listed(*methods: Any, did: str = ROOT, **options: Any) -> dict[str, bytes]:
    """The parts of a list that is one document."""
    return {"list": signed(statement(methods, did), **options)}
