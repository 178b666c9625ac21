"""CWT claims (RFC 8392): which values are a moment, and what is said of those that are not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from healthcert.encoding import cwt
from healthcert.errors import Code, DecodeError, Step

MOMENT = int(datetime(2021, 6, 1, 12, tzinfo=UTC).timestamp())
LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
FLOAT, TAGGED = Code.FLOAT_TIME, Code.TAGGED_TIME
NAN, INFINITY = float("nan"), float("inf")
TIMES = {4: ("exp", "expires_at"), 5: ("nbf", "not_before"), 6: ("iat", "issued_at")}


def decode(claims: object) -> cwt.Claims:
    return cwt.decode_claims(claims if isinstance(claims, bytes) else cbor2.dumps(claims), max_depth=16)


def tag(number: int, value: object) -> cbor2.CBORTag:
    return cbor2.CBORTag(number, value)


@pytest.mark.parametrize("label", TIMES)
@pytest.mark.parametrize(
    ("value", "seconds", "quirks"),
    [
        pytest.param(MOMENT, MOMENT, (), id="integer"),
        pytest.param(0, 0, (), id="1970"),
        pytest.param(LAST, LAST, (), id="last second of 9999"),
        pytest.param(float(MOMENT), MOMENT, (FLOAT,), id="whole float"),
        pytest.param(MOMENT + 0.25, MOMENT + 0.25, (FLOAT,), id="float"),
        pytest.param(tag(1, MOMENT), MOMENT, (TAGGED,), id="tag 1"),
        pytest.param(tag(1, MOMENT + 0.5), MOMENT + 0.5, (TAGGED, FLOAT), id="tag 1 and float"),
    ],
)
def test_moment_is_read_and_its_departures_named(
    label: int, value: object, seconds: float, quirks: tuple[Code, ...]
) -> None:
    """RFC 8392 §2: NumericDate is a number of seconds, and its leading tag 1 MUST be omitted."""
    claims = decode({label: value})
    assert getattr(claims, TIMES[label][1]) == seconds
    assert claims.quirks == quirks
    assert claims.invalid == ()


@pytest.mark.parametrize("label", TIMES)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(NAN, id="NaN"),
        pytest.param(INFINITY, id="infinity"),
        pytest.param(-INFINITY, id="minus infinity"),
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param(None, id="null"),
        pytest.param(-1, id="negative"),
        pytest.param(-0.5, id="negative float"),
        pytest.param(LAST + 1, id="year 10000"),
        pytest.param(float(LAST + 1), id="year 10000 as float"),
        pytest.param(MOMENT * 1000, id="milliseconds"),
        pytest.param(2**64 - 1, id="largest integer"),
        pytest.param(1e300, id="large float"),
        pytest.param(str(MOMENT), id="digits"),
        pytest.param("2021-06-01T12:00:00Z", id="text"),
        pytest.param(b"\x60", id="bytes"),
        pytest.param([MOMENT], id="array"),
        pytest.param({1: MOMENT}, id="map"),
        pytest.param(tag(0, "2021-06-01T12:00:00Z"), id="tag 0"),
        pytest.param(tag(2, b"\x60\xb6\x22\x22"), id="big number"),
        pytest.param(tag(100, 18779), id="tag 100, days"),
        pytest.param(tag(1, "2021-06-01T12:00:00Z"), id="tag 1 around text"),
        pytest.param(tag(1, NAN), id="tag 1 around NaN"),
        pytest.param(tag(1, True), id="tag 1 around true"),
        pytest.param(tag(1, tag(1, MOMENT)), id="tag 1 twice"),
        pytest.param(tag(1, -1), id="tag 1 around a negative"),
    ],
)
def test_what_is_no_moment_is_named_invalid(label: int, value: object) -> None:
    claims = decode({label: value, 1: "AT"})
    name, attribute = TIMES[label]
    assert claims.invalid == (name,)
    assert getattr(claims, attribute) is None
    assert claims.issuer == "AT"


def test_missing_times_are_none_and_not_invalid() -> None:
    claims = decode({})
    assert (claims.expires_at, claims.not_before, claims.issued_at, claims.issuer) == (None, None, None, None)
    assert (claims.invalid, claims.quirks, claims.raw) == ((), (), {})


def test_each_claim_has_its_own_label() -> None:
    """RFC 8392 §4: iss 1, exp 4, nbf 5, iat 6; in whatever order."""
    claims = decode({6: MOMENT, 5: MOMENT + 1, 4: MOMENT + 2, 1: "AT", -260: {1: {}}, 2: "sub", 7: b"cti"})
    assert (claims.issued_at, claims.not_before, claims.expires_at) == (MOMENT, MOMENT + 1, MOMENT + 2)
    assert claims.issuer == "AT"
    assert claims.raw[-260] == {1: {}}


def test_names_in_place_of_labels_are_no_claims() -> None:
    claims = decode({"exp": MOMENT, "4": MOMENT, "iss": "AT"})
    assert (claims.expires_at, claims.issuer, claims.invalid) == (None, None, ())


@pytest.mark.parametrize("key", [b"\x04", 4.0, True, None, (4,)])
def test_a_claim_key_is_an_integer_or_text(key: object) -> None:
    """RFC 8392 §1.1; 4.0 and true would pass for 4 and 1 in Python."""
    with pytest.raises(DecodeError) as caught:
        decode({key: MOMENT})
    assert caught.value.code is Code.CBOR_DESERIALIZATION_FAILED


def test_every_invalid_claim_and_quirk_is_reported() -> None:
    claims = decode({4: "x", 5: float(MOMENT), 6: tag(1, MOMENT)})
    assert claims.invalid == ("exp",)
    assert set(claims.quirks) == {FLOAT, TAGGED}
    assert decode({4: NAN, 5: True, 6: -1}).invalid == ("exp", "nbf", "iat")


@pytest.mark.parametrize("issuer", [b"AT", 1, None, ["AT"], {1: "AT"}, True, tag(0, "AT")], ids=repr)
def test_issuer_of_another_type_is_no_issuer(issuer: object) -> None:
    assert decode({1: issuer}).issuer is None


@pytest.mark.parametrize("issuer", ["AT", "", "CH BAG", "Ministère de la Santé"])
def test_issuer_is_any_text(issuer: str) -> None:
    """RFC 8392 §3.1.1: a StringOrURI; that HCERT wants a country code is not this layer's business."""
    assert decode({1: issuer}).issuer == issuer


