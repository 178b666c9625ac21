"""The files behind a health link: JSON Web Encryption in its compact form (RFC 7516), of the one kind that links have.

The key is the link's own (``dir``), the cipher AES-256 in GCM (``A256GCM``); nothing else is read or written. Why this
is written here is told in ``docs/decisions/0015-links.md``.
"""

from __future__ import annotations

import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from healthcert.encoding import deflate, jsontext
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.links import base64url
from healthcert.model import Private

HEALTH_CARD = "application/smart-health-card"
FHIR = "application/fhir+json"
API_ACCESS = "application/smart-api-access"

_IV_BYTES = 12  # RFC 7518 §5.3: 96 bits
_TAG_BYTES = 16  # RFC 7518 §5.3: 128 bits
_HEADER_CHARS = 4096
_WITHDRAWN = frozenset(("entered-in-error", "no-longer-valid", "retracted"))


class LinkFile(Private, frozen=True, kw_only=True):
    """A file, decrypted. Whoever had the link's key made it; nothing else is known of it.

    ``content_type`` is what its encrypted header says, or else the manifest; None where neither does. ``status`` is the
    manifest's word on it.
    """

    content_type: str | None
    data: bytes
    status: str | None = None

    @property
    def withdrawn(self) -> bool:
        """Whether its own server says that it is not to be used."""
        # SMART Health Links, files.status.
        return self.status in _WITHDRAWN


def decrypt_file(jwe: str, key: bytes, limits: Limits = DEFAULT_LIMITS) -> LinkFile:
    """The file in ``jwe``, encrypted with a link's ``key``.

    Raises :class:`DecodeError`: ``INPUT_TOO_LONG``; ``JWE_DESERIALIZATION_FAILED`` for what is no compact JWE of a
    link, in its one spelling; ``CRITICAL_HEADER_UNKNOWN``; ``DECRYPTION_FAILED`` when it was made with another key, or
    altered; ``DECOMPRESSION_FAILED``.
    """
    if len(jwe) > limits.file_bytes:
        raise DecodeError(Code.INPUT_TOO_LONG, f"JWE: more than {limits.file_bytes} characters", Step.DECODE)
    # RFC 7516 §7.1: five parts. Some servers end what they send with a line end.
    parts = jwe.strip("\r\n").split(".", 5)
    decoded = [base64url.decode(part) for part in parts]
    if len(parts) != 5 or None in decoded:
        raise _error("not five parts of base64url with dots between them")
    header_bytes, wrapped, iv, ciphertext, tag = (part or b"" for part in decoded)
    header = _header(header_bytes, limits)
    # RFC 7518 §4.5: under dir, no key is sent. RFC 7518 §5.3: the lengths of A256GCM.
    if wrapped or len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise _error("parts of other lengths than dir and A256GCM have")
    try:
        # RFC 7516 §5.2: what is authenticated besides is the header as it was sent.
        data = AESGCM(key).decrypt(iv, ciphertext + tag, parts[0].encode("ascii"))
    except InvalidTag:
        detail = "JWE: made with another key than the link's, or altered"
        raise DecodeError(Code.DECRYPTION_FAILED, detail, Step.DECODE) from None
    if "zip" in header:
        data = deflate.inflate_raw(data, limit=limits.file_bytes)
    return LinkFile(content_type=_media_type(header.get("cty")), data=data)


def encrypt_file(data: bytes, key: bytes, *, content_type: str, compress: bool = False) -> str:
    """``data`` as a JWE under a link's ``key``, with a fresh nonce.

    ``compress`` makes it smaller; some readers do not know how to read that. Raises ValueError for a key that is not of
    32 bytes.
    """
    if len(key) != 32:  # AESGCM would take shorter ones for AES-128
        raise ValueError("the key of a link has 32 bytes")
    header = {"alg": "dir", "enc": "A256GCM", "cty": content_type} | ({"zip": "DEF"} if compress else {})
    head = base64url.encode(json.dumps(header, separators=(",", ":")).encode())
    # SMART Health Links, "Encrypting and Decrypting Files": a nonce of its own for each encryption under one key.
    iv = os.urandom(_IV_BYTES)
    sealed = AESGCM(key).encrypt(iv, deflate.deflate(data, raw=True) if compress else data, head.encode("ascii"))
    parts = (iv, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    return ".".join((head, "", *(base64url.encode(part) for part in parts)))


def _header(data: bytes, limits: Limits) -> dict[str, Any]:
    if len(data) > _HEADER_CHARS:
        raise _error("its header is too long")
    header = jsontext.read(data, max_depth=limits.json_depth, code=Code.JWE_DESERIALIZATION_FAILED)
    if not isinstance(header, dict):
        raise _error("its header is not a JSON object")
    # RFC 7516 §4.1.13: what crit lists must be understood, and nothing that may be listed is.
    if "crit" in header:
        detail = "JWE: its header demands an extension that is not understood"
        raise DecodeError(Code.CRITICAL_HEADER_UNKNOWN, detail, Step.DECODE)
    # SMART Health Links, "Encrypting and Decrypting Files": dir, A256GCM, and DEF or nothing.
    if header.get("alg") != "dir" or header.get("enc") != "A256GCM" or header.get("zip", "DEF") != "DEF":
        raise _error("its header names another algorithm, cipher or compression than a link's files have")
    if not isinstance(header.get("cty", ""), str):
        raise _error("cty is not a text")
    return header


def _media_type(cty: str | None) -> str | None:
    # RFC 7515 §4.1.10: what has no slash is a subtype of application.
    return cty if not cty or "/" in cty else f"application/{cty}"


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.JWE_DESERIALIZATION_FAILED, f"JWE: {detail}", Step.DECODE)
