"""The EU's gateway (DGCG): a certificate an item, each signed, with a chain of two up to the gateway's trust anchor.

The trust anchor signs the countries' authorities (CSCA) and upload certificates; a signing certificate (DSC) counts
when its country's CSCA issued it and its country's upload certificate signed it. Nothing else in an item is signed,
so nothing else is relied on: neither which list it stands in nor whose it says it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec import Struct

from healthcert.encoding import cms
from healthcert.encoding.algorithms import PublicKey
from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.chain import pinned_signer
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, exact_base64, not_authentic, read_json, unreadable
from healthcert.lists.x509 import Certificate
from healthcert.trust.chain import Authorities, chained_key, link
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.dgcg_items import (
    DOMAIN,
    Item,
    certificate_of,
    encode,
    merge,
    newest,
    read_items,
    standing,
)
from healthcert.trust.sources.protocol import Authority, Context, Fetched, Known, Role, TrustList, check_size, part

_PAGE = 500  # items asked for at a time
_SIGNATURE_BYTES = 64 * 1024  # of one item
_RELOAD = timedelta(days=6)  # the gateway forgets withdrawn items 14 days after
_OVERLAP = timedelta(minutes=10)  # an item may become visible a little after the moment it bears
_AHEAD = timedelta(days=1)  # a moment further ahead than this is no moment that the gateway saw

Made = TypeVar("Made")


class Rooted(Struct, frozen=True):
    """A certificate that a trust anchor signed, and its key."""

    certificate: Certificate
    key: PublicKey
    anchor: TrustAnchor


class Gateway:
    """See the module."""

    name = "dgcg"
    title = "EU Digital COVID Certificate Gateway: items signed one by one, up to its trust anchor"
    parts = ("DSC", "CSCA", "UPLOAD")
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        anchors = need_anchors(context.anchors, context.now)
        items = {name: read_items(part(parts, name), name, context.limits) for name in self.parts}
        authorities, bad_authorities = _usable(items["CSCA"], lambda item: _authority(item, anchors))
        uploaders, bad_uploaders = _usable(items["UPLOAD"], lambda item: _uploader(item, anchors, context.now))
        if not authorities or not uploaders:
            missing = "upload certificate" if authorities else "CSCA"
            raise not_authentic(f"no {missing} in it is signed with a pinned trust anchor and usable")
        path = _Path(authorities, uploaders)
        keys, bad_keys = _usable(items["DSC"], path.key_of)
        return TrustList(
            keys=tuple({key.certificate: key for key in keys}.values()),
            skipped=(*bad_authorities, *bad_uploaders, *bad_keys),
            assurance=Assurance.SIGNED_CHAIN,
            authorities=(*_named(Role.CSCA, authorities), *_named(Role.UPLOAD, uploaders)),
            signer=authorities[0].anchor,
            # Nobody signs these moments; one that is still to come says nothing.
            issued_at=newest((item for name in self.parts for item in items[name]), context.now),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        base = f"{url.rstrip('/')}/trustList"
        since = _since(known, context)
        parts = {}
        for name in self.parts:
            if name == "DSC" and since is not None:
                changes = _pages(fetcher, f"{base}/{name}", context.limits, since)
                parts[name] = encode(merge(read_json(known.parts[name], list), changes))
            else:
                # Withdrawn authorities and upload certificates do not show among changes, so these come whole.
                parts[name] = encode(_pages(fetcher, f"{base}/{name}", context.limits))
        if since is not None and parts == dict(known.parts):
            return None
        return Fetched(parts, whole=since is None)


class _Path:
    """The way from an item with a DSC up to the trust anchor."""

    def __init__(self, authorities: Sequence[Rooted], uploaders: Sequence[Rooted]) -> None:
        self._authorities = Authorities(rooted.certificate for rooted in authorities)
        self._anchor_of = {rooted.certificate.der: rooted.anchor for rooted in authorities}
        self._uploaders = {rooted.certificate.der: rooted for rooted in uploaders}
        self._vouching = {rooted.certificate.spki for rooted in (*authorities, *uploaders)}

    def key_of(self, item: Item) -> TrustedKey:
        """Raises :class:`TrustError`: ``CERTIFICATE_UNREADABLE``, ``KEY_NOT_CHAINED``."""
        certificate = certificate_of(item, "DSC")
        load_public_key(certificate.spki)
        # Certificate governance §2.4: who vouches for others signs no health certificates.
        if certificate.spki in self._vouching:
            raise _not_chained("its key is that of a CSCA or an upload certificate")
        uploader = self._uploader_of(item, certificate)
        authority = self._authorities.issuer_of(certificate)
        anchors = dict.fromkeys((uploader.anchor, self._anchor_of[authority.der]))
        above = (link("UPLOAD", uploader.certificate), *(link("TA", anchor) for anchor in anchors))
        key = chained_key(certificate, authority, above)
        return key.within(DOMAIN, chain=key.chain)

    def _uploader_of(self, item: Item, certificate: Certificate) -> Rooted:
        message = _message(item)
        # DGCG: exactly one signer, whose certificate comes with the signature.
        if len(message.certificates) != 1 or len(message.signers) != 1:
            raise _not_chained("it does not bear one signature with one certificate")
        # The content is left out; gateways keep the messages of some uploads as these were, with it.
        if message.content_type != cms.DATA or message.content not in (None, certificate.der):
            raise _not_chained("its signature is about something else")
        uploader = self._uploaders.get(message.certificates[0])
        if uploader is None:
            raise _not_chained("it is signed with none of the upload certificates")
        # Certificate governance §4.4: an upload certificate is its country's, and so is what it signs.
        if uploader.certificate.country != certificate.country:
            raise _not_chained("it is signed with another country's upload certificate")
        # Who signed is known by the certificate; that they did, by this alone.
        if not message.signers[0].verify(uploader.key, certificate.der, message.content_type):
            raise _not_chained("the signature of its country does not verify")
        return uploader


def _authority(item: Item, anchors: Sequence[TrustAnchor]) -> Rooted:
    rooted = _rooted(item, "CSCA", anchors)
    # Certificate governance §4.2: a CSCA says that it is one. The anchor's signature is not about the role, so that
    # upload certificates would pass for authorities and the other way round.
    if not _is_authority(rooted.certificate):
        raise _not_chained("the certificate is not one of an authority")
    return rooted


def _uploader(item: Item, anchors: Sequence[TrustAnchor], now: datetime) -> Rooted:
    rooted = _rooted(item, "UPLOAD", anchors)
    if _is_authority(rooted.certificate):
        raise _not_chained("an authority's certificate is not one for uploads")
    # Certificate governance §2.3: shell model, all are valid at the moment of asking.
    if not rooted.certificate.valid_at(now):
        raise _not_chained("the upload certificate is not valid at this moment")
    return rooted


def _rooted(item: Item, kind: str, anchors: Sequence[TrustAnchor]) -> Rooted:
    certificate = certificate_of(item, kind)
    try:
        _, anchor = pinned_signer(_signature(item), certificate.der, anchors)
    except (TrustError, DecodeError):
        raise _not_chained("it is not signed with a pinned trust anchor") from None
    return Rooted(certificate, certificate.public_key(), anchor)


def _is_authority(certificate: Certificate) -> bool:
    return certificate.ca is True and certificate.signs_certificates is True


def _message(item: Item) -> cms.SignedMessage:
    try:
        return cms.read(_signature(item))
    except DecodeError:
        raise _not_chained("its signature cannot be read") from None


def _signature(item: Item) -> bytes:
    """The CMS message of an item; nothing for what is none, or larger than one with a certificate or two can be."""
    message = exact_base64(item.signature or "") or b""
    return message if len(message) <= _SIGNATURE_BYTES else b""


def _usable(items: Sequence[Item], make: Callable[[Item], Made]) -> tuple[list[Made], list[Rejected]]:
    """What can be made of the items, and which ones nothing can be made of."""
    made, skipped = [], []
    for item in standing(items):
        try:
            made.append(make(item))
        except TrustError as error:
            skipped.append(Rejected(item.where, error))
    return made, skipped


def _named(role: Role, rooted: Iterable[Rooted]) -> Iterable[Authority]:
    return (Authority(role, one.certificate.der, one.certificate.country, DOMAIN) for one in rooted)


def _since(known: Known, context: Context) -> str | None:
    """The moment to ask for changes since, by the gateway's own clock; None when the whole list is to be fetched."""
    if known.loaded_at is None or not timedelta(0) <= context.now - known.loaded_at <= _RELOAD:
        return None
    try:
        seen = newest(read_items(known.parts.get("DSC", b""), "DSC", context.limits), context.now + _AHEAD)
        return None if seen is None else (seen - _OVERLAP).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (TrustError, OverflowError):
        return None


