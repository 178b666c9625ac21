"""Maps of WHO's kinds: fields that go by several names, and values that come wrapped in several ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from healthcert.codings import named
from healthcert.encoding import cbor
from healthcert.errors import Code
from healthcert.families.hcert.content import day, found, invalid
from healthcert.families.hcert.mend import mend_birth_date, mend_date, mend_number
from healthcert.families.protocol import Finding
from healthcert.model import Coding

ABSENT = (None, "", "undefined", "null", cbor.Undefined.UNDEFINED)
"""What writers leave where there is nothing, those in JavaScript among them."""

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
PARTIAL_DAY = r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"
_MAX_TEXT = 1000


class Record:
    """A map whose fields go by several names: what was read of it, and what was not there."""

    def __init__(self, raw: Mapping[Any, Any], where: str, findings: list[Finding]) -> None:
        self._raw, self._where, self._findings = raw, where, findings
        self._read: set[str] = set()

    def value(self, *names: str, wanted: bool = False, unwrap: Callable[[Any], Any] = lambda given: given) -> Any:
        """What the first of ``names`` holds that is there; reported where it is ``wanted`` and there is none."""
        for name in names:
            given = self._raw.get(name)
            value = None if given in ABSENT else unwrap(given)
            if given in ABSENT or value not in ABSENT:
                self._read.add(name)
            if value not in ABSENT:
                return value
        if wanted:
            self._findings.append(found(Code.FIELD_MISSING, f"{self._where}.{names[0]}: is missing"))
        return None

    def text(self, *names: str, wanted: bool = False) -> str | None:
        value = self.value(*names, wanted=wanted, unwrap=_plain)
        if value is not None and not (isinstance(value, str) and len(value) <= _MAX_TEXT):
            raise invalid(f"{self._where}.{names[0]}: not a text of up to {_MAX_TEXT} characters")
        return value

    def coding(self, *names: str, system: str = "", wanted: bool = False) -> Coding | None:
        """A code, be it alone or with its system and its name, under the name that is given or known."""
        given = self.value(*names, wanted=wanted, unwrap=_coding)
        if given is None:
            return None
        code, of, display = (given.get(name) for name in ("code", "system", "display"))
        if not isinstance(code, str) or len(code) > _MAX_TEXT:
            raise invalid(f"{self._where}.{names[0]}: not a code")
        return named(of if isinstance(of, str) else system, code, display if isinstance(display, str) else None)

    def day(self, *names: str) -> date:
        where = f"{self._where}.{names[0]}"
        value = mend_date(self.text(*names), where, self._findings)
        if not isinstance(value, str) or not re.fullmatch(_DAY, value):
            raise invalid(f"{where}: not a day")
        return day(value, where)

    def birth_date(self, *names: str) -> str:
        where = f"{self._where}.{names[0]}"
        value: str = mend_birth_date(self.text(*names, wanted=True) or "", where, self._findings)
        if value and not re.fullmatch(PARTIAL_DAY, value):
            raise invalid(f"{where}: not a date of birth")
        day(value + "2000-01-01"[len(value) :], where)
        return value

    def number(self, *names: str, wanted: bool = False) -> int | None:
        where = f"{self._where}.{names[0]}"
        value = mend_number(self.value(*names, wanted=wanted), where, self._findings)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
            value = int(value)
        if value is not None and (type(value) is not int or not 0 < value < 1000):
            raise invalid(f"{where}: not a whole number from 1 to 999")
        return value

    def others(self) -> dict[str, Any]:
        """What was not read."""
        return {str(key): value for key, value in self._raw.items() if key not in self._read}


def fields_of(raw: Any, where: str, findings: list[Finding]) -> Record:
    """The fields of what has to be a map. Raises :class:`VerificationError` where it is none."""
    if not isinstance(raw, Mapping):
        raise invalid(f"{where}: not a map")
    return Record(raw, where, findings)


def required(value: str | None, where: str) -> str:
    """A text that has to be there. Raises :class:`VerificationError` where it is not."""
    if value is None or not value.strip():
        raise invalid(f"{where}: is missing")
    return value


def _coding(given: Any) -> Mapping[Any, Any] | None:
    """A code as a map, however it is wrapped; None where there is none."""
    while isinstance(given, Mapping) and "coding" in given:
        given = given["coding"]
        if isinstance(given, (list, tuple)):
            given = given[0] if given else None
    given = given if isinstance(given, Mapping) else {"code": given}
    return None if given.get("code") in ABSENT else given


def _plain(given: Any) -> Any:
    """A text, however it is wrapped."""
    if not isinstance(given, Mapping):
        return given
    if coded := _coding(given):
        return coded["code"]
    inner = given.get("coding", given)
    if not isinstance(inner, Mapping):
        return None
    return next((inner[name] for name in ("value", "display") if inner.get(name) not in ABSENT), None)
