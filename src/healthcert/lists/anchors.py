"""What an operator pins: the certificates and keys that lists must be signed with. Nothing downloaded becomes one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

from msgspec import Struct

from healthcert.encoding.algorithms import PublicKey
from healthcert.errors import Code, HealthCertError, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.jwk import public_key_of_jwk
from healthcert.lists.publickeys import load_any_key
from healthcert.lists.x509 import Certificate, kid_of, parse_certificate

_BEGIN = b"-----BEGIN "


@unique
class Environment(StrEnum):
    """Which world keys belong to. Those of one never reach a store of another."""

    PRODUCTION = "production"
    ACCEPTANCE = "acceptance"
    TEST = "test"


class TrustAnchor(Struct, frozen=True):
    """A certificate or public key that an operator pinned for a source of keys, and got by another way than from it.

    ``subject`` limits who below a certificate may sign: the common name that the signing certificate must have.
    """

    name: str
    spki: bytes
    certificate: bytes | None = None
    subject: str | None = None

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, or of the bare key."""
        return hashlib.sha256(self.certificate or self.spki).hexdigest()

    @property
    def kid(self) -> bytes | None:
        """The kid of the certificate; None for a bare key."""
        return kid_of(self.certificate) if self.certificate is not None else None

    def public_key(self) -> PublicKey:
        """The key. Raises :class:`TrustError` (``TRUST_ANCHOR_UNREADABLE``)."""
        try:
            return load_any_key(self.spki)
        except TrustError as error:
            raise _unreadable(self.name, error.detail) from None

    def parsed(self) -> Certificate | None:
        """The certificate, where one is pinned."""
        return parse_certificate(self.certificate) if self.certificate is not None else None

    def problem_at(self, moment: datetime) -> str | None:
        """Why the anchor is of no use at this moment; None when it is."""
        certificate = self.parsed()
        if certificate is None or certificate.valid_at(moment):
            return None
        # RFC 5280 §6.1 leaves it to the verifier; shell model: all that vouches is valid at the moment of asking.
        end = f"{certificate.not_after:%Y-%m-%d}"
        return f"the anchor {self.name} is not valid at this moment (it ends {end}); its bare key can be pinned instead"


def load_anchors(path: Path, *, subject: str | None = None) -> tuple[TrustAnchor, ...]:
    """Every anchor in a file: certificates and public keys in PEM or DER, a JWK, a JWK set, or a DID document.

    Raises :class:`TrustError` (``TRUST_ANCHOR_UNREADABLE``), OSError.
    """
    data = read_file(path, DEFAULT_LIMITS.key_file_bytes)
    try:
        found = tuple(_anchors(data, path.name, subject))
    except HealthCertError as error:
        raise _unreadable(path.name, error.detail) from None
    if not found:
        raise _unreadable(path.name, "it holds neither certificate nor public key")
    return found


def need_anchors(anchors: Sequence[TrustAnchor], now: datetime) -> tuple[TrustAnchor, ...]:
    """The pinned anchors that are valid now.

    Raises :class:`TrustError`: ``TRUST_ANCHOR_MISSING`` when there is none.
    """
    if not anchors:
        raise TrustError(Code.TRUST_ANCHOR_MISSING, "the list is signed: pin the key or certificate of its signer")
    problems = [anchor.problem_at(now) for anchor in anchors]
    usable = tuple(a for a, problem in zip(anchors, problems, strict=True) if problem is None)
    if not usable:
        raise TrustError(Code.TRUST_ANCHOR_MISSING, next(p for p in problems if p), Step.TRUST)
    return usable


def _anchors(data: bytes, name: str, subject: str | None) -> Iterator[TrustAnchor]:
    if data.lstrip()[:1] == b"{":
        for jwk in _jwks(data):
            yield TrustAnchor(name, public_key_of_jwk(jwk), None, subject)
        return
    if _BEGIN in data:
        for block in data.split(_BEGIN)[1:]:
            label, _, rest = block.partition(b"-----")
            if label.endswith(b"PRIVATE KEY"):
                raise _unreadable(name, "it holds a private key, which has no place here")
            try:
                der = base64.b64decode(b"".join(rest.partition(b"-----")[0].split()), validate=True)
            except (binascii.Error, ValueError):
                raise _unreadable(name, "a damaged PEM block") from None
            yield _anchor(der, name, subject)
        return
    yield _anchor(data, name, subject)


def _anchor(der: bytes, name: str, subject: str | None) -> TrustAnchor:
    try:
        certificate = parse_certificate(der)
    except TrustError:
        load_any_key(der)
        return TrustAnchor(name, der, None, subject)
    load_any_key(certificate.spki)
    return TrustAnchor(name, certificate.spki, der, subject)


def _jwks(data: bytes) -> list[dict[str, Any]]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return []
    if "keys" in document:
        found = document["keys"]
    elif "verificationMethod" in document:
        methods = document["verificationMethod"]
        found = [m.get("publicKeyJwk") for m in methods if isinstance(m, dict)] if isinstance(methods, list) else []
    else:
        found = [document]
    return [jwk for jwk in found if isinstance(jwk, dict)] if isinstance(found, list) else []


def _unreadable(name: str, detail: str) -> TrustError:
    return TrustError(Code.TRUST_ANCHOR_UNREADABLE, f"{name}: {detail}", Step.TRUST)
