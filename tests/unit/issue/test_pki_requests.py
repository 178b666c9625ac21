"""Requests for certificates: made, signed as a CSCA, and what outside authorities made of them taken in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
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
    CertificateRequest,
    KeyKind,
    KeyPair,
    Profile,
    SigningKey,
    Wishes,
    accept,
    check_profile,
    make_request,
    new_csca,
    new_dsc,
    new_key,
    read_request,
    sign_request,
)
from healthcert.trust.certificates import read_certificate
from tests.support import DAY, NOW, csca, dsc

KEY = new_key(KeyKind.EC_P256)
YEAR = Wishes(validity=365 * DAY)
SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
MIDDLE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CSCA_KEY = new_key(KeyKind.EC_P256)


def pem(request: x509.CertificateSigningRequest) -> bytes:
    return request.public_bytes(Encoding.PEM)


def asked(
    key: SigningKey = KEY, country: str = "FR", *usages: hc.EntryType, profile: Profile = DSC
) -> CertificateRequest:
    made = make_request(key, country, "Region 1", profile=profile, usages=usages, organisation="Region")
    return read_request(pem(made))


def foreign(
    *attributes: tuple[x509.ObjectIdentifier, str],
    key: object = KEY,
    hash_: hashes.HashAlgorithm | None = None,
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> bytes:
    """A request of other software."""
    names = [x509.NameAttribute(oid, value) for oid, value in attributes]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    plain = isinstance(key, ed25519.Ed25519PrivateKey)
    return pem(builder.sign(key, None if plain else hash_ or hashes.SHA256()))  # type: ignore[arg-type]


FR = (NameOID.COUNTRY_NAME, "FR")
NAME = (NameOID.COMMON_NAME, "Region 1")


def test_a_request_says_what_was_asked_for() -> None:
    request = asked(KEY, "FR", hc.EntryType.TEST)
    assert (request.country, request.name, request.organisation) == ("FR", "Region 1", "Region")
    assert request.usages == {hc.EntryType.TEST}
    assert request.asked == ("2.5.29.15", "2.5.29.37")
    assert not request.wants_authority
    assert request.key == KEY.public_key()
    made = make_request(KEY, "FR", "Region 1", profile=DSC)
    assert read_request(made.public_bytes(Encoding.DER)) == read_request(pem(made))


@pytest.mark.parametrize("name", [name for name in PROFILES if name != "csca"])
def test_a_request_becomes_a_certificate_of_its_profile(name: str) -> None:
    profile = PROFILES[name]
    usages = (hc.EntryType.TEST,) if profile in (DSC, BARCODE_SIGNING) else ()
    wishes = Wishes(validity=100 * DAY, usages=usages, revocation_list="https://a.example/crl")
    certificate = sign_request(csca(), asked(KEY, "FR", *usages, profile=profile), profile, now=NOW, wishes=wishes)
    assert check_profile(certificate, profile, csca().certificate) == ()
    assert certificate.public_key() == KEY.public_key()
    assert certificate.not_valid_after_utc == NOW + 100 * DAY
    organisation = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    assert organisation == "Region"


def test_the_csca_and_not_the_request_says_what_may_be_signed() -> None:
    certificate = sign_request(csca(), asked(KEY, "FR", hc.EntryType.VACCINATION), DSC, now=NOW, wishes=YEAR)
    assert read_certificate(certificate.public_bytes(Encoding.DER)).usages is None
    wanted = foreign(
        FR,
        NAME,
        extensions=(
            x509.SubjectAlternativeName([x509.DNSName("bank.example")]),
            x509.TLSFeature([x509.TLSFeatureType.status_request]),
        ),
    )
    certificate = sign_request(csca(), read_request(wanted), DSC, now=NOW, wishes=YEAR)
    for kind in (x509.SubjectAlternativeName, x509.TLSFeature):
        with pytest.raises(x509.ExtensionNotFound):
            certificate.extensions.get_extension_for_class(kind)


def test_name_and_organisation_can_be_given_otherwise() -> None:
    wishes = Wishes(validity=DAY, organisation="Ministry")
    certificate = sign_request(csca(), asked(), DSC, now=NOW, wishes=wishes, name="DSC 7")
    assert certificate.subject.rfc4514_string() == "CN=DSC 7,O=Ministry,C=FR"


def test_other_attributes_of_the_subject_are_not_taken() -> None:
    request = read_request(foreign(FR, NAME, (NameOID.LOCALITY_NAME, "Paris"), (NameOID.EMAIL_ADDRESS, "a@b.example")))
    certificate = sign_request(csca(), request, DSC, now=NOW, wishes=YEAR)
    assert certificate.subject.rfc4514_string() == "CN=Region 1,C=FR"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a readable request"),
        (b"\x30\x00", "not a readable request"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n", "not a readable request"),
        (bytes(70_000), "more than 65536 bytes"),
        (foreign(FR, NAME, key=ed25519.Ed25519PrivateKey.generate()), "neither an EC nor an RSA key"),
        (foreign(FR, NAME, hash_=hashes.SHA224()), "not signed over SHA-256"),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        read_request(data)
    assert caught.value.code == "REQUEST_INVALID"


def test_a_request_with_another_s_signature_is_refused() -> None:
    der = make_request(KEY, "FR", "Region 1", profile=DSC).public_bytes(Encoding.DER)
    with pytest.raises(hc.IssueError, match="not signed with its own key"):
        read_request(der.replace(b"Region 1", b"Region 2"))


@pytest.mark.parametrize(
    ("request_", "profile", "said"),
    [
        (read_request(foreign(FR, NAME, key=SMALL)), DSC, "RSA with 1024 bits, of 2048"),
        (read_request(foreign(FR, NAME, key=MIDDLE)), UPLOAD, "RSA with 2048 bits, of 3000"),
        (read_request(foreign(FR, NAME, key=ec.generate_private_key(ec.SECP384R1()))), DSC, "the curve secp384r1"),
        (read_request(foreign(FR, NAME, key=ec.generate_private_key(ec.SECP224R1()))), UPLOAD, "the curve secp224r1"),
        (read_request(foreign((NameOID.COUNTRY_NAME, "DE"), NAME)), DSC, "country: that of the CSCA; for example FR"),
        (read_request(foreign(NAME)), DSC, "country: that of the CSCA"),
        (read_request(foreign(FR, FR, NAME)), DSC, "country: that of the CSCA"),
        (read_request(foreign(FR)), DSC, "no common name"),
        (read_request(foreign(FR, (NameOID.COMMON_NAME, "a\u202eb"))), DSC, "no common name"),
        (
            read_request(foreign(FR, NAME, extensions=(x509.BasicConstraints(ca=True, path_length=None),))),
            DSC,
            "become an authority",
        ),
        (asked(), CSCA, "become an authority"),
    ],
)
def test_a_request_that_cannot_be_granted_is_refused(request_: CertificateRequest, profile: Profile, said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        sign_request(csca(), request_, profile, now=NOW, wishes=YEAR)
    assert caught.value.code == "REQUEST_INVALID"


def test_the_csca_s_own_key_is_no_dsc_s() -> None:
    authority = new_csca("FR", "Own", now=NOW, key=CSCA_KEY)
    with pytest.raises(hc.IssueError, match="the CSCA's own"):
        sign_request(authority, asked(CSCA_KEY), DSC, now=NOW, wishes=YEAR)


def test_a_csca_that_has_ended_signs_no_request() -> None:
    with pytest.raises(hc.IssueError) as caught:
        sign_request(csca(), asked(), DSC, now=NOW + 5 * 365 * DAY, wishes=YEAR)
    assert caught.value.code == "PUBLIC_KEY_EXPIRED"


def test_a_request_for_an_authority_is_not_made() -> None:
    with pytest.raises(hc.IssueError, match="a CSCA signs itself"):
        make_request(KEY, "FR", "CSCA", profile=CSCA)


@given(st.data())
def test_a_damaged_request_is_refused_or_read(data: st.DataObject) -> None:
    der = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        request = read_request(bytes(der))
    except hc.IssueError as error:
        code = error.code
    else:
        code = hc.Code.OK
        assert bytes(der) == WHOLE or request.key != KEY.public_key()
    assert code in ("OK", "REQUEST_INVALID")


WHOLE = make_request(KEY, "FR", "Region 1", profile=DSC, usages=(hc.EntryType.TEST,)).public_bytes(Encoding.DER)
GIVEN = sign_request(csca(), asked(), DSC, now=NOW, wishes=YEAR)


def taken(
    data: bytes, profile: Profile = DSC, *, by: KeyPair | None = None, request: CertificateRequest | None = None
) -> tuple[set[str], bytes]:
    done = accept(
        data, asked().spki, profile, now=NOW, authority=(by or csca()).certificate, request=request or asked()
    )
    return {finding.rule for finding in done.findings}, done.certificate


def test_a_certificate_that_fits_is_taken_even_among_others() -> None:
    der = GIVEN.public_bytes(Encoding.DER)
    chain = csca().certificate_pem() + GIVEN.public_bytes(Encoding.PEM)
    assert taken(der) == ({"crl"}, der)
    assert taken(chain)[1] == der
    later = sign_request(csca(), asked(), DSC, now=NOW + 9 * DAY, wishes=YEAR)
    assert taken(later.public_bytes(Encoding.DER))[0] == {"crl"}


def test_what_is_otherwise_than_asked_is_told() -> None:
    wishes = Wishes(validity=DAY, usages=(hc.EntryType.RECOVERY,), revocation_list="https://a.example/crl")
    other = sign_request(csca(), asked(), DSC, now=NOW, wishes=wishes, name="Region X")
    assert taken(other.public_bytes(Encoding.DER))[0] == {"usages", "common-name"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"nothing", "CERTIFICATE_UNREADABLE"),
        (csca().certificate_der(), "SIGNER_KEY_MISMATCH"),
        (dsc().certificate_der(), "SIGNER_KEY_MISMATCH"),
        (new_dsc(csca(), "DSC", now=NOW - 20 * DAY, key=KEY, validity=DAY).certificate_der(), "PUBLIC_KEY_EXPIRED"),
        (new_dsc(new_csca("FR", "Test CSCA", now=NOW), "DSC", now=NOW, key=KEY).certificate_der(), "KEY_NOT_CHAINED"),
    ],
)
def test_what_does_not_fit_is_not_taken(data: bytes, code: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        taken(data)
    assert caught.value.code == code


def test_a_certificate_of_another_purpose_is_not_taken() -> None:
    with pytest.raises(hc.IssueError, match=r"lacks 1\.3\.6\.1\.5\.5\.7\.3\.2") as caught:
        accept(GIVEN.public_bytes(Encoding.DER), asked().spki, TLS_CLIENT, now=NOW)
    assert caught.value.code == "FIELD_INVALID"


def test_a_dsc_is_not_taken_without_its_csca() -> None:
    with pytest.raises(hc.IssueError, match="authority"):
        accept(GIVEN.public_bytes(Encoding.DER), asked().spki, DSC, now=NOW)
    done = accept(GIVEN.public_bytes(Encoding.DER), asked().spki, UPLOAD, now=NOW + timedelta(seconds=1))
    assert done.certificate == GIVEN.public_bytes(Encoding.DER)
