"""Whether a certificate is as its profile has it: one's own before it leaves, another authority's when it comes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from healthcert.encoding import ber
from healthcert.errors import Code, DecodeError, IssueError, Step, TrustError
from healthcert.issue.period import usage_period
from healthcert.issue.pki.findings import CRYPTOGRAPHY, HASHES, UNREADABLE, Finding, Level, check_key, extension_of
from healthcert.issue.pki.profiles import KNOWN_EXTENSIONS, Profile
from healthcert.lists.x509 import DOCUMENT_TYPE_LIST, Certificate, parse_certificate

_RFC = "RFC 5280"
_LIFE = "certificate governance guide §3.2"
_MAX_SERIAL = 20  # bytes


def check_profile(
    certificate: x509.Certificate | bytes,
    profile: Profile,
    authority: x509.Certificate | bytes | None = None,
) -> tuple[Finding, ...]:
    """Where ``certificate`` (DER) is not as ``profile`` has it; nothing for one that is.

    ``authority`` is the certificate that issued it. Without one, a certificate that names itself as its issuer is held
    against itself, and another's issuer is not looked at. Whether it is valid at a moment is not asked. Never raises
    for what a certificate holds: one that cannot be read is a finding.
    """
    der = _der(certificate)
    try:
        tolerant = parse_certificate(der)
        issuer = parse_certificate(_der(authority)) if authority is not None else None
        loaded = _load_whole(der)
        extensions = loaded.extensions
    except (TrustError, *UNREADABLE):
        return (Finding(Level.NEEDED, "readable", "not readable as RFC 5280 has it, in DER", f"{_RFC} §4.1"),)
    if (issuer is None and tolerant.issuer == tolerant.subject) or (issuer is not None and issuer.der == der):
        issuer = tolerant
    found = [
        *_shape(loaded, tolerant),
        *_names(loaded, profile, issuer),
        *check_key(_public_key(loaded), profile),
        *_times(der, tolerant, profile, issuer),
        *_constraints(extensions, profile),
        *_usage(extensions, profile),
        *_extended(extensions, profile),
        *_identifiers(tolerant, profile, issuer),
        *_issuing(loaded, tolerant, profile, issuer),
        *_others(extensions, tolerant, profile),
    ]
    return tuple(sorted(found, key=lambda one: one.level is not Level.NEEDED))


def checked(certificate: x509.Certificate, profile: Profile, authority: x509.Certificate) -> x509.Certificate:
    """A new certificate, once it was held against its profile.

    Raises :class:`IssueError` for the first thing that is needed and not there: ``SIGNING_FAILED`` where it is the
    authority's signature that does not verify, else ``FIELD_INVALID``.
    """
    for finding in check_profile(certificate, profile, authority):
        if finding.level is Level.NEEDED:
            code = Code.SIGNING_FAILED if finding.rule == "issuer" else Code.FIELD_INVALID
            raise IssueError(code, f"the {profile.title} would not be as it must: {finding}", Step.CONTENT)
    return certificate


def _load_whole(der: bytes) -> x509.Certificate:
    """A certificate as ``cryptography`` reads it, with the names that it would read later.

    Raises one of :data:`UNREADABLE`. It is silent: what it would warn of is found by the checks.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = x509.load_der_x509_certificate(der)
        _ = loaded.subject, loaded.issuer, loaded.extensions
        return loaded


def _shape(loaded: x509.Certificate, tolerant: Certificate) -> Iterator[Finding]:
    # RFC 5280 §4.1.2.1: with extensions, and all of these have some, the version is 3.
    if loaded.version is not x509.Version.v3:
        yield Finding(Level.NEEDED, "version", "not of version 3", f"{_RFC} §4.1.2.1")
    # RFC 5280 §4.1.2.2: a positive number of 20 bytes at most. Guide §4.3: unique, which a random one is.
    serial = int.from_bytes(tolerant.serial, "big", signed=True)
    if serial <= 0 or len(tolerant.serial) > _MAX_SERIAL:
        yield Finding(Level.NEEDED, "serial", "no positive number of 20 bytes at most", f"{_RFC} §4.1.2.2")
    try:
        algorithm = loaded.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    # Guide §4.1: SHA-2 with 256 bits or more.
    if algorithm is None or algorithm.name not in HASHES:
        yield Finding(Level.NEEDED, "hash", "not signed over SHA-256, SHA-384 or SHA-512", CRYPTOGRAPHY)


