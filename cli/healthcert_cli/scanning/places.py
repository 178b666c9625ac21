"""What codes are in pictures, and where: a list for people and scripts. Nothing of it is verified."""

from __future__ import annotations

import json
from collections.abc import Iterator

from healthcert.barcode.found import FoundCode
from healthcert.errors import HealthCertError
from healthcert.families import recognise
from healthcert.limits import Limits
from healthcert_cli.text import printable


def place_lines(source: str, codes: list[FoundCode], limits: Limits) -> Iterator[str]:
    """One line for each code; never what it says."""
    for number, code in enumerate(codes, 1):
        where = " ".join(f"{x},{y}" for x, y in code.corners)
        frame = code.frame
        size = f"frame {frame.number}, {frame.width}x{frame.height}"
        family = family_of(code, limits) or "no certificate"
        yield f"{printable(source)}  #{number}  {code.symbology}  {family}  {size}  {where}  {code.rung}"


def place_json(source: str, codes: list[FoundCode], limits: Limits) -> Iterator[str]:
    """The same in JSON."""
    for number, code in enumerate(codes, 1):
        values = {
            "file": source,
            "frame": code.frame.number,
            "number": number,
            "symbology": code.symbology,
            "family": family_of(code, limits),
            "width": code.frame.width,
            "height": code.frame.height,
            "corners": code.corners,
            "rung": code.rung,
        }
        yield json.dumps(values)


def family_of(code: FoundCode, limits: Limits) -> str | None:
    """The family that a code claims to belong to."""
    try:
        return recognise(code.text, limits)[0].name
    except HealthCertError:
        return None
