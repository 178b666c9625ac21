"""The order of the steps, and the one front door to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from msgspec.structs import replace

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, HealthCertError, Step, VerificationError
from healthcert.families import is_alone, scanned, split
from healthcert.families.protocol import Decoded, Finding
from healthcert.model import HealthCertificate
from healthcert.revocation.answer import RevocationAnswer
from healthcert.revocation.store import RevocationStore
from healthcert.rules.ruling import Ruling
from healthcert.rules.store import RuleStore
from healthcert.trust.keys import TrustedKey
from healthcert.trust.store import TrustStore
from healthcert.verify import asking, steps
from healthcert.verify.policy import Policy, RevocationCheck, RulesCheck
from healthcert.verify.report import Outcome, Report, StepOutcome, StepResult, Verified
from healthcert.verify.steps import Authenticated

_ALWAYS_REQUIRED = [
    Step.RECOGNISE,
    Step.DECODE,
    Step.TRUST,
    Step.SIGNATURE,
    Step.TIME,
    Step.CONTENT,
    Step.USAGE,
]
_NO_LISTS = StepOutcome(Step.REVOCATION, StepResult.NOT_RUN, None, "no revocation list covers the issuer")
_OFF = StepOutcome(Step.REVOCATION, StepResult.NOT_RUN, None, "off in the policy")
_NOT_ASKED = StepOutcome(Step.RULES, StepResult.NOT_RUN, None, "no country's rules were asked for")

_TOGETHER = 64  # certificates: as many as a processor's caches hold well

# Not a fault of the certificate: the verifier lacks what it needs to tell.
_UNDETERMINED = frozenset(
    (
        Code.TRUST_STORE_EMPTY,
        Code.TRUST_STORE_UNREADABLE,
        Code.TRUST_LIST_EXPIRED,
        Code.TRUST_LIST_STALE,
        Code.ENVIRONMENT_MIXED,
        Code.REVOCATION_UNKNOWN,
        Code.REVOCATION_POSSIBLE,
        Code.REVOCATION_STORE_UNREADABLE,
        Code.RULES_OPEN,
        Code.RULES_UNKNOWN,
        Code.FAMILY_NOT_SUPPORTED,
        Code.PARTS_MISSING,
        Code.EXTRA_MISSING,
        Code.GENERAL_ERROR,
    )
)
# Of several certificates in one document the worst one speaks for all.
_WORST = {Outcome.REFUSED: 0, Outcome.UNDETERMINED: 1, Outcome.ACCEPTED: 2}


@cache
def _passed(run: tuple[Step, ...], revocation_off: bool) -> tuple[StepOutcome, ...]:
    """The outcomes of all steps when those that were run passed; made once, for nearly every report has the same."""
    known = {step: StepOutcome(step, StepResult.NOT_RUN, None) for step in Step}
    if Step.USAGE in run:
        known |= {Step.REVOCATION: _OFF if revocation_off else _NO_LISTS, Step.RULES: _NOT_ASKED}
    known |= {step: StepOutcome(step, StepResult.PASSED, Code.OK) for step in run}
    return tuple(known.values())


class Verifier:
    """Verifies certificates against a trust store, revocation lists and the rules of the policy's country.

    The moment is the one that its clock tells.

    A verifier may be shared between threads.
    """

    def __init__(
        self,
        trust: TrustStore,
        *,
        revocation: RevocationStore | None = None,
        rules: RuleStore | None = None,
        policy: Policy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._trust = trust
        self._revocation = revocation
        self._rules = rules
        self._policy = policy or Policy()
        self._clock = clock or SystemClock()

    def examine(self, text: str | bytes) -> Report:
        """Everything that can be told of ``text``, or of the bytes of a barcode. Never raises on bad input.

        What follows a failed step is still run where it does not depend on it, so that an officer reads
        "signed, but expired", not just the first obstacle. Of a document with several certificates (a file of SMART
        Health Cards) the report is about the worst of them, and has those on the others ``beside`` it.
        """
        try:
            text = scanned(text, self._policy.limits)
            certificates = split(text, self._policy.limits)
        except Exception as error:  # noqa: BLE001 (see _fail)
            run = _Run(self._policy, self._now())
            run.refuse(error)
            return run.report()
        if certificates is None:
            return self._examine(text)
        return _together([self._examine(one) for one in certificates])

    def _examine(self, text: str) -> Report:
        run = _Run(self._policy, self._now())
        run.read(text, self._trust)
        run.authenticate()
        run.judge()
        run.ask_lists(self._trust, self._revocation)
        run.ask_rules(self._trust, self._rules)
        return run.report()

    def verify(self, text: str | bytes) -> Verified:
        """The certificate in ``text``, accepted; of a document with several the first, where all were.

        Raises :class:`VerificationError` with the code and step of the first obstacle.
        """
        report = self.examine(text)
        if report.outcome is Outcome.ACCEPTED and report.certificate is not None:
            return Verified(report.certificate, report)
        raise VerificationError(report.code, report.detail, report.step)

    def examine_many(self, texts: Iterable[str | bytes], *, workers: int = 1) -> Iterator[Report]:
        """A report for each text, in the order of the texts, made as they are asked for.

        Of a list or tuple, a few dozen are taken through each stage together, which is faster; any other iterable may
        be waiting for somebody to scan the next code, so of it nothing is read ahead.

        With more ``workers`` than one, so many other processes do the work, for which some thousand texts are read
        ahead, whatever they come from. They see the keys and rules that the stores hold now, and the clock must be one
        that can be pickled. A text that ended each process that took it is undetermined (``WORKER_LOST``). Raises
        :class:`BatchError` (``WORKER_LOST``) where no process can be started, :class:`RevocationError`
        (``REVOCATION_STORE_UNREADABLE``) where lists were taken in since the store of revocations was opened.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError("examine_many takes many texts; examine takes one")
        if workers != 1:
            from healthcert.verify.many import examine_over

            yield from examine_over(self, texts, workers)
            return
        if not isinstance(texts, (list, tuple)):
            yield from map(self.examine, texts)
            return
        for start in range(0, len(texts), _TOGETHER):
            some = texts[start : start + _TOGETHER]
            if not all(map(is_alone, some)):
                yield from map(self.examine, some)
                continue
            runs = [(_Run(self._policy, self._now()), text) for text in some]
            for run, text in runs:
                run.read(text, self._trust)
            for run, _ in runs:
                run.authenticate()
            for run, _ in runs:
                run.judge()
            for run, _ in runs:
                run.ask_lists(self._trust, self._revocation)
            for run, _ in runs:
                run.ask_rules(self._trust, self._rules)
            for run, _ in runs:
                yield run.report()

    def __reduce__(self) -> tuple[Callable[..., Verifier], tuple[Any, ...]]:
        from healthcert.verify.many import carried

        return carried(self._trust, self._revocation, self._rules, self._policy, self._clock)

    def _now(self) -> datetime:
        now = self._clock.now()
        if now.tzinfo is None:
            # It would be read in whatever zone this machine is set to.
            raise ValueError("the moment of the clock has no time zone")
        return now


