"""Bytes to bytes: base45, deflate, CBOR, COSE, CWT. Nothing here knows of health data."""
