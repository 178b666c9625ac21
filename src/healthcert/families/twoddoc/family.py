"""The family of French 2D-Doc: certificates of vaccination (type L1) and of a test for COVID-19 (type B2).

What names the key is in the header: the authority (``FR03``) and the certificate that it issued (``AHP1``). Trust
stores have the key under both together, ``b"FR03AHP1"``, in the domain ``2D-DOC``.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.cwt import Claims
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.families.twoddoc.content import read_test, read_vaccination
from healthcert.families.twoddoc.dates import DAY, day_of, midnight_of, seconds_of
from healthcert.families.twoddoc.fields import TEST, VACCINATION, Fields, read_fields, table_of
from healthcert.families.twoddoc.header import Header, as_text, is_twoddoc, take_apart
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate

DOMAIN = "2D-DOC"
NAME = "2D-Doc"


class TwoDDoc:
    """See the module."""

    name = NAME
    kinds = (NAME,)

    def recognises(self, text: str) -> bool:
        return is_twoddoc(text)

    def decode(self, text: str, limits: Limits) -> Decoded:
        parts = take_apart(text)
        header = parts.header
        kind = _kind(header)
        fields = read_fields(parts.message, table_of(kind)) if kind else _UNREAD
        # 2D-Doc specification, signature: ECDSA on P-256, P-384 or P-521 with the hash of that size; the certificate
        # says which, and with it the length.
        algorithm = _ALGORITHMS.get(len(parts.signature))
        day = seconds_of(header.signed)
        # The day has come once it has begun in the first of the French zones to see it.
        claims = Claims(
            issuer=header.country or None,
            expires_at=None,
            not_before=None if day is None else day - _FIRST_ZONE,
            issued_at=None,
            invalid=(),
            quirks=(),
            raw=_shown(header),
        )
        return Decoded(
            family=self,
            kinds=self.kinds,
            kid=(header.authority + header.certificate).encode("ascii"),
            algorithm=algorithm,
            algorithm_label=algorithm.name if algorithm else f"(a signature of {len(parts.signature)} bytes)",
            signed=parts.signed,
            signature=parts.signature,
            claims=claims,
            content={"header": header, "fields": fields},
            findings=fields.findings if day is not None else (*fields.findings, _UNDATED),
            algorithms=_ALLOWED,
            domains=_DOMAINS,
            # The certificate is valid if it was at some time of the day; a new one is used on its first.
            signed_between=None if day is None else (day, day + DAY - 1),
        )

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        parts = take_apart(text)
        header = parts.header
        yield Layer("2D-Doc header", header.size, _shown(header))
        kind = _kind(header)
        fields = read_fields(parts.message, table_of(kind))
        shown = dict(fields.values) | ({"(truncated)": list(fields.truncated)} if fields.truncated else {})
        yield Layer("2D-Doc message", len(parts.message), shown)
        yield Layer("2D-Doc signature", len(parts.signature), {"signature": parts.signature})
        if parts.annex:
            yield Layer("2D-Doc annex, which is not signed", len(parts.annex), {"annex": parts.annex})

    def check_signer(self, decoded: Decoded) -> str | None:
        return None  # a header of the right shape names one

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        return _TYPES.get(_kind(decoded.content["header"]) or "", frozenset())

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        header: Header = decoded.content["header"]
        fields: Fields = decoded.content["fields"]
        kind = _kind(header)
        if kind is None:
            # More than fifty kinds of document share the form; a paid bill says nothing about a health.
            of = "" if header.perimeter in ("", "01") else f" in the perimeter {header.perimeter}"
            detail = f"a 2D-Doc of type {header.type}{of}, which is neither a vaccination (L1) nor a test (B2)"
            raise VerificationError(Code.CONTENT_NOT_SUPPORTED, detail, Step.CONTENT)
        findings: list[Finding] = []
        read = read_vaccination if kind == VACCINATION else read_test
        holder, event = read(fields, findings)
        unknown = [name for name in fields.values if name not in table_of(kind)]
        if unknown:
            # 2D-Doc specification, annex of mandatory data: what a type does not list is forbidden in it.
            listed = ", ".join(unknown[:_LISTED])
            findings.append(Finding(Code.FIELD_UNEXPECTED, Step.CONTENT, f"not a field of type {kind}: {listed}"))
        certificate = HealthCertificate(
            family=NAME,
            version=header.version,
            holder=holder,
            events=(event,),
            issuer=header.country or None,
            issued_at=midnight_of(header.signed),
            expires_at=None,
            identifiers=(document_id,) if (document_id := fields.values.get(_DOCUMENT_ID)) else (),
            raw={"header": _shown(header), **fields.values},
        )
        return certificate, tuple(findings)


def text_of(decoded: Decoded) -> str:
    """The signed part of a 2D-Doc as text, by which France's revocation lists name it."""
    return as_text(decoded.signed)


def _kind(header: Header) -> str | None:
    """The type of a document that is read here; None for any other."""
    # 2D-Doc specification, annex of types: each perimeter has its own; before version 3 there was but the one.
    return header.type if header.type in _TYPES and header.perimeter in _PERIMETERS else None


def _shown(header: Header) -> dict[str, str | None]:
    """The header for people, its days as dates."""
    dated, signed = day_of(header.dated), day_of(header.signed)
    return {
        "version": header.version,
        "authority": header.authority,
        "certificate": header.certificate,
        "document date": None if dated is None else dated.isoformat(),
        "signature date": None if signed is None else signed.isoformat(),
        "type": header.type,
        "perimeter": header.perimeter or None,
        "country": header.country or None,
    }


TWODDOC = TwoDDoc()

_DOMAINS = frozenset((DOMAIN,))
_ALGORITHMS = {64: Algorithm.ES256, 96: Algorithm.ES384, 132: Algorithm.ES512}
_ALLOWED = frozenset(_ALGORITHMS.values())
_TYPES = {VACCINATION: frozenset((EntryType.VACCINATION,)), TEST: frozenset((EntryType.TEST,))}
_PERIMETERS = frozenset(("", "01"))
_FIRST_ZONE = 12 * 3600  # seconds before midnight in UTC at which a day begins on Wallis and Futuna
_DOCUMENT_ID = "01"
_LISTED = 20  # fields in a message
_UNREAD = Fields({}, (), ())
_UNDATED = Finding(Code.TIME_ABSENT, Step.TIME, "the header does not say when it was signed")
