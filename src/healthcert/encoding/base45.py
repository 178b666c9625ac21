"""Base45 (RFC 9285): bytes as text of the 45 characters of a QR code's alphanumeric mode.

Two bytes are three characters, least significant first. Instead of a loop over triples, all triples
of a text are computed at once: the text is read as one big integer with a lane of three bytes for
each triple, and the arithmetic is done on every lane by the same few operations.
"""

from __future__ import annotations

from healthcert.errors import Code, DecodeError, Step

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_INVALID = 0xFF
_TO_DIGIT = bytes(_ALPHABET.find(c) if c in _ALPHABET else _INVALID for c in range(256))
_TO_SYMBOL = _ALPHABET.ljust(256, b"?")

# Lanes are worked on in runs of this many, which keeps the integers small and the masks constant.
_RUN = 1024
_LOW_BYTE_OF_3 = int.from_bytes(b"\xff\x00\x00" * _RUN, "little")

# A lane of five bytes holds a 16-bit value times a 17-bit reciprocal.
# floor(n / 45) == n * 93207 >> 22 for every n < 2**16, and n * 2913 >> 17 for every n < 2**11.
_LANE = 5
_RECIPROCAL_16, _SHIFT_16 = 93207, 22
_RECIPROCAL_11, _SHIFT_11 = 2913, 17
_LOW_11_BITS = int.from_bytes(b"\xff\x07\x00\x00\x00" * _RUN, "little")
_LOW_BYTE_OF_5 = int.from_bytes(b"\xff\x00\x00\x00\x00" * _RUN, "little")


def encode(data: bytes) -> str:
    """The base45 text of ``data``."""
    symbols = b"".join(_encode_run(data[start : start + 2 * _RUN]) for start in range(0, len(data), 2 * _RUN))
    return symbols.decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a base45 text; the reverse of :func:`encode`, so a text has one form only.

    Raises :class:`DecodeError` (``BASE_45_DECODING_FAILED``) for a symbol outside the alphabet, a length that
    leaves one symbol over, or a group of symbols beyond the largest value (RFC 9285 §6).
    """
    try:
        digits = text.encode("ascii").translate(_TO_DIGIT)
    except UnicodeEncodeError:
        raise _error("a character outside the base45 alphabet") from None
    if _INVALID in digits:
        # RFC 9285 §6: input with characters outside the alphabet MUST be rejected.
        raise _error("a character outside the base45 alphabet")
    if len(digits) % 3 == 1:
        # RFC 9285 §4: groups have three symbols, the last may have two.
        raise _error("one character is left over at the end")
    if len(digits) <= 3 * _RUN:
        return _decode_run(digits)
    return b"".join(_decode_run(digits[start : start + 3 * _RUN]) for start in range(0, len(digits), 3 * _RUN))


def _decode_run(digits: bytes) -> bytes:
    whole = len(digits) // 3
    lanes = int.from_bytes(digits[: 3 * whole], "little")
    values = (
        (lanes & _LOW_BYTE_OF_3) + 45 * ((lanes >> 8) & _LOW_BYTE_OF_3) + 2025 * ((lanes >> 16) & _LOW_BYTE_OF_3)
    ).to_bytes(3 * whole, "little")
    # RFC 9285 §6: a group above 65535 MUST be rejected; it is the third byte of its lane that tells.
    if values[2::3].strip(b"\0"):
        raise _error("a group of three characters exceeds 65535")
    out = bytearray(2 * whole)
    out[0::2] = values[1::3]
    out[1::2] = values[0::3]
    if len(digits) % 3:
        last = digits[-2] + 45 * digits[-1]
        # RFC 9285 §6: likewise for a final pair above 255.
        if last > 0xFF:
            raise _error("the last two characters exceed 255")
        out.append(last)
    return bytes(out)


def _encode_run(data: bytes) -> bytearray:
    whole = len(data) // 2
    lanes = bytearray(_LANE * whole)
    lanes[0::_LANE] = data[1 : 2 * whole : 2]
    lanes[1::_LANE] = data[0 : 2 * whole : 2]
    values = int.from_bytes(lanes, "little")
    by_45 = (values * _RECIPROCAL_16 >> _SHIFT_16) & _LOW_11_BITS
    by_2025 = (by_45 * _RECIPROCAL_11 >> _SHIFT_11) & _LOW_BYTE_OF_5
    digits = (values - 45 * by_45) | (by_45 - 45 * by_2025) << 8 | by_2025 << 16
    lanes = bytearray(digits.to_bytes(_LANE * whole, "little"))
    out = bytearray(3 * whole)
    for position in range(3):
        out[position::3] = lanes[position::_LANE]
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        out += bytes((low, high))
    return out.translate(_TO_SYMBOL)


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.BASE_45_DECODING_FAILED, detail, step=Step.DECODE)