def _names(loaded: x509.Certificate, profile: Profile, issuer: Certificate | None) -> Iterator[Finding]:
    countries = loaded.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    country = str(countries[0].value) if len(countries) == 1 else ""
    # Guide §4.2 to §4.5: c is the member state that uses it. RFC 5280, Appendix A.1: two letters.
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        yield Finding(Level.NEEDED, "country", "the subject has no country of two capital letters", profile.source)
    elif profile.under_csca and issuer is not None and issuer.country not in (None, country):
        detail = f"the subject is of {country}, the authority of {issuer.country}"
        yield Finding(Level.NEEDED, "country", detail, profile.source)
    names = loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(str(name.value).strip() for name in names):
        yield Finding(Level.NEEDED, "common-name", "the subject has no common name", profile.source)
    if not profile.bare and not loaded.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        yield Finding(Level.ADVISED, "organisation", "the subject names no organisation", profile.source)


def _public_key(loaded: x509.Certificate) -> object:
    try:
        return loaded.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _times(der: bytes, tolerant: Certificate, profile: Profile, issuer: Certificate | None) -> Iterator[Finding]:
    begins, ends = tolerant.not_before, tolerant.not_after
    if ends <= begins:
        yield Finding(Level.NEEDED, "validity", "ends before it begins", f"{_RFC} §4.1.2.5")
    if ends - begins > timedelta(days=366 * profile.years):
        detail = f"lives {(ends - begins).days} days, of {profile.years} years at most"
        yield Finding(Level.ADVISED, "validity", detail, profile.source if profile.bare else _LIFE)
    # Guide §2.3: the shell model; nothing is issued that is valid longer than the CSCA.
    if issuer is not None and ends > issuer.not_after:
        yield Finding(Level.NEEDED, "shell", "ends after its authority", "certificate governance guide §2.3")
    if issuer is not None and begins < issuer.not_before:
        yield Finding(Level.ADVISED, "shell", "begins before its authority", "certificate governance guide §2.3")
    first, last = usage_period(der)
    if (first is not None and not begins <= first <= ends) or (last is not None and not begins <= last <= ends):
        detail = "the private key usage period is not within the validity"
        yield Finding(Level.NEEDED, "usage-period", detail, "ICAO Doc 9303-12 §7.1")


def _constraints(extensions: x509.Extensions, profile: Profile) -> Iterator[Finding]:
    found = extension_of(extensions, x509.BasicConstraints)
    if not profile.ca:
        # RFC 5280 §4.2.1.9: who has ca may sign certificates, which no leaf does.
        if found is not None and found.value.ca:
            detail = "says that it is an authority"
            yield Finding(Level.NEEDED, "basic-constraints", detail, profile.source)
        return
    # Guide §4.2: CA = true, path length constraints = 0. RFC 5280 §4.2.1.9: critical.
    if found is None or not found.value.ca:
        yield Finding(Level.NEEDED, "basic-constraints", "does not say that it is an authority", profile.source)
    elif found.value.path_length != 0:
        yield Finding(Level.NEEDED, "basic-constraints", "the path length is not 0", profile.source)
    elif not found.critical:
        yield Finding(Level.NEEDED, "basic-constraints", "not critical", f"{_RFC} §4.2.1.9")


def _usage(extensions: x509.Extensions, profile: Profile) -> Iterator[Finding]:
    found = extension_of(extensions, x509.KeyUsage)
    bits = {name for name in _BITS if found is not None and getattr(found.value, name)}
    if profile.key_usage and found is None:
        yield Finding(Level.NEEDED, "key-usage", "there is none", profile.source)
        return
    for name in sorted(profile.key_usage - bits):
        yield Finding(Level.NEEDED, "key-usage", f"lacks {_BITS[name]}", profile.source)
    for name in sorted(profile.key_usage_advised - bits):
        yield Finding(Level.ADVISED, "key-usage", f"lacks {_BITS[name]}", profile.source)
    # RFC 5280 §4.2.1.3: keyCertSign without ca in the basic constraints must not be.
    if not profile.ca and "key_cert_sign" in bits:
        yield Finding(Level.NEEDED, "key-usage", "has keyCertSign, which is an authority's", f"{_RFC} §4.2.1.3")
    if found is not None and not found.critical:
        yield Finding(Level.ADVISED, "key-usage", "not critical", f"{_RFC} §4.2.1.3")