@pytest.mark.parametrize(
    "payload",
    [
        *(cbor2.dumps(value) for value in ([], [[4, MOMENT]], "text", b"\xa0", 0, None, True, 1.5)),
        cbor2.dumps(tag(61, {4: MOMENT})),
        cbor2.dumps(tag(55799, {})),
        b"",
        b"\xa1\x04",
        b"\xa0\x00",
        b"\xa2\x04\x01\x04\x02",
        b"\xa1\x01" + b"\x81" * 16 + b"\x00",
        b"HC1:",
        b'{"4": 1}',
    ],
    ids=bytes.hex,
)
def test_what_is_not_one_map_is_refused(payload: bytes) -> None:
    """RFC 8392 §1.1: the claims set is a CBOR map; ``CBO1`` of the public suite is no CBOR at all."""
    with pytest.raises(DecodeError) as caught:
        decode(payload)
    assert (caught.value.code, caught.value.step) == (Code.CBOR_DESERIALIZATION_FAILED, Step.DECODE)


def test_claims_are_named_for_people() -> None:
    raw: dict[Any, Any] = {1: "AT", 4: MOMENT, 5: 1, 6: 2, -260: {}, 99: 0, "own": 1}
    assert cwt.named(raw) == {"iss": "AT", "exp": MOMENT, "nbf": 1, "iat": 2, "hcert": {}, "99": 0, '"own"': 1}
