"""Unique vaccination certificate identifiers (UVCI), as the URN registration request describes them."""

from __future__ import annotations

import secrets

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"
# 26 characters of 32 are 130 bits; without I, L, O and U, which are misread or make words.
_OPAQUE = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
_OPAQUE_LENGTH = 26


def new_uvci(country: str) -> str:
    """A fresh random identifier with its checksum: ``URN:UVCI:01:FR:...#X``."""
    opaque = "".join(_OPAQUE[byte % len(_OPAQUE)] for byte in secrets.token_bytes(_OPAQUE_LENGTH))
    identifier = f"URN:UVCI:01:{country}:{opaque}"
    return f"{identifier}#{checksum(identifier)}"


def checksum(identifier: str) -> str:
    """The Luhn mod N character (N = 38) of an identifier that has none yet.

    Raises ValueError for a character outside ``A-Z 0-9 / :``.
    """
    total, factor = 0, 2
    for character in reversed(identifier):
        quotient, remainder = divmod(factor * _ALPHABET.index(character), len(_ALPHABET))
        total += quotient + remainder
        factor = 3 - factor
    return _ALPHABET[-total % len(_ALPHABET)]
