"""Certificates of the families that have some: of those who sign seals, their authorities, and signers of 2D-Docs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from tools.vectors.signing import Key, private_key

CSCA = "icao-csca"
SEALS, CLIENTS = ObjectIdentifier("2.23.136.1.1.14.2"), ObjectIdentifier("1.3.6.1.5.5.7.3.2")
BEGIN, END = datetime(2021, 7, 31, tzinfo=UTC), datetime(2026, 7, 31, tzinfo=UTC)

_DOCUMENT_TYPES, _KEY_PERIOD = ObjectIdentifier("2.23.136.1.1.6.2"), ObjectIdentifier("2.5.29.16")


def certificate(
    name: str,
    about: str,
    *,
    called: str = "",
    country: str = "FR",
    key: str = "",
    kind: str = "P-256",
    issuer: str = CSCA,
    issuer_country: str = "",
    above: str = "",
    ca: bool = False,
    signs_certificates: bool | None = None,
    usage: ObjectIdentifier | None = SEALS,
    types: tuple[str, ...] | bytes | None = ("NV", "NT"),
    period: datetime | None = None,
    key_id: bytes | None = None,
    begin: datetime = BEGIN,
    end: datetime = END,
) -> Key:
    """A certificate with the ``key`` of that name, ``called`` after it, which the key ``above`` signs as ``issuer``.

    ``types`` are those of the documents that it signs, bytes stand for the whole extension; ``period`` is when its key
    ends to sign; ``key_id`` what it gives as the identifier of the key above, ``b""`` for nothing.
    """
    private, signing = private_key(key or name, kind), private_key(above or issuer, "P-256")
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    public, serial = private.public_key(), int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) | 1
    subject = _named(called or key or name, country)
    builder = x509.CertificateBuilder(_named(issuer, issuer_country or country), subject, public, serial, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca, 0 if ca else None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    if signs_certificates is not None:
        builder = builder.add_extension(_key_usage(signs_certificates), critical=True)
    if key_id != b"":
        own = x509.SubjectKeyIdentifier.from_public_key(signing.public_key()).digest
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(key_id or own, None, None), critical=False)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    for oid, value in ((_DOCUMENT_TYPES, _types(types)), (_KEY_PERIOD, _period(period))):
        if value is not None:
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    made = builder.sign(signing, hashes.SHA256(), ecdsa_deterministic=True)
    kid = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).digest()[:8]
    return Key(name, about, kid, made.public_bytes(serialization.Encoding.PEM).decode(), private, domain="ICAO")


def authority(
    name: str,
    about: str,
    *,
    key: str = CSCA,
    country: str = "FR",
    begin: datetime = BEGIN,
    end: datetime = END,
    ca: bool = True,
) -> Key:
    """An authority's own certificate, called ``icao-csca`` whatever its key and country."""
    return certificate(
        name,
        about,
        called=CSCA,
        key=key,
        above=key,
        country=country,
        begin=begin,
        end=end,
        ca=ca,
        usage=None,
        types=None,
    )


def der(key: Key) -> bytes:
    """The certificate of ``key`` in DER."""
    return x509.load_pem_x509_certificate(key.pem.encode()).public_bytes(serialization.Encoding.DER)


def _named(name: str, country: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, country)] if country else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, f"Test {name}")])


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def document_types(*names: str, version: int = 0) -> bytes:
    """Doc 9303-12 §7.1.1.6: the version, and a set of texts."""
    texts = b"".join(b"\x13" + bytes((len(name),)) + name.encode() for name in names)
    body = b"\x02\x01" + bytes((version,)) + b"\x31" + bytes((len(texts),)) + texts
    return b"\x30" + bytes((len(body),)) + body


def _types(types: tuple[str, ...] | bytes | None) -> bytes | None:
    return types if types is None or isinstance(types, bytes) else document_types(*types)


def _period(end: datetime | None) -> bytes | None:
    """RFC 5280 §4.2.1.4: the end alone."""
    return None if end is None else b"\x30\x11\x81\x0f" + f"{end:%Y%m%d%H%M%SZ}".encode()
