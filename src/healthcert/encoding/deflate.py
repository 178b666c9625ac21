"""ZLIB streams (RFC 1950), inflated within a bound."""

from __future__ import annotations

from zlib_ng import zlib_ng

from healthcert.errors import Code, DecodeError, Step


def deflate(data: bytes) -> bytes:
    """``data`` as a ZLIB stream, as small as the library makes it."""
    return zlib_ng.compress(data, 9)


def inflate(data: bytes, *, limit: int) -> bytes:
    """The content of one whole ZLIB stream, at most ``limit`` bytes.

    Raises :class:`DecodeError` (``DECOMPRESSION_FAILED``) when the stream is damaged or cut short, has bytes
    after its end, or holds more than ``limit`` bytes; memory use is bounded by ``limit`` in every case.
    """
    stream = zlib_ng.decompressobj()
    try:
        # One byte more than allowed is enough to tell a bomb.
        content = stream.decompress(data, limit + 1)
    except zlib_ng.error:  # type: ignore[misc]  # its stub calls the exception a value
        raise _error("not a valid ZLIB stream") from None
    if len(content) > limit:
        raise _error(f"more than {limit} bytes after decompression")
    # RFC 1950 §2.2: a stream ends with its checksum; what follows is not part of it.
    if not stream.eof:
        raise _error("the ZLIB stream is cut short")
    if stream.unused_data:
        raise _error("bytes after the end of the ZLIB stream")
    return content


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.DECOMPRESSION_FAILED, detail, step=Step.DECODE)
