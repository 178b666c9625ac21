"""Private keys and their certificates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from healthcert.errors import Code, IssueError
from healthcert.issue.signer import PemSigner

_MAX_PASSPHRASE = 1023  # what OpenSSL takes

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""A private key that signs certificates, or has one: in a file, or in a hardware module, which keeps it."""

CertifiedKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
"""A public key that certificates are made for."""


@unique
class KeyKind(StrEnum):
    """Which kind of key is made: EC P-256 signs ES256, RSA signs PS256."""

    EC_P256 = "ec-p256"
    RSA_3072 = "rsa-3072"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its certificate."""

    key: SigningKey
    certificate: x509.Certificate

    def certificate_pem(self) -> bytes:
        """The certificate, in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    def certificate_der(self) -> bytes:
        """The certificate, in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    def key_pem(self, passphrase: bytes | None) -> bytes:
        """The private key as PKCS #8 in PEM, encrypted when there is a passphrase.

        Raises :class:`IssueError` (``FIELD_INVALID``) for a passphrase of more than 1023 bytes.
        """
        return key_pem(self.key, passphrase)

    def signer(self) -> PemSigner:
        """A signer with this key."""
        return PemSigner(self.key, self.certificate_der())

    def __repr__(self) -> str:
        return "KeyPair(...)"


def new_key(kind: KeyKind) -> SigningKey:
    """A new private key, for an issuer whose scheme has no certificates, or for one."""
    if kind is KeyKind.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


def key_pem(key: SigningKey, passphrase: bytes | None) -> bytes:
    """A private key as PKCS #8 in PEM, encrypted when there is a passphrase. Raises as :meth:`KeyPair.key_pem`."""
    if passphrase and len(passphrase) > _MAX_PASSPHRASE:
        raise IssueError(Code.FIELD_INVALID, f"passphrase: 1 to {_MAX_PASSPHRASE} bytes; for example six words")
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
