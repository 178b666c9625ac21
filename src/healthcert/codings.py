"""The codes that this package itself needs to know, whatever family they come in."""

from __future__ import annotations

from healthcert.model import Coding

SNOMED_CT = "http://snomed.info/sct"
LOINC = "http://loinc.org"

COVID_19 = Coding(SNOMED_CT, "840539006", "COVID-19")
NOT_DETECTED = Coding(SNOMED_CT, "260415000", "Not detected")
DETECTED = Coding(SNOMED_CT, "260373001", "Detected")
NAAT = Coding(LOINC, "LP6464-4", "Nucleic acid amplification with probe detection")
RAPID_ANTIGEN = Coding(LOINC, "LP217198-3", "Rapid immunoassay")
