"""What each worker of a verifying run does: certificates of a chunk become verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr, replace

from healthcert.batch.protocol import ChunkResult, Document, Given, Output, Refusal, Text, VerifyItem
from healthcert.batch.seen import Seen
from healthcert.batch.sinks import Columns, Form, Kind, encode_rows
from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import Code, DecodeError, HealthCertError, RevocationError, Step
from healthcert.families.shc.parts import PartCollector
from healthcert.intake.reading import RejectedRow
from healthcert.revocation.store import LEDGER, RevocationStore
from healthcert.rules.store import RuleStore
from healthcert.trust.store import TrustStore
from healthcert.verify.policy import Policy
from healthcert.verify.report import Report
from healthcert.verify.verifier import Verifier

VERDICTS: Columns = {
    "source": Kind.TEXT,
    "row": Kind.NUMBER,
    "outcome": Kind.TEXT,
    "code": Kind.TEXT,
    "step": Kind.TEXT,
    "family": Kind.TEXT,
    "issuer": Kind.TEXT,
    "certificate_id": Kind.TEXT,
    "kid": Kind.TEXT,
}
"""A verdict as a row of the results. Of what is certified it has the identifier alone."""
REPORTS: Columns = {**VERDICTS, "report": Kind.TEXT}
"""The same in a table with the whole report, which is JSON. In JSON Lines a report's members stand beside the row."""


class VerifierPlan(Struct, frozen=True, kw_only=True):
    """A verifier by what it is made of, so that each process, and each machine that has the files, makes its own.

    ``trust`` are trust stores, files or folders of certificates, which count together; ``revocation`` and ``rules`` are
    stores, None for none. ``at`` is the moment for which it is verified, None for now. ``seen`` are the lists that all
    of these must have, None for whatever is there.
    """

    trust: tuple[Path, ...]
    revocation: Path | None = None
    rules: Path | None = None
    policy: Policy = Policy()
    at: datetime | None = None
    seen: Seen | None = None

    def to_dict(self) -> dict[str, Any]:
        """By what it is known as the same, as values of JSON: a run that is gone on with may see other lists."""
        return {
            "trust": [str(path) for path in self.trust],
            "revocation": None if self.revocation is None else str(self.revocation),
            "rules": None if self.rules is None else str(self.rules),
            "policy": self.policy.to_dict(),
            "at": None if self.at is None else self.at.isoformat(),
        }

    def open(self) -> Verifier:
        """Raises :class:`TrustError`, :class:`RevocationError`, :class:`RuleError`; see also :meth:`Seen.check`."""
        trust, revocation, rules = self._stores()
        if self.seen is not None:
            self.seen.check(Seen.of(trust, revocation, rules))
        clock = SystemClock() if self.at is None else FixedClock(self.at)
        return Verifier(trust, revocation=revocation, rules=rules, policy=self.policy, clock=clock)

    def noted(self) -> VerifierPlan:
        """The same, of the lists that are there now and no others. Raises as :meth:`open`."""
        return replace(self, seen=Seen.of(*self._stores()))

    def _stores(self) -> tuple[TrustStore, RevocationStore | None, RuleStore | None]:
        trust = TrustStore()
        for path in self.trust:
            trust.include(TrustStore.from_path(path))
        revocation = None if self.revocation is None else _revocation(self.revocation)
        return trust, revocation, None if self.rules is None else RuleStore.from_path(self.rules)


def _revocation(path: Path) -> RevocationStore:
    store = RevocationStore.open(path)
    # Whoever names a folder means the lists in it: it may be a disk that is not there. One that has a ledger is a
    # store, whatever it holds; that each worker sees the same lists in it is held against what the run began with.
    if not store and not (path / LEDGER).exists():
        detail = "no revocation lists are in this folder"
        raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
    return store


