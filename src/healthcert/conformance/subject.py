"""One test case as the checks see it: every layer, from the case itself or made from its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from healthcert.clock import FixedClock
from healthcert.conformance.suite import Case
from healthcert.encoding import base45, cose, cwt, deflate
from healthcert.errors import Code, DecodeError, Step
from healthcert.families import recognise
from healthcert.families.hcert.family import DCC_KEY, HCERT_CLAIM
from healthcert.limits import DEFAULT_LIMITS
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import TrustedKey
from healthcert.trust.store import TrustStore
from healthcert.verify.policy import Policy
from healthcert.verify.report import Report, StepResult
from healthcert.verify.verifier import Verifier

CBOR_DEPTH, INFLATED_BYTES = DEFAULT_LIMITS.cbor_depth, DEFAULT_LIMITS.inflated_bytes
_SOME_DAY = datetime(2021, 7, 1, tzinfo=UTC)  # for checks that no clock has a part in


class AbsentError(LookupError):
    """The case lacks what a check is about, so that nobody could tell."""


def scanned_text(case: Case) -> str:
    """What a scanner would have read: PREFIX, or made from the next layer that the case has.

    Raises :class:`AbsentError` where there is none, :class:`DecodeError` where that layer is not hexadecimal.
    """
    if text := case.text("PREFIX") or (case.prefix + body if (body := case.text("BASE45")) else None):
        return text
    if (compressed := case.hexadecimal("COMPRESSED")) is not None:
        return case.prefix + base45.encode(compressed)
    if (message := case.hexadecimal("COSE")) is not None:
        return packed(case, message)
    raise AbsentError("neither PREFIX, BASE45, COMPRESSED nor COSE")


@dataclass(frozen=True)
class Subject:
    """A case, and what several checks make of it. The properties raise :class:`HealthCertError`."""

    case: Case

    @cached_property
    def scanned(self) -> str:
        return scanned_text(self.case)

    @cached_property
    def base45(self) -> str:
        return self.case.text("BASE45") or recognise(self.scanned, DEFAULT_LIMITS)[1].removeprefix(self.case.prefix)

    @cached_property
    def compressed(self) -> bytes:
        given = self.case.hexadecimal("COMPRESSED")
        return base45.decode(self.base45) if given is None else given

    @cached_property
    def cose(self) -> bytes:
        given = self.case.hexadecimal("COSE")
        return deflate.inflate(self.compressed, limit=INFLATED_BYTES) if given is None else given

    @cached_property
    def claims(self) -> cwt.Claims:
        message = cose.decode_sign1(self.cose, max_depth=CBOR_DEPTH)
        return cwt.decode_claims(message.payload, max_depth=CBOR_DEPTH)

    @cached_property
    def payload(self) -> Any:
        """The DCC that was signed."""
        return dcc_of(self.claims.raw)

    @cached_property
    def key(self) -> TrustedKey:
        if not any(self.case.fields["TESTCTX"].get(name) for name in ("CERTIFICATE", "AT_CERTIFICATE")):
            raise AbsentError("no CERTIFICATE")
        return read_certificate(self.case.certificate)

    @cached_property
    def report(self) -> Report:
        """The verdict of the verifier with the case's certificate as its trust store, at the case's moment."""
        verifier = Verifier(TrustStore([self.key]), policy=Policy(), clock=FixedClock(self.case.clock or _SOME_DAY))
        report = verifier.examine(self.scanned)
        if report[Step.DECODE].outcome is not StepResult.PASSED and self.case.text("COSE"):
            # The case is about a layer further out; the checks of this one go by its COSE, as the suite has it.
            report = verifier.examine(packed(self.case, self.cose))
        return report

    def needs(self, *fields: str) -> None:
        """Raises where the case has none of these fields."""
        if not any(self.case.text(field) for field in fields):
            raise AbsentError(f"no {' or '.join(fields)}")


def packed(case: Case, message: bytes) -> str:
    """A COSE message as the text of a certificate of the case's kind."""
    return case.prefix + base45.encode(deflate.deflate(message))


def dcc_of(claims: Mapping[Any, Any]) -> Any:
    """The EU DCC in the claims of a CWT. Raises :class:`DecodeError`."""
    content = claims.get(HCERT_CLAIM)
    if not isinstance(content, Mapping) or DCC_KEY not in content:
        raise DecodeError(Code.CBOR_DESERIALIZATION_FAILED, "no EU DCC in the hcert claim", Step.DECODE)
    return content[DCC_KEY]
