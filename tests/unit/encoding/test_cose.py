"""COSE_Sign1 (RFC 9052): one form in three tags, strict headers, and exactly the bytes that were signed."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from healthcert.encoding import cose
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step

PROTECTED = cbor2.dumps({1: -7, 4: b"kid-8byt"})
PAYLOAD, SIGNATURE = b"the payload", b"the signature"
PARTS: tuple[Any, ...] = (PROTECTED, {}, PAYLOAD, SIGNATURE)


def tagged(value: object, *tags: int) -> bytes:
    """``value`` in CBOR, inside the tags given from the outermost to the innermost."""
    for tag in reversed(tags):
        value = cbor2.CBORTag(tag, value)
    return cbor2.dumps(value)


def message(protected: object = PROTECTED, unprotected: object = None) -> bytes:
    return tagged([protected, {} if unprotected is None else unprotected, PAYLOAD, SIGNATURE], 18)


def decode(data: bytes) -> cose.Sign1:
    return cose.decode_sign1(data, max_depth=16)


def refusal(data: bytes, code: Code = Code.COSE_DESERIALIZATION_FAILED) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(data)
    error = caught.value
    assert (error.code, error.step) == (code, Step.DECODE)
    assert "kid-8byt" not in f"{error!r}{error}"
    return error


@pytest.mark.parametrize("tags", [(), (18,), (61, 18)], ids=str)
def test_untagged_tag_18_and_cwt_tag_around_it_are_read_alike(tags: tuple[int, ...]) -> None:
    """RFC 9052 §2 (untagged, 18) and RFC 8392 §6 (61 around 18)."""
    assert decode(tagged(PARTS, *tags)) == cose.Sign1(
        PROTECTED,
        {1: -7, 4: b"kid-8byt"},
        {},
        PAYLOAD,
        SIGNATURE,
        cose.Signer(b"kid-8byt", -7, Algorithm.ES256, "ES256"),
    )


@pytest.mark.parametrize(
    "tags",
    [
        *((17,), (16,), (96,), (97,), (98,), (19,), (998,), (24,), (55799,)),
        *((61,), (61, 17), (61, 98), (61, 61), (61, 61, 18)),
        *((18, 18), (18, 61), (18, 61, 18), (61, 18, 18), (61, 18, 61), (55799, 18), (61, 55799, 18)),
    ],
    ids=str,
)
def test_any_other_tag_is_refused(tags: tuple[int, ...]) -> None:
    refusal(tagged(PARTS, *tags))


@pytest.mark.parametrize(
    "value",
    [[], PARTS[:3], (*PARTS, b""), {0: 1, 1: 2, 2: 3, 3: 4}, b"\x84\x40\xa0\x40\x40", "abcd", 4, None, True],
    ids=repr,
)
@pytest.mark.parametrize("tags", [(), (18,), (61, 18)], ids=str)
def test_anything_but_an_array_of_four_is_refused(value: object, tags: tuple[int, ...]) -> None:
    refusal(tagged(value, *tags))


WRONG_TYPES: dict[int, list[Any]] = {
    0: [None, "text", 0, {1: -7}, [], True],
    1: [None, b"", b"\xa0", [], "", 0],
    2: ["text", 0, {}, [b"payload"], True, cbor2.CBORTag(24, b"payload")],
    3: [None, "text", 0, [], {}, cbor2.CBORTag(2, b"\x01")],
}


@pytest.mark.parametrize(
    ("place", "value"), [(place, value) for place, wrong in WRONG_TYPES.items() for value in wrong]
)
def test_element_of_the_wrong_type_is_refused(place: int, value: object) -> None:
    parts: list[Any] = list(PARTS)
    parts[place] = value
    refusal(tagged(parts))
    refusal(tagged(parts, 18))


def test_detached_payload_is_refused() -> None:
    """RFC 9052 §4.2: nil means that the payload travels elsewhere; that of a health certificate does not."""
    assert "payload" in refusal(tagged((PROTECTED, {}, None, SIGNATURE), 18)).detail


@pytest.mark.parametrize("data", [b"", message() + b"\x00", message()[:-1], b"\xd2", b"HC1:"], ids=repr)
def test_anything_but_one_cbor_item_is_refused_with_the_code_of_cose(data: bytes) -> None:
    refusal(data)


@pytest.mark.parametrize("payload", [b"", b"\x00", b"not CBOR \xff"])
def test_payload_is_not_interpreted(payload: bytes) -> None:
    assert decode(tagged((PROTECTED, {}, payload, SIGNATURE), 18)).payload == payload


@pytest.mark.parametrize("encoded", ["", "a0", "bfff", "b800"], ids="h'{}'".format)
def test_empty_protected_header_is_signed_as_the_empty_string(encoded: str) -> None:
    """RFC 9052 §3 has both spellings accepted, §4.4 has both signed as h''."""
    decoded = decode(message(bytes.fromhex(encoded), {1: -7}))
    assert decoded.protected == {}
    assert decoded.to_be_signed() == cbor2.dumps(["Signature1", b"", b"", PAYLOAD])
    assert decoded.algorithm is Algorithm.ES256


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("a10126", id="shortest"),
        pytest.param("a1180126", id="label in two bytes"),
        pytest.param("b8010126", id="length in two bytes"),
        pytest.param("bf0126ff", id="indefinite map"),
        pytest.param("a20441010126", id="labels not in order"),
    ],
)
def test_protected_header_is_signed_as_it_came_in(encoded: str) -> None:
    """RFC 9052 §4.4: the bytes, never a new encoding of them."""
    received = bytes.fromhex(encoded)
    decoded = decode(message(received))
    assert decoded.protected_bytes == received
    assert decoded.protected[1] == -7
    assert decoded.to_be_signed() == cbor2.dumps(["Signature1", received, b"", PAYLOAD])


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("80", id="array"),
        pytest.param("01", id="number"),
        pytest.param("f6", id="null"),
        pytest.param("4101", id="byte string"),
        pytest.param("d2a10126", id="tagged map"),
        pytest.param("a101", id="cut short"),
        pytest.param("a1012600", id="trailing byte"),
        pytest.param("a20126013824", id="alg twice"),
        pytest.param("a104" + "81" * 16 + "00", id="too deep"),
    ],
)
def test_protected_header_that_is_not_one_map_is_refused(encoded: str) -> None:
    refusal(message(bytes.fromhex(encoded)))


@pytest.mark.parametrize("label", [0, 1, 24, -1, -70000, 2**64 - 1, "", "text"])
def test_header_label_may_be_an_integer_or_text(label: int | str) -> None:
    """RFC 9052 §1.4: label = int / tstr. Unknown ones are ignored."""
    value = -7 if label == 1 else b"any"
    assert decode(message(cbor2.dumps({label: value}))).protected == {label: value}
    assert decode(message(b"", {label: value})).unprotected == {label: value}


@pytest.mark.parametrize("label", ["4101", "f4", "f5", "f6", "f93c00", "80", "a0", "c101", "c24101"])
def test_header_label_of_any_other_type_is_refused(label: str) -> None:
    header = bytes.fromhex(f"a1{label}00")
    refusal(message(header))
    refusal(b"\x84" + cbor2.dumps(PROTECTED) + header + cbor2.dumps(PAYLOAD) + cbor2.dumps(SIGNATURE))


UNKNOWN = Code.CRITICAL_HEADER_UNKNOWN
MALFORMED = Code.COSE_DESERIALIZATION_FAILED


@pytest.mark.parametrize("labels", [[1], [4], [3], [1, 4]], ids=str)
def test_crit_is_satisfied_by_labels_that_are_present_and_understood(labels: list[int]) -> None:
    header = {1: -7, 2: labels, 3: "application/cwt", 4: b"kid"}
    assert decode(message(cbor2.dumps(header))).algorithm is Algorithm.ES256


@pytest.mark.parametrize(
    ("protected", "unprotected", "code"),
    [
        pytest.param({2: [33], 33: b""}, {}, UNKNOWN, id="not understood"),
        pytest.param({2: [1, -70000], 1: -7, -70000: 0}, {}, UNKNOWN, id="one of two not understood"),
        pytest.param({2: ["reserved"], "reserved": 0}, {}, UNKNOWN, id="text not understood"),
        pytest.param({2: ["alg"], "alg": -7}, {}, UNKNOWN, id="text is not the number"),
        pytest.param({2: [4]}, {}, MALFORMED, id="absent"),
        pytest.param({2: [4]}, {4: b"kid"}, MALFORMED, id="only in the unprotected header"),
        pytest.param({2: []}, {}, MALFORMED, id="empty"),
        pytest.param({2: 1, 1: -7}, {}, MALFORMED, id="not an array"),
        pytest.param({2: "alg", 1: -7}, {}, MALFORMED, id="text"),
        pytest.param({2: {1: 1}, 1: -7}, {}, MALFORMED, id="map"),
        pytest.param({2: None, 1: -7}, {}, MALFORMED, id="null"),
        pytest.param({2: [True], 1: -7}, {}, MALFORMED, id="bool in place of 1"),
        pytest.param({2: [1.0], 1: -7}, {}, MALFORMED, id="float in place of 1"),
        pytest.param({2: [b"kid"], 4: b"kid"}, {}, MALFORMED, id="byte string"),
        pytest.param({2: [[1]], 1: -7}, {}, MALFORMED, id="nested array"),
        pytest.param({1: -7}, {2: [1]}, MALFORMED, id="in the unprotected header"),
        pytest.param({1: -7, 2: [1]}, {2: [1]}, MALFORMED, id="in both headers"),
    ],
)
def test_crit_that_is_malformed_or_not_understood_is_refused(
    protected: dict[Any, Any], unprotected: dict[Any, Any], code: Code
) -> None:
    """RFC 9052 §3.1."""
    refusal(message(cbor2.dumps(protected), unprotected), code)


@pytest.mark.parametrize(
    ("protected", "unprotected", "alg", "kid"),
    [
        pytest.param({1: -7, 4: b"a"}, {}, Algorithm.ES256, b"a", id="protected"),
        pytest.param({}, {1: -7, 4: b"a"}, Algorithm.ES256, b"a", id="unprotected"),
        pytest.param({1: -7, 4: b"a"}, {1: -37, 4: b"b"}, Algorithm.ES256, b"a", id="both"),
        pytest.param({1: -7}, {1: -37, 4: b"b"}, Algorithm.ES256, b"b", id="one each"),
        pytest.param({1: None, 4: None}, {1: -7, 4: b"b"}, None, None, id="protected null"),
        pytest.param({1: -257}, {1: -7}, None, None, id="protected unknown"),
        pytest.param({}, {}, None, None, id="neither"),
        pytest.param({1: "ES256"}, {}, None, None, id="text"),
        pytest.param({1: [-7]}, {}, None, None, id="array"),
        pytest.param({1: True}, {}, None, None, id="bool"),
    ],
)
def test_protected_header_wins_over_the_unprotected_one(
    protected: dict[Any, Any], unprotected: dict[Any, Any], alg: Algorithm | None, kid: bytes | None
) -> None:
    """RFC 9052 §3: what is protected is trusted; a forged unprotected value must not replace it."""
    decoded = decode(message(cbor2.dumps(protected), unprotected))
    assert decoded.algorithm is decoded.signer.algorithm is alg
    assert decoded.signer.kid == kid


SIZES = (0, 1, 23, 24, 255, 256, 65535, 65536)


@pytest.mark.parametrize("size", SIZES)
def test_sig_structure_is_that_of_an_independent_encoder(size: int) -> None:
    """RFC 9052 §4.4 with empty external_aad, and §9: the shortest definite lengths."""
    data = bytes(size)
    assert cose.sig_structure(PROTECTED, data) == cbor2.dumps(["Signature1", PROTECTED, b"", data])
    assert cose.sig_structure(data, PAYLOAD) == cbor2.dumps(["Signature1", data, b"", PAYLOAD])


@pytest.mark.parametrize("size", SIZES)
def test_assembled_message_is_tag_18_and_reads_back(size: int) -> None:
    data = bytes(size)
    for payload, signature in ((data, SIGNATURE), (PAYLOAD, data)):
        assembled = cose.assemble_sign1(PROTECTED, payload, signature)
        assert assembled == tagged([PROTECTED, {}, payload, signature], 18)
        decoded = decode(assembled)
        assert (decoded.protected_bytes, decoded.unprotected) == (PROTECTED, {})
        assert (decoded.payload, decoded.signature) == (payload, signature)


def test_depth_of_the_message_and_of_its_protected_header_is_bounded() -> None:
    # The tag, the array and the map are three levels of the sixteen; a header of its own is one.
    value: Any = 0
    for _ in range(13):
        value = [value]
    decode(message(PROTECTED, {99: value}))
    refusal(message(PROTECTED, {99: [value]}))
    value = [[value]]
    decode(message(cbor2.dumps({99: value}), {}))
    refusal(message(cbor2.dumps({99: [value]}), {}))


def test_headers_are_named_for_people() -> None:
    headers: dict[int | str, Any] = {1: -7, 4: b"k", 3: "cwt", 33: b"x", 99: 0, "own": 1}
    expected = {"alg": "ES256", "kid": b"k", "content type": "cwt", "x5chain": b"x", "99": 0, '"own"': 1}
    assert cose.named(headers) == expected
    assert cose.named({1: -99}) == {"alg": -99}
