"""The fields of a seal as they are written: each with its rule and an example (ICAO VDS-NC, data structures)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime

from healthcert.codings import ICD_11, same
from healthcert.errors import Code, IssueError, Step
from healthcert.families.countries import alpha3
from healthcert.families.vds_nc.content import MAX_CODE
from healthcert.model import Coding

MAX_FREE = 80
"""Characters of a text that the specification does not bound."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def icd_11(name: str, coding: Coding | None, example: str) -> str:
    """A code of ICD-11: the one given, or the only one that is known to be the same."""
    codes = [] if coding is None else [one.code for one in (coding, *same(coding)) if one.system == ICD_11]
    # One that is ICD-11 itself comes first; of several for the same thing none is the one.
    if not codes or (len(codes) > 1 and coding is not None and coding.system != ICD_11):
        raise invalid(name, "a code of ICD-11, or one that is known to be the same", example)
    return text(name, codes[0], MAX_CODE, example)


def product_name(product: Coding | None) -> str:
    """The name of a product."""
    named = None if product is None else product.display or (product.code if not product.system else None)
    return text("product", named, MAX_FREE, "Comirnaty")


def country_code(country: str | None) -> str:
    """A country, by its three letters."""
    found = None if country is None else alpha3(country)
    if found is None:
        raise invalid("country", "a country of ISO 3166-1", "FR")
    return found


def full_date(value: object, name: str = "birth_date") -> str:
    """A day that is given as a text."""
    # ICAO VDS-NC: a full date, as YYYY-MM-DD.
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise invalid(name, "a day as YYYY-MM-DD", "1984-02-29")


def day(name: str, value: object) -> str:
    """A day."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise invalid(name, "a day (datetime.date)", "2021-05-29")
    return value.isoformat()


def moment(name: str, value: object) -> str:
    """A moment, with its zone."""
    offset = value.utcoffset() if isinstance(value, datetime) else None
    if not isinstance(value, datetime) or offset is None or offset.total_seconds() % 60:
        raise invalid(name, "a moment with its time zone", "2021-08-20T10:03:12+02:00")
    return value.isoformat(timespec="seconds")


def text(name: str, value: object, limit: int, example: str) -> str:
    """A text of up to ``limit`` characters that can all be seen."""
    found = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    if not found.strip() or len(found) > limit or not found.isprintable():
        raise invalid(name, f"text of 1 to {limit} printable characters", example)
    return found


def among(name: str, value: object, choices: Sequence[str]) -> str:
    """One of the words that there are."""
    if not isinstance(value, str) or value not in choices:
        raise invalid(name, f"one of {', '.join(choices)}", choices[0])
    return value


def invalid(name: str, rule: str, example: str) -> IssueError:
    """The refusal of a field: its name, its rule and an example, never its value."""
    return IssueError(Code.FIELD_INVALID, f"{name}: {rule}; for example {example}", Step.CONTENT)
