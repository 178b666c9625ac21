"""The short cut for the usual form of a COSE_Sign1 and the general decoder read every message alike."""

from __future__ import annotations

import random

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.encoding import base45, cose, deflate
from tests.support import Press

HEADERS = st.dictionaries(st.integers(-9, 9) | st.text(max_size=2), st.integers(-40, 40))
USUAL = deflate.inflate(base45.decode(Press().text()[4:]), limit=10_000)


def read(data: bytes) -> cose.Sign1 | hc.Code:
    try:
        return cose._decode_any(data, 16)
    except hc.DecodeError as error:
        return error.code


def assert_alike(data: bytes) -> bool:
    usual = cose._decode_usual(data, 16)
    assert usual is None or usual == read(data), data.hex()
    return usual is not None


def test_the_usual_form_takes_the_short_cut() -> None:
    assert assert_alike(USUAL)


def test_every_changed_byte_is_read_alike() -> None:
    taken = 0
    for position in range(len(USUAL)):
        for value in (0x00, 0x40, 0x58, 0x59, 0x5A, 0x5F, 0xA0, 0xA1, 0xD2, 0xFF, USUAL[position] ^ 1):
            taken += assert_alike(USUAL[:position] + bytes((value,)) + USUAL[position + 1 :])
    assert taken > len(USUAL)


def test_every_cut_and_every_gap_is_read_alike() -> None:
    for position in range(len(USUAL)):
        assert not assert_alike(USUAL[:position])
        assert_alike(USUAL[:position] + USUAL[position + 1 :])
        assert_alike(USUAL[:position] + b"\0" + USUAL[position:])


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(
    st.binary(max_size=30) | HEADERS.map(cbor2.dumps),
    st.binary(max_size=300),
    st.binary(max_size=80),
)
def test_every_message_of_the_form_is_read_alike(protected: bytes, payload: bytes, signature: bytes) -> None:
    assert_alike(cose.assemble_sign1(protected, payload, signature))


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_read_alike(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(200):
        damaged = bytearray(USUAL)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(8 if chance.random() < 0.5 else len(damaged))] = chance.randrange(256)
        assert_alike(bytes(damaged))
