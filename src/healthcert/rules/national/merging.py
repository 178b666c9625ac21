"""One payload of several certificates of one holder, as the German wallets make it to ask their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from healthcert.errors import RuleError
from healthcert.rules.certlogic.dates import milliseconds_of
from healthcert.rules.national.payload import Entry, entries_of
from healthcert.rules.national.segments import undetermined
from healthcert.rules.subject import GROUPS, RuleSubject

_DATE = {"v": "dt", "r": "fr", "t": "sc"}
_Dated = tuple[int, float, Entry, RuleSubject]


def in_force(subjects: Sequence[RuleSubject], at: datetime, *, expired: bool) -> list[RuleSubject]:
    """The certificates that are issued at a moment and, unless ``expired`` ones count, have not expired."""
    return [
        one
        for one in subjects
        if (one.issued_at is None or one.issued_at <= at)
        and (expired or one.expires_at is None or at <= one.expires_at)
    ]


def all_dates(subjects: Sequence[RuleSubject]) -> RuleSubject:
    """A subject that has all the dates of several: what they are asked about at each of them."""
    bounds = [at.astimezone(UTC).isoformat() for one in subjects for at in (one.issued_at, one.expires_at) if at]
    return RuleSubject(payload={"all": [dict(one.payload) for one in subjects], "bounds": bounds})


def merged(subjects: Sequence[RuleSubject], most: Mapping[str, int]) -> tuple[dict[str, Any], RuleSubject] | None:
    """The latest entries of each group, at most as many as ``most`` says, latest first; None where there are none.

    Name, date of birth and version are those of the certificate with the latest entry of the first such group. It is
    returned as well. Of entries of one date those of the certificate that was issued last come first. Raises
    :class:`RuleError` (``RULES_OPEN``) for an entry without its date.
    """
    found = {group: _latest(subjects, group)[:count] for group, count in most.items()}
    base = next((entries[0][3] for entries in found.values() if entries), None)
    if base is None:
        return None
    kept = {name: value for name, value in base.payload.items() if name not in GROUPS}
    return kept | {
        group: [dict(entry.members) for _, _, entry, _ in entries] for group, entries in found.items() if entries
    }, base


def _latest(subjects: Sequence[RuleSubject], group: str) -> list[_Dated]:
    found = [_dated(entry, subject) for subject in subjects for entry in entries_of(subject.payload, group)]
    return sorted(found, key=lambda one: one[:2], reverse=True)


def _dated(entry: Entry, subject: RuleSubject) -> _Dated:
    try:
        date = milliseconds_of(entry.members.get(_DATE[entry.group]))
    except RuleError:
        raise undetermined("an entry without its date: which one is the latest is not told") from None
    return date, subject.issued_at.timestamp() if subject.issued_at else 0.0, entry, subject
