"""The published JSON schemas of the EU DCC (eu-dcc-schema 1.0.0 to 1.3.3, and Austria's AT-1.0.0), as one table.

The releases differ in few places, so every row says which field it is about, what the field must be, and the
releases it holds for. A payload is held to the release that its own ``ver`` names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import NamedTuple

from healthcert.encoding import cbor

Release = tuple[int, int, int]
Check = Callable[[object], str | None]
"""Takes a value and returns the rule that it breaks, or None."""

RELEASES = ("1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1", "1.3.0", "1.3.1", "1.3.2", "1.3.3")
AUSTRIAN = "AT-1.0.0"

# The releases that changed a rule. AT-1.0.0 is 1.3.0 with one group of its own.
_FIRST, _PARTIAL_BIRTH, _NO_RESULT_TIME, _ONE_ENTRY, _ANY_NAME = (1, 0, 0), (1, 1, 0), (1, 2, 0), (1, 3, 0), (1, 3, 2)
_LAST = (9, 9, 9)

_MOST = 50  # messages: a payload from a stranger may hold thousands of entries

# JSON Schema 2020-12 §6.3.3: a pattern is not anchored by itself, and is one of ECMA-262: \d is [0-9], $ the very end.
_VERSION = re.compile(r"\A[0-9]+.[0-9]+.[0-9]+\Z")
_AUSTRIAN_VERSION = re.compile(r"\AAT-[0-9]+.[0-9]+.[0-9]+\Z")
_BIRTH_FULL = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_BIRTH_PARTIAL = re.compile(r"\A(19|20)[0-9]{2}(-[0-9]{2}){0,2}\Z")
_BIRTH_OR_EMPTY = re.compile(r"\A((19|20)[0-9]{2}(-[0-9]{2}){0,2})?\Z")
_TRANSLITERATED = re.compile(r"\A[A-Z<]*\Z")
_CAPITAL = re.compile(r"[A-Z]")
# RFC 3339 §5.6: full-date and date-time; seconds of 60 are leap seconds. The schema's own tests have +02 and +0200
# valid too (T-rat-dates1 and 2).
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOUR, _MINUTE = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_ZONE = rf"(?:[Zz]|[+-]{_HOUR}(?::?{_MINUTE})?)"
_TIME = re.compile(rf"[Tt]{_HOUR}:{_MINUTE}:(?:{_MINUTE}|60)(?:\.[0-9]+)?{_ZONE}")
_NAMED_RELEASE = re.compile(r"\A(AT-)?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})\Z")


def violations(payload: object, *, formats: bool = True) -> list[str]:
    """How a DCC payload departs from the schema release that its ``ver`` names: ``v[0].is: over 50 characters``.

    A release that was never published is held to the newest one not after it (1.0.4 to 1.0.1), anything else to the
    newest. To the schema comes what its releases before 1.3.0 left to the issuing rules: one of ``v``, ``t`` and
    ``r``, and not two. A date or date-time may come in CBOR tag 0. At most about 50 departures are named; never raises.

    With ``formats``, dates and date-times must be written as RFC 3339 has them and be in the calendar, of a date of
    birth every part that is there. Without, they may be any text: to a validator of JSON Schema 2020-12 (§7.2.1) the
    keyword ``format`` is a remark, and the public suite counts a date-time in the place of a date as valid.
    """
    if not isinstance(payload, dict):
        return ["the payload: not a map"]
    schema = _schema_of(payload.get("ver"), formats)
    found: list[str] = []
    _hold(payload, "", schema.top, found)
    name = payload.get("nam")
    if "nam" in payload:
        _hold(name, "nam.", schema.name, found)
    # DCC schema 1.3.2, person_name: anyOf fnt, gnt.
    if schema.any_name and isinstance(name, dict) and "fnt" not in name and "gnt" not in name:
        found.append("nam: neither fnt nor gnt")
    groups = [group for group in schema.groups if group in payload]
    # DCC schema 1.3.0: oneOf v, t, r. Before, the issuing rules (test DGC2, of 1.0.0, has all three).
    if len(groups) != 1:
        found.append(f"the payload: {'several' if groups else 'none'} of {', '.join(schema.groups)}")
    for group in groups:
        _hold_entries(payload[group], group, schema, found)
    return found


class _Field(NamedTuple):
    name: str
    check: Check
    required: bool


class _Schema(NamedTuple):
    """One release, ready to be applied."""

    top: tuple[_Field, ...]
    name: tuple[_Field, ...]
    groups: dict[str, tuple[_Field, ...]]
    any_name: bool
    one_entry: bool


def _hold(values: object, where: str, fields: tuple[_Field, ...], found: list[str]) -> None:
    if not isinstance(values, dict):
        found.append(f"{where.rstrip('.')}: not a map")
        return
    for name, check, required in fields:
        if name in values:
            if (broken := check(values[name])) is not None:
                found.append(f"{where}{name}: {broken}")
        elif required:
            found.append(f"{where}{name}: missing")


def _hold_entries(entries: object, group: str, schema: _Schema, found: list[str]) -> None:
    if not isinstance(entries, (list, tuple)):
        found.append(f"{group}: not an array")
        return
    # DCC schema 1.0.0, v, t and r: minItems 1.
    if not entries:
        found.append(f"{group}: empty")
    # DCC schema 1.3.0, v, t and r: maxItems 1.
    if len(entries) > 1 and schema.one_entry:
        found.append(f"{group}: more than one entry")
    for index, entry in enumerate(entries):
        if len(found) >= _MOST:
            return
        _hold(entry, f"{group}[{index}].", schema.groups[group], found)


def _schema_of(ver: object, formats: bool) -> _Schema:
    if isinstance(ver, str) and (named := _NAMED_RELEASE.match(ver)):
        if named[1]:
            return _schema(AUSTRIAN, formats)
        wanted = (int(named[2]), int(named[3]), int(named[4]))
        if _FIRST <= wanted < (2, 0, 0):
            return _schema(max((r for r in RELEASES if _parts(r) <= wanted), key=_parts), formats)
    return _schema(RELEASES[-1], formats)


def _parts(release: str) -> Release:
    major, minor, patch = map(int, release.split("."))
    return major, minor, patch


@cache
def _schema(release: str, formats: bool) -> _Schema:
    austrian = release == AUSTRIAN
    parts = _ONE_ENTRY if austrian else _parts(release)
    groups = ("ve",) if austrian else ("v", "t", "r")
    tables: dict[str, list[_Field]] = {place: [] for place in ("", "nam", *groups)}
    for row in _TABLE:
        if row.since <= parts < row.until:
            check = row.rule if formats else _UNFORMATTED.get(row.rule, row.rule)
            for place in row.places.split(","):
                if place in tables:
                    tables[place] += [_Field(name, check, row.required) for name in row.fields.split()]
    # DCC schema AT-1.0.0, ver.
    version = _text(pattern=_AUSTRIAN_VERSION if austrian else _VERSION, rule="not a version")
    return _Schema(
        top=(_Field("ver", version, True), *tables[""]),
        name=tuple(tables["nam"]),
        groups={group: tuple(tables[group]) for group in groups},
        any_name=parts >= _ANY_NAME,
        one_entry=parts >= _ONE_ENTRY,
    )


def _text(longest: int | None = None, pattern: re.Pattern[str] | None = None, rule: str = "") -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "not a text"
        if longest is not None and len(value) > longest:
            return f"over {longest} characters"
        return rule if pattern is not None and pattern.search(value) is None else None

    return check


def _dose(most: int | None) -> Check:
    def check(value: object) -> str | None:
        # JSON Schema 2020-12 §4.2.3: 2.0 is an integer; true is none.
        whole = type(value) is int or (isinstance(value, float) and value.is_integer())
        if not whole or not isinstance(value, (int, float)):
            return "not a whole number"
        if value < 1:
            return "less than 1"
        return f"more than {most}" if most is not None and value > most else None

    return check


def _dated(rule: Callable[[str], str | None]) -> Check:
    def check(value: object) -> str | None:
        # DCC schema 1.0.1: date-times carry CBOR tag 0 (RFC 8949 §3.4.1); 1.1.0: they may.
        if not isinstance(value, str):
            if not isinstance(value, cbor.Tag) or value.tag != 0 or not isinstance(value.value, str):
                return "not a text"
            value = value.value
        return rule(value)

    return check


def _date(value: str) -> str | None:
    if _DATE.fullmatch(value) is None:
        return "not a date (YYYY-MM-DD)"
    return None if _in_calendar(value) else "no such day in the calendar"


def _date_time(value: str) -> str | None:
    if _DATE.match(value) is None or _TIME.fullmatch(value, 10) is None:
        return "not a date-time with a time zone"
    return None if _in_calendar(value[:10]) else "no such day in the calendar"


def _in_calendar(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _birth(pattern: re.Pattern[str], *, formats: bool = True) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "not a text"
        if pattern.search(value) is None:
            return "not a date of birth"
        # A year alone, or a year and a month, is completed to a day; "" says nothing.
        return _date(value + "-01-01"[len(value) - len("YYYY") :]) if formats and value else None

    return check


class _Row(NamedTuple):
    places: str
    fields: str
    rule: Check
    required: bool = True
    since: Release = _FIRST
    until: Release = _LAST


_ANY, _ANY_DATED = _text(), _dated(lambda _: None)
_UP_TO_50, _UP_TO_80 = _text(50), _text(80)
_NAME_50, _NAME_80 = (_text(size, _TRANSLITERATED, "other than A-Z and <") for size in (50, 80))
_COUNTRY = _text(pattern=_CAPITAL, rule="no capital letter")
_DAY, _MOMENT = _dated(_date), _dated(_date_time)
_BIRTH_1_0, _BIRTH_1_1, _BIRTH_1_3 = map(_birth, (_BIRTH_FULL, _BIRTH_PARTIAL, _BIRTH_OR_EMPTY))
# What is left of a rule when ``format`` is a remark.
_UNFORMATTED: dict[Check, Check] = {
    _DAY: _ANY_DATED,
    _MOMENT: _ANY_DATED,
    _BIRTH_1_0: _birth(_BIRTH_FULL, formats=False),
    _BIRTH_1_1: _birth(_BIRTH_PARTIAL, formats=False),
    _BIRTH_1_3: _birth(_BIRTH_OR_EMPTY, formats=False),
}

_TABLE = (
    _Row("", "nam", lambda _: None),
    _Row("", "dob", _BIRTH_1_0, until=_PARTIAL_BIRTH),
    _Row("", "dob", _BIRTH_1_1, since=_PARTIAL_BIRTH, until=_ONE_ENTRY),
    _Row("", "dob", _BIRTH_1_3, since=_ONE_ENTRY),
    _Row("nam", "fn gn", _UP_TO_50, False, until=_ONE_ENTRY),
    _Row("nam", "fn gn", _UP_TO_80, False, since=_ONE_ENTRY),
    _Row("nam", "fnt", _NAME_50, until=_ONE_ENTRY),
    _Row("nam", "fnt", _NAME_80, since=_ONE_ENTRY, until=_ANY_NAME),
    _Row("nam", "fnt", _NAME_80, False, since=_ANY_NAME),
    _Row("nam", "gnt", _NAME_50, False, until=_ONE_ENTRY),
    _Row("nam", "gnt", _NAME_80, False, since=_ONE_ENTRY),
    _Row("v,t,r,ve", "tg", _ANY),
    _Row("v", "vp mp ma", _ANY),
    _Row("v", "dn sd", _dose(9), until=_ONE_ENTRY),
    _Row("v", "dn sd", _dose(None), since=_ONE_ENTRY),
    _Row("v", "dt", _DAY),
    _Row("t", "tt tr", _ANY),
    _Row("t", "ma", _ANY, False),
    _Row("t", "nm", _ANY, False, until=_ONE_ENTRY),
    _Row("t", "nm", _UP_TO_80, False, since=_ONE_ENTRY),
    _Row("t", "sc", _MOMENT),
    _Row("t", "dr", _MOMENT, False, until=_NO_RESULT_TIME),
    _Row("t", "tc", _UP_TO_50, until=_ONE_ENTRY),
    _Row("t", "tc", _UP_TO_80, False, since=_ONE_ENTRY),
    _Row("r", "fr df du", _DAY),
    _Row("ve", "du", _DAY),
    _Row("v,t,r,ve", "co", _COUNTRY),
    _Row("v,t,r,ve", "is ci", _UP_TO_50, until=_ONE_ENTRY),
    _Row("v,t,r,ve", "is ci", _UP_TO_80, since=_ONE_ENTRY),
)
"""Each row: where the fields are, their names, their rule, whether they must be there, and from and until which
release (that one excluded). Value sets are named by the schemas and not enforced."""
