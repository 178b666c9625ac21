"""The EU DCC value sets: which code of which code system means what."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from healthcert.codings import LOINC, SNOMED_CT
from healthcert.model import Coding

ATC = "http://www.whocc.no/atc"
EU_REGISTER = "https://ec.europa.eu/health/documents/community-register/html/"
EU_PRODUCT_NAME = "http://ec.europa.eu/temp/vaccineproductname"
EMA_ORGANISATION = "https://spor.ema.europa.eu/v1/organisations"
EU_MANUFACTURER = "http://ec.europa.eu/temp/vaccinemanufacturer"
JRC_DEVICE = "https://covid-19-diagnostics.jrc.ec.europa.eu/devices"
ISO_3166 = "urn:iso:std:iso:3166"


def coding(field: str, code: str) -> Coding:
    """A code of the payload field ``field`` with its code system, and its name where the value set has it.

    ``v.ma`` and ``t.ma`` are different fields. Codes that are no longer issued are known as well.
    """
    return listed(field, code) or Coding(_system_of(field, code), code)


def listed(field: str, code: str) -> Coding | None:
    """What the value set of a payload field has under this code, be it active or not."""
    return _value_sets().get((field, code))


def may_be_issued(field: str, code: str) -> bool:
    """Whether the value set has this code and does not call it inactive.

    Devices (``t.ma``) are not judged: their list changes by the week and is kept elsewhere.
    """
    return field == "t.ma" or (code in _table()[field]["codes"] and _table()[field]["codes"][code]["active"])


@cache
def _table() -> dict[str, Any]:
    sets: dict[str, Any] = json.loads(files("healthcert.data").joinpath("value_sets.json").read_text("utf-8"))["sets"]
    return sets


@cache
def _value_sets() -> dict[tuple[str, str], Coding]:
    return {
        (field, code): Coding(value["system"], code, value["display"])
        for field, value_set in _table().items()
        for code, value in value_set["codes"].items()
    }


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
