"""``shc:/`` and what is under it (SMART Health Cards 1.4.0): digits, JWS, DEFLATE, JSON with a FHIR bundle."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding import deflate, jws
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.families.shc.bundle import invalid, read_bundle
from healthcert.families.shc.fhir import IMMUNIZATION, OBSERVATION, event_of, holder_of
from healthcert.families.shc.forms import SCHEME, SINGLE_CHARS, is_token, read
from healthcert.families.shc.parts import alone
from healthcert.families.shc.payload import read_claims
from healthcert.limits import Limits
from healthcert.model import EntryType, Event, HealthCertificate

CARD_TYPE = "https://smarthealth.cards#health-card"
RID = re.compile(r"[A-Za-z0-9_-]{1,24}", re.ASCII)
"""What names a card for revocation ("Revocation")."""

_NAME = "SMART Health Card"
_KINDS = (_NAME,)
_DOMAINS = frozenset(("SHC",))
# "Health Cards are Compact": header includes alg: "ES256". Nothing else.
_ALGORITHMS = frozenset((Algorithm.ES256,))
# "Health Cards are encoded as JWS": issuanceDate is represented by the claim nbf.
_NEEDED = frozenset(("nbf",))
_SHOWN = 20  # characters of an alg that nobody knows
_LONGEST_ISSUER = 1024  # characters; no list of keys has a longer one
_SIGNATURE_CHARS = 87  # a dot, and 64 bytes in base64url
_TYPES = {IMMUNIZATION: EntryType.VACCINATION, OBSERVATION: EntryType.TEST}
_SPACED = Finding(Code.FIELD_UNEXPECTED, Step.DECODE, "white space around the payload, which is to be minified")
_CONTEXT = Finding(Code.FIELD_UNEXPECTED, Step.CONTENT, "vc.@context, which only drafts had")


class SmartHealthCard:
    """The family of SMART Health Cards, whoever issues them: anyone may, so that trust goes by issuer and key."""

    name = _NAME
    kinds = _KINDS

    def recognises(self, text: str) -> bool:
        # "Encoding QRs": the scheme shc; schemes have no case (RFC 3986 §3.1), and early wallets left out the slash.
        return text[: len(SCHEME)].lower() == SCHEME or is_token(text)

    def decode(self, text: str, limits: Limits) -> Decoded:
        part = read(text, limits)
        if part.total > 1:
            raise alone(part)
        token = _token(part.jws)
        payload = _inflated(token, limits)
        claims = read_claims(payload, limits)
        findings = part.findings
        # "Health Cards are Compact": all optional whitespace is stripped.
        if payload[-1:] != b"}" or payload[:1] != b"{":
            findings += (_SPACED,)
        kid, algorithm = _kid(token), token.algorithm
        return Decoded(
            family=self,
            kinds=_KINDS,
            kid=kid,
            algorithm=algorithm,
            algorithm_label=_label(token) if algorithm is None else algorithm.name,
            signed=token.signing_input,
            signature=token.signature,
            claims=claims,
            content=claims.raw,
            findings=findings,
            algorithms=_ALGORITHMS,
            domains=_DOMAINS,
            issuer=claims.issuer,
            needs=_NEEDED,
            ends_at_exp=True,
        )

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        part = read(text, limits)
        numbering = {} if part.total == 1 else {"part": part.number, "of": part.total}
        if text[: len(SCHEME)].lower() == SCHEME:
            yield Layer("digits", len(text), numbering)
        if part.total > 1:
            raise alone(part)
        token = _token(part.jws)
        yield Layer("JWS", len(part.jws), {"header": dict(token.header), "signature": token.signature})
        yield Layer("DEFLATE", len(token.payload), {})
        payload = _inflated(token, limits)
        yield Layer("JSON", len(payload), read_claims(payload, limits).raw)

    def check_signer(self, decoded: Decoded) -> str | None:
        issuer = decoded.issuer
        # "Determining keys associated with an issuer": an https URL without a trailing slash.
        if issuer is None:
            return "iss: missing, or not a text"
        # It is looked up before anybody's signature is checked, and what is looked up is remembered.
        if len(issuer) > _LONGEST_ISSUER:
            return f"iss: more than {_LONGEST_ISSUER} characters"
        if not issuer.startswith("https://"):
            return "iss: not an https URL"
        return "iss: a slash at its end" if issuer.endswith("/") else None

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        entries = (bundle_of(decoded) or {}).get("entry")
        found = set()
        for entry in entries if isinstance(entries, list) else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            type_ = resource.get("resourceType") if isinstance(resource, dict) else None
            if isinstance(type_, str) and type_ in _TYPES:
                found.add(_TYPES[type_])
        return frozenset(found)

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        vc = decoded.content.get("vc")
        if not isinstance(vc, dict):
            raise invalid("vc: missing, or not an object")
        types = vc.get("type")
        # "Health Cards are encoded as JWS": this type SHALL be there; others are ignored.
        if not isinstance(types, list) or CARD_TYPE not in types:
            raise invalid("vc.type: not an array with the type of health cards")
        # "Revocation": what a list could not name must not pass for a card that is on none.
        if "rid" in vc and rid_of(decoded) is None:
            raise invalid("vc.rid: not 1 to 24 characters of base64url")
        subject = vc.get("credentialSubject")
        version = subject.get("fhirVersion") if isinstance(subject, dict) else None
        if not isinstance(subject, dict) or not isinstance(version, str):
            raise invalid("vc.credentialSubject: not an object with a fhirVersion")
        # "Content Definition": 4.0.* is R4. Another version has other members, some of which turn a meaning round.
        if not version.startswith("4."):
            raise VerificationError(Code.CONTENT_NOT_SUPPORTED, "a version of FHIR that is not R4", Step.CONTENT)
        compact = len(decoded.signed) + _SIGNATURE_CHARS <= SINGLE_CHARS
        bundle = read_bundle(subject.get("fhirBundle"), compact=compact)
        findings = [*bundle.findings]
        if "@context" in vc:
            findings.append(_CONTEXT)
        holder = holder_of(bundle.patient, findings)
        events: list[Event] = []
        other: dict[str, Any] = {}
        for resource in bundle.resources:
            event = event_of(resource, bundle, findings)
            if event is None:
                other[f"{resource.type} {resource.where}"] = resource.content
            else:
                events.append(event)
        if not events:
            names = "no completed vaccination and no final test result"
            raise VerificationError(Code.NO_ENTRY, f"{names} in the bundle", Step.CONTENT)
        claims = decoded.claims
        return HealthCertificate(
            family=_NAME,
            version=version,
            holder=holder,
            events=tuple(events),
            issuer=claims.issuer,
            issued_at=_moment(claims.not_before),
            expires_at=_moment(claims.expires_at),
            identifiers=(),
            raw=claims.raw,
            other=other,
        ), tuple(findings)


SHC = SmartHealthCard()


def rid_of(decoded: Decoded) -> str | None:
    """What names the card on a revocation list; None where it has no ``rid``, or one that none can have."""
    vc = decoded.content.get("vc")
    rid = vc.get("rid") if isinstance(vc, dict) else None
    return rid if isinstance(rid, str) and RID.fullmatch(rid) else None


def bundle_of(decoded: Decoded) -> Mapping[str, Any] | None:
    """The FHIR bundle as it was signed, by which revocation lists may name a card without a ``rid``."""
    vc = decoded.content.get("vc")
    subject = vc.get("credentialSubject") if isinstance(vc, dict) else None
    bundle = subject.get("fhirBundle") if isinstance(subject, dict) else None
    return bundle if isinstance(bundle, dict) else None


def _token(token: bytes) -> jws.Jws:
    return jws.read(token, code=Code.JWS_DESERIALIZATION_FAILED, needs_alg=False)


def _inflated(token: jws.Jws, limits: Limits) -> bytes:
    # "Health Cards are Compact": header includes zip: "DEF"; the payload is compressed with raw DEFLATE.
    if token.header.get("zip") != "DEF":
        raise DecodeError(Code.DECOMPRESSION_FAILED, "the header's zip is not DEF", Step.DECODE)
    return deflate.inflate_raw(token.payload, limit=limits.inflated_bytes)


def _kid(token: jws.Jws) -> bytes | None:
    kid = token.header.get("kid")
    if kid is None and "kid" not in token.header:
        return None
    # RFC 7515 §4.1.4: kid is a text. That of a card is a thumbprint, all ASCII; another is in no trust store.
    if not isinstance(kid, str):
        raise DecodeError(Code.JWS_DESERIALIZATION_FAILED, "JWS: the kid is not a text", Step.DECODE)
    return kid.encode("utf-8", "surrogatepass")


def _label(token: jws.Jws) -> str:
    """An alg that nobody knows, as it may be shown."""
    name = token.header.get("alg")
    if not isinstance(name, str):
        return "(none)"
    return name if name.isascii() and name.isprintable() and len(name) <= _SHOWN else "(unknown)"


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(math.floor(seconds), UTC)