def _extended(extensions: x509.Extensions, profile: Profile) -> Iterator[Finding]:
    found = extension_of(extensions, x509.ExtendedKeyUsage)
    stated = {usage.dotted_string for usage in found.value} if found is not None else set()
    for oid in sorted(profile.extended_usage - stated):
        yield Finding(Level.NEEDED, "extended-key-usage", f"lacks {oid}", profile.source)
    if profile.extended_usage_critical and found is not None and not found.critical:
        yield Finding(Level.NEEDED, "extended-key-usage", "not critical", profile.source)
    known = profile.extended_usage_known
    foreign = stated - profile.extended_usage - known if known is not None else set()
    if not foreign:
        return
    # HCERT specification, Appendix A.4: a DSC with none of its OIDs may sign any entry. Who puts other OIDs into one
    # may mean to limit it, and has not.
    listed = ", ".join(sorted(foreign))
    yield Finding(Level.ADVISED, "extended-key-usage", f"has others: {listed}", profile.source)


def _identifiers(tolerant: Certificate, profile: Profile, issuer: Certificate | None) -> Iterator[Finding]:
    # Guide §4.2: a CSCA has a subject key identifier; §4.3: a DSC should.
    if not profile.bare and tolerant.subject_key_id is None:
        level = Level.NEEDED if profile.subject_key_id_needed else Level.ADVISED
        yield Finding(level, "subject-key-id", "there is none", profile.source)
    # Guide §4.3: a DSC's authority key identifier is the subject key identifier of its CSCA.
    if profile.under_csca and tolerant.authority_key_id is None:
        yield Finding(Level.NEEDED, "authority-key-id", "there is none", profile.source)
    if profile.under_csca and issuer is not None and issuer.subject_key_id is None:
        yield Finding(Level.NEEDED, "authority-key-id", "the CSCA has no subject key identifier", profile.source)


def _issuing(
    loaded: x509.Certificate, tolerant: Certificate, profile: Profile, issuer: Certificate | None
) -> Iterator[Finding]:
    if issuer is None:
        return
    problem = tolerant.problem_with_issuer(issuer)
    # Guide §2.2, §2.4: upload and TLS certificates may be signed with their own key, which signs no others.
    if issuer is tolerant and not profile.ca and not profile.under_csca:
        problem = None if _signed_itself(loaded) else "its own signature does not verify"
    if problem is not None:
        yield Finding(Level.NEEDED, "issuer", problem, f"{_RFC} §6.1.3")


def _signed_itself(loaded: x509.Certificate) -> bool:
    try:
        loaded.verify_directly_issued_by(loaded)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _others(extensions: x509.Extensions, tolerant: Certificate, profile: Profile) -> Iterator[Finding]:
    for extension in extensions:
        oid = extension.oid.dotted_string
        # RFC 5280 §4.2: who does not know a critical extension refuses the certificate.
        if extension.critical and oid not in KNOWN_EXTENSIONS:
            yield Finding(Level.NEEDED, "extension", f"{oid} is critical, and not known to all", f"{_RFC} §4.2")
    if profile.needs_document_types and not _lists_types(tolerant.document_types):
        yield Finding(Level.NEEDED, "document-types", f"no list of types ({DOCUMENT_TYPE_LIST})", profile.source)
    # Guide §4.3: a DSC should name the CSCA's revocation list, although nobody asks it yet.
    if profile.revocation_list_advised and extension_of(extensions, x509.CRLDistributionPoints) is None:
        yield Finding(Level.ADVISED, "crl", "no distribution point of a revocation list", profile.source)


def _lists_types(extension: bytes | None) -> bool:
    try:
        return extension is not None and len(ber.read(extension, ber.SEQUENCE).children()[1].children()) > 0
    except (DecodeError, ValueError, IndexError):
        return False


def _der(certificate: x509.Certificate | bytes) -> bytes:
    return certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)


# The bits of a key usage by the names of cryptography, and by those of RFC 5280 §4.2.1.3.
_BITS = {
    "digital_signature": "digitalSignature",
    "content_commitment": "contentCommitment",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
