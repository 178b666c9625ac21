"""Conformance: this verifier, or another one, held against a folder of published test cases."""
