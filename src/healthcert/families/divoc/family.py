"""DIVOC certificates: W3C Verifiable Credentials (Data Model 1.0) with a linked-data proof, in a ZIP archive.

Keys of DIVOC are not found by resolving its DIDs (``did:india``), which no registry answers for: they come from a trust
list, which knows a key by the DID itself. What a certificate names in ``verificationMethod`` is looked up as it is
written, as a key of the DID before the ``#``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding import jsontext
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.cwt import Claims
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.divoc.archive import looks_like_archive, unpack
from healthcert.families.divoc.content import read_content
from healthcert.families.divoc.document import Signed, signed_part
from healthcert.families.divoc.proof import PURPOSE, read_proof, signing_input
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.families.shapes import is_document, shape_of
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate

_NAME = "DIVOC"
_ALGORITHMS = frozenset((Algorithm.PS256, Algorithm.EdDSA))
_DOMAINS = frozenset(("DIVOC",))
# Any country's: one whose context is not known is a DIVOC certificate all the same, and is told so.
_CONTEXT = re.compile(r"https://[^/ ]+(/[^ ]*)?/credentials/(vaccination|testCertificate)/v[0-9]{1,2}")
# Whose certificates a DID signs, where that is known: the host in the credential's issuer. A card of one country that
# names the key of another (Jamaica's first ones named did:india) is nobody's.
_ESCAPED = r"%([0-9A-Fa-f]{2})"  # how addresses spell any character
_HOSTS = {
    "did:india": ("cowin.gov.in", "icmr.gov.in"),
    "did:indonesia": ("pedulilindungi.id",),
    "did:srilanka:moh": ("gov.lk",),
}
_HOST = re.compile(r"https?://([^/?#:@]+)(?::[0-9]+)?(?:[/?#].*)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?")
_NO_ZONE = Finding(Code.TIME_WITHOUT_ZONE, Step.DECODE, "issuanceDate or expirationDate: no time zone; taken for UTC")


class Divoc:
    """See the module."""

    name = _NAME
    kinds = (_NAME,)

    def recognises(self, text: str) -> bool:
        if looks_like_archive(text):
            return True
        if not is_document(text) or '"proof"' not in text:
            return False
        shape = shape_of(text)
        return shape is not None and shape.proof and any(_CONTEXT.fullmatch(context) for context in shape.context)

    def decode(self, text: str, limits: Limits) -> Decoded:
        document = _document(unpack(text, limits)[1] if looks_like_archive(text) else text, limits)
        # First what is cheap and bounds the rest: canonicalisation is neither.
        part = signed_part(document)
        proof = read_proof(document)
        claims = _claims(part)
        unzoned = any(moment is not None and _zone(moment) == "" for moment in (part.issued, part.expires))
        return Decoded(
            family=self,
            kinds=self.kinds,
            kid=proof.method.encode(),
            algorithm=proof.algorithm,
            algorithm_label=proof.label,
            signed=signing_input(document, proof.options, proof.protected),
            signature=proof.signature,
            claims=claims,
            content=document,
            findings=(*part.findings, _NO_ZONE) if unzoned else part.findings,
            algorithms=_ALGORITHMS,
            domains=_DOMAINS,
            issuer=proof.method.partition("#")[0],
        )

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        data: str | bytes = text
        if looks_like_archive(text):
            archive, data = unpack(text, limits)
            yield Layer("ZIP", len(archive), {"member": "certificate.json"})
        document = _document(data, limits)
        yield Layer("JSON-LD", len(data), {name: value for name, value in document.items() if name != "proof"})
        proof = read_proof(document)
        yield Layer("proof", len(proof.signature), {"options": proof.options, "header": proof.header})

    def check_signer(self, decoded: Decoded) -> str | None:
        proof = read_proof(decoded.content)
        # Verifiable Credentials Data Model 1.0 §8: a credential is an assertion, and its proof one for that.
        if proof.purpose != PURPOSE:
            return "the proof was made for another purpose than to make an assertion"
        if decoded.issuer is None or not decoded.issuer.startswith("did:"):
            return "verificationMethod names no DID"
        return _misattributed(decoded.issuer, decoded.claims.issuer or "")

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        part = signed_part(decoded.content)
        return frozenset((EntryType.TEST if part.test else EntryType.VACCINATION,)) if part.entries else frozenset()

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        # What may be read is decided anew, from the very document whose canonical form was verified.
        read = read_content(signed_part(decoded.content))
        certificate = HealthCertificate(
            family=_NAME,
            version=read.version,
            holder=read.holder,
            events=read.events,
            issuer=decoded.claims.issuer,
            issued_at=_at(decoded.claims.issued_at),
            expires_at=_at(decoded.claims.expires_at),
            identifiers=tuple([event.certificate_id for event in read.events if event.certificate_id]),
            raw=decoded.content,
        )
        return certificate, read.findings


DIVOC = Divoc()


def _document(data: str | bytes, limits: Limits) -> dict[str, Any]:
    if len(data) > limits.archive_bytes:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.archive_bytes} bytes", Step.DECODE)
    document = jsontext.read(data, max_depth=limits.json_depth)
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        raise DecodeError(Code.JSON_DESERIALIZATION_FAILED, "not a JSON object", Step.DECODE)
    return document


def _misattributed(did: str, issuer: str) -> str | None:
    """Why the key of ``did`` cannot speak for the issuer that the credential names; None where it may, or nobody knows.

    Most DIDs of DIVOC are known to trust lists alone, which do not say for whom they speak. Of those that are known no
    other may be named, by either side.
    """
    if issuer == did:
        return None
    # DID Core §5.3.2: what asserts for a DID is one of its own keys.
    if issuer.lower().startswith("did:"):
        return "the issuer is a DID, and verificationMethod names the key of another"
    host = _HOST.fullmatch(issuer)
    named = host[1].lower() if host else ""
    own = any(f".{named}".endswith(f".{one}") for one in _HOSTS.get(did, ()))
    if did in _HOSTS and not own:
        return "verificationMethod names the key of a country that the issuer is not of"
    # One address has many spellings; what reads like another country's is not of this one.
    spelled = re.sub(_ESCAPED, lambda found: chr(int(found[1], 16)), issuer).lower()
    if not own and any(one in spelled for hosts in _HOSTS.values() for one in hosts):
        return "the issuer is of a country whose key verificationMethod does not name"
    return None


def _claims(part: Signed) -> Claims:
    times, invalid = {}, []
    for claim, text in (("iat", part.issued), ("exp", part.expires)):
        if text is not None and (moment := _seconds(text)) is not None:
            times[claim] = moment
        elif text is not None:
            invalid.append(claim)
    raw: Mapping[str, Any] = {"issuanceDate": part.issued, "expirationDate": part.expires}
    return Claims(part.issuer, times.get("exp"), None, times.get("iat"), tuple(invalid), (), raw)


def _seconds(text: str) -> float | None:
    """The seconds since 1970 of an xsd:dateTime; None for what is none."""
    try:
        moment = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
        seconds = None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds is not None and seconds >= 0 else None


def _zone(text: str) -> str | None:
    found = _MOMENT.fullmatch(text)
    return None if found is None else found[2] or ""


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
