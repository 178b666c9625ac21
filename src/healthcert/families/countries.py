"""Country codes both ways: most families have the two letters of ISO 3166-1, those of ICAO and WHO the three."""

from __future__ import annotations

import json
from functools import cache
from pkgutil import get_data

SPECIMEN = "UT"
"""Utopia, where the samples of ICAO come from (Doc 9303-3 §5)."""

# ICAO Doc 9303-3 §5: what machine-readable documents have beside ISO 3166-1: Germany, the European Union, the United
# Nations, and Utopia.
_DOC_9303 = {"D": "DE", "EUE": "EU", "UNO": "UN", "UTO": SPECIMEN}


def alpha2(code: str) -> str | None:
    """The two letters of the country that ICAO's three name; None for an unknown one."""
    return _to_alpha2().get(code)


def alpha3(code: str) -> str | None:
    """The three letters that the two stand for, or the three themselves; None for an unknown one."""
    return code if code in _to_alpha2() else _to_alpha3().get(code)


@cache
def _to_alpha2() -> dict[str, str]:
    data = get_data("healthcert.data", "countries.json")
    assert data is not None
    pairs = (pair.partition(" ") for line in json.loads(data)["countries"] for pair in line.split(", "))
    return {three: two for three, _, two in pairs} | _DOC_9303


@cache
def _to_alpha3() -> dict[str, str]:
    # Germany has two codes; issuers write the one of ISO 3166-1.
    return {two: three for three, two in _to_alpha2().items() if len(three) == 3}
