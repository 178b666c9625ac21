"""Links and their files under generated input: what is written reads back, and nothing but DecodeError comes out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import DecodeError
from healthcert.limits import Limits
from healthcert.links import base64url
from healthcert.links.jwe import LinkFile, decrypt_file, encrypt_file
from healthcert.links.link import HealthLink, is_link, read_link
from healthcert.links.manifest import ManifestFile, read_manifest, write_manifest
from tests.unit.links.linked import KEY, members, sealed, text_of

many = settings(derandomize=True, deadline=None, max_examples=200)

labels = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
flags = st.sampled_from(["", "L", "P", "U", "LP", "LU", "X", "LPQ"])
paths = st.text("abcXYZ019-_~/?&=.|%", min_size=0, max_size=80)
links = st.builds(
    HealthLink,
    url=paths.map("https://links.example.org:8443/".__add__),
    key=st.binary(min_size=32, max_size=32),
    exp=st.none() | st.integers(0, 253_402_300_799) | st.floats(0, 4e9),
    flag=flags,
    label=labels,
    type=st.sampled_from(["shl", "vhl"]),
    viewer=st.none() | st.just("https://viewer.example.org/?a=1"),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read(text: str) -> HealthLink | None:
    try:
        return read_link(text)
    except DecodeError:
        return None


@many
@given(links)
def test_a_link_reads_back(link: HealthLink) -> None:
    text = link.to_text()
    assert is_link(text)
    assert read_link(text) == link


@many
@given(st.text(max_size=60) | st.binary(max_size=80).map(text_of))
def test_any_text_is_a_link_or_refused(text: str) -> None:
    link = read(text)
    assert link is None or read_link(link.to_text()) == link


@many
@given(st.dictionaries(st.sampled_from([*members(), "v", "type", "x"]), json_values, max_size=4), st.booleans())
def test_any_members_are_a_link_or_refused(changes: dict[str, Any], verifiable: bool) -> None:
    link = read(text_of(members() | changes, "vhlink" if verifiable else "shlink"))
    assert link is None or read_link(link.to_text()) == link


@many
@given(st.binary(max_size=300))
def test_base64url_has_one_spelling(data: bytes) -> None:
    text = base64url.encode(data)
    assert base64url.decode(text) == data
    for other in (text + "=", text + "A" * 3, text[:-1] + "é", " " + text):
        found = base64url.decode(other)
        assert found is None or base64url.encode(found) == other


@many
@given(st.binary(max_size=2000), st.booleans(), st.text(st.characters(codec="ascii"), max_size=30))
def test_a_file_reads_back(data: bytes, compress: bool, kind: str) -> None:
    kind = f"application/{kind}"
    token = encrypt_file(data, KEY, content_type=kind, compress=compress)
    assert decrypt_file(token, KEY) == LinkFile(content_type=kind, data=data)


@many
@given(st.text("AZaz09-_.=+ ", max_size=80) | st.text(max_size=40), st.integers(0, 200), st.integers(0, 5))
def test_any_text_is_a_file_or_refused(noise: str, at: int, cut: int) -> None:
    whole = sealed()
    for token in (noise, whole[:at] + noise + whole[at + cut :]):
        try:
            found = decrypt_file(token, KEY, Limits(file_bytes=1000))
        except DecodeError:
            continue
        assert token.strip("\r\n") == whole
        assert found == decrypt_file(whole, KEY)


@many
@given(st.binary(max_size=80) | json_values.map(lambda value: json.dumps({"files": value}).encode()))
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    try:
        files = read_manifest(data)
    except DecodeError:
        return
    assert read_manifest(write_manifest(files)) == files


@many
@given(
    st.lists(
        st.builds(
            ManifestFile,
            content_type=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
            embedded=st.text("aZ0.", max_size=30),
            status=st.none() | st.just("retracted"),
        ),
        max_size=5,
    )
)
def test_a_manifest_reads_back(files: list[ManifestFile]) -> None:
    assert read_manifest(write_manifest(files)) == tuple(files)
