"""The certificates that the gateway and its clients show each other; made once a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

# TLS asks the machine's clock, so that these are valid whenever the tests run.
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
NAMES = ("localhost", "issuer.example", "away.example", "passes.example", "gdhcn.example")
"""Those that the gateway has a certificate for, besides 127.0.0.1."""
PASSPHRASE = b"six short words"


@dataclass(frozen=True)
class Identity:
    """A key and its certificate, for TLS."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def pin(self) -> str:
        """SHA-256 of the public key, in hexadecimal."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        return digest.finalize().hex()

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def make(name: str, issuer: Identity | None, *, country: str | None = None, end: datetime = END) -> Identity:
    """A certificate under ``issuer``, for servers and clients alike, or an authority without one."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if country is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.COUNTRY_NAME, country))
    subject = x509.Name(attributes)
    above = issuer or Identity(key, None)  # type: ignore[arg-type]
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=issuer is not None,
                key_cert_sign=issuer is None,
                crl_sign=issuer is None,
                decipher_only=False,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()), critical=False)
    )
    if issuer is not None:
        names = [*map(x509.DNSName, NAMES), x509.IPAddress(IPv4Address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Identity(key, builder.sign(above.key, hashes.SHA256()))


@cache
def authority() -> Identity:
    return make("Test TLS Authority", None)


@cache
def server() -> Identity:
    return make("gateway", authority())


@cache
def client() -> Identity:
    """The client of France's national backend, whom the gateway knows."""
    return make("Test Backend", authority(), country="FR")


@cache
def stranger() -> Identity:
    """One whom the gateway does not know."""
    return make("Stranger", authority(), country="FR")


@cache
def stateless() -> Identity:
    """One that is of no country."""
    return make("Stateless", authority())


def write(identity: Identity, folder: Path, name: str, passphrase: bytes | None = None) -> tuple[Path, Path]:
    """The files of a certificate and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key.pem"
    certificate.write_bytes(identity.pem)
    key.write_bytes(identity.key_pem(passphrase))
    return certificate, key
