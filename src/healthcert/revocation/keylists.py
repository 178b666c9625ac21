"""All revocation lists of one moment, as they are about the certificates of one key: put together once for all these.

What is kept is about keys and lists, never about a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.anchors import Environment
from healthcert.revocation.answer import Coverage, RevocationAnswer, Standing
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.lookup import KeyLookup

_KEPT = 64  # answers; certificates of one key have the same types of identifiers, nearly all of them
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class KeyLists:
    """All lists of one moment, as they are about the certificates of one key.

    ``environment`` is the one that the lists are of. ``types`` are the types of identifiers that tell whether a
    certificate is on one of them, and whether they speak for it; no others need be computed.
    """

    __slots__ = ("_answers", "_damaged", "_lists", "environment", "types")

    def __init__(
        self,
        lists: Iterable[KeyLookup],
        *,
        damaged: frozenset[str],
        types: frozenset[IdentifierType],
        environment: Environment | None,
    ) -> None:
        """``damaged`` are the sources whose lists cannot be read, ``types`` those that any list goes by."""
        self._lists = tuple(one for one in lists if one.types)
        self._damaged = damaged
        self.environment = environment
        self.types = types & frozenset(type_ for one in self._lists for type_ in one.types)
        self._answers: dict[tuple[IdentifierType, ...], _Kept] = {}

    def ask(self, subject: Subject, now: datetime, grace: timedelta) -> RevocationAnswer:
        """What the lists say of a certificate of the key; see :meth:`RevocationStore.ask`, which raises the same."""
        damaged = self._damaged
        where, odds = None, 0.0
        for one in self._lists:
            try:
                if one.names(subject, now):
                    on = (one.coverage,)
                    fresh = _is_fresh(one.coverage, now, grace)
                    return RevocationAnswer(Standing.HIT, one.source, 0.0, *((on, ()) if fresh else ((), on)))
                # Not by the number of its filters, for those that ended of late are not among them.
                found = one.odds(subject, now)
            except RevocationError:
                damaged |= {one.source}
                continue
            if found is not None and (where is None or found < odds):
                where, odds = one, found
        if damaged:
            raise _unreadable(f"update or remove what is damaged of it: {', '.join(sorted(damaged))}")
        answer = self._not_listed(subject, now, grace)
        if where is None:
            return answer
        return RevocationAnswer(Standing.POSSIBLE, where.source, odds, answer.lists, answer.overdue)

    def _not_listed(self, subject: Subject, now: datetime, grace: timedelta) -> RevocationAnswer:
        """What is said of a certificate that is on no list: the same of all that have identifiers of these types."""
        types = tuple([type_ for type_, keys in subject.identifiers.items() if keys])
        kept = self._answers.get(types)
        if kept is None or not kept.holds(now, grace):
            speaking = [one.coverage for one in self._lists if not one.speaks_by.isdisjoint(types)]
            kept = _Kept(speaking, now, grace)
            if len(self._answers) < _KEPT or types in self._answers:
                self._answers[types] = kept
        return kept.answer


class _Kept:
    """The answer about what is on no list, and from when until when it is that."""

    __slots__ = ("_grace", "_since", "_until", "answer")

    def __init__(self, speaking: list[Coverage], now: datetime, grace: timedelta) -> None:
        lists = tuple(one for one in speaking if _is_fresh(one, now, grace))
        overdue = tuple(one for one in speaking if not _is_fresh(one, now, grace))
        self._grace = grace
        # It changes when a fresh list becomes overdue and, for one who asks about the past, when one was fresh still.
        self._since = max((_end(one, grace, _FIRST) for one in overdue), default=_FIRST)
        self._until = min((_end(one, grace, _LAST) for one in lists), default=_LAST)
        self.answer = RevocationAnswer(Standing.CLEAR if lists else Standing.UNKNOWN, None, 0.0, lists, overdue)

    def holds(self, now: datetime, grace: timedelta) -> bool:
        return grace == self._grace and self._since < now <= self._until


def _is_fresh(coverage: Coverage, now: datetime, grace: timedelta) -> bool:
    return coverage.fresh_until is None or now - coverage.fresh_until <= grace


def _end(coverage: Coverage, grace: timedelta, otherwise: datetime) -> datetime:
    """The last moment at which a list counts as fresh; ``otherwise`` where there is none in the calendar."""
    if coverage.fresh_until is not None:
        with suppress(OverflowError):
            return coverage.fresh_until + grace
    return otherwise


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
