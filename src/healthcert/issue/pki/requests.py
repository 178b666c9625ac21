"""Requests for certificates (PKCS #10, RFC 2986): one's own for an outside authority, and others' to a CSCA."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.pki.building import Wishes, check_wishes, extended_usage, key_usage, subject_name
from healthcert.issue.pki.findings import HASHES, UNREADABLE, Level, check_key, extension_of
from healthcert.issue.pki.keys import CertifiedKey, KeyPair, SigningKey
from healthcert.issue.pki.making import certify
from healthcert.issue.pki.profiles import CSCA, Profile
from healthcert.lists.x509 import USAGE_OF
from healthcert.model import EntryType

_MAX_BYTES = 64 * 1024  # of a request; one with an RSA key of 4096 bits has under 3 KiB
_MAX_NAMED = 16  # extensions that are named; a request has a handful


class CertificateRequest(Struct, frozen=True):
    """A request whose signature holds: whoever made it has the private key.

    ``key`` is its public key. Its subject says ``country``, ``name`` and ``organisation``, None where it does not say
    it once, in printable text. ``asked`` are the OIDs of the extensions that it asks for, and ``usages`` the entry
    types that these would limit it to; ``wants_authority`` is whether it asks to sign certificates.
    """

    key: CertifiedKey
    country: str | None
    name: str | None
    organisation: str | None
    asked: tuple[str, ...]
    usages: frozenset[EntryType]
    wants_authority: bool

    @property
    def spki(self) -> bytes:
        """The public key, a SubjectPublicKeyInfo in DER."""
        return self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def make_request(
    key: SigningKey,
    country: str,
    name: str,
    *,
    profile: Profile,
    usages: Collection[EntryType] = (),
    organisation: str | None = None,
) -> x509.CertificateSigningRequest:
    """A request for a certificate of ``key``, which may be in a hardware module, to an authority elsewhere.

    It asks for the key usages of the profile; a CSCA of this software decides these itself. Raises
    :class:`IssueError` (``FIELD_INVALID``), ``SIGNING_FAILED`` where the signature does not verify.
    """
    check_wishes(profile, Wishes(validity=profile.validity, usages=tuple(usages)))
    if profile.ca:
        raise IssueError(Code.FIELD_INVALID, "profile: one that an authority issues; a CSCA signs itself", Step.CONTENT)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject_name(country, name, organisation))
    if not profile.bare:
        builder = builder.add_extension(key_usage(profile), critical=True)
    if (extended := extended_usage(profile, usages)) is not None:
        builder = builder.add_extension(extended, critical=profile.extended_usage_critical)
    request = builder.sign(key, hashes.SHA256())
    if not request.is_signature_valid:
        raise IssueError(Code.SIGNING_FAILED, "the request's signature does not verify", Step.SIGNATURE)
    return request


def read_request(data: bytes) -> CertificateRequest:
    """A request in PEM or DER, from anyone.

    Raises :class:`IssueError` (``REQUEST_INVALID``) for one that cannot be read, that is not signed with its own key,
    over SHA-256 or more, or whose key is neither an EC nor an RSA key.
    """
    if len(data) > _MAX_BYTES:
        raise _invalid(f"a request of more than {_MAX_BYTES} bytes")
    try:
        pem = b"-----BEGIN" in data
        request = x509.load_pem_x509_csr(data) if pem else x509.load_der_x509_csr(data)
        key = request.public_key()
        extensions = request.extensions
        hash_algorithm = request.signature_hash_algorithm
        _ = request.subject
    except (UnsupportedAlgorithm, *UNREADABLE):
        raise _invalid("not a readable request (PKCS #10)") from None
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise _invalid("the key is neither an EC nor an RSA key")
    # Governance guide §4.1: SHA-2 with 256 bits or more.
    if hash_algorithm is None or hash_algorithm.name not in HASHES:
        raise _invalid("not signed over SHA-256, SHA-384 or SHA-512")
    # RFC 2986 §3: the signature proves that the private key is there.
    if not _proves_possession(request):
        raise _invalid("the request is not signed with its own key")
    return CertificateRequest(
        key=key,
        country=_attribute(request, NameOID.COUNTRY_NAME),
        name=_attribute(request, NameOID.COMMON_NAME),
        organisation=_attribute(request, NameOID.ORGANIZATION_NAME),
        asked=tuple(extension.oid.dotted_string for extension in extensions)[:_MAX_NAMED],
        usages=_usages(extensions),
        wants_authority=_wants_authority(extensions),
    )


def check_request(request: CertificateRequest, profile: Profile, country: str) -> None:
    """Whether a CSCA of ``country`` can make a certificate for it.

    Raises :class:`IssueError` (``REQUEST_INVALID``): a key of another kind or size, another country, no name, or the
    wish to become an authority, which no certificate under a CSCA grants.
    """
    for finding in check_key(request.key, profile):
        if finding.level is Level.NEEDED:
            raise _invalid(str(finding))
    # Governance guide §4.3 to §4.5: c is the member state that uses the certificate.
    if request.country != country:
        raise _invalid(f"country: that of the CSCA; for example {country}")
    if request.name is None:
        raise _invalid("the subject has no common name, or several")
    if request.wants_authority:
        raise _invalid("it asks to become an authority, which a CSCA's path length of 0 does not let it")


def sign_request(
    csca: KeyPair,
    request: CertificateRequest,
    profile: Profile,
    *,
    now: datetime,
    wishes: Wishes,
    name: str | None = None,
) -> x509.Certificate:
    """A certificate for a request, under ``csca``.

    Taken from the request are the key, the common name unless ``name`` is another, and the organisation unless
    ``wishes`` has one. The extensions that it asks for are not looked at: ``profile`` and ``wishes`` say what the
    certificate has. Raises :class:`IssueError`: ``REQUEST_INVALID`` and what :func:`certify` raises.
    """
    if profile is CSCA:
        raise _invalid("it asks to become an authority, which a CSCA's path length of 0 does not let it")
    countries = csca.certificate.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    check_request(request, profile, str(countries[0].value) if countries else "")
    if request.key == csca.certificate.public_key():
        raise _invalid("the key is the CSCA's own")
    if wishes.organisation is None and request.organisation is not None:
        wishes = Wishes(
            validity=wishes.validity,
            usages=wishes.usages,
            use=wishes.use,
            revocation_list=wishes.revocation_list,
            organisation=request.organisation,
        )
    return certify(csca, profile, request.key, name or request.name or "", now=now, wishes=wishes)


def _proves_possession(request: x509.CertificateSigningRequest) -> bool:
    try:
        return request.is_signature_valid
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False


def _attribute(request: x509.CertificateSigningRequest, oid: x509.ObjectIdentifier) -> str | None:
    found = request.subject.get_attributes_for_oid(oid)
    if len(found) != 1 or not isinstance(found[0].value, str):
        return None
    text = found[0].value
    return text if text.strip() and text.isprintable() else None


def _usages(extensions: x509.Extensions) -> frozenset[EntryType]:
    found = extension_of(extensions, x509.ExtendedKeyUsage)
    oids = [usage.dotted_string for usage in found.value] if found is not None else []
    return frozenset(USAGE_OF[oid] for oid in oids if oid in USAGE_OF)


def _wants_authority(extensions: x509.Extensions) -> bool:
    constraints = extension_of(extensions, x509.BasicConstraints)
    usage = extension_of(extensions, x509.KeyUsage)
    return (constraints is not None and constraints.value.ca) or (usage is not None and usage.value.key_cert_sign)


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.REQUEST_INVALID, detail, Step.CONTENT)
