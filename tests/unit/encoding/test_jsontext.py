"""JSON with one reading (RFC 8259): what every parser makes the same of, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.encoding import jsontext

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(data: bytes | str, max_depth: int = 32) -> Any:
    return jsontext.read(data, max_depth=max_depth)


@given(_VALUES, st.sampled_from([None, 1]), st.booleans())
def test_what_was_written_is_read(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = read(text)
    assert found == value
    assert type(found) is type(value)
    assert read(text.encode()) == value


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "\u00e9"]), st.integers(), min_size=1), st.booleans())
def test_a_member_that_is_there_twice_is_refused_however_it_is_written(value: dict[str, int], escaped: bool) -> None:
    again = next(iter(value))
    name = "".join(f"\\u{ord(character):04x}" for character in again) if escaped else again
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for twice in (text[:-1] + f',"{name}":1}}', f'{{"{name}":1,' + text[1:], f'[{text[:-1]}, "{name}" : 1}}]'):
        with pytest.raises(hc.DecodeError) as error:
            read(twice)
        assert error.value.code == "JSON_DESERIALIZATION_FAILED"


@pytest.mark.parametrize("depth", [1, 2, 31, 32])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
@pytest.mark.parametrize("inner", ["", "1", '"[[[[{{{{"'], ids=["empty", "number", "text"])
def test_the_depth_is_bounded_to_the_level(depth: int, start: str, end: str, inner: str) -> None:
    inner = inner or ("1" if start.startswith("{") else "")
    for space in ("", " "):
        text = f"{start * depth}{space}{inner}{space}{end * depth}"
        read(text, max_depth=depth)
        if depth > 1:
            with pytest.raises(hc.DecodeError):
                read(text, max_depth=depth - 1)


@pytest.mark.parametrize(
    "text",
    [
        b"", b" ", b"{", b"{} x", b"{}{}", b"\xef\xbb\xbf{}", b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"-1E400",
        b"'a'", b"{a:1}", b"[1,]", b"01", b"\xff", b'"\xed\xa0\x80"', b'"\\ud800"', b'{"\\udfff":1}', b'"a\nb"', b"tru",
        b"9" * 5000, b"[" * 100_000, b'{"a":' * 5000, b"/**/1",
    ],
    ids=range(25),
)  # fmt: skip
def test_what_is_no_json_or_reads_in_several_ways_is_refused(text: bytes) -> None:
    with pytest.raises(hc.DecodeError) as error:
        read(text)
    assert (error.value.code, error.value.step) == ("JSON_DESERIALIZATION_FAILED", "decode")


def test_text_with_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(hc.DecodeError):
        read('"\ud800"')


@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_nothing_but_the_error_escapes(data: bytes) -> None:
    try:
        found = read(data)
    except hc.DecodeError:
        return
    assert json.loads(data) == found or found != found


def test_the_code_is_the_callers() -> None:
    with pytest.raises(hc.DecodeError) as error:
        jsontext.read(b"x", max_depth=1, code=hc.Code.JWS_DESERIALIZATION_FAILED)
    assert error.value.code == "JWS_DESERIALIZATION_FAILED"
