"""The encoding layers under generated input: what is written reads back, and nothing but DecodeError comes out."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import base45, cbor, cose, cwt, deflate
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step

T = TypeVar("T")

DEPTH = 16
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

many = settings(derandomize=True, deadline=None, max_examples=200)
few = settings(many, max_examples=100)


def outcome(codes: Code | tuple[Code, ...], read: Callable[..., T], *args: Any, **options: Any) -> T | None:
    """What ``read`` returns, or None when it refuses as it may; any other exception is the failure of the test."""
    try:
        return read(*args, **options)
    except DecodeError as error:
        found = error
    assert found.code in (codes if isinstance(codes, tuple) else (codes,))
    assert found.step is Step.DECODE
    return None


# --- base45 ---


@many
@given(st.binary(max_size=100) | st.binary(min_size=2040, max_size=2060))
def test_base45_reads_back_what_it_writes(data: bytes) -> None:
    text = base45.encode(data)
    assert set(text) <= set(ALPHABET)
    assert len(text) == len(data) // 2 * 3 + len(data) % 2 * 2
    assert base45.decode(text) == data


@many
@given(st.text(ALPHABET, max_size=60) | st.text(ALPHABET[:16], max_size=60) | st.text(max_size=60))
def test_base45_text_that_is_read_is_the_only_one_of_its_bytes(text: str) -> None:
    data = outcome(Code.BASE_45_DECODING_FAILED, base45.decode, text)
    assert data is None or base45.encode(data) == text


# --- deflate ---

contents = st.binary(max_size=300) | st.builds(
    lambda unit, times: unit * times, st.binary(max_size=20), st.integers(0, 500)
)


@many
@given(contents)
def test_deflate_reads_back_what_it_writes_as_the_standard_library_does(data: bytes) -> None:
    compressed = deflate.deflate(data)
    assert deflate.inflate(compressed, limit=len(data)) == data
    assert zlib.decompress(compressed) == data
    assert deflate.inflate(zlib.compress(data), limit=len(data)) == data


@many
@given(contents, st.integers(0, 10_000))
def test_deflate_never_returns_more_than_the_limit(data: bytes, limit: int) -> None:
    result = outcome(Code.DECOMPRESSION_FAILED, deflate.inflate, zlib.compress(data), limit=limit)
    assert result == (data if len(data) <= limit else None)


# --- damage ---

Edit = tuple[str, int, int]
edits: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.sampled_from(("replace", "insert", "delete", "cut", "flip")), st.integers(0, 999), st.integers(0, 255)
    ),
    min_size=1,
    max_size=4,
)


def damaged(data: bytes, changes: list[Edit]) -> bytes:
    result = bytearray(data)
    for kind, place, byte in changes:
        at = place % (len(result) + 1)
        match kind:
            case "replace":
                result[at : at + 1] = bytes((byte,))
            case "insert":
                result[at:at] = bytes((byte,))
            case "delete":
                del result[at : at + 1]
            case "cut":
                del result[at:]
            case _ if at < len(result):
                result[at] ^= 1 << byte % 8
    return bytes(result)


@many
@given(st.binary(max_size=200), edits)
def test_damaged_stream_is_refused_or_has_the_same_content(data: bytes, changes: list[Edit]) -> None:
    """The checksum of RFC 1950 is weak, but not against a few changed bytes in a stream as short as these."""
    result = outcome(Code.DECOMPRESSION_FAILED, deflate.inflate, damaged(zlib.compress(data), changes), limit=1000)
    assert result in (None, data)


@many
@given(st.binary(max_size=100))
def test_deflate_of_anything_raises_only_its_error(data: bytes) -> None:
    result = outcome(Code.DECOMPRESSION_FAILED, deflate.inflate, data, limit=1000)
    assert result is None or zlib.decompress(data) == result


# --- CBOR ---

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers(-300, 300) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)

# Heads of every major type and length, of tags that cbor2 knows, and breaks: arbitrary bytes seldom nest.
heads = st.sampled_from(
    [
        *(bytes((initial,)) for initial in (0x00, 0x20, 0x40, 0x41, 0x60, 0x61, 0x80, 0x81, 0x84, 0xA0, 0xA1, 0xA2)),
        *(
            bytes((initial,))
            for initial in (0x5F, 0x7F, 0x9F, 0xBF, 0xFF, 0xF4, 0xF5, 0xF6, 0xF7, 0x1C, 0xFC, 0x01, 0x02)
        ),
        *(
            cbor2.dumps(cbor2.CBORTag(tag, 0))[:-1]
            for tag in (0, 1, 2, 4, 5, 18, 24, 25, 28, 29, 30, 35, 37, 61, 98, 256, 258)
        ),
        *(b"\xf9\x7e\x00", b"\xf9\x7c\x00", b"\xfb" + bytes(8), b"\x1b" + b"\xff" * 8, b"\x9b" + b"\xff" * 8),
    ]
)
almost_cbor = st.lists(heads | st.binary(max_size=3), max_size=40).map(b"".join)
junk = st.binary(max_size=60) | almost_cbor


@many
@given(values)
def test_cbor_reads_back_what_it_writes(value: object) -> None:
    data = cbor.encode(value)
    assert cbor.decode(data, max_depth=32) == value
    assert cbor2.loads(data) == value


@many
@given(junk)
def test_cbor_of_anything_raises_only_its_error(data: bytes) -> None:
    outcome(Code.CBOR_DESERIALIZATION_FAILED, cbor.decode, data, max_depth=DEPTH)


@many
@given(values, edits)
def test_damaged_cbor_raises_only_its_error(value: object, changes: list[Edit]) -> None:
    data = damaged(cbor2.dumps(value), changes)
    outcome(Code.CBOR_DESERIALIZATION_FAILED, cbor.decode, data, max_depth=DEPTH)


# --- CWT ---

LABELS = {4: "exp", 5: "nbf", 6: "iat"}
times = st.one_of(
    st.integers(0, 4_000_000_000),
    st.floats(),
    scalars,
    st.builds(cbor2.CBORTag, st.sampled_from((0, 1, 2, 100)), st.integers(0, 4_000_000_000) | scalars),
)
claim_sets = st.fixed_dictionaries({}, optional={1: scalars, 2: scalars, 4: times, 5: times, 6: times, -260: values})


def check_claims(claims: cwt.Claims) -> None:
    for label, moment in ((4, claims.expires_at), (5, claims.not_before), (6, claims.issued_at)):
        if moment is None:
            assert (LABELS[label] in claims.invalid) is (label in claims.raw)
        else:
            assert LABELS[label] not in claims.invalid
            assert math.isfinite(moment)
            assert 0 <= moment < 253402300800  # The year 10000, which datetime does not know.
    assert claims.issuer is None or isinstance(claims.issuer, str)


@many
@given(claim_sets)
def test_every_time_claim_is_a_moment_or_missing_or_named_invalid(claims: dict[int, Any]) -> None:
    check_claims(cwt.decode_claims(cbor2.dumps(claims), max_depth=DEPTH))


@many
@given(junk | claim_sets.map(cbor2.dumps), edits)
def test_claims_of_anything_raise_only_their_error(data: bytes, changes: list[Edit]) -> None:
    for payload in (data, damaged(data, changes)):
        claims = outcome(Code.CBOR_DESERIALIZATION_FAILED, cwt.decode_claims, payload, max_depth=DEPTH)
        if claims is not None:
            check_claims(claims)


# --- COSE ---

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PROTECTED = cbor2.dumps({1: -8, 4: b"12345678"})
PAYLOAD = cbor2.dumps({1: "AT", 4: 1683849600, 6: 1620324000, -260: {1: {"ver": "1.3.0", "v": []}}})
MESSAGE = cose.assemble_sign1(
    PROTECTED, PAYLOAD, Algorithm.EdDSA.sign(KEY, cbor2.dumps(["Signature1", PROTECTED, b"", PAYLOAD]))
)


def decode_sign1(data: bytes) -> cose.Sign1 | None:
    codes = (Code.COSE_DESERIALIZATION_FAILED, Code.CRITICAL_HEADER_UNKNOWN)
    return outcome(codes, cose.decode_sign1, data, max_depth=DEPTH)


@many
@given(junk)
def test_sign1_of_anything_raises_only_its_error(data: bytes) -> None:
    string = cbor2.dumps(data)
    header = b"\xa1\x02" + data  # Its own value of crit.
    for whole in (
        data,
        b"\xd2\x84" + data,
        b"\xd2\x84" + string + b"\xa0\x40\x40",
        b"\xd2\x84\x40" + data + b"\x40\x40",
        b"\xd2\x84" + cbor2.dumps(header) + b"\xa0\x40\x40",
    ):
        decoded = decode_sign1(whole)
        if decoded is not None:
            assert cbor2.loads(decoded.to_be_signed())[0] == "Signature1"
            assert decoded.algorithm is None or isinstance(decoded.algorithm, Algorithm)


@settings(many, max_examples=300)
@given(edits)
def test_damaged_message_is_refused_or_does_not_verify_or_says_the_same(changes: list[Edit]) -> None:
    decoded = decode_sign1(damaged(MESSAGE, changes))
    if decoded is None or not Algorithm.EdDSA.verify(KEY.public_key(), decoded.signature, decoded.to_be_signed()):
        return
    assert (decoded.protected_bytes, decoded.payload) == (PROTECTED, PAYLOAD)
    assert decoded.protected == {1: -8, 4: b"12345678"}


@pytest.mark.parametrize("bit", range(8))
def test_no_single_bit_of_what_is_signed_can_be_changed(bit: int) -> None:
    assert decode_sign1(MESSAGE) is not None
    accepted = []
    for place in range(len(MESSAGE)):
        changed = bytearray(MESSAGE)
        changed[place] ^= 1 << bit
        decoded = decode_sign1(bytes(changed))
        if decoded and Algorithm.EdDSA.verify(KEY.public_key(), decoded.signature, decoded.to_be_signed()):
            accepted.append(place)
    assert accepted == []


@few
@given(st.binary(max_size=300), st.binary(max_size=300), values)
def test_sign1_reads_back_what_it_writes(payload: bytes, signature: bytes, extra: object) -> None:
    protected = cbor2.dumps({1: -7, "extra": [extra]})
    decoded = cose.decode_sign1(cose.assemble_sign1(protected, payload, signature), max_depth=32)
    assert (decoded.protected_bytes, decoded.payload, decoded.signature) == (protected, payload, signature)
    assert decoded.protected == {1: -7, "extra": [extra]}
    assert decoded.to_be_signed() == cbor2.dumps(["Signature1", protected, b"", payload])