def _together(reports: list[Report]) -> Report:
    """The report on a document: that on the worst certificate in it, with the others beside it."""
    worst = min(reports, key=lambda report: _WORST[report.outcome])
    return replace(worst, beside=tuple([report for report in reports if report is not worst]))


class _Run:
    """One examination: which steps were run, and what was wrong. Its stages are called one after the other.

    Each step stands in a ``try`` of its own, which costs nothing while nothing is wrong; what follows a failed step is
    still run where it does not depend on it.
    """

    __slots__ = (
        "_answer", "_authenticated", "_candidates", "_certificate", "_decoded", "_family", "_notes", "_now", "_policy",
        "_problems", "_ruling", "_run", "_warnings",
    )  # fmt: skip

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._policy = policy
        self._now = now
        self._run: list[Step] = []
        self._problems: dict[Step, StepOutcome] = {}
        self._warnings: list[Finding] = []
        self._family: str | None = None
        self._decoded: Decoded | None = None
        self._candidates: Sequence[TrustedKey] = ()
        self._authenticated: Authenticated | None = None
        self._certificate: HealthCertificate | None = None
        self._answer: RevocationAnswer | None = None
        self._ruling: Ruling | None = None
        self._notes: dict[Step, StepOutcome] = {}

    def refuse(self, error: Exception) -> None:
        """Notes that nothing can be examined."""
        self._run.append(Step.RECOGNISE)
        self._fail(Step.RECOGNISE, error)

    def read(self, text: str, store: TrustStore) -> None:
        """The text taken apart, and the keys that may have signed it."""
        policy, run = self._policy, self._run
        try:
            run.append(Step.RECOGNISE)
            family, found = steps.recognise(text, policy)
            self._family = family.name
        except Exception as error:  # noqa: BLE001 (see _fail)
            return self._fail(Step.RECOGNISE, error)
        try:
            run.append(Step.DECODE)
            self._decoded = decoded = steps.decode(family, found, policy)
        except Exception as error:  # noqa: BLE001
            return self._fail(Step.DECODE, error)
        try:
            self._family = steps.accept(decoded, policy) or self._family
        except Exception as error:  # noqa: BLE001
            self._family = next(iter(decoded.kinds), self._family)
            self._fail(Step.RECOGNISE, error)
        if decoded.findings:
            self._judge(Step.DECODE, decoded.findings)
        try:
            run.append(Step.TRUST)
            self._candidates = steps.trust(decoded, store, self._now, policy)
        except Exception as error:  # noqa: BLE001
            self._fail(Step.TRUST, error)

    def authenticate(self) -> None:
        """Whose signature it is."""
        decoded = self._decoded
        if decoded is None or not self._candidates:
            return
        try:
            self._run.append(Step.SIGNATURE)
            self._authenticated = steps.signature(decoded, self._candidates, self._policy)
        except Exception as error:  # noqa: BLE001
            self._fail(Step.SIGNATURE, error)
        if decoded.findings:
            self._judge(Step.SIGNATURE, decoded.findings)
        if self._authenticated is None:
            return
        try:
            findings = steps.standing(decoded, self._authenticated.key, self._now, self._policy)
            if findings:
                self._judge(Step.TRUST, findings)
        except Exception as error:  # noqa: BLE001
            self._fail(Step.TRUST, error)

    def judge(self) -> None:
        """What the certificate says, and whether that is good enough at this moment."""
        decoded, authenticated, policy, run = self._decoded, self._authenticated, self._policy, self._run
        if decoded is None:
            return
        findings: Sequence[Finding] = decoded.findings
        try:
            run.append(Step.TIME)
            key = authenticated.key if authenticated is not None else None
            findings = decoded.findings + steps.time(decoded, key, self._now, policy)
        except Exception as error:  # noqa: BLE001
            self._fail(Step.TIME, error)
        if findings:
            self._judge(Step.TIME, findings)
        if authenticated is None:
            return
        try:
            run.append(Step.CONTENT)
            self._certificate, findings = steps.read_content(authenticated, policy)
            if findings:
                self._judge(Step.CONTENT, findings)
            steps.content(self._certificate, self._now, policy)
        except Exception as error:  # noqa: BLE001
            self._fail(Step.CONTENT, error)
        try:
            run.append(Step.USAGE)
            steps.usage(decoded, authenticated.key)
        except Exception as error:  # noqa: BLE001
            self._fail(Step.USAGE, error)

    def ask_lists(self, trust: TrustStore, revocations: RevocationStore | None) -> None:
        """Whether it was revoked, where its signature held."""
        authenticated, policy = self._authenticated, self._policy
        # Lists that nobody has and nobody demands: there is nothing to ask, and nothing that could be wrong with it.
        if authenticated is None or policy.revocation is RevocationCheck.OFF:
            return
        if revocations is None and policy.revocation is not RevocationCheck.REQUIRED:
            return
        store = RevocationStore() if revocations is None else revocations
        try:
            self._answer = asking.ask_revocation(
                authenticated, self._certificate, store, trust.environment, self._now, policy
            )
            self._note(Step.REVOCATION, steps.revocation(self._answer, policy))
        except Exception as error:  # noqa: BLE001
            self._fail(Step.REVOCATION, error)

    def ask_rules(self, trust: TrustStore, rules: RuleStore | None) -> None:
        """Whether it meets the rules of the policy's country, where its signature held and it can be read."""
        authenticated, certificate, policy = self._authenticated, self._certificate, self._policy
        if authenticated is None or certificate is None or policy.country is None:
            return
        store = RuleStore() if rules is None else rules
        try:
            self._ruling = asking.ask_rules(authenticated, certificate, store, trust.environment, self._now, policy)
            self._note(Step.RULES, steps.rules(self._ruling, self._now, policy))
        except Exception as error:  # noqa: BLE001
            self._fail(Step.RULES, error)

    def _note(self, step: Step, finding: Finding | None) -> None:
        """Notes that a step was run; or why it could not be, where the policy does without."""
        if finding is None:
            self._run.append(step)
            return
        self._notes[step] = StepOutcome(step, StepResult.NOT_RUN, None, finding.detail)
        self._warnings.append(finding)

    def report(self) -> Report:
        outcomes, obstacle = self._outcomes(), None
        if self._problems:
            failed = [o for o in outcomes if o.outcome is StepResult.FAILED]
            obstacle = (failed or [o for o in outcomes if o.outcome is StepResult.UNDETERMINED])[0]
            outcome = Outcome.REFUSED if failed else Outcome.UNDETERMINED
            code = obstacle.code or Code.GENERAL_ERROR
        elif self._is_complete():
            outcome, code = Outcome.ACCEPTED, Code.OK
        else:
            # No step failed and yet one is missing: an absent check is never a pass.
            outcome, code = Outcome.UNDETERMINED, Code.GENERAL_ERROR
        return Report(
            outcome=outcome,
            code=code,
            step=obstacle.step if obstacle is not None else None,
            steps=outcomes,
            family=self._family,
            certificate=self._certificate,
            key=self._authenticated.key if self._authenticated is not None else None,
            warnings=tuple(self._warnings),
            revocation=self._answer,
            rules=self._ruling,
            checked_at=self._now,
            policy=self._policy,
        )

    def _is_complete(self) -> bool:
        """Whether every step was run that the policy demands."""
        run, policy = self._run, self._policy
        return (
            run[: len(_ALWAYS_REQUIRED)] == _ALWAYS_REQUIRED
            and (policy.revocation is not RevocationCheck.REQUIRED or Step.REVOCATION in run)
            and (policy.country is None or Step.RULES in run or self._may_lack_rules())
        )

    def _may_lack_rules(self) -> bool:
        return self._policy.rules is RulesCheck.IF_AVAILABLE and Step.RULES in self._notes

    def _outcomes(self) -> tuple[StepOutcome, ...]:
        """What became of each step, in their order."""
        off = self._policy.revocation is RevocationCheck.OFF
        passed = _passed(tuple(self._run), off)
        if not self._problems and not self._notes:
            return passed
        return tuple([self._problems.get(one.step) or self._notes.get(one.step) or one for one in passed])

    def _judge(self, step: Step, findings: Sequence[Finding]) -> None:
        """Turns the findings of ``step`` into warnings, or into its failure where the policy does not tolerate them."""
        for finding in findings:
            if finding.step is not step:
                continue
            if finding.code in self._policy.tolerated:
                self._warnings.append(finding)
            else:
                self._fail(step, VerificationError(finding.code, finding.detail))

    def _fail(self, step: Step, error: Exception) -> None:
        """Notes that ``step`` did not pass; of several reasons the first one stays."""
        if not isinstance(error, HealthCertError):
            # The last line of defence: a verifier at a door must not fall over. The type alone is told, for the message
            # of an unforeseen error may quote what it stumbled over.
            detail = f"an internal error ({type(error).__name__}); please report it"
            error = VerificationError(Code.GENERAL_ERROR, detail)
        result = StepResult.UNDETERMINED if error.code in _UNDETERMINED else StepResult.FAILED
        self._problems.setdefault(step, StepOutcome(step, result, error.code, error.detail))
