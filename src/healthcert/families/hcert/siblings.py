"""National certificates in the envelope of the EU DCC: the Austrian exemption (AT1) and the Swiss light (LT1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from healthcert.families.hcert.content import (
    check_lengths,
    country,
    day,
    disease,
    explain,
    holder_of,
    invalid,
    unnamed,
)
from healthcert.families.hcert.kind import Content
from healthcert.families.hcert.payload import BirthDate, Country, Date, Name
from healthcert.families.protocol import Finding
from healthcert.model import EntryType, Exemption, Private

T = TypeVar("T", bound=Struct)


class ExemptionEntry(Private, frozen=True, rename={"is_": "is"}):
    tg: str
    du: Date
    co: Country
    is_: str
    ci: str


class AtDcc(Private, frozen=True):
    # AT schema 1.0.0: one entry, and a version that tells it from the EU's.
    ver: Annotated[str, Meta(pattern=r"\AAT-[0-9]+\.[0-9]+\.[0-9]+\Z")]
    nam: Name
    dob: BirthDate
    ve: Annotated[tuple[ExemptionEntry, ...], Meta(min_length=1, max_length=1)]


class ChLight(Private, frozen=True):
    ver: Annotated[str, Meta(pattern=r"\A[0-9]+\.[0-9]+\.[0-9]+\Z")]
    nam: Name
    dob: BirthDate


_EU_GROUPS = frozenset(("v", "t", "r"))


class AtExemption:
    """That its holder is exempt from vaccination: group ``ve`` of an EU DCC that has no other (AT schema 1.0.0)."""

    name = "Austrian exemption certificate"
    domains = frozenset(("AT-EXEMPTION",))

    def entry_types(self, payload: Mapping[Any, Any]) -> frozenset[EntryType]:
        return frozenset((EntryType.EXEMPTION,))

    def read(self, payload: Mapping[Any, Any]) -> Content:
        # AT schema 1.0.0: ve, and no other group.
        if _EU_GROUPS & payload.keys():
            raise invalid("an entry of an EU DCC in an Austrian exemption certificate")
        typed = _typed(payload, AtDcc)
        findings: list[Finding] = []
        entry = typed.ve[0]
        check_lengths(entry, "ve[0]", findings)
        exemption = Exemption(
            disease=disease(entry.tg, "ve[0].tg", findings),
            valid_until=day(entry.du, "ve[0].du"),
            country=country(entry.co, "ve[0].co", findings),
            issuer=entry.is_,
            certificate_id=entry.ci,
            other=unnamed(payload["ve"][0], ExemptionEntry),
        )
        return _content(typed, payload, (exemption,), findings)


class SwissLight:
    """That its holder had a certificate that Switzerland accepted, and nothing of what it said."""

    name = "Swiss certificate light"
    domains = frozenset(("CH-LIGHT",))

    def entry_types(self, payload: Mapping[Any, Any]) -> frozenset[EntryType]:
        return frozenset()

    def read(self, payload: Mapping[Any, Any]) -> Content:
        if _EU_GROUPS & payload.keys():
            raise invalid("an entry of an EU DCC in a Swiss certificate light")
        return _content(_typed(payload, ChLight), payload, (), [])


def _typed(payload: Mapping[Any, Any], struct: type[T]) -> T:
    try:
        return msgspec.convert(payload, struct)
    except msgspec.ValidationError as error:
        raise invalid(explain(error)) from None


def _content(
    typed: AtDcc | ChLight, payload: Mapping[Any, Any], events: tuple[Exemption, ...], findings: list[Finding]
) -> Content:
    if len(typed.dob) == len("YYYY-MM-DD"):
        day(typed.dob, "dob")
    holder = holder_of(typed.nam, typed.dob, unnamed(payload, type(typed)), findings)
    return Content(typed.ver, holder, events, findings)
