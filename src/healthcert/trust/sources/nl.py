"""Netherlands: the public keys of CoronaCheck, JSON with a CMS signature (:mod:`healthcert.lists.signed_beside`).

The national keys (``nl_keys``) are of another scheme, and are left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from healthcert.errors import TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import need_anchors
from healthcert.lists.jwk import decode
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, exact_base64, is_country, read_json, unreadable
from healthcert.lists.signed_beside import signed_beside
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "DCC"
USAGES = {"t": EntryType.TEST, "v": EntryType.VACCINATION, "r": EntryType.RECOVERY}
_KID_SIZE = 8


class Dutch:
    """See the module."""

    name = "nl"
    title = "Netherlands (CoronaCheck): JSON with a CMS signature"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        content, signer = signed_beside(part(parts, "list"), need_anchors(context.anchors, context.now), context.now)
        kids = read_json(content, dict).get("eu_keys")
        if not isinstance(kids, dict):
            raise unreadable("it has no object eu_keys")
        check_size(len(kids) + sum(len(held) for held in kids.values() if isinstance(held, list)), context.limits)
        entries = [entry for number, (kid, held) in enumerate(kids.items(), 1) for entry in _entries(number, kid, held)]
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            signer=signer,
            signed=hashlib.sha256(content).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _entries(number: int, kid_text: str, held: Any) -> Iterator[TrustedKey | Rejected]:
    """The keys of one kid. They are several where kids collide, and none of them is the only one."""
    where = f"kid {number}"
    try:
        kid = decode(kid_text)
    except ValueError:
        kid = b""
    # HCERT specification, Appendix A.1.
    if len(kid) != _KID_SIZE or not isinstance(held, list):
        yield rejected(where, f"no kid of {_KID_SIZE} bytes, or no array of keys for it")
        return
    for position, item in enumerate(held, 1):
        yield _entry(f"{where}, key {position}", kid, item)


def _entry(where: str, kid: bytes, item: Any) -> TrustedKey | Rejected:
    usages = item.get("keyUsage") if isinstance(item, dict) else None
    if not isinstance(usages, list) or not all(isinstance(usage, str) for usage in usages):
        return rejected(where, "no array keyUsage in it")
    allowed = {USAGES[usage] for usage in usages if usage in USAGES}
    # An empty array is taken for "any", as others that read these lists do; no text of the publisher says so.
    if usages and not allowed:
        return rejected(where, "none of its usages is known")
    spki = item.get("subjectPk")
    octets = exact_base64(spki) if isinstance(spki, str) else None
    if not octets:
        return rejected(where, "no public key in base64 in it")
    try:
        load_public_key(octets)
    except TrustError as error:
        return Rejected(where, error)
    key = TrustedKey(kid=kid, spki=octets)
    # ian, the issuer's alternative name, is the country in the lists that were seen.
    country = item.get("ian")
    return (key.limited_to(allowed) if allowed else key).within(
        DOMAIN, country=country if is_country(country) else None
    )
