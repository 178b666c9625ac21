"""Passes of New Zealand's form, made with a key of the test's own, and free to be wrong in any way."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.encoding import base32, cose
from healthcert.encoding.algorithms import Algorithm
from healthcert.families.nzcp.encode import unsigned
from healthcert.model import Holder
from healthcert.trust.keys import TrustedKey

ISSUER, KID = "did:web:passes.example.nz", "key-1"
START, END = datetime(2021, 11, 2, tzinfo=UTC), datetime(2022, 6, 1, tzinfo=UTC)
NOW = datetime(2022, 1, 1, tzinfo=UTC)
CTI = UUID("6bb5f0b4-3a3f-4d0e-9a44-8f2b63f2a1c7")
HOLDER = Holder(given_name="Zoé Aroha", family_name="Exemplaire-Müller", birth_date="1984-02-29")
CLAIMS: dict[Any, Any] = {
    1: ISSUER,
    5: int(START.timestamp()),
    4: int(END.timestamp()),
    "vc": {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://nzcp.covid19.health.nz/contexts/v1"],
        "version": "1.0.0",
        "type": ["VerifiableCredential", "PublicCovidPass"],
        "credentialSubject": {
            "givenName": HOLDER.given_name,
            "familyName": HOLDER.family_name,
            "dob": HOLDER.birth_date,
        },
    },
    7: CTI.bytes,
}


@cache
def signing_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def trusted_key(kid: str = KID, issuer: str = ISSUER) -> TrustedKey:
    spki = signing_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustedKey(kid=kid.encode(), spki=spki, domain="NZCP", issuer=issuer)


def issued(holder: Holder = HOLDER, **changes: Any) -> str:
    """A pass as the encoder makes it."""
    options: dict[str, Any] = {
        "issuer": ISSUER, "kid": KID, "issued_at": START, "expires_at": END, "algorithm": Algorithm.ES256, "cti": CTI,
    }  # fmt: skip
    made = unsigned(holder=holder, **(options | changes))
    return made.assemble(Algorithm.ES256.sign(signing_key(), made.to_be_signed)).text


@dataclass
class Press:
    """A pass put together by hand and signed as it is."""

    claims: Any = field(default_factory=lambda: copy.deepcopy(CLAIMS))
    protected: Any = field(default_factory=lambda: {4: KID.encode(), 1: -7})
    unprotected: Mapping[Any, Any] = field(default_factory=dict)
    tag: int | None = 18
    prefix: str = "NZCP:/1/"

    def text(self) -> str:
        protected, payload = cbor2.dumps(self.protected), cbor2.dumps(self.claims)
        signature = Algorithm.ES256.sign(signing_key(), cose.sig_structure(protected, payload))
        message: Any = [protected, dict(self.unprotected), payload, signature]
        return self.prefix + base32.encode(
            cbor2.dumps(message if self.tag is None else cbor2.CBORTag(self.tag, message))
        )


def claims_with(**changes: Any) -> dict[Any, Any]:
    """The claims with members of ``vc`` or of its subject changed; ``...`` leaves one out."""
    claims = copy.deepcopy(CLAIMS)
    for name, value in changes.items():
        member = {"context": "@context"}.get(name, name)
        part = claims["vc"] if member in claims["vc"] else claims["vc"]["credentialSubject"]
        if value is ...:
            del part[member]
        else:
            part[member] = value
    return claims


def without(*labels: int | str) -> dict[Any, Any]:
    return {label: value for label, value in copy.deepcopy(CLAIMS).items() if label not in labels}
