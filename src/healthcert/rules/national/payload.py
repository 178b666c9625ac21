"""What national rules read of a certificate's payload; it comes from outside, and nothing is taken for granted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from healthcert.codings import COVID_19
from healthcert.errors import Code, RuleError, Step
from healthcert.model import Private
from healthcert.rules.certlogic.dates import DateTime, milliseconds_of
from healthcert.rules.holder import one_person, subject_holder
from healthcert.rules.subject import GROUPS, RuleSubject

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")  # Python reads weeks of the year too
_ZONE = re.compile("T.*(?:Z|[+-].*)")
JANSSEN, SPUTNIK = "EU/1/20/1525", "Sputnik-V"
_CALLED = {"v": "vaccination", "t": "test", "r": "recovery"}


class Entry(Private, frozen=True):
    """One entry of a payload. Each of its members may be missing, or be of any type."""

    group: str
    members: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A member that is a text. Raises :class:`RuleError` (``RULES_OPEN``)."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value:
            raise self._without(name)
        return value

    def number(self, name: str) -> int:
        """A member that is a whole number. Raises :class:`RuleError` (``RULES_OPEN``)."""
        value = self.members.get(name)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if type(value) is not int:
            raise self._without(name)
        return value

    def day(self, name: str) -> date:
        """A member that is a date; of a date-time, the date. Raises :class:`RuleError` (``RULES_OPEN``)."""
        text = self.text(name)
        day = as_day(text[:10]) if len(text) == 10 or text[10:11] == "T" else None
        if day is None:
            raise self._without(name)
        return day

    def moment(self, name: str) -> datetime:
        """A member that is a date-time with its zone, without which it is not known which hour is meant.

        Raises :class:`RuleError` (``RULES_OPEN``).
        """
        text = self.text(name)
        try:
            return DateTime(milliseconds_of(text if _ZONE.search(text) else None)).moment
        except (RuleError, OverflowError):
            raise self._without(name) from None

    @property
    def is_about_covid(self) -> bool:
        """Whether the disease is COVID-19. Raises :class:`RuleError` (``RULES_OPEN``) where it is not told."""
        return self.text("tg") == COVID_19.code

    def _without(self, name: str) -> RuleError:
        return _open(f"the {_CALLED[self.group]} has no {name} that can be read")


def entries_of(payload: Mapping[str, Any], group: str) -> list[Entry]:
    """The entries of a group, those that are none left out."""
    found = payload.get(group)
    return [Entry(group, one) for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def only_entry(payload: Mapping[str, Any], *, last_of: str = "") -> Entry:
    """The entry of a payload; of several in a group named in ``last_of``, the last one.

    Raises :class:`RuleError` (``RULES_OPEN``) for a payload without, or with more: which one counts is not told.
    """
    groups = [group for group in GROUPS if payload.get(group)]
    if not groups:
        raise _open("the certificate has no vaccination, test or recovery")
    given = entries_of(payload, groups[0])
    if len(groups) > 1 or not given or (len(given) > 1 and groups[0] not in last_of):
        raise _open("the certificate has not one entry alone, and which one counts is not told")
    return given[-1]


def as_day(value: Any) -> date | None:
    """A date of ISO 8601 with year, month and day; None for anything else."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


def birth_days(payload: Mapping[str, Any], at: datetime) -> tuple[date, date]:
    """The first and the last day that the holder may have been born on, by what of the date is known."""
    given = payload.get("dob")
    text = given.strip()[:10] if isinstance(given, str) else ""
    for pattern, last in (("", ""), ("-01", ""), ("-01-01", "-12")):
        first = as_day(text + pattern)
        if first is not None:
            end = as_day(text + pattern) if not pattern else _end_of_month(text + last)
            return first, end or first
    return date(1900, 1, 1), at.date()


def one_holder(subjects: Sequence[RuleSubject]) -> str | None:
    """Why certificates cannot be judged together; None for those of one holder."""
    if not subjects:
        return "there is no certificate to judge"
    if not one_person(map(subject_holder, subjects)):
        return "the certificates are not of one holder, as far as their names and dates of birth tell"
    return None


def _end_of_month(text: str) -> date | None:
    return next((day for last in ("31", "30", "29", "28") if (day := as_day(f"{text}-{last}"))), None)


def _open(detail: str) -> RuleError:
    return RuleError(Code.RULES_OPEN, detail, Step.RULES)
