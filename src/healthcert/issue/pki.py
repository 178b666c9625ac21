"""A small public key infrastructure: a national authority (CSCA) and the signing certificates (DSC) under it.

Follows the certificate governance of the EU DCC: two layers, a self-signed CSCA with path length 0, a DSC
whose authority key identifier is the CSCA's subject key identifier and whose extended key usage says
what it may sign. For pilots, tests and small issuers; a state's CSCA belongs in a hardware module.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.signer import PemSigner
from healthcert.lists.x509 import DOCUMENT_TYPE_LIST, USAGE_OIDS
from healthcert.model import EntryType
from healthcert.trust.vouching import BARCODE_SIGNER, DOCUMENT_TYPES

CSCA_VALIDITY = timedelta(days=4 * 365)
DSC_VALIDITY = timedelta(days=2 * 365)
_MAX_PASSPHRASE = 1023  # what OpenSSL takes

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


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
        if passphrase and len(passphrase) > _MAX_PASSPHRASE:
            raise IssueError(Code.FIELD_INVALID, f"passphrase: 1 to {_MAX_PASSPHRASE} bytes; for example six words")
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    def signer(self) -> PemSigner:
        """A signer with this key."""
        return PemSigner(self.key, self.certificate_der())

    def __repr__(self) -> str:
        return "KeyPair(...)"


def new_csca(
    country: str,
    name: str,
    *,
    now: datetime,
    kind: KeyKind = KeyKind.EC_P256,
    validity: timedelta = CSCA_VALIDITY,
) -> KeyPair:
    """A self-signed national signing authority. ``country`` is ISO 3166-1 alpha-2.

    Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    key = new_key(kind)
    subject = _subject(country, name)
    builder = (
        _builder(subject, subject, key.public_key(), now, now + validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return KeyPair(key, builder.sign(key, hashes.SHA256()))


def new_dsc(
    csca: KeyPair,
    name: str,
    *,
    now: datetime,
    usages: Collection[EntryType] = (),
    kind: KeyKind = KeyKind.EC_P256,
    validity: timedelta = DSC_VALIDITY,
) -> KeyPair:
    """A document signing certificate under ``csca``, of the same country, ending no later than it.

    With no ``usages`` it may sign any entry. Raises :class:`IssueError`: ``FIELD_INVALID``, or ``PUBLIC_KEY_EXPIRED``
    for a CSCA that is not valid now.
    """
    if unknown := set(usages) - USAGE_OIDS.keys():
        kinds = ", ".join(USAGE_OIDS)
        raise IssueError(
            Code.FIELD_INVALID, f"usages: {len(unknown)} of them have no OID; for example {kinds}", Step.USAGE
        )
    authority, country = _authority(csca, now)
    key = new_key(kind)
    subject = _subject(country, name)
    end = min(now + validity, authority.not_valid_after_utc)
    builder = (
        _builder(subject, authority.subject, key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(csca.key.public_key()), critical=False)
    )
    if usages:
        oids = [x509.ObjectIdentifier(USAGE_OIDS[usage]) for usage in sorted(set(usages))]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    return KeyPair(key, builder.sign(csca.key, hashes.SHA256()))


def new_barcode_signer(
    csca: KeyPair,
    name: str,
    *,
    now: datetime,
    usages: Collection[EntryType] = (EntryType.VACCINATION, EntryType.TEST),
    validity: timedelta = DSC_VALIDITY,
) -> KeyPair:
    """A certificate under ``csca`` that signs ICAO's visible digital seals, proofs of ``usages``.

    Of the same country, ending no later than the CSCA, which :func:`new_csca` makes. Raises :class:`IssueError` like
    :func:`new_dsc`.
    """
    types = {entry_type: name for name, entry_type in DOCUMENT_TYPES.items()}
    if not usages or set(usages) - types.keys():
        raise IssueError(Code.FIELD_INVALID, f"usages: of {', '.join(types)}; for example vaccination", Step.USAGE)
    authority, country = _authority(csca, now)
    key = new_key(KeyKind.EC_P256)
    # ICAO Doc 9303-12 §7.1.3, VDS-NC certificate profiles: these three extensions, and none of a document signer's.
    listed = b"".join(b"\x13\x02" + types[usage].encode() for usage in sorted(set(usages)))
    document_types = b"\x02\x01\x00\x31" + bytes((len(listed),)) + listed
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(country, name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(min(now + validity, authority.not_valid_after_utc))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(csca.key.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(BARCODE_SIGNER)]), critical=True)
        .add_extension(
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier(DOCUMENT_TYPE_LIST), b"\x30" + bytes((len(document_types),)) + document_types
            ),
            critical=False,
        )
    )
    return KeyPair(key, builder.sign(csca.key, hashes.SHA256()))


def _authority(csca: KeyPair, now: datetime) -> tuple[x509.Certificate, str]:
    """The certificate of an authority that may sign others now, and its country."""
    authority = csca.certificate
    if not authority.not_valid_before_utc <= now < authority.not_valid_after_utc:
        raise IssueError(Code.PUBLIC_KEY_EXPIRED, "the CSCA is not valid now", Step.TIME)
    if not _signs_certificates(authority):
        raise IssueError(Code.SIGNER_KEY_MISMATCH, "the given authority may not sign certificates", Step.USAGE)
    countries = authority.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    return authority, str(countries[0].value) if countries else ""


def _signs_certificates(certificate: x509.Certificate) -> bool:
    # RFC 5280 §4.2.1.9, §4.2.1.3.
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        return constraints.ca and certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except (x509.ExtensionNotFound, ValueError):
        return False


def new_key(kind: KeyKind) -> SigningKey:
    """A new private key, for an issuer whose scheme has no certificates, or for one."""
    if kind is KeyKind.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


def _subject(country: str, name: str) -> x509.Name:
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise IssueError(Code.FIELD_INVALID, "country: two capital letters; for example FR", Step.CONTENT)
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise IssueError(Code.FIELD_INVALID, "name: 1 to 64 characters; for example Health DSC 1", Step.CONTENT)
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
