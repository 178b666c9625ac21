"""The small PKI: certificates as the certificate governance asks for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

import healthcert as hc
from healthcert.intake.record import ENTRY_TYPES
from healthcert.issue.pki import KeyKind, new_csca, new_dsc
from healthcert.trust.certificates import read_certificate
from tests.support import DAY, NOW, csca, dsc


def test_a_csca_is_self_signed_with_path_length_zero() -> None:
    certificate = csca().certificate
    certificate.verify_directly_issued_by(certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_dsc_is_signed_by_its_csca_and_bound_to_its_country(kind: KeyKind) -> None:
    certificate = dsc(hc.EntryType.TEST, kind=kind).certificate
    certificate.verify_directly_issued_by(csca().certificate)
    assert certificate.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value == "FR"
    authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    subject = csca().certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert authority.key_identifier == subject.digest
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign) == (True, False)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("usages", [(), (hc.EntryType.TEST,), ENTRY_TYPES])
def test_usages_are_read_back_as_given(usages: tuple[hc.EntryType, ...]) -> None:
    assert read_certificate(dsc(*usages).certificate_der()).usages == (frozenset(usages) or None)


def test_a_dsc_does_not_outlive_its_csca() -> None:
    short = new_csca("FR", "Short", now=NOW, validity=10 * DAY)
    assert new_dsc(short, "DSC", now=NOW).certificate.not_valid_after_utc == NOW + 10 * DAY
    for at in (NOW - timedelta(seconds=1), NOW + 10 * DAY):
        with pytest.raises(hc.IssueError) as caught:
            new_dsc(short, "DSC", now=at)
        assert caught.value.code == "PUBLIC_KEY_EXPIRED"


def test_a_dsc_signs_no_certificates() -> None:
    with pytest.raises(hc.IssueError) as caught:
        new_dsc(dsc(), "Sub", now=NOW)
    assert caught.value.code == "SIGNER_KEY_MISMATCH"


def test_a_passphrase_too_long_for_the_format_is_told() -> None:
    with pytest.raises(hc.IssueError, match="passphrase"):
        dsc().key_pem(b"x" * 1024)


@pytest.mark.parametrize(
    ("country", "name"),
    [("FRA", "X"), ("fr", "X"), ("", "X"), ("FR", ""), ("FR", "x" * 65), ("FR", "a\nb")],
)
def test_wrong_names_are_refused(country: str, name: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        new_csca(country, name, now=NOW)
    assert caught.value.code == "FIELD_INVALID"


def test_a_private_key_is_encrypted_with_a_passphrase() -> None:
    assert b"ENCRYPTED" in dsc().key_pem(b"secret words")
    assert b"ENCRYPTED" not in dsc().key_pem(None)
    assert "PRIVATE" not in repr(dsc())
