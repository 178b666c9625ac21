"""Austria: the list that hcert-kotlin calls V2, certificates in CBOR with a COSE signature in a file beside it.

The signature is over a digest of the list, the moment that it was made at, and the one that it must be replaced by.
Those who publish it in JSON (the greencheck service) put both files into members of one object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from healthcert.encoding import cbor, cose
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import DecodeError, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, as_moment, exact_base64, is_country, not_authentic, read_json, unreadable
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "DCC"
# hcert-kotlin: the header parameter with the version, the version, and the claims of the signature.
VERSION_LABEL, VERSION = 42, 2
DIGEST, EXPIRES_AT, NOT_BEFORE = 2, 4, 5
_SKEW = timedelta(seconds=300)
_KID_SIZE = 8
# What verify-ehc writes where it does not know a date.
_NO_START, _NO_END = 0, 253402300799


class Austrian:
    """See the module."""

    name = "at"
    title = "Austria: CBOR with a COSE signature beside it"
    parts = ("list", "signature")
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        anchors = need_anchors(context.anchors, context.now)
        content, signature = _unwrapped(parts)
        not_before, expires_at, signed, signer = _verified(content, signature, anchors, context.limits)
        if not_before > context.now + _SKEW:
            raise not_authentic("the list is signed for a time that has not come")
        entries = [_entry(number, item) for number, item in enumerate(_items(content, context.limits), 1)]
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            counter=int(not_before.timestamp()),
            issued_at=not_before,
            expires_at=expires_at,
            signer=signer,
            signed=signed,
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """As the protocol has it. The signature is at the option ``signature``, or at the list's address with ``sig``
        behind it, as the public services have it."""
        content, validators = get(fetcher, url, known, context.limits)
        if content is not None and _is_wrapper(content):
            # What else is in the object may change without the list. No ETag is kept, so that it always comes whole.
            return Fetched(dict(zip(self.parts, _unwrapped({"list": content}), strict=True)))
        signature, validators_ = get(fetcher, context.options.get("signature", url + "sig"), known, context.limits)
        if content is None and signature is None:
            return None
        found = {"list": content, "signature": signature}
        # What has not changed is what is known, unless a server says so that was not asked.
        whole = {name: body if body is not None else part(known.parts, name) for name, body in found.items()}
        return Fetched(whole, validators | validators_)


def _unwrapped(parts: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """The list and its signature."""
    content = part(parts, "list")
    if "signature" in parts or not _is_wrapper(content):
        return content, part(parts, "signature")
    members = read_json(content, dict).get("trustList")
    found = []
    for name in ("trustListContent", "trustListSignature"):
        text = members.get(name) if isinstance(members, dict) else None
        octets = exact_base64(text) if isinstance(text, str) else None
        if not octets:
            raise unreadable(f"{name} is not there in base64")
        found.append(octets)
    return found[0], found[1]


def _is_wrapper(content: bytes) -> bool:
    # A CBOR map never begins with this byte.
    return content.lstrip()[:1] == b"{"


def _verified(
    content: bytes, signature: bytes, anchors: tuple[TrustAnchor, ...], limits: Limits
) -> tuple[datetime, datetime, bytes, TrustAnchor]:
    """From when and until when the list holds, the SHA-256 of what is signed, and who signed it."""
    try:
        message = cose.decode_sign1(signature, max_depth=limits.cbor_depth)
        claims = cbor.decode(message.payload, max_depth=limits.cbor_depth)
    except DecodeError as error:
        raise unreadable(f"its signature: {error.detail}") from None
    # What is not signed says nothing here: neither who signed, nor how, nor which version this is.
    if message.unprotected:
        raise unreadable("its signature has headers that are not signed")
    version, kid = message.protected.get(VERSION_LABEL), message.protected.get(cose.KID)
    # Version 1 had another form, and was given up on 2021-05-28; rules and value sets have other labels.
    if type(version) is not int or version != VERSION:
        raise unreadable("its signature is not that of a trust list of version 2")
    if not isinstance(kid, bytes):
        raise unreadable("its signature does not say whose it is")
    signer = _signer(message, kid, anchors)
    if not isinstance(claims, dict) or claims.get(DIGEST) != hashlib.sha256(content).digest():
        raise not_authentic("the signature is over another list")
    not_before, expires_at = as_moment(claims.get(NOT_BEFORE)), as_moment(claims.get(EXPIRES_AT))
    if not_before is None or expires_at is None:
        raise unreadable("its signature does not say from when until when it holds")
    # The claims hold the digest of the list.
    return not_before, expires_at, hashlib.sha256(message.payload).digest(), signer


def _signer(message: cose.Sign1, kid: bytes, anchors: tuple[TrustAnchor, ...]) -> TrustAnchor:
    candidates = [anchor for anchor in anchors if anchor.kid in (None, kid)]
    if not candidates:
        raise not_authentic("the list names another signer than those that are pinned")
    algorithm = Algorithm.from_cose(message.protected.get(cose.ALG))
    for anchor in candidates:
        if algorithm and algorithm.verify(anchor.public_key(), message.signature, message.to_be_signed()):
            return anchor
    raise not_authentic("the signature of the list does not verify with the anchor")


def _items(content: bytes, limits: Limits) -> list[Any] | tuple[Any, ...]:
    try:
        value = cbor.decode(content, max_depth=limits.cbor_depth)
    except DecodeError as error:
        raise unreadable(error.detail) from None
    items = value.get("c") if isinstance(value, dict) else None
    if not isinstance(items, (list, tuple)):
        raise unreadable("it has no array of certificates")
    check_size(len(items), limits)
    return items


def _entry(number: int, item: Any) -> TrustedKey | Rejected:
    where = f"entry {number}"
    if not isinstance(item, dict) or not isinstance(kid := item.get("i"), bytes):
        return rejected(where, "no kid in it")
    try:
        if isinstance(der := item.get("c"), bytes):
            key = read_certificate(der)
            # A kid that is another certificate's would never be looked for, or lead to the wrong key.
            return key.within(DOMAIN) if key.kid == kid else rejected(where, "its kid is not that of its certificate")
        if isinstance(spki := item.get("k"), bytes):
            return _bare(where, kid, spki, item)
    except TrustError as error:
        return Rejected(where, error)
    return rejected(where, "neither certificate nor public key in it")


def _bare(where: str, kid: bytes, spki: bytes, item: Mapping[Any, Any]) -> TrustedKey | Rejected:
    """A key without its certificate, as verify-ehc writes them: who it belongs to is in members of their own."""
    # HCERT specification, Appendix A.1.
    if len(kid) != _KID_SIZE:
        return rejected(where, f"its kid is not of {_KID_SIZE} bytes")
    load_public_key(spki)
    dates = []
    for name, unknown in (("nb", _NO_START), ("na", _NO_END)):
        seconds = item.get(name, unknown)
        moment = as_moment(seconds)
        if moment is None:
            return rejected(where, "a date in it is wrong")
        dates.append(None if seconds == unknown else moment)
    names = [item.get("su"), item.get("is")]
    countries = [name["C"] for name in names if isinstance(name, dict) and is_country(name.get("C"))]
    key = TrustedKey(kid=kid, spki=spki, not_before=dates[0], not_after=dates[1])
    return key.within(DOMAIN, country=countries[0] if countries else None)
