"""A certificate that an outside authority made, taken in: does it fit the key, the request and its profile?"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from msgspec import Struct

from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.issue.pki.checking import check_profile
from healthcert.issue.pki.findings import Finding, Level
from healthcert.issue.pki.profiles import DSC, Profile
from healthcert.issue.pki.requests import CertificateRequest
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.files import read_entries


class Accepted(Struct, frozen=True):
    """A certificate that can be used, in DER, and the points in which it is not as advised."""

    certificate: bytes
    findings: tuple[Finding, ...]


def accept(
    data: bytes,
    spki: bytes,
    profile: Profile,
    *,
    now: datetime,
    authority: x509.Certificate | bytes | None = None,
    request: CertificateRequest | None = None,
) -> Accepted:
    """The certificate of the key ``spki`` among those in a file (PEM or DER), which may bring its authorities along.

    ``authority`` is the CSCA that must have issued it, which a DSC needs; ``request`` what was asked for, held against
    what was given. Raises :class:`IssueError`: ``CERTIFICATE_UNREADABLE``, ``SIGNER_KEY_MISMATCH`` where none is of the
    key, ``KEY_NOT_CHAINED`` where another than ``authority`` has issued it, ``PUBLIC_KEY_EXPIRED``, and
    ``FIELD_INVALID`` for the first other point that its profile needs.
    """
    if profile.under_csca and authority is None:
        raise IssueError(Code.FIELD_INVALID, f"authority: the CSCA that issued the {profile.title}", Step.TRUST)
    certificate = _of_key(data, spki)
    # A certificate whose validity lies ahead is taken: it is made before the one that it follows ends.
    if certificate.not_after <= now:
        raise IssueError(Code.PUBLIC_KEY_EXPIRED, "the certificate has expired", Step.TIME)
    findings = check_profile(certificate.der, profile, authority)
    for finding in findings:
        if finding.level is Level.NEEDED:
            code = Code.KEY_NOT_CHAINED if finding.rule == "issuer" else Code.FIELD_INVALID
            raise IssueError(code, f"not as a {profile.title} has to be: {finding}", Step.TRUST)
    return Accepted(certificate.der, (*findings, *_otherwise_than_asked(certificate, profile, request)))


def _of_key(data: bytes, spki: bytes) -> Certificate:
    readable = 0
    for entry in read_entries(data, source="certificate"):
        if isinstance(entry, Rejected) or entry.certificate is None:
            continue
        try:
            certificate = parse_certificate(entry.certificate)
        except TrustError:
            continue
        readable += 1
        if certificate.spki == spki:
            return certificate
    if not readable:
        raise IssueError(Code.CERTIFICATE_UNREADABLE, "the file holds no readable certificate", Step.SIGNATURE)
    raise IssueError(Code.SIGNER_KEY_MISMATCH, "no certificate in the file is of the key", Step.SIGNATURE)


def _otherwise_than_asked(
    certificate: Certificate, profile: Profile, request: CertificateRequest | None
) -> tuple[Finding, ...]:
    """What the authority gave otherwise than it was asked to; it may, but whoever asked should know."""
    if request is None:
        return ()
    found = []
    if profile is DSC and (certificate.usages or frozenset()) != request.usages:
        given = ", ".join(sorted(certificate.usages)) if certificate.usages else "any entry"
        found.append(("usages", f"it may sign {given}, which is not what was asked for"))
    if request.name is not None and certificate.common_name != request.name:
        found.append(("common-name", "it has another common name than the request"))
    return tuple(Finding(Level.ADVISED, rule, detail, "the request") for rule, detail in found)
