"""The lines between an issuer and a signer: whatever stands in one, it is read in one way or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.issue.digests import (
    DigestRequest,
    number_of,
    read_request,
    refusal_line,
    request_line,
    signature_in,
    signature_line,
)
from tests.support import dsc

SIGNER = dsc().signer()
ASKED = {"id": 7, "kid": SIGNER.kid.hex(), "algorithm": "ES256", "digest": "ab" * 32}
REFUSED = hc.IssueError(hc.Code.TOKEN_UNAVAILABLE, "no such token", hc.Step.SIGNATURE)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_a_request_is_read_as_it_was_written(number: int, digest: bytes) -> None:
    request = DigestRequest(SIGNER.kid, SIGNER.algorithm, digest)
    line = request_line(number, request)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert read_request(line, SIGNER) == (number, request)
    assert number_of(line) == number


@given(st.integers(0, 2**62), st.binary(min_size=1, max_size=512))
def test_an_answer_is_read_as_it_was_written(number: int, signature: bytes) -> None:
    line = signature_line(number, signature)
    assert line.count(b"\n") == 1
    assert signature_in(line, number) == signature
    with pytest.raises(ValueError, match="not one to this request"):
        signature_in(line, number + 1)


@pytest.mark.parametrize("number", [7, None])
def test_a_refusal_tells_its_code_and_not_its_words(number: int | None) -> None:
    with pytest.raises(hc.IssueError) as caught:
        signature_in(refusal_line(number, REFUSED), 7)
    assert caught.value.code == "SIGNING_FAILED"
    assert caught.value.detail == "the signer refused: TOKEN_UNAVAILABLE"


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": "00" * 8},
        {"kid": SIGNER.kid.hex()[:-2]},
        {"kid": SIGNER.kid.hex() + " "},
        {"kid": ""},
        {"algorithm": "PS256"},
        {"algorithm": "es256"},
        {"algorithm": -7},
        {"digest": "ab" * 31},
        {"digest": "ab" * 33},
        {"digest": "ab" * 31 + "a"},
        {"digest": "ab " * 31 + "ab"},
        {"digest": "gg" * 32},
        {"digest": "٣" * 64},
        {"digest": ["ab" * 32]},
        {"digest": None},
        {"id": "7"},
        {"id": 7.5},
        {"id": None},
        {"id": True},
        {"id": 2**63},
        {"id": -1},
        {"payload": "Zoé"},
    ],
)
def test_a_request_for_anything_else_is_refused(changes: dict[str, Any]) -> None:
    line = json.dumps(ASKED | changes).encode()
    with pytest.raises(hc.IssueError) as caught:
        read_request(line, SIGNER)
    assert (caught.value.code, caught.value.step) == ("REQUEST_INVALID", "signature")
    assert "Zo" not in caught.value.detail


@pytest.mark.parametrize("member", list(ASKED))
def test_nothing_is_left_out_and_nothing_is_there_twice(member: str) -> None:
    missing = json.dumps({name: value for name, value in ASKED.items() if name != member}).encode()
    text = json.dumps(ASKED)
    twice = (text[:-1] + f', "{member}": {json.dumps(ASKED[member])}}}').encode()
    for line in (missing, twice):
        with pytest.raises(hc.IssueError, match="REQUEST_INVALID"):
            read_request(line, SIGNER)


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_line_at_all(line: bytes) -> None:
    with pytest.raises(hc.IssueError, match="REQUEST_INVALID"):
        read_request(line, SIGNER)
    with pytest.raises(ValueError, match="not one to this request"):
        signature_in(line, 7)
    number = number_of(line)
    assert number is None or json.loads(line)["id"] == number
