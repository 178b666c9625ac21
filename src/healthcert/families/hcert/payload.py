"""The EU DCC payload (schema 1.3), typed: the map under CWT claim -260, key 1.

Field names are those of the schema. Anything the schema does not name is kept by the caller from the raw
map; nothing is dropped on the way. A text that may be absent is empty when it is.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from healthcert.model import Private

# DCC.Types.schema.json. [0-9] and not \d, \Z and not $: neither other scripts' digits nor a final newline.
_VERSION = r"\A[0-9]+\.[0-9]+\.[0-9]+\Z"
_DAY_OF_YEAR = r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_DATE = rf"\A[0-9]{{4}}-{_DAY_OF_YEAR}\Z"
_DATE_TIME = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)\Z"
)
_BIRTH_DATE = rf"\A((19|20)[0-9]{{2}}(-(0[1-9]|1[0-2])|-{_DAY_OF_YEAR})?)?\Z"
_COUNTRY = r"\A[A-Z]{0,10}\Z"

Date = Annotated[str, Meta(pattern=_DATE)]
DateTime = Annotated[str, Meta(pattern=_DATE_TIME)]
Country = Annotated[str, Meta(pattern=_COUNTRY)]
BirthDate = Annotated[str, Meta(pattern=_BIRTH_DATE)]
Dose = Annotated[int, Meta(ge=1)]
SeriesDoses = Annotated[int, Meta(ge=0)]  # 0 is found, and reported, in content.py


class Name(Private, frozen=True):
    fn: str = ""
    gn: str = ""
    fnt: str = ""
    gnt: str = ""


class VaccinationEntry(Private, frozen=True, rename={"is_": "is"}):
    tg: str
    vp: str
    mp: str
    ma: str
    dn: Dose
    sd: SeriesDoses
    dt: Date
    co: Country
    is_: str
    ci: str


class TestEntry(Private, frozen=True, rename={"is_": "is"}):
    tg: str
    tt: str
    sc: DateTime
    tr: str
    co: Country
    is_: str
    ci: str
    nm: str = ""
    ma: str = ""
    tc: str = ""
    dr: str = ""  # schema 1.0 and 1.1 only; carries no meaning today


class RecoveryEntry(Private, frozen=True, rename={"is_": "is"}):
    tg: str
    fr: Date
    df: Date
    du: Date
    co: Country
    is_: str
    ci: str


class Dcc(Private, frozen=True):
    ver: Annotated[str, Meta(pattern=_VERSION)]
    nam: Name
    dob: BirthDate
    v: Annotated[tuple[VaccinationEntry, ...], Meta(min_length=1)] = ()
    t: Annotated[tuple[TestEntry, ...], Meta(min_length=1)] = ()
    r: Annotated[tuple[RecoveryEntry, ...], Meta(min_length=1)] = ()


MAX_TEXT = 80
"""Characters of any text (schema 1.3.0; it was 50 before)."""

SCHEMA_VERSION = "1.3.0"
"""The version that issued payloads carry; 1.3.1 to 1.3.3 changed descriptions, and that ``fnt`` may be absent."""

SCHEMA_VERSION_WITHOUT_FNT = "1.3.2"
"""That of the holders who have a given name only."""


def to_typed(payload: object) -> Dcc:
    """The typed form of a payload map. Raises :class:`msgspec.ValidationError`, whose text quotes no value."""
    return msgspec.convert(payload, Dcc)
