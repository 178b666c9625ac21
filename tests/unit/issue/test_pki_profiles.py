"""The profiles of the governance guide: what is made keeps to them, and what departs from them is named."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.issue.pki import (
    BARCODE_SIGNING,
    CSCA,
    DSC,
    PROFILES,
    TLS_CLIENT,
    UPLOAD,
    Finding,
    KeyPair,
    Level,
    Profile,
    check_profile,
    new_barcode_signer,
    new_client,
    new_csca,
    new_dsc,
)
from tests.support import DAY, NOW, csca, dsc

CRL = "https://health.example/csca.crl"
KEY = ec.generate_private_key(ec.SECP256R1())
BEGIN = NOW - DAY


def complete(profile: Profile) -> KeyPair:
    """A certificate of the profile, with all that is advised."""
    authority = new_csca("FR", "FR DGC CSCA 1", now=NOW, organisation="Ministry of Examples", use=365 * DAY)
    if profile is CSCA:
        return authority
    if profile is DSC:
        return new_dsc(
            authority,
            "DSC",
            now=NOW,
            usages=(hc.EntryType.TEST,),
            use=180 * DAY,
            organisation="Ministry of Examples",
            revocation_list=CRL,
        )
    if profile is BARCODE_SIGNING:
        return new_barcode_signer(authority, "BCS", now=NOW)
    return new_client(profile, authority, "Client", now=NOW, organisation="Ministry of Examples")


def found(certificate: x509.Certificate | bytes, profile: Profile, by: KeyPair | None = None) -> set[tuple[str, str]]:
    authority = by.certificate if by is not None else None
    return {(finding.level.value, finding.rule) for finding in check_profile(certificate, profile, authority)}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_what_is_made_is_as_its_profile_has_it(profile: Profile) -> None:
    assert check_profile(complete(profile).certificate, profile) == ()
    assert check_profile(complete(profile).certificate_der(), profile) == ()


@pytest.mark.parametrize("profile", [UPLOAD, TLS_CLIENT], ids=["upload", "tls"])
def test_upload_and_tls_certificates_may_sign_themselves(profile: Profile) -> None:
    own = new_client(profile, "FR", "Client", now=NOW)
    own.certificate.verify_directly_issued_by(own.certificate)
    assert found(own.certificate, profile) == {("advised", "organisation")}
    assert found(own.certificate, profile, own) == {("advised", "organisation")}
    der = own.certificate_der()
    assert ("needed", "issuer") in found(der[:-1] + bytes((der[-1] ^ 1,)), profile)


def test_a_tls_client_says_what_it_is_for() -> None:
    usage = complete(TLS_CLIENT).certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_usage_period_and_the_revocation_list_are_stated_when_asked_for() -> None:
    extensions = complete(DSC).certificate.extensions
    period = extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    assert period.not_after is not None
    assert period.not_after.replace(tzinfo=UTC) == NOW + 180 * DAY
    point = extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    assert point.full_name is not None
    assert point.full_name[0].value == CRL
    for oid in (x509.PrivateKeyUsagePeriod, x509.CRLDistributionPoints):
        with pytest.raises(x509.ExtensionNotFound):
            dsc().certificate.extensions.get_extension_for_class(oid)


def test_serial_numbers_are_random_and_short_enough() -> None:
    numbers = {new_dsc(csca(), "DSC", now=NOW).certificate.serial_number for _ in range(5)}
    assert len(numbers) == 5
    assert all(0 < number < 2**159 for number in numbers)


def test_the_authority_key_identifier_is_the_subject_key_identifier_however_computed() -> None:
    authority = made(CSCA, extensions={x509.SubjectKeyIdentifier: x509.SubjectKeyIdentifier(b"own way")})
    under = new_dsc(KeyPair(KEY, authority), "DSC", now=NOW)
    identifier = under.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert identifier.key_identifier == b"own way"


def made(
    profile: Profile,
    *,
    key: object = KEY,
    by: KeyPair | None = None,
    country: str | None = "FR",
    name: str | None = "Somebody",
    begin: datetime = BEGIN,
    end: datetime = NOW + 300 * DAY,
    hash_: hashes.HashAlgorithm | None = None,
    extensions: dict[type[x509.ExtensionType], x509.ExtensionType | None] | None = None,
    critical: dict[type[x509.ExtensionType], bool] | None = None,
    serial: int = 5,
) -> x509.Certificate:
    """A certificate that departs from its profile in what is given; None leaves an extension out."""
    attributes = [(NameOID.COUNTRY_NAME, country), (NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, "O")]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes if value is not None])
    public = key.public_key()  # type: ignore[attr-defined]
    signer = by.key if by is not None else key
    holder = (by.key if by is not None else key).public_key()  # type: ignore[attr-defined]
    content: dict[type[x509.ExtensionType], x509.ExtensionType | None] = {
        x509.SubjectKeyIdentifier: x509.SubjectKeyIdentifier.from_public_key(public),
        x509.AuthorityKeyIdentifier: x509.AuthorityKeyIdentifier.from_issuer_public_key(holder),
        x509.BasicConstraints: x509.BasicConstraints(profile.ca, 0 if profile.ca else None),
        x509.KeyUsage: usage("key_cert_sign", "crl_sign") if profile.ca else usage("digital_signature"),
        **(extensions or {}),
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by is not None else subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for kind, value in content.items():
        if value is not None:
            default = kind in (x509.BasicConstraints, x509.KeyUsage)
            builder = builder.add_extension(value, critical=(critical or {}).get(kind, default))
    return builder.sign(signer, hash_ or hashes.SHA256())  # type: ignore[arg-type]


def usage(*bits: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in bits for name in names})


def extended(*oids: str) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids])


def test_what_the_departures_start_from_is_right() -> None:
    assert found(made(CSCA), CSCA) == set()
    assert found(made(DSC, by=csca()), DSC, csca()) == {("advised", "crl")}
    assert found(made(UPLOAD), UPLOAD) == set()


ELSEWHERE = new_csca("DE", "Elsewhere", now=NOW - 30 * DAY)
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
SMALL_EXPONENT = rsa.generate_private_key(public_exponent=3, key_size=3072)
MIDDLE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P384 = ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    ("make", "profile", "level", "rule"),
    [
        (lambda: made(CSCA, extensions={x509.BasicConstraints: None}), CSCA, "needed", "basic-constraints"),
        (
            lambda: made(CSCA, extensions={x509.BasicConstraints: x509.BasicConstraints(True, 1)}),
            CSCA,
            "needed",
            "basic-constraints",
        ),
        (lambda: made(CSCA, critical={x509.BasicConstraints: False}), CSCA, "needed", "basic-constraints"),
        (lambda: made(CSCA, extensions={x509.KeyUsage: None}), CSCA, "needed", "key-usage"),
        (lambda: made(CSCA, extensions={x509.KeyUsage: usage("crl_sign")}), CSCA, "needed", "key-usage"),
        (lambda: made(CSCA, extensions={x509.KeyUsage: usage("key_cert_sign")}), CSCA, "advised", "key-usage"),
        (lambda: made(CSCA, critical={x509.KeyUsage: False}), CSCA, "advised", "key-usage"),
        (lambda: made(CSCA, extensions={x509.SubjectKeyIdentifier: None}), CSCA, "needed", "subject-key-id"),
        (lambda: made(CSCA, country=None), CSCA, "needed", "country"),
        (lambda: made(CSCA, country="fr"), CSCA, "needed", "country"),
        (lambda: made(CSCA, name=None), CSCA, "needed", "common-name"),
        (lambda: made(CSCA, name=" "), CSCA, "needed", "common-name"),
        (lambda: made(CSCA, end=BEGIN + 1500 * DAY), CSCA, "advised", "validity"),
        (lambda: made(CSCA, key=MIDDLE), CSCA, "needed", "key"),
        (lambda: made(CSCA, key=SMALL_EXPONENT), CSCA, "needed", "key"),
        (lambda: made(CSCA, hash_=hashes.SHA224()), CSCA, "needed", "hash"),
        (lambda: made(UPLOAD, key=SHORT), UPLOAD, "needed", "key"),
        (lambda: made(UPLOAD, extensions={x509.KeyUsage: usage("key_cert_sign")}), UPLOAD, "needed", "key-usage"),
        (
            lambda: made(UPLOAD, extensions={x509.BasicConstraints: x509.BasicConstraints(True, None)}),
            UPLOAD,
            "needed",
            "basic-constraints",
        ),
        (lambda: made(UPLOAD, end=BEGIN + 740 * DAY), UPLOAD, "advised", "validity"),
        (lambda: made(TLS_CLIENT), TLS_CLIENT, "needed", "extended-key-usage"),
        (
            lambda: made(TLS_CLIENT, extensions={x509.ExtendedKeyUsage: extended("1.3.6.1.5.5.7.3.2", "1.2.3")}),
            TLS_CLIENT,
            "advised",
            "extended-key-usage",
        ),
        (
            lambda: made(
                UPLOAD,
                extensions={x509.NameConstraints: x509.NameConstraints([x509.DNSName("a.b")], None)},
                critical={x509.NameConstraints: True},
            ),
            UPLOAD,
            "needed",
            "extension",
        ),
        (
            lambda: made(
                UPLOAD,
                extensions={x509.PrivateKeyUsagePeriod: x509.PrivateKeyUsagePeriod(None, NOW + 900 * DAY)},
            ),
            UPLOAD,
            "needed",
            "usage-period",
        ),
        (lambda: made(DSC, key=P384, by=csca()), DSC, "needed", "key"),
        (
            lambda: made(DSC, by=csca(), extensions={x509.AuthorityKeyIdentifier: None}),
            DSC,
            "needed",
            "authority-key-id",
        ),
        (lambda: made(DSC, by=csca(), extensions={x509.SubjectKeyIdentifier: None}), DSC, "advised", "subject-key-id"),
        (
            lambda: made(
                DSC,
                by=csca(),
                extensions={
                    x509.AuthorityKeyIdentifier: x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key())
                },
            ),
            DSC,
            "needed",
            "issuer",
        ),
        (lambda: made(DSC, by=csca(), country="DE"), DSC, "needed", "country"),
        (lambda: made(DSC, by=ELSEWHERE), DSC, "needed", "issuer"),
        (lambda: made(DSC, by=csca(), begin=NOW - 60 * DAY), DSC, "advised", "shell"),
        (lambda: made(DSC, by=csca(), end=NOW + 4 * 366 * DAY), DSC, "needed", "shell"),
        (
            lambda: made(DSC, by=csca(), extensions={x509.ExtendedKeyUsage: extended("1.3.6.1.5.5.7.3.4")}),
            DSC,
            "advised",
            "extended-key-usage",
        ),
        (lambda: made(BARCODE_SIGNING, by=csca()), BARCODE_SIGNING, "needed", "document-types"),
        (
            lambda: made(BARCODE_SIGNING, by=csca(), extensions={x509.ExtendedKeyUsage: extended("2.23.136.1.1.14.2")}),
            BARCODE_SIGNING,
            "needed",
            "extended-key-usage",
        ),
    ],
)
def test_each_departure_is_named(make: Callable[[], x509.Certificate], profile: Profile, level: str, rule: str) -> None:
    assert (level, rule) in found(make(), profile, csca() if profile.under_csca else None)


def test_a_dsc_that_signs_itself_is_not_under_a_csca() -> None:
    assert ("needed", "issuer") in found(made(DSC), DSC)


def test_a_key_of_another_kind_is_named() -> None:
    own = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"), x509.NameAttribute(NameOID.COMMON_NAME, "X")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .add_extension(usage("digital_signature"), critical=True)
        .sign(own, None)
    )
    assert {("needed", "key"), ("needed", "hash")} <= found(certificate, UPLOAD)


def test_a_serial_number_below_one_is_named_and_warns_nobody() -> None:
    der = made(UPLOAD, serial=5).public_bytes(Encoding.DER)
    negative = der.replace(b"\xa0\x03\x02\x01\x02\x02\x01\x05", b"\xa0\x03\x02\x01\x02\x02\x01\x85")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ("needed", "serial") in found(negative, UPLOAD)


def test_without_the_authority_the_issuer_is_not_judged() -> None:
    assert found(made(DSC, by=ELSEWHERE), DSC) == {("advised", "crl")}


def test_findings_say_what_and_where() -> None:
    finding = check_profile(made(CSCA, country=None), CSCA)[0]
    assert finding.level is Level.NEEDED
    assert str(finding) == (
        "country: the subject has no country of two capital letters (certificate governance guide §4.2)"
    )


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"nothing", bytes(70_000)])
def test_what_is_no_certificate_is_a_finding(data: bytes) -> None:
    assert found(data, DSC, csca()) == {("needed", "readable")}


@given(st.data())
def test_a_damaged_certificate_never_raises(data: st.DataObject) -> None:
    der = bytearray(complete_der)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    for profile in PROFILES.values():
        for authority in (None, csca().certificate):
            findings = check_profile(bytes(der), profile, authority)
            assert all(isinstance(finding, Finding) for finding in findings)


complete_der = complete(DSC).certificate_der()


def test_a_certificate_that_would_not_be_as_it_must_is_not_given_out() -> None:
    bare = KeyPair(KEY, made(CSCA, extensions={x509.SubjectKeyIdentifier: None}))
    with pytest.raises(hc.IssueError, match="the CSCA has no subject key identifier") as caught:
        new_dsc(bare, "DSC", now=NOW)
    assert caught.value.code == "FIELD_INVALID"
    other = KeyPair(ec.generate_private_key(ec.SECP256R1()), csca().certificate)
    with pytest.raises(hc.IssueError, match="signature does not verify") as caught:
        new_dsc(other, "DSC", now=NOW)
    assert caught.value.code == "SIGNING_FAILED"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"validity": timedelta(0)}, "validity and use"),
        ({"use": -DAY}, "validity and use"),
        ({"revocation_list": "ftp://a"}, "revocation list"),
        ({"revocation_list": "https://a\n"}, "revocation list"),
        ({"organisation": ""}, "organisation"),
        ({"organisation": "x" * 65}, "organisation"),
        ({"usages": [hc.EntryType.EXEMPTION]}, "usages: of test, vaccination, recovery"),
    ],
)
def test_wishes_that_cannot_be_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        new_dsc(csca(), "DSC", now=NOW, **wrong)  # type: ignore[arg-type]
    assert caught.value.code == "FIELD_INVALID"


def test_a_client_s_profile_is_one_of_two() -> None:
    with pytest.raises(hc.IssueError, match="upload or tls"):
        new_client(DSC, csca(), "Client", now=NOW)
