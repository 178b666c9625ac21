"""The desk at which scans are judged, one after the other. It keeps numbers, and of a card in parts what came of it."""

from __future__ import annotations

from collections import Counter

from healthcert.errors import Code, HealthCertError
from healthcert.families.shc.forms import SCHEME
from healthcert.families.shc.parts import PartCollector
from healthcert.limits import Limits
from healthcert.verify.report import Outcome
from healthcert.verify.verifier import Verifier
from healthcert_cli.scanning.layouts import ADVICE, is_garbled
from healthcert_cli.scanning.seen import Seen

_CARD = len(SCHEME)


def is_part(text: str) -> bool:
    """Whether a text may be one of several that make a SMART Health Card: ``shc:/1/2/5676...``."""
    return text[:_CARD].lower() == SCHEME and text.count("/") > 1


class Desk:
    """Judges scans with one verifier, and counts its verdicts."""

    def __init__(self, verifier: Verifier, limits: Limits) -> None:
        self.counts: Counter[Outcome] = Counter()
        self._verifier = verifier
        self._limits = limits
        self._parts = PartCollector(limits)

    def judge(self, scan: str | bytes | None) -> Seen:
        """What is to be shown of a scan; None is one that was longer than any certificate."""
        seen = self._too_long() if scan is None else self._judged(scan)
        if seen.code is not Code.PARTS_MISSING:
            self.forget()
        if seen.outcome is not None:
            self.counts[seen.outcome] += 1
        return seen

    def judge_together(self, texts: list[str]) -> Seen:
        """What is to be shown of the codes in one picture: the parts of a card, or one certificate and no other."""
        if len(texts) > 1 and not all(map(is_part, texts)):
            detail = "several certificates are in the picture, and the verdict would be of one of them"
            return Seen(outcome=None, code=Code.MULTIPLE_ENTRIES, detail=detail, title="ONE AT A TIME")
        *_, last = [self.judge(text) for text in texts]
        return last

    def forget(self) -> None:
        """The parts of a card that was not completed: the next holder's must not be taken for its other ones."""
        self._parts = PartCollector(self._limits)

    def _judged(self, scan: str | bytes) -> Seen:
        text = scan if isinstance(scan, str) else scan.decode("utf-8", "replace")
        try:
            whole = self._parts.add(text)
        except HealthCertError as error:
            return Seen(outcome=Outcome.REFUSED, code=error.code, detail=error.detail)
        if whole is None:
            return self._unfinished()
        # As it came, since some certificates are bytes; a card in parts is the text that they make together.
        report = self._verifier.examine(scan if whole is text else whole)
        if report.code is Code.INVALID_SCHEME_PREFIX and is_garbled(text):
            return Seen(outcome=None, code=report.code, detail=ADVICE, title="CHECK THE SCANNER")
        return Seen.of(report)

    def _unfinished(self) -> Seen:
        missing = self._parts.missing
        title = "SCAN THE NEXT PART" if any(missing) else "SCAN ALL PARTS AGAIN"
        return Seen(outcome=None, code=Code.PARTS_MISSING, detail=self._parts.describe(), title=title)

    def _too_long(self) -> Seen:
        detail = f"more than {self._limits.text_chars} characters: longer than any certificate in a barcode"
        return Seen(outcome=Outcome.REFUSED, code=Code.INPUT_TOO_LONG, detail=detail)
