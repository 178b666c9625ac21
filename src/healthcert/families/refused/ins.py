"""The DataMatrix of the French national health identity (INS): who somebody is, and nothing that anybody signed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.protocol import Layer
from healthcert.families.refused.recognised import Recognised
from healthcert.limits import Limits

_HEADER = re.compile(r"IS010{8,22}")
_SEPARATOR = "\x1d"
# ANS, "INS, format datamatrix" §5: each field by its identifier, its name and the most characters that it has. Those
# of one length are followed by the next at once; the others by a separator, unless they are as long as they may be.
_FIELDS = {
    "S1": ("matricule INS", 15),
    "S2": ("OID", 20),
    "S3": ("first names at birth", 100),
    "S4": ("family name at birth", 100),
    "S5": ("sex", 1),
    "S6": ("date of birth", 10),
    "S7": ("place of birth", 5),
}


class NationalHealthIdentity(Recognised):
    """``IS01`` and zeros, where a 2D-Doc names its issuer."""

    def recognises(self, text: str) -> bool:
        return text.startswith("IS01") and _HEADER.match(text) is not None

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        if len(text) > limits.text_chars:
            raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.text_chars} characters", Step.DECODE)
        header = _HEADER.match(text)
        if header is None:
            raise _unreadable("no header")
        yield Layer("INS DataMatrix", len(text), {"version": header[0][2:4]})
        rest = text[header.end() :]
        yield Layer("identity fields (unsigned)", len(rest), _fields(rest))


def _fields(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    position = 0
    while position < len(text):
        identifier = text[position : position + 2]
        if identifier not in _FIELDS:
            raise _unreadable("an unknown field")
        name, longest = _FIELDS[identifier]
        if name in found:
            raise _unreadable(f"{identifier} is there twice")
        value, _, _ = text[position + 2 : position + 2 + longest].partition(_SEPARATOR)
        found[name] = value
        position += 2 + len(value)
        if text[position : position + 1] == _SEPARATOR:
            position += 1
    return found


def _unreadable(detail: str) -> DecodeError:
    return DecodeError(Code.NOT_SIGNED, f"an INS DataMatrix in a form that is not known: {detail}", Step.DECODE)
