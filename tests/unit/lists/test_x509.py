"""Certificates that a strict DER parser refuses still yield their key, usages and validity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

import healthcert as hc
from healthcert.lists.x509 import kid_of
from healthcert.trust.certificates import read_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
NORMATIVE, VARIANT = "1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1"
T, V, R = hc.EntryType.TEST, hc.EntryType.VACCINATION, hc.EntryType.RECOVERY
START = datetime(2021, 1, 1, tzinfo=UTC)


def certificate(*extensions: tuple[str, bytes], subject: str | None = "FR", end: datetime | None = None) -> bytes:
    """A certificate with the given extensions as they stand, however odd."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, "X")]
    if subject:
        names.insert(0, x509.NameAttribute(NameOID.COUNTRY_NAME, subject))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name(names))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(end or START + timedelta(days=365))
    )
    for oid, value in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def eku(*oids: str) -> tuple[str, bytes]:
    return "2.5.29.37", x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids]).public_bytes()


@pytest.mark.parametrize(
    ("oids", "usages"),
    [
        ([f"{NORMATIVE}.1"], {T}),
        ([f"{NORMATIVE}.2"], {V}),
        ([f"{NORMATIVE}.3"], {R}),
        ([f"{VARIANT}.1"], {T}),
        ([f"{VARIANT}.2", f"{VARIANT}.3"], {V, R}),
        ([f"{NORMATIVE}.1", f"{VARIANT}.2"], {T, V}),
        (["1.3.6.1.5.5.7.3.4", f"{NORMATIVE}.2"], {V}),
        (["1.3.6.1.5.5.7.3.4"], None),
        ([f"{NORMATIVE}.4"], None),
        ([f"1.3.6.1.5.5.7.3.{n}" for n in range(1, 60)] + [f"{NORMATIVE}.2"], {V}),
    ],
)
def test_extended_key_usage_limits_only_by_the_health_oids(oids: list[str], usages: set[hc.EntryType] | None) -> None:
    assert read_certificate(certificate(eku(*oids))).usages == usages


def test_co15_an_empty_extended_key_usage_limits_nothing() -> None:
    der = certificate(("2.5.29.37", b"\x30\x00"))
    with pytest.raises(ValueError):  # noqa: PT011 this is what makes the certificate odd
        _ = x509.load_der_x509_certificate(der).extensions
    assert read_certificate(der).usages is None


def test_fi_an_encoded_default_value_is_no_obstacle() -> None:
    der = certificate(("2.5.29.19", b"\x30\x03\x01\x01\x00"), eku(f"{NORMATIVE}.2"))
    with pytest.raises(ValueError):  # noqa: PT011
        _ = x509.load_der_x509_certificate(der).extensions
    assert read_certificate(der).usages == frozenset((V,))


def test_an_unreadable_extended_key_usage_makes_the_certificate_unusable() -> None:
    # Read as "no limit" it would widen what the key may sign.
    for value in (b"", b"\x30", b"\x30\x02\x05\x00", b"\x31\x00"):
        with pytest.raises(hc.TrustError):
            read_certificate(certificate(("2.5.29.37", value)))


def test_kid_country_and_validity() -> None:
    der = certificate(subject="GR")
    key = read_certificate(der, source="list 1")
    assert key.kid == kid_of(der)
    assert len(key.kid) == 8
    assert (key.country, key.source) == ("GR", "list 1")
    assert (key.not_before, key.not_after) == (START, START + timedelta(days=365))
    assert read_certificate(certificate(subject=None)).country is None
    far = datetime(2061, 1, 1, tzinfo=UTC)
    assert read_certificate(certificate(end=far)).not_after == far


NO_CERTIFICATES = [b"", b"\x30\x00", certificate()[:100], certificate() + b"\0", b"\x30\x80" + bytes(10)]


@pytest.mark.parametrize("der", NO_CERTIFICATES, ids=["nothing", "empty", "cut off", "longer", "without an end"])
def test_what_is_no_certificate_is_a_trust_error(der: bytes) -> None:
    with pytest.raises(hc.TrustError) as caught:
        read_certificate(der)
    assert caught.value.code == "CERTIFICATE_UNREADABLE"


def test_a_country_is_of_two_letters() -> None:
    assert read_certificate(certificate(subject="fr")).country == "FR"
    with pytest.MonkeyPatch.context() as patch:
        # The library writes no others unless it is told to.
        patch.setattr(x509.NameAttribute, "__init__", _unchecked)
        odd = [certificate(subject=name) for name in ("F1", "FRA", "F", "\u00e9")]
    assert [read_certificate(der).country for der in odd] == [None] * 4


def _unchecked(self: x509.NameAttribute[str], oid: x509.ObjectIdentifier, value: str) -> None:
    self._oid, self._value, self._type = oid, value, _ASN1Type.UTF8String


def test_what_is_larger_than_any_certificate_is_none() -> None:
    assert read_certificate(certificate(("1.2.3.4", bytes(60_000)))).country == "FR"
    with pytest.raises(hc.TrustError, match="more than 65536 bytes"):
        read_certificate(certificate(("1.2.3.4", bytes(65_536))))
