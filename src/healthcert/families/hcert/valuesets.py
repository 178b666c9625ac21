"""The EU DCC value sets: which code of which code system means what."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from healthcert.model import Coding

SNOMED_CT = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
LOINC = "http://loinc.org"
EU_REGISTER = "https://ec.europa.eu/health/documents/community-register/html/"
EU_PRODUCT_NAME = "http://ec.europa.eu/temp/vaccineproductname"
EMA_ORGANISATION = "https://spor.ema.europa.eu/v1/organisations"
EU_MANUFACTURER = "http://ec.europa.eu/temp/vaccinemanufacturer"
JRC_DEVICE = "https://covid-19-diagnostics.jrc.ec.europa.eu/devices"

COVID_19 = Coding(SNOMED_CT, "840539006", "COVID-19")
NOT_DETECTED = Coding(SNOMED_CT, "260415000", "Not detected")
DETECTED = Coding(SNOMED_CT, "260373001", "Detected")
NAAT = Coding(LOINC, "LP6464-4", "Nucleic acid amplification with probe detection")
RAPID_ANTIGEN = Coding(LOINC, "LP217198-3", "Rapid immunoassay")


def coding(field: str, code: str) -> Coding:
    """A code of the payload field ``field`` with its code system, and its name where the value set has it.

    ``v.ma`` and ``t.ma`` are different fields. Codes that are no longer issued are known as well.
    """
    return _value_sets().get((field, code)) or Coding(_system_of(field, code), code)


@cache
def _value_sets() -> dict[tuple[str, str], Coding]:
    table = json.loads(files("healthcert.data").joinpath("value_sets.json").read_text("utf-8"))
    return {
        (field, code): Coding(value["system"], code, value["display"])
        for field, value_set in table["sets"].items()
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
    raise ValueError(f"{field} is not a coded field")
