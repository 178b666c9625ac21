"""Keys on a token and certificates for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from healthcert.issue.hsm.keys import TokenPrivateKey, new_token_key
from healthcert.issue.pki import KeyKind, KeyPair, new_csca
from tests import softhsm

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class KeyOnToken:
    """A key inside a token, its DSC (DER), and its name."""

    key: TokenPrivateKey
    certificate: bytes
    uri: str

    def certificate_file(self, folder: Path) -> Path:
        path = folder / "dsc.pem"
        path.write_bytes(x509.load_der_x509_certificate(self.certificate).public_bytes(Encoding.PEM))
        return path


@cache
def csca() -> KeyPair:
    return new_csca("FR", "Test CSCA", now=NOW - timedelta(days=1))


def dsc_of(public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    """A DSC of the key, by a CSCA in a file."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(csca().certificate.subject)
    builder = builder.public_key(public_key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=700))
    return builder.sign(csca().key, hashes.SHA256()).public_bytes(Encoding.DER)


def key_on_token(token: softhsm.SoftToken, label: str, kind: str) -> KeyOnToken:
    key = new_token_key(token.uri(label), KeyKind(kind), softhsm.PIN)
    return KeyOnToken(key, dsc_of(key.public_key()), token.uri(label))
