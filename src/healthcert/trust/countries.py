"""Country codes both ways: trust lists of the EU have two letters, those of WHO three (ISO 3166-1)."""

from __future__ import annotations

import json
from functools import cache
from pkgutil import get_data
from string import ascii_uppercase

_KOSOVO = "XXK"


def alpha2(code: str) -> str | None:
    """The two letters of a country or participant that is named by three or by two; None for an unknown one.

    Test participants of WHO's network, XXA to XXZ, have XA to XZ. WHO itself (``WHO``) is no country.
    """
    upper = code.upper() if code.isascii() else ""
    return _to_alpha2().get(upper) or (upper if upper in _to_alpha3() else None)


def alpha3(code: str) -> str | None:
    """The three letters, likewise."""
    upper = code.upper() if code.isascii() else ""
    return _to_alpha3().get(upper) or (upper if upper in _to_alpha2() else None)


def is_test_participant(code: str) -> bool:
    """Whether the code, of two or three letters, is one that WHO's network gives to participants in tests only."""
    return alpha3(code) in _test_participants()


@cache
def _test_participants() -> frozenset[str]:
    # XK, and so XXK, is what the lists of the EU call Kosovo.
    return frozenset({f"XX{letter}" for letter in ascii_uppercase} | _tables()[1].keys()) - {_KOSOVO}


@cache
def _to_alpha2() -> dict[str, str]:
    countries, participants = _tables()
    return countries | participants | {f"XX{letter}": f"X{letter}" for letter in ascii_uppercase}


@cache
def _to_alpha3() -> dict[str, str]:
    return {two: three for three, two in _to_alpha2().items()}


@cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    data = get_data("healthcert.data", "countries.json")
    assert data is not None
    table = json.loads(data)
    pairs = (pair.partition(" ") for line in table["countries"] for pair in line.split(", "))
    return {three: two for three, _, two in pairs}, table["participants"]
