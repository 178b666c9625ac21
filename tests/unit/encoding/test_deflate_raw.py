"""DEFLATE streams without a frame (RFC 1951): whole ones only, and never more than the limit."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from healthcert.encoding import deflate
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import DEFAULT_LIMITS

TEXT = b"one certificate, one stream: " * 20
LIMIT = 4096


def raw(data: bytes, level: int = 9) -> bytes:
    compressor = zlib.compressobj(level, wbits=-15)
    return compressor.compress(data) + compressor.flush()


def refusal(data: bytes, *, limit: int = LIMIT) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        deflate.inflate_raw(data, limit=limit)
    assert (caught.value.code, caught.value.step) == (Code.DECOMPRESSION_FAILED, Step.DECODE)
    return caught.value


@pytest.mark.parametrize("data", [b"", b"x", TEXT, bytes(range(256)) * 300], ids=len)
def test_deflated_has_no_frame(data: bytes) -> None:
    compressed = deflate.deflate(data, raw=True)
    assert zlib.decompress(compressed, wbits=-15) == data
    assert deflate.inflate_raw(compressed, limit=len(data)) == data


@pytest.mark.parametrize("level", range(10))
def test_every_level_inflates(level: int) -> None:
    assert deflate.inflate_raw(raw(TEXT, level), limit=LIMIT) == TEXT


@pytest.mark.parametrize("limit", [0, 1, 255, 65536, DEFAULT_LIMITS.inflated_bytes])
def test_limit_itself_is_allowed_and_one_more_is_not(limit: int) -> None:
    assert deflate.inflate_raw(raw(bytes(limit)), limit=limit) == bytes(limit)
    assert str(limit) in refusal(raw(bytes(limit + 1)), limit=limit).detail


def test_no_part_of_a_stream_and_nothing_more_than_it_is_read() -> None:
    whole = raw(TEXT)
    for size in range(len(whole)):
        refusal(whole[:size])
    assert "after the end" in refusal(whole + b"\0").detail
    assert "not a valid DEFLATE" in refusal(zlib.compress(TEXT)).detail


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = raw(bytes(200_000_000))
    tracemalloc.start()
    refusal(bomb, limit=DEFAULT_LIMITS.inflated_bytes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * DEFAULT_LIMITS.inflated_bytes
