"""NZ COVID Pass under generated input: what is written reads back, and nothing unforeseen comes out of what is not."""

from __future__ import annotations

import base64
import copy
import string
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import base32
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, HealthCertError, Step, VerificationError
from healthcert.families.nzcp.family import NZCP
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Holder
from tests.support_nzcp import CLAIMS, START, Press, issued, signing_key

many = settings(derandomize=True, deadline=None, max_examples=200)
few = settings(many, max_examples=100)
ALPHABET = string.ascii_uppercase + "234567"
GENUINE = issued()

T = TypeVar("T")

names = st.text(st.characters(categories=("L", "M", "N", "Pd", "Zs")), min_size=1, max_size=60).filter(
    lambda name: bool(name.strip()) and name.isprintable()
)


def outcome(read: Callable[[], T]) -> T | HealthCertError:
    """What ``read`` returns, or how it refuses; any other exception is the failure of the test."""
    try:
        return read()
    except HealthCertError as error:
        return error


# --- base32 ---


@many
@given(st.binary(max_size=100))
def test_base32_reads_back_what_it_writes(data: bytes) -> None:
    text = base32.encode(data)
    assert set(text) <= set(ALPHABET)
    assert base32.decode(text) == data


@many
@given(st.text(ALPHABET, max_size=40) | st.text(max_size=20) | st.text(ALPHABET + "=_+- 018a", max_size=20))
def test_base32_text_that_is_read_is_the_only_one_of_its_bytes(text: str) -> None:
    padded = text.encode("utf-8", "surrogatepass") + b"=" * (-len(text) % 8)
    data = outcome(lambda: base32.decode(text))
    if isinstance(data, bytes):
        assert base32.encode(data) == text
        assert base64.b32decode(padded) == data
        return
    assert isinstance(data, DecodeError)
    assert (data.code, data.step) == (Code.BASE_32_DECODING_FAILED, Step.DECODE)
    with suppress(ValueError):
        # What another decoder reads all the same is then a second spelling.
        assert base32.encode(base64.b32decode(padded)) != text


# --- Passes ---


@few
@given(
    given_name=names,
    family_name=st.none() | names,
    born=st.dates(date(1900, 1, 1)),
    life=st.integers(1, 10**8),
    cti=st.uuids(),
)
def test_whatever_is_issued_is_read_back(
    given_name: str, family_name: str | None, born: date, life: int, cti: UUID
) -> None:
    holder = Holder(given_name=given_name, family_name=family_name, birth_date=born.isoformat())
    decoded = NZCP.decode(issued(holder, cti=cti, expires_at=START + timedelta(seconds=life)), DEFAULT_LIMITS)
    certificate, findings = NZCP.parse(decoded, ())
    assert (decoded.findings, findings, NZCP.check_signer(decoded)) == ((), (), None)
    assert certificate.identifiers == (cti.urn,)
    assert certificate.holder.birth_date == born.isoformat()
    # Names are composed, and otherwise as they were given.
    assert len(certificate.holder.name) <= len(f"{given_name} {family_name or ''}")
    assert Algorithm.ES256.verify(signing_key().public_key(), decoded.signature, decoded.signed)


@many
@given(st.integers(0, len(GENUINE) - 1), st.sampled_from(ALPHABET + "a=/ 0"))
def test_a_pass_with_one_other_character_is_no_longer_signed(at: int, letter: str) -> None:
    text = GENUINE[:at] + letter + GENUINE[at + 1 :]
    if text == GENUINE or not NZCP.recognises(text):
        return
    decoded = outcome(lambda: NZCP.decode(text, DEFAULT_LIMITS))
    if isinstance(decoded, HealthCertError):
        assert isinstance(decoded, DecodeError)
        assert decoded.step is Step.DECODE
        return
    assert not Algorithm.ES256.verify(signing_key().public_key(), decoded.signature, decoded.signed)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
PLACES: list[tuple[Any, ...]] = [
    (1,), (4,), (5,), (6,), (7,), ("vc",), ("vc", "@context"), ("vc", "type"), ("vc", "version"),
    ("vc", "credentialSubject"), ("vc", "credentialSubject", "givenName"), ("vc", "credentialSubject", "familyName"),
    ("vc", "credentialSubject", "dob"), ("vc", 5), ("vc", "credentialSubject", 5), (-70001,), ("more",),
]  # fmt: skip


@many
@given(st.sampled_from(PLACES), values)
def test_any_value_anywhere_is_read_or_refused_by_name(place: tuple[Any, ...], value: Any) -> None:
    claims = copy.deepcopy(CLAIMS)
    part = claims
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    decoded = outcome(lambda: NZCP.decode(Press(claims=claims).text(), DEFAULT_LIMITS))
    if isinstance(decoded, HealthCertError):
        assert isinstance(decoded, DecodeError)
        assert decoded.step is Step.DECODE
        return
    assert NZCP.check_signer(decoded) in (None, "iss is missing, or no text", "iss is not a DID of the web")
    read = outcome(lambda: NZCP.parse(decoded, ()))
    if isinstance(read, HealthCertError):
        assert isinstance(read, VerificationError)
        assert (read.code, read.step) in (
            (Code.SCHEMA_VALIDATION_FAILED, Step.CONTENT),
            (Code.CONTENT_NOT_SUPPORTED, Step.CONTENT),
        )
        return
    certificate, _ = read
    assert certificate.holder.given_name
    assert len(certificate.identifiers) == 1


@many
@given(st.binary(max_size=80) | values.map(cbor2.dumps) | st.binary(max_size=60).map(lambda tail: b"\xd2\x84" + tail))
def test_no_message_raises_anything_unforeseen(message: bytes) -> None:
    text = "NZCP:/1/" + base32.encode(message)
    with pytest.raises(HealthCertError):
        NZCP.decode(text, DEFAULT_LIMITS)
    with pytest.raises(HealthCertError):
        list(NZCP.layers(text, DEFAULT_LIMITS))
