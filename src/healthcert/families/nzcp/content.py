"""What a pass says: the claim ``vc`` and its subject (NZ COVID Pass, "Verifiable Credential Claim Structure")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from healthcert.encoding import cwt
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.protocol import Finding
from healthcert.model import HealthCertificate, Holder

FAMILY = "NZ COVID Pass"
VC = "vc"
CONTEXT = "https://www.w3.org/2018/credentials/v1"
CREDENTIAL, PASS = "VerifiableCredential", "PublicCovidPass"
VERSION = "1.0.0"
MAX_NAME = 100
"""Characters of a name (NZ COVID Pass, "PublicCovidPass")."""

_CTI_SIZE = 16
_DATE_SIZE = len("1979-04-14")
_CLAIMS = frozenset((cwt.ISS, cwt.EXP, cwt.NBF, cwt.IAT, cwt.CTI, VC))
_MEMBERS = frozenset(("@context", "type", "version", "credentialSubject"))
_SUBJECT = frozenset(("givenName", "familyName", "dob"))


def read_pass(claims: cwt.Claims) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    """The pass that these claims are. It names no event: what it proves is a matter of its issuer's policy.

    Raises :class:`VerificationError`: ``CONTENT_NOT_SUPPORTED`` for another type of pass, ``SCHEMA_VALIDATION_FAILED``.
    """
    raw = claims.raw
    identifier = _identifier(raw.get(cwt.CTI))
    credential = _map(raw.get(VC), "vc")
    _check_context(credential.get("@context"))
    _check_type(credential.get("type"))
    # NZ COVID Pass, "Verifiable Credential Claim Structure": for this version of the specification, 1.0.0.
    if credential.get("version") != VERSION:
        raise _invalid(f"vc.version: not {VERSION}")
    subject = _map(credential.get("credentialSubject"), "vc.credentialSubject")
    findings: list[Finding] = []
    holder = Holder(
        given_name=_given_name(subject, findings),
        family_name=_name(subject, "familyName", findings),
        birth_date=_birth_date(subject.get("dob")),
        other=_others(subject, _SUBJECT),
    )
    unknown = {key: value for key, value in raw.items() if key not in _CLAIMS}
    certificate = HealthCertificate(
        family=FAMILY,
        version=VERSION,
        holder=holder,
        events=(),
        issuer=claims.issuer,
        # NZ COVID Pass, "CWT Claims": nbf is the issuance date of the credential.
        issued_at=cwt.as_moment(claims.not_before),
        expires_at=cwt.as_moment(claims.expires_at),
        identifiers=(identifier,),
        raw=credential,
        other=cwt.named(unknown) | _others(credential, _MEMBERS),
    )
    return certificate, tuple(findings)


def _identifier(cti: object) -> str:
    # NZ COVID Pass, "Mapping JTI <-> CTI": the 16 bytes of a UUID.
    if not isinstance(cti, bytes) or len(cti) != _CTI_SIZE:
        raise _invalid(f"cti: is missing, or not {_CTI_SIZE} bytes")
    return UUID(bytes=cti).urn


def _check_context(value: object) -> None:
    # NZ COVID Pass, "Verifiable Credential Claim Structure": an array of strings, the first of which is W3C's.
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise _invalid("vc.@context: is missing, or no array of texts")
    if not value or value[0] != CONTEXT:
        raise _invalid("vc.@context: does not begin with that of verifiable credentials")


def _check_type(value: object) -> None:
    # Ibid.: an array of two strings, VerifiableCredential and the type of the pass.
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(isinstance(item, str) for item in value):
        raise _invalid("vc.type: is missing, or no array of two texts")
    if value[0] != CREDENTIAL:
        raise _invalid(f"vc.type: does not begin with {CREDENTIAL}")
    if value[1] != PASS:
        raise VerificationError(Code.CONTENT_NOT_SUPPORTED, "vc.type: an unknown type of pass", Step.CONTENT)


def _given_name(subject: Mapping[Any, Any], findings: list[Finding]) -> str:
    # NZ COVID Pass, "PublicCovidPass": required; a person with one name has it here.
    if (name := _name(subject, "givenName", findings)) is None:
        raise _invalid("vc.credentialSubject.givenName: is missing")
    return name


def _name(subject: Mapping[Any, Any], member: str, findings: list[Finding]) -> str | None:
    """A name; None where there is none, or nothing to be read in it."""
    where = f"vc.credentialSubject.{member}"
    value = subject.get(member)
    if value is None:
        if member in subject:
            findings.append(Finding(Code.NULL_FIELD, Step.CONTENT, f"{where}: null"))
        return None
    if not isinstance(value, str):
        raise _invalid(f"{where}: not a text")
    # Ibid.: of at most 100 characters.
    if len(value) > MAX_NAME:
        findings.append(Finding(Code.TEXT_TOO_LONG, Step.CONTENT, f"{where}: more than {MAX_NAME} characters"))
    return value if value.strip() else None


def _birth_date(value: object) -> str:
    # Ibid.: required, as YYYY-MM-DD.
    try:
        if isinstance(value, str) and len(value) == _DATE_SIZE and value.isascii() and value[4] == value[7] == "-":
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise _invalid("vc.credentialSubject.dob: is missing, or not a day as YYYY-MM-DD")


def _map(value: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise _invalid(f"{where}: is missing, or not a map")
    return value


def _others(members: Mapping[Any, Any], known: frozenset[str]) -> dict[str, Any]:
    if len(members) <= len(known) and known.issuperset(members):
        return {}
    return {str(name): value for name, value in members.items() if name not in known}


def _invalid(detail: str) -> VerificationError:
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)
