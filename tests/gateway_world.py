"""Certificates in every role of the EU gateway, good and bad ones, and the items it would send of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from healthcert.encoding import ber, cms_write
from healthcert.issue.signer import PemSigner
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.sources.protocol import Context
from tests.support import DAY, NOW

Item = dict[str, Any]
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    der: bytes

    def signer(self) -> PemSigner:
        return PemSigner(self.key, self.der)

    def cms(self, content: bytes, *, attached: bool = False, content_type: str | None = None) -> bytes:
        """A CMS message, about content of another type than data when one is given."""
        signer = self.signer()
        with pytest.MonkeyPatch.context() as patch:
            if content_type is not None:
                patch.setattr(cms_write, "DATA", content_type)
            return cms_write.write(content, self.der, signer.sign, signer.algorithm, attached=attached)

    def anchor(self) -> TrustAnchor:
        return TrustAnchor("the anchor", parse_certificate(self.der).spki, self.der)


def make(
    country: str | None,
    name: str,
    issuer: Pair | None = None,
    *,
    ca: bool | None = None,
    signs: bool | None = False,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    start: datetime = NOW - 30 * DAY,
    end: datetime = NOW + YEAR,
    issuer_key_id: bytes | None = None,
    subject_key_id: bool = True,
) -> Pair:
    """A certificate: self-signed without an ``issuer``; of a CA, or one that says neither, as told."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if country:
        names.insert(0, x509.NameAttribute(NameOID.COUNTRY_NAME, country))
    subject = x509.Name(names)
    above = subject if issuer is None else x509.load_der_x509_certificate(issuer.der).subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if subject_key_id:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if issuer_key_id is not None:
        identifier = x509.AuthorityKeyIdentifier(issuer_key_id, None, None)
        builder = builder.add_extension(identifier, critical=False)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if signs is not None:
        builder = builder.add_extension(
            x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False), critical=True
        )
    signed = builder.sign(key if issuer is None else issuer.key, hashes.SHA256())
    return Pair(key, signed.public_bytes(Encoding.DER))


def authority(country: str | None = "FR", name: str = "CSCA", issuer: Pair | None = None, **changes: Any) -> Pair:
    return make(country, f"{country} {name}", issuer, **({"ca": True, "signs": True} | changes))


def uploader(country: str | None = "FR", name: str = "Upload", issuer: Pair | None = None, **changes: Any) -> Pair:
    return make(country, f"{country} {name}", issuer, **changes)


def repeated(message: bytes, certificates: int = 1, signers: int = 1) -> bytes:
    """A CMS message in which the certificate and the signature stand this many times."""
    kind, wrapped = ber.read(message).children()
    version, digests, content, certificate, signer = wrapped.children()[0].children()
    changed = [
        *(version.raw, digests.raw, content.raw),
        ber.Element(certificate.tag, b"", certificate.body * certificates).definite(),
        ber.Element(signer.tag, b"", signer.body * signers).definite(),
    ]
    signed = ber.Element(ber.SEQUENCE, b"", b"".join(changed)).definite()
    whole = kind.raw + ber.Element(wrapped.tag, b"", signed).definite()
    return ber.Element(ber.SEQUENCE, b"", whole).definite()


def deep(pair: Pair) -> Pair:
    """The certificate with an extension whose value is a string in pieces of pieces of pieces ..."""
    value = b"\x04\x00"
    for _ in range(1200):
        value = ber.Element(0x24, b"", value).definite()
    signed, *rest = ber.read(pair.der).children()
    extension = ber.Element(ber.SEQUENCE, b"", cms_write.object_id("1.2.3") + value).definite()
    *parts, _ = signed.children()
    extensions = ber.Element(0xA3, b"", ber.Element(ber.SEQUENCE, b"", extension).definite()).definite()
    inner = ber.Element(ber.SEQUENCE, b"", b"".join((*(part.raw for part in parts), extensions))).definite()
    der = ber.Element(ber.SEQUENCE, b"", b"".join((inner, *(part.raw for part in rest)))).definite()
    return Pair(pair.key, der)


@dataclass(frozen=True)
class World:
    """A gateway with two countries, FR and DE, each with all that it needs."""

    anchor: Pair
    csca: Mapping[str, Pair]
    upload: Mapping[str, Pair]
    dsc: Mapping[str, Pair]


@cache
def world() -> World:
    csca = {country: authority(country) for country in ("FR", "DE")}
    return World(
        anchor=make("EU", "Trust anchor"),
        csca=csca,
        upload={country: uploader(country) for country in csca},
        dsc={country: make(country, f"{country} DSC", issuer) for country, issuer in csca.items()},
    )


def item(kind: str, pair: Pair, signed_by: Pair, **changes: Any) -> Item:
    """An item as the gateway sends it; a change to ``...`` takes the member out."""
    found = {
        "kid": base64.b64encode(hashlib.sha256(pair.der).digest()[:8]).decode(),
        "timestamp": "2021-08-01T12:00:00+02:00",
        "country": changes["country"] if "country" in changes else parse_certificate(pair.der).country,
        "certificateType": kind,
        "thumbprint": hashlib.sha256(pair.der).hexdigest(),
        "signature": base64.b64encode(signed_by.cms(pair.der)).decode(),
        "rawData": base64.b64encode(pair.der).decode(),
    }
    return {name: value for name, value in (found | changes).items() if value is not ...}


def removed(entry: Item, **changes: Any) -> Item:
    """What the gateway sends once an item was withdrawn."""
    return entry | {"rawData": None, "signature": None} | changes


@cache
def _good() -> dict[str, list[Item]]:
    here = world()
    return {
        "DSC": [item("DSC", pair, here.upload[country]) for country, pair in here.dsc.items()],
        "CSCA": [item("CSCA", pair, here.anchor) for pair in here.csca.values()],
        "UPLOAD": [item("UPLOAD", pair, here.anchor) for pair in here.upload.values()],
    }


def lists(**changes: list[Any]) -> dict[str, list[Any]]:
    """The items of the gateway by type, with some of the lists exchanged."""
    return {kind: list(items) for kind, items in (_good() | changes).items()}


def parts(**changes: list[Any]) -> dict[str, bytes]:
    return {kind: json.dumps(items).encode() for kind, items in lists(**changes).items()}


def context(*anchors: TrustAnchor, now: datetime = NOW) -> Context:
    return Context(anchors or (world().anchor.anchor(),), now)
