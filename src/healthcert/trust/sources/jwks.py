"""JWK sets (RFC 7517): keys of any list that is published so, signed as a whole (JWS, RFC 7515) or not.

A key's ``kid`` is that of HCERT where it is eight bytes in base64, base64url or hexadecimal, and a name otherwise.
What signs a set is pinned; a set that is not signed is worth what the name of its server is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.errors import Code, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, not_authentic, read_json, unreadable
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.plain import der_of
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "DCC"
_HEXADECIMAL = re.compile("[0-9A-Fa-f]{16}", re.ASCII)
_KID_SIZE = 8
_MAX_KID = 256


class KeySet:
    """See the module. The option ``domain`` is what the keys may sign, ``DCC`` where it is not set."""

    name = "jwks"
    title = "JWK set, signed (JWS) or unsigned"
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        data, signer = _verified(part(parts, "list"), context)
        document = read_json(data, dict)
        items = document.get("keys")
        # RFC 7517 §5.1: the set is an array under this name.
        if not isinstance(items, list):
            raise unreadable("not a JWK set")
        check_size(len(items), context.limits)
        domain = context.options.get("domain", DOMAIN)
        entries = [_entry(f"key {number}", item, domain) for number, item in enumerate(items, 1)]
        # RFC 7519 §4.1.6, §4.1.4. What nobody signed says nothing of when.
        issued_at, expires_at = (None if signer is None else _moment(document, name) for name in ("iat", "exp"))
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.TLS_ONLY if signer is None else Assurance.SIGNED_LIST,
            counter=None if issued_at is None else int(issued_at.timestamp()),
            issued_at=issued_at,
            expires_at=expires_at,
            signer=signer,
            signed=None if signer is None else hashlib.sha256(data).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _verified(data: bytes, context: Context) -> tuple[bytes, TrustAnchor | None]:
    """The set, and who signed it."""
    if data.lstrip()[:1] == b"{":
        # With an anchor a set is signed, or an attacker could make it an unsigned one by taking the signature off.
        if context.anchors:
            raise not_authentic("the set comes without a signature, and an anchor is pinned for it")
        return data, None
    anchors = need_anchors(context.anchors, context.now)
    token = jws.read(data.removesuffix(b"\n"), code=Code.TRUST_LIST_UNREADABLE)
    for anchor in anchors:
        if token.verify(anchor.public_key(), pkcs1=True):
            return token.payload, anchor
    raise not_authentic("the signature of the set does not verify with the anchor")


def _moment(document: dict[str, Any], name: str) -> datetime | None:
    value = document.get(name)
    if value is None:
        return None
    # RFC 7519 §2: a NumericDate is a number of seconds; of the signed, none is guessed at.
    if type(value) is not int:
        raise unreadable(f"{name} is not a number of seconds")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise unreadable(f"{name} is not a moment") from None


def _entry(where: str, item: Any, domain: str) -> TrustedKey | Rejected:
    if not isinstance(item, dict):
        return rejected(where, "no object")
    # RFC 7517 §4.2, §4.3: where these say what a key is for, it is for verifying signatures.
    operations = item.get("key_ops", ["verify"])
    if item.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return rejected(where, "its key is for something else")
    try:
        spki = jwk.public_key_of_jwk(item)
        # RFC 7517 §4.4: a key is used with no other algorithm. RS256 stands on lists for RSA keys, whatever they sign.
        if "alg" in item and item["alg"] not in _algorithms(load_public_key(spki)):
            return rejected(where, "its algorithm is not one of its key's")
        if "x5c" in item:
            return _certified(where, item, spki, domain)
    except TrustError as error:
        return Rejected(where, error)
    kid = _kid(item.get("kid"))
    return rejected(where, "it has no kid") if kid is None else TrustedKey(kid=kid, spki=spki, domain=domain)


def _algorithms(key: PublicKey) -> list[str]:
    names = [algorithm.name for algorithm in Algorithm if algorithm.fits(key)]
    return [*names, "RS256"] if isinstance(key, RSAPublicKey) else names


def _certified(where: str, item: dict[str, Any], spki: bytes, domain: str) -> TrustedKey | Rejected:
    """The key of an entry that comes with certificates, of which the first is its own."""
    chain = item["x5c"]
    der = der_of(chain[0]) if isinstance(chain, list) and chain else None
    key = read_certificate(der or b"")
    # RFC 7517 §4.7: the key in the first certificate is that of the JWK.
    if jwk.key_bytes(key.public_key) != spki:
        return rejected(where, "its certificate is another key's")
    # HCERT specification, Appendix A.1: a kid of that form is the certificate's, or leads to the wrong key.
    if "kid" in item and _kid(item["kid"]) != key.kid:
        return rejected(where, "its kid is not that of its certificate")
    return key.within(domain)


def _kid(text: object) -> bytes | None:
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_KID:
        return None
    if _HEXADECIMAL.fullmatch(text):
        return bytes.fromhex(text)
    try:
        found = jwk.decode(text)
    except ValueError:
        found = b""
    try:
        return found if len(found) == _KID_SIZE else text.encode()
    except UnicodeEncodeError:
        return None
