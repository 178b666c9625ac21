"""The fields of a 2D-Doc: which there are, how long each is, and where it ends.

Source: France Titres (ANTS), "Spécifications techniques des codes à barres 2D-Doc", the annex of data identifiers. The
tables of documents other than the two that are read here serve to show them, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from healthcert.errors import Code, Step
from healthcert.families.protocol import Finding
from healthcert.families.twoddoc.header import GS, RS, error

Length = tuple[int, int | None]
"""Characters of a field, at least and at most; None for any number. Where both are one, no separator follows."""

_END = re.compile(f"[{GS}{RS}]")
_IDENTIFIER = re.compile(r"[0-9A-Z]{2}", re.ASCII)

# Section "Identifiants de données complémentaires": any document may have these.
_COMPLEMENTARY = "01:- 02:- 03:- 04:- 05:- 06:6 07:6 08:4 09:4 0A:9 0B:9 0C:-"
_VACCINATION = "L0:0-80 L1:0-80 L2:8 L3:0-30 L4:5-15 L5:5-30 L6:5-30 L7:1 L8:1 L9:8 LA:2"
_TEST = "F0:0-60 F1:0-38 F2:8 F3:1 F4:3-7 F5:1 F6:12"
_OTHERS = """
10:0-38 11:0-38 12:0-38 13:0-38 14:0-38 15:0-38 16:0-38 17:0-38 18:- 19:- 1A:- 1B:- 1C:8 1D:0-16 1E:0-30 1F:0-30 1G:1
1H:1 1I:0-38 1J:0-38 1K:0-38 1L:0-38 1M:0-38 1N:0-38 1O:0-38 1P:0-38 20:0-38 21:0-38 22:0-38 23:0-38 24:5 25:0-32 26:2
27:0-38 28:0-38 29:0-38 2A:0-38 2B:5 2C:0-32 2D:2 30:0-140 31:14-38 32:8-11 33:0-30 34:2 35:14-34 36:4 37:4 38:0-11
39:0-11 40:13 41:- 42:- 43:- 44:13 45:4 46:0-38 47:13 48:0-38 49:13 4A:8 4B:8 4V:- 4X:- 4Y:- 50:14 51:6 52:7 53:4 54:4
55:8 56:4 57:8 58:0-11 59:0-12 5A:0-11 5B:0-12 5C:0-11 5D:0-38 5E:0-38 5F:0-38 5G:0-38 5H:5 5I:0-32 5J:2 5K:0-50
5L:9-14 5M:0-38 5N:21 5O:0-38 5P:0-20 5Q:0-38 5R:0-20 5S:0-40 5T:1 5U:0-12 5V:12 5W:2 5X:0-60 5Y:12 5Z:0-16 60:0-60
61:0-20 62:0-38 63:0-38 64:0-38 65:2 66:0-20 67:2 68:1 69:8 6A:0-32 6B:3 6C:2 6D:0-60 6E:0-60 6F:0-90 6G:1-38 6H:1-10
6I:2 6J:1 6K:19 6L:8 6M:0-40 6N:8 6O:8 6P:0-40 6Q:0-10 6R:12 6S:0-38 6T:0-38 6U:0-38 6V:0-38 6W:5 6X:0-32 6Y:2 6Z:9-11
70:12 71:12 72:0-38 73:0-60 74:0-38 75:8 76:1 77:0-45 78:5 79:0-114 7A:5 7B:0-45 7C:1 7D:1 7E:1 7F:1 7G:1 7H:2 7I:1
7J:1 7K:13 7L:9 7M:0-64 7N:0-128 7O:1 7P:16 80:0-38 81:0-60 82:0-20 83:0-40 84:0-40 85:17 86:12 8L:0-60 8M:0-38 8N:8
8O:0-50 8P:0-50 90:0-38 91:0-38 92:0-38 93:0-38 94:0-38 95:0-18 96:8 A0:2 A1:0-17 A2:0-17 A3:0-17 A4:17 A5:3 A6:2 A7:3
A8:0-12 A9:3 AA:8 AB:0-8 AC:0-19 AD:4 AE:4 AF:1 AG:1 AH:0-30 AI:8 AJ:13 AK:7 AL:11 AM:0-5 AN:8 AO:6 AP:0-60 AQ:0-25
AR:0-35 AS:0-10 AT:1 AU:0-38 AV:0-38 AW:0-38 AX:0-38 AY:5 AZ:0-32 B0:0-60 B1:0-20 B2:0-38 B3:0-38 B4:0-38 B5:2 B6:1
B7:8 B8:0-32 B9:2 BA:1 BB:0-50 BC:0-20 BD:1 BE:3 BF:3 BG:2 BH:0-30 BI:0-30 BJ:0-30 BK:14 C0:1 C1:0-38 C2:0-20 C3:12
C4:8 C5:1 C6:0-38 C7:0-20 C8:0-38 C9:5 CA:0-45 CB:10 CC:12 D0:17 D1:0-50 D2:0-20 D3:8 D4:8 D5:8-10 D6:8 D7:8 D8:2 D9:8
DA:8 DB:0-50 DC:0-50 DD:8 DE:0-50 DF:9 DG:14 DH:0-20 DI:4-30 DJ:0-50 DK:0-50 DL:8 DM:0-50 DN:9 DO:14 DP:0-20 DQ:0-50
DR:0-50 DS:8 DT:0-50 DU:9 DV:14 DW:0-50 DX:4-30 DY:3 DZ:0-10 E0:2 E1:4 E2:4 E3:4 E4:3 E5:2 E6:0-65 E7:9 E8:12 G0:2 G1:2
G2:0-20 G3:8 G4:0-10 G5:0-45 H0:0-38 H1:2 H2:0-38 H3:2 H4:8 H5:8 H6:0-40 H7:0-53 H8:7 H9:8 HA:8 HB:9 HC:0-38 HD:0-38
HE:0-38 HF:0-38 HG:0-38 HH:0-20 HI:0-38 HJ:5 HK:0-32 HL:2 HM:15-18 HN:12 HO:8 HP:12 HQ:2 HR:2 HS:2 I0:4 I1:7 I2:16
I3:1-54 I4:1-37 I5:5-13 I6:11
"""

VACCINATION, TEST = "L1", "B2"
"""The types of document that are read: ``Attestation Vaccinale`` and ``Test COVID``."""


class Fields(Struct, frozen=True):
    """The fields of a message by identifier; ``truncated`` are those whose value was cut short to fit the symbol."""

    values: Mapping[str, str]
    truncated: tuple[str, ...]
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"Fields({', '.join(self.values)})"


@cache
def table_of(kind: str | None) -> Mapping[str, Length]:
    """The fields of a type of document that is read here, and the complementary ones; None for all that there are."""
    own = {VACCINATION: _VACCINATION, TEST: _TEST}
    texts = (own[kind],) if kind is not None else (*own.values(), _OTHERS)
    return dict(_entries(" ".join((_COMPLEMENTARY, *texts))))


def _entries(text: str) -> Iterator[tuple[str, Length]]:
    for entry in text.split():
        name, _, length = entry.partition(":")
        least, dash, most = length.partition("-")
        yield name, (int(least or 0), int(most) if most else None) if dash else (int(length), int(length))


def read_fields(message: str, table: Mapping[str, Length]) -> Fields:
    """The fields of a message, in any order; one that ``table`` does not have lasts until the next separator.

    Raises :class:`DecodeError` (``TWODDOC_DESERIALIZATION_FAILED``) for a field that is cut off, is there twice, or has
    no identifier.
    """
    values: dict[str, str] = {}
    truncated: list[str] = []
    findings: dict[Finding, None] = {}
    position, end = 0, len(message)
    while position < end:
        name, start = message[position : position + 2], position + 2
        if name in values or not _IDENTIFIER.fullmatch(name):
            if message[position] == GS and position:
                # A separator where none belongs: it can end nothing but what has ended.
                findings[_SEPARATED] = None
                position += 1
                continue
            # One field, one meaning: readers differ in which of two they take.
            raise error(f"the field {name} is there twice" if name in values else "something that is no field")
        least, most = table.get(name, _UNBOUNDED)
        if least == most:
            position = start + least
            value = message[start:position]
            if len(value) != least or _END.search(value):
                raise error(f"the field {name} is cut off")
        else:
            found = _END.search(message, start)
            stop = found.start() if found else end
            if most is not None and stop - start > most:
                if message[start + most : start + most + 2] in table:
                    # 2D-Doc specification, message: a value of the greatest length needs no separator.
                    stop, found = start + most, None
                else:
                    findings[Finding(Code.TEXT_TOO_LONG, Step.DECODE, f"{name}: more than {most} characters")] = None
            value = message[start:stop]
            if found and found[0] == RS:
                truncated.append(name)
            position = stop + 1 if found else stop
        values[name] = value
    return Fields(values, tuple(truncated), tuple(findings))


_UNBOUNDED: Length = (0, None)
_SEPARATED = Finding(Code.FIELD_UNEXPECTED, Step.DECODE, "a separator behind a field of fixed length")
