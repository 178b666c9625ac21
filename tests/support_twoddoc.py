"""2D-Docs made in the test, field by field: a press that can be told to err, and the key it signs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.codings import ATC, COVID_19, LOINC, NOT_DETECTED
from healthcert.encoding import base32
from healthcert.encoding.algorithms import Algorithm
from healthcert.families.twoddoc.content import MANUFACTURER, PRODUCT
from healthcert.model import Coding

GS, RS, US = "\x1d", "\x1e", "\x1f"
KID = b"FR000001"
HEADER = "DC04FR0000011E6D1E6D{type}01FR"
SIGNED_ON = date(2021, 4, 29)  # 1E6D
NOW = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
CURVES: dict[Algorithm, ec.EllipticCurve] = {
    Algorithm.ES256: ec.SECP256R1(),
    Algorithm.ES384: ec.SECP384R1(),
    Algorithm.ES512: ec.SECP521R1(),
}

VACCINATION_FIELDS = {
    "L0": f"EXEMPLE DURAND{GS}",
    "L1": f"ZOE/MARIE{GS}",
    "L2": "29021984",
    "L3": f"COVID-19{GS}",
    "L4": f"J07BX03{GS}",
    "L5": f"COMIRNATY PFIZER/BIONTECH{GS}",
    "L6": f"PFIZER/BIONTECH{GS}",
    "L7": "2",
    "L8": "2",
    "L9": "11062021",
    "LA": "TE",
}
TEST_FIELDS = {
    "F0": f"ZOE{GS}",
    "F1": f"EXEMPLE{GS}",
    "F2": "29021984",
    "F3": "F",
    "F4": f"945006{GS}",
    "F5": "N",
    "F6": "190820211003",
}

HOLDER = hc.Holder(family_name="EXEMPLE DURAND", given_name="ZOE MARIE", birth_date="1984-02-29")
VACCINATION = hc.Vaccination(
    disease=COVID_19,
    vaccine=Coding(ATC, "J07BX03"),
    product=Coding(PRODUCT, "COMIRNATY PFIZER/BIONTECH", "COMIRNATY PFIZER/BIONTECH"),
    manufacturer=Coding(MANUFACTURER, "PFIZER/BIONTECH", "PFIZER/BIONTECH"),
    dose=2,
    series=2,
    date=date(2021, 6, 11),
)
TEST = hc.TestResult(
    disease=COVID_19,
    test_type=Coding(LOINC, "94500-6"),
    sampled_at=datetime(2021, 8, 19, 8, 3, tzinfo=UTC),
    result=NOT_DETECTED,
)


@cache
def key(algorithm: Algorithm = Algorithm.ES256) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(CURVES[algorithm])


def spki(algorithm: Algorithm = Algorithm.ES256) -> bytes:
    return key(algorithm).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def store(algorithm: Algorithm = Algorithm.ES256) -> hc.TrustStore:
    found = hc.TrustStore()
    found.add_public_key(spki(algorithm), kid=KID, domain="2D-DOC")
    return found


@dataclass(frozen=True)
class Press:
    """A document as it leaves the press. ``fields`` are written as they are, separators included."""

    type: str = "L1"
    header: str = HEADER
    fields: Mapping[str, str] = field(default_factory=lambda: VACCINATION_FIELDS)
    algorithm: Algorithm = Algorithm.ES256
    message: str | None = None

    @property
    def signed(self) -> str:
        message = "".join(map("".join, self.fields.items())) if self.message is None else self.message
        return self.header.format(type=self.type) + message

    @property
    def signature(self) -> bytes:
        return self.algorithm.sign(key(self.algorithm), self.signed.encode("utf-8"))

    def text(self) -> str:
        return self.signed + US + base32.encode(self.signature)


def vaccination(**changes: str | None) -> Press:
    """A vaccination with other fields; None leaves one out."""
    return Press(fields={name: value for name, value in {**VACCINATION_FIELDS, **changes}.items() if value is not None})


def a_test(**changes: str | None) -> Press:
    """A test with other fields; None leaves one out."""
    fields = {name: value for name, value in {**TEST_FIELDS, **changes}.items() if value is not None}
    return Press(type="B2", fields=fields)
