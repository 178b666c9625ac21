"""Records of the families beside the EU DCC: which fields each has, and what a bare code in them is a code of.

A code may say its system itself, as in ``cvx:208``; without one it is of the system that the family writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from healthcert import codings
from healthcert.errors import Code, IssueError, Step
from healthcert.model import Coding, EntryType, Event, Holder, TestResult, Vaccination

GENDER = "http://hl7.org/fhir/administrative-gender"
_SYSTEMS = {
    "atc": codings.ATC,
    "cvx": codings.CVX,
    "icd-11": codings.ICD_11,
    "loinc": codings.LOINC,
    "mvx": codings.MVX,
    "snomed": codings.SNOMED_CT,
}
_NAMED_CODE = re.compile(rf"({'|'.join(_SYSTEMS)}):(.+)")
# date.fromisoformat reads week dates as well.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"[a-z][a-z_]{0,30}")
_MODELS: Mapping[EntryType, type[Vaccination | TestResult]] = {
    EntryType.VACCINATION: Vaccination,
    EntryType.TEST: TestResult,
}


class Form(Struct, frozen=True, kw_only=True):
    """What a record of a family may say. ``systems`` are those of bare codes, by field; empty for words of its own.

    ``others`` are the fields that only this family has: where they go, ``holder`` or ``event``, and the names below.
    ``fixed`` are fields whose value goes without saying.
    """

    holder: tuple[str, ...]
    events: Mapping[EntryType, tuple[str, ...]] = {}
    systems: Mapping[str, str] = {}
    others: Mapping[str, tuple[str, ...]] = {}
    fixed: Mapping[str, Coding] = {}


_NAMES = ("family_name", "given_name", "birth_date")
_DAY_OF_TEST = ("sampled_at", "sampled_on")
FORMS: Mapping[str, Form] = {
    "shc": Form(
        holder=(*_NAMES, "full_name", "sex"),
        events={
            EntryType.VACCINATION: (
                "vaccine", "date", "batch", "centre", "manufacturer", "disease", "dose", "series",
            ),
            EntryType.TEST: ("test_type", *_DAY_OF_TEST, "result", "resulted_at", "device", "centre"),
        },
        systems={
            "vaccine": codings.CVX,
            "disease": codings.SNOMED_CT,
            "manufacturer": codings.MVX,
            "test_type": codings.LOINC,
            "result": codings.SNOMED_CT,
            "sex": GENDER,
        },
    ),
    "nzcp": Form(holder=_NAMES),
    "light": Form(holder=(*_NAMES, "family_name_icao", "given_name_icao")),
    "vds-nc": Form(
        holder=("full_name", *_NAMES, "sex", "document_number"),
        events={
            EntryType.VACCINATION: (
                "vaccine", "product", "disease", "dose", "date", "country", "batch", "centre", "certificate_id",
                "other_document",
            ),
            EntryType.TEST: (
                "test_type", "sampled_at", "resulted_at", "result", "centre", "country", "certificate_id",
                "document_type", "contact_phone", "contact_email", "contact_address", "method",
            ),
        },
        systems={"vaccine": codings.ICD_11, "disease": codings.ICD_11},
        others={
            "other_document": ("holder", "ai"),
            "document_type": ("holder", "dt"),
            "contact_phone": ("event", "cd", "p"),
            "contact_email": ("event", "cd", "e"),
            "contact_address": ("event", "cd", "a"),
            "method": ("event", "m"),
        },
    ),
    "divoc": Form(
        holder=("full_name", *_NAMES, "sex", "nationality"),
        events={
            EntryType.VACCINATION: (
                "product", "vaccine", "manufacturer", "disease", "dose", "series", "date", "batch", "centre", "country",
                "clinician", "certificate_id",
            ),
            EntryType.TEST: (
                "name", "test_type", "disease", "sampled_at", "resulted_at", "result", "centre", "country",
                "certificate_id",
            ),
        },
    ),
    "2d-doc": Form(
        holder=(*_NAMES, "sex"),
        events={
            EntryType.VACCINATION: (
                "vaccine", "product", "manufacturer", "disease", "dose", "series", "date", "cycle",
            ),
            EntryType.TEST: ("test_type", "sampled_at", "result"),
        },
        systems={
            "vaccine": codings.ATC,
            "disease": codings.SNOMED_CT,
            "test_type": codings.LOINC,
            "result": codings.SNOMED_CT,
            "sex": GENDER,
        },
        others={"cycle": ("event", "cycle")},
        fixed={"disease": codings.COVID_19},
    ),
    "dvc": Form(
        holder=("full_name", *_NAMES, "sex", "nationality", "document_number", "guardian"),
        events={EntryType.VACCINATION: ("product", "date", "batch", "clinician", "issuer")},
        systems={"product": codings.PREQUALIFIED, "sex": GENDER},
    ),
}  # fmt: skip
"""The families by the names of ``healthcert issue --family``."""

PERSONAL = tuple(family for family, form in FORMS.items() if not form.events)
"""Those that certify a person alone."""


def families_of(kind: EntryType) -> tuple[str, ...]:
    """The families that have a place for this kind of event."""
    return tuple(family for family, form in FORMS.items() if kind in form.events)


def form_fields(family: str, kind: EntryType | None) -> tuple[str, ...]:
    """The names that a record may have, the holder's first; ``kind`` is None for a person alone."""
    form = FORMS[family]
    return form.holder if kind is None else (*form.holder, *form.events[kind])


