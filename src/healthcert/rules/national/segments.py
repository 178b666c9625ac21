"""What rules say from one moment to the next: stretches of time, and what is told of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from msgspec import field
from msgspec.structs import replace

from healthcert.errors import Code, RuleError, Step
from healthcert.model import Private
from healthcert.rules.assessment import Assessment
from healthcert.rules.national.payload import one_holder
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject

PASSED, FAIL, OPEN, NO_RULES = RulingOutcome.PASSED, RulingOutcome.FAIL, RulingOutcome.OPEN, RulingOutcome.NO_RULES
_BEST_FIRST = (PASSED, OPEN, NO_RULES, FAIL)
_SECOND = timedelta(seconds=1)
_FIRST_YEAR, _LAST_YEAR = 1901, 8999
_EARLIEST, _LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Segment(Private, frozen=True):
    """A stretch of time, up to the start of the next one: what holds in it, and why.

    ``start`` is None for the first one, which has no beginning. ``reasons`` are sentences without personal data.
    ``status`` and ``details`` are those of :class:`healthcert.rules.assessment.Assessment`; a stretch with another
    status is another answer, however good.
    """

    start: datetime | None
    outcome: RulingOutcome
    reasons: tuple[str, ...]
    status: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


Timeline = tuple[Segment, ...]
"""Stretches that follow each other, and leave no gap."""


def always(outcome: RulingOutcome, reason: str) -> Timeline:
    """One answer for all times."""
    return (Segment(None, outcome, (reason,)),)


def between(start: datetime, end: datetime, *, before: str, during: str, after: str) -> Timeline:
    """Good from ``start`` up to, and without, ``end``, which may be empty; the sentences say why, and why not."""
    first = Segment(None, FAIL, (before,))
    if start >= end:
        return always(FAIL, after)
    return (first, Segment(start, PASSED, (during,)), Segment(end, FAIL, (after,)))


def at_moment(timeline: Timeline, moment: datetime) -> Segment:
    """The stretch that a moment is in."""
    return timeline[bisect_right(_starts(timeline), moment)]


def changed(timeline: Timeline, start: datetime, segment: Segment) -> Timeline:
    """The timeline up to ``start``, and from then on one answer for good."""
    kept = tuple(one for one in timeline if one.start is None or one.start < start)
    return (*kept, replace(segment, start=start))


def spliced(first: Timeline, start: datetime, second: Timeline) -> Timeline:
    """The first timeline up to ``start``, and the second one from then on."""
    kept = tuple(one for one in first if one.start is None or one.start < start)
    later = tuple(one for one in second if one.start is not None and one.start > start)
    return (*kept, replace(at_moment(second, start), start=start), *later)


def together(timelines: Sequence[Timeline], choose: Callable[[Sequence[Segment]], Segment]) -> Timeline:
    """At each time what ``choose`` makes of the stretches of all timelines."""
    lines = [(timeline, _starts(timeline)) for timeline in timelines]
    first = replace(choose([timeline[0] for timeline in timelines]), start=None)
    moments = sorted({start for _, starts in lines for start in starts})
    later = ((choose([line[bisect_right(starts, at)] for line, starts in lines]), at) for at in moments)
    return (first, *(replace(segment, start=at) for segment, at in later))


def best(segments: Sequence[Segment]) -> Segment:
    """The most that one of several certificates is good for."""
    return min(segments, key=lambda segment: _BEST_FIRST.index(segment.outcome))


def told(timeline: Timeline, moment: datetime) -> Assessment:
    """What is to be said of a moment: the answer then, and the stretch of time in which it is a good one."""
    here = at_moment(timeline, moment)
    stretches = _stretches(timeline)
    holds = next((one for one in stretches if one[0].outcome is PASSED and _ends_after(one, moment)), None)
    return Assessment(
        outcome=here.outcome,
        valid_from=holds[0].start if holds else None,
        valid_until=holds[1] if holds else None,
        reasons=here.reasons,
        status=here.status,
        details=here.details,
    )


def tried(judge: Callable[[], Timeline]) -> Timeline:
    """What ``judge`` makes of it; what it cannot tell, by a :class:`RuleError`, is OPEN."""
    try:
        return judge()
    except RuleError as error:
        return always(OPEN, error.detail)


def our_times(moment: datetime) -> datetime:
    """The moment that is asked about. Raises :class:`RuleError` (``FIELD_INVALID``) for one that cannot be meant."""
    if moment.utcoffset() is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise RuleError(Code.FIELD_INVALID, "what is asked about is a moment of our times with its zone", Step.RULES)
    return moment


def assess_each(
    subjects: Sequence[RuleSubject],
    at: datetime,
    judge: Callable[[RuleSubject], Timeline],
    choose: Callable[[Sequence[Segment]], Segment] = best,
) -> Assessment:
    """What the best of one holder's certificates is good for, where rules judge each of them by itself.

    ``choose`` says what certificates that differ at a time come to, if not to what the best of them is good for. A
    certificate is good for nothing before it is issued, and once it has expired.
    """
    at = our_times(at)
    if (problem := one_holder(subjects)) is not None:
        return told(always(OPEN, problem), at)
    return told(together([_while_valid(subject, judge) for subject in subjects], choose), at)


def undetermined(detail: str) -> RuleError:
    """What is raised where rules or a certificate do not tell what is needed; it becomes an OPEN with this reason."""
    return RuleError(Code.RULES_OPEN, detail, Step.RULES)


def _while_valid(subject: RuleSubject, judge: Callable[[RuleSubject], Timeline]) -> Timeline:
    timeline = tried(lambda: judge(subject))
    issued, expires = subject.issued_at, subject.expires_at
    # RFC 8392 §3.1.5, HCERT specification §3.3.5: no certificate is valid before it was issued, or after exp.
    if issued is not None and issued > _EARLIEST:
        timeline = spliced(always(FAIL, "the certificate is not issued yet by then"), issued, timeline)
    if expires is not None and expires < _LATEST:
        end = expires.replace(microsecond=0) + _SECOND
        timeline = spliced(timeline, end, always(FAIL, "the certificate has expired by then"))
    return timeline


def _starts(timeline: Timeline) -> list[datetime]:
    """When each stretch but the first one begins."""
    return [segment.start for segment in timeline[1:] if segment.start is not None]


def _stretches(timeline: Timeline) -> list[tuple[Segment, datetime | None]]:
    """The timeline with neighbours of one answer put together, each with its end."""
    groups = [next(group) for _, group in groupby(timeline, key=lambda segment: (segment.outcome, segment.status))]
    ends: Iterable[datetime | None] = [*(segment.start for segment in groups[1:]), None]
    return list(zip(groups, ends, strict=True))


def _ends_after(stretch: tuple[Segment, datetime | None], moment: datetime) -> bool:
    return stretch[1] is None or stretch[1] > moment
