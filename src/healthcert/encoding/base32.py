"""Base32 (RFC 4648 §6) without padding, as barcodes carry it: bytes as ``A-Z`` and ``2-7``, five bits each.

A text is read as one number to the base of 32, which takes no loop.
"""

from __future__ import annotations

import base64

from healthcert.errors import Code, DecodeError, Step

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUV"  # what int() takes for the same values
_NO_DIGIT = b"."
_TO_DIGIT = bytes(_DIGITS[_ALPHABET.index(c)] if c in _ALPHABET else _NO_DIGIT[0] for c in range(256))
_WHOLE = frozenset((0, 2, 4, 5, 7))  # symbols in the last group of eight, where bytes end with it


def encode(data: bytes) -> str:
    """The base32 text of ``data``, without padding."""
    return base64.b32encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a base32 text; the reverse of :func:`encode`, so a text has one form only.

    Raises :class:`DecodeError` (``BASE_32_DECODING_FAILED``) for a symbol outside the alphabet (lower case and padding
    are), a length that no bytes have, and bits that are set after the last byte (RFC 4648 §3.5).
    """
    size = len(text)
    if size % 8 not in _WHOLE:
        raise _error("a length that no bytes have")
    if not size:
        return b""
    try:
        # RFC 4648 §3.3: characters outside the alphabet are to be rejected.
        value = int(text.encode("ascii").translate(_TO_DIGIT), 32)
    except ValueError:
        raise _error("a character outside the base32 alphabet") from None
    spare = 5 * size % 8
    # RFC 4648 §3.5: the bits that pad the last symbol are zero; else many texts would be the same bytes.
    if value & ((1 << spare) - 1):
        raise _error("bits after the last byte")
    return (value >> spare).to_bytes(5 * size // 8, "big")


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.BASE_32_DECODING_FAILED, detail, Step.DECODE)
