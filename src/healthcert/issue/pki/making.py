"""Certificates of a national authority (CSCA), under one, and of their own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.pki.building import Wishes, check_wishes, subject_name, unsigned_certificate
from healthcert.issue.pki.checking import checked
from healthcert.issue.pki.findings import extension_of
from healthcert.issue.pki.keys import CertifiedKey, KeyKind, KeyPair, SigningKey, new_key
from healthcert.issue.pki.profiles import BARCODE_SIGNING, CSCA, DSC, TLS_CLIENT, UPLOAD, Profile
from healthcert.model import EntryType


def new_csca(
    country: str,
    name: str,
    *,
    now: datetime,
    kind: KeyKind = KeyKind.EC_P256,
    validity: timedelta = CSCA.validity,
    key: SigningKey | None = None,
    use: timedelta | None = None,
    organisation: str | None = None,
) -> KeyPair:
    """A self-signed national signing authority. ``country`` is ISO 3166-1 alpha-2.

    ``key`` is the key that it gets, as one in a hardware module; without one a key of ``kind`` is made. ``use`` is how
    long it signs others, where the certificate is to state it. Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    subject = subject_name(country, name, organisation)
    return _own(CSCA, subject, key or new_key(kind), now, Wishes(validity=validity, use=use))


def new_dsc(
    csca: KeyPair,
    name: str,
    *,
    now: datetime,
    usages: Collection[EntryType] = (),
    kind: KeyKind = KeyKind.EC_P256,
    validity: timedelta = DSC.validity,
    key: SigningKey | None = None,
    use: timedelta | None = None,
    organisation: str | None = None,
    revocation_list: str | None = None,
) -> KeyPair:
    """A document signing certificate under ``csca``, of the same country, ending no later than it.

    With no ``usages`` it may sign any entry. ``key`` and ``use`` are as for :func:`new_csca`, ``revocation_list`` is
    the URL of the CSCA's. Raises :class:`IssueError`: ``FIELD_INVALID``, or ``PUBLIC_KEY_EXPIRED`` for a CSCA that is
    not valid now.
    """
    wishes = Wishes(
        validity=validity,
        usages=tuple(usages),
        use=use,
        organisation=organisation,
        revocation_list=revocation_list,
    )
    check_wishes(DSC, wishes)
    _authority(csca, now)
    own = key or new_key(kind)
    return KeyPair(own, certify(csca, DSC, public_key_of(own), name, now=now, wishes=wishes))


def new_barcode_signer(
    csca: KeyPair,
    name: str,
    *,
    now: datetime,
    usages: Collection[EntryType] = (EntryType.VACCINATION, EntryType.TEST),
    validity: timedelta = BARCODE_SIGNING.validity,
    key: SigningKey | None = None,
) -> KeyPair:
    """A certificate under ``csca`` that signs ICAO's visible digital seals, proofs of ``usages``.

    Of the same country, ending no later than the CSCA, which :func:`new_csca` makes. Raises :class:`IssueError` like
    :func:`new_dsc`.
    """
    wishes = Wishes(validity=validity, usages=tuple(usages))
    check_wishes(BARCODE_SIGNING, wishes)
    _authority(csca, now)
    own = key or new_key(KeyKind.EC_P256)
    return KeyPair(own, certify(csca, BARCODE_SIGNING, public_key_of(own), name, now=now, wishes=wishes))


def new_client(
    profile: Profile,
    authority: KeyPair | str,
    name: str,
    *,
    now: datetime,
    kind: KeyKind = KeyKind.EC_P256,
    validity: timedelta | None = None,
    key: SigningKey | None = None,
    organisation: str | None = None,
) -> KeyPair:
    """What a country's backend needs at a gateway: an upload certificate (``UPLOAD``) or a TLS one (``TLS_CLIENT``).

    ``authority`` is one that issues it, or the country of a certificate that is signed with its own key, as gateways
    take them too. Raises :class:`IssueError` like :func:`new_dsc`.
    """
    if profile not in (UPLOAD, TLS_CLIENT):
        raise IssueError(Code.FIELD_INVALID, "profile: upload or tls", Step.CONTENT)
    wishes = Wishes(validity=validity or profile.validity, organisation=organisation)
    if isinstance(authority, str):
        subject = subject_name(authority, name, organisation)
        return _own(profile, subject, key or new_key(kind), now, wishes)
    _authority(authority, now)
    own = key or new_key(kind)
    return KeyPair(own, certify(authority, profile, public_key_of(own), name, now=now, wishes=wishes))


def certify(
    authority: KeyPair, profile: Profile, key: CertifiedKey, name: str, *, now: datetime, wishes: Wishes
) -> x509.Certificate:
    """A certificate for somebody's key, checked against its profile before it is given out.

    Of the authority's country, and ending no later than it. Raises :class:`IssueError`: ``FIELD_INVALID``,
    ``PUBLIC_KEY_EXPIRED``, ``SIGNER_KEY_MISMATCH`` for one that may not sign others, ``SIGNING_FAILED``.
    """
    check_wishes(profile, wishes)
    certificate, country = _authority(authority, now)
    subject = subject_name(country, name, wishes.organisation)
    # Guide §2.3: the shell model; a CSCA issues nothing that is valid longer than itself.
    end = min(now + wishes.validity, certificate.not_valid_after_utc)
    builder = unsigned_certificate(profile, subject, certificate.subject, key, now, end, wishes)
    builder = builder.add_extension(_authority_key_id(certificate), critical=False)
    return checked(builder.sign(authority.key, hashes.SHA256()), profile, certificate)


def public_key_of(key: SigningKey) -> CertifiedKey:
    """The public key of a private one."""
    return key.public_key()


def _own(profile: Profile, subject: x509.Name, key: SigningKey, now: datetime, wishes: Wishes) -> KeyPair:
    """A certificate that is signed with its own key."""
    check_wishes(profile, wishes)
    public = public_key_of(key)
    builder = unsigned_certificate(profile, subject, subject, public, now, now + wishes.validity, wishes)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return KeyPair(key, checked(certificate, profile, certificate))


def _authority(csca: KeyPair, now: datetime) -> tuple[x509.Certificate, str]:
    """The certificate of an authority that may sign others now, and its country."""
    authority = csca.certificate
    if not authority.not_valid_before_utc <= now < authority.not_valid_after_utc:
        raise IssueError(Code.PUBLIC_KEY_EXPIRED, "the CSCA is not valid now", Step.TIME)
    if not signs_certificates(authority):
        raise IssueError(Code.SIGNER_KEY_MISMATCH, "the given authority may not sign certificates", Step.USAGE)
    countries = authority.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    return authority, str(countries[0].value) if countries else ""


def signs_certificates(certificate: x509.Certificate) -> bool:
    """Whether a certificate is an authority's."""
    # RFC 5280 §4.2.1.9, §4.2.1.3.
    try:
        constraints = extension_of(certificate.extensions, x509.BasicConstraints)
        usage = extension_of(certificate.extensions, x509.KeyUsage)
    except ValueError:
        return False
    return constraints is not None and constraints.value.ca and usage is not None and usage.value.key_cert_sign


def _authority_key_id(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    # Guide §4.3: matching the subject key identifier of the CSCA, however that one was computed.
    if (found := extension_of(authority.extensions, x509.SubjectKeyIdentifier)) is not None:
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)
    key = authority.public_key()
    assert isinstance(key, CertifiedKey)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