def read_form(family: str, kind: EntryType | None, record: Mapping[str, Any]) -> tuple[Holder, Event | None]:
    """Holder and event of a record of this family; no event where it certifies a person alone.

    Raises :class:`IssueError` (``FIELD_INVALID``) for a name that the family has no place for, and for a value of the
    wrong form. What the values must be beyond that is the issuer's to check.
    """
    form, known = FORMS[family], form_fields(family, kind)
    unknown: list[Any] = [name for name in record if name not in known]
    if unknown:
        plain = [name for name in unknown if isinstance(name, str) and _NAME.fullmatch(name)]
        named = ", ".join(plain[:5]) or f"{len(unknown)} name(s)"
        raise _error(f"{named}: {family} has no place for it; it has: {', '.join(known)}")
    values: dict[str, Any] = {}
    other: dict[str, dict[str, Any]] = {"holder": {}, "event": {}}
    for name, value in record.items():
        if value is None:
            continue
        read = _read(form, name, value)
        if name in form.others:
            target, *path = form.others[name]
            inner = other[target]
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = read
        else:
            values[name] = read
    about = {name: values.pop(name) for name in form.holder if name in values}
    holder = Holder(**about, other=other["holder"])
    if kind is None:
        return holder, None
    if kind is EntryType.TEST and "result" not in values:
        raise _error("result: is missing; negative, positive, or a code of the family")
    wanted = {name: coding for name, coding in form.fixed.items() if name in form.events[kind]}
    return holder, _MODELS[kind](**(wanted | values), other=other["event"])


def _read(form: Form, name: str, value: object) -> Any:
    if name in ("dose", "series"):
        return _number(name, value)
    if not isinstance(value, str) or not value:
        raise _error(f"{name}: text is expected")
    if name in ("date", "sampled_on"):
        return _day(name, value)
    if name in ("sampled_at", "resulted_at"):
        return _moment(name, value)
    if name not in _CODED:
        return value
    if found := _NAMED_CODE.fullmatch(value):
        return codings.named(_SYSTEMS[found[1]], found[2])
    system = form.systems.get(name, "")
    word = codings.finding(Coding("", value)) if name == "result" and system else None
    return word or (codings.named(system, value) if system else Coding("", value))


_CODED = frozenset(("disease", "vaccine", "product", "manufacturer", "test_type", "result", "device", "sex"))


def _number(name: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5:
        return int(value)
    if type(value) is int:
        return value
    raise _error(f"{name}: a whole number; for example 2")


def _day(name: str, value: str) -> date:
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _error(f"{name}: a day as YYYY-MM-DD; for example 2021-05-29")


def _moment(name: str, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    raise _error(f"{name}: a moment with its time zone; for example 2021-08-20T10:03:12+02:00")


def _error(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
