"""A store's keys in one signed file, for verifiers without a network: this project's own format.

A COSE_Sign1 (RFC 9052) whose payload says when it was made and when it ends, and holds each key with the lists it was
on; see :mod:`healthcert.publish.bundle` for the other direction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from healthcert.encoding import cose
from healthcert.errors import DecodeError, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import Environment, TrustAnchor, need_anchors
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, not_authentic, unreadable
from healthcert.lists.x509 import parse_certificate
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance, Link, Provenance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part

CONTENT_TYPE = "application/vnd.healthcert.trust-bundle+msgpack"
VERSION = 1
_CONTENT_TYPE_LABEL = 3  # RFC 9052 §3.1
_MAX_DEPTH = 8


class BundledKey(Struct, frozen=True):
    """A key in a bundle; the fields are those of :class:`healthcert.TrustedKey`."""

    kid: bytes
    spki: bytes
    origins: tuple[Provenance, ...]
    country: str | None = None
    usages: tuple[EntryType, ...] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    certificate: bytes | None = None
    domain: str | None = None
    issuer: str | None = None
    chain: tuple[Link, ...] = ()


class Payload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. ``number`` rises from one bundle to the next."""

    version: int
    number: int
    environment: Environment
    issued_at: datetime
    expires_at: datetime
    keys: tuple[BundledKey, ...]


class Bundle:
    """See the module."""

    name = "bundle"
    title = "A bundle exported from another trust store: COSE_Sign1"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        payload, signed, signer = _verified(part(parts, "list"), need_anchors(context.anchors, context.now))
        if payload.version != VERSION:
            raise unreadable(f"version {payload.version} of the format")
        if context.options.get("environment", payload.environment) != payload.environment:
            raise not_authentic(f"the bundle is for {payload.environment}")
        issued_at, expires_at = _utc(payload.issued_at), _utc(payload.expires_at)
        check_size(len(payload.keys), context.limits)
        entries = list(_entries(payload))
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            signer=signer,
            counter=payload.number,
            issued_at=issued_at,
            expires_at=expires_at,
            signed=signed,
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _verified(data: bytes, anchors: tuple[TrustAnchor, ...]) -> tuple[Payload, bytes, TrustAnchor]:
    """What was signed, its SHA-256, and who signed it."""
    try:
        message = cose.decode_sign1(data, max_depth=_MAX_DEPTH)
    except DecodeError as error:
        raise unreadable(error.detail) from None
    # RFC 9052 §3.1: alg and content type count only where they are signed, and nothing stands beside them.
    if message.protected.get(_CONTENT_TYPE_LABEL) != CONTENT_TYPE or message.unprotected:
        raise unreadable("not a trust bundle")
    for anchor in anchors:
        algorithm = message.algorithm
        if algorithm is None or cose.ALG not in message.protected:
            break
        if algorithm.verify(anchor.public_key(), message.signature, message.to_be_signed()):
            try:
                payload = msgspec.msgpack.decode(message.payload, type=Payload)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                raise unreadable("not the payload of a trust bundle") from None
            return payload, hashlib.sha256(message.payload).digest(), anchor
    raise not_authentic("the signature of the bundle does not verify with the anchor")


def _entries(payload: Payload) -> Iterator[TrustedKey | Rejected]:
    for number, key in enumerate(payload.keys, 1):
        try:
            yield _entry(key)
        except TrustError as error:
            yield Rejected(f"key {number}", error)


def _entry(key: BundledKey) -> TrustedKey:
    load_public_key(key.spki)
    if not key.origins:
        raise unreadable("no list that it was on")
    if key.certificate is not None:
        certificate = parse_certificate(key.certificate)
        if (key.issuer is None and certificate.kid != key.kid) or certificate.spki != key.spki:
            raise unreadable("its certificate is another key's")
    return TrustedKey(
        kid=key.kid,
        spki=key.spki,
        country=key.country,
        usages=None if key.usages is None else frozenset(key.usages),
        not_before=key.not_before and _utc(key.not_before),
        not_after=key.not_after and _utc(key.not_after),
        certificate=key.certificate,
        domain=key.domain,
        issuer=key.issuer,
        chain=key.chain,
        provenance=tuple(
            Provenance(p.source, p.assurance, p.fetched_at and _utc(p.fetched_at), p.expires_at and _utc(p.expires_at))
            for p in key.origins
        ),
    )


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise unreadable("a moment without a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise unreadable("a moment beyond all calendars") from None
