"""What became of a scan: a verdict, or what is to be done first."""

from __future__ import annotations

from typing import Any

from healthcert.errors import Code
from healthcert.model import Private
from healthcert.verify.report import Outcome, Report


class Seen(Private, frozen=True, kw_only=True):
    """The verdict on a scan, or without an ``outcome`` what stands in the way of one.

    ``title`` are the large words of one without a verdict; ``report`` is there once a certificate was examined.
    """

    outcome: Outcome | None
    code: Code
    detail: str
    title: str = ""
    report: Report | None = None

    @classmethod
    def of(cls, report: Report) -> Seen:
        return cls(outcome=report.outcome, code=report.code, detail=report.detail, report=report)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values: those of the report, where there is one."""
        if self.report is not None:
            return self.report.to_dict()
        # What is no verdict yet is none for a script, either.
        outcome = self.outcome or Outcome.UNDETERMINED
        return {"outcome": outcome.value, "code": self.code.value, "step": None, "detail": self.detail}