def _pages(fetcher: Fetcher, address: str, limits: Limits, since: str | None = None) -> list[Any]:
    """All entries at an address, or those that changed since a moment."""
    headers = {} if since is None else {"If-Modified-Since": since}
    found: list[Any] = []
    seen: set[bytes] = set()
    room, size = limits.list_bytes, _PAGE
    for page in range(limits.list_pages):
        response = fetcher.get(f"{address}?page={page}&pagesize={_PAGE}", limit=room, headers=headers)
        if response.status == 304 and since is not None:
            return found
        digest = hashlib.sha256(response.body).digest()
        if digest in seen:
            # A server that knows no pages sends the same again.
            if page == 1:
                return found
            raise unreadable("a page of it comes twice")
        seen.add(digest)
        room -= len(response.body)
        entries = read_json(response.body, list)
        found += entries
        check_size(len(found), limits)
        # A server may have smaller pages than it was asked for; its first one shows their size.
        size = len(entries) if page == 0 else size
        # A server that knows no pages sends all at once.
        if not entries or len(entries) < size or len(entries) > _PAGE:
            return found
    raise TrustError(Code.INPUT_TOO_LONG, f"a list of more than {limits.list_pages} pages", Step.TRUST)


def _not_chained(detail: str) -> TrustError:
    return TrustError(Code.KEY_NOT_CHAINED, detail, Step.TRUST)
