"""Unique vaccination certificate identifiers (UVCI), as the URN registration request describes them."""

from __future__ import annotations

import re
import secrets
from enum import StrEnum

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"
# 26 characters of 32 are 130 bits; without I, L, O and U, which are misread or make words.
_OPAQUE = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
OPAQUE_LENGTH = 26
_TO_OPAQUE = (_OPAQUE * 8).encode("ascii")  # any byte to one of the 32, each as likely as the others

_FOREIGN = 0xFF
_VALUES = bytes(_ALPHABET.find(chr(code)) & _FOREIGN for code in range(256))
_DOUBLED = bytes(sum(divmod(2 * value, len(_ALPHABET))) for value in range(len(_ALPHABET))).ljust(256, b"\0")

# Version, country and body as the registration has them, and as states write them: URN:UVCI:V1:DE:..., 01DE/....
_FORM = r"(?ai)(?:URN:)?(?:UVCI:)?(?P<rest>(?:V\d{1,2}|\d\d)[:/]?[A-Z]{2}[A-Z0-9/:]+)(?:#(?P<check>[!-~]*))?"


class UvciCheck(StrEnum):
    """What the checksum of an identifier says."""

    VALID = "valid"
    WRONG = "wrong"
    ABSENT = "absent"
    NOT_A_UVCI = "not a UVCI"


def new_uvci(country: str, seed: bytes | None = None) -> str:
    """An identifier with its checksum: ``URN:UVCI:01:FR:...#X``; of ``seed`` always the same, else a fresh random one.

    A seed is of 26 bytes that nobody else can tell, such as those of a keyed hash. Raises ValueError for fewer or more.
    """
    seed = secrets.token_bytes(OPAQUE_LENGTH) if seed is None else seed
    if len(seed) != OPAQUE_LENGTH:
        raise ValueError(f"an identifier is made of {OPAQUE_LENGTH} bytes")
    opaque = seed.translate(_TO_OPAQUE).decode("ascii")
    identifier = f"URN:UVCI:01:{country}:{opaque}"
    return f"{identifier}#{checksum(identifier)}"


def check_uvci(identifier: str) -> UvciCheck:
    """Whether the checksum of an identifier holds. Information only: nothing may be refused because of it.

    States compute it in ways of their own (wrong for most certificates of several), with the prefix ``URN:UVCI:`` also
    where they leave it out of the identifier, and over capital letters; so both are tried. A checksum without its
    ``#`` cannot be told from the rest, and is absent.
    """
    form = re.fullmatch(_FORM, identifier)
    if form is None:
        return UvciCheck.NOT_A_UVCI
    if not form["check"]:
        return UvciCheck.ABSENT
    written, _, character = identifier.upper().partition("#")
    spellings = (written, f"URN:UVCI:{form['rest'].upper()}")
    return UvciCheck.VALID if character in map(checksum, spellings) else UvciCheck.WRONG


def checksum(identifier: str) -> str:
    """The Luhn mod N character (N = 38) of an identifier that has none yet.

    Raises ValueError for a character outside ``A-Z 0-9 / :``.
    """
    values = identifier.encode("ascii").translate(_VALUES)
    if _FOREIGN in values:
        raise ValueError("a character that no identifier has")
    # ISO/IEC 7812-1, Annex B, in base 38: from the right, every other value counts double, as the sum of its digits.
    total = sum(values[-2::-2]) + sum(values[::-1][::2].translate(_DOUBLED))
    return _ALPHABET[-total % len(_ALPHABET)]
