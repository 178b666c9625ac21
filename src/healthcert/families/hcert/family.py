"""``HC1:`` and what is under it (HCERT specification 1.0.7, WHO HCERT 1.1.1), and the national codes of its form."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from healthcert.encoding import base45, cbor, cose, cwt, deflate
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.hcert import dvc, who
from healthcert.families.hcert.content import EuDcc
from healthcert.families.hcert.kind import Content, Kind
from healthcert.families.hcert.siblings import AtExemption, SwissLight
from healthcert.families.hcert.validity import validity
from healthcert.families.hcert.valuesets import value_sets
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate

HCERT_CLAIM, LIGHT_CLAIM = -260, -250
DCC_KEY, DDCC_VACCINATION_KEY, DDCC_TEST_KEY, LINK_KEY, DVC_KEY = 1, 3, 4, 5, -6
PREFIX = "HC1:"

_KID_SIZE = 8
_LIGHT_LIFE = 48 * 3600  # seconds; the longest that Switzerland gave one
_EU_DCC, _DDCC, _DVC = "EU DCC", who.DdccVaccination.name, dvc.Dvc.name


class _Held(Struct, frozen=True):
    """What is known of that which stands in a claim: the kinds by key, their names, and the domains of all of them."""

    known: Sequence[tuple[int, Kind]]
    kinds: tuple[str, ...]
    domains: frozenset[str] | None

    @classmethod
    def of(cls, known: Sequence[tuple[int, Kind]]) -> _Held:
        # The domains of trust that every kind may be signed in.
        domains = frozenset.intersection(*[kind.domains for _, kind in known]) if known else None
        return cls(known, tuple([kind.name for _, kind in known]), domains)


class Hcert:
    """A family of texts in the form of ``HC1:``, told from its siblings by the prefix.

    ``kinds`` are what may stand in its claim, by key; the first that is there names the certificate. The others, where
    there are any, are read as well.
    """

    def __init__(self, name: str, prefix: str, kinds: Mapping[int, Kind], claim: int = HCERT_CLAIM) -> None:
        self.name = name
        self.prefix = prefix
        self.kinds = tuple(dict.fromkeys(kind.name for kind in kinds.values()))
        self._kinds = kinds
        self._claim = claim
        self._drafts = _DDCC in self.kinds
        self._alone = {key: _Held.of([(key, kind)]) for key, kind in kinds.items()}

    def recognises(self, text: str) -> bool:
        # HCERT specification §4.2.2: the context identifier HC1, upper case, and a colon.
        return text.startswith(self.prefix)

    def decode(self, text: str, limits: Limits) -> Decoded:
        try:
            return self._decode(text, limits, ())
        except DecodeError as error:
            if (unescaped := _unescaped(text)) == text:
                raise
            try:
                return self._decode(unescaped, limits, (_URL_ESCAPED,))
            except DecodeError:
                raise error from None

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        with suppress(DecodeError):
            if _URL_ESCAPED in self.decode(text, limits).findings:
                text = _unescaped(text)
        yield Layer("base45", len(text), {"prefix": self.prefix})
        compressed = base45.decode(text[len(self.prefix) :])
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

    def check_signer(self, decoded: Decoded) -> str | None:
        # HCERT specification, Appendix A.1: the first 8 bytes of a SHA-256. Tests CO25 and CO26. WHO sets no size.
        if decoded.kid is None or len(decoded.kid) == _KID_SIZE or DCC_KEY not in decoded.content:
            return None
        return f"the kid has {len(decoded.kid)} bytes instead of {_KID_SIZE}"

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        types = _NO_TYPES
        for key, kind in self._held(decoded.content).known:
            types |= kind.entry_types(decoded.content[key])
        return types

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        content, known = decoded.content, self._held(decoded.content).known
        if len(content) == 1 and known:  # nearly always
            ((key, kind),) = known
            read = kind.read(content[key])
            return _certificate(kind, content[key], read, decoded.claims), tuple(read.findings)
        return self._parse_several(decoded, known, kinds)

    def _parse_several(
        self, decoded: Decoded, known: Sequence[tuple[int, Kind]], kinds: Container[str]
    ) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        content, unknown = decoded.content, ""
        if len(content) > len(known):
            unknown = ", ".join([str(key) for key in content if key not in self._kinds][:_LISTED])
        if not known:
            # WHO HCERT specification 1.1.1: the signature is checked in every case; what nobody knows is only listed.
            raise VerificationError(
                Code.CONTENT_NOT_SUPPORTED,
                f"nothing known in the hcert claim, but: {unknown or 'nothing'}",
                Step.CONTENT,
            )
        # A kind that is not asked for is not read, and stays among what is merely kept; but something is always shown.
        wanted = [pair for pair in known if pair[1].name in kinds] or known[:1]
        read = [(key, kind, kind.read(content[key])) for key, kind in wanted]
        first, *beside = [_certificate(kind, content[key], one, decoded.claims) for key, kind, one in read]
        findings = [finding for _, _, one in read for finding in one.findings]
        if unknown:
            findings.append(Finding(Code.UNKNOWN_CLAIM, Step.CONTENT, f"unknown in the hcert claim: {unknown}"))
        read_keys = {key for key, _ in wanted}
        other = {str(key): value for key, value in content.items() if key not in read_keys}
        return replace(first, beside=tuple(beside), other=other), tuple(findings)

    def _held(self, content: Mapping[Any, Any]) -> _Held:
        if len(content) == 1:  # nearly always
            return self._alone.get(next(iter(content)), _NOTHING_KNOWN)
        return _Held.of([(key, kind) for key, kind in self._kinds.items() if key in content])

    def _decode(self, text: str, limits: Limits, findings: tuple[Finding, ...]) -> Decoded:
        message_bytes = deflate.inflate(base45.decode(text[len(self.prefix) :]), limit=limits.inflated_bytes)
        message = cose.decode_sign1(message_bytes, max_depth=limits.cbor_depth)
        claims = cwt.decode_claims(message.payload, max_depth=limits.cbor_depth)
        content = self._content(claims.raw)
        held, signer = self._held(content), message.signer
        if signer.kid is not None and not isinstance(signer.kid, bytes):
            # RFC 9052 §3.1: kid is a byte string.
            raise DecodeError(Code.COSE_DESERIALIZATION_FAILED, "the kid is not a byte string", Step.DECODE)
        # HCERT specification §3.3.3 has the protected kid count where both exist; Signer does the same for alg.
        # RFC 9052 §3.1: alg must be authenticated where the key can be; the quirk is in the field, and test CO20
        # has it accepted. The key decides what is verified, so nothing is gained by forging it.
        if signer.alg is not None and cose.ALG not in message.protected:
            findings += (_UNPROTECTED,)
        # RFC 8949 §3.3: undefined is no value. Issuer check I-CO5.
        if cbor.UNDEFINED_BYTE in message.payload and cbor.has_undefined(claims.raw):
            findings += (_UNDEFINED_VALUE,)
        # HCERT specification §3.3.4: iss may be left out; if there, it is a country, ISO 3166-1. Issuer check I-CO1.
        if _EU_DCC in held.kinds and cwt.ISS in claims.raw and ("co", claims.issuer) not in value_sets():
            findings += (_NO_COUNTRY,)
        # HCERT specification §3.3.5, §3.3.6: exp and iat are integers. Issuer check I-CO4.
        if claims.quirks:
            findings += tuple(Finding(quirk, Step.TIME, _TIME_QUIRKS[quirk]) for quirk in dict.fromkeys(claims.quirks))
        may_lack = _NONE
        if held.kinds and _DRAFTS.issuperset(held.kinds):
            may_lack = _EXP if _DVC in held.kinds else _TIMES
            claims = _with_validity(claims, content)
        elif self._claim == LIGHT_CLAIM and claims.expires_at is None and claims.issued_at is not None:
            claims = replace(claims, expires_at=min(claims.issued_at + _LIGHT_LIFE, cwt.LATEST))
            findings += (_LIGHT_WITHOUT_END,)

        return Decoded(
            family=self,
            kinds=held.kinds,
            kid=signer.kid,
            algorithm=signer.algorithm,
            algorithm_label=signer.label,
            signed=message.to_be_signed(),
            signature=message.signature,
            claims=claims,
            content=content,
            findings=findings,
            algorithms=_ALGORITHMS,
            domains=held.domains,
            needs=_TIMES - may_lack if may_lack else _TIMES,
            may_lack=may_lack,
        )

    def _content(self, claims: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """What the hcert claim holds, by key; a core data set under the key it was later given."""
        # The claims of HC1 and of the Swiss light exclude each other: one must never pass for the other.
        if (LIGHT_CLAIM if self._claim == HCERT_CLAIM else HCERT_CLAIM) in claims:
            raise _error("the hcert claim of another family")
        if self._claim not in claims and self._drafts and who.is_core_data_set(claims):
            return {_ddcc_key(claims): claims}
        # HCERT specification §3.3.7: the hcert claim is a map; its key 1, where present, is one too. Tests CBO1, CBO2.
        content = claims.get(self._claim)
        if not isinstance(content, dict) or not _INT.issuperset(map(type, content)):
            raise _error(f"no hcert claim ({self._claim}) that is a map with integer keys")
        if DCC_KEY in content:
            dcc = content[DCC_KEY]
            if not isinstance(dcc, dict):
                raise _error(f"the payload ({self._claim}/1) is not a map")
            if self._drafts and len(content) == 1 and who.is_core_data_set(dcc):
                return {_ddcc_key(dcc): dcc}
        return content


HC1 = Hcert(
    "HCERT",
    PREFIX,
    {
        # Trust domains of WHO's network: DDCC covers the EU DCC, too.
        DCC_KEY: EuDcc(_EU_DCC, frozenset(("DCC", "DDCC"))),
        DDCC_VACCINATION_KEY: who.DdccVaccination(),
        DDCC_TEST_KEY: who.DdccTest(),
        DVC_KEY: dvc.Dvc(),
        LINK_KEY: who.HealthLink(),
    },
)
LT1 = Hcert(SwissLight.name, "LT1:", {DCC_KEY: SwissLight()}, LIGHT_CLAIM)
AT1 = Hcert(AtExemption.name, "AT1:", {DCC_KEY: AtExemption()})
_NORWEGIAN = EuDcc("Norwegian domestic certificate", frozenset(("NO-DOMESTIC",)))
NO1 = Hcert(_NORWEGIAN.name, "NO1:", {DCC_KEY: _NORWEGIAN})
_DANISH = EuDcc("Danish domestic certificate", frozenset(("DK-DOMESTIC",)))
DK3 = Hcert(_DANISH.name, "DK3:", {DCC_KEY: _DANISH})

# HCERT specification §3.3.2: the primary algorithm, and the secondary one. Nothing else.
_ALGORITHMS = frozenset((Algorithm.ES256, Algorithm.PS256))
# HCERT specification §3.3.5, §3.3.6: both SHALL be there.
_TIMES, _EXP, _NONE = frozenset(("exp", "iat")), frozenset(("exp",)), frozenset[str]()
# WHO's records tell their validity themselves, or for life: issuers are known to leave out the claims.
_DRAFTS = frozenset((_DDCC, _DVC))
_NOTHING_KNOWN = _Held((), (), None)
_NO_TYPES = frozenset[EntryType]()
_LISTED = 20  # keys in a message
_INT = frozenset((int,))
_URL_ESCAPED = Finding(Code.URL_ESCAPED_TEXT, Step.DECODE, "spaces arrived as %20")
_UNPROTECTED = Finding(Code.ALGORITHM_UNPROTECTED, Step.SIGNATURE, "alg is only in the unprotected header")
_UNDEFINED_VALUE = Finding(Code.UNDEFINED_VALUE, Step.DECODE, "an undefined value (CBOR simple value 23)")
_NO_COUNTRY = Finding(Code.ISSUER_NOT_A_COUNTRY, Step.DECODE, "iss is no country of ISO 3166-1")
_LIGHT_WITHOUT_END = Finding(Code.TIME_ABSENT, Step.TIME, "no exp: taken to end 48 hours after iat")
_TIME_QUIRKS = {
    Code.FLOAT_TIME: "exp, nbf or iat is a floating-point number",
    Code.TAGGED_TIME: "exp, nbf or iat carries CBOR tag 1",
}


def _certificate(kind: Kind, payload: Any, read: Content, claims: cwt.Claims) -> HealthCertificate:
    return HealthCertificate(
        family=kind.name,
        version=read.version,
        holder=read.holder,
        events=read.events,
        issuer=claims.issuer,
        issued_at=cwt.as_moment(claims.issued_at),
        expires_at=cwt.as_moment(claims.expires_at),
        identifiers=tuple([event.certificate_id for event in read.events if event.certificate_id]),
        links=read.links,
        raw=payload if isinstance(payload, dict) else {kind.name: payload},
    )


def _unescaped(text: str) -> str:
    """Undoes what some scanners do to spaces. % is a base45 symbol too, so this is only a second try."""
    return text.replace("%20", " ")


def _ddcc_key(core: Mapping[Any, Any]) -> int:
    return DDCC_TEST_KEY if who.is_test(core) else DDCC_VACCINATION_KEY


def _with_validity(claims: cwt.Claims, content: Mapping[Any, Any]) -> cwt.Claims:
    """The claims, narrowed by the validity that the core data sets and the records tell."""
    kept = (*content.values(), *dvc.records_of(content.get(DVC_KEY)))
    cores = [core for core in kept if isinstance(core, Mapping)]
    starts, ends, invalid = validity(cores)
    return replace(
        claims,
        not_before=max(starts + ([] if claims.not_before is None else [claims.not_before]), default=None),
        expires_at=min(ends + ([] if claims.expires_at is None else [claims.expires_at]), default=None),
        invalid=claims.invalid + invalid,
    )


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.CBOR_DESERIALIZATION_FAILED, detail, Step.DECODE)
