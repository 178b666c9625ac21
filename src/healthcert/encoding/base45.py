"""Base45 (RFC 9285): bytes as text of the 45 characters of a QR code's alphanumeric mode.

Two bytes are three characters, least significant first. Instead of a loop over triples, all triples of a text are
computed at once: to decode it, the text is read as one big integer with a lane of three bytes for each triple, and the
arithmetic is done on every lane by the same few operations; to encode, three integers have a byte for each triple.
"""

from __future__ import annotations

from healthcert.errors import Code, DecodeError, Step

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_INVALID = 0xFF
_TO_DIGIT = bytes(_ALPHABET.find(c) if c in _ALPHABET else _INVALID for c in range(256))
_TO_SYMBOL = bytes(_ALPHABET[total % 45] for total in range(256))

# Lanes are worked on in runs of this many, which keeps the integers small and the masks constant.
_RUN = 1024
_LOW_BYTE_OF_3 = int.from_bytes(b"\x00\x00\xff" * _RUN, "big")
_HIGH_BYTE_OF_3 = _LOW_BYTE_OF_3 << 16

# The digits of a byte, the least significant first, as the higher and as the lower of its pair.
_HIGH = [bytes((high << 8) // place % 45 for high in range(256)) for place in (1, 45, 2025)]
_LOW = [bytes(low // place % 45 for low in range(256)) for place in (1, 45)]
_CARRY = bytes(total // 45 for total in range(256))


def encode(data: bytes) -> str:
    """The base45 text of ``data``."""
    pairs = len(data) // 2
    high, low = data[0 : 2 * pairs : 2], data[1::2]
    # The digits of a pair are those of its two bytes alone, added up with a carry: for all pairs at once as two big
    # integers, as no sum is beyond its byte.
    number = int.from_bytes
    first = (number(high.translate(_HIGH[0])) + number(low.translate(_LOW[0]))).to_bytes(pairs)
    carry = number(first.translate(_CARRY))
    second = (number(high.translate(_HIGH[1])) + number(low.translate(_LOW[1])) + carry).to_bytes(pairs)
    carry = number(second.translate(_CARRY))
    third = (number(high.translate(_HIGH[2])) + carry).to_bytes(pairs)
    sums = bytearray(3 * pairs)
    sums[0::3], sums[1::3], sums[2::3] = first, second, third
    if len(data) % 2:
        sums += bytes((data[-1] % 45, data[-1] // 45))
    return sums.translate(_TO_SYMBOL).decode("ascii")


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
    lanes = int.from_bytes(digits[: 3 * whole], "big")
    values = ((lanes >> 16) & _LOW_BYTE_OF_3) + 45 * ((lanes >> 8) & _LOW_BYTE_OF_3) + 2025 * (lanes & _LOW_BYTE_OF_3)
    # RFC 9285 §6: a group above 65535 MUST be rejected; it is the highest byte of its lane that tells.
    if values & _HIGH_BYTE_OF_3:
        raise _error("a group of three characters exceeds 65535")
    out = bytearray(values.to_bytes(3 * whole, "big"))
    del out[::3]
    if len(digits) % 3:
        last = digits[-2] + 45 * digits[-1]
        # RFC 9285 §6: likewise for a final pair above 255.
        if last > 0xFF:
            raise _error("the last two characters exceed 255")
        out.append(last)
    return bytes(out)


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.BASE_45_DECODING_FAILED, detail, step=Step.DECODE)
