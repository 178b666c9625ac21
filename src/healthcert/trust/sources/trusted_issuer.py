"""The trusted issuers of the EU gateway and its successor: addresses of further lists, signed by the trust anchor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from healthcert.errors import DecodeError, TrustError
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import pinned_signer
from healthcert.lists.reading import exact_base64, not_authentic, unreadable

_MEMBERS = ("country", "name", "url", "type")
_ENDS = {"gateway": ";", "successor": ""}


class TrustedIssuer(Struct, frozen=True):
    """Where a country publishes keys. ``form`` tells which spelling of the signed text verified."""

    country: str
    name: str
    url: str
    type: str
    form: str
    anchor: TrustAnchor


def verify_trusted_issuer(item: Mapping[str, Any], anchors: Sequence[TrustAnchor]) -> TrustedIssuer:
    """The issuer that an item of ``/trustList/issuers`` names, when one of the anchors signed it.

    What is signed is the text ``country;name;url;type``, which the gateway's tools end with one more semicolon and the
    successor's do not. Nothing else in the item is signed. Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``,
    ``TRUST_LIST_NOT_AUTHENTIC``.
    """
    values = [item.get(member) for member in _MEMBERS]
    texts = [value for value in values if isinstance(value, str) and value and ";" not in value]
    # Items without content were signed too: null;null;null;null.
    if len(texts) != len(_MEMBERS) or "null" in texts:
        raise unreadable("a trusted issuer without country, name, url or type")
    country, name, url, kind = texts
    signature = item.get("signature")
    message = exact_base64(signature) if isinstance(signature, str) else None
    if message is None:
        raise unreadable("a trusted issuer without a signature")
    for form, end in _ENDS.items():
        # A lone surrogate is no text, and stands for no other character that is one.
        signed = f"{country};{name};{url};{kind}{end}".encode("utf-8", "surrogatepass")
        try:
            _, anchor = pinned_signer(message, signed, anchors)
        except (TrustError, DecodeError):
            continue
        return TrustedIssuer(country, name, url, kind, form, anchor)
    raise not_authentic("the trusted issuer is not signed with a pinned trust anchor")
