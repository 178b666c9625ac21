"""Reading and writing links: what is read, what is refused with which code, and that nothing of a key is told."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import Limits
from healthcert.links.link import HealthLink, is_link, read_link
from tests.unit.links.linked import KEY, LINK, URL, b64, members, text_of


def refusal(text: str, code: Code = Code.SCHEMA_VALIDATION_FAILED, **options: Any) -> str:
    with pytest.raises(DecodeError) as caught:
        read_link(text, **options)
    assert caught.value.code is code
    assert b64(KEY) not in str(caught.value)
    return caught.value.detail


def test_a_link_with_everything() -> None:
    link = read_link("https://viewer.example.org/open#" + text_of(members(flag="LP", v=1)) + "\r\n")
    assert (link.url, link.key, link.label, link.flag, link.v) == (URL, KEY, "Vaccinations", "LP", 1)
    assert (link.type, link.viewer) == ("shl", "https://viewer.example.org/open")
    assert (link.long_term, link.needs_passcode, link.direct) == (True, True, False)
    assert f"{link.expires_at:%Y-%m-%d %H:%M %Z}" == "2024-01-01 08:00 UTC"


def test_a_link_with_the_least() -> None:
    link = read_link(text_of({"url": URL, "key": b64(KEY)}))
    assert link == LINK
    assert (link.expires_at, link.label, link.flag, link.viewer) == (None, None, "", None)


def test_a_verifiable_link_is_told_by_its_scheme_or_its_type() -> None:
    assert read_link(text_of(members(type="vhl"), "vhlink")).type == "vhl"
    assert read_link(text_of(members(), "vhlink")).type == "vhl"
    assert read_link(text_of(members(type="vhl"))).type == "vhl"
    assert read_link(text_of(members(type="other"))).type == "shl"


def test_numbers_of_a_verifiable_link_may_be_texts() -> None:
    link = read_link(text_of(members(exp="1704096000", v="1"), "vhlink"))
    assert (link.exp, link.v) == (1_704_096_000, 1)
    assert "exp: not a number" in refusal(text_of(members(exp="1704096000")))
    assert "exp: not a number" in refusal(text_of(members(exp="soon"), "vhlink"))


def test_what_is_not_known_is_ignored() -> None:
    link = read_link(text_of(members(flag="LXZ", extension={"a": 1}, _own=True)))
    assert (link.flag, link.long_term, link.direct) == ("LXZ", True, False)


def test_padding_is_read_where_it_stands() -> None:
    payload = json.dumps(members(label="1"), separators=(",", ":")).encode()
    padded = base64.urlsafe_b64encode(payload).decode()
    assert padded.endswith("=")
    assert read_link(f"vhlink:/{padded}").label == "1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shlink:/",
        "shlink:" + b64(b"{}"),
        "SHLINK:/" + b64(b"{}"),
        "shc:/" + b64(b"{}"),
        "http://viewer.example.org#" + text_of(members()),
        "https://viewer.example.org/" + text_of(members()),
        "https://a b#" + text_of(members()),
        " " + text_of(members()),
        text_of(members()) + " ",
        text_of(members()) + "===",
        "shlink:/é",
    ],
)
def test_what_is_no_link(text: str) -> None:
    assert not is_link(text)
    refusal(text, Code.INVALID_SCHEME_PREFIX)


def test_the_step_of_what_is_no_link_is_the_first() -> None:
    with pytest.raises(DecodeError) as caught:
        read_link("HC1:...")
    assert caught.value.step is Step.RECOGNISE
    assert is_link(text_of(members()) + "\n")


def test_a_link_has_one_spelling() -> None:
    assert "base64url" in refusal("shlink:/A", Code.JSON_DESERIALIZATION_FAILED)
    encoded = b64(b'{"a":1}x')  # two characters in the last group, the last with 4 bits left over
    assert "base64url" in refusal(
        f"shlink:/{encoded[:-1]}{chr(ord(encoded[-1]) + 1)}", Code.JSON_DESERIALIZATION_FAILED
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"\xef\xbb\xbf{}",
        b'{"url":1,"url":2}',
        b'{"url":NaN}',
        b"{} {}",
        b"\xff",
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_what_is_no_json_of_a_link(payload: bytes) -> None:
    text = "shlink:/e30=x" if not payload else text_of(payload)
    refusal(text, Code.INVALID_SCHEME_PREFIX if not payload else Code.JSON_DESERIALIZATION_FAILED)


def test_a_later_protocol_is_not_opened() -> None:
    assert "version" in refusal(text_of(members(v=2)), Code.UNSUPPORTED_VERSION)
    assert "v: not a number" in refusal(text_of(members(v=True)))
    assert read_link(text_of(members(v=1.0))).v == 1


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"url": None}, "url: missing"),
        ({"url": 1}, "url: not a text"),
        ({"url": ""}, "url: not https"),
        ({"url": "http://links.example.org/x"}, "url: not https"),
        ({"url": "https://user@links.example.org/x"}, "url: not https"),
        ({"url": "https://links.example.org/x#y"}, "url: not https"),
        ({"url": "https://[::1]/x"}, "url: not https"),
        ({"url": "file:///etc/passwd"}, "url: not https"),
        ({"url": "https://links.example.org/" + "x" * 103}, "128 characters"),
        ({"key": None}, "key: not 32 bytes"),
        ({"key": b64(KEY)[:-1]}, "key: not 32 bytes"),
        ({"key": b64(KEY) + "="}, "key: not 32 bytes"),
        ({"key": b64(KEY)[:-1] + "9"}, "key: not 32 bytes"),
        ({"key": "é" * 43}, "key: not 32 bytes"),
        ({"key": 5}, "key: not a text"),
        ({"flag": "U P"}, "flag: not letters"),
        ({"flag": "lp"}, "flag: not letters"),
        ({"flag": "LL"}, "flag: not letters"),
        ({"flag": ["L"]}, "flag: not a text"),
        ({"flag": "PU"}, "flag: U together with P"),
        ({"flag": "LPU"}, "flag: U together with P"),
        ({"label": "x" * 81}, "label: more than 80"),
        ({"label": {"x": 1}}, "label: not a text"),
        ({"exp": 1_704_096_000_000}, "exp: not in seconds"),
        ({"exp": -1}, "exp: not in seconds"),
        ({"exp": True}, "exp: not a number"),
        ({"type": 1}, "type: not a text"),
    ],
)
def test_members_that_are_not_as_they_have_to_be(changes: dict[str, Any], detail: str) -> None:
    assert detail in refusal(text_of(members(**changes)))


def test_bounds_are_exact() -> None:
    longest = "https://links.example.org/" + "x" * 102
    assert len(longest) == 128
    assert read_link(text_of(members(url=longest))).url == longest
    assert read_link(text_of(members(url=longest + "x"), "vhlink")).url == longest + "x"
    assert len(read_link(text_of(members(label="é" * 80))).label or "") == 80
    assert read_link(text_of(members(exp=253_402_300_799))).expires_at is not None
    text = text_of(members())
    assert read_link(text, limits=Limits(text_chars=len(text))).url == URL
    refusal(text, Code.INPUT_TOO_LONG, limits=Limits(text_chars=len(text) - 1))


def test_what_is_written_is_read_back() -> None:
    link = HealthLink(url=URL, key=KEY, exp=1_704_096_000, flag="LP", label="Impfungen für Zoé", type="vhl")
    assert link.to_text().startswith("vhlink:/")
    assert read_link(link.to_text()) == link
    assert read_link(LINK.to_text("https://viewer.example.org")).viewer == "https://viewer.example.org"
    payload = base64.urlsafe_b64decode(LINK.to_text().removeprefix("shlink:/") + "==")
    assert payload == f'{{"url":"{URL}","key":"{b64(KEY)}"}}'.encode()


def test_what_could_not_be_read_back_is_not_written() -> None:
    for link in (
        HealthLink(url="http://x.example/", key=KEY),
        HealthLink(url=URL, key=b""),
        HealthLink(url=URL, key=KEY, v=2),
    ):
        with pytest.raises(DecodeError):
            link.to_text()
    with pytest.raises(DecodeError):
        LINK.to_text("viewer")


def test_a_link_tells_nothing_in_logs() -> None:
    assert repr(read_link(text_of(members()))) == "HealthLink(...)"