class VerifyWork(Struct, frozen=True, kw_only=True):
    """All that a worker needs to verify. ``reports`` asks for all that was found, which holds personal data.

    When it is made, it notes the lists that are there: a worker that finds others when it starts, on another machine
    or in the place of one that ended, ends the run. Raises as :meth:`VerifierPlan.open`.
    """

    verifier: VerifierPlan
    form: Form = Form.JSONL
    reports: bool = False

    def __post_init__(self) -> None:
        if self.verifier.seen is None:
            force_setattr(self, "verifier", self.verifier.noted())

    def __call__(self) -> Callable[[Sequence[Given[VerifyItem]]], ChunkResult]:
        """Raises as :meth:`VerifierPlan.open`."""
        return Verifying(self, self.verifier.open())


class Verifying:
    """Does one chunk after the other."""

    def __init__(self, work: VerifyWork, verifier: Verifier) -> None:
        self._verifier, self._form = verifier, work.form
        self._limits = work.verifier.policy.limits
        # In a table each row has the same columns: the whole report is one of them.
        self._columns = REPORTS if work.reports and work.form is Form.PARQUET else VERDICTS
        self._row = (_report_column if work.form is Form.PARQUET else _report) if work.reports else _verdict

    def __call__(self, items: Sequence[Given[VerifyItem]]) -> ChunkResult:
        """Never raises for an item: one in which there is no certificate is refused with the reason."""
        counts: Counter[str] = Counter()
        rows: list[dict[str, Any]] = []
        refusals: list[Refusal] = []
        texts = iter(self._verifier.examine_many([item.text for _, item in items if isinstance(item, Text)]))
        for source, item in items:
            if isinstance(item, RejectedRow):
                refusals.append(Refusal(source, item.number, item.error))
                continue
            if isinstance(item, Text):
                found: Iterator[Report | HealthCertError] = iter((next(texts),))
            else:
                source, found = item.name, self._in_document(item)  # noqa: PLW2901 (a file speaks for itself)
            for number, one in enumerate(found, item.number if isinstance(item, Text) else 1):
                if isinstance(one, HealthCertError):
                    refusals.append(Refusal(source, number, one))
                    continue
                counts.update((f"verdict:{one.outcome}", f"code:{one.code}", f"issuer:{_issuer(one) or _NOBODY}"))
                rows.append(self._row(source, number, one))
        counts.update(f"code:{refusal.error.code}" for refusal in refusals)
        counts["verdict:rejected"] += len(refusals)
        outputs = (Output(encode_rows(self._form, rows, self._columns)),) if rows else ()
        return ChunkResult(outputs=outputs, refusals=tuple(refusals), counts=dict(counts))

    def _in_document(self, document: Document) -> Iterator[Report | HealthCertError]:
        """Of each certificate in a file what was found, and of each that is in pieces what is wrong with it."""
        from healthcert.batch.sources import read_document

        try:
            texts = read_document(document, self._limits)
        except HealthCertError as error:
            yield error
            return
        except OSError as error:
            yield HealthCertError(Code.ENVIRONMENT, error.strerror or "cannot be read")
            return
        parts = PartCollector(self._limits)
        for text in texts:
            try:
                whole = parts.add(text)
            except HealthCertError as error:
                yield error
                continue
            if whole is not None:
                yield self._verifier.examine(whole)
        if missing := parts.describe():
            yield DecodeError(Code.PARTS_MISSING, missing, Step.DECODE)


_NOBODY = "unknown"


def _issuer(report: Report) -> str | None:
    """Who signed, as far as that is known: a country, or the URL of an issuer. What a stranger claims is not told."""
    return None if report.key is None else report.key.country or report.key.issuer


def _verdict(source: str, number: int, report: Report) -> dict[str, Any]:
    certificate = report.certificate
    return {
        "source": source,
        "row": number,
        "outcome": report.outcome,
        "code": report.code,
        "step": report.step,
        "family": report.family,
        "issuer": _issuer(report),
        "certificate_id": None if certificate is None or not certificate.identifiers else certificate.identifiers[0],
        "kid": None if report.key is None else report.key.kid.hex(),
    }


def _report(source: str, number: int, report: Report) -> dict[str, Any]:
    return {"source": source, "row": number, **report.to_dict()}


def _report_column(source: str, number: int, report: Report) -> dict[str, Any]:
    return {**_verdict(source, number, report), "report": msgspec.json.encode(report.to_dict()).decode()}
