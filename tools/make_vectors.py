"""Makes test_vectors/cases and test_vectors/keys.

    python -m tools.make_vectors

What it writes is the same in every run and on every machine; cases that are no longer made are removed. The README
and the schema beside the cases are written by hand.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.vectors import (
    content,
    cose,
    cwt,
    ddcc_times,
    keys,
    lists,
    national,
    public_suite,
    quirks,
    revocation,
    rules,
    signatures,
    trust,
    who,
    wire,
)
from tools.vectors.case import Case

TARGET = Path(__file__).resolve().parent.parent / "test_vectors"
_MODULES = (
    public_suite,
    wire,
    cose,
    cwt,
    trust,
    signatures,
    content,
    quirks,
    who,
    ddcc_times,
    national,
    lists,
    revocation,
    rules,
)


def all_cases() -> list[Case]:
    """Every case, in the order of the layers."""
    return [case for module in _MODULES for case in module.cases()]


def files() -> dict[str, bytes]:
    """Every file that is made, by its path below ``test_vectors``."""
    made: dict[str, bytes] = {}
    for case in all_cases():
        folder = f"cases/{case.id}"
        if f"{folder}/case.json" in made:
            raise ValueError(f"two cases are called {case.id}")
        made[f"{folder}/case.json"] = _json(case.to_dict())
        if case.picture is not None:
            made[f"{folder}/code.png"] = case.picture
    entries = [keys.key(name) for name in keys.NAMES]
    made |= {f"keys/{entry.name}.pem": entry.pem.encode() for entry in entries}
    made["keys/keys.json"] = _json(
        {
            entry.name: {
                "file": f"{entry.name}.pem",
                "holds": "certificate" if entry.is_certificate else "public keys",
                "kid": entry.kid.hex(),
                "about": entry.about,
            }
            | ({"list": dict(entry.listed)} if entry.listed else {})
            for entry in entries
        }
    )
    return made


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def main() -> None:
    """Writes the files."""
    made = files()
    shutil.rmtree(TARGET / "cases", ignore_errors=True)
    for path, data in made.items():
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_bytes(data)
    print(f"{sum(path.endswith('case.json') for path in made)} cases, {len(keys.NAMES)} keys and certificates")


if __name__ == "__main__":
    main()
