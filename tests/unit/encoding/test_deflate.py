"""ZLIB streams (RFC 1950): whole ones only, and never more than the limit. The standard library is the oracle."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import pytest

from healthcert.encoding import deflate
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import DEFAULT_LIMITS

TEXT = b"one certificate, one stream: " * 20
LIMIT = 4096


def refusal(data: bytes, *, limit: int = LIMIT) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        deflate.inflate(data, limit=limit)
    error = caught.value
    assert (error.code, error.step) == (Code.DECOMPRESSION_FAILED, Step.DECODE)
    return error


def stream(data: bytes, *, wbits: int, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    compressor = zlib.compressobj(wbits=wbits, strategy=strategy)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize("data", [b"", b"x", TEXT, bytes(range(256)) * 300], ids=len)
def test_deflated_is_one_whole_stream_at_the_highest_level(data: bytes) -> None:
    compressed = deflate.deflate(data)
    # RFC 1950 §2.2: 78 is deflate with a 32 KiB window, da says "maximum compression" (FLEVEL 3).
    assert compressed[:2] == b"\x78\xda"
    reader = zlib.decompressobj()
    assert reader.decompress(compressed) == data
    assert reader.eof
    assert not reader.unused_data


@pytest.mark.parametrize("level", range(10))
def test_every_level_inflates(level: int) -> None:
    """Issuers in the field write 78 9c and 78 da; the level is the issuer's business."""
    assert deflate.inflate(zlib.compress(TEXT, level), limit=LIMIT) == TEXT


@pytest.mark.parametrize("window", range(9, 16))
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED])
def test_every_window_and_strategy_inflates(window: int, strategy: int) -> None:
    assert deflate.inflate(stream(TEXT, wbits=window, strategy=strategy), limit=LIMIT) == TEXT


@pytest.mark.parametrize("limit", [0, 1, 255, 16383, 16384, 16385, 65536, DEFAULT_LIMITS.inflated_bytes])
def test_limit_itself_is_allowed_and_one_more_is_not(limit: int) -> None:
    assert deflate.inflate(zlib.compress(bytes(limit), 9), limit=limit) == bytes(limit)
    assert str(limit) in refusal(zlib.compress(bytes(limit + 1), 9), limit=limit).detail


@pytest.mark.parametrize("size", [0, 1, len(TEXT)])
def test_every_truncation_is_refused(size: int) -> None:
    """RFC 1950 §2.2: the stream ends with the checksum of its content, so no shorter one is whole."""
    whole = zlib.compress(TEXT[:size], 9)
    for end in range(len(whole)):
        refusal(whole[:end])


@pytest.mark.parametrize("tail", [b"\x00", b"\n", b"HC1", zlib.compress(b"x"), zlib.compress(b"")], ids=repr)
def test_bytes_after_the_stream_are_refused(tail: bytes) -> None:
    assert "after the end" in refusal(zlib.compress(TEXT, 9) + tail).detail


def test_content_of_exactly_the_limit_does_not_hide_trailing_bytes_or_truncation() -> None:
    whole = zlib.compress(bytes(LIMIT), 9)
    refusal(whole + b"\x00", limit=LIMIT)
    refusal(whole[:-1], limit=LIMIT)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(stream(TEXT, wbits=-15), id="raw deflate"),
        pytest.param(gzip.compress(TEXT, mtime=0), id="gzip"),
        pytest.param(b"\xd2\x84\x40\xa0\x40\x40", id="uncompressed COSE, as in test Z2 of the public suite"),
        pytest.param(b"\x78\xdb" + zlib.compress(TEXT, 9)[2:], id="header checksum"),
        pytest.param(b"\x77\x85" + zlib.compress(TEXT, 9)[2:], id="method other than deflate"),
        pytest.param(b"\x88\x1c" + zlib.compress(TEXT, 9)[2:], id="window beyond 32 KiB"),
        pytest.param(b"\x78\x9c\x07" + bytes(8), id="block type 3"),
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"\xff" * 64, id="ones"),
    ],
)
def test_what_is_no_zlib_stream_is_refused(data: bytes) -> None:
    refusal(data)


def test_preset_dictionary_is_refused() -> None:
    """RFC 1950 §2.2, FDICT: nothing agrees on a dictionary for health certificates."""
    compressor = zlib.compressobj(zdict=TEXT[:50])
    refusal(compressor.compress(TEXT) + compressor.flush())


@pytest.mark.parametrize("place", [-4, -3, -2, -1])
def test_wrong_checksum_is_refused(place: int) -> None:
    damaged = bytearray(zlib.compress(TEXT, 9))
    damaged[place] ^= 0x01
    refusal(bytes(damaged))


@pytest.mark.parametrize(
    "content",
    [b"", b"x", TEXT + bytes.fromhex("e5564300c360ac729086e2cc806e828a"), bytes(1000) + b"end"],
    ids=len,
)
def test_no_bit_before_the_checksum_can_be_changed(content: bytes) -> None:
    """RFC 1951 §3.2.3: what is left of the last byte carries nothing; set bits there would be another text."""
    ignored = 0
    for level in (1, 6, 9):
        whole = zlib.compress(content, level)
        deflate.inflate(whole, limit=LIMIT)
        for bit in range(8):
            changed = bytearray(whole)
            changed[-5] ^= 1 << bit
            refusal(bytes(changed))
            with contextlib.suppress(zlib.error):
                ignored += zlib.decompress(changed) == content
    assert ignored, "no such bit in these streams: the test proves nothing"


def test_set_bits_after_the_end_of_the_compressed_data_are_refused() -> None:
    """The empty stream by hand: 3 bits of header, 7 of end-of-block, 6 that the standard library ignores."""
    whole = bytes.fromhex("78da030000000001")
    assert deflate.inflate(whole, limit=0) == b""
    for stray in range(1 << 2, 1 << 8, 1 << 2):
        changed = whole[:3] + bytes((stray,)) + whole[4:]
        assert zlib.decompress(changed) == b""
        assert "bits" in refusal(changed).detail


@pytest.mark.parametrize("bit", range(3, 8))
def test_a_stored_block_has_no_room_for_other_bits(bit: int) -> None:
    """RFC 1951 §3.2.4: what an RSA certificate compresses to; five bits before the next byte are ignored."""
    stored = bytearray(zlib.compress(TEXT, 0))
    assert deflate.inflate(bytes(stored), limit=LIMIT) == TEXT
    stored[2] |= 1 << bit
    refusal(bytes(stored))


def test_memory_stays_within_the_limit_for_a_bomb() -> None:
    size, limit = 32 * 1024 * 1024, DEFAULT_LIMITS.inflated_bytes
    bomb = zlib.compress(bytes(size), 9)
    assert size > 900 * len(bomb)

    def peak(allowed: int) -> int:
        tracemalloc.start()
        try:
            deflate.inflate(bomb, limit=allowed)
        except DecodeError:
            pass
        finally:
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return used

    assert peak(size) >= size, "the measurement does not see what the decompressor allocates"
    assert peak(limit) < 4 * limit


def test_error_never_quotes_the_content() -> None:
    error = refusal(zlib.compress(b"SECRET-MARKER") + b"SECRET-MARKER")
    assert "MARKER" not in f"{error!r}{error}"


def test_a_stream_whose_last_code_looks_meaningless_is_still_read() -> None:
    # The highest set bit of the last byte belongs to a match whose other distance would give the same bytes.
    periodic = b"cccccccccccccccccabccaababcabaaccc"
    assert deflate.inflate(zlib.compress(periodic, 1), limit=100) == periodic
