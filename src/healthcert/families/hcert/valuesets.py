"""The code systems of the EU DCC value sets, and the codings this package itself needs to know."""

from __future__ import annotations

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


def system_of(field: str, code: str) -> str:
    """The code system that a code of this field belongs to (``v.ma`` and ``t.ma`` differ)."""
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


def coding(field: str, code: str) -> Coding:
    """A code of the given field with its code system, and its name where it has one here."""
    return _NAMED.get((field, code)) or Coding(system_of(field, code), code)


_NAMED = {
    ("tg", COVID_19.code): COVID_19,
    ("tr", NOT_DETECTED.code): NOT_DETECTED,
    ("tr", DETECTED.code): DETECTED,
    ("tt", NAAT.code): NAAT,
    ("tt", RAPID_ANTIGEN.code): RAPID_ANTIGEN,
}
