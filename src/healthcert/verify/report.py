"""What a verification found: every step, the verdict, and how it came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum, unique
from typing import Any

from msgspec import Struct

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, Step, TrustError
from healthcert.families.hcert.uvci import check_uvci
from healthcert.families.protocol import Finding
from healthcert.model import Coding, HealthCertificate, NoTruth
from healthcert.revocation.answer import Coverage, RevocationAnswer
from healthcert.rules.describe import describe_ruling
from healthcert.rules.ruling import Ruling
from healthcert.trust.keys import TrustedKey
from healthcert.verify.policy import Policy

_FEWEST = 1e-12  # odds that are worth a number


@unique
class Outcome(StrEnum):
    """The verdict on a certificate."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDETERMINED = "undetermined"


@unique
class StepResult(StrEnum):
    """How one step ended. Only ``PASSED`` is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    NOT_RUN = "not_run"


class StepOutcome(Struct, frozen=True):
    """One step of the fixed order. ``code`` is None when it was not run; ``detail`` never holds personal data."""

    step: Step
    outcome: StepResult
    code: Code | None
    detail: str = ""


class Report(NoTruth, frozen=True, kw_only=True):
    """The result of examining one text.

    ``code`` and ``step`` are those of the first step that failed, else of the first that could not be determined, else
    ``OK`` and None. ``certificate`` is there
    once the signature held and the content could be read, whatever the outcome; ``key`` is the key that signed.
    ``warnings`` are the departures that the policy tolerated. ``revocation`` is what the revocation lists say,
    ``rules`` what the rules of the policy's country say; None where they were not asked. ``beside`` are the reports on
    the other certificates of a document that holds several, each signed by itself; none of them is better than this.
    """

    outcome: Outcome
    code: Code
    step: Step | None
    steps: tuple[StepOutcome, ...]
    family: str | None
    certificate: HealthCertificate | None
    key: TrustedKey | None
    warnings: tuple[Finding, ...]
    revocation: RevocationAnswer | None
    rules: Ruling | None
    checked_at: datetime
    policy: Policy
    beside: tuple[Report, ...] = ()

    def __getitem__(self, step: Step) -> StepOutcome:
        """The outcome of one step: ``report[Step.TRUST].outcome``."""
        for outcome in self.steps:
            if outcome.step == step:
                return outcome
        raise KeyError(step)

    @property
    def detail(self) -> str:
        """Why, in words, when the certificate was not accepted; empty otherwise."""
        return self[self.step].detail if self.step else ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values. They contain the holder's data once the signature held."""
        return {
            "outcome": self.outcome.value,
            "code": self.code.value,
            "step": self.step.value if self.step else None,
            "detail": self.detail,
            "checked_at": self.checked_at.isoformat(),
            "family": self.family,
            "steps": [
                {"step": s.step.value, "outcome": s.outcome.value, "code": s.code, "detail": s.detail}
                for s in self.steps
            ],
            "warnings": [{"code": w.code.value, "step": w.step.value, "detail": w.detail} for w in self.warnings],
            "certificate": None if self.certificate is None else _certificate(self.certificate),
            "key": None if self.key is None else describe_key(self.key),
            "revocation": None if self.revocation is None else describe_answer(self.revocation),
            "rules": None if self.rules is None else describe_ruling(self.rules),
            "policy": self.policy.to_dict(),
            "beside": [report.to_dict() for report in self.beside],
        }


class Verified(NoTruth, frozen=True):
    """A certificate that was accepted, and the report that says so."""

    certificate: HealthCertificate
    report: Report


def describe_key(key: TrustedKey) -> dict[str, Any]:
    """A trusted key as JSON-ready values; ``algorithm`` is None where the key cannot be read."""
    try:
        algorithm = Algorithm.for_key(key.public_key)
    except TrustError:
        algorithm = None
    return {
        "kid": key.kid.hex(),
        "country": key.country,
        "algorithm": algorithm.name if algorithm else None,
        "usages": None if key.usages is None else sorted(usage.value for usage in key.usages),
        "not_before": key.not_before.isoformat() if key.not_before else None,
        "not_after": key.not_after.isoformat() if key.not_after else None,
        "source": key.source,
        "domain": key.domain,
        "issuer": key.issuer,
        "lists": [
            {
                "source": provenance.source,
                "assurance": provenance.assurance.value,
                "fetched_at": provenance.fetched_at.isoformat() if provenance.fetched_at else None,
                "best_before": provenance.expires_at.isoformat() if provenance.expires_at else None,
            }
            for provenance in key.provenance
        ],
    }


def odds_in_words(odds: float, one: str = "one") -> str:
    """How many of those that were not revoked a filter takes for revoked: ``one in 1,000``."""
    if not odds:
        return "none"
    return f"{one} in {round(1 / odds):,}" if odds >= _FEWEST else f"{one} in more than a million million"


def describe_answer(answer: RevocationAnswer) -> dict[str, Any]:
    """What revocation lists say of a certificate, as JSON-ready values; never what of it they name."""
    return {
        "standing": answer.standing.value,
        "source": answer.source,
        "odds": answer.odds,
        "lists": [_coverage(one) for one in answer.lists],
        "overdue": [_coverage(one) for one in answer.overdue],
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "source": coverage.source,
        "format": coverage.format,
        "signed": coverage.signed,
        "fetched_at": coverage.fetched_at.isoformat(),
        "fresh_until": coverage.fresh_until.isoformat() if coverage.fresh_until else None,
    }


def _certificate(certificate: HealthCertificate) -> dict[str, Any]:
    values = {
        name: plain(getattr(certificate, name))
        for name in certificate.__struct_fields__
        if name not in ("raw", "events", "beside")
    }
    values["uvci"] = {identifier: check_uvci(identifier).value for identifier in certificate.identifiers}
    values["beside"] = [_certificate(beside) for beside in certificate.beside]
    values["events"] = [{"type": e.entry_type.value} | _fields(e) for e in certificate.events]
    return values


def _fields(value: Any) -> dict[str, Any]:
    given = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: plain(item) for name, item in given.items() if item not in (None, {}, ())}


def plain(value: Any) -> Any:
    """Any value of a certificate as JSON-ready values; bytes become hexadecimal text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Coding():
            return {"system": value.system, "code": value.code, "display": value.display}
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
    if isinstance(value, Struct):
        return _fields(value)
    return str(value)
