"""CBOR from strangers: what RFC 8949 calls not well-formed, and what is well-formed but not wanted."""

from __future__ import annotations

import traceback
import tracemalloc
from typing import Any

import cbor2
import pytest

from healthcert.encoding import cbor
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import DEFAULT_LIMITS

DEPTH = DEFAULT_LIMITS.cbor_depth


def decode(data: bytes | str) -> Any:
    data = bytes.fromhex(data) if isinstance(data, str) else data
    return cbor.decode(data, max_depth=DEPTH)


def refusal(data: bytes | str) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(data)
    error = caught.value
    assert (error.code, error.step) == (Code.CBOR_DESERIALIZATION_FAILED, Step.DECODE)
    return error


@pytest.mark.parametrize(
    ("data", "value"),
    [
        # RFC 8949, Appendix A.
        ("00", 0),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
        ("f93c00", 1.0),
        ("fb3ff199999999999a", 1.1),
        ("f90001", 5.960464477539063e-8),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("62225c", '"\\'),
        ("63e6b0b4", "水"),
        ("64f0908591", "𐅑"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        # Not the shortest form: well-formed all the same (RFC 8949 §4.1 only prefers the shortest).
        ("1800", 0),
        ("5900024142", b"AB"),
        ("b90001190001190002", {1: 2}),
    ],
)
def test_well_formed_item_is_read(data: str, value: object) -> None:
    result = decode(data)
    assert result == value
    assert type(result) is type(value)


# RFC 8949, Appendix F: every example of what is not well-formed.
NOT_WELL_FORMED = {
    "end of input in a head": """
        18, 19, 1a, 1b, 1901, 1a0102, 1b01020304050607, 38, 58, 78, 98, 9a01ff00, b8, d8, f8, f900, fa0000, fb000000
    """,
    "string with short data": "41, 61, 5affffffff00, 5bffffffffffffffff010203, 7affffffff00, 7b7fffffffffffffff010203",
    "map or array without enough items": "81, 818181818181818181, 8200, a1, a20102, a100, a2000000",
    "tag without content": "c0",
    "indefinite string without break": "5f4100, 7f6100",
    "indefinite map or array without break": """
        9f, 9f0102, bf, bf01020102, 819f, 9f8000, 9f9f9f9f9fffffffff, 9f819f819f9fffffff
    """,
    "reserved additional information": """
        1c, 1d, 1e, 3c, 3d, 3e, 5c, 5d, 5e, 7c, 7d, 7e, 9c, 9d, 9e, bc, bd, be, dc, dd, de, fc, fd, fe
    """,
    "simple value in two bytes": "f800, f801, f818, f81f",
    "chunk of the wrong type": "5f00ff, 5f21ff, 5f6100ff, 5f80ff, 5fa0ff, 5fc000ff, 5fe0ff, 7f4100ff",
    "chunk of indefinite length": "5f5f4100ffff, 7f7f6100ffff",
    "break on its own": "ff",
    "break in a definite array, map or tag": """
        81ff, 8200ff, a1ff, a1ff00, a100ff, a20000ff, 9f81ff, 9f829f819f9fffffffff
    """,
    "break in place of a value": "bf00ff, bf000000ff",
    "indefinite length of what has none": "1f, 3f, df",
    "nothing": "",
}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(data.strip(), id=f"{defect}-{data.strip()}")
        for defect, examples in NOT_WELL_FORMED.items()
        for data in examples.split(",")
    ],
)
def test_not_well_formed_is_refused(data: str) -> None:
    refusal(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("61ff", id="no UTF-8 at all"),
        pytest.param("62c328", id="bad continuation"),
        pytest.param("62c0af", id="overlong"),
        pytest.param("63eda080", id="surrogate"),
        pytest.param("64f4908080", id="beyond U+10FFFF"),
        pytest.param("7f61c361a9ff", id="character split between chunks"),
        pytest.param("a161ff00", id="in a map key"),
    ],
)
def test_text_that_is_not_utf8_is_refused(data: str) -> None:
    """RFC 8949 §3.1 and §5.3.1: a text string holding invalid UTF-8 is not valid."""
    refusal(data)


