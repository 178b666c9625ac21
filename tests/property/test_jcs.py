"""Canonical JSON under generated values."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import jcs
from healthcert.errors import Code, DecodeError, Step

many = settings(derandomize=True, deadline=None, max_examples=400)
few = settings(many, max_examples=100)


def outcome(value: Any) -> bytes | None:
    """The canonical form, or None when it is refused as it may be; any other exception fails the test."""
    try:
        return jcs.canonical(value)
    except DecodeError as error:
        found = error
    assert (found.code, found.step) == (Code.CANONICALIZATION_FAILED, Step.DECODE)
    return None


text = st.text(max_size=10) | st.text(st.characters(exclude_categories=()), max_size=5)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=15,
)


@many
@given(values)
def test_canonical_form_reads_back_and_has_one_spelling(value: Any) -> None:
    written = outcome(value)
    if written is None:
        with pytest.raises(UnicodeEncodeError):
            json.dumps(value, ensure_ascii=False).encode()
        return
    again = json.loads(written, parse_int=float)  # as ECMAScript would: written are doubles, whatever they look like
    assert again == value
    assert jcs.canonical(again) == written
    assert b" " not in written or " " in json.dumps(value, separators=(",", ":"))


@many
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_to_the_bit(number: float) -> None:
    assert float(jcs.canonical(number)) == number


@few
@given(st.lists(st.text(max_size=4), unique=True, max_size=8))
def test_members_are_in_the_order_of_their_code_units(names: list[str]) -> None:
    units = [list(struct.unpack(f"<{len(name.encode('utf-16-le')) // 2}H", name.encode("utf-16-le"))) for name in names]
    expected = [name for _, name in sorted(zip(units, names, strict=True))]
    assert list(json.loads(jcs.canonical(dict.fromkeys(names)))) == expected


@many
@given(values)
def test_the_compiled_encoder_writes_what_the_plain_one_does(value: Any) -> None:
    """What is left to the encoder in C is written as by the one that follows the specification line by line."""
    if jcs._is_plain(value) and (written := outcome(value)) is not None:
        assert written == jcs._written(value).encode()


@pytest.mark.parametrize(
    "character", [*map(chr, range(0x20)), "\x7f", "/", "\u2028", "\ufeff", "\U0001f600", '"', "\\"]
)
def test_every_escape_is_the_same_in_both_encoders(character: str) -> None:
    for value in ({"a": f"x{character}y"}, {f"x{character}y" if character.isascii() else "b": [character]}):
        assert jcs._is_plain(value)
        assert jcs.canonical(value) == jcs._written(value).encode()
