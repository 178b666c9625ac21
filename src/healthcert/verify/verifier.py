"""The order of the steps, and the one front door to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, HealthCertError, Step, VerificationError
from healthcert.families.protocol import Finding
from healthcert.model import HealthCertificate
from healthcert.trust.keys import TrustedKey
from healthcert.trust.store import TrustStore
from healthcert.verify import steps
from healthcert.verify.policy import Policy, RevocationCheck
from healthcert.verify.report import Outcome, Report, StepOutcome, StepResult, Verified

T = TypeVar("T")

_ALWAYS_REQUIRED = (
    Step.RECOGNISE,
    Step.DECODE,
    Step.TRUST,
    Step.SIGNATURE,
    Step.TIME,
    Step.CONTENT,
    Step.USAGE,
)
# Made once: nearly every report has the same.
_PASSED = {step: StepOutcome(step, StepResult.PASSED, Code.OK) for step in Step}
_NOT_RUN = tuple((step, StepOutcome(step, StepResult.NOT_RUN, None)) for step in Step)
_ALL_PASSED = tuple(_PASSED[step] for step in _ALWAYS_REQUIRED)
_NO_LISTS = StepOutcome(Step.REVOCATION, StepResult.NOT_RUN, None, "no revocation list covers the issuer")
_OFF = StepOutcome(Step.REVOCATION, StepResult.NOT_RUN, None, "off in the policy")
_NO_RULES = StepOutcome(Step.RULES, StepResult.NOT_RUN, None, "no country's rules were asked for")

# Not a fault of the certificate: the verifier lacks what it needs to tell.
_UNDETERMINED = frozenset((Code.TRUST_STORE_EMPTY, Code.REVOCATION_UNKNOWN, Code.GENERAL_ERROR))


class Verifier:
    """Verifies certificates against a trust store, under a policy, at the moment its clock tells.

    A verifier may be shared between threads.
    """

    def __init__(self, trust: TrustStore, *, policy: Policy | None = None, clock: Clock | None = None) -> None:
        self._trust = trust
        self._policy = policy or Policy()
        self._clock = clock or SystemClock()

    def examine(self, text: str) -> Report:
        """Everything that can be told of ``text``. Never raises on bad input.

        What follows a failed step is still run where it does not depend on it, so that an officer reads
        "signed, but expired", not just the first obstacle.
        """
        run = _Run(self._policy, self._clock.now())
        try:
            run.examine(text, self._trust)
        except Exception as error:  # noqa: BLE001 The last line of defence: a verifier at a door must not fall over.
            run.give_up(error)
        return run.report()

    def verify(self, text: str) -> Verified:
        """The certificate in ``text``, accepted.

        Raises :class:`VerificationError` with the code and step of the first obstacle.
        """
        report = self.examine(text)
        if report.outcome is Outcome.ACCEPTED and report.certificate is not None:
            return Verified(report.certificate, report)
        raise VerificationError(report.code, report.detail, report.step)

    def examine_many(self, texts: Iterable[str]) -> Iterator[Report]:
        """A report for each text, in the order of the texts, made as they are asked for."""
        return map(self.examine, texts)


class _Run:
    """One examination: the outcomes gathered so far."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._policy = policy
        self._now = now
        self._outcomes: dict[Step, StepOutcome] = {}
        self._warnings: list[Finding] = []
        self._family: str | None = None
        self._certificate: HealthCertificate | None = None
        self._key: TrustedKey | None = None
        self._current = Step.RECOGNISE

    def examine(self, text: str, store: TrustStore) -> None:
        policy, now = self._policy, self._now
        scanned = self._step(Step.RECOGNISE, steps.recognise, text, policy)
        if scanned is None:
            return
        self._family = scanned.family.name
        decoded = self._step(Step.DECODE, steps.decode, scanned, policy)
        if decoded is None:
            return
        self._judge(Step.DECODE, decoded.findings)

        authenticated = None
        candidates = self._step(Step.TRUST, steps.trust, decoded, store, policy)
        if candidates is not None:
            authenticated = self._step(Step.SIGNATURE, steps.signature, decoded, candidates, policy)
            self._judge(Step.SIGNATURE, decoded.findings)
        self._key = authenticated.key if authenticated else None

        findings = self._step(Step.TIME, steps.time, decoded, self._key, now, policy)
        self._judge(Step.TIME, decoded.findings + (findings or ()))
        if authenticated is None:
            return

        read = self._step(Step.CONTENT, steps.read_content, authenticated)
        if read is not None:
            self._certificate, findings = read
            self._judge(Step.CONTENT, findings)
            self._step(Step.CONTENT, steps.content, self._certificate, now, policy)
        types = decoded.family.entry_types(decoded)
        self._step(Step.USAGE, steps.usage, types, authenticated.key)
        self._revocation()

    def give_up(self, error: Exception) -> None:
        """Records a failure of this software at the step it was in."""
        step = self._current
        self._outcomes.pop(step, None)
        # The type alone: the message of an unforeseen error may quote what it stumbled over.
        detail = f"an internal error ({type(error).__name__}); please report it"
        self._record(VerificationError(Code.GENERAL_ERROR, detail), step)

    def report(self) -> Report:
        outcomes = tuple([self._outcomes.get(step, not_run) for step, not_run in _NOT_RUN])
        failed = [o for o in outcomes if o.outcome is StepResult.FAILED]
        undetermined = [o for o in outcomes if o.outcome is StepResult.UNDETERMINED]
        obstacle = None
        if failed or undetermined:
            obstacle = (failed or undetermined)[0]
            outcome = Outcome.REFUSED if failed else Outcome.UNDETERMINED
            code = obstacle.code or Code.GENERAL_ERROR
        elif outcomes[: len(_ALL_PASSED)] == _ALL_PASSED:
            outcome, code = Outcome.ACCEPTED, Code.OK
        else:
            # No step failed and yet one is missing: an absent check is never a pass.
            outcome, code = Outcome.UNDETERMINED, Code.GENERAL_ERROR
        return Report(
            outcome=outcome,
            code=code,
            step=obstacle.step if obstacle else None,
            steps=outcomes,
            family=self._family,
            certificate=self._certificate,
            key=self._key,
            warnings=tuple(self._warnings),
            checked_at=self._now,
            policy=self._policy,
        )

    def _revocation(self) -> None:
        if self._policy.revocation is RevocationCheck.REQUIRED:
            self._record(VerificationError(Code.REVOCATION_UNKNOWN, _NO_LISTS.detail), Step.REVOCATION)
        else:
            off = self._policy.revocation is RevocationCheck.OFF
            self._outcomes[Step.REVOCATION] = _OFF if off else _NO_LISTS
        self._outcomes[Step.RULES] = _NO_RULES

    def _step(self, step: Step, check: Callable[..., T], *args: Any) -> T | None:
        """The result of ``check``, or None after recording why it has none."""
        self._current = step
        try:
            result = check(*args)
        except HealthCertError as error:
            self._record(error, step)
            return None
        self._outcomes.setdefault(step, _PASSED[step])
        return result

    def _judge(self, step: Step, findings: tuple[Finding, ...]) -> None:
        """Turns the findings of ``step`` into warnings, or into its failure where the policy does not tolerate them."""
        for finding in findings:
            if finding.step is not step:
                continue
            if finding.code in self._policy.tolerated:
                self._warnings.append(finding)
            else:
                self._record(VerificationError(finding.code, finding.detail), step)

    def _record(self, error: HealthCertError, step: Step) -> None:
        """Notes that ``step`` did not pass; of several reasons the first one stays."""
        known = self._outcomes.get(step)
        if known is None or known.outcome is StepResult.PASSED:
            result = StepResult.UNDETERMINED if error.code in _UNDETERMINED else StepResult.FAILED
            self._outcomes[step] = StepOutcome(step, result, error.code, error.detail)
