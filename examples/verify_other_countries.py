"""Verify certificates that other countries published for testing, with the command a border officer would type.

The data lies in ``$HEALTHCERT_INTEROP`` or ``../shared/interop`` (folder ``dgc-testdata``: one folder a country, each
case with its QR code, its signing certificate and the moment it was valid). Without the data there is
nothing to show, and this says so.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

COUNTRIES = ("AT", "BE", "CH", "CZ", "DE", "FI", "IT", "LT", "LU", "SE")


def main() -> int:
    data = Path(os.environ.get("HEALTHCERT_INTEROP", "../shared/interop")) / "dgc-testdata"
    if not data.is_dir():
        print(f"\nNo certificates of other countries here: {data} does not exist.")
        return 0
    healthcert = Path(sys.executable).with_name("healthcert")
    refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        for country in COUNTRIES:
            case = first_case(data / country)
            if case is None:
                continue
            picture, key = Path(scratch, f"{country}.png"), Path(scratch, f"{country}.der")
            picture.write_bytes(base64.b64decode(case["2DCODE"]))
            key.write_bytes(base64.b64decode(case["TESTCTX"]["CERTIFICATE"]))
            moment = case["TESTCTX"]["VALIDATIONCLOCK"]
            print(f"\n$ healthcert verify {picture.name} --trust {key.name} --at {moment}", flush=True)
            command = [healthcert, "verify", picture.name, "--trust", key.name, "--at", moment]
            refused += subprocess.run(command, cwd=scratch, check=False).returncode != 0  # noqa: S603
    return 1 if refused else 0


def first_case(country: Path) -> dict[str, Any] | None:
    """The first vaccination of a country that has all that is needed."""
    for path in sorted(country.rglob("*.json")):
        case: dict[str, Any] = json.loads(path.read_bytes())
        context = case.get("TESTCTX", {})
        if not case.get("2DCODE") or not context.get("CERTIFICATE") or not context.get("VALIDATIONCLOCK"):
            continue
        try:
            picture = base64.b64decode(case["2DCODE"], validate=True)
        except binascii.Error:
            continue
        if picture.startswith(b"\x89PNG") and case.get("JSON", {}).get("v"):
            return case
    return None


if __name__ == "__main__":
    sys.exit(main())