@pytest.mark.parametrize("tail", ["00", "ff", "f6", "40", "a0", "0a"])
@pytest.mark.parametrize("item", ["00", "a10102", "d28440a04040", "9fff", "6161"])
def test_bytes_after_the_item_are_refused(item: str, tail: str) -> None:
    decode(item)
    assert "after the end" in refusal(item + tail).detail


def test_bytes_after_an_item_with_a_map_as_a_key_are_called_that() -> None:
    assert decode("a1a1010200") == {cbor2.frozendict({1: 2}): 0}
    assert "after the end" in refusal("a1a101020000").detail


NESTING = {
    "array": (b"\x81", b"\x00", b""),
    "map": (b"\xa1\x00", b"\x00", b""),
    "map key": (b"\xa1", b"\x00", b"\x00"),
    "unknown tag": (b"\xc6", b"\x00", b""),
    "date tag": (b"\xc1", b"\x00", b""),
    "shareable tag": (b"\xd8\x1c", b"\x00", b""),
    "set tag": (b"\xd9\x01\x02", b"\x00", b""),
    "self-description tag": (b"\xd9\xd9\xf7", b"\x00", b""),
    "indefinite array": (b"\x9f", b"\x00", b"\xff"),
    "indefinite map": (b"\xbf\x00", b"\x00", b"\xff"),
}


@pytest.mark.parametrize(("opening", "core", "closing"), NESTING.values(), ids=NESTING)
def test_depth_is_allowed_up_to_the_limit_and_not_one_beyond(opening: bytes, core: bytes, closing: bytes) -> None:
    assert DEPTH == 16
    decode(opening * 16 + core + closing * 16)
    refusal(opening * 17 + core + closing * 17)


@pytest.mark.parametrize(("opening", "core", "closing"), NESTING.values(), ids=NESTING)
def test_ten_thousand_levels_are_refused_without_exhausting_the_stack(
    opening: bytes, core: bytes, closing: bytes
) -> None:
    refusal(opening * 10_000 + core + closing * 10_000)
    refusal(opening * 10_000)


def test_depth_counts_every_kind_of_nesting_together() -> None:
    mixed = b"\x81\xa1\x00\xc6\x9f"  # Four levels, closed by one break.
    decode(mixed * 4 + b"\x00" + b"\xff" * 4)
    refusal(b"\x81" + mixed * 4 + b"\x00" + b"\xff" * 4)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("a201010102", id="1, 1"),
        pytest.param("a3010102020103", id="1, 2, 1"),
        pytest.param("a20101180102", id="1, 1 in two bytes"),
        pytest.param("a20101f93c0002", id="1, 1.0"),
        pytest.param("a2f93c0001fb3ff000000000000002", id="1.0 in two widths"),
        pytest.param("a2616101616102", id="a, a"),
        pytest.param("a26161017f6161ff02", id="a, a in chunks"),
        pytest.param("a2416101416102", id="byte strings"),
        pytest.param("a2f601f602", id="nulls"),
        pytest.param("a2810101810102", id="arrays"),
        pytest.param("a2a1010201a1010202", id="maps"),
        pytest.param("a2c10101c10102", id="tags"),
        pytest.param("bf01010102ff", id="indefinite map"),
        pytest.param("81a201010102", id="inside an array"),
        pytest.param("d284a201010102f6f6f6", id="inside a tag"),
        pytest.param("a1a20101010200", id="inside a map key"),
    ],
)
def test_repeated_map_key_is_refused(data: str) -> None:
    """RFC 8949 §5.6: which of two values counts is up to the decoder, so two verifiers may see two certificates."""
    refusal(data)


@pytest.mark.parametrize("data", ["a20101613102", "a2616101416102", "a201012002", "a2f601f402"])
def test_keys_that_only_look_alike_are_kept_apart(data: str) -> None:
    assert len(decode(data)) == 2


@pytest.mark.parametrize(
    "head",
    [
        *("5a7fffffff", "5b7fffffffffffffff", "7a7fffffff", "7b00000000ffffffff", "5f5a7fffffff"),
        *("9a7fffffff", "9bffffffffffffffff", "ba7fffffff", "bb7fffffffffffffff", "da7fffffff9a7fffffff"),
    ],
)
def test_huge_declared_length_is_refused_without_allocating_it(head: str) -> None:
    tracemalloc.start()
    try:
        refusal(bytes.fromhex(head) + bytes(8))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024


TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 1040, 43000, 55799)
UNASSIGNED = (6, 18, 52, 54, 61, 98, 999, 2**64 - 1)


TAGGED: list[Any] = [
    *(0, -1, 1.5, "text", "2021-06-01T12:00:00Z", "(", b"\x01", None, True),
    *([], [1, 2], [0, 0], [[2, 1], [3, 4]], {}, {1: 2}),
]


@pytest.mark.parametrize("number", TAGS + UNASSIGNED)
def test_tag_is_kept_as_a_tag_and_never_interpreted(number: int) -> None:
    """No dates, big numbers, regular expressions, addresses or shared references before the signature is checked."""
    for content in TAGGED:
        result = decode(cbor2.dumps(cbor2.CBORTag(number, content)))
        assert type(result) is cbor.Tag
        assert result.tag == number
        assert plain(result.value) == content
        assert type(plain(result.value)) is type(content)


def plain(value: Any) -> Any:
    """``value`` with the containers of CBOR: inside a tag, cbor2 may make them immutable."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return dict(value) if isinstance(value, cbor2.frozendict) else value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param("82d81c80d81d00", [cbor.Tag(28, []), cbor.Tag(29, 0)], id="shared value"),
        pytest.param("d81c81d81d00", cbor.Tag(28, [cbor.Tag(29, 0)]), id="array that holds itself"),
        pytest.param("d901008263616263d81900", cbor.Tag(256, ["abc", cbor.Tag(25, 0)]), id="string reference"),
    ],
)
def test_references_between_items_are_not_followed(data: str, value: object) -> None:
    assert decode(data) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("5f41614162ff", b"ab"),
        ("5fff", b""),
        ("7f61616162ff", "ab"),
        ("7fff", ""),
        ("9f01ff", [1]),
        ("9fff", []),
        ("bf0102ff", {1: 2}),
        ("bfff", {}),
        ("819fff", [[]]),
        ("a1015fff", {1: b""}),
    ],
)
def test_indefinite_lengths_are_read(data: str, value: object) -> None:
    """RFC 9052 §9 restricts only the encoding of what is signed."""
    assert decode(data) == value


MARKER = "SECRET-MARKER"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xa2" + (cbor2.dumps(MARKER) + b"\x00") * 2, id="repeated key"),
        pytest.param(b"\x6e" + MARKER.encode() + b"\xff", id="not UTF-8"),
        pytest.param(cbor2.dumps(MARKER)[:-1], id="cut short"),
        pytest.param(cbor2.dumps(MARKER) * 2, id="trailing item"),
        pytest.param(b"\x81" * 17 + cbor2.dumps(MARKER), id="too deep"),
        pytest.param(b"\x5f" + cbor2.dumps(MARKER) + b"\xff", id="wrong chunk"),
        pytest.param(b"\xa2" + (cbor2.dumps([MARKER]) + b"\x00") * 2, id="repeated array as key"),
    ],
)
def test_error_never_quotes_the_data(data: bytes) -> None:
    error = refusal(data)
    # The whole traceback: the library's own message, which may quote, must not stand in it as the cause.
    shown = "".join((error.detail, repr(error), *traceback.format_exception(error)))
    assert MARKER not in shown


def test_error_carries_the_code_of_the_caller() -> None:
    for data in (b"", b"\x00\x00", b"\x81" * 17 + b"\x00"):
        with pytest.raises(DecodeError) as caught:
            cbor.decode(data, max_depth=DEPTH, code=Code.COSE_DESERIALIZATION_FAILED)
        assert (caught.value.code, caught.value.step) == (Code.COSE_DESERIALIZATION_FAILED, Step.DECODE)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({4: 1, 1: "AT"}, "a2040101624154"),
        ({1: -7, 4: b"\x01" * 8}, "a2012604480101010101010101"),
        ([1, "é", None, True], "840162c3a9f6f5"),
        (1363896240, "1a514b67b0"),
        (b"\x00" * 24, "5818" + "00" * 24),
        (-260, "390103"),
    ],
)
def test_encoding_is_definite_shortest_and_in_the_order_given(value: object, data: str) -> None:
    """RFC 8949 §4.2.1, but for the order of map keys."""
    assert cbor.encode(value).hex() == data
