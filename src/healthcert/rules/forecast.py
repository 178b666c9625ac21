"""From when until when a certificate is accepted: rules asked at every moment at which they may change their mind.

Every day is asked about, every moment at which a rule begins or ends, and every one that :mod:`turning` reads off the
rules; between two that differ the change is looked for to the second. What is asked are whole seconds, as rules read
no finer clock here.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace

from healthcert.errors import Code, RuleError, Step
from healthcert.model import Private
from healthcert.rules.assessment import Assessment
from healthcert.rules.book import RuleBook
from healthcert.rules.certlogic import VERSION
from healthcert.rules.rule import ACCEPTANCE, INVALIDATION, Rule, region_of
from healthcert.rules.ruling import RuleState, Ruling, RulingOutcome, apply_rule
from healthcert.rules.subject import RuleSubject
from healthcert.rules.turning import Effort, moment_of, reads_clock, turning_points

LONGEST = timedelta(days=5 * 366)
"""The time that can be looked ahead at once."""
JUDGEMENTS = 8000
"""How often the rules are asked for one forecast: a day each of five years, and what the changes cost."""
# What a rule comes to that does not look at the clock.
_SAYS = {
    RuleState.PASSED: {"===": [1, 1]},
    RuleState.FAIL: {"===": [1, 0]},
    RuleState.OPEN: {"+": [{"var": ""}, 0]},  # the data are no integer
}
_BEFORE, _AFTER = timedelta(days=2 * 365), timedelta(days=3 * 365)  # where the time around a moment is looked for
_DAY = 86_400
_EPOCH = moment_of(0)


class Span(Private, frozen=True):
    """What holds from ``start`` up to, and without, ``end``."""

    start: datetime
    end: datetime
    outcome: RulingOutcome


def forecast(
    book: RuleBook,
    subject: RuleSubject,
    *,
    country: str,
    start: datetime,
    end: datetime,
    region: str | None = None,
    engine_version: str = VERSION,
) -> tuple[Span, ...]:
    """What the rules of a country will say of a certificate, from ``start`` up to ``end``, without gaps.

    Neighbours differ. Before the certificate was issued, and after it expires, it is refused whatever the rules say.
    Raises :class:`RuleError`: ``FIELD_INVALID`` for moments without a zone, in the wrong order, or more than five
    years apart; ``CERTLOGIC_LIMIT`` where the rules change their mind too often to follow, or take too long.
    """
    if start.utcoffset() is None or end.utcoffset() is None:
        raise _invalid("start and end are moments with a time zone")
    if not timedelta(0) < end - start <= LONGEST:
        raise _invalid("end comes after start, and not more than five years")
    effort = Effort(JUDGEMENTS)
    course = _Course(book, subject, country, region, engine_version, effort)
    first, last = math.floor(start.timestamp()), math.ceil(end.timestamp())
    points = {first, *range(first - first % _DAY + _DAY, last, _DAY), *course.bounds}
    points |= turning_points(course.rules, subject, first, last, effort, daily=True)
    left, starts = first, [first]
    for point in sorted(point for point in points if first < point < last):
        while course.outcome(left) is not course.outcome(point):
            left = course.change(left, point)
            starts.append(left)
        left = point
    moments = [start, *(moment_of(second) for second in starts[1:]), end]
    return tuple(
        Span(*between, course.outcome(second)) for between, second in zip(pairwise(moments), starts, strict=True)
    )


def accepted(
    book: RuleBook,
    subject: RuleSubject,
    *,
    country: str,
    at: datetime,
    region: str | None = None,
    engine_version: str = VERSION,
) -> Assessment:
    """What the rules say at a moment, and the time around it in which they pass or, where they do not, the next one.

    Looked at are the two years before the moment and the three after it: a time that begins earlier, or ends later, has
    no bound there. Raises :class:`RuleError`, as :func:`forecast`.
    """
    if at.utcoffset() is None:
        raise _invalid("at is a moment with a time zone")
    try:
        at = at.astimezone(UTC).replace(microsecond=0)
        start, end = at - _BEFORE, at + _AFTER
    except OverflowError:
        raise _invalid("at is a moment of our times") from None
    spans = forecast(book, subject, country=country, start=start, end=end, region=region, engine_version=engine_version)
    ruling = book.judge(subject, country=country, at=at, region=region, engine_version=engine_version)
    here = next(span for span in spans if span.end > at)
    window = next((span for span in spans if span.end > at and span.outcome is RulingOutcome.PASSED), None)
    return Assessment(
        outcome=here.outcome,
        valid_from=window.start if window is not None and window.start > start else None,
        valid_until=window.end if window is not None and window.end < end else None,
        reasons=_reasons(ruling, subject, at, never=window is None),
    )


class _Course:
    """The rules of a country, asked about one certificate at many moments, each of them once."""

    def __init__(
        self,
        book: RuleBook,
        subject: RuleSubject,
        country: str,
        region: str | None,
        engine_version: str,
        effort: Effort,
    ) -> None:
        self._subject, self._engine_version, self._effort = subject, engine_version, effort
        self._country = country.upper()
        self._region = region_of(region, self._country)
        self._known: dict[int, RulingOutcome] = {}
        self._issued = None if subject.issued_at is None else math.ceil(subject.issued_at.timestamp())
        self._expires = None if subject.expires_at is None else math.floor(subject.expires_at.timestamp())
        owners = {(ACCEPTANCE, self._country), (INVALIDATION, subject.issuing_country or "")}
        asked = [rule for rule in book.rules if (rule.type, rule.country) in owners]
        self.rules = [self._settled(rule, book) for rule in asked]
        self._book = RuleBook(self.rules, book.value_sets, book.unreadable)
        self.bounds = [] if self._issued is None else [self._issued]
        self.bounds += [] if self._expires is None else [self._expires + 1]

    def _settled(self, rule: Rule, book: RuleBook) -> Rule:
        """The rule, or one that says the same at once, where it does not depend on the clock."""
        self._effort.check()
        try:
            if reads_clock(rule.logic):
                return rule
        except RuleError:
            pass  # it is too large, and OPEN at any time
        external = self._subject.external(_EPOCH, self._country, self._region, book.value_sets.codes)
        state = apply_rule(rule, {"payload": self._subject.payload, "external": external}).state
        return replace(rule, logic=_SAYS[state])

    def outcome(self, second: int) -> RulingOutcome:
        """What holds in this second since 1970."""
        # RFC 8392 §3.1.5, HCERT specification §3.3.5: no certificate is valid before it was issued, or after exp.
        if (self._issued is not None and second < self._issued) or (
            self._expires is not None and second > self._expires
        ):
            return RulingOutcome.FAIL
        found = self._known.get(second)
        if found is None:
            self._effort.judge()
            found = self._known[second] = self._book.judge(
                self._subject,
                country=self._country,
                at=moment_of(second),
                region=self._region,
                engine_version=self._engine_version,
            ).outcome
        return found

    def change(self, left: int, right: int) -> int:
        """A second after ``left``, and not after ``right``, in which something else holds than just before."""
        kept = self.outcome(left)
        while right - left > 1:
            middle = (left + right) // 2
            if self.outcome(middle) is kept:
                left = middle
            else:
                right = middle
        return right


def _reasons(ruling: Ruling, subject: RuleSubject, at: datetime, *, never: bool) -> tuple[str, ...]:
    """Why it is as it is, in English; what is personal stays out."""
    reasons = []
    if subject.issued_at is not None and at < subject.issued_at:
        reasons.append("the certificate is not valid yet")
    if subject.expires_at is not None and at > subject.expires_at:
        reasons.append("the certificate has expired")
    failed, open_ = ruling.of(RuleState.FAIL), ruling.of(RuleState.OPEN)
    reasons += [f"{one.rule.identifier} is not met: {one.rule.description()}" for one in failed]
    reasons += [f"{one.rule.identifier} could not be evaluated: {one.detail}" for one in open_]
    if ruling.unreadable:
        reasons.append(f"{ruling.unreadable} rules could not be read")
    if ruling.outcome is RulingOutcome.NO_RULES:
        reasons.append("there are no rules about such a certificate")
    if ruling.outcome is RulingOutcome.PASSED and not reasons:
        reasons.append("all rules are met")
    if never:
        reasons.append("there is no time ahead at which it is accepted")
    return tuple(reasons)


def _invalid(detail: str) -> RuleError:
    return RuleError(Code.FIELD_INVALID, detail, Step.RULES)
