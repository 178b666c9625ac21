"""Files of links: encrypted and decrypted here and by joserfc, and every way that one can be wrong."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe as other
from joserfc.jwk import OctKey

from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.links.jwe import FHIR, HEALTH_CARD, LinkFile, decrypt_file, encrypt_file
from tests.unit.links.linked import CARD, KEY, b64, sealed

THEIR_KEY = OctKey.import_key(KEY)


def pressed(header: Any = None, data: bytes = CARD, *, iv: bytes = bytes(12), key: bytes = KEY) -> str:
    """A JWE of any header, its parts as they should be."""
    header = {"alg": "dir", "enc": "A256GCM", "cty": HEALTH_CARD} if header is None else header
    head = b64(header if isinstance(header, bytes) else json.dumps(header).encode())
    box = AESGCM(key).encrypt(iv, data, head.encode())
    return f"{head}..{b64(iv)}.{b64(box[:-16])}.{b64(box[-16:])}"


def refusal(token: str, code: Code = Code.JWE_DESERIALIZATION_FAILED, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(DecodeError) as caught:
        decrypt_file(token, KEY, limits)
    assert (caught.value.code, caught.value.step) == (code, Step.DECODE)
    return caught.value.detail


@pytest.mark.parametrize("compress", [False, True])
def test_ours_is_read_here_and_by_joserfc(compress: bool) -> None:
    token = sealed(CARD * 50, compress=compress)
    assert decrypt_file(token, KEY) == LinkFile(content_type=HEALTH_CARD, data=CARD * 50)
    theirs = other.decrypt_compact(token, THEIR_KEY)
    assert theirs.plaintext == CARD * 50
    assert theirs.protected["cty"] == HEALTH_CARD
    assert theirs.protected.get("zip") == ("DEF" if compress else None)


@pytest.mark.parametrize("extra", [{}, {"zip": "DEF"}, {"kid": "1"}])
def test_theirs_is_read_here(extra: dict[str, str]) -> None:
    token = other.encrypt_compact({"alg": "dir", "enc": "A256GCM", "cty": FHIR, **extra}, CARD * 50, THEIR_KEY)
    assert decrypt_file(token, KEY) == LinkFile(content_type=FHIR, data=CARD * 50)


def test_each_has_a_nonce_of_its_own() -> None:
    assert len({sealed().split(".")[2] for _ in range(50)}) == 50


def test_a_content_type_may_be_short_or_missing() -> None:
    base = {"alg": "dir", "enc": "A256GCM"}
    assert decrypt_file(pressed(base), KEY).content_type is None
    assert decrypt_file(pressed(base | {"cty": "fhir+json"}), KEY).content_type == FHIR
    assert "cty" in refusal(pressed(base | {"cty": 1}))


def test_a_line_end_of_a_server_is_no_part_of_it() -> None:
    assert decrypt_file(sealed() + "\r\n", KEY).data == CARD


def test_another_key_and_every_altered_part_are_told() -> None:
    assert "another key" in refusal(pressed(key=bytes(32)), Code.DECRYPTION_FAILED)
    parts = pressed().split(".")
    for at in (2, 3, 4):
        altered = [*parts]
        altered[at] = ("B" if altered[at][0] == "A" else "A") + altered[at][1:]
        refusal(".".join(altered), Code.DECRYPTION_FAILED)
    # The same header in another spelling is another header.
    respelled = b64(json.dumps({"enc": "A256GCM", "alg": "dir", "cty": HEALTH_CARD}).encode())
    refusal(".".join([respelled, *parts[1:]]), Code.DECRYPTION_FAILED)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b'{"alg":"dir","alg":"dir","enc":"A256GCM"}',
        {"enc": "A256GCM"},
        {"alg": "dir"},
        {"alg": "A256KW", "enc": "A256GCM"},
        {"alg": "dir", "enc": "A128GCM"},
        {"alg": "dir", "enc": "A256CBC-HS512"},
        {"alg": "none", "enc": "A256GCM"},
        {"alg": "dir", "enc": "A256GCM", "zip": "GZ"},
        {"alg": "dir", "enc": "A256GCM", "zip": None},
        {"alg": "dir", "enc": "A256GCM", "x": "y" * 5000},
    ],
)
def test_headers_of_another_kind(header: Any) -> None:
    refusal(pressed(header))


def test_what_must_be_understood_is_not() -> None:
    header = {"alg": "dir", "enc": "A256GCM", "crit": ["b64"]}
    refusal(pressed(header), Code.CRITICAL_HEADER_UNKNOWN)
    refusal(pressed(header | {"crit": []}), Code.CRITICAL_HEADER_UNKNOWN)


def test_parts_of_other_forms() -> None:
    head, _, iv, box, tag = sealed().split(".")
    for token in (
        "",
        ".".join((head, iv, box, tag)),
        ".".join((head, "", iv, box, tag, "")),
        ".".join((head, b64(bytes(40)), iv, box, tag)),
        ".".join((head, "", b64(bytes(16)), box, tag)),
        ".".join((head, "", iv, box, b64(bytes(12)))),
        ".".join((head, "", iv, box, tag + "=")),
        ".".join((head, "", iv, " " + box, tag)),
        ".".join((head, "", iv, box, "é")),
        sealed().replace("-", "+").replace("_", "/") + "+",
    ):
        refusal(token)


def test_a_bomb_is_cut_off() -> None:
    small = Limits(file_bytes=10_000)
    assert len(decrypt_file(sealed(bytes(10_000), compress=True), KEY, small).data) == 10_000
    assert "10000 bytes" in refusal(sealed(bytes(10_001), compress=True), Code.DECOMPRESSION_FAILED, small)
    refusal(sealed(bytes(10_001)), Code.INPUT_TOO_LONG, small)


def test_compressed_means_raw_deflate() -> None:
    header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
    refusal(pressed(header, zlib.compress(CARD)), Code.DECOMPRESSION_FAILED)
    refusal(pressed(header, b""), Code.DECOMPRESSION_FAILED)


def test_only_whole_keys_encrypt() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encrypt_file(CARD, bytes(16), content_type=FHIR)


def test_withdrawn_files() -> None:
    def withdrawn(status: str | None) -> bool:
        return LinkFile(content_type=None, data=b"", status=status).withdrawn

    assert all(map(withdrawn, ("entered-in-error", "no-longer-valid", "retracted")))
    assert not any(map(withdrawn, (None, "finalized", "can-change")))
    assert repr(LinkFile(content_type=None, data=b"Zoe")) == "LinkFile(...)"
