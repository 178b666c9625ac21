"""ZLIB streams (RFC 1950), and DEFLATE streams without their frame (RFC 1951), inflated within a bound."""

from __future__ import annotations

from zlib_ng import zlib_ng

from healthcert.errors import Code, DecodeError, Step

_HEADER_SIZE = 2
_CHECKSUM_SIZE = 4
_ZLIB, _RAW = 15, -15  # window sizes as zlib has them; a negative one means no header and no checksum


def deflate(data: bytes, *, raw: bool = False) -> bytes:
    """``data`` as a ZLIB stream, as small as the library makes it; ``raw`` leaves out its header and checksum."""
    return zlib_ng.compress(data, 9, wbits=_RAW if raw else _ZLIB)


def inflate(data: bytes, *, limit: int) -> bytes:
    """The content of one whole ZLIB stream, at most ``limit`` bytes.

    Raises :class:`DecodeError` (``DECOMPRESSION_FAILED``) when the stream is damaged or cut short, has bytes
    or set bits after its end, or holds more than ``limit`` bytes; memory use is bounded by ``limit`` in every case.
    """
    stream, content = _inflate(data, limit)
    if len(content) > limit:
        raise _error(f"more than {limit} bytes after decompression")
    # RFC 1950 §2.2: a stream ends with its checksum; what follows is not part of it.
    if not stream.eof:
        raise _error("the ZLIB stream is cut short")
    if stream.unused_data:
        raise _error("bytes after the end of the ZLIB stream")
    # RFC 1951 §3.2.4: a stored block begins at the next byte; an incompressible message is one.
    stored = not data[_HEADER_SIZE] & 0b110
    if (stored and data[_HEADER_SIZE] >> 3) or _has_stray_bits(data, content, limit):
        raise _error("bits set that belong to no code")
    return content


def inflate_raw(data: bytes, *, limit: int) -> bytes:
    """The content of one whole DEFLATE stream without header and checksum, at most ``limit`` bytes.

    Raises :class:`DecodeError` (``DECOMPRESSION_FAILED``) when the stream is damaged or cut short, has bytes after its
    end, or holds more than ``limit`` bytes. Bits after the end are not looked at: where such streams are used, it is
    they that are signed, so that nobody can change a bit.
    """
    stream, content = _inflate(data, limit, _RAW)
    if len(content) > limit:
        raise _error(f"more than {limit} bytes after decompression")
    # RFC 1951 §3.2.3: the last block says so; what follows it is not part of the stream.
    if not stream.eof:
        raise _error("the DEFLATE stream is cut short")
    if stream.unused_data:
        raise _error("bytes after the end of the DEFLATE stream")
    return content


def _inflate(data: bytes, limit: int, window: int = _ZLIB) -> tuple[zlib_ng._Decompress, bytes]:
    # RFC 1950 §2.2: a header, compressed data, a checksum.
    stream = zlib_ng.decompressobj(window)
    try:
        # One byte more than allowed is enough to tell a bomb.
        return stream, stream.decompress(data, limit + 1)
    except zlib_ng.error:  # type: ignore[misc]  # its stub calls the exception a value
        raise _error(f"not a valid {'ZLIB' if window == _ZLIB else 'DEFLATE'} stream") from None


def _has_stray_bits(data: bytes, content: bytes, limit: int) -> bool:
    """Whether a bit is set between the last code and the next byte, where every compressor writes zeros.

    Inflating ignores those bits, so that any certificate could be given other texts by changing a character or
    two. (Deflate leaves an encoder other freedoms; what is signed is the same under all of them.) The byte in
    question is the last before the checksum (RFC 1950 §2.2), filled from its lowest bit (RFC 1951 §3.1.1). Its
    highest set bit is stray if it and all above it can be flipped, one at a time, without a difference; were it
    part of a code, the code that ends the block would lie above it, and at least one of its bits would matter.
    """
    last = len(data) - 1 - _CHECKSUM_SIZE
    if not data[last]:
        return False
    highest = data[last].bit_length() - 1
    return all(_ignores(data, last, 1 << bit, content, limit) for bit in range(highest, 8))


def _ignores(data: bytes, position: int, bit: int, content: bytes, limit: int) -> bool:
    flipped = data[:position] + bytes((data[position] ^ bit,)) + data[position + 1 :]
    try:
        stream, same = _inflate(flipped, limit)
    except DecodeError:
        return False
    return stream.eof and same == content


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.DECOMPRESSION_FAILED, detail, step=Step.DECODE)
