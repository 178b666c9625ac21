"""The EU Digital COVID Certificate: ``HC1:`` and what is under it (HCERT specification 1.0.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding import base45, cose, cwt, deflate
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.hcert.content import GROUPS, read_payload, to_model
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate

PREFIX = "HC1:"
HCERT_CLAIM = -260
DCC_KEY = 1

_KID_SIZE = 8


class EuDcc:
    """The family of HC1 texts whose health certificate claim holds an EU DCC."""

    name = "EU DCC"

    def recognises(self, text: str) -> bool:
        # HCERT specification §4.2.2: the context identifier HC1, upper case, and a colon.
        return text.startswith(PREFIX)

    def decode(self, text: str, limits: Limits) -> Decoded:
        try:
            return _decode(text, limits, ())
        except DecodeError as error:
            if (unescaped := _unescaped(text)) == text:
                raise
            try:
                return _decode(unescaped, limits, (_URL_ESCAPED,))
            except DecodeError:
                raise error from None

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        with suppress(DecodeError):
            if _URL_ESCAPED in self.decode(text, limits).findings:
                text = _unescaped(text)
        yield Layer("base45", len(text), {"prefix": PREFIX})
        compressed = base45.decode(text[len(PREFIX) :])
        yield Layer("zlib", len(compressed), {})
        message_bytes = deflate.inflate(compressed, limit=limits.inflated_bytes)
        message = cose.decode_sign1(message_bytes, max_depth=limits.cbor_depth)
        headers = {
            "protected": cose.named(message.protected),
            "unprotected": cose.named(message.unprotected),
            "signature": message.signature,
        }
        yield Layer("COSE_Sign1", len(message_bytes), headers)
        claims = cwt.decode_claims(message.payload, max_depth=limits.cbor_depth)
        yield Layer("CWT", len(message.payload), cwt.named(claims.raw))

    def check_kid(self, kid: bytes) -> str | None:
        # HCERT specification, Appendix A.1: the first 8 bytes of a SHA-256. Tests CO25 and CO26.
        return None if len(kid) == _KID_SIZE else f"the kid has {len(kid)} bytes instead of {_KID_SIZE}"

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        payload = decoded.content.get(DCC_KEY)
        if not isinstance(payload, Mapping):
            return frozenset()
        return frozenset(entry_type for group, entry_type in GROUPS.items() if payload.get(group))

    def parse(self, decoded: Decoded) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        if DCC_KEY not in decoded.content:
            keys = ", ".join(str(key) for key in decoded.content if type(key) is int)
            raise VerificationError(
                Code.CONTENT_NOT_SUPPORTED,
                f"no EU DCC (key 1) in the hcert claim, but: {keys or 'nothing'}",
                Step.CONTENT,
            )
        payload = decoded.content[DCC_KEY]
        dcc, findings = read_payload(payload)
        holder, events = to_model(dcc, payload)
        claims = decoded.claims
        certificate = HealthCertificate(
            family=self.name,
            version=dcc.ver,
            holder=holder,
            events=events,
            issuer=claims.issuer,
            issued_at=_moment(claims.issued_at),
            expires_at=_moment(claims.expires_at),
            identifiers=tuple(event.certificate_id for event in events if event.certificate_id),
            raw=payload,
        )
        return certificate, tuple(findings)


EU_DCC = EuDcc()


def _unescaped(text: str) -> str:
    """Undoes what some scanners do to spaces. % is a base45 symbol too, so this is only a second try."""
    return text.replace("%20", " ")


def _decode(text: str, limits: Limits, findings: tuple[Finding, ...]) -> Decoded:
    message_bytes = deflate.inflate(base45.decode(text[len(PREFIX) :]), limit=limits.inflated_bytes)
    message = cose.decode_sign1(message_bytes, max_depth=limits.cbor_depth)
    claims = cwt.decode_claims(message.payload, max_depth=limits.cbor_depth)
    content = _health_certificate(claims.raw)

    kid = message.header(cose.KID)
    if kid is not None and not isinstance(kid, bytes):
        # RFC 9052 §3.1: kid is a byte string.
        raise DecodeError(Code.COSE_DESERIALIZATION_FAILED, "the kid is not a byte string", Step.DECODE)
    # HCERT specification §3.3.3 has the protected kid count where both exist; Sign1.header does the same for alg.
    # RFC 9052 §3.1: alg must be authenticated where the key can be; the quirk is in the field, and test CO20
    # has it accepted. The key decides what is verified, so nothing is gained by forging it.
    if cose.ALG not in message.protected and cose.ALG in message.unprotected:
        findings += (Finding(Code.ALGORITHM_UNPROTECTED, Step.SIGNATURE, "alg is only in the unprotected header"),)
    if claims.quirks:
        findings += tuple(Finding(quirk, Step.TIME, _TIME_QUIRKS[quirk]) for quirk in dict.fromkeys(claims.quirks))

    return Decoded(
        family=EU_DCC,
        kid=kid,
        algorithm=message.algorithm,
        algorithm_label=_label(message.header(cose.ALG)),
        signed=message.to_be_signed(),
        signature=message.signature,
        claims=claims,
        content=content,
        findings=findings,
    )


_URL_ESCAPED = Finding(Code.URL_ESCAPED_TEXT, Step.DECODE, "spaces arrived as %20")
_TIME_QUIRKS = {
    Code.FLOAT_TIME: "exp, nbf or iat is a floating-point number",
    Code.TAGGED_TIME: "exp, nbf or iat carries CBOR tag 1",
}


_INT = frozenset((int,))


def _health_certificate(claims: Mapping[Any, Any]) -> Mapping[Any, Any]:
    # HCERT specification §3.3.7: the hcert claim is a map; its key 1, where present, is one too. Tests CBO1, CBO2.
    content = claims.get(HCERT_CLAIM)
    if not isinstance(content, dict) or not _INT.issuperset(map(type, content)):
        raise DecodeError(
            Code.CBOR_DESERIALIZATION_FAILED, "no hcert claim (-260) that is a map with integer keys", Step.DECODE
        )
    if DCC_KEY in content and not isinstance(content[DCC_KEY], dict):
        raise DecodeError(Code.CBOR_DESERIALIZATION_FAILED, "the EU DCC (-260/1) is not a map", Step.DECODE)
    return content


def _label(alg: object) -> str:
    if type(alg) is int and abs(alg) < 1_000_000:
        return str(alg)
    return "none" if alg is None else "unreadable"


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
