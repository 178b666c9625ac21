"""One object of a seal's message: its members by name, each read by its rule (ICAO VDS-NC, data structures)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from healthcert.errors import Code, Step, VerificationError
from healthcert.families.countries import alpha2
from healthcert.families.protocol import Finding

MAX_DOSE = 99
_MAX_TEXT = 1000  # characters of any one text; the longest that the specification allows has 39
_MAX_ITEMS = 64  # of an array; real seals have up to three doses
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Doc 9303-3 §4.8: what is not known of a date of birth is filled up.
_BIRTH_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}|XX|<<)(?:-([0-9]{2}|XX|<<))?)?")
_NUMBER = re.compile(r"[0-9]{1,4}")
_UNKNOWN = frozenset(("00", "XX", "<<"))


class Members:
    """The members of an object, where it stands, and the findings made on the way.

    Every method raises :class:`VerificationError` (``SCHEMA_VALIDATION_FAILED``) for what is of another type than it
    has to be, and reports as a finding what is ``wanted`` and not there.
    """

    def __init__(self, raw: object, where: str, findings: list[Finding]) -> None:
        if not isinstance(raw, dict):
            raise invalid(f"{where}: is missing, or no object")
        self._raw: Mapping[str, Any] = raw
        self._where, self._findings = where, findings

    def text(self, name: str, limit: int = _MAX_TEXT, *, wanted: bool = False) -> str | None:
        """A text; longer ones than ``limit`` characters are reported, and empty ones are none."""
        value = self._raw.get(name)
        if isinstance(value, str) and 0 < len(value) <= limit:  # nearly always
            return value
        if value is None or value == "":
            if wanted:
                self._report(Code.FIELD_MISSING, name, "is missing")
            elif value is None and name in self._raw:
                self._report(Code.NULL_FIELD, name, "null")
            return None
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise self._invalid(name, f"no text of up to {_MAX_TEXT} characters")
        self._report(Code.TEXT_TOO_LONG, name, f"over {limit} characters")
        return value

    def required(self, name: str, limit: int = _MAX_TEXT) -> str:
        """A text without which nothing is certified."""
        value = self.text(name, limit)
        if value is None or not value.strip():
            raise self._invalid(name, "is missing")
        return value

    def day(self, name: str) -> date:
        """A day of the calendar, as YYYY-MM-DD."""
        value = self.required(name)
        if "T" in value:
            self._report(Code.DATE_WITH_TIME, name, "a time of day beside the date")
            value = value.partition("T")[0]
        return self._calendar(name, value)

    def moment(self, name: str, *, wanted: bool = False) -> tuple[datetime | None, date | None]:
        """A moment with its zone (RFC 3339), or the day where no zone says which moment it was."""
        value = self.text(name, wanted=wanted)
        if value is None:
            return None, None
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError:
            raise self._invalid(name, "no such moment in the calendar") from None
        if moment.tzinfo is not None:
            return moment, None
        self._report(Code.TIME_WITHOUT_ZONE, name, "no time zone, read as the day")
        return None, moment.date()

    def birth_date(self, name: str, *, wanted: bool = False) -> str:
        """A date of birth, as far as it is known; empty where it is not there."""
        value = self.text(name, wanted=wanted)
        if value is None:
            return ""
        if _DAY.fullmatch(value) and not value.endswith("-00"):  # nearly always
            return self._calendar(name, value).isoformat()
        found = _BIRTH_DATE.fullmatch(value)
        if found is None:
            raise self._invalid(name, "no date of birth")
        parts = [part for part in found.groups() if part is not None]
        known = parts[: next((n for n, part in enumerate(parts) if n and part in _UNKNOWN), len(parts))]
        if len(known) < len(parts):
            self._report(Code.BIRTH_DATE_PADDED, name, "padded where it is not known")
        self._calendar(name, "-".join([*known, "01", "01"][:3]))
        return "-".join(known)

    def dose(self, name: str) -> int | None:
        """The number of a dose; None where it is none, which is reported."""
        value = self._raw.get(name)
        if type(value) is int and 1 <= value <= MAX_DOSE:  # nearly always
            return value
        if value is None or value == "":
            self._report(Code.FIELD_MISSING, name, "is missing")
            return None
        # ICAO VDS-NC: an integer from 1 to 99; its first releases, and ICAO's samples, have it as a text.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise self._invalid(name, "neither a number nor a text")
        if isinstance(value, int) and 1 <= value <= MAX_DOSE:
            return value
        self._report(Code.DOSE_OUT_OF_RANGE, name, f"no whole number from 1 to {MAX_DOSE}")
        return None

    def country(self, name: str) -> str | None:
        """A country: its two letters where the three that stand there are known, else what stands there."""
        value = self.text(name, wanted=True)
        if value is None:
            return None
        found = alpha2(value)
        if found is None:
            # ICAO VDS-NC: a code of Doc 9303-3, which takes over those of ISO 3166-1.
            self._report(Code.UNKNOWN_CODE, name, "no three-letter code of a country that is known")
        return found or value

    def inner(self, name: str, *, wanted: bool = False) -> Members:
        """The object that a member is; one without members where it is only ``wanted``."""
        value = self._raw.get(name)
        if value is None and wanted:
            self._report(Code.FIELD_MISSING, name, "is missing")
            value = {}
        return Members(value, f"{self._where}.{name}", self._findings)

    def each(self, name: str) -> list[Members]:
        """The objects in an array, of which there has to be one."""
        value = self._raw.get(name)
        if not isinstance(value, list) or not 0 < len(value) <= _MAX_ITEMS:
            raise self._invalid(name, f"is missing, or no array of 1 to {_MAX_ITEMS}")
        return [Members(item, f"{self._where}.{name}[{n}]", self._findings) for n, item in enumerate(value)]

    def kept(self, *names: str) -> dict[str, Any]:
        """Members that have no place in the model, as they are, where they are there."""
        return {name: self._raw[name] for name in names if self._raw.get(name) not in (None, "")}

    def others(self, known: frozenset[str]) -> dict[str, Any]:
        """The members that the specification does not name, which is reported."""
        if self._raw.keys() <= known:
            return {}
        unknown = {name: value for name, value in self._raw.items() if name not in known}
        detail = f"{self._where}: {len(unknown)} members that the specification does not name"
        self._findings.append(Finding(Code.FIELD_UNEXPECTED, Step.CONTENT, detail))
        return unknown

    def _calendar(self, name: str, value: str) -> date:
        try:
            if _DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise self._invalid(name, "no day of the calendar as YYYY-MM-DD")

    def _report(self, code: Code, name: str, rule: str) -> None:
        self._findings.append(Finding(code, Step.CONTENT, f"{self._where}.{name}: {rule}"))

    def _invalid(self, name: str, rule: str) -> VerificationError:
        return invalid(f"{self._where}.{name}: {rule}")


def invalid(detail: str) -> VerificationError:
    """The refusal of a seal whose content is not what it has to be."""
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)
