"""Visible digital seals for non-constrained environments: ICAO's proofs of vaccination and of testing."""
