"""SMART's own samples of health links: their links, manifests and encrypted files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from healthcert.errors import Code, DecodeError
from healthcert.links import base64url
from healthcert.links.jwe import decrypt_file
from healthcert.links.link import read_link
from healthcert.links.manifest import read_manifest
from tests.unit.links.linked import text_of


@pytest.fixture(scope="module")
def tools(interop: Path) -> Path:
    folder = interop / "shc" / "dev-tools"
    if not folder.is_dir():
        pytest.skip("the samples of health-cards-dev-tools are not there")
    return folder


def payload_of(text: str) -> dict[str, Any]:
    data = base64url.decode(text.strip().rpartition("link:/")[2])
    assert data is not None
    payload = json.loads(data)
    assert isinstance(payload, dict)
    return payload


@pytest.mark.parametrize("name", ["link", "link-direct", "link-with-viewer"])
def test_the_samples_are_links_to_a_server_without_tls(tools: Path, name: str) -> None:
    text = (tools / f"shlink-{name}.txt").read_text("utf-8").strip()
    # They lead to a developer's own machine over plain HTTP, which is the only thing that is wrong with them.
    with pytest.raises(DecodeError) as caught:
        read_link(text)
    assert (caught.value.code, "url: not https" in caught.value.detail) == (Code.SCHEMA_VALIDATION_FAILED, True)
    payload = payload_of(text)
    mended = payload | {"url": payload["url"].replace("http:", "https:")}
    viewer = text.rpartition("#")[0]
    link = read_link((f"{viewer}#" if viewer else "") + text_of(mended))
    assert link.url == mended["url"]
    assert base64url.encode(link.key) == payload["key"]
    assert (link.exp, link.label) == (payload["exp"], payload["label"])
    assert (link.direct, link.needs_passcode) == ("direct" in name, "direct" not in name)
    assert link.viewer == (viewer or None)


def test_the_manifest_is_refused_for_its_plain_locations(tools: Path) -> None:
    data = (tools / "shlink-manifest.txt").read_bytes()
    with pytest.raises(DecodeError) as caught:
        read_manifest(data)
    assert (caught.value.code, "location" in caught.value.detail) == (Code.SCHEMA_VALIDATION_FAILED, True)
    files = read_manifest(data.replace(b"http:", b"https:"))
    assert [file.content_type for file in files] == ["application/smart-health-card"] * 2
    assert all(file.location and file.embedded is None for file in files)


def test_the_files_are_decrypted_with_the_key_of_the_link(tools: Path) -> None:
    (sample,) = (tools / "shl-examples").glob("*.json")
    stored = json.loads(sample.read_text("utf-8"))
    key = base64url.decode(payload_of(stored["link"])["key"])
    assert key is not None
    for token in stored["jweFiles"]:
        file = decrypt_file(token, key)
        # Their header has no cty; the manifest says what they are.
        assert file.content_type is None
        assert list(json.loads(file.data)) == ["verifiableCredential"]
        with pytest.raises(DecodeError) as caught:
            decrypt_file(token, bytes(32))
        assert caught.value.code is Code.DECRYPTION_FAILED
