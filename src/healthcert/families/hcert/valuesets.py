"""The EU DCC value sets: which code of which code system means what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pkgutil import get_data
from typing import Any

from msgspec import Struct

from healthcert.codings import ATC, EU_PRODUCT_NAME, EU_REGISTER, LOINC, SNOMED_CT
from healthcert.model import Coding

EMA_ORGANISATION = "https://spor.ema.europa.eu/v1/organisations"
EU_MANUFACTURER = "http://ec.europa.eu/temp/vaccinemanufacturer"
JRC_DEVICE = "https://covid-19-diagnostics.jrc.ec.europa.eu/devices"
ISO_3166 = "urn:iso:std:iso:3166"
_ANY_VACCINE = "28531000087107"  # a COVID-19 vaccine of any kind


def coding(field: str, code: str) -> Coding:
    """A code of the payload field ``field`` with its code system, and its name where the value set has it.

    ``v.ma`` and ``t.ma`` are different fields. Codes that are no longer issued are known as well.
    """
    return value_sets().get((field, code)) or Coding(_system_of(field, code), code)


def may_be_issued(field: str, code: str) -> bool:
    """Whether the value set has this code and does not call it inactive.

    Devices (``t.ma``) are not judged: their list changes by the week and is kept elsewhere.
    """
    return field == "t.ma" or (field, code) in _active()


class Product(Struct, frozen=True):
    """A vaccine's product with what belongs to it, so that every issuer encodes the same vaccine in the same way.

    ``vaccines`` are the kinds of vaccine that may be named for it, the most telling one first.
    """

    product: Coding
    name: str
    manufacturer: Coding
    vaccines: tuple[Coding, ...]


def product_of(name: str) -> Product | None:
    """The product of this code or name: ``EU/1/20/1528`` and ``Comirnaty`` are the same; None for an unknown one.

    Source: the EU's vaccine encoding instructions (guidelines on value sets, Annex A).
    """
    return _products().get(name.strip().casefold())


@cache
def _products() -> dict[str, Product]:
    products: dict[str, Product] = {}
    for code, given in _data()["instructions"]["products"].items():
        vaccines = sorted(given["vaccines"], key=_ANY_VACCINE.__eq__)
        product = Product(
            coding("mp", code),
            given["name"],
            coding("v.ma", given["manufacturer"]),
            tuple(coding("vp", vaccine) for vaccine in vaccines),
        )
        products |= {code.casefold(): product, given["name"].casefold(): product}
    return products


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(get_data("healthcert.data", "value_sets.json") or b"")
    return data


def shipped_sets() -> Mapping[str, Any]:
    """The value sets that are part of this library, by payload field: each its ``id``, ``date`` and ``codes``."""
    sets: Mapping[str, Any] = _data()["sets"]
    return sets


@cache
def value_sets() -> dict[tuple[str, str], Coding]:
    """Every code of every value set, active or not, by payload field and code: ``value_sets()["co", "FR"]``."""
    return {
        (field, code): Coding(value["system"], code, value["display"])
        for field, value_set in _data()["sets"].items()
        for code, value in value_set["codes"].items()
    }


@cache
def _active() -> frozenset[tuple[str, str]]:
    sets = _data()["sets"]
    return frozenset((field, code) for field in sets for code, value in sets[field]["codes"].items() if value["active"])


def _system_of(field: str, code: str) -> str:
    """The code system of a code that is not in the value set."""
    match field:
        case "tg" | "tr":
            return SNOMED_CT
        case "tt":
            return LOINC
        case "vp":
            return ATC if code.startswith("J07") else SNOMED_CT
        case "mp":
            return EU_REGISTER if code.startswith("EU/") else EU_PRODUCT_NAME
        case "v.ma":
            return EMA_ORGANISATION if code.startswith("ORG-") else EU_MANUFACTURER
        case "t.ma":
            return JRC_DEVICE
        case "co":
            return ISO_3166
    raise ValueError(f"{field} is not a coded field")
