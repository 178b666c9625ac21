"""Canonical JSON against the samples of RFC 8785."""

from __future__ import annotations

import json
import struct

import pytest

from healthcert.encoding.jcs import canonical
from healthcert.errors import Code, DecodeError, Step


def refusal(value: object) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        canonical(value)
    assert (caught.value.code, caught.value.step) == (Code.CANONICALIZATION_FAILED, Step.DECODE)
    return caught.value


# RFC 8785, Appendix B: the bits of a double, and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_ecmascript_does(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(number).decode() == text


@pytest.mark.parametrize("bits", ["7ff0000000000000", "fff0000000000000", "7fffffffffffffff"])
def test_numbers_that_are_not_finite_are_refused(bits: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert "not finite" in refusal([number]).detail


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (1200, "1200"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (10**20, "100000000000000000000"),
        (10**21, "1e+21"),
        (4.50, "4.5"),
        (1.0, "1"),
        (0.1, "0.1"),
        (2e-3, "0.002"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
    ],
)
def test_integers_are_doubles_too(number: float, text: str) -> None:
    assert canonical(number).decode() == text


def test_integers_that_are_no_doubles_are_refused() -> None:
    assert "beyond the range" in refusal(10**400).detail


def test_sample_of_the_specification() -> None:
    """RFC 8785 §3.2.2 and §3.2.3."""
    text = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    assert canonical(json.loads(text)).decode() == (
        '{"literals":[null,true,false],'
        '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_members_are_in_the_order_of_utf16() -> None:
    """RFC 8785 §3.2.3: the surrogates of an emoji come before U+FB33, though its code point comes after."""
    names = ["€", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "ö"]
    written = canonical(dict.fromkeys(names))
    assert list(json.loads(written)) == ["\r", "1", "\u0080", "ö", "€", "\U0001f600", "\ufb33"]


def test_control_characters_have_their_short_escapes() -> None:
    text = "\b\t\n\f\r\0\x1f\x7f/\u2028"
    assert canonical(text) == '"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f/\u2028"'.encode()


@pytest.mark.parametrize("value", ["\ud800", ["\udfff"], {"\ud83d": 1}, {"a": {"\udc00b": None}}], ids=ascii)
def test_half_a_surrogate_pair_is_refused(value: object) -> None:
    assert "surrogate" in refusal(value).detail


@pytest.mark.parametrize(
    "value", [b"bytes", {1: "one"}, {None: 1}, {1, 2}, object(), [{"a": b""}]], ids=lambda v: type(v).__name__
)
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    refusal(value)


def test_nesting_without_end_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "too deeply" in refusal(deep).detail
