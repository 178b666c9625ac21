"""A rule as an author writes it, and what tests of it look like: nothing is wrong with either."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

RULE: dict[str, Any] = {
    "Identifier": "VR-XX-0001",
    "Type": "Acceptance",
    "Country": "XX",
    "Version": "1.0.0",
    "SchemaVersion": "1.0.0",
    "Engine": "CERTLOGIC",
    "EngineVersion": "0.7.5",
    "CertificateType": "Vaccination",
    "Description": [
        {"lang": "en", "desc": "The last dose is of the last 270 days."},
        {"lang": "fr", "desc": "La dernière dose date de moins de 270 jours."},
    ],
    "ValidFrom": "2022-01-15T00:00:00Z",
    "ValidTo": "2030-06-01T00:00:00Z",
    "AffectedFields": ["v.0", "v.0.dt", "v.0.ma"],
    "Logic": {
        "if": [
            {"var": "payload.v.0"},
            {
                "and": [
                    {
                        "not-after": [
                            {"plusTime": [{"var": "external.validationClock"}, 0, "day"]},
                            {"plusTime": [{"var": "payload.v.0.dt"}, 270, "day"]},
                        ]
                    },
                    {
                        "in": [
                            {"var": "payload.v.0.ma"},
                            {"var": "external.valueSets.vaccines-covid-19-auth-holders"},
                        ]
                    },
                ]
            },
            True,
        ]
    },
}
CLOCK = "2022-03-01T12:00:00Z"
EXTERNAL = {"validationClock": CLOCK, "valueSets": {"vaccines-covid-19-auth-holders": ["ORG-100030215"]}}
PASSES = {
    "name": "a dose of this year",
    "payload": {"v": [{"dt": "2022-01-20", "ma": "ORG-100030215"}]},
    "external": EXTERNAL,
    "expected": True,
}
FAILS = PASSES | {"name": "an old dose", "payload": {"v": [{"dt": "2021-01-20", "ma": "X"}]}, "expected": False}
GONE = object()


def rule(**changes: Any) -> dict[str, Any]:
    """The rule with other members; ``GONE`` takes one out."""
    made = copy.deepcopy(RULE) | changes
    return {name: value for name, value in made.items() if value is not GONE}


def logic(expression: Any, *fields: str, **changes: Any) -> dict[str, Any]:
    """The rule with another logic, which reads these fields of the payload."""
    return rule(Logic=expression, AffectedFields=list(fields), **changes)


def save(folder: Path, made: Any = None, **tests: Any) -> Path:
    """A rule in the layout of the public suite, with its tests by their names; values are JSON, or the bytes of it."""
    (folder / "tests").mkdir(parents=True, exist_ok=True)
    named = RULE | {"Identifier": folder.name} if made is None else made
    for path, value in {"rule": named, **{f"tests/{name}": test for name, test in tests.items()}}.items():
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        (folder / f"{path}.json").write_bytes(data)
    return folder
