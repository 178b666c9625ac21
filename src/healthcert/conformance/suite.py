"""A folder of test cases in the format of dgc-testdata, read with suspicion.

A case is a JSON object with the keys TESTCTX and EXPECTEDRESULTS, in a file ``*.json`` at any depth. What its
fields mean is in the README of the public suite; docs/how-to/run-conformance.md tells the same in short.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from healthcert.clock import FixedClock
from healthcert.errors import Code, DecodeError, HealthCertError
from healthcert.limits import read_file

MOST_BYTES = 2 * 1024 * 1024
"""Of one file; the largest of the public suite has 80 KiB, most of it a picture."""

MOST_EXPECTATIONS = 100
"""Of one case; the public suite knows a dozen."""

MOST_FILES = 50_000
"""In one folder; the public suite has about 900."""

EU_PREFIX, AUSTRIAN_PREFIX = "HC1:", "AT1:"

# A folder of a country, at whatever depth the suite is entered: PL in .../dgc-testdata/PL/1.3.0/2DCode/raw.
_COUNTRY = re.compile(r"[A-Z]{2}|common", re.IGNORECASE)
_EXPECTATION = re.compile(r"EXP[A-Z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that kept a case from being checked. ``detail`` quotes nothing of the case."""

    case: str
    detail: str


@dataclass(frozen=True)
class Case:
    """One test case.

    ``name`` is its path without ``.json``, from the country's folder on: ``PL/1.3.0/2DCode/raw/8``. ``clock`` is None
    where the case gives no moment. ``expectations`` are those that are set, under the suite's own keys.
    """

    name: str
    fields: Mapping[str, Any]
    expectations: Mapping[str, bool]
    clock: datetime | None

    @property
    def country(self) -> str:
        """The first part of the name."""
        return self.name.split("/")[0]

    def text(self, field: str) -> str | None:
        """A field that is text and not empty, else None."""
        value = self.fields.get(field)
        return value if isinstance(value, str) and value else None

    def hexadecimal(self, field: str) -> bytes | None:
        """The bytes of a field in hexadecimal, None where it is absent. Raises :class:`DecodeError`."""
        text = self.text(field)
        try:
            return None if text is None else bytes.fromhex(text)
        except ValueError:
            raise DecodeError(Code.TEXT_UNREADABLE, f"{field} is not hexadecimal") from None

    @property
    def prefix(self) -> str:
        """The context identifier of the text: that of a national code where it has one, else that of the EU DCC."""
        text = self.text("PREFIX") or ""
        return AUSTRIAN_PREFIX if text.startswith(AUSTRIAN_PREFIX) else EU_PREFIX

    @cached_property
    def certificate(self) -> bytes:
        """The signer's certificate in DER, for an Austrian exemption that of its own trust list.

        Raises :class:`DecodeError` where it is absent or not base64.
        """
        context = self.fields["TESTCTX"]
        name = "AT_CERTIFICATE" if self.prefix == AUSTRIAN_PREFIX and "AT_CERTIFICATE" in context else "CERTIFICATE"
        return decode_base64(context.get(name), name)

    @cached_property
    def picture(self) -> bytes:
        """The bytes of 2DCODE. Raises :class:`DecodeError` where it is absent or not base64."""
        text = self.text("2DCODE") or ""
        return decode_base64(text.partition("base64,")[2] or text, "2DCODE")


@dataclass(frozen=True, slots=True)
class Suite:
    """The files of a folder that may hold test cases, by the names of the cases."""

    files: Mapping[str, Path]

    @classmethod
    def open(cls, folder: str | Path) -> Suite:
        """The suite in ``folder`` and the folders below it. Links to folders are not followed.

        Raises :class:`DecodeError` (``INPUT_TOO_LONG``) for more than ``MOST_FILES`` files; OSError.
        """
        root = Path(folder)
        files: dict[str, Path] = {}
        for place, folders, names in os.walk(root, onerror=_give_up):
            folders.sort()
            for file in sorted(names):
                if file.lower().endswith(".json"):
                    path = Path(place, file)
                    name = _name_of(path, root)
                    files[name + path.suffix if name in files else name] = path
            if len(files) > MOST_FILES:
                raise DecodeError(Code.INPUT_TOO_LONG, f"a folder with more than {MOST_FILES} files")
        return cls(files)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Case | Problem | None]:
        """Each file's case, why it cannot be used, or None where it is something else in JSON."""
        for name, path in self.files.items():
            yield read_case(path, name)


def read_case(path: Path, name: str) -> Case | Problem | None:
    """The case in a file, why it cannot be used, or None for JSON that is no test case. Never raises."""
    try:
        if not path.is_file():
            return Problem(name, "not a file that can be read")  # a pipe would keep the reader waiting
        fields = json.loads(read_file(path, MOST_BYTES))
    except HealthCertError as error:
        return Problem(name, error.detail)
    except OSError as error:
        return Problem(name, error.strerror or "cannot be read")
    except (ValueError, RecursionError):
        return Problem(name, "not JSON")
    if not isinstance(fields, dict) or "TESTCTX" not in fields:
        return None
    try:
        return Case(name, fields, _expectations(fields.get("EXPECTEDRESULTS")), _clock(fields["TESTCTX"]))
    except DecodeError as error:
        return Problem(name, error.detail)


def decode_base64(text: object, field: str) -> bytes:
    """Base64, with or without line ends and the frame of PEM. Raises :class:`DecodeError`."""
    if not isinstance(text, str) or not text.strip():
        raise DecodeError(Code.TEXT_UNREADABLE, f"{field} is missing")
    try:
        return base64.b64decode("".join(re.sub(r"-----[A-Z ]+-----", "", text).split()), validate=True)
    except ValueError:
        raise DecodeError(Code.TEXT_UNREADABLE, f"{field} is not base64") from None


def _give_up(error: OSError) -> None:
    # A folder left out unread would look like one whose cases all agree.
    raise error


def _name_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    if not any(_COUNTRY.fullmatch(part) for part in parts[:-1]):
        # The folder given may be that of one country, or one below it.
        above = root.resolve().parts
        start = next((i for i in range(1, min(len(above), 5) + 1) if _COUNTRY.fullmatch(above[-i])), 0)
        parts = (*above[len(above) - start :], *parts)
    return "/".join(parts)


def _expectations(results: object) -> dict[str, bool]:
    if not isinstance(results, Mapping):
        raise DecodeError(Code.FIELD_INVALID, "EXPECTEDRESULTS is not an object")
    if len(results) > MOST_EXPECTATIONS:
        raise DecodeError(Code.INPUT_TOO_LONG, f"EXPECTEDRESULTS holds more than {MOST_EXPECTATIONS} expectations")
    found = {}
    for key, value in results.items():
        # An absent expectation is one that is not tested; null says the same.
        if value is None:
            continue
        if not _EXPECTATION.fullmatch(key) or not isinstance(value, bool):
            raise DecodeError(Code.FIELD_INVALID, "EXPECTEDRESULTS holds something other than expectations")
        found[key] = value
    return found


def _clock(context: object) -> datetime | None:
    if not isinstance(context, Mapping):
        raise DecodeError(Code.FIELD_INVALID, "TESTCTX is not an object")
    text = context.get("VALIDATIONCLOCK")
    if text is None or text == "":
        return None
    try:
        # Without a zone it is UTC: FixedClock does as the suite does (NL, GR, GE, VA).
        return FixedClock(datetime.fromisoformat(text.strip())).now().astimezone(UTC)
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise DecodeError(Code.FIELD_INVALID, "VALIDATIONCLOCK is not a moment in ISO 8601") from None
