"""A record as names and plain values (from flags, JSON or a form) to the model's types.

The names are those of the model's fields: ``family_name``, ``birth_date``, ``dose`` ... Codes are given as they
stand in the value sets, dates in ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from healthcert.codings import COVID_19
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.valuesets import coding, product_of
from healthcert.model import Coding, EntryType, Event, Holder, Recovery, TestResult, Vaccination

HOLDER_FIELDS = ("family_name", "given_name", "birth_date", "family_name_icao", "given_name_icao")
IDENTITY_FIELDS = (
    "ins_matricule", "ins_oid", "ins_birth_name", "ins_given_names", "ins_birth_date", "ins_sex", "ins_birth_place",
)  # fmt: skip
"""The names of a French health identity (INS) that may come with a record; they are never certified."""
_MODELS: dict[EntryType, type[Event]] = {
    EntryType.VACCINATION: Vaccination,
    EntryType.TEST: TestResult,
    EntryType.RECOVERY: Recovery,
}
ENTRY_TYPES = tuple(_MODELS)
"""The kinds of record that can be read."""
_HOLDER = frozenset(HOLDER_FIELDS)
# date.fromisoformat reads week dates as well.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"[a-z][a-z_]{0,30}")
# Signs that no name has and no cell should: what they do is not to be seen.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Parts of the model that an EU DCC has no room for.
_NOT_IN_DCC = frozenset(("other", "batch", "clinician", "partial_date", "resulted_at", "sampled_on"))


@cache
def fields_of(kind: EntryType) -> tuple[str, ...]:
    """The names that a record of this kind may have, the holder's first."""
    centre = {"centre"} if kind is EntryType.VACCINATION else set()
    names = (name for name in _MODELS[kind].__struct_fields__ if name not in _NOT_IN_DCC | centre)
    return (*HOLDER_FIELDS, *names)


def read_record(kind: EntryType, record: Mapping[str, Any]) -> tuple[Holder, Event]:
    """Holder and event of a record; the disease is COVID-19 where none is named.

    A vaccine's product may be given by its code or its name, and brings its vaccine and manufacturer with it where the
    record names none (the EU's encoding instructions). A value may be of the model's type already: a coding, a day, or
    a moment.

    Raises :class:`IssueError` (``FIELD_INVALID``) for an unknown or missing name or a value of the wrong form, telling
    the field, its rule and an example. What the values must be beyond that is the issuer's to check.
    """
    if kind not in _MODELS:
        raise _error(f"a record of this kind cannot be issued; those that can: {', '.join(ENTRY_TYPES)}")
    readers, required = _reading(kind)
    if not readers.keys() >= record.keys():
        unknown = [name for name in record if name not in readers]
        raise _error(f"{_named(unknown)}: not a field of a {kind} record, which has: {', '.join(fields_of(kind))}")
    given = {name: value for name, value in record.items() if value is not None}
    product = product_of(given["product"]) if isinstance(given.get("product"), str) else None
    if product is not None:
        belonging = {"vaccine": product.vaccines[0].code, "manufacturer": product.manufacturer.code}
        given = belonging | given | {"product": product.product.code}
    about: dict[str, Any] = {}
    values: dict[str, Any] = {"disease": COVID_19}
    for name, value in given.items():
        (about if name in _HOLDER else values)[name] = readers[name](name, value)
    if not values.keys() >= required:
        missing = min(required - values.keys())
        raise _error(f"{missing}: is missing; {_EXAMPLES[missing]}")
    return Holder(**about), _MODELS[kind](**values)


@cache
def _reading(kind: EntryType) -> tuple[Mapping[str, Callable[[str, object], Any]], frozenset[str]]:
    """How the fields of a record are read, and which of them it must have."""
    readers = _READERS[kind]
    required = frozenset(name for name in _MODELS[kind].__struct_fields__ if name in readers) - {"device"}
    return {name: readers.get(name, _text) for name in fields_of(kind)}, required


def _named(names: list[Any]) -> str:
    """Unknown names for a message: as they are where they look like names, for they may be anything."""
    plain = [name for name in names if isinstance(name, str) and _NAME.fullmatch(name)]
    return ", ".join(plain[:5]) or f"{len(names)} name(s)"


def _text(name: str, value: object) -> str:
    # What is printable has no such sign, and nearly every text is.
    if not isinstance(value, str) or (not value.isprintable() and _CONTROL.search(value)):
        raise _error(f"{name}: {_EXAMPLES[name]}")
    return value


def _day(name: str, value: object) -> date:
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _error(f"{name}: {_EXAMPLES[name]}")


def _moment(name: str, value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _error(f"{name}: {_EXAMPLES[name]}")
    return moment


def _number(name: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5:
        return int(value)
    if type(value) is int:
        return value
    raise _error(f"{name}: {_EXAMPLES[name]}")


def _coded(field: str) -> Callable[[str, object], Coding]:
    def read(name: str, value: object) -> Coding:
        if type(value) is Coding:
            return value
        if not isinstance(value, str) or not value:
            raise _error(f"{name}: {_EXAMPLES[name]}")
        return coding(field, value)

    return read


_DAY_RULE = "a day as YYYY-MM-DD; for example 2021-05-29"
_EXAMPLES = {
    "family_name": "text; for example Müller",
    "given_name": "text; for example Zoé",
    "birth_date": "text as YYYY-MM-DD, YYYY-MM or YYYY; for example 1964-08-12",
    "family_name_icao": "text; for example MUELLER",
    "given_name_icao": "text; for example ZOE",
    "name": "text; for example Roche LightCycler qPCR",
    "centre": "text; for example Hôpital Cochin",
    "country": "two capital letters (ISO 3166-1); for example FR",
    "issuer": "text; for example CNAM",
    "certificate_id": "text; for example URN:UVCI:01:FR:T5DWTJYS4ZR8#4",
    "disease": "a code of the disease value set; for example 840539006",
    "vaccine": "a code of the vaccine value set; for example 1119349007",
    "product": "a code or name of the product value set; for example EU/1/20/1528 or Comirnaty",
    "manufacturer": "a code of the manufacturer value set; for example ORG-100030215",
    "dose": "a whole number from 1 to 99; for example 2",
    "series": "a whole number from 1 to 99; for example 2",
    "date": _DAY_RULE,
    "test_type": "LP6464-4 (NAAT) or LP217198-3 (rapid antigen); for example LP6464-4",
    "sampled_at": "a moment with its time zone; for example 2021-08-20T10:03:12+02:00",
    "result": "260415000 (not detected) or 260373001 (detected); for example 260415000",
    "device": "a device id of the JRC list; for example 1232",
    "first_positive": _DAY_RULE,
    "valid_from": _DAY_RULE,
    "valid_until": _DAY_RULE,
}
_READERS: dict[EntryType, dict[str, Callable[[str, object], Any]]] = {
    EntryType.VACCINATION: {
        "disease": _coded("tg"),
        "vaccine": _coded("vp"),
        "product": _coded("mp"),
        "manufacturer": _coded("v.ma"),
        "dose": _number,
        "series": _number,
        "date": _day,
    },
    EntryType.TEST: {
        "disease": _coded("tg"),
        "test_type": _coded("tt"),
        "sampled_at": _moment,
        "result": _coded("tr"),
        "device": _coded("t.ma"),
    },
    EntryType.RECOVERY: {
        "disease": _coded("tg"),
        "first_positive": _day,
        "valid_from": _day,
        "valid_until": _day,
    },
}


def _error(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
