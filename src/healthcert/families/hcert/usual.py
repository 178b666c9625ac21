"""The usual EU DCC, read in one go: one in which nothing departs from its schema or from the value sets.

Nearly every certificate is one. Whatever is not (another version, a code that no list has, a text too long, a field too
many, a date of birth that is not a day) is none of this module's: :mod:`healthcert.families.hcert.content` reads it and
tells what is wrong with it. What is read here would be read in the same way there
(tests/property/test_usual_payloads.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from healthcert.codings import COVID_19
from healthcert.families.hcert.kind import Content
from healthcert.families.hcert.payload import MAX_TEXT, Dose
from healthcert.families.hcert.valuesets import coding, value_sets
from healthcert.model import Event, Holder, Private, Recovery, TestResult, Vaccination

# DCC schema 1.3.0: maxLength 80; a code is one of its value set, which has one disease and no longer ones.
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Disease = Literal["840539006"]
_LONGEST_MOMENT = len("2021-06-11T10:00:00+02:00")
_YEARS = range(1900, 2100)  # DCC schema 1.3.0, dob: 19.. or 20..


class _Name(Private, frozen=True, forbid_unknown_fields=True):
    fnt: _Text
    fn: _Text = ""
    gn: _Text = ""
    gnt: _Text = ""


class _Vaccination(Private, frozen=True, forbid_unknown_fields=True, rename={"is_": "is"}):
    tg: _Disease
    vp: str
    mp: str
    ma: str
    dn: Dose
    sd: Dose
    dt: date
    co: str
    is_: _Text
    ci: _Text


class _Test(Private, frozen=True, forbid_unknown_fields=True, rename={"is_": "is"}):
    tg: _Disease
    tt: str
    sc: Annotated[datetime, Meta(tz=True)]
    tr: str
    co: str
    is_: _Text
    ci: _Text
    nm: _Text = ""
    ma: _Text = ""
    tc: _Text = ""


class _Recovery(Private, frozen=True, forbid_unknown_fields=True, rename={"is_": "is"}):
    tg: _Disease
    fr: date
    df: date
    du: date
    co: str
    is_: _Text
    ci: _Text


class _Dcc(Private, frozen=True, forbid_unknown_fields=True):
    ver: Literal["1.3.0", "1.3.1", "1.3.2", "1.3.3"]
    nam: _Name
    dob: date
    v: tuple[_Vaccination] | UnsetType = UNSET
    t: tuple[_Test] | UnsetType = UNSET
    r: tuple[_Recovery] | UnsetType = UNSET


def read_usual(payload: Mapping[Any, Any]) -> Content | None:
    """Holder and entry of a usual payload; None for any other."""
    try:
        dcc = msgspec.convert(payload, _Dcc)
        event = _event(dcc, payload)
    except (msgspec.ValidationError, OverflowError):  # the latter in the first and the last hours of the calendar
        return None
    nam = dcc.nam
    letters = (nam.fnt + nam.gnt).replace("<", "")
    # DCC schema 1.3.0, nam: ^[A-Z<]*$, and a family name, which 1.3.2 lets be missing.
    if event is None or not (nam.fnt and letters.isascii() and letters.isalpha() and letters.isupper()):
        return None
    if dcc.dob.year not in _YEARS:
        return None
    holder = Holder(
        family_name=nam.fn or None,
        given_name=nam.gn or None,
        birth_date=payload["dob"],
        family_name_icao=nam.fnt,
        given_name_icao=nam.gnt or None,
    )
    return Content(dcc.ver, holder, (event,), [])


def _event(dcc: _Dcc, payload: Mapping[Any, Any]) -> Event | None:
    """The one entry, where all its codes are in their value sets."""
    v, t, r = dcc.v, dcc.t, dcc.r
    # DCC schema 1.3.0 (oneOf): one of the three.
    if (v, t, r).count(UNSET) != 2:
        return None
    if v is not UNSET:
        return _vaccination(v[0])
    if t is not UNSET:
        # Of a longer one msgspec would round the fraction of the second.
        return _test(t[0]) if len(payload["t"][0]["sc"]) <= _LONGEST_MOMENT else None
    return None if r is UNSET else _recovery(r[0])


def _vaccination(entry: _Vaccination) -> Vaccination | None:
    sets = value_sets()
    vaccine, product, maker = sets.get(("vp", entry.vp)), sets.get(("mp", entry.mp)), sets.get(("v.ma", entry.ma))
    if vaccine is None or product is None or maker is None or ("co", entry.co) not in sets:
        return None
    return Vaccination(
        disease=COVID_19,
        vaccine=vaccine,
        product=product,
        manufacturer=maker,
        dose=entry.dn,
        series=entry.sd,
        date=entry.dt,
        country=entry.co,
        issuer=entry.is_,
        certificate_id=entry.ci,
    )


def _test(entry: _Test) -> TestResult | None:
    sets = value_sets()
    test_type, result = sets.get(("tt", entry.tt)), sets.get(("tr", entry.tr))
    if test_type is None or result is None or ("co", entry.co) not in sets:
        return None
    return TestResult(
        disease=COVID_19,
        test_type=test_type,
        sampled_at=entry.sc.astimezone(UTC),
        result=result,
        name=entry.nm or None,
        device=coding("t.ma", entry.ma) if entry.ma else None,
        centre=entry.tc or None,
        country=entry.co,
        issuer=entry.is_,
        certificate_id=entry.ci,
    )


def _recovery(entry: _Recovery) -> Recovery | None:
    if ("co", entry.co) not in value_sets():
        return None
    return Recovery(
        disease=COVID_19,
        first_positive=entry.fr,
        valid_from=entry.df,
        valid_until=entry.du,
        country=entry.co,
        issuer=entry.is_,
        certificate_id=entry.ci,
    )
