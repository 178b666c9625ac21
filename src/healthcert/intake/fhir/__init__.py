"""FHIR R4, R4B and R5: Bundles and NDJSON of patients, immunizations, observations and reports."""

from healthcert.intake.fhir.reader import read_fhir

__all__ = ["read_fhir"]
