"""The configuration of France's app TousAntiCovid Verif: numbers, ages and dates by their names, for each kind of pass.

Source: lovasoa/sanipasse, src/assets/validity_data.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from healthcert.errors import TrustError
from healthcert.lists.reading import read_json
from healthcert.rules.national.payload import as_day
from healthcert.rules.national.segments import undetermined
from healthcert.rules.national.settings import LONGEST, Span, first_known, unreadable

# ISO 8601-1 §5.5.2: a duration in years, months and days, all of it in this order.
_PERIOD = re.compile(r"P(?=[0-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,3})M)?(?:([0-9]{1,4})D)?")


class FrenchSettings(Struct, frozen=True):
    """The settings of one pass, or of all of them. Each may be missing, or be of any type."""

    values: Mapping[str, Any]

    def of(self, mode: str) -> FrenchSettings:
        """The settings of one pass. Raises :class:`RuleError` (``RULES_OPEN``) where there are none."""
        found = self.values.get(mode)
        if not isinstance(found, Mapping):
            raise undetermined(f"there are no settings for {mode}")
        return FrenchSettings(found)

    def has(self, name: str) -> bool:
        """Whether there is such a setting, of whatever kind."""
        return name in self.values

    def days(self, *names: str) -> Span:
        """The first of these settings that there is. Raises :class:`RuleError` (``RULES_OPEN``)."""
        return self.span(*names, unit="days")

    def span(self, *names: str, unit: str) -> Span:
        """The first of these settings that there is. Raises :class:`RuleError` (``RULES_OPEN``)."""
        return first_known(dict.fromkeys(names), self._number, unit)

    def day(self, name: str) -> date:
        """A setting that is a date. Raises :class:`RuleError` (``RULES_OPEN``)."""
        found = as_day(self.values.get(name))
        if found is None:
            raise undetermined(f"the settings have no date for {name}")
        return found

    def age(self, name: str, born: date) -> date:
        """The day on which somebody is as old as a setting says. Raises :class:`RuleError` (``RULES_OPEN``)."""
        given = self.values.get(name)
        found = _PERIOD.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise undetermined(f"the settings have no age for {name}")
        years, months, days = (int(part or 0) for part in found.groups())
        try:
            return _later(born, years, months) + timedelta(days=days)
        except (ValueError, OverflowError):
            raise undetermined("the date of birth is at the end of the calendar") from None

    def _number(self, name: str) -> int | None:
        value = self.values.get(name)
        return value if type(value) is int and 0 <= value <= LONGEST else None


def read_settings(document: bytes) -> FrenchSettings:
    """The configuration as it is published. Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
    try:
        return FrenchSettings(read_json(document, dict))
    except TrustError as error:
        raise unreadable(f"the settings: {error.detail}") from None


def _later(day: date, years: int, months: int) -> date:
    """Years, then months, each running over into the next month where it has no such day, as in JavaScript."""
    for step in (12 * years, months):
        year, month = divmod(day.year * 12 + day.month - 1 + step, 12)
        day = date(year, month + 1, 1) + timedelta(days=day.day - 1)
    return day
