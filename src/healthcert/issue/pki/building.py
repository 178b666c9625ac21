"""What a certificate is built of: its subject, its usages, and the extensions that its profile has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.pki.keys import CertifiedKey
from healthcert.issue.pki.profiles import BARCODE_SIGNING, DSC, Profile
from healthcert.lists.x509 import DOCUMENT_TYPE_LIST, USAGE_OIDS
from healthcert.model import EntryType
from healthcert.trust.vouching import DOCUMENT_TYPES

_MAX_URL = 2048


class Wishes(Struct, frozen=True, kw_only=True):
    """What a certificate is to have besides what its profile says.

    ``usages`` are the entry types that it may sign, none for any where its profile lets it. ``use`` is how long its
    private key signs, which the certificate then states (RFC 3280 §4.2.1.4); ``revocation_list`` the URL of its
    authority's revocation list; ``organisation`` the one that its subject names.
    """

    validity: timedelta
    usages: tuple[EntryType, ...] = ()
    use: timedelta | None = None
    organisation: str | None = None
    revocation_list: str | None = None


def check_wishes(profile: Profile, wishes: Wishes) -> None:
    """Whether the profile lets a certificate have these. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    kinds: Collection[EntryType] = USAGE_OIDS if profile is DSC else ()
    if profile is BARCODE_SIGNING:
        kinds = DOCUMENT_TYPES.values()
    if set(wishes.usages) - set(kinds) or (profile is BARCODE_SIGNING and not wishes.usages):
        detail = f"usages: of {', '.join(kinds)}" if kinds else "usages: only of what signs entries"
        raise IssueError(Code.FIELD_INVALID, f"{detail}; for example {next(iter(kinds), 'none')}", Step.USAGE)
    if wishes.validity <= timedelta(0) or (wishes.use is not None and wishes.use <= timedelta(0)):
        raise IssueError(Code.FIELD_INVALID, "validity and use: longer than nothing", Step.TIME)
    url = wishes.revocation_list
    if url is not None and not (
        len(url) <= _MAX_URL and url.isascii() and url.isprintable() and url.startswith(("http://", "https://"))
    ):
        detail = "revocation list: an http(s) URL; for example https://health.example/csca.crl"
        raise IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)


def subject_name(country: str, name: str, organisation: str | None = None) -> x509.Name:
    """The subject of a certificate. Raises :class:`IssueError` (``FIELD_INVALID``)."""
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise IssueError(Code.FIELD_INVALID, "country: two capital letters; for example FR", Step.CONTENT)
    if not 0 < len(name) <= 64 or not name.isprintable() or not name.strip():
        raise IssueError(Code.FIELD_INVALID, "name: 1 to 64 characters; for example Health DSC 1", Step.CONTENT)
    if organisation is not None and not (0 < len(organisation) <= 64 and organisation.isprintable()):
        detail = "organisation: 1 to 64 characters; for example Ministry of Health"
        raise IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
    middle = [] if organisation is None else [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            *middle,
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def key_usage(profile: Profile) -> x509.KeyUsage:
    """The key usage that the profile has, with what it advises."""
    bits = profile.key_usage | profile.key_usage_advised
    return x509.KeyUsage(
        digital_signature="digital_signature" in bits,
        key_cert_sign="key_cert_sign" in bits,
        crl_sign="crl_sign" in bits,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def extended_usage(profile: Profile, usages: Collection[EntryType]) -> x509.ExtendedKeyUsage | None:
    """The extended key usage that the profile has, with the OIDs of the entry types that a DSC is limited to."""
    oids = sorted(profile.extended_usage)
    if profile is DSC:
        oids += [USAGE_OIDS[usage] for usage in sorted(set(usages))]
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids]) if oids else None


def unsigned_certificate(
    profile: Profile,
    subject: x509.Name,
    issuer: x509.Name,
    key: CertifiedKey,
    begin: datetime,
    end: datetime,
    wishes: Wishes,
) -> x509.CertificateBuilder:
    """A certificate that only lacks its authority's key identifier and signature."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if not profile.bare:
        constraints = x509.BasicConstraints(ca=profile.ca, path_length=0 if profile.ca else None)
        builder = (
            builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(constraints, critical=True)
            .add_extension(key_usage(profile), critical=True)
        )
    if (extended := extended_usage(profile, wishes.usages)) is not None:
        builder = builder.add_extension(extended, critical=profile.extended_usage_critical)
    if profile.needs_document_types:
        builder = builder.add_extension(_document_types(wishes.usages), critical=False)
    if wishes.use is not None:
        period = x509.PrivateKeyUsagePeriod(begin, min(begin + wishes.use, end))
        builder = builder.add_extension(period, critical=False)
    if wishes.revocation_list is not None:
        name = x509.UniformResourceIdentifier(wishes.revocation_list)
        point = x509.DistributionPoint([name], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder


def _document_types(usages: Collection[EntryType]) -> x509.UnrecognizedExtension:
    # ICAO Doc 9303-12 §7.1.1.6: a version, which is 0, and a set of the types of document.
    types = {entry_type: name for name, entry_type in DOCUMENT_TYPES.items()}
    listed = b"".join(b"\x13\x02" + types[usage].encode() for usage in sorted(set(usages)))
    content = b"\x02\x01\x00\x31" + bytes((len(listed),)) + listed
    return x509.UnrecognizedExtension(
        x509.ObjectIdentifier(DOCUMENT_TYPE_LIST), b"\x30" + bytes((len(content),)) + content
    )
