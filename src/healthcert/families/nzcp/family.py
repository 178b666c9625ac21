"""``NZCP:/1/`` and what is under it (NZ COVID Pass, Technical Specification v1): base32, COSE_Sign1, CWT."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from healthcert.encoding import base32, cose, cwt
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.nzcp.content import FAMILY, read_pass
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate

SCHEME = "NZCP:/"
PREFIX = "NZCP:/1/"
_TAG = b"\xd2"  # CBOR tag 18
# NZ COVID Pass, "2D Barcode Encoding": the version is an unsigned integer, and delimited by slashes.
_VERSION = re.compile(r"NZCP:/(?:0|[1-9][0-9]{0,8})/")
# DID Core §3.1 and the method did:web: a host name, and a path in parts.
_DID = re.compile(r"did:web:[A-Za-z0-9._%-]{1,255}(?::[A-Za-z0-9._%-]{1,255}){0,16}")

_ALGORITHMS = frozenset((Algorithm.ES256,))
_KINDS = (FAMILY,)
_DOMAINS = frozenset(("NZCP",))
_NEEDED = frozenset(("exp", "nbf"))
_TIME_QUIRKS = {
    Code.FLOAT_TIME: Finding(Code.FLOAT_TIME, Step.TIME, "exp or nbf is a floating-point number"),
    Code.TAGGED_TIME: Finding(Code.TAGGED_TIME, Step.TIME, "exp or nbf carries CBOR tag 1"),
}


class NzCovidPass:
    """The family of passes. What one proves is its issuer's policy: fully vaccinated, or exempt; it does not say."""

    name = FAMILY
    kinds = _KINDS

    def recognises(self, text: str) -> bool:
        return text.startswith(SCHEME)

    def decode(self, text: str, limits: Limits) -> Decoded:
        message = _message(_binary(text), limits)
        claims = cwt.decode_claims(message.payload, max_depth=limits.cbor_depth)
        # NZ COVID Pass, "CWT Headers": alg and kid are in the protected header. What an unprotected one may hold is
        # not said, and nothing is taken from there.
        kid = message.protected.get(cose.KID)
        if isinstance(kid, str):
            # The specification has the kid be a text; its own samples, and the real passes, have bytes.
            kid = kid.encode("utf-8", "surrogatepass")
        if kid is not None and not isinstance(kid, bytes):
            raise _error(Code.COSE_DESERIALIZATION_FAILED, "the kid is neither text nor bytes")
        alg = message.protected.get(cose.ALG)
        algorithm = Algorithm.from_cose(alg)
        findings: tuple[Finding, ...] = ()
        if claims.quirks:
            # NZ COVID Pass, "CWT Claims": exp and nbf are integers.
            findings = tuple(_TIME_QUIRKS[quirk] for quirk in dict.fromkeys(claims.quirks))
        return Decoded(
            family=self,
            kinds=_KINDS,
            kid=kid,
            algorithm=algorithm,
            algorithm_label=cose.shown(alg) if algorithm is None else algorithm.name,
            signed=message.to_be_signed(),
            signature=message.signature,
            claims=claims,
            content=claims.raw,
            findings=findings,
            # NZ COVID Pass, "Cryptographic Digital Signature Algorithm Selection": ES256 and nothing else.
            algorithms=_ALGORITHMS,
            domains=_DOMAINS,
            issuer=claims.issuer,
            # NZ COVID Pass, "CWT Claims": both MUST be there; there is no iat.
            needs=_NEEDED,
            ends_at_exp=True,
        )

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        yield Layer("base32", len(text), {"prefix": text[: text.rfind("/") + 1]})
        data = _binary(text)
        message = _message(data, limits)
        headers = {
            "protected": cose.named(message.protected),
            "unprotected": cose.named(message.unprotected),
            "signature": message.signature,
        }
        yield Layer("COSE_Sign1", len(data), headers)
        claims = cwt.decode_claims(message.payload, max_depth=limits.cbor_depth)
        yield Layer("CWT", len(message.payload), cwt.named(claims.raw))

    def check_signer(self, decoded: Decoded) -> str | None:
        # NZ COVID Pass, "CWT Claims": iss MUST be there, and be a DID of the method web. Which of them is trusted, the
        # store says, whose keys are those under assertionMethod of its document ("DID Document").
        if decoded.issuer is None:
            return "iss is missing, or no text"
        return None if _DID.fullmatch(decoded.issuer) else "iss is not a DID of the web"

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        return frozenset()  # none that it names

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        return read_pass(decoded.claims)


NZCP = NzCovidPass()


def _binary(text: str) -> bytes:
    """The bytes behind the prefix and the version."""
    if not text.startswith(PREFIX):
        # NZ COVID Pass, "Steps to verify": a version that is not known here is not read.
        if _VERSION.match(text):
            raise _error(Code.UNSUPPORTED_VERSION, "a version of the NZ COVID Pass that is not supported")
        raise _error(Code.INVALID_SCHEME_PREFIX, "no version between NZCP:/ and a slash")
    return base32.decode(text[len(PREFIX) :])


def _message(data: bytes, limits: Limits) -> cose.Sign1:
    # NZ COVID Pass, "Cryptographic Digital Signature Algorithm Selection": the tagged form, with tag 18.
    if data[:1] != _TAG:
        raise _error(Code.COSE_DESERIALIZATION_FAILED, "not tagged as a COSE_Sign1 (tag 18)")
    return cose.decode_sign1(data, max_depth=limits.cbor_depth)


def _error(code: Code, detail: str) -> DecodeError:
    return DecodeError(code, detail, Step.DECODE)
