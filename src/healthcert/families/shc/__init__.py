"""SMART Health Cards (version 1.4.0): a JWS over a FHIR bundle, as digits in one or several QR codes, or in a file."""
